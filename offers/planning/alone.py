"""What the planned orders would cost if each had a block of its own: what a plan is measured against. Pure."""

from offers.planning import cost, opened
from offers.planning.afternoon import Afternoon, Plan


def alone_cents(afternoon: Afternoon, plan: Plan) -> int:
    """The plan's orders one to a block, and what it left left all the same: the rest is what sharing saves.

    Orders that were on open blocks before do not count.
    """
    price, numbers = cost.Pricing(afternoon, cost.tables(afternoon)), opened.numbers_of(afternoon)
    cents = opened.waiting_cents(afternoon, plan)
    for block in plan.blocks:
        for code in opened.added(afternoon, block):
            single = price((numbers[code],))
            cents += (
                afternoon.wait_of(afternoon.orders[numbers[code] - 1]) if single is None else single.cents
            )
    return cents
