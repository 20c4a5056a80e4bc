"""When the planner runs, what it is given, and what becomes of its plan."""

import datetime as dt

import pytest

from deliveries.models import Order, Stop
from deliveries.posting import cancel
from offers import limits, tasks
from offers.models import Block, PlanRun
from offers.planning import inputs, planner, publish, waves
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE
from retaildelivery.lib.geo import Point
from retaildelivery.outbox.recording import SYSTEM

pytestmark = pytest.mark.django_db

SECOND = dt.timedelta(seconds=1)
NEAR = [Point(36.150 + n / 400, -115.200 - n / 500) for n in range(12)]
SOON = (AT, AT + 65 * MINUTE)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """A tenth of a second each: these tests are about what happens with a plan, not how good it is."""
    monkeypatch.setattr(limits, "PLAN_SECONDS", 0.2)


@pytest.fixture
def mall():
    return making.mall()


@pytest.fixture
def store(mall):
    return making.store(mall)


def posted(store, count=4, **options):
    return [making.order(store, point=NEAR[n], **options) for n in range(count)]


def run(at=AT + MINUTE, **options):
    return waves.run(mall_code="fashion-show", at=at, **options)


def test_orders_posted_together_become_one_offered_block(store, mall):
    other = making.store(mall, "Quill & Co")
    orders = [*posted(store, 3), making.order(other, point=NEAR[3])]

    made = run()

    block = Block.objects.get()
    assert (made.orders_seen, made.orders_planned, made.blocks_made, made.left) == (4, 4, 1, [])
    assert made.ended_at == AT + MINUTE
    assert (block.status, block.origin, block.shift_kind) == ("offered", "planned", "short_notice")
    assert (block.orders_count, block.parcels_count, block.stores_count, block.doors_count) == (4, 4, 2, 4)
    assert (block.litres, block.grams, block.vehicle_kind) == (48, 4_000, "sedan")
    assert block.distance_m > 10_000
    assert {order.status for order in Order.objects.all()} == {"planned"}
    offer = making.offer_of(block)
    assert (offer.hourly_cents, offer.opens_at) == (2200, AT + MINUTE)
    assert offer.pay_cents == round(2200 * (block.length / HOUR))
    stops = list(Stop.objects.filter(manifest=block.manifest_id).order_by("position"))
    assert [stop.kind for stop in stops] == ["pickup", "pickup", *["dropoff"] * 4]
    assert [stop.planned_at for stop in stops] == sorted(stop.planned_at for stop in stops)
    assert stops[0].planned_at >= block.starts_at
    assert {stop.address for stop in stops[2:]} == {order.address for order in orders}
    assert len(making.facts_named("plan.ran")) == 1


def test_a_block_of_packed_orders_can_be_checked_in_to_at_once(store):
    posted(store)

    run(at=AT + MINUTE)

    start = Block.objects.get().starts_at
    assert (start - AT) == 15 * MINUTE
    assert start - (AT + MINUTE) <= limits.CHECK_IN_BEFORE
    assert making.offer_of(Block.objects.get()).closes_at - (AT + MINUTE) >= limits.LADDER_LEAST


def test_a_block_waits_for_the_last_of_its_orders_to_be_ready(store):
    posted(store, ready=AT + 43 * MINUTE)

    run()

    assert Block.objects.get().starts_at >= AT + 45 * MINUTE


def test_an_order_for_tomorrow_is_left_out_of_sight(store):
    posted(store, window=(AT + 20 * HOUR, AT + 22 * HOUR))

    assert (run().orders_seen, Block.objects.count()) == (0, 0)


def test_a_lone_order_with_time_waits_for_company_and_the_run_says_why(store):
    order = making.order(store)

    made = run()

    assert Block.objects.count() == 0
    assert [(each["order"], each["reason"]) for each in made.left] == [(order.code, "cheaper_to_wait")]
    assert made.left[0]["text"].startswith("Taking it now would cost ")


def test_a_packed_order_that_waited_long_enough_goes_alone(store):
    order = making.order(store)
    then = order.placed_at + limits.COMPANY_WAIT

    early = run(at=then - dt.timedelta(seconds=1))
    late = run(at=then)

    order.refresh_from_db()
    assert (early.orders_planned, late.orders_planned) == (0, 1)
    assert order.status == "planned"


def test_a_lone_order_whose_promise_comes_near_goes_now(store):
    order = making.order(store, window=SOON)

    made = run()

    assert (made.blocks_made, made.left) == (1, [])
    assert Order.objects.get(pk=order.pk).status == "planned"


def test_an_urgent_order_does_not_drag_others_into_dear_blocks(store):
    urgent = making.order(store, window=SOON, point=NEAR[0])
    far = making.order(store, window=(AT + 4 * HOUR, AT + 8 * HOUR), point=Point(36.30, -115.00))

    made = run()

    assert Order.objects.get(pk=urgent.pk).status == "planned"
    assert Order.objects.get(pk=far.pk).status == "placed"
    assert [each["order"] for each in made.left] == [far.code]


def test_an_urgent_order_takes_along_what_costs_less_than_waiting(store):
    urgent = making.order(store, window=SOON, point=NEAR[0])
    near = making.order(store, point=NEAR[1])

    run()

    assert {urgent.pk, near.pk} == set(Order.objects.filter(status="planned").values_list("pk", flat=True))
    assert Block.objects.get().orders_count == 2


def test_plan_now_leaves_nothing_that_a_block_can_hold(store):
    making.order(store)

    assert run(everything=True).blocks_made == 1


def test_an_order_too_big_for_a_sedan_is_planned_for_a_larger_car(store):
    making.order(store, litres=220, parcels=2, window=SOON, point=NEAR[0])

    run()

    kinds = Block.objects.order_by("litres").values_list("litres", "vehicle_kind")
    assert list(kinds) == [(440, "hatchback")]


def test_no_block_holds_more_orders_than_the_policy_allows(store, mall):
    making.PayPolicy.objects.update(max_orders=3)
    posted(store, 6)

    run()

    assert max(Block.objects.values_list("orders_count", flat=True)) == 3


def test_an_order_without_a_place_or_with_a_missing_parcel_is_not_planned(store):
    making.order(store, point=None)
    short = making.order(store)
    short.parcels.update(status="short")

    assert run().orders_seen == 0


def test_an_order_cancelled_while_the_planner_thinks_falls_out_of_its_block(store, monkeypatch):
    orders = posted(store)
    think = planner.plan

    def plan(afternoon, **options):
        found = think(afternoon, **options)
        cancel(
            order_code=orders[0].code,
            scope=Order.objects.all(),
            reason="duplicate",
            note="",
            actor=SYSTEM,
            at=AT + MINUTE,
        )
        return found

    monkeypatch.setattr(planner, "plan", plan)

    made = run()

    assert (made.orders_seen, made.orders_planned, Block.objects.get().orders_count) == (4, 3, 3)
    orders[0].refresh_from_db()
    assert (orders[0].status, orders[0].consignments.count()) == ("cancelled", 0)


def test_an_order_changed_while_the_planner_thinks_waits_for_the_next_wave(store, monkeypatch):
    orders = posted(store)
    think = planner.plan

    def plan(afternoon, **options):
        found = think(afternoon, **options)
        Order.objects.filter(pk=orders[1].pk).update(ready_at=AT + 3 * HOUR)
        return found

    monkeypatch.setattr(planner, "plan", plan)

    run()

    orders[1].refresh_from_db()
    assert (orders[1].status, Block.objects.get().orders_count) == ("placed", 3)


def test_when_every_order_is_gone_nothing_is_offered(store, monkeypatch):
    posted(store)
    think = planner.plan

    def plan(afternoon, **options):
        found = think(afternoon, **options)
        Order.objects.update(status="cancelled", cancelled_at=AT)
        return found

    monkeypatch.setattr(planner, "plan", plan)

    assert (run().blocks_made, Block.objects.count()) == (0, 0)


def test_a_plan_that_breaks_a_rule_is_not_published(store, monkeypatch):
    posted(store)
    monkeypatch.setattr(
        publish.judge, "verdict", lambda *_args: (publish.judge.Violation("too_big", 0, "420 of 350 litres"),)
    )

    with pytest.raises(publish.PlanRejected) as refusal:
        run()

    assert refusal.value.message == "The judge rejects the plan: too_big."
    made = PlanRun.objects.get()
    assert "PlanRejected" in made.failure
    assert made.ended_at is not None
    assert (Block.objects.count(), Order.objects.waiting().count()) == (0, 4)


@pytest.mark.django_db(transaction=True)
def test_two_waves_at_once_plan_each_order_once(store):
    posted(store, 8)

    results = making.at_once(run, run, run)

    assert sum(each is None for each in results) == 2
    assert PlanRun.objects.count() == 1
    assert sum(Block.objects.values_list("orders_count", flat=True)) == 8


def test_a_wave_that_died_is_taken_over_and_its_late_plan_is_not_published(store):
    posted(store)
    dead = waves.begin(mall_code="fashion-show", at=AT)
    proposal = waves.propose(mall_code="fashion-show", at=AT, seed=1)

    assert waves.begin(mall_code="fashion-show", at=AT + 2 * MINUTE - SECOND) is None
    taken_over = waves.begin(mall_code="fashion-show", at=AT + 2 * MINUTE)
    late = publish.publish(run_id=dead.pk, proposal=proposal, at=AT + 2 * MINUTE)

    assert (late, Block.objects.count()) == (None, 0)
    assert taken_over.pk != dead.pk
    assert PlanRun.objects.get(pk=dead.pk).failure == "taken over: it did not end in time"


def test_a_wave_is_due_when_an_order_has_waited_for_company(store, mall):
    making.order(store, at=AT)

    assert waves.due_malls(AT + 44 * SECOND) == []
    assert waves.due_malls(AT + 45 * SECOND) == ["fashion-show"]


def test_a_full_block_of_new_orders_is_due_at_once(store):
    posted(store, 12)

    assert waves.due_malls(AT) == ["fashion-show"]


def test_what_a_wave_has_left_is_looked_at_again_after_a_while(store):
    making.order(store)
    run(at=AT + MINUTE)

    assert waves.due_malls(AT + 2 * MINUTE) == []
    assert waves.due_malls(AT + 4 * MINUTE) == ["fashion-show"]


def test_what_is_posted_after_a_wave_does_not_wait_for_the_next_round(store):
    making.order(store)
    run(at=AT + MINUTE)
    making.order(store, at=AT + 70 * SECOND)

    assert waves.due_malls(AT + 114 * SECOND) == []
    assert waves.due_malls(AT + 115 * SECOND) == ["fashion-show"]


def test_a_mall_at_which_a_wave_is_at_work_is_not_due_until_it_must_have_died(store):
    making.order(store)
    waves.begin(mall_code="fashion-show", at=AT + MINUTE)

    assert waves.due_malls(AT + 2 * MINUTE) == []
    assert waves.due_malls(AT + 3 * MINUTE) == ["fashion-show"]


def test_a_closed_mall_is_never_due(store, mall):
    making.order(store)
    mall.active = False
    mall.save(update_fields=["active"])

    assert waves.due_malls(AT + HOUR) == []


def test_the_task_delivered_twice_plans_once(store, monkeypatch):
    making.order(store, window=SOON)
    monkeypatch.setattr(tasks.timezone, "now", lambda: AT + MINUTE)

    tasks.plan(mall_code="fashion-show")
    tasks.plan(mall_code="fashion-show")

    assert (PlanRun.objects.count(), Block.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_a_posted_order_asks_for_a_wave_only_when_it_is_due(store, monkeypatch):
    sent = []
    monkeypatch.setattr(waves.dispatch, "send", lambda task, **options: sent.append((task, options)))
    making.order(store)
    fact = making.Fact(name="order.placed", subjects=["order:X", "mall:fashion-show"], at=AT)

    for at in (AT, AT + MINUTE):
        with making.transaction.atomic():
            waves.consider(fact=fact, at=at)

    assert sent == [("offers.tasks.plan", {"queue": "planning", "mall_code": "fashion-show"})]


def test_urgency_is_the_lead_the_search_for_a_driver_the_loading_and_the_way():
    row = inputs.WaitingOrder("A", NEAR[0], "T", 0, 0, due=10_000, litres=1, grams=1, parcels=1)

    assert not inputs.is_urgent(row, 1_000, now=10_000 - 1_000 - 260 - 55 * 60 - 1)
    assert inputs.is_urgent(row, 1_000, now=10_000 - 1_000 - 260 - 55 * 60)
