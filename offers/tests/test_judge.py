from dataclasses import replace

import pytest

from offers.planning import judge, planner
from offers.planning.afternoon import CostLine, LeftOver, LeftReason, Plan
from offers.tests.afternoons import afternoon, drawn, order

CASE = afternoon(
    *(order(n, east=n / 200) for n in range(1, 5)),
    order(5, litres=9999),
)
PLAN = planner.plan(CASE, seconds=10, seed=1, iterations=20, propose=None)
BLOCK = PLAN.blocks[0]


def rules_broken(plan: Plan, **changes: object) -> set[str]:
    return {violation.rule for violation in judge.verdict(replace(CASE, **changes), plan)}


def with_block(**changes: object) -> Plan:
    return replace(PLAN, blocks=(replace(BLOCK, **changes), *PLAN.blocks[1:]))


def test_a_good_plan_passes():
    assert judge.verdict(CASE, PLAN) == ()
    assert len(PLAN.blocks) == 1
    assert [left.order for left in PLAN.left] == ["O5"]


def test_an_order_in_two_blocks_or_left_as_well_is_found():
    twice = replace(PLAN, blocks=(BLOCK, BLOCK))
    left_too = replace(PLAN, left=(*PLAN.left, LeftOver("O1", LeftReason.CHEAPER_TO_WAIT)))
    left_twice = replace(PLAN, left=PLAN.left * 2)

    assert "order_twice" in rules_broken(twice)
    assert "planned_and_left" in rules_broken(left_too)
    assert "left_twice" in rules_broken(left_twice)


def test_a_forgotten_or_unknown_order_is_found():
    assert "order_forgotten" in rules_broken(replace(PLAN, left=()))
    unknown = replace(PLAN, left=(*PLAN.left, LeftOver("X", LeftReason.CHEAPER_TO_WAIT)))
    assert rules_broken(unknown) == {"unknown_order"}


def test_a_block_without_orders_is_found():
    assert "empty_block" in rules_broken(replace(PLAN, blocks=(*PLAN.blocks, replace(BLOCK, stops=()))))


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"litres": 100}, "too_big"),
        ({"grams": 1000}, "too_heavy"),
        ({"max_orders": 3}, "too_many_orders"),
        ({"max_metres": 1000}, "too_far"),
        ({"now": BLOCK.start + 1}, "starts_in_the_past"),
        ({"close": BLOCK.finish - 1}, "back_after_close"),
    ],
)
def test_a_plan_that_the_afternoon_does_not_allow_is_refused(changes, rule):
    assert rule in rules_broken(PLAN, **changes)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"start": BLOCK.start - 60}, "not_ready"),
        ({"start": BLOCK.start + 20_000}, "starts_too_late"),
        ({"depart": BLOCK.depart - 1}, "wrong_departure"),
        ({"length_s": 600}, "length_not_sold"),
        ({"length_s": BLOCK.finish - BLOCK.start - 1}, "too_long"),
        ({"stores": BLOCK.stores[1:]}, "wrong_stores"),
        ({"parcels": 3}, "wrong_load"),
        ({"finish": BLOCK.finish - 1}, "wrong_way"),
        ({"metres": BLOCK.metres - 1}, "wrong_way"),
        ({"lines": (CostLine("pay", 3999), *BLOCK.lines[1:])}, "wrong_price"),
        ({"lines": BLOCK.lines[:2]}, "wrong_price"),
        ({"stops": tuple(reversed(BLOCK.stops))}, "wrong_moment"),
    ],
)
def test_a_block_that_lies_is_found(changes, rule):
    assert rule in rules_broken(with_block(**changes))


def test_an_order_later_than_allowed_is_found():
    late = afternoon(order(1, due=10_800 + 600), defer_cents=9000)
    plan = planner.plan(late, seconds=10, seed=1, iterations=1, propose=None)

    assert judge.verdict(late, plan) == ()
    assert {v.rule for v in judge.verdict(replace(late, late_max_s=1), plan)} == {"too_late"}


def test_a_total_that_is_not_the_sum_is_found():
    assert rules_broken(replace(PLAN, cost_cents=PLAN.cost_cents - 1)) == {"wrong_total"}


def test_the_judge_and_the_planner_agree_on_a_drawn_afternoon():
    case = drawn(30, seed=4)

    assert judge.verdict(case, planner.plan(case, seconds=10, seed=1, iterations=50, propose=None)) == ()
