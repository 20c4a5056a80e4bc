"""Some orders must not wait, whatever it costs to take them now; the others still may. Plain Python.

The planner knows one price of waiting. So a wave with urgent orders is planned as if nothing might wait, and then
every order that is not urgent and costs more than its waiting is taken off again, by the exact cost.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from offers.planning import cost, reasons
from offers.planning.afternoon import Afternoon, Plan

# More than any block costs: only what is impossible is left.
MUST_CENTS = 100_000


def nothing_waits(afternoon: Afternoon) -> Afternoon:
    """The same afternoon where leaving an order costs more than any block."""
    return replace(afternoon, defer_cents=MUST_CENTS)


def trim(afternoon: Afternoon, plan: Plan, urgent: Collection[str]) -> Plan:
    """The plan under the afternoon's own price of waiting, without what is not worth taking along.

    `plan` was made for `nothing_waits(afternoon)`. Blocks with urgent orders keep those.
    """
    tab = cost.tables(afternoon)
    price = cost.block_cost(afternoon, tab)
    numbers = {order.code: number for number, order in enumerate(afternoon.orders, 1)}
    must = {numbers[code] for code in urgent}
    trimmed = [
        _trim([numbers[code] for code in block.orders], must, price, afternoon.defer_cents)
        for block in plan.blocks
    ]
    kept = [block for block in trimmed if block]
    blocks = []
    for block in kept:
        costed = price(block)
        assert costed is not None, "What is kept was priced."
        blocks.append(cost.schedule(afternoon, tab, block, costed))
    taken = {number for block in kept for number in block}
    left = tuple(
        reasons.left_over(afternoon, number, kept)
        for number in sorted(numbers.values(), key=lambda number: afternoon.orders[number - 1].code)
        if number not in taken
    )
    return replace(
        plan,
        blocks=tuple(sorted(blocks, key=lambda block: (block.start, block.orders))),
        left=left,
        cost_cents=sum(block.cost_cents for block in blocks) + len(left) * afternoon.defer_cents,
    )


def _trim(block: Sequence[int], must: set[int], price: cost.BlockCost, defer_cents: int) -> tuple[int, ...]:
    """The block without the orders whose taking off saves more than their waiting costs, the dearest first."""
    kept = tuple(block)
    while True:
        best, saves = kept, defer_cents
        for number in kept:
            rest = tuple(other for other in kept if other != number)
            saved = _saved(kept, rest, price)
            if number not in must and saved > saves:
                best, saves = rest, saved
        if best == kept:
            break
        kept = best
    alone = price(kept) if kept else None
    if alone is not None and not must.intersection(kept) and alone.cents > defer_cents * len(kept):
        return ()
    return kept


def _saved(block: tuple[int, ...], rest: tuple[int, ...], price: cost.BlockCost) -> int:
    """What the block costs less without the rest of it; nothing when the rest could not go alone."""
    whole, part = price(block), price(rest) if rest else None
    assert whole is not None, "A planned block is legal."
    if rest and part is None:
        return 0
    return whole.cents - (part.cents if part else 0)
