"""Why an order is in no block, in the first words that are true of it alone and then of the plan."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from offers.planning import cost
from offers.planning.afternoon import Afternoon, LeftOver, LeftReason

MINUTE_S = 60


def left_over(afternoon: Afternoon, number: int, blocks: Iterable[Sequence[int]]) -> LeftOver:
    """Why order `number` (from 1) is in none of the blocks of the finished plan."""
    return left_overs(afternoon, [number], blocks)[0]


def left_overs(
    afternoon: Afternoon, numbers: Iterable[int], blocks: Iterable[Sequence[int]]
) -> tuple[LeftOver, ...]:
    """The same for several orders of one plan."""
    tab = cost.tables(afternoon)
    price = cost.block_cost(afternoon, tab)
    kept = tuple(blocks)
    return tuple(_why(afternoon, tab, price, number, kept) for number in numbers)


def _why(
    afternoon: Afternoon,
    tab: cost.Tables,
    price: cost.BlockCost,
    number: int,
    blocks: Sequence[Sequence[int]],
) -> LeftOver:
    order = afternoon.orders[number - 1]
    if order.litres > afternoon.litres:
        return _because(order.code, LeftReason.TOO_BIG, litres=order.litres, limit=afternoon.litres)
    if order.grams > afternoon.grams:
        return _because(order.code, LeftReason.TOO_HEAVY, grams=order.grams, limit=afternoon.grams)
    if price((number,)) is None:
        return _impossible(afternoon, tab, number)
    return _because(
        order.code,
        LeftReason.CHEAPER_TO_WAIT,
        cents=cheapest(price, number, blocks),
        wait=afternoon.defer_cents,
    )


def cheapest(price: cost.BlockCost, number: int, blocks: Iterable[Sequence[int]]) -> int:
    """What taking the order along would add to the plan: in a block of its own, or in one that is there."""
    alone = price((number,))
    assert alone is not None
    found = alone.cents
    for block in blocks:
        now = price(block)
        assert now is not None
        for place in range(len(block) + 1):
            then = price((*block[:place], number, *block[place:]))
            if then is not None:
                found = min(found, then.cents - now.cents)
    return found


def _because(code: str, reason: LeftReason, **params: int) -> LeftOver:
    return LeftOver(code, reason, tuple(sorted(params.items())))


def _impossible(afternoon: Afternoon, tab: cost.Tables, number: int) -> LeftOver:
    """For an order which no block can hold even alone, though a car can."""
    order, dwell = afternoon.orders[number - 1], afternoon.dwell
    way = tab.seconds[0][number]
    loading = dwell.store_s + tab.load[number]
    work = loading + way + tab.service[0][number] + tab.seconds[number][0]
    too_far = afternoon.max_metres is not None and tab.metres[0][number] * 2 > afternoon.max_metres
    if too_far or work > afternoon.lengths[-1].length_s:
        return _because(order.code, LeftReason.TOO_FAR)
    late = tab.ready[number] + loading + way - order.due - afternoon.late_max_s
    if late > 0:
        minutes = -(-(late + afternoon.late_max_s) // MINUTE_S)
        if late - (tab.ready[number] - afternoon.now) > 0:
            by_now = -(-(afternoon.now + loading + way - order.due) // MINUTE_S)
            return _because(order.code, LeftReason.TOO_LATE, minutes=by_now)
        return _because(order.code, LeftReason.NOT_READY, minutes=minutes)
    serve = max(tab.ready[number] + loading + way, order.early)
    back = serve + tab.service[0][number] + tab.seconds[number][0]
    if back > afternoon.close:
        minutes = -(-(back - afternoon.close) // MINUTE_S)
        return _because(order.code, LeftReason.CLOSES_FIRST, minutes=minutes)
    # An afternoon without any slack of start has just been ruled out by every other test.
    roomy = replace(afternoon, start_slack_s=cost.NO_LIMIT)
    possible = cost.block_cost(roomy, tab)((number,))
    return _because(order.code, LeftReason.OPENS_LATER if possible else LeftReason.TOO_FAR)
