"""What a block costs, exactly: the one function that planner, map edits and tests measure with.

pay of the shortest length that holds the work + kilometres + late minutes. A block starts when its last order
is ready, or later by whole minutes where that saves more pay than it costs in lateness (a car that would wait
at a door for the promise to open is better paid to start later).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

from offers.planning.afternoon import Afternoon, CostLine, OpenBlock, PlannedBlock, PlannedStop, Reload

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
    car: int = 0


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
    packed: list[int]
    early: list[int]
    due: list[int]
    litres: list[int]
    grams: list[int]
    last: list[int]
    shut: list[int]
    kind: list[int]
    apart: list[int]
    door: list[int]
    fixed: list[int]
    opened: list[tuple[int, ...]]


def tables(afternoon: Afternoon) -> Tables:
    """Lists from the afternoon. `service[a][b]` is the time at the door of b for a car that comes from a; `ready`
    is for blocks that are new, which start at `now` at the earliest, `packed` for those that are there.
    """
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
    shuts = dict(afternoon.shuts)
    kind, apart = _kinds(afternoon)
    numbers = {door: number for number, door in enumerate(at_door)}
    tab = Tables(
        seconds=[list(row) for row in afternoon.seconds],
        metres=[list(row) for row in afternoon.metres],
        service=service,
        store=[-1, *(stores[order.store] for order in orders)],
        load=[0, *(dwell.load_parcel_s * order.parcels for order in orders)],
        ready=[0, *(max(afternoon.now, order.ready) for order in orders)],
        packed=[0, *(order.ready for order in orders)],
        early=[0, *(order.early for order in orders)],
        due=[0, *(order.due for order in orders)],
        litres=[0, *(order.litres for order in orders)],
        grams=[0, *(order.grams for order in orders)],
        last=[0, *(order.due + afternoon.late_max_s for order in orders)],
        shut=[NO_LIMIT, *(shuts.get(order.store, NO_LIMIT) for order in orders)],
        kind=kind,
        apart=apart,
        door=[-1, *(numbers[door] for door in doors[1:])],
        fixed=[0] * (len(orders) + 1),
        opened=[],
    )
    for block in afternoon.open_blocks:
        tab.opened.append(_opened(afternoon, tab, block))
    return tab


def _kinds(afternoon: Afternoon) -> tuple[list[int], list[int]]:
    """Per order the bit of its kind, and the bits of the kinds it may not share a car with."""
    bits = {
        kind: 1 << n for n, kind in enumerate(sorted({kind for pair in afternoon.apart for kind in pair}))
    }
    against = dict.fromkeys(bits, 0)
    for one, two in afternoon.apart:
        against[one] |= bits[two]
        against[two] |= bits[one]
    kinds = [order.kind for order in afternoon.orders]
    return [0, *(bits.get(kind, 0) for kind in kinds)], [0, *(against.get(kind, 0) for kind in kinds)]


def _opened(afternoon: Afternoon, tab: Tables, block: OpenBlock) -> tuple[int, ...]:
    """Start, length, litres, grams, moment to be back, most metres, most orders of an open block, packed by when.

    What is in it may stay whatever the rules say of it: they are stretched to let it, and no further.
    """
    numbers = {order.code: number for number, order in enumerate(afternoon.orders, 1)}
    trips = [[numbers[code] for code in trip] for trip in block.trips]
    seq = [i for trip in trips for i in trip]
    for i in seq:
        tab.fixed[i], tab.shut[i], tab.apart[i] = 1, NO_LIMIT, 0
    for i in trips[0]:
        tab.packed[i] = min(tab.packed[i], block.packed_by)
        tab.ready[i] = min(tab.ready[i], tab.packed[i])
    now, metres = block.start, 0
    for trip in trips:
        now = (
            max([now, *(tab.packed[i] for i in trip)])
            + afternoon.dwell.store_s * len({tab.store[i] for i in trip})
            + sum(tab.load[i] for i in trip)
        )
        at = 0
        for i in trip:
            now = max(now + tab.seconds[at][i], tab.early[i])
            tab.last[i] = max(tab.due[i], now)
            now += tab.service[at][i]
            metres += tab.metres[at][i]
            at = i
        now += tab.seconds[at][0]
        metres += tab.metres[at][0]
    max_orders, max_metres = bounds(afternoon)
    return (
        block.start,
        block.length_s,
        max(block.litres, *(sum(tab.litres[i] for i in trip) for trip in trips)),
        max(block.grams, *(sum(tab.grams[i] for i in trip) for trip in trips)),
        max(min(afternoon.close, block.start + block.length_s), now if seq else block.start),
        max(max_metres, metres),
        max(max_orders, len(seq)),
        block.packed_by,
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


class Pricing:
    """The cost of any block: in a size of car, with returns to the mall (0 in its sequence), or an open one."""

    def __init__(self, afternoon: Afternoon, tab: Tables) -> None:
        self.afternoon, self.tab, self.sizes = afternoon, tab, afternoon.sizes
        self.max_orders, self.max_metres = bounds(afternoon)

    def __call__(self, seq: Sequence[int], car: int | None = None, opened: int = -1) -> Costed | None:
        """The block at its cheapest start, in the cheapest car that holds it where none is named."""
        tab, trips = self.tab, trips_of(seq)
        kinds = aparts = 0
        for i in seq:
            if kinds & tab.apart[i] or aparts & tab.kind[i]:
                return None
            kinds, aparts = kinds | tab.kind[i], aparts | tab.apart[i]
        most = self.afternoon.max_trips
        if opened >= 0:
            most = max(most, len(self.afternoon.open_blocks[opened].trips))
        if not seq or not all(trips) or len(trips) > most:
            return self._filled(seq, (), opened) if opened >= 0 and not seq else None
        loads = [(sum(tab.litres[i] for i in trip), sum(tab.grams[i] for i in trip)) for trip in trips]
        if opened >= 0:
            return self._filled(seq, loads, opened)
        for number, size in enumerate(self.sizes):
            fits = all(litres <= size.litres and grams <= size.grams for litres, grams in loads)
            if fits and car in {None, number}:
                return self._sold(seq, number)
        return None

    def drive(self, seq: Sequence[int], now: int, opened: int = -1) -> tuple[int, int]:
        """(moment back, late seconds) when loading begins at `now`; (-1, 0): somebody would be too late."""
        tab, late = self.tab, 0
        ready = tab.ready if opened < 0 else tab.packed
        for trip in trips_of(seq):
            now = max(now, max((ready[i] for i in trip), default=now)) + self.loading(trip)
            if now > min((tab.shut[i] for i in trip), default=NO_LIMIT):
                return -1, 0
            at = 0
            for i in trip:
                now = max(now + tab.seconds[at][i], tab.early[i])
                if now > tab.last[i]:
                    return -1, 0
                late += max(0, now - tab.due[i])
                now += tab.service[at][i]
                at = i
            now += tab.seconds[at][0]
        return now, late

    def loading(self, trip: Sequence[int]) -> int:
        """Seconds at the stores for these orders."""
        stores = {self.tab.store[i] for i in trip}
        return self.afternoon.dwell.store_s * len(stores) + sum(self.tab.load[i] for i in trip)

    def work(self, seq: Sequence[int]) -> tuple[int, int]:
        """(metres, seconds of work without waiting)."""
        way = list(pairwise((0, *seq, 0)))
        active = sum(self.tab.seconds[a][b] + (self.tab.service[a][b] if b else 0) for a, b in way)
        return sum(self.tab.metres[a][b] for a, b in way), active + sum(map(self.loading, trips_of(seq)))

    def _filled(self, seq: Sequence[int], loads: Sequence[tuple[int, int]], opened: int) -> Costed | None:
        start, _length, litres, grams, back_by, max_metres, max_orders, packed_by = self.tab.opened[opened]
        if any(load[0] > litres or load[1] > grams for load in loads) or sum(i > 0 for i in seq) > max_orders:
            return None
        ready = max((self.tab.packed[i] for i in trips_of(seq)[0]), default=start)
        begin = max(start, ready)
        (metres, active), (back, late) = self.work(seq), self.drive(seq, begin, opened)
        if seq and (metres > max_metres or ready > packed_by or not 0 <= back <= back_by):
            return None
        cents = travel_cents(self.afternoon, metres) + late_cents(self.afternoon, late)
        return Costed(cents, 0, begin, late, metres, active, begin, late)

    def _sold(self, seq: Sequence[int], car: int) -> Costed | None:
        afternoon = self.afternoon
        metres, active = self.work(seq)
        if sum(i > 0 for i in seq) > self.max_orders or metres > self.max_metres:
            return None
        earliest = max(self.tab.ready[i] for i in trips_of(seq)[0])
        finish, late_first = self.drive(seq, earliest)
        if finish < 0 or finish > afternoon.close:
            return None
        best: Costed | None = None
        fixed = travel_cents(afternoon, metres) + self.sizes[car].extra_cents
        for number in range(len(afternoon.lengths) - 1, -1, -1):
            length = afternoon.lengths[number]
            delay = max(0, -((earliest + length.length_s - finish) // START_STEP_S)) * START_STEP_S
            if length.length_s < active or delay > afternoon.start_slack_s:
                break
            back, late = self.drive(seq, earliest + delay)
            if back < 0 or back > afternoon.close:
                break
            cents = length.pay_cents + fixed + late_cents(afternoon, late)
            if best is None or cents < best.cents:
                start = earliest + delay
                best = Costed(cents, number, start, late, metres, active, earliest, late_first, car)
        return best


def trips_of(seq: Sequence[int]) -> list[tuple[int, ...]]:
    """The trips of a sequence, in which 0 is a return to the mall."""
    trips: list[tuple[int, ...]] = [()]
    for i in seq:
        if i:
            trips[-1] = (*trips[-1], i)
        else:
            trips.append(())
    return trips


def seq_of(block: OpenBlock, numbers: Mapping[str, int]) -> tuple[int, ...]:
    """What is on an open block as a sequence, with a 0 for each return to the mall."""
    seq: tuple[int, ...] = ()
    for trip in block.trips:
        seq += (*((0,) if seq else ()), *(numbers[code] for code in trip))
    return seq


def roomy(afternoon: Afternoon, tab: Tables, number: int) -> bool:
    """Whether an order could go alone in a block that may start as late as it likes."""
    return Pricing(replace(afternoon, start_slack_s=NO_LIMIT), tab)((number,)) is not None


def schedule(
    afternoon: Afternoon, tab: Tables, block: Sequence[int], costed: Costed, opened: int = -1
) -> PlannedBlock:
    """The block written out: stops with their moments, neighbours at one door joined, the lines of cost."""
    pricing = Pricing(afternoon, tab)
    stops: list[PlannedStop] = []
    loads: list[Reload] = []
    arrive_mall = now = costed.start
    ready = tab.ready if opened < 0 else tab.packed
    for trip in trips_of(block):
        begin = max(now, max((ready[i] for i in trip), default=now)) if loads else now
        now = begin + pricing.loading(trip)
        codes = tuple(dict.fromkeys(afternoon.orders[i - 1].store for i in trip))
        loads.append(Reload(sum(len(stop.orders) for stop in stops), arrive_mall, begin, codes, now))
        at, first = 0, len(stops)
        for i in trip:
            order = afternoon.orders[i - 1]
            arrive = now + tab.seconds[at][i]
            serve = max(arrive, order.early)
            now = serve + tab.service[at][i]
            late_s = max(0, serve - order.due)
            if len(stops) > first and stops[-1].point.rounded() == order.point.rounded():
                last = stops.pop()
                codes = (*last.orders, order.code)
                stops.append(replace(last, orders=codes, leave=now, late_s=last.late_s + late_s))
            else:
                stops.append(PlannedStop((order.code,), order.point, arrive, serve, now, late_s))
            at = i
        now += tab.seconds[at][0]
        arrive_mall = now
    orders = [afternoon.orders[i - 1] for i in block if i]
    length = afternoon.lengths[costed.length]
    size, pay, length_s = afternoon.sizes[costed.car], length.pay_cents, length.length_s
    filled = afternoon.open_blocks[opened] if opened >= 0 else None
    return PlannedBlock(
        start=costed.start,
        length_s=filled.length_s if filled else length_s,
        stores=loads[0].stores,
        depart=loads[0].depart,
        stops=tuple(stops),
        finish=now,
        metres=costed.metres,
        litres=sum(order.litres for order in orders),
        grams=sum(order.grams for order in orders),
        parcels=sum(order.parcels for order in orders),
        late_s=costed.late_s,
        lines=(
            CostLine("pay", 0 if filled else pay + size.extra_cents),
            CostLine("travel", travel_cents(afternoon, costed.metres)),
            CostLine("lateness", late_cents(afternoon, costed.late_s)),
        ),
        car=filled.car if filled else size.code,
        opened=filled.code if filled else "",
        reloads=tuple(loads[1:]),
    )
