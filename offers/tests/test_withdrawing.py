"""A block taken back, and a block left without work."""

import pytest
from django.db import transaction

from deliveries.models import Order
from deliveries.posting import cancel
from drivers.models import DriverPosting
from offers import attendance, claiming, timeline, withdrawing
from offers.models import Claim, Offer
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE, START
from retaildelivery.lib.geo import Point
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import SYSTEM, Actor

pytestmark = pytest.mark.django_db

OPS = Actor(kind=Fact.Actor.OPERATIONS, name="Olga")


@pytest.fixture
def block():
    store = making.store(making.mall())
    return making.block([making.order(store), making.order(store, parcels=2)])


@pytest.fixture
def ada():
    return making.driver("Ada")


def withdraw(block, *, at):
    return withdrawing.withdraw(block_code=block.code, reason="storm", actor=OPS, at=at)


def test_an_offered_block_is_withdrawn_and_its_orders_wait_again(block):
    withdraw(block, at=AT)
    withdraw(block, at=AT)

    block.refresh_from_db()
    assert (block.status, block.ended_reason) == ("withdrawn", "storm")
    assert Offer.objects.get().status == "withdrawn"
    assert Order.objects.waiting().count() == 2
    fact = making.facts_named("block.withdrawn")[0]
    assert (fact.actor, fact.data["paid_cents"], fact.data["reason"]) == ("Olga", 0, "storm")
    assert len(making.facts_named("block.withdrawn")) == 1


@pytest.mark.parametrize(
    ("before", "cents"),
    [
        (2 * HOUR, []),
        (2 * HOUR - MINUTE, [1800]),
        (45 * MINUTE, [1800]),
        (44 * MINUTE, [3600]),
    ],
)
def test_the_driver_is_paid_for_short_notice(block, ada, before, cents):
    claiming.claim(offer_code=making.offer_of(block).code, driver_id=ada.pk, at=AT)

    withdraw(block, at=START - before)

    assert Claim.objects.get().ending == "withdrawn"
    assert list(DriverPosting.objects.values_list("cents", flat=True)) == cents


def test_a_block_at_work_is_not_withdrawn(block, ada):
    claiming.claim(offer_code=making.offer_of(block).code, driver_id=ada.pk, at=AT)
    attendance.check_in(
        block_code=block.code,
        driver_id=ada.pk,
        point=Point(36.1277, -115.1723),
        accuracy_m=5,
        desk_code="",
        at=START,
    )

    with pytest.raises(withdrawing.BlockAtWork) as refusal:
        withdraw(block, at=START)

    assert refusal.value.code == "block_at_work"
    assert DriverPosting.objects.count() == 0


def cancelled(order):
    cancel(
        order_code=order.code,
        scope=Order.objects.all(),
        reason="out_of_stock",
        note="",
        actor=SYSTEM,
        at=AT + MINUTE,
    )
    making.relay_all(at=AT + MINUTE)


def test_a_cancelled_order_makes_the_block_smaller_and_its_pay_stays(block):
    one, two = Order.objects.order_by("pk")

    cancelled(two)

    block.refresh_from_db()
    assert (block.orders_count, block.parcels_count, block.doors_count, block.litres) == (1, 1, 1, 12)
    assert (block.status, making.offer_of(block).pay_cents) == ("offered", 3600)
    assert making.facts_named("block.replanned")[0].data["gone"] == two.code
    one.refresh_from_db()
    assert one.status == "planned"


def test_a_block_whose_last_order_is_cancelled_is_withdrawn(block, ada):
    claiming.claim(offer_code=making.offer_of(block).code, driver_id=ada.pk, at=AT)

    for order in Order.objects.order_by("pk"):
        cancelled(order)

    block.refresh_from_db()
    assert (block.status, block.ended_reason) == ("withdrawn", "no_orders_left")
    assert timeline.reason_of(making.facts_named("block.withdrawn")[0].data) == "no orders left"
    assert Claim.objects.get().ending == "withdrawn"
    assert Order.objects.filter(status="cancelled").count() == 2


def test_the_same_cancellation_followed_twice_changes_nothing_more(block):
    cancelled(Order.objects.order_by("pk")[0])
    fact = making.facts_named("order.cancelled")[0]

    with transaction.atomic():
        withdrawing.follow_cancellation(fact=fact, at=AT + MINUTE)

    block.refresh_from_db()
    assert (block.status, block.orders_count) == ("offered", 1)
