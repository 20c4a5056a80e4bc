"""In which order the stops still to come are best visited, now that things are as they are. Pure.

Fewest broken promises first, then the least lateness, then the earliest end. Never worse than the order given.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from retaildelivery.lib.geo import Point

ZERO = dt.timedelta(0)
# So many stops are tried in every order; more of them by moving single ones while that helps.
EXACT = 7
ROUNDS = 20

Way = Callable[[Point, Point, dt.datetime], dt.timedelta]


@dataclass(frozen=True, slots=True)
class Visit:
    """A stop still to come. `opens_at` and `due_at` are those of its promise; None for a way back, which comes last."""

    key: str
    point: Point
    service: dt.timedelta
    opens_at: dt.datetime | None = None
    due_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """Where the car is, and from when on it can drive."""

    point: Point
    free_at: dt.datetime


@dataclass(frozen=True, slots=True, order=True)
class Worth:
    """How good an order of stops is; less is better."""

    broken: int
    late: dt.timedelta
    ends_at: dt.datetime


def arrivals(visits: Sequence[Visit], start: Start, way: Way) -> list[dt.datetime]:
    """When each is reached, in this order; nobody is served before their promise opens."""
    here, free_at, reached = start.point, start.free_at, []
    for visit in visits:
        at = free_at + way(here, visit.point, free_at)
        reached.append(at)
        here, free_at = visit.point, _served(visit, at) + visit.service
    return reached


def worth(visits: Sequence[Visit], start: Start, way: Way) -> Worth:
    """What visiting them in this order comes to."""
    broken, late, ends_at = 0, ZERO, start.free_at
    for visit, at in zip(visits, arrivals(visits, start, way), strict=True):
        served = _served(visit, at)
        over = lateness(visit, served)
        broken, late, ends_at = broken + (over > ZERO), late + over, served + visit.service
    return Worth(broken, late, ends_at)


def lateness(visit: Visit, at: dt.datetime) -> dt.timedelta:
    """How long after its promise it is served; nothing when in time or promised to nobody."""
    return ZERO if visit.due_at is None else max(ZERO, at - visit.due_at)


def best(visits: Sequence[Visit], start: Start, way: Way) -> tuple[Visit, ...]:
    """The best order found: the best of all for few stops."""
    doors = tuple(visit for visit in visits if visit.due_at is not None)
    back = tuple(visit for visit in visits if visit.due_at is None)
    given = tuple(visits)
    found = _exact(doors, start, way) if len(doors) <= EXACT else _moved(doors, start, way)
    # A driver may have a reason to go by the store first; the order given is kept unless another is better.
    whole = (*found, *back)
    return whole if worth(whole, start, way) < worth(given, start, way) else given


def _served(visit: Visit, at: dt.datetime) -> dt.datetime:
    return at if visit.opens_at is None else max(at, visit.opens_at)


def _exact(doors: tuple[Visit, ...], start: Start, way: Way) -> tuple[Visit, ...]:
    """Depth first; what is no better so far than the best whole order is not followed, since all only grows."""
    champion, bar = doors, worth(doors, start, way)

    def follow(seen: tuple[Visit, ...], rest: tuple[Visit, ...], so_far: Worth, here: Point) -> None:
        nonlocal champion, bar
        if so_far >= bar:
            return
        if not rest:
            champion, bar = seen, so_far
            return
        for visit in rest:
            served = _served(visit, so_far.ends_at + way(here, visit.point, so_far.ends_at))
            over = lateness(visit, served)
            then = Worth(so_far.broken + (over > ZERO), so_far.late + over, served + visit.service)
            follow((*seen, visit), tuple(each for each in rest if each is not visit), then, visit.point)

    follow((), doors, Worth(0, ZERO, start.free_at), start.point)
    return champion


def _moved(doors: tuple[Visit, ...], start: Start, way: Way) -> tuple[Visit, ...]:
    """Move single stops, or turn a stretch round, while that is better."""
    champion, bar = doors, worth(doors, start, way)
    for _round in range(ROUNDS):
        before = bar
        for a in range(len(champion)):
            for b in range(len(champion)):
                for order in _neighbours(champion, a, b):
                    value = worth(order, start, way)
                    if value < bar:
                        champion, bar = order, value
        if bar == before:
            break
    return champion


def _neighbours(order: tuple[Visit, ...], a: int, b: int) -> list[tuple[Visit, ...]]:
    rest = order[:a] + order[a + 1 :]
    found = [(*rest[:b], order[a], *rest[b:])]
    if a < b:
        found.append((*order[:a], *reversed(order[a : b + 1]), *order[b + 1 :]))
    return found
