"""The calendar of pay: statements of every market on its own Monday, and when money goes next."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from drivers import statements
from offers import closing
from stores.models import Market


def issue_due(*, at: dt.datetime) -> int:
    """What laws guarantee over the week, then its statements, market by market; how many statements. A repeat makes
    none."""
    issued = 0
    for market in Market.objects.order_by("pk"):
        closing.close_weeks(market, at=at)
        issued += statements.issue(market_code=market.code, zone=market.zone, at=at)
    return issued


def zone_of(market_code: str) -> ZoneInfo:
    """The zone in which a market's weeks begin."""
    market = Market.objects.filter(code=market_code).first()
    return market.zone if market else ZoneInfo("UTC")


def week_of(at: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """When the week that contains this moment began."""
    today = at.astimezone(zone).date()
    return dt.datetime.combine(today - dt.timedelta(days=today.weekday()), dt.time(), tzinfo=zone)


def next_payout(at: dt.datetime, zone: ZoneInfo) -> dt.date:
    """The Tuesday after the week ends: Monday is for the statement and the two signatures."""
    return week_of(at, zone).date() + dt.timedelta(days=8)
