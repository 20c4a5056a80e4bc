"""What counts for and against a driver: recorded once, decaying on a day that is known from the first."""

from __future__ import annotations

import datetime as dt

from django.db import connection
from django.db.models import Sum

from drivers.models import Driver, StandingEvent


def record(
    *,
    key: str,
    driver: Driver,
    kind: str,
    fault: str,
    points: int,
    text: str,
    subject: str,
    at: dt.datetime,
    decays_at: dt.datetime,
) -> bool:
    """Note the event in the caller's transaction; False when this key is noted already.

    Points below zero need the driver's own fault: the database refuses anything else.
    """
    assert connection.in_atomic_block, "Standing changes with what caused it."
    if StandingEvent.objects.filter(key=key).exists():
        return False
    event = StandingEvent(
        key=key,
        driver=driver,
        kind=kind,
        fault=fault,
        points=points,
        text=text,
        subject=subject,
        at=at,
        decays_at=decays_at,
    )
    # A concurrent writer of the same key wins silently: the key says that it is the same event.
    StandingEvent.objects.bulk_create([event], ignore_conflicts=True)
    return True


def points(driver: Driver, *, at: dt.datetime) -> int:
    """The sum of what counts at this moment: not decayed, not in dispute, not set aside."""
    live = StandingEvent.objects.counting(at).filter(driver=driver)  # type: ignore[attr-defined]
    total: int = live.aggregate(sum=Sum("points"))["sum"] or 0
    return total
