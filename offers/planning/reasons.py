"""Why an order is in no block, in the first words that are true of it alone and then of the plan."""

from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from offers.planning import cost
from offers.planning.afternoon import Afternoon, LeftOver, LeftReason
from offers.planning.numbered import Route

MINUTE_S = 60
# Places tried for all that is left, to say what taking it would cost; beyond, only a block of its own is.
MOST_TRIES = 60_000


def left_over(afternoon: Afternoon, number: int, blocks: Iterable[Sequence[int]]) -> LeftOver:
    """Why order `number` (from 1) is in none of the blocks of the finished plan."""
    return left_overs(afternoon, [number], blocks)[0]


def left_overs(
    afternoon: Afternoon,
    numbers: Iterable[int],
    blocks: Iterable[Sequence[int]],
    routes: Sequence[Route] | None = None,
) -> tuple[LeftOver, ...]:
    """The same for several orders of one plan; `routes` say more of its blocks where there are several kinds."""
    tab, waiting = cost.tables(afternoon), tuple(numbers)
    kept = tuple(blocks) if afternoon.plain or routes is None else ()
    if sum(len(block) + 1 for block in kept) * len(waiting) > MOST_TRIES:
        kept = ()
    price: cost.BlockCost = (
        cost.block_cost(afternoon, tab) if afternoon.plain else cost.Pricing(afternoon, tab)
    )
    spoken_for = Counter(route.car for route in routes or () if route.opened < 0)
    full = {
        car
        for car, size in enumerate(afternoon.sizes)
        if size.count is not None and spoken_for[car] >= size.count
    }
    return tuple(_why(afternoon, tab, price, number, kept, full) for number in waiting)


def _why(
    afternoon: Afternoon,
    tab: cost.Tables,
    price: cost.BlockCost,
    number: int,
    blocks: Sequence[Sequence[int]],
    full: AbstractSet[int],
) -> LeftOver:
    order, sizes = afternoon.orders[number - 1], afternoon.sizes
    if all(order.litres > size.litres for size in sizes):
        most = max(size.litres for size in sizes)
        return _because(order.code, LeftReason.TOO_BIG, litres=order.litres, limit=most)
    if all(order.litres > size.litres or order.grams > size.grams for size in sizes):
        most = max(size.grams for size in sizes)
        return _because(order.code, LeftReason.TOO_HEAVY, grams=order.grams, limit=most)
    if price((number,)) is None:
        return _impossible(afternoon, tab, number)
    fits = {
        car for car, size in enumerate(sizes) if order.litres <= size.litres and order.grams <= size.grams
    }
    if fits <= full:
        return _because(order.code, LeftReason.NO_CAR_LEFT)
    return _because(
        order.code,
        LeftReason.CHEAPER_TO_WAIT,
        cents=cheapest(price, number, blocks),
        wait=afternoon.wait_of(order),
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
    shut = tab.ready[number] + loading - tab.shut[number]
    if shut > 0:
        return _because(order.code, LeftReason.STORE_SHUTS, minutes=-(-shut // MINUTE_S))
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
    possible = cost.Pricing(roomy, tab)((number,))
    return _because(order.code, LeftReason.OPENS_LATER if possible else LeftReason.TOO_FAR)
