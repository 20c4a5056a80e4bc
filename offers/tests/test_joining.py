"""Late orders into blocks that are there already, and cutoffs: what joins, what does not, and who is told."""

import dataclasses
import datetime as dt
import os
import signal
import subprocess
import sys
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deliveries.models import Consignment, Order, Stop
from deliveries.posting import cancel
from offers import freezing, limits
from offers.models import Block, Claim, Cutoff, PlanRun
from offers.planning import cutoffs, judge, opened, planner, publish, rooms, waves
from offers.planning.rooms import Room
from offers.tests import afternoons, making
from offers.tests.making import AT, HOUR, MINUTE, START
from retaildelivery.accounts.models import User
from retaildelivery.environment import BASE_DIR
from retaildelivery.lib.geo import Point
from retaildelivery.outbox.models import Message
from retaildelivery.outbox.recording import SYSTEM

pytestmark = pytest.mark.django_db

SECOND = dt.timedelta(seconds=1)
NEAR = [Point(36.150 + n / 400, -115.200 - n / 500) for n in range(30)]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(limits, "PLAN_SECONDS", 0.1)


@pytest.fixture
def mall():
    return making.mall()


@pytest.fixture
def store(mall):
    return making.store(mall)


@pytest.fixture
def ada():
    return making.driver("Ada")


@pytest.fixture
def block(store):
    """A block on offer with two orders and an hour to spare."""
    return making.block([making.order(store, point=NEAR[n]) for n in range(2)])


def run(at=AT + MINUTE, **options):
    return waves.run(mall_code="fashion-show", at=at, **options)


def orders_on(block):
    live = Consignment.objects.live().filter(manifest=block.manifest_id)
    return set(live.values_list("order__code", flat=True))


# -- What joins ----------------------------------------------------------------------------------------------


def test_a_late_order_joins_an_offered_block_and_the_offer_shows_the_new_load(block, store):
    before = making.offer_of(block)
    late = making.order(store, point=NEAR[2])

    made = run()

    block.refresh_from_db()
    late.refresh_from_db()
    assert (made.orders_joined, made.orders_planned, made.blocks_made) == (1, 1, 0)
    assert made.filled == [{"block": block.code, "added": [late.code]}]
    assert made.cost_cents < made.alone_cents
    assert (block.orders_count, block.parcels_count, block.doors_count, block.stores_count) == (3, 3, 3, 1)
    assert late.status == "planned"
    assert late.code in orders_on(block)
    assert making.offer_of(block) == before
    assert (before.pay_cents, block.window) == (making.offer_of(block).pay_cents, block.window)
    [fact] = making.facts_named("block.extended")
    assert (fact.data["added"], fact.data["block"]["orders"]) == ([late.code], 3)


def test_a_late_order_joins_a_claimed_block_at_the_same_terms_and_the_driver_is_told(block, store, ada):
    making.claimed(block, ada)
    claim = Claim.objects.get()
    ada.user.locale = "es"
    ada.user.save(update_fields=["locale"])
    late = making.order(store, point=NEAR[2])

    run()
    making.relay_all(at=AT + MINUTE)

    late.refresh_from_db()
    block.refresh_from_db()
    assert (late.status, block.status, block.orders_count) == ("assigned", "claimed", 3)
    after = Claim.objects.get()
    assert (after.pay_cents, after.hourly_cents, after.window) == (
        claim.pay_cents,
        claim.hourly_cents,
        claim.window,
    )
    mail = Message.objects.get(name="block_extended")
    assert (mail.to, mail.subject) == (ada.user.email, f"Más pedidos en tu bloque {block.code}")
    assert "Un pedido más viaja contigo" in mail.text
    assert "3 pedidos a 3 puertas" in mail.text


def test_the_new_route_keeps_the_codes_of_its_stops_and_their_order_is_that_of_the_way(block, store):
    before = dict(Stop.objects.values_list("address", "code"))
    other = making.store(block.mall, "Quill & Co")
    making.order(other, point=NEAR[2])

    run()

    stops = list(Stop.objects.filter(manifest=block.manifest_id).order_by("position"))
    assert [stop.position for stop in stops] == list(range(5))
    assert [stop.kind for stop in stops] == ["pickup", "pickup", "dropoff", "dropoff", "dropoff"]
    assert before.items() <= dict(Stop.objects.values_list("address", "code")).items()
    assert [s.planned_at for s in stops] == sorted(s.planned_at for s in stops)
    assert stops[0].planned_at == block.starts_at
    assert all(stop.eta_at == stop.planned_at for stop in stops)


def test_orders_to_one_door_share_its_stop(block, store):
    making.order(store, point=NEAR[0])

    run()

    doors = Stop.objects.filter(manifest=block.manifest_id, kind="dropoff")
    assert sorted(door.dropoffs.count() for door in doors) == [1, 2]


def test_an_empty_block_is_a_block_with_room(store, mall, ada):
    """Published ahead without orders and claimed: at the cutoff it is filled."""
    first = making.order(store, point=NEAR[0])
    ahead = making.block([first])
    making.claimed(ahead, ada)
    Consignment.objects.all().delete()
    Stop.objects.all().delete()
    manifest = ahead.manifest
    Block.objects.filter(pk=ahead.pk).update(manifest=None, origin="scheduled", orders_count=0)
    manifest.delete()
    Order.objects.update(status="placed")

    made = run()

    ahead.refresh_from_db()
    assert (made.orders_joined, ahead.orders_count) == (1, 1)
    assert (ahead.manifest.status, ahead.manifest.driver) == ("assigned", ada)
    assert Order.objects.get().status == "assigned"


# -- What does not -------------------------------------------------------------------------------------------


def test_a_block_takes_no_more_than_its_car_its_hours_and_its_law_allow(store, mall):
    large = making.block([making.order(store, point=NEAR[0], litres=300)])
    making.order(store, point=NEAR[1], litres=60)
    run(everything=True)
    assert orders_on(large) == {large.manifest.consignments.get().order.code}

    full = making.block([making.order(store, point=NEAR[n]) for n in range(12)], start=START + MINUTE)
    run(at=AT + 5 * MINUTE)
    assert len(orders_on(full)) == 12


def test_no_promise_on_the_block_gets_later_for_a_late_order(store):
    """The first order's promise ends with the block's way as it is; a door before it would break it."""
    tight = making.order(store, point=NEAR[0], window=(AT, START + 21 * MINUTE))
    block = making.block([tight])
    making.order(store, point=NEAR[20])

    run()

    stops = Stop.objects.filter(manifest=block.manifest_id, kind="dropoff").order_by("position")
    assert next(stop.address for stop in stops) == tight.address
    assert stops[0].planned_at <= START + 21 * MINUTE


def test_a_frozen_block_a_block_at_work_and_one_that_has_started_take_nothing(block, store, ada):
    boss = User.objects.create(email="ops@example.com", name="Ops")
    freezing.freeze(block_code=block.code, reason="VIP", by=boss, at=AT)
    making.order(store, point=NEAR[2])
    assert run().orders_joined == 0
    freezing.unfreeze(block_code=block.code, by=boss, at=AT + MINUTE)
    making.claimed(block, ada)
    making.check_in(block, ada, at=START)

    assert run(at=START + MINUTE).orders_joined == 0
    assert len(orders_on(block)) == 2


def test_an_order_packed_after_the_block_has_begun_does_not_keep_its_driver_waiting(block, store):
    making.order(store, point=NEAR[2], ready=START + limits.JOIN_READY + 5 * MINUTE)

    assert run().orders_joined == 0


@pytest.mark.parametrize("meanwhile", ["checked_in", "frozen", "withdrawn", "claimed", "gone"])
def test_what_changed_while_the_wave_was_thinking_is_looked_at_again(block, store, ada, meanwhile):
    """The snapshot is re-checked: nothing joins a block that is not as it was, and the order goes on waiting."""
    if meanwhile == "checked_in":
        making.claimed(block, ada)
    late = making.order(store, point=NEAR[2])
    begun = waves.begin(mall_code="fashion-show", at=AT + MINUTE)
    proposal = waves.propose(mall_code="fashion-show", at=AT + MINUTE, seed=1)
    afternoon = proposal.snapshot.afternoon
    assert [opened.added(afternoon, each) for each in opened.filled(afternoon, proposal.plan)] == [
        (late.code,)
    ]

    {
        "checked_in": lambda: making.check_in(block, ada, at=START),
        "frozen": lambda: freezing.freeze(
            block_code=block.code, reason="x", by=User.objects.create(email="o@example.com"), at=AT
        ),
        "withdrawn": lambda: making_withdraw(block),
        "claimed": lambda: making.claimed(block, ada),
        "gone": lambda: cancel(
            scope=Order.objects.all(),
            order_code=late.code,
            reason="other",
            note="",
            actor=SYSTEM,
            at=AT + MINUTE,
        ),
    }[meanwhile]()
    made = publish.publish(run_id=begun.pk, proposal=proposal, at=AT + 2 * MINUTE)

    late.refresh_from_db()
    assert (made.orders_joined, made.filled, made.failure) == (0, [], "")
    assert [(each["order"], each["reason"]) for each in made.left] == (
        [] if meanwhile == "gone" else [(late.code, "block_changed")]
    )
    assert late.status == ("cancelled" if meanwhile == "gone" else "placed")
    assert not Consignment.objects.filter(order=late).exists()


def making_withdraw(block):
    from offers import withdrawing  # noqa: PLC0415 -- beside the other ways to change a block

    withdrawing.withdraw(block_code=block.code, reason="storm", actor=SYSTEM, at=AT + MINUTE)


def test_an_order_cancelled_on_the_block_meanwhile_is_left_out_of_the_new_route(block, store):
    gone = Order.objects.order_by("pk").first()
    late = making.order(store, point=NEAR[2])
    begun = waves.begin(mall_code="fashion-show", at=AT + MINUTE)
    proposal = waves.propose(mall_code="fashion-show", at=AT + MINUTE, seed=1)
    cancel(
        scope=Order.objects.all(), order_code=gone.code, reason="other", note="", actor=SYSTEM, at=AT + MINUTE
    )

    made = publish.publish(run_id=begun.pk, proposal=proposal, at=AT + 2 * MINUTE)

    assert made.orders_joined == 1
    assert orders_on(block) == set(Order.objects.exclude(pk=gone.pk).values_list("code", flat=True))
    assert late.code in orders_on(block)


# -- The rule itself -----------------------------------------------------------------------------------------


@given(st.integers(0, 10_000), st.integers(0, 12), st.integers(1, 3))
@settings(max_examples=25, deadline=None)
def test_the_judge_accepts_every_filling_and_nothing_on_a_block_gets_later(seed, size, count):
    drawn = afternoons.drawn(size + count, seed)
    seats = [
        Room(f"B{n}", 14_400 + 600 * n, 14_400 + 600 * n + 9_000, 15_000, 350, 150_000, (f"O{n}",))
        for n in range(count)
    ]
    afternoon = dataclasses.replace(drawn, open_blocks=tuple(seat.opened for seat in seats))

    plan = planner.plan(afternoon, seconds=5, seed=seed, iterations=30, propose=None)

    assert judge.verdict(afternoon, plan) == ()
    before = opened.bare(afternoon)
    for block in opened.filled(afternoon, plan):
        was = {code: stop for stop in before[block.opened].stops for code in stop.orders}
        for stop in block.stops:
            for code in set(stop.orders) & was.keys():
                row = next(each for each in afternoon.orders if each.code == code)
                assert stop.late_s <= max(was[code].late_s, 0) or stop.serve <= row.due
    assert opened.cost_cents(afternoon, plan) <= afternoon.defer_cents * size


def test_an_afternoon_of_some_orders_keeps_the_matrix_with_them():
    afternoon = afternoons.drawn(5, 1)

    rest = rooms.only(afternoon, ["O0", "O2", "O4"])

    assert [order.code for order in rest.orders] == ["O0", "O2", "O4"]
    assert rest.seconds[1][3] == afternoon.seconds[1][5]
    assert rooms.only(afternoon, [o.code for o in afternoon.orders]) == dataclasses.replace(afternoon)


# -- Cutoffs -------------------------------------------------------------------------------------------------


@pytest.fixture
def noon_and_four(mall):
    for hour in (12, 16):
        Cutoff.objects.create(mall=mall, local_time=dt.time(hour))
    return AT + 2 * HOUR


def test_a_mall_with_cutoffs_waits_for_the_next_one(store, noon_and_four):
    run(at=AT - HOUR)
    making.order(store, at=AT)

    assert waves.due_malls(noon_and_four - SECOND) == []
    assert waves.due_malls(noon_and_four) == ["fashion-show"]


def test_what_is_posted_after_the_cutoff_cannot_join_its_wave(store, noon_and_four):
    run(at=AT - HOUR)
    on_time = making.order(store, at=noon_and_four, window=(noon_and_four, noon_and_four + 6 * HOUR))
    making.order(store, at=noon_and_four + SECOND, window=(noon_and_four, noon_and_four + 6 * HOUR))

    made = run(at=noon_and_four + MINUTE)

    assert (made.cause, made.placed_by, made.orders_seen) == ("cutoff", noon_and_four, 1)
    assert on_time.code in {each["order"] for each in made.left} | set(
        Order.objects.filter(status="planned").values_list("code", flat=True)
    )
    assert waves.due_malls(noon_and_four + 3 * MINUTE) == []


def test_enough_or_a_promise_at_risk_do_not_wait_for_the_cutoff(store, noon_and_four):
    run(at=AT - HOUR)
    making.order(store, window=(AT, AT + 90 * MINUTE))
    assert waves.due(Order.objects.get().store.mall, at=AT) is None
    assert waves.due(Order.objects.get().store.mall, at=AT + 40 * MINUTE).cause == "risk"

    for n in range(11):
        making.order(store, point=NEAR[n])
    assert waves.due(Order.objects.first().store.mall, at=AT).cause == "enough"


def test_a_cutoff_is_a_wall_clock_also_when_the_clocks_change():
    zone = ZoneInfo("America/Los_Angeles")
    times = [dt.time(2, 30), dt.time(12)]

    def utc(*parts):
        return dt.datetime(*parts, tzinfo=dt.UTC)

    # 8 March 2026: 02:30 does not exist and is 03:30 on the clock.
    assert cutoffs.last(times, zone, at=utc(2026, 3, 8, 11, 0)) == utc(2026, 3, 8, 10, 30)
    assert cutoffs.last(times, zone, at=utc(2026, 3, 8, 19, 0)) == utc(2026, 3, 8, 19, 0)
    assert cutoffs.next_after(times, zone, at=utc(2026, 3, 8, 19, 0)) == utc(2026, 3, 9, 9, 30)
    # 1 November 2026: 01:30 comes twice; the noon after it is eight hours behind UTC again.
    assert cutoffs.last(times, zone, at=utc(2026, 11, 1, 20, 0)) == utc(2026, 11, 1, 20, 0)


# -- A worker that dies --------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("when", ["thinking", "publishing"])
def test_a_worker_killed_in_the_middle_of_a_wave_has_done_nothing_and_the_next_takes_over(store, when):
    for n in range(3):
        making.order(store, point=NEAR[n])
    given = waves.transaction.get_connection().settings_dict
    address = (
        f"postgres://{given['USER']}:{given['PASSWORD']}@{given['HOST']}:{given['PORT']}/{given['NAME']}"
    )

    ended = subprocess.run(
        [sys.executable, "-m", "offers.tests.dying", when, (AT + MINUTE).isoformat()],
        env={**os.environ, "DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "retaildelivery.settings_test"},
        cwd=BASE_DIR,
        timeout=60,
        check=False,
    )

    assert ended.returncode == -signal.SIGKILL
    assert (Block.objects.count(), Order.objects.waiting().count()) == (0, 3)
    assert PlanRun.objects.get().ended_at is None
    assert run(at=AT + 2 * MINUTE) is None
    made = run(at=AT + 3 * MINUTE, everything=True)
    assert (made.orders_planned, Block.objects.count()) == (3, 1)
    assert PlanRun.objects.filter(ended_at=None).count() == 0
