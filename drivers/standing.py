"""What counts for and against a driver: recorded once, decaying on a day that is known from the first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import Sum

from drivers import freshness
from drivers.models import Driver, StandingEvent

_EVENTS = """
INSERT INTO drivers_standingevent (key, driver_id, kind, fault, points, subject, at, decays_at)
VALUES %s ON CONFLICT (key) DO NOTHING
"""


def record_all(events: Sequence[StandingEvent]) -> int:
    """Note these events in the caller's transaction, in one round trip, but for those whose key is noted already; how
    many are new.

    Points below zero need the driver's own fault: the database refuses anything else.
    """
    assert connection.in_atomic_block, "Standing changes with what caused it."
    if not events:
        return 0
    values: list[Any] = []
    for event in events:
        values += [event.key, event.driver_id, event.kind, event.fault, event.points]
        values += [event.subject, event.at, event.decays_at]
    row = "(%s, %s, %s, %s, %s, %s, %s, %s)"
    with connection.cursor() as cursor:
        cursor.execute(_EVENTS % ", ".join([row] * len(events)), values)
        new = int(cursor.rowcount)
    if new:
        for driver_id in {event.driver_id for event in events}:
            freshness.touch(driver_id)
    return new


def points(driver: Driver, *, at: dt.datetime) -> int:
    """The sum of what counts at this moment: not decayed, not in dispute, not set aside."""
    live = StandingEvent.objects.counting(at).filter(driver=driver)  # type: ignore[attr-defined]
    total: int = live.aggregate(sum=Sum("points"))["sum"] or 0
    return total
