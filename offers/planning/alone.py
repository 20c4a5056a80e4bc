"""What the planned orders would cost if each had a block of its own: what a plan is measured against. Pure."""

from offers.planning import cost
from offers.planning.afternoon import Afternoon, Plan


def alone_cents(afternoon: Afternoon, plan: Plan) -> int:
    """The plan's orders one to a block, and what it left left all the same: the rest is what sharing saves."""
    block_cost = cost.block_cost(afternoon, cost.tables(afternoon))
    numbers = {order.code: number for number, order in enumerate(afternoon.orders, 1)}
    cents = afternoon.defer_cents * len(plan.left)
    for block in plan.blocks:
        for code in block.orders:
            single = block_cost([numbers[code]])
            cents += afternoon.defer_cents if single is None else single.cents
    return cents
