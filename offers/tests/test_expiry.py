"""What happens to an offer that nobody takes."""

import pytest

from deliveries.models import Order
from offers import claiming, expiry
from offers.models import Block, Offer
from offers.planning import inputs
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE, START

pytestmark = pytest.mark.django_db


@pytest.fixture
def block():
    return making.block([making.order(making.store(making.mall()))])


def test_nothing_is_overdue_before_the_offer_closes(block):
    assert expiry.sweep(at=making.offer_of(block).closes_at - MINUTE) == 0
    assert Offer.objects.count() == 1


def test_an_overdue_offer_becomes_a_new_one_at_the_next_step(block):
    first = making.offer_of(block)

    ended = expiry.sweep(at=first.closes_at)

    first.refresh_from_db()
    block.refresh_from_db()
    second = making.offer_of(block)
    assert ended == 1
    assert (first.status, first.ended_at) == ("expired", first.closes_at)
    assert (second.step, second.hourly_cents, second.pay_cents) == (1, 1900, 3800)
    assert (second.opens_at, second.closes_at) == (first.closes_at, START - HOUR)
    assert second.ladder == first.ladder[1:]
    assert (block.status, block.hourly_cents, block.base_hourly_cents) == ("offered", 1900, 1800)
    fact = making.facts_named("block.repriced")[0]
    assert (fact.data["offer"]["hourly_cents"], fact.data["at_cap"]) == (1900, False)


def test_the_sweep_run_twice_steps_once(block):
    at = making.offer_of(block).closes_at

    assert [expiry.sweep(at=at), expiry.sweep(at=at)] == [1, 0]
    assert Offer.objects.count() == 2
    assert len(making.facts_named("block.repriced")) == 1


def test_a_sweep_that_comes_late_takes_the_step_that_is_due_now(block):
    at = START - 30 * MINUTE

    expiry.sweep(at=at)

    offer = making.offer_of(block)
    assert (offer.hourly_cents, offer.step, offer.opens_at, offer.closes_at) == (2000, 2, at, START)
    assert making.facts_named("block.repriced")[0].data["at_cap"] is True


def test_at_its_start_the_block_expires_and_its_orders_wait_again(block):
    expiry.sweep(at=START - HOUR)

    expiry.sweep(at=START)
    expiry.sweep(at=START)

    block.refresh_from_db()
    assert (block.status, block.ended_at, block.ended_reason) == ("expired", START, "unclaimed")
    assert block.manifest.status == "aborted"
    assert Order.objects.waiting().count() == 1
    assert Offer.objects.filter(status="open").count() == 0
    fact = making.facts_named("block.expired")[0]
    assert (fact.data["reason"], fact.subjects) == ("unclaimed", [f"block:{block.code}", "mall:fashion-show"])
    assert len(making.facts_named("block.expired")) == 1


def test_what_nobody_took_is_remembered_at_the_price_it_had_reached(block):
    expiry.sweep(at=START - HOUR)
    expiry.sweep(at=START)

    orders = list(Order.objects.all())
    assert inputs.reached_cents(orders, at=START) == 2000
    assert inputs.reached_cents(orders, at=START + 7 * HOUR) == 0
    again = making.block(orders, start=START + 4 * HOUR, at=START)
    assert again.hourly_cents == 2000


def test_a_claimed_block_does_not_expire(block):
    ada = making.driver("Ada")
    claiming.claim(offer_code=making.offer_of(block).code, driver_id=ada.pk, at=AT)

    assert expiry.sweep(at=START) == 0
    block.refresh_from_db()
    assert block.status == Block.Status.CLAIMED


def test_ending_an_offer_that_is_gone_does_nothing(block):
    offer = making.offer_of(block)
    expiry.sweep(at=offer.closes_at)

    assert expiry.end(offer_id=offer.pk, at=offer.closes_at) is False
    assert expiry.end(offer_id=0, at=START) is False
