"""A block as a person would have it: with one order more or one less, laid out, priced and judged. Plain Python.

The window and the pay of a block are as they were sold; what an order in it costs is the way and the lateness.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from offers.planning import cost, judge, opened, rooms
from offers.planning.afternoon import Afternoon, BlockLength, Plan, PlannedBlock
from offers.planning.cost import Costed
from offers.planning.judge import Violation
from offers.planning.rooms import Room

# Later than any promise: the way is laid out however late it is, and the judge then says so.
HOWEVER_LATE = 1 << 30


@dataclass(frozen=True, slots=True)
class Side:
    """A block with these orders, trip by trip in the order of visit; `block` is None without any."""

    room: Room
    trips: tuple[tuple[str, ...], ...]
    block: PlannedBlock | None
    violations: tuple[Violation, ...]

    @property
    def orders(self) -> tuple[str, ...]:
        return tuple(code for trip in self.trips for code in trip)

    @property
    def cents(self) -> int:
        """Travel and lateness; the pay is spent."""
        return self.block.cost_cents if self.block else 0

    @property
    def slack_s(self) -> int:
        """Paid seconds left when the driver is back; below zero, the block is too short."""
        return self.room.end - (self.block.finish if self.block else self.room.start)

    @property
    def late_s(self) -> int:
        return self.block.late_s if self.block else 0


def as_it_is(afternoon: Afternoon, room: Room) -> Side:
    """The block with its own orders."""
    return laid(afternoon, room, room.trips)


def without(afternoon: Afternoon, room: Room, code: str) -> Side:
    """The block without this order, the others visited as before."""
    return laid(afternoon, room, [[each for each in trip if each != code] for trip in room.trips])


def with_one_more(afternoon: Afternoon, room: Room, code: str) -> Side:
    """The block with this order at its cheapest place on any of its trips; at the least bad one when the judge objects
    to all."""
    ways = [
        [*room.trips[:number], (*trip[:place], code, *trip[place:]), *room.trips[number + 1 :]]
        for number, trip in enumerate(room.trips)
        for place in range(len(trip) + 1)
    ]
    sides = [laid(afternoon, room, way) for way in ways]
    return min(sides, key=lambda side: (len(side.violations), side.cents, side.orders))


def laid(afternoon: Afternoon, room: Room, wanted: Sequence[Sequence[str]]) -> Side:
    """The block with these orders of the afternoon, trip by trip in this order of visit; a trip without any is none."""
    trips = tuple(tuple(trip) for trip in wanted if trip)
    if not trips:
        return Side(room, (), None, ())
    codes = [code for trip in trips for code in trip]
    own = rooms.only(afternoon, codes)
    start = max([room.start, *(order.ready for order in own.orders[: len(trips[0])])])
    own = replace(
        own,
        now=start,
        lengths=(BlockLength(max(1, room.end - start), 0),),
        litres=room.litres,
        grams=room.grams,
        max_orders=room.max_orders,
        max_trips=len(trips),
    )
    tab = cost.tables(own)
    seq = cost.seq_of(replace(room.opened, orders=tuple(codes), reloads=_cuts(trips)), opened.numbers_of(own))
    loose = replace(own, late_max_s=HOWEVER_LATE, shuts=())
    pricing = cost.Pricing(loose, cost.tables(loose))
    metres, late = pricing.work(seq)[0], pricing.drive(seq, start)[1]
    cents = cost.travel_cents(own, metres) + cost.late_cents(own, late)
    block = cost.schedule(own, tab, seq, Costed(cents, 0, start, late, metres, 0, start, late))
    plan = Plan(blocks=(block,), left=(), cost_cents=block.cost_cents, engine="by hand", rounds=0)
    return Side(room, trips, block, judge.verdict(own, plan))


def _cuts(trips: Sequence[Sequence[str]]) -> tuple[int, ...]:
    """After how many orders each trip but the last ends."""
    return tuple(accumulate(len(trip) for trip in trips[:-1]))
