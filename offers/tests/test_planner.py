import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from itertools import combinations, permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offers.planning import cost, engine, judge, planner, search
from offers.planning.afternoon import LEFT_SENTENCES, LeftReason
from offers.planning.engine import Proposal
from offers.planning.travel import Estimate
from offers.tests.afternoons import MALL, absurd, afternoon, drawn, order
from retaildelivery.lib.geo import Point
from retaildelivery.lib.roads import Curve

ROOT = Path(__file__).resolve().parents[2]


def planned(case, iterations=60, seed=1, propose=None):
    return planner.plan(case, seconds=30, seed=seed, iterations=iterations, propose=propose)


def test_no_orders_make_no_blocks():
    plan = planned(afternoon(), propose=engine.propose)

    assert plan.blocks == plan.left == ()
    assert plan.cost_cents == 0


def test_neighbours_share_a_block():
    plan = planned(afternoon(*(order(n, east=n / 300) for n in range(6))))

    assert [len(block.orders) for block in plan.blocks] == [6]
    assert plan.cost_cents == plan.blocks[0].cost_cents


def test_the_same_seed_and_iterations_give_the_same_plan():
    case = drawn(40, seed=7)

    first, second = planned(case, propose=engine.propose), planned(case, propose=engine.propose)

    assert first == second
    assert first.engine == "pyvrp"
    assert judge.verdict(case, first) == ()


def test_a_plan_is_never_worse_than_the_greedy_one():
    case = drawn(60, seed=3)
    world = search.World(case)
    greedy = planner.total(world, search.greedy(world))

    assert planned(case, iterations=0).cost_cents == greedy
    assert planned(case, iterations=1).cost_cents <= greedy
    assert planned(case, iterations=200).cost_cents < greedy


def test_the_first_plan_of_150_orders_takes_less_than_half_a_second():
    case = drawn(150, seed=1)

    begin = time.process_time()
    world = search.World(case)
    blocks = search.greedy(world)
    took = time.process_time() - begin

    assert sum(len(block) for block in blocks) > 75
    assert took < 0.5


def least_cost(case):
    """The cost of the best plan, by looking at all of them: the first order waits, or is in each block it may."""
    price = cost.block_cost(case, cost.tables(case))

    def least(numbers):
        if not numbers:
            return 0
        first, rest = numbers[0], numbers[1:]
        found = [case.defer_cents + least(rest)]
        for size in range(len(rest) + 1):
            for others in combinations(rest, size):
                ways = [price(way) for way in permutations((first, *others))]
                left = tuple(number for number in rest if number not in others)
                found += [way.cents + least(left) for way in ways if way]
        return min(found)

    return least(tuple(range(1, len(case.orders) + 1)))


@pytest.mark.parametrize("seed", range(12))
def test_a_small_afternoon_is_planned_to_its_optimum(seed):
    case = drawn(5, seed=seed, defer_cents=[3000, 4500, 9000][seed % 3])

    assert planned(case, iterations=150).cost_cents == least_cost(case)


def test_a_time_budget_is_kept():
    case = drawn(60, seed=2)

    begin = time.perf_counter()
    plan = planner.plan(case, seconds=1.6, seed=1)

    assert time.perf_counter() - begin < 1.6 + 2
    assert judge.verdict(case, plan) == ()


def test_three_hundred_orders_to_one_tower_are_planned():
    case = afternoon(*(order(n, due=40_000, litres=10) for n in range(300)))

    plan = planned(case, iterations=20)

    assert judge.verdict(case, plan) == ()
    assert sum(len(block.orders) for block in plan.blocks) == 300
    assert all(len(block.stops) == 1 for block in plan.blocks)


def test_orders_for_one_door_are_one_stop_though_others_are_ready_between_them():
    doors = [order(n, east=n / 100, due=30_000, ready=10_800 + 60 * n) for n in range(5)]
    twin = replace(doors[0], code="twin", ready=10_800 + 240, store="S9")

    plan = planned(afternoon(*doors, twin))

    assert ("O0", "twin") in {tuple(sorted(stop.orders)) for block in plan.blocks for stop in block.stops}


@pytest.mark.parametrize(
    ("changes", "about", "reason"),
    [
        ({"litres": 351}, {}, LeftReason.TOO_BIG),
        ({"grams": 150_001}, {}, LeftReason.TOO_HEAVY),
        ({"due": 2000}, {}, LeftReason.NOT_READY),
        ({"due": 2000, "ready": 0}, {"now": 9000}, LeftReason.TOO_LATE),
        ({"due": 2000}, {"now": 9000}, LeftReason.TOO_LATE),
        ({"north": 3.0, "due": 90_000}, {"close": 99_000}, LeftReason.TOO_FAR),
        ({}, {"max_metres": 5000}, LeftReason.TOO_FAR),
        ({"ready": 42_000, "due": 50_000}, {}, LeftReason.CLOSES_FIRST),
        ({"early": 39_000, "due": 40_000}, {}, LeftReason.OPENS_LATER),
        ({}, {"defer_cents": 4000}, LeftReason.CHEAPER_TO_WAIT),
    ],
)
def test_an_order_left_has_a_reason_that_can_be_said(changes, about, reason):
    about = {"defer_cents": 9000, **about}
    case = afternoon(order(1, **changes), **about)

    plan = planned(case)

    assert plan.blocks == ()
    assert [left.reason for left in plan.left] == [reason]
    assert "%" not in LEFT_SENTENCES[reason] % dict(plan.left[0].params)
    assert plan.cost_cents == case.defer_cents


def test_what_waiting_saves_is_told():
    (left,) = planned(afternoon(order(1))).left

    assert dict(left.params) == {"cents": 4374, "wait": 3000}


def test_every_reason_has_a_sentence():
    assert set(LEFT_SENTENCES) == set(LeftReason)


@pytest.mark.parametrize("iterations", [8, 400])
def test_time_saved_at_a_shared_door_does_not_make_the_first_parcel_there_punctual(iterations):
    """The second to arrive at a door is quick there, but the first has been served before."""
    at_the_mall = [
        order(1, north=0, store="S1", ready=0, early=0, due=595),
        order(2, north=0, store="S0", ready=0, early=0, due=520),
    ]
    case = afternoon(*at_the_mall, late_max_s=0, late_cents_min=0, start_slack_s=0)

    plan = planned(case, iterations=iterations)

    assert judge.verdict(case, plan) == ()


@given(absurd())
@settings(max_examples=80, deadline=None)
def test_the_judge_accepts_every_plan_of_any_afternoon(case):
    plan = planned(case, iterations=8)

    assert judge.verdict(case, plan) == ()


@given(absurd(), st.lists(st.lists(st.integers(-2, 14), max_size=5).map(tuple), max_size=5).map(tuple))
@settings(max_examples=60, deadline=None)
def test_nonsense_from_the_engine_does_no_harm(case, routes):
    plan = planned(case, iterations=4, propose=lambda *_a, **_k: Proposal(routes))

    assert judge.verdict(case, plan) == ()
    assert plan.cost_cents <= planned(case, iterations=0).cost_cents


@given(absurd(most=5))
@settings(max_examples=3, deadline=None)
def test_the_engine_survives_absurd_afternoons(case):
    plan = planned(case, iterations=10, propose=engine.propose)

    assert judge.verdict(case, plan) == ()


def test_an_engine_that_never_answers_is_killed_and_the_plan_stands(monkeypatch):
    monkeypatch.setattr(engine, "CHILD", "offers.tests.engine_that_hangs")
    monkeypatch.setattr(engine, "GRACE_S", 0.2)
    case = drawn(20, seed=5)

    begin = time.perf_counter()
    plan = planner.plan(case, seconds=3, seed=1)
    took = time.perf_counter() - begin

    assert plan.notes == ("engine_timed_out",)
    assert plan.engine == "greedy"
    assert judge.verdict(case, plan) == ()
    assert took < 3 + 2


def test_an_engine_that_is_not_there_is_told_and_the_plan_stands(monkeypatch):
    monkeypatch.setattr(engine, "CHILD", "offers.planning.no_such_engine")
    case = drawn(20, seed=5)

    plan = planned(case, propose=engine.propose)

    assert plan.notes == ("engine_failed",)
    assert judge.verdict(case, plan) == ()


def test_a_lost_engine_is_ended_by_the_kernel():
    script = "from offers.planning import engine_child\nengine_child.bound_cpu(0.1)\nwhile True: pass"

    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False, timeout=60)

    assert done.returncode in {-signal.SIGKILL, -signal.SIGXCPU}


def test_the_engine_may_be_asked_from_a_thread():
    answers = []
    case = drawn(15, seed=6)

    thread = threading.Thread(
        target=lambda: answers.append(engine.propose(case, seconds=30, seed=1, iterations=20))
    )
    thread.start()
    thread.join(timeout=40)

    assert answers[0].trouble is None
    assert sorted(i for route in answers[0].routes for i in route) == list(range(1, 16))


def test_the_engine_may_be_asked_from_a_daemonic_process():
    script = (
        "import json, multiprocessing as m, sys\n"
        "from offers.planning import engine\n"
        "from offers.tests.afternoons import drawn\n"
        "def work(pipe):\n"
        "    pipe.send(engine.propose(drawn(10, seed=6), seconds=30, seed=1, iterations=10).trouble)\n"
        "here, there = m.Pipe()\n"
        "process = m.get_context('fork').Process(target=work, args=(there,), daemon=True)\n"
        "process.start()\n"
        "print(json.dumps(here.recv()))\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT, capture_output=True, check=True, timeout=60, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip

    assert json.loads(done.stdout) is None


def test_the_estimate_is_the_fitted_curve_and_rush_hour_stretches_it():
    far = Point(MALL.lat + 0.1, MALL.lng)
    factors = (1.0,) * 17 + (1.5,) + (1.0,) * 6

    calm = Estimate(Curve(factors=factors)).matrix([MALL, far, far], hour=12)
    rush = Estimate(Curve(factors=factors)).matrix([MALL, far, far], hour=17)

    assert calm.seconds == ((0, 1088, 1088), (1088, 0, 0), (1088, 0, 0))
    assert calm.metres == ((0, 15567, 15567), (15567, 0, 0), (15567, 0, 0))
    assert rush.seconds[0][1] == 1631
    assert rush.metres == calm.metres
    assert calm.source == "estimate"


@pytest.mark.parametrize("factors", [(1.0,) * 23, (1.0,) * 23 + (0.0,)])
def test_an_estimate_needs_a_factor_for_each_hour(factors):
    with pytest.raises(ValueError, match="24 factors"):
        Estimate(Curve(factors=factors))
