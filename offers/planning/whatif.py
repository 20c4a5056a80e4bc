"""The same afternoon under other lengths of block, other pay or other promises. Plain Python."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from offers.planning import alone
from offers.planning.afternoon import Afternoon, BlockLength, Plan, WaitingOrder

HOUR_S = 3600
MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class Change:
    """What is different; None leaves it as it is.

    `lengths_s` replace the lengths in which blocks are sold, `hourly_cents` the pay of an hour, and with
    `promise_s` every order is promised from the moment it is ready until so much later.
    """

    lengths_s: tuple[int, ...] | None = None
    hourly_cents: int | None = None
    promise_s: int | None = None

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
        return ", ".join(parts) or "as it is"


@dataclass(frozen=True, slots=True)
class Sum:
    """A plan in numbers, summed over the kinds of car. Money in cents, time in seconds."""

    orders: int
    planned: int
    blocks: int
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
    return replace(afternoon, orders=tuple(orders), lengths=_lengths(afternoon.lengths, change))


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


def summed(plans: Iterable[tuple[Afternoon, Plan]]) -> Sum:
    """The plans of one scenario in numbers."""
    pairs = list(plans)
    blocks = [block for _each, plan in pairs for block in plan.blocks]
    lines = [line for block in blocks for line in block.lines]
    spent = {kind: sum(each.cents for each in lines if each.kind == kind) for kind in KINDS}
    cost_cents = sum(plan.cost_cents for _each, plan in pairs)
    return Sum(
        orders=sum(len(each.orders) for each, _plan in pairs),
        planned=sum(len(block.orders) for block in blocks),
        blocks=len(blocks),
        paid_s=sum(block.length_s for block in blocks),
        pay_cents=spent["pay"],
        travel_cents=spent["travel"],
        lateness_cents=spent["lateness"],
        waiting_cents=cost_cents - sum(spent.values()),
        late_s=sum(block.late_s for block in blocks),
        metres=sum(block.metres for block in blocks),
        cost_cents=cost_cents,
        alone_cents=sum(alone.alone_cents(each, plan) for each, plan in pairs),
    )


KINDS = ("pay", "travel", "lateness")
