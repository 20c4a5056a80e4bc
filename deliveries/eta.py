"""When each stop still to come is reached, given what has happened so far. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from retaildelivery.lib.geo import Point, crow_km
from retaildelivery.lib.roads import Curve


@dataclass(frozen=True, slots=True)
class Leg:
    """A stop as planned and as it went: `planned_at` is the arrival, `ended_at` None while it is open."""

    key: int
    planned_at: dt.datetime
    service: dt.timedelta
    arrived_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None


def drive(origin: Point, goal: Point, *, curve: Curve, hour: int) -> dt.timedelta:
    """How long a car takes from one place to another when it leaves in this local hour."""
    return dt.timedelta(seconds=curve.seconds(crow_km(origin, goal), hour=hour))


def retime(legs: Sequence[Leg], *, at: dt.datetime) -> dict[int, dt.datetime]:
    """Expected arrival at each open stop, in their order of visit: what the plan allowed between two stops, counted
    from where the driver is now. Never earlier than now, nor earlier than planned before anything has begun. A stop
    that fell away tells nothing of where the driver is."""
    expected: dict[int, dt.datetime] = {}
    begun = [leg for leg in legs if leg.arrived_at is not None]
    if not begun:
        left = [leg for leg in legs if leg.ended_at is None]
        shift = max(dt.timedelta(0), at - left[0].planned_at) if left else dt.timedelta(0)
        return {leg.key: leg.planned_at + shift for leg in left}
    here = max(begun, key=lambda leg: leg.ended_at or leg.arrived_at or at)
    if here.ended_at is None:
        assert here.arrived_at is not None
        expected[here.key] = here.arrived_at
        free_at = max(at, here.arrived_at + here.service)
    else:
        free_at = here.ended_at
    from_planned = here.planned_at + here.service
    for leg in legs:
        if leg.ended_at is not None or leg.key == here.key:
            continue
        if leg.arrived_at is not None:
            expected[leg.key] = leg.arrived_at
            continue
        # A stop out of its turn has no planned way from here: then only its own time counts.
        way = max(leg.planned_at - from_planned, dt.timedelta(0))
        reached = max(free_at + way, at)
        expected[leg.key] = reached
        free_at, from_planned = reached + leg.service, leg.planned_at + leg.service
    return expected
