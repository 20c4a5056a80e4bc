"""A block as a person would have it: with one order more or one less, laid out, priced and judged. Plain Python.

The window and the pay of a block are as they were sold; what an order in it costs is the way and the lateness.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from offers.planning import cost, judge, rooms
from offers.planning.afternoon import Afternoon, BlockLength, Plan, PlannedBlock
from offers.planning.cost import Costed
from offers.planning.judge import Violation
from offers.planning.rooms import Room

# Later than any promise: the way is laid out however late it is, and the judge then says so.
HOWEVER_LATE = 1 << 30


@dataclass(frozen=True, slots=True)
class Side:
    """A block with these orders in this order of visit; `block` is None without any."""

    room: Room
    orders: tuple[str, ...]
    block: PlannedBlock | None
    violations: tuple[Violation, ...]

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
    return laid(afternoon, room, room.orders)


def without(afternoon: Afternoon, room: Room, code: str) -> Side:
    """The block without this order, the others visited as before."""
    return laid(afternoon, room, [each for each in room.orders if each != code])


def with_one_more(afternoon: Afternoon, room: Room, code: str) -> Side:
    """The block with this order at its cheapest place; at the least bad one when the judge objects to all."""
    ways = [(*room.orders[:place], code, *room.orders[place:]) for place in range(len(room.orders) + 1)]
    sides = [laid(afternoon, room, way) for way in ways]
    return min(sides, key=lambda side: (len(side.violations), side.cents, side.orders))


def laid(afternoon: Afternoon, room: Room, codes: Sequence[str]) -> Side:
    """The block with these orders of the afternoon in this order of visit."""
    if not codes:
        return Side(room, (), None, ())
    own = rooms.only(afternoon, codes)
    start = max([room.start, *(order.ready for order in own.orders)])
    own = replace(
        own,
        now=start,
        lengths=(BlockLength(max(1, room.end - start), 0),),
        litres=room.litres,
        grams=room.grams,
        max_orders=room.max_orders,
    )
    tab = cost.tables(own)
    numbers = tuple(range(1, len(codes) + 1))
    loading = sum(tab.load[i] for i in numbers) + own.dwell.store_s * len({tab.store[i] for i in numbers})
    _back, late = cost.drive(replace(own, late_max_s=HOWEVER_LATE), tab)(numbers, start + loading)
    stops = (0, *numbers, 0)
    metres = sum(tab.metres[a][b] for a, b in pairwise(stops))
    cents = cost.travel_cents(own, metres) + cost.late_cents(own, late)
    block = cost.schedule(own, tab, numbers, Costed(cents, 0, start, late, metres, 0, start, late))
    plan = Plan(blocks=(block,), left=(), cost_cents=block.cost_cents, engine="by hand", rounds=0)
    return Side(room, tuple(codes), block, judge.verdict(own, plan))
