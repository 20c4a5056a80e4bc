from collections.abc import Sequence
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offers.planning import cost
from offers.planning.afternoon import Afternoon, BlockLength, CostLine, Dwell
from offers.tests.afternoons import absurd, afternoon, drawn, order


def priced(case: Afternoon, block: Sequence[int]) -> cost.Costed | None:
    return cost.block_cost(case, cost.tables(case))(block)


def by_trying_every_minute(case: Afternoon, block: Sequence[int]) -> int | None:
    """The same cost, worked out the plain way: each start minute, each stop, the cheapest of all."""
    orders = [case.orders[i - 1] for i in block]
    dwell = case.dwell
    load = dwell.store_s * len({o.store for o in orders}) + dwell.load_parcel_s * sum(
        o.parcels for o in orders
    )
    way = [0, *block, 0]
    metres = sum(case.metres[a][b] for a, b in pairwise(way))
    ready = max(case.now, *(o.ready for o in orders))
    found = []
    for start in range(ready, ready + case.start_slack_s + 1, 60):
        now, late, at, door, worst = start + load, 0, 0, None, 0
        for i, each in zip(block, orders, strict=True):
            now = max(now + case.seconds[at][i], each.early)
            late += max(0, now - each.due)
            worst = max(worst, now - each.due)
            here = each.point.rounded()
            now += (dwell.same_door_s if here == door else dwell.stop_s) + dwell.stop_parcel_s * each.parcels
            at, door = i, here
        now += case.seconds[at][0]
        fitting = [length.pay_cents for length in case.lengths if now - start <= length.length_s]
        if fitting and worst <= case.late_max_s and now <= case.close:
            travel = round(metres / 1000 * case.km_cents)
            found.append(fitting[0] + travel + round(late / 60 * case.late_cents_min))
    full = (
        sum(o.litres for o in orders) > case.litres
        or sum(o.grams for o in orders) > case.grams
        or len(orders) > (case.max_orders or len(orders))
        or metres > (case.max_metres or metres)
    )
    return None if full else min(found, default=None)


def test_one_order_near_by_costs_two_hours_and_its_kilometres():
    costed = priced(afternoon(order(1)), [1])

    assert costed is not None
    assert costed.metres == 2 * 4670
    assert costed.cents == 4000 + round(9.34 * 40)
    assert costed.start == 10_800
    assert costed.late_s == 0


def test_a_late_minute_costs_its_price_and_too_late_is_not_legal():
    due = 10_800 + 600
    costed = priced(afternoon(order(1, due=due)), [1])

    assert costed is not None
    assert costed.late_s == 240 + 20 + round(60 * 3.2 * 3.3358**0.72) - 600
    assert costed.cents == 4000 + 374 + round(costed.late_s / 60 * 50)
    assert priced(afternoon(order(1, due=due), late_max_s=60), [1]) is None


def test_a_car_that_would_wait_for_a_promise_to_open_starts_later():
    costed = priced(afternoon(order(1, early=10_800 + 3 * 3600, due=40_000)), [1])

    assert costed is not None
    assert costed.length == 0
    assert costed.start > costed.earliest
    assert costed.start % 60 == 0


def test_a_block_longer_than_its_first_length_pays_the_next():
    case = afternoon(order(1, north=0.3, due=40_000), order(2, north=-0.3, due=40_000))

    costed = priced(case, [1, 2])

    assert costed is not None
    assert case.lengths[costed.length] == BlockLength(3 * 3600, 6000)


@pytest.mark.parametrize(
    "changes",
    [{"litres": 59}, {"grams": 7999}, {"max_orders": 1}, {"max_metres": 9000}, {"close": 12_000}],
)
def test_what_no_car_or_law_allows_is_not_legal(changes):
    case = afternoon(order(1), order(2), **changes)

    assert priced(afternoon(order(1), order(2)), [1, 2]) is not None
    assert priced(case, [1, 2]) is None


def test_a_second_order_for_a_door_takes_less_time_there_and_one_stop():
    near, same, other = order(1), order(2), order(3, north=-0.03)
    case = afternoon(near, same, other, dwell=Dwell(same_door_s=30))
    costed = priced(case, [1, 2, 3])
    assert costed is not None

    block = cost.schedule(case, cost.tables(case), [1, 2, 3], costed)

    assert [stop.orders for stop in block.stops] == [("O1", "O2"), ("O3",)]
    first = block.stops[0]
    assert first.leave - first.serve == 120 + 45 + 30 + 45
    assert block.orders == ("O1", "O2", "O3")
    assert block.stores == ("S1", "S2", "S3")
    assert block.depart == block.start + 3 * 240 + 3 * 20
    assert block.finish - block.start <= block.length_s
    assert block.lines == (CostLine("pay", 4000), CostLine("travel", 747), CostLine("lateness", 0))
    assert block.cost_cents == costed.cents


@given(st.integers(0, 10**6), st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_the_cost_is_that_of_trying_every_minute(seed, size):
    case = drawn(12, seed)
    block = Random(seed).sample(range(1, 13), size)

    costed = priced(case, block)

    assert (costed and costed.cents) == by_trying_every_minute(case, block)


@given(absurd(most=4).filter(lambda case: case.orders))
@settings(max_examples=60, deadline=None)
def test_the_cost_is_that_of_trying_every_minute_for_absurd_afternoons_too(case):
    block = list(range(1, len(case.orders) + 1))

    costed = priced(case, block)

    assert (costed and costed.cents) == by_trying_every_minute(case, block)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seconds": ((0,),)}, "2 by 2"),
        ({"metres": ((0, -1), (1, 0))}, "negative"),
        ({"lengths": ()}, "lengths"),
        ({"lengths": (BlockLength(7200, 4000), BlockLength(3600, 4000))}, "short to long"),
        ({"orders": (order(1), order(1)), "seconds": ((0,) * 3,) * 3, "metres": ((0,) * 3,) * 3}, "twice"),
    ],
)
def test_an_afternoon_that_does_not_fit_together_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        afternoon(order(1), **changes)
