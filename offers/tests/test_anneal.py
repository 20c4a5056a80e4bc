from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from offers.planning import anneal, compiling, cost, judge, kernel, planner
from offers.planning.afternoon import CarClass, LeftReason, OpenBlock
from offers.planning.numbered import Route, one_by_one
from offers.tests.afternoons import absurd, afternoon, drawn, order

KINDS = ("", "food", "paint")


def planned(case, iterations=200, seed=1):
    return planner.plan(case, seconds=30, seed=seed, iterations=iterations, propose=None)


@st.composite
def rich(draw):
    """An absurd afternoon with cars, open blocks, kinds, shutting hours and orders that may not wait."""
    case = draw(absurd(most=8))
    orders = tuple(
        replace(
            each,
            kind=draw(st.sampled_from(KINDS)),
            may_wait=draw(st.booleans()),
            wait_cents=draw(st.none() | st.integers(0, 9000)),
        )
        for each in case.orders
    )
    codes = [each.code for each in orders]
    split, start = draw(st.integers(0, min(3, len(codes)))), draw(st.integers(0, 40_000))
    opened = (
        OpenBlock(
            "B1",
            start,
            7200,
            tuple(codes[:split]),
            200,
            90_000,
            "",
            draw(st.sampled_from([None, start + 600])),
            draw(st.sampled_from([(), (1,)])) if split > 1 else (),
        ),
        OpenBlock("B2", draw(st.integers(0, 40_000)), 10_800, (), 350, 150_000, "van"),
    )
    return replace(
        case,
        orders=orders,
        cars=draw(
            st.sampled_from([(), (CarClass("car", 60, 40_000, 0, 2), CarClass("van", 900, 300_000, 500))])
        ),
        open_blocks=draw(st.sampled_from([(), opened])),
        max_trips=draw(st.sampled_from([1, 1, 3])),
        apart=draw(st.sampled_from([(), (("food", "paint"),), (("paint", "paint"), ("", "food"))])),
        one_visit=draw(st.booleans()),
        shuts=draw(st.sampled_from([(), (("S0", 20_000), ("S1", 40_000))])),
    )


@given(absurd(), st.randoms(use_true_random=False), st.sampled_from([1, 3]))
@settings(max_examples=100, deadline=None)
def test_the_compiled_cost_of_any_block_is_the_plain_one_to_the_cent(case, random, trips):
    assume(case.orders)
    case = replace(case, max_trips=trips)
    tab = cost.tables(case)
    search, plain, old = anneal.Annealing(case, tab), cost.Pricing(case, tab), cost.block_cost(case, tab)

    for _ in range(20):
        seq = random.sample(range(1, len(case.orders) + 1), random.randint(1, len(case.orders)))
        if trips > 1 and len(seq) > 1 and random.random() < 0.5:
            seq.insert(random.randint(1, len(seq) - 1), 0)
        array = anneal.flat_of([Route(tuple(seq))])[3:]
        cents = kernel.price(search.world, search.state, array, len(seq), 0, -1)
        told = plain(seq)

        assert (told.cents if told else kernel.INFINITE) == cents
        assert 0 in seq or old(seq) == told


@given(rich())
@settings(max_examples=120, deadline=None)
def test_the_judge_accepts_every_plan_of_the_richest_afternoon(case):
    plan = planned(case, iterations=60)

    assert judge.verdict(case, plan) == ()


@given(rich())
@settings(max_examples=40, deadline=None)
def test_the_judge_accepts_the_plan_made_without_a_compiler(case):
    compiling_was, compiling.AVAILABLE = compiling.AVAILABLE, False
    try:
        plan = planned(replace(case, one_visit=False), iterations=5)
    finally:
        compiling.AVAILABLE = compiling_was

    assert judge.verdict(replace(case, one_visit=False), plan) == ()


def test_without_a_compiler_a_plain_afternoon_is_planned_by_plain_python(monkeypatch):
    monkeypatch.setattr(compiling, "AVAILABLE", False)
    case = drawn(30, seed=3)

    plan = planned(case, iterations=20)

    assert judge.verdict(case, plan) == ()
    assert plan.rounds == 20


def test_the_compiled_search_repeats_itself_for_a_seed():
    case = drawn(40, seed=2)

    assert planned(case, 3000) == planned(case, 3000)


def test_a_block_with_room_is_filled_before_one_is_paid_for():
    held, more = order(1), [order(n, east=n / 400) for n in range(2, 5)]
    case = afternoon(held, *more, open_blocks=(OpenBlock("B", 10_800, 7200, ("O1",), 350, 150_000),))

    plan = planned(case)

    assert [(block.opened, sorted(block.orders)) for block in plan.blocks] == [
        ("B", ["O1", "O2", "O3", "O4"])
    ]
    assert plan.blocks[0].lines[0].cents == 0


def test_what_a_block_held_is_never_taken_out_though_it_is_late():
    case = afternoon(
        order(1, due=0), order(2), open_blocks=(OpenBlock("B", 10_800, 7200, ("O1",), 10, 10, ""),)
    )

    (block,) = (block for block in planned(case).blocks if block.opened)

    assert block.orders == ("O1",)
    assert block.late_s > case.late_max_s


def test_what_a_block_held_is_kept_on_time_though_it_would_be_cheaper_late():
    held = order(1, north=0.05, due=10_800 + 1500)
    room = OpenBlock("B", 10_800, 7200, ("O1",), 350, 150_000)
    on_the_way = order(2, north=0.04, east=0.01, parcels=3)
    alone = afternoon(held, open_blocks=(room,))
    case = afternoon(held, on_the_way, open_blocks=(room,), defer_cents=9000)

    (block,) = planned(case).blocks

    assert planned(alone).blocks[0].late_s == block.late_s == 0
    assert block.orders == ("O1", "O2")


def test_a_block_that_is_there_takes_what_is_packed_before_a_new_one_could_start():
    """`now` has the time in it that finding a driver takes; an open block has its driver."""
    room = OpenBlock("B", 12_000, 7200, (), 350, 150_000)

    (block,) = planned(afternoon(order(1), now=20_000, open_blocks=(room,))).blocks

    assert (block.opened, block.start) == ("B", 12_000)


@pytest.mark.parametrize(("ready", "start"), [(12_000, 12_000), (12_600, 12_600), (12_601, None)])
def test_an_order_packed_soon_after_an_open_block_starts_may_be_waited_for(ready, start):
    room = OpenBlock("B", 12_000, 7200, (), 350, 150_000, ready_by=12_600)
    plan = planned(afternoon(order(1, ready=ready, due=40_000), open_blocks=(room,), defer_cents=1000))

    (block,) = plan.blocks

    assert (block.start if block.orders else None) == start


def test_a_large_order_gets_the_larger_car_and_the_others_the_cheap_one():
    cars = (CarClass("car", 250, 50_000), CarClass("van", 600, 500_000, extra_cents=1500))
    case = afternoon(
        order(1, litres=550), order(2, litres=60), order(3, litres=60), cars=cars, defer_cents=9000
    )

    plan = planned(case)

    assert {tuple(sorted(block.orders)): block.car for block in plan.blocks} == {
        ("O1",): "van",
        ("O2", "O3"): "car",
    }
    assert judge.verdict(case, plan) == ()


def test_when_the_only_van_is_spoken_for_the_other_large_order_is_told_so():
    cars = (CarClass("car", 100, 50_000), CarClass("van", 600, 500_000, 0, 1))
    case = afternoon(order(1, litres=500), order(2, litres=500), cars=cars, defer_cents=9000)

    plan = planned(case)

    assert len(plan.blocks) == 1
    assert [left.reason for left in plan.left] == [LeftReason.NO_CAR_LEFT]


def test_food_and_paint_do_not_ride_together():
    case = afternoon(
        order(1, kind="food"), order(2, kind="paint"), apart=(("paint", "food"),), defer_cents=9000
    )

    assert [len(block.orders) for block in planned(case).blocks] == [1, 1]


def test_a_car_too_small_for_all_comes_back_and_loads_again_within_its_hours():
    case = afternoon(*(order(n, litres=100, due=30_000) for n in range(4)), litres=200, max_trips=2)

    (block,) = planned(case).blocks

    assert [reload.after for reload in block.reloads] == [2]
    assert judge.verdict(case, planned(case)) == ()


def test_a_late_order_joins_the_trip_of_an_open_block_that_has_room_for_it():
    held = [order(1, litres=180, due=40_000), order(2, litres=40, due=40_000)]
    room = OpenBlock("B", 10_800, 10_800, ("O1", "O2"), 200, 150_000, reloads=(1,))
    late = order(3, litres=150, ready=12_000, due=40_000, wait_cents=9000)
    case = afternoon(*held, late, open_blocks=(room,), defer_cents=9000)

    plan = planned(case)

    (block,) = plan.blocks
    assert (block.opened, block.orders[0], [reload.after for reload in block.reloads]) == ("B", "O1", [1])
    assert set(block.trips[1].orders) == {"O2", "O3"}
    assert judge.verdict(case, plan) == ()


def test_an_order_that_fits_no_trip_of_an_open_block_is_not_put_into_it():
    held = [order(1, litres=180, due=40_000), order(2, litres=40, due=40_000)]
    room = OpenBlock("B", 10_800, 10_800, ("O1", "O2"), 200, 150_000, reloads=(1,))
    case = afternoon(
        *held, order(3, litres=170, due=40_000), litres=200, open_blocks=(room,), defer_cents=9000
    )

    plan = planned(case)

    assert {block.opened: set(block.orders) for block in plan.blocks} == {"B": {"O1", "O2"}, "": {"O3"}}


def test_the_judge_finds_an_order_that_was_moved_from_one_trip_of_an_open_block_to_another():
    held = [order(1, litres=50, due=40_000), order(2, litres=40, due=40_000)]
    room = OpenBlock("B", 10_800, 10_800, ("O1", "O2"), 200, 150_000, reloads=(1,))
    case = afternoon(*held, open_blocks=(room,))
    once = afternoon(*held, open_blocks=(replace(room, reloads=()),))

    broken = judge.verdict(case, planned(once))

    assert "open_block_changed" in {violation.rule for violation in broken}


def test_an_order_that_may_not_wait_is_taken_whatever_it_costs():
    case = afternoon(order(1, may_wait=False), order(2, north=-0.4, wait_cents=100))

    plan = planned(case)

    assert [block.orders for block in plan.blocks] == [("O1",)]
    assert plan.cost_cents == plan.blocks[0].cost_cents + 100


def test_a_store_that_shuts_too_soon_is_the_reason():
    case = afternoon(order(1), shuts=(("S1", 10_800),))

    (left,) = planned(case).left

    assert (left.reason, dict(left.params)) == (LeftReason.STORE_SHUTS, {"minutes": 5})


@pytest.mark.parametrize("seed", range(3))
def test_orders_for_one_door_come_in_one_visit(seed):
    case = drawn(12, seed=seed, defer_cents=9000)
    twins = tuple(replace(each, code=f"{each.code}b", store="S0", litres=1) for each in case.orders[:6])
    case = afternoon(*case.orders, *twins, one_visit=True, defer_cents=9000)

    plan = planned(case, iterations=400)

    assert judge.verdict(case, plan) == ()


def test_order_by_order_is_a_legal_plan():
    case = drawn(20, seed=4)
    tab = cost.tables(case)

    routes = one_by_one(case, tab, (), until=float("inf"))

    assert all(cost.Pricing(case, tab)(route.seq) for route in routes)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda block: replace(block, opened="X"), "open_blocks_changed"),
        (lambda block: replace(block, start=block.start + 60), "open_block_moved"),
        (lambda block: replace(block, car="lorry", opened=""), "too_big"),
    ],
)
def test_the_judge_refuses_a_claimed_block_that_was_changed(change, rule):
    case = afternoon(order(1), order(2), open_blocks=(OpenBlock("B", 10_800, 7200, ("O1",), 350, 150_000),))
    plan = planned(case)
    changed = replace(plan, blocks=tuple(change(block) for block in plan.blocks))

    assert judge.verdict(case, plan) == ()
    assert rule in {violation.rule for violation in judge.verdict(case, changed)}
