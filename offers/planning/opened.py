"""Open blocks in a plan: what they cost as they were, so that a plan answers for what it adds. Plain Python."""

from collections.abc import Iterator

from offers.planning import cost
from offers.planning.afternoon import Afternoon, Plan, PlannedBlock

KINDS = ("pay", "travel", "lateness")


def bare(afternoon: Afternoon) -> dict[str, PlannedBlock]:
    """Each open block with what is on it already, by code."""
    tab = cost.tables(afternoon)
    price, numbers = cost.Pricing(afternoon, tab), numbers_of(afternoon)
    found = {}
    for index, block in enumerate(afternoon.open_blocks):
        seq = cost.seq_of(block, numbers)
        costed = price(seq, None, index)
        assert costed is not None, "What is on a block is legal."
        found[block.code] = cost.schedule(afternoon, tab, seq, costed, index)
    return found


def numbers_of(afternoon: Afternoon) -> dict[str, int]:
    """The number of each order."""
    return {order.code: number for number, order in enumerate(afternoon.orders, 1)}


def held(afternoon: Afternoon) -> frozenset[str]:
    """The orders that are on open blocks already."""
    return frozenset(code for block in afternoon.open_blocks for code in block.orders)


def added(afternoon: Afternoon, block: PlannedBlock) -> tuple[str, ...]:
    """The orders of a planned block that wait now."""
    there = held(afternoon)
    return tuple(code for code in block.orders if code not in there)


def filled(afternoon: Afternoon, plan: Plan) -> Iterator[PlannedBlock]:
    """The open blocks that the plan puts orders into."""
    return (block for block in plan.blocks if block.opened and added(afternoon, block))


def made(plan: Plan) -> Iterator[PlannedBlock]:
    """The blocks that are new."""
    return (block for block in plan.blocks if not block.opened)


def spent(afternoon: Afternoon, plan: Plan) -> dict[str, int]:
    """Pay, travel and lateness in cents which the plan adds to what the open blocks cost as they were."""
    before = [line for block in bare(afternoon).values() for line in block.lines]
    after = [line for block in plan.blocks for line in block.lines]
    return {
        kind: sum(line.cents for line in after if line.kind == kind)
        - sum(line.cents for line in before if line.kind == kind)
        for kind in KINDS
    }


def waiting_cents(afternoon: Afternoon, plan: Plan) -> int:
    """What it is reckoned to cost that orders are left."""
    orders = {order.code: order for order in afternoon.orders}
    return sum(afternoon.wait_of(orders[each.order]) for each in plan.left)


def cost_cents(afternoon: Afternoon, plan: Plan) -> int:
    """What the plan adds, with all that waits."""
    return sum(spent(afternoon, plan).values()) + waiting_cents(afternoon, plan)
