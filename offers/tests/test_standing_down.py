"""A block that was published ahead: filled by a wave, or ended for want of orders with its driver paid."""

import datetime as dt

import pytest

from deliveries.models import Order
from deliveries.posting import cancel
from drivers import verify_pay
from drivers.models import DriverPosting, StandingEvent
from offers import attendance, limits, standing_down
from offers.models import Claim, Cutoff, Offer
from offers.planning import waves
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE, START
from retaildelivery.lib.geo import Point
from retaildelivery.outbox.models import Message
from retaildelivery.outbox.recording import SYSTEM

pytestmark = pytest.mark.django_db

NEAR = [Point(36.150 + n / 400, -115.200 - n / 500) for n in range(6)]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(limits, "PLAN_SECONDS", 0.2)


@pytest.fixture
def mall():
    return making.mall()


@pytest.fixture
def ada():
    return making.driver("Ada")


@pytest.fixture
def block(mall):
    return making.empty_block(mall)


def cancelled(order, *, at):
    cancel(order_code=order.code, scope=Order.objects.all(), reason="other", note="", actor=SYSTEM, at=at)
    making.relay_all(at=at)


def state(block):
    block.refresh_from_db()
    return block.status, block.ended_reason


def test_an_unclaimed_empty_block_is_withdrawn_at_its_last_call_and_not_before(block):
    assert standing_down.sweep(at=START - 30 * MINUTE - dt.timedelta(seconds=1)) == 0
    assert state(block) == ("offered", "")

    assert standing_down.sweep(at=START - 30 * MINUTE) == 1
    assert standing_down.sweep(at=START - 30 * MINUTE) == 0

    assert state(block) == ("withdrawn", "no_orders")
    assert Offer.objects.get().status == "withdrawn"
    assert DriverPosting.objects.count() == 0
    assert making.facts_named("block.withdrawn")[0].data["reason"] == "no_orders"


def test_a_claimed_empty_block_is_stood_down_paid_in_full_and_counts_against_nobody(block, ada):
    making.claimed(block, ada)

    assert standing_down.sweep(at=START - 30 * MINUTE) == 1
    assert standing_down.sweep(at=START - 29 * MINUTE) == 0
    assert attendance.sweep(at=START + HOUR) == 0

    claim = Claim.objects.get()
    assert (claim.ending, claim.reason) == ("stood_down", "stood_down")
    assert state(block) == ("withdrawn", "stood_down")
    posting = DriverPosting.objects.get()
    assert (posting.key, posting.kind, posting.cents) == (
        f"block:{block.code}:stood_down",
        "stood_down",
        3600,
    )
    assert posting.cents == claim.pay_cents
    assert StandingEvent.objects.count() == 0
    assert making.facts_named("block.stood_down")[0].data["total_cents"] == 3600


def test_the_driver_is_told_once_in_their_language(block, ada):
    ada.user.locale = "es"
    ada.user.save(update_fields=["locale"])
    making.claimed(block, ada)
    standing_down.sweep(at=START - 30 * MINUTE)

    making.relay_all(at=AT)
    making.relay_all(at=AT)

    told = Message.objects.get(name="block_stood_down")
    assert told.to == ada.user.email
    assert told.subject == f"No hace falta que vengas: el bloque {block.code} queda anulado y pagado"
    assert "$36.00" in told.text


def test_the_hours_of_a_block_stood_down_are_free_again(mall, block, ada):
    making.claimed(block, ada)
    standing_down.sweep(at=START - 30 * MINUTE)
    other = making.block([making.order(making.store(mall))], at=START - 29 * MINUTE)

    making.claimed(other, ada, at=START - 29 * MINUTE)

    assert Claim.objects.live().get().block == other


def test_a_mall_with_cutoffs_gives_an_empty_block_up_after_the_last_before_its_start(mall, block):
    # 21:00 UTC is 13:00 at the mall.
    Cutoff.objects.create(mall=mall, local_time=dt.time(11))
    Cutoff.objects.create(mall=mall, local_time=dt.time(12))
    Cutoff.objects.create(mall=mall, local_time=dt.time(12, 45))

    assert standing_down.last_call(block) == START - HOUR + limits.CUTOFF_GRACE
    assert standing_down.sweep(at=START - 56 * MINUTE) == 0
    assert standing_down.sweep(at=START - 55 * MINUTE) == 1


def test_a_block_published_after_its_cutoff_waits_until_half_an_hour_before(mall):
    Cutoff.objects.create(mall=mall, local_time=dt.time(9))
    late = making.empty_block(mall)

    assert standing_down.last_call(late) == START - 30 * MINUTE


def test_a_wave_fills_a_claimed_block_which_is_then_worked_as_any_other(mall, block, ada):
    making.claimed(block, ada)
    store = making.store(mall)
    for n in range(3):
        making.order(store, point=NEAR[n], window=(START, START + 3 * HOUR))

    made = waves.run(mall_code=mall.code, at=AT + 5 * MINUTE)

    block.refresh_from_db()
    assert (made.orders_joined, made.blocks_made) == (3, 0)
    assert (block.orders_count, block.doors_count, block.stores_count) == (3, 3, 1)
    assert set(Order.objects.values_list("status", flat=True)) == {"assigned"}
    assert standing_down.sweep(at=START - 30 * MINUTE) == 0
    making.check_in(block, ada, at=START)
    making.collect(block, ada, arrive=START, handover=START + 5 * MINUTE)
    making.depart(block, ada, at=START + 10 * MINUTE)
    block.refresh_from_db()
    assert block.status == "working"


def test_a_wave_fills_an_offered_block_and_its_next_driver_sees_the_orders(mall, block, ada):
    store = making.store(mall)
    making.order(store, point=NEAR[0], window=(START, START + 3 * HOUR))

    waves.run(mall_code=mall.code, at=AT + 5 * MINUTE)
    making.claimed(block, ada, at=AT + 6 * MINUTE)

    assert block.manifest.driver == ada
    assert block.orders_count == 1


def test_a_cutoff_fills_the_block_before_the_sweep_gives_it_up(mall, ada):
    Cutoff.objects.create(mall=mall, local_time=dt.time(12))
    block = making.empty_block(mall)
    making.claimed(block, ada)
    making.order(making.store(mall), point=NEAR[0], window=(START, START + 3 * HOUR))
    cutoff = START - HOUR

    assert waves.due_malls(cutoff) == [mall.code]
    waves.run(mall_code=mall.code, at=cutoff)

    assert standing_down.sweep(at=cutoff + limits.CUTOFF_GRACE) == 0
    block.refresh_from_db()
    assert (block.status, block.orders_count) == ("claimed", 1)


def test_cancelled_orders_leave_a_block_published_ahead_waiting_for_others(mall, block, ada):
    making.claimed(block, ada)
    store = making.store(mall)
    order = making.order(store, point=NEAR[0], window=(START, START + 3 * HOUR))
    waves.run(mall_code=mall.code, at=AT + 5 * MINUTE)

    cancelled(order, at=AT + 10 * MINUTE)
    assert state(block) == ("claimed", "")
    making.order(store, point=NEAR[1], window=(START, START + 3 * HOUR))
    waves.run(mall_code=mall.code, at=AT + 20 * MINUTE)

    block.refresh_from_db()
    assert (block.status, block.orders_count) == ("claimed", 1)


def test_cancelled_for_good_it_is_stood_down(mall, block, ada):
    making.claimed(block, ada)
    order = making.order(making.store(mall), point=NEAR[0], window=(START, START + 3 * HOUR))
    waves.run(mall_code=mall.code, at=AT + 5 * MINUTE)
    cancelled(order, at=AT + 10 * MINUTE)
    making.relay_all(at=AT)

    assert standing_down.sweep(at=START - 30 * MINUTE) == 1

    assert state(block) == ("withdrawn", "stood_down")
    assert DriverPosting.objects.get().cents == 3600


def test_a_driver_who_waits_at_the_mall_without_a_parcel_is_stood_down_after_half_an_hour(mall, ada):
    order = making.order(making.store(mall))
    block = making.claimed(making.block([order]), ada)
    making.check_in(block, ada, at=START - 10 * MINUTE)
    cancelled(order, at=START)
    making.relay_all(at=AT)

    assert standing_down.sweep(at=START + 30 * MINUTE - dt.timedelta(seconds=1)) == 0
    assert standing_down.sweep(at=START + 30 * MINUTE) == 1

    assert state(block) == ("withdrawn", "stood_down")
    assert DriverPosting.objects.get().cents == 3600
    assert StandingEvent.objects.count() == 0


def test_an_empty_block_is_never_a_no_show_though_its_sweep_was_late(block, ada):
    making.claimed(block, ada)

    assert attendance.sweep(at=START + 25 * MINUTE) == 0
    assert standing_down.sweep(at=START + 25 * MINUTE) == 1

    assert Claim.objects.get().ending == "stood_down"


def test_a_block_with_orders_is_left_alone(mall, ada):
    made = making.claimed(making.block([making.order(making.store(mall))]), ada)

    assert standing_down.end(block_id=made.pk, at=START + 10 * MINUTE) is False
    assert state(made) == ("claimed", "")


def test_the_pay_of_a_block_stood_down_can_be_recomputed(block, ada):
    making.claimed(block, ada)
    standing_down.sweep(at=START - 30 * MINUTE)
    posting = DriverPosting.objects.get()

    assert verify_pay.expected({"kind": posting.kind, "params": posting.params}) == (3600, 3600)
