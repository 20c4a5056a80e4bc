"""What a block costs, exactly: the one function that planner, map edits and tests measure with.

pay of the shortest length that holds the work + kilometres + late minutes. A block starts when its last order
is ready, or later by whole minutes where that saves more pay than it costs in lateness (a car that would wait
at a door for the promise to open is better paid to start later).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from offers.planning.afternoon import Afternoon, CostLine, PlannedBlock, PlannedStop

START_STEP_S = 60


class Costed(NamedTuple):
    """A legal block at its cheapest start.

    `length` is an index of `Afternoon.lengths`; `active_s` is loading, driving and service without waiting;
    `earliest` and `late_first` belong to the earliest possible start, which the search takes its bounds from.
    """

    cents: int
    length: int
    start: int
    late_s: int
    metres: int
    active_s: int
    earliest: int
    late_first: int


BlockCost = Callable[[Sequence[int]], Costed | None]
Drive = Callable[[Sequence[int], int], tuple[int, int]]

# Farther than anybody drives: stands for "no limit" where a number is compared.
NO_LIMIT = 1 << 60


@dataclass(frozen=True, slots=True)
class Tables:
    """An afternoon as lists by number (0 the mall, i the i-th order), for loops run millions of times."""

    seconds: list[list[int]]
    metres: list[list[int]]
    service: list[list[int]]
    store: list[int]
    load: list[int]
    ready: list[int]
    early: list[int]
    due: list[int]
    litres: list[int]
    grams: list[int]


def tables(afternoon: Afternoon) -> Tables:
    """Lists from the afternoon. `service[a][b]` is the time at the door of b for a car that comes from a."""
    dwell, orders = afternoon.dwell, afternoon.orders
    doors = [None, *(order.point.rounded() for order in orders)]
    parcels = [dwell.stop_parcel_s * order.parcels for order in orders]
    plain = [0, *(dwell.stop_s + each for each in parcels)]
    at_door: dict[object, list[int]] = {}
    for number, door in enumerate(doors):
        at_door.setdefault(door, []).append(number)
    service = []
    for number, door in enumerate(doors):
        row = plain
        if number and len(at_door[door]) > 1:
            row = plain.copy()
            for other in at_door[door]:
                row[other] = dwell.same_door_s + parcels[other - 1]
        service.append(row)
    stores = {code: n for n, code in enumerate(sorted({order.store for order in orders}))}
    return Tables(
        seconds=[list(row) for row in afternoon.seconds],
        metres=[list(row) for row in afternoon.metres],
        service=service,
        store=[-1, *(stores[order.store] for order in orders)],
        load=[0, *(dwell.load_parcel_s * order.parcels for order in orders)],
        ready=[0, *(max(afternoon.now, order.ready) for order in orders)],
        early=[0, *(order.early for order in orders)],
        due=[0, *(order.due for order in orders)],
        litres=[0, *(order.litres for order in orders)],
        grams=[0, *(order.grams for order in orders)],
    )


def bounds(afternoon: Afternoon) -> tuple[int, int]:
    """Most orders and most metres of one block."""
    orders, metres = afternoon.max_orders, afternoon.max_metres
    return (NO_LIMIT if orders is None else orders), (NO_LIMIT if metres is None else metres)


def travel_cents(afternoon: Afternoon, metres: int) -> int:
    """Kilometres in whole cents, rounded half to even: a measure to plan by, nobody is paid it."""
    return round(metres / 1000 * afternoon.km_cents)


def late_cents(afternoon: Afternoon, late_s: int) -> int:
    """Lateness in whole cents, rounded half to even."""
    return round(late_s / 60 * afternoon.late_cents_min)


def drive(afternoon: Afternoon, tab: Tables) -> Drive:
    """The way of a loaded car as a function of (order numbers, moment of leaving).

    Returns (moment back at the mall, late seconds), or (-1, 0) when an order would be later than allowed.
    """
    seconds, service, early, due = tab.seconds, tab.service, tab.early, tab.due
    late_max = afternoon.late_max_s

    def way(block: Sequence[int], now: int) -> tuple[int, int]:
        late = at = 0
        for i in block:
            now += seconds[at][i]
            if now < early[i]:  # noqa: PLR1730 - max() is three times slower, and this is the innermost loop
                now = early[i]
            over = now - due[i]
            if over > 0:
                if over > late_max:
                    return -1, 0
                late += over
            now += service[at][i]
            at = i
        return now + seconds[at][0], late

    return way


def block_cost(afternoon: Afternoon, tab: Tables) -> BlockCost:  # noqa: C901 - one loop, kept whole for speed
    """The cost of a block as a function of its order numbers in visiting order; None when no start is legal.

    Finish and lateness only grow with the start, and only waiting makes a block longer than its work. So the
    starts worth trying are the earliest, and for each shorter length the first that fits it.
    """
    way = drive(afternoon, tab)
    seconds, metres_, service = tab.seconds, tab.metres, tab.service
    store, load, ready = tab.store, tab.load, tab.ready
    litres, grams, cap_litres, cap_grams = tab.litres, tab.grams, afternoon.litres, afternoon.grams
    store_s, close, slack_s = afternoon.dwell.store_s, afternoon.close, afternoon.start_slack_s
    limits = [length.length_s for length in afternoon.lengths]
    pays = [length.pay_cents for length in afternoon.lengths]
    lengths, longest = range(len(limits)), limits[-1]
    km_cents, late_rate = afternoon.km_cents, afternoon.late_cents_min
    max_orders, max_metres = bounds(afternoon)

    def cost(block: Sequence[int]) -> Costed | None:  # noqa: C901
        if len(block) > max_orders or sum([litres[i] for i in block]) > cap_litres:
            return None
        if sum([grams[i] for i in block]) > cap_grams:
            return None
        earliest = max([ready[i] for i in block])
        loading = store_s * len({store[i] for i in block}) + sum([load[i] for i in block])
        metres, active, at = 0, loading, 0
        for i in block:
            metres += metres_[at][i]
            active += seconds[at][i] + service[at][i]
            at = i
        metres += metres_[at][0]
        active += seconds[at][0]
        if active > longest or metres > max_metres:
            return None
        back, late = way(block, earliest + loading)
        if back < 0 or back > close:
            return None
        travel, late_first, finish = round(metres / 1000 * km_cents), late, back
        best: Costed | None = None
        tried = 0
        for length in reversed(lengths):
            if limits[length] < active:
                break
            delay = max(0, -((earliest + limits[length] - finish) // START_STEP_S)) * START_STEP_S
            if delay > slack_s:
                break
            if delay != tried:
                tried = delay
                back, late = way(block, earliest + delay + loading)
                if back < 0 or back > close:
                    break
            cents = pays[length] + travel + round(late / 60 * late_rate)
            if best is None or cents < best.cents:
                best = Costed(cents, length, earliest + delay, late, metres, active, earliest, late_first)
        return best

    return cost


def schedule(afternoon: Afternoon, tab: Tables, block: Sequence[int], costed: Costed) -> PlannedBlock:
    """The block written out: stops with their moments, neighbours at one door joined, the lines of cost."""
    orders = [afternoon.orders[i - 1] for i in block]
    stores = tuple(dict.fromkeys(order.store for order in orders))
    depart = costed.start + afternoon.dwell.store_s * len(stores) + sum(tab.load[i] for i in block)
    stops: list[PlannedStop] = []
    now, at = depart, 0
    for i, order in zip(block, orders, strict=True):
        arrive = now + tab.seconds[at][i]
        serve = max(arrive, order.early)
        now = serve + tab.service[at][i]
        late_s = max(0, serve - order.due)
        if stops and stops[-1].point.rounded() == order.point.rounded():
            last = stops.pop()
            stops.append(
                replace(last, orders=(*last.orders, order.code), leave=now, late_s=last.late_s + late_s)
            )
        else:
            stops.append(PlannedStop((order.code,), order.point, arrive, serve, now, late_s))
        at = i
    length = afternoon.lengths[costed.length]
    return PlannedBlock(
        start=costed.start,
        length_s=length.length_s,
        stores=stores,
        depart=depart,
        stops=tuple(stops),
        finish=now + tab.seconds[at][0],
        metres=costed.metres,
        litres=sum(order.litres for order in orders),
        grams=sum(order.grams for order in orders),
        parcels=sum(order.parcels for order in orders),
        late_s=costed.late_s,
        lines=(
            CostLine("pay", length.pay_cents),
            CostLine("travel", travel_cents(afternoon, costed.metres)),
            CostLine("lateness", late_cents(afternoon, costed.late_s)),
        ),
    )
