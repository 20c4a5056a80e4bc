"""Weekly statements: every line of an account is on exactly one of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import QuerySet, Sum

from drivers import taxforms
from drivers.models import Driver, DriverPosting, Statement

# Money that leaves, or comes back from the bank, is not income.
NOT_EARNED = taxforms.MOVED


def week_before(at: dt.datetime, zone: ZoneInfo) -> tuple[dt.datetime, dt.datetime]:
    """The last whole week, Monday to Monday at midnight of the market: 167 or 169 hours where clocks change."""
    today = at.astimezone(zone).date()
    monday = today - dt.timedelta(days=today.weekday())
    start = dt.datetime.combine(monday - dt.timedelta(days=7), dt.time(), tzinfo=zone)
    return start.astimezone(dt.UTC), dt.datetime.combine(monday, dt.time(), tzinfo=zone).astimezone(dt.UTC)


ISSUE = """
INSERT INTO drivers_statement
    (code, driver_id, market_code, starts_at, ends_at, first, last, opening_cents, closing_cents, issued_at)
SELECT driver.code || '-' || %(day)s, driver.id, driver.market_code, %(start)s, %(end)s, head.first, tail.last,
    head.opening, head.opening + tail.cents, %(at)s
FROM drivers_driver driver
CROSS JOIN LATERAL (
    SELECT coalesce(max(last), 0) + 1 AS first, max(starts_at) AS begun,
        coalesce((array_agg(closing_cents ORDER BY last DESC))[1], 0) AS opening
    FROM drivers_statement before WHERE before.driver_id = driver.id
) head
CROSS JOIN LATERAL (
    -- What belongs to a later week ends the statement: lines are in the order in which they were posted.
    SELECT max(sequence) AS last, sum(cents) AS cents FROM drivers_driverposting line
    WHERE line.driver_id = driver.id AND line.sequence >= head.first AND line.sequence < coalesce(
        (SELECT min(later.sequence) FROM drivers_driverposting later
            WHERE later.driver_id = driver.id AND later.sequence >= head.first AND later.at >= %(end)s),
        2147483647)
) tail
WHERE driver.market_code = %(market)s AND tail.last IS NOT NULL AND (head.begun IS NULL OR head.begun < %(start)s)
ON CONFLICT DO NOTHING
"""


# Weeks with a line that is on no statement, of drivers whose last statement is of an earlier week.
MISSED = """
SELECT DISTINCT date_trunc('week', line.at AT TIME ZONE %(zone)s)::date
FROM drivers_driver driver
CROSS JOIN LATERAL (
    SELECT coalesce(max(last), 0) AS last, max(ends_at) AS until
    FROM drivers_statement before WHERE before.driver_id = driver.id
) head
JOIN drivers_driverposting line ON line.driver_id = driver.id AND line.sequence > head.last
WHERE driver.market_code = %(market)s AND line.at < %(until)s AND (head.until IS NULL OR line.at >= head.until)
ORDER BY 1
"""


@transaction.atomic(durable=True)
def issue(*, market_code: str, zone: ZoneInfo, at: dt.datetime) -> int:
    """The statements of the last whole week, for everybody with a new line, and of weeks before it in which no sweep
    ran; how many. A repeat makes none."""
    start, end = week_before(at, zone)
    made = 0
    with connection.cursor() as cursor:
        cursor.execute(MISSED, {"zone": zone.key, "market": market_code, "until": start})
        missed = [monday for (monday,) in cursor.fetchall()]
        for monday in [*missed, start.astimezone(zone).date()]:
            start, end = (
                dt.datetime.combine(monday + dt.timedelta(days=days), dt.time(), tzinfo=zone).astimezone(
                    dt.UTC
                )
                for days in (0, 7)
            )
            day = monday.isoformat()
            cursor.execute(ISSUE, {"day": day, "start": start, "end": end, "at": at, "market": market_code})
            made += int(cursor.rowcount)
    return made


def lines_of(statement: Statement) -> QuerySet[DriverPosting]:
    return DriverPosting.objects.filter(
        driver=statement.driver_id, sequence__gte=statement.first, sequence__lte=statement.last
    ).order_by("sequence")


@dataclass(frozen=True, slots=True)
class Sums:
    """From gross to net: what was earned, tips among it, what was corrected, and what was paid out."""

    earned_cents: int
    tips_cents: int
    corrected_cents: int
    paid_out_cents: int


def sums(lines: Iterable[DriverPosting]) -> Sums:
    found = list(lines)

    def of(*kinds: str) -> int:
        return sum(line.cents for line in found if line.kind in kinds)

    other = sum(line.cents for line in found if line.kind not in {*NOT_EARNED, "tip", "adjustment"})
    return Sums(other, of("tip"), of("adjustment"), of(*NOT_EARNED))


def year_total(driver: Driver, year: int, zone: ZoneInfo) -> int:
    """What was earned in a calendar year of the market, paid out or not yet. Tips are in it, tolls and allowances for
    distance given back are not; a payout moves money and earns none. See `taxforms` for what was paid."""
    start, end = (dt.datetime(each, 1, 1, tzinfo=zone) for each in (year, year + 1))
    rows = DriverPosting.objects.filter(driver=driver, at__gte=start, at__lt=end)
    return (
        rows.exclude(kind__in=[*NOT_EARNED, *taxforms.ACCOUNTED_FOR]).aggregate(cents=Sum("cents"))["cents"]
        or 0
    )
