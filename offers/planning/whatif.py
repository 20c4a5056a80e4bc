"""The same afternoon under other lengths of block, other pay or other promises. Plain Python."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace

from offers.planning import alone, opened
from offers.planning.afternoon import Afternoon, BlockLength, Plan, WaitingOrder

HOUR_S = 3600
MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class Change:
    """What is different; None leaves it as it is.

    `lengths_s` replace the lengths in which blocks are sold, `hourly_cents` the pay of an hour, and with
    `promise_s` every order is promised from the moment it is ready until so much later. `trips` is how often a new
    block may be loaded.
    """

    lengths_s: tuple[int, ...] | None = None
    hourly_cents: int | None = None
    promise_s: int | None = None
    trips: int | None = None

    @property
    def name(self) -> str:
        """Such as ``3 h, $22.00/h, 90 min``; ``as it is`` for no change."""
        parts = []
        if self.lengths_s is not None:
            parts.append("/".join(f"{each / HOUR_S:g}" for each in self.lengths_s) + " h")
        if self.hourly_cents is not None:
            parts.append(f"{self.hourly_cents / 100:.2f}/h")
        if self.promise_s is not None:
            parts.append(f"{self.promise_s // MINUTE_S} min")
        if self.trips is not None:
            parts.append(f"{self.trips} trip" + ("s" if self.trips > 1 else ""))
        return ", ".join(parts) or "as it is"


@dataclass(frozen=True, slots=True)
class Sum:
    """A plan in numbers. Money in cents, time in seconds; of blocks that were there already, what was added."""

    orders: int
    planned: int
    blocks: int
    filled: int
    joined: int
    paid_s: int
    pay_cents: int
    travel_cents: int
    lateness_cents: int
    waiting_cents: int
    late_s: int
    metres: int
    cost_cents: int
    alone_cents: int

    @property
    def saved_cents(self) -> int:
        """What the plan costs less than every order in a block of its own."""
        return self.alone_cents - self.cost_cents


def changed(afternoon: Afternoon, change: Change) -> Afternoon:
    """The afternoon with the change. A new length is paid at the rate of the length nearest to it."""
    orders: Iterable[WaitingOrder] = afternoon.orders
    if change.promise_s is not None:
        orders = (replace(each, early=each.ready, due=each.ready + change.promise_s) for each in orders)
    return replace(
        afternoon,
        orders=tuple(orders),
        lengths=_lengths(afternoon.lengths, change),
        max_trips=change.trips or afternoon.max_trips,
    )


def _lengths(sold: Sequence[BlockLength], change: Change) -> tuple[BlockLength, ...]:
    wanted = change.lengths_s or tuple(each.length_s for each in sold)
    lengths = []
    for length_s in sorted(set(wanted)):
        near = min(sold, key=lambda each: abs(each.length_s - length_s))
        if change.hourly_cents is not None:
            cents = round(change.hourly_cents * length_s / HOUR_S)
        else:
            cents = round(near.pay_cents * length_s / near.length_s)
        lengths.append(BlockLength(length_s, cents))
    return tuple(lengths)


def summed(afternoon: Afternoon, plan: Plan) -> Sum:
    """The plan of one scenario in numbers."""
    before, there = opened.bare(afternoon), opened.held(afternoon)
    made, filled = list(opened.made(plan)), list(opened.filled(afternoon, plan))
    joined = sum(len(opened.added(afternoon, block)) for block in filled)
    spent = opened.spent(afternoon, plan)
    return Sum(
        orders=len(afternoon.orders) - len(there),
        planned=joined + sum(len(block.orders) for block in made),
        blocks=len(made),
        filled=len(filled),
        joined=joined,
        paid_s=sum(block.length_s for block in made),
        pay_cents=spent["pay"],
        travel_cents=spent["travel"],
        lateness_cents=spent["lateness"],
        waiting_cents=opened.waiting_cents(afternoon, plan),
        late_s=sum(block.late_s for block in plan.blocks) - sum(block.late_s for block in before.values()),
        metres=sum(block.metres for block in plan.blocks) - sum(block.metres for block in before.values()),
        cost_cents=opened.cost_cents(afternoon, plan),
        alone_cents=alone.alone_cents(afternoon, plan),
    )


NOTHING = Sum(*(0,) * len(fields(Sum)))
