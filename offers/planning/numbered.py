"""One block of a plan by numbers, and the plan a person would make."""

import time
from collections.abc import Iterable, Iterator, Sequence
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
    """Each order, soonest due first, where it costs least, be it in a block of its own; then off again with what
    costs more than waiting. From `until` on only into blocks of their own."""
    price, routes, used = cost.Pricing(afternoon, tab), list(start), [0] * len(afternoon.sizes)
    numbers = [i for i in range(1, len(afternoon.orders) + 1) if not tab.fixed[i]]
    for i in sorted(numbers, key=lambda i: (tab.due[i], i)):
        best = cost.NO_LIMIT
        into: tuple[int, Route] | None = None
        for car, size in enumerate(afternoon.sizes):
            alone = price((i,), car)
            if alone is not None and (size.count is None or used[car] < size.count) and alone.cents < best:
                best, into = alone.cents, (-1, Route((i,), car))
        for index, route in enumerate(routes if time.perf_counter() < until else ()):
            now = _cents(price, route)
            for made in _in_any_car(afternoon, _with(afternoon, tab, route, i), used):
                cents = _cents(price, made)
                if now is not None and cents is not None and cents - now < best:
                    best, into = cents - now, (index, made)
        if into is None:
            continue
        if into[0] >= 0:
            used[routes[into[0]].car] -= into[1].opened < 0
            used[into[1].car] += into[1].opened < 0
            routes[into[0]] = into[1]
        else:
            routes.append(into[1])
            used[into[1].car] += 1
    kept = [_worth(afternoon, tab, price, route) for route in routes]
    return tuple(route for route in kept if route.seq or route.opened >= 0)


def _worth(afternoon: Afternoon, tab: cost.Tables, price: cost.Pricing, route: Route) -> Route:
    """The route without the orders whose taking off saves more than their waiting costs, the dearest first."""
    while True:
        now, best, saves = _cents(price, route), route, 0
        assert now is not None, "What is planned is legal."
        for number in filter(None, route.seq):
            rest = replace(route, seq=tuple(other for other in route.seq if other != number))
            then = _cents(price, rest) if _may_go(afternoon, tab, number) else None
            wait = afternoon.wait_of(afternoon.orders[number - 1])
            if then is not None and now - then - wait > saves:
                best, saves = rest, now - then - wait
        if best is route:
            break
        route = best
    orders = [number for number in route.seq if number]
    waits = [afternoon.wait_of(afternoon.orders[number - 1]) for number in orders]
    free = route.opened < 0 and all(_may_go(afternoon, tab, number) for number in orders)
    return replace(route, seq=()) if free and now > sum(waits) else route


def _may_go(afternoon: Afternoon, tab: cost.Tables, number: int) -> bool:
    return afternoon.orders[number - 1].may_wait and not tab.fixed[number]


def _cents(price: cost.Pricing, route: Route) -> int | None:
    if not route.seq and route.opened < 0:
        return 0
    costed = price(route.seq, route.car if route.opened < 0 else None, route.opened)
    return None if costed is None else costed.cents


def _in_any_car(afternoon: Afternoon, routes: Iterable[Route], used: Sequence[int]) -> Iterator[Route]:
    """Each route in its own car, and in every other that is still there; an open block keeps its."""
    for route in routes:
        yield route
        for car, size in enumerate(afternoon.sizes if route.opened < 0 else ()):
            if car != route.car and (size.count is None or used[car] < size.count):
                yield replace(route, car=car)


def _with(afternoon: Afternoon, tab: cost.Tables, route: Route, order: int) -> Iterator[Route]:
    """The route with the order at each place that does not part two for one door."""
    for place in range(len(route.seq) + 1):
        before, behind = route.seq[place - 1 : place], route.seq[place : place + 1]
        parts = before and behind and tab.door[before[0]] == tab.door[behind[0]] != tab.door[order]
        if not (afternoon.one_visit and parts):
            yield replace(route, seq=(*route.seq[:place], order, *route.seq[place:]))
