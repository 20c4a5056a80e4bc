"""One block of a plan by numbers, and the plan a person would make."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from offers.planning import cost
from offers.planning.afternoon import Afternoon


@dataclass(frozen=True, slots=True)
class Route:
    """Orders in turn (0: back at the mall), number of the size of car, of the open block or -1."""

    seq: tuple[int, ...]
    car: int = 0
    opened: int = -1


def one_by_one(
    afternoon: Afternoon, tab: cost.Tables, start: Iterable[Route], *, until: float
) -> tuple[Route, ...]:
    """Each order, soonest due first, where it costs least; from `until` on only into blocks of their own."""
    price, routes, used = cost.Pricing(afternoon, tab), list(start), [0] * len(afternoon.sizes)
    numbers = [i for i in range(1, len(afternoon.orders) + 1) if not tab.fixed[i]]
    for i in sorted(numbers, key=lambda i: (tab.due[i], i)):
        best = (
            afternoon.wait_of(afternoon.orders[i - 1]) if afternoon.orders[i - 1].may_wait else cost.NO_LIMIT
        )
        into: tuple[int, Route] | None = None
        for car, size in enumerate(afternoon.sizes):
            alone = price((i,), car)
            if alone is not None and (size.count is None or used[car] < size.count) and alone.cents < best:
                best, into = alone.cents, (-1, Route((i,), car))
        for index, route in enumerate(routes if time.perf_counter() < until else ()):
            now = price(route.seq, None, route.opened)
            for made in _with(afternoon, tab, route, i):
                costed = price(made.seq, made.car if made.opened < 0 else None, made.opened)
                if now is not None and costed is not None and costed.cents - now.cents < best:
                    best, into = costed.cents - now.cents, (index, made)
        if into is None:
            continue
        if into[0] >= 0:
            routes[into[0]] = into[1]
        else:
            routes.append(into[1])
            used[into[1].car] += 1
    return tuple(routes)


def _with(afternoon: Afternoon, tab: cost.Tables, route: Route, order: int) -> Iterator[Route]:
    """The route with the order at each place that does not part two for one door."""
    for place in range(len(route.seq) + 1):
        before, behind = route.seq[place - 1 : place], route.seq[place : place + 1]
        parts = before and behind and tab.door[before[0]] == tab.door[behind[0]] != tab.door[order]
        if not (afternoon.one_visit and parts):
            yield replace(route, seq=(*route.seq[:place], order, *route.seq[place:]))
