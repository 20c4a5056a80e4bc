"""Late orders into blocks that are there already: the pay is spent, so a place in one costs the way alone. Plain
Python.

A block's window stays as it was sold and no promise on it gets later than it was. What finds no room is left to
the planner.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from offers.planning import cost
from offers.planning.afternoon import Afternoon, BlockLength, Plan, PlannedBlock
from offers.planning.cost import Costed

# Rounds over one block's order of visit after its last joining.
POLISH_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Room:
    """A block that may take more: work from `start` to `end`, `orders` on it already in the order of visit, and what
    its car and its market allow in all. `ready_by` is the latest an order may be packed to join it."""

    code: str
    start: int
    end: int
    ready_by: int
    litres: int
    grams: int
    orders: tuple[str, ...]
    max_orders: int | None = None


@dataclass(frozen=True, slots=True)
class Joined:
    """A block with what joins it: the afternoon of its orders alone, and the plan of that, for the judge."""

    room: Room
    added: tuple[str, ...]
    afternoon: Afternoon
    plan: Plan

    @property
    def block(self) -> PlannedBlock:
        return self.plan.blocks[0]


class _Seats:
    """One room during the search. Sequences are numbers of the afternoon's orders."""

    def __init__(self, afternoon: Afternoon, tab: cost.Tables, room: Room) -> None:
        numbers = {order.code: number for number, order in enumerate(afternoon.orders, 1)}
        self.afternoon, self.tab, self.room = afternoon, tab, room
        self.way = cost.drive(afternoon, tab)
        self.had = tuple(numbers[code] for code in room.orders)
        self.seq = self.had
        first = self.price(self.had) if self.had else (0, 0)
        # A block that is late already may still take what makes it no later; one that does not fit takes nothing.
        self.late = first[1] if first else -1
        self.cents = first[0] if first else 0

    def price(self, seq: Sequence[int]) -> tuple[int, int] | None:
        """Travel and lateness in cents, and the late seconds; None when it does not fit the block."""
        tab, room, afternoon = self.tab, self.room, self.afternoon
        if room.max_orders is not None and len(seq) > room.max_orders:
            return None
        if sum(tab.litres[i] for i in seq) > room.litres or sum(tab.grams[i] for i in seq) > room.grams:
            return None
        back, late = self.way(seq, self.depart(seq))
        metres = self.metres(seq)
        if back < 0 or back > min(room.end, afternoon.close) or metres > cost.bounds(afternoon)[1]:
            return None
        return cost.travel_cents(afternoon, metres) + cost.late_cents(afternoon, late), late

    def start(self, seq: Sequence[int]) -> int:
        return max([self.room.start, *(self.afternoon.orders[i - 1].ready for i in seq)])

    def depart(self, seq: Sequence[int]) -> int:
        loading = sum(self.tab.load[i] for i in seq)
        return (
            self.start(seq) + loading + self.afternoon.dwell.store_s * len({self.tab.store[i] for i in seq})
        )

    def metres(self, seq: Sequence[int]) -> int:
        stops = (0, *seq, 0)
        return sum(self.tab.metres[a][b] for a, b in itertools.pairwise(stops))

    def best(self, number: int) -> tuple[int, tuple[int, ...]] | None:
        """The cheapest place for one more order: what it adds, and the sequence with it."""
        order = self.afternoon.orders[number - 1]
        if self.late < 0 or order.ready > self.room.ready_by:
            return None
        found: tuple[int, tuple[int, ...]] | None = None
        for place in range(len(self.seq) + 1):
            seq = (*self.seq[:place], number, *self.seq[place:])
            priced = self.price(seq)
            if priced is None or priced[1] > self.late:
                continue
            added = priced[0] - self.cents
            if found is None or added < found[0]:
                found = (added, seq)
        return found

    def take(self, seq: tuple[int, ...]) -> None:
        priced = self.price(seq)
        assert priced is not None
        self.seq, self.cents = seq, priced[0]

    def polish(self) -> None:
        """Move single orders within the block while that is cheaper and nothing gets later."""
        for _round in range(POLISH_ROUNDS):
            before = self.cents
            for number in self.seq:
                rest = tuple(i for i in self.seq if i != number)
                for place in range(len(rest) + 1):
                    seq = (*rest[:place], number, *rest[place:])
                    priced = self.price(seq)
                    if priced is not None and priced[1] <= self.late and priced[0] < self.cents:
                        self.take(seq)
                        break
            if self.cents == before:
                return


def join(afternoon: Afternoon, rooms: Sequence[Room]) -> tuple[Joined, ...]:
    """Orders of the afternoon that are on no room yet, put where each costs least; rooms that got none are not
    among the results. The afternoon holds the orders of the rooms as well."""
    tab = cost.tables(afternoon)
    seats = [_Seats(afternoon, tab, room) for room in rooms]
    seated = {number for each in seats for number in each.had}
    waiting = [n for n in range(1, len(afternoon.orders) + 1) if n not in seated]
    places = {(seat, number): seat.best(number) for seat in seats for number in waiting}
    while True:
        options = [
            (place[0], afternoon.orders[number - 1].code, seat.room.code, seat, number, place[1])
            for (seat, number), place in places.items()
            if place is not None
        ]
        if not options:
            break
        _cents, _order, _room, seat, number, seq = min(options, key=lambda option: option[:3])
        seat.take(seq)
        waiting.remove(number)
        places = {
            (each, other): seat.best(other) if each is seat else place
            for (each, other), place in places.items()
            if other != number
        }
    return tuple(_written(seat) for seat in seats if len(seat.seq) > len(seat.had))


def without(afternoon: Afternoon, codes: Iterable[str]) -> Afternoon:
    """The afternoon without these orders."""
    gone = set(codes)
    return only(afternoon, [order.code for order in afternoon.orders if order.code not in gone])


def only(afternoon: Afternoon, codes: Sequence[str]) -> Afternoon:
    """The afternoon with these orders alone, in this order."""
    numbers = {order.code: number for number, order in enumerate(afternoon.orders, 1)}
    keep = [0, *(numbers[code] for code in codes)]
    return replace(
        afternoon,
        orders=tuple(afternoon.orders[number - 1] for number in keep[1:]),
        seconds=tuple(tuple(afternoon.seconds[a][b] for b in keep) for a in keep),
        metres=tuple(tuple(afternoon.metres[a][b] for b in keep) for a in keep),
    )


def _written(seat: _Seats) -> Joined:
    seat.polish()
    room, afternoon = seat.room, seat.afternoon
    codes = [afternoon.orders[number - 1].code for number in seat.seq]
    start = seat.start(seat.seq)
    own = replace(
        only(afternoon, codes),
        now=start,
        lengths=(BlockLength(room.end - start, 0),),
        litres=room.litres,
        grams=room.grams,
        max_orders=room.max_orders,
    )
    tab = cost.tables(own)
    numbers = tuple(range(1, len(codes) + 1))
    depart = seat.depart(seat.seq)
    _back, late = cost.drive(own, tab)(numbers, depart)
    metres = seat.metres(seat.seq)
    cents = cost.travel_cents(own, metres) + cost.late_cents(own, late)
    block = cost.schedule(own, tab, numbers, Costed(cents, 0, start, late, metres, 0, start, late))
    plan = Plan(blocks=(block,), left=(), cost_cents=block.cost_cents, engine="joining", rounds=0)
    return Joined(room, tuple(code for code in codes if code not in room.orders), own, plan)
