"""A driver's blocks as a calendar that phones subscribe to. Times are in UTC, which no change of clocks moves; what
recipients are called or where they live is not in it."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _
from icalendar import Calendar, Event, vText

from drivers.models import Driver
from offers import limits, locks
from offers.models import CalendarFeed, Claim
from retaildelivery.lib import codes

CALLED_OFF = frozenset({Claim.Ending.WITHDRAWN, Claim.Ending.STOOD_DOWN})


@transaction.atomic(durable=True)
def rotate(*, driver_id: int, at: dt.datetime) -> CalendarFeed:
    """A new secret address; the old one answers no more."""
    driver = locks.driver(driver_id)
    feed, _made = CalendarFeed.objects.update_or_create(
        driver=driver, defaults={"token": codes.new_token(), "created_at": at}
    )
    return feed


@transaction.atomic(durable=True)
def switch_off(*, driver_id: int) -> None:
    CalendarFeed.objects.filter(driver=locks.driver(driver_id)).delete()


def claims_in(driver: Driver, *, at: dt.datetime) -> list[Claim]:
    """The newest claim of each block that is held, was worked, or was withdrawn from the driver; what they gave
    back themselves is simply gone."""
    rows = (
        Claim.objects.filter(driver=driver, window__endswith__gt=at - limits.CALENDAR_KEPT)
        .select_related("block__mall")
        .order_by("block", "-pk")
        .distinct("block")
    )
    shown = {"", Claim.Ending.COMPLETED, *CALLED_OFF}
    kept = sorted((claim for claim in rows if claim.ending in shown), key=lambda claim: claim.window.lower)
    return kept[: limits.CALENDAR_EVENTS]


def write(driver: Driver, *, at: dt.datetime) -> bytes:
    """The feed, in the driver's language (RFC 5545)."""
    locale = driver.user.locale if driver.user.locale in dict(settings.LANGUAGES) else "en"
    with translation.override(locale):
        calendar = Calendar()
        calendar.add("prodid", "-//Retail Delivery//Blocks//EN")
        calendar.add("version", "2.0")
        calendar.add("method", "PUBLISH")
        calendar.add("x-wr-calname", _("Delivery blocks"))
        calendar.add("refresh-interval", dt.timedelta(minutes=30), parameters={"VALUE": "DURATION"})
        for claim in claims_in(driver, at=at):
            calendar.add_component(_event(claim))
        text: bytes = calendar.to_ical()
    return text


def _event(claim: Claim) -> Event:
    block, mall = claim.block, claim.block.mall
    event = Event()
    event.add("uid", f"{block.code.lower()}-{claim.driver_id}@retaildelivery")
    event.add("dtstamp", (claim.ended_at or claim.claimed_at).astimezone(dt.UTC))
    event.add("dtstart", block.starts_at.astimezone(dt.UTC))
    event.add("dtend", block.ends_at.astimezone(dt.UTC))
    event.add("sequence", 1 if claim.ended_at else 0)
    event.add("status", "CANCELLED" if claim.ending in CALLED_OFF else "CONFIRMED")
    if block.is_relief:
        # It starts where another driver stands; its page leads there.
        event.add("summary", _("Taking over from another driver"))
    else:
        event.add("summary", _("Block at %(mall)s") % {"mall": mall.name})
        event.add("location", vText(mall.address))
        event.add("geo", (float(mall.latitude), float(mall.longitude)))
    event.add("description", _("Block %(code)s. Check in from 15 minutes before.") % {"code": block.code})
    event.add("url", f"{settings.BASE_URL}/drive/blocks/{block.code}/")
    return event
