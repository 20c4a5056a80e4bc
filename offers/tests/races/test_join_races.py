"""Late orders join a block while somebody claims it, checks in, takes it back or lets it expire."""

import time

import pytest

from deliveries.models import Consignment, Order
from offers import attendance, claiming, expiry, locks, withdrawing
from offers.models import Block, Claim
from offers.planning import filling, opened, publish, waves
from offers.tests import making
from offers.tests.making import AT, MINUTE, START
from retaildelivery.lib.geo import Point
from retaildelivery.outbox.recording import SYSTEM

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]

NEAR = [Point(36.150 + n / 400, -115.200 - n / 500) for n in range(12)]


@pytest.fixture
def store():
    return making.store(making.mall())


@pytest.fixture
def ada():
    return making.driver("Ada")


@pytest.fixture
def block(store):
    return making.block([making.order(store, point=NEAR[n]) for n in range(2)])


def ready_to_publish(store, at=AT + MINUTE):
    """A late order, and the wave that would have it join."""
    late = making.order(store, point=NEAR[2])
    begun = waves.begin(mall_code="fashion-show", at=at)
    proposal = waves.propose(mall_code="fashion-show", at=at, seed=1)
    afternoon = proposal.snapshot.afternoon
    assert [opened.added(afternoon, each) for each in opened.filled(afternoon, proposal.plan)] == [
        (late.code,)
    ]
    return late, lambda: publish.publish(run_id=begun.pk, proposal=proposal, at=at)


def whole(block, late):
    """No order is in two places or forgotten, and the block counts what is on it."""
    block.refresh_from_db()
    late.refresh_from_db()
    live = Consignment.objects.live()
    places = live.filter(order=late).count()
    assert places == (0 if late.status == "placed" else 1)
    assert block.orders_count == live.filter(manifest=block.manifest_id).count() or block.status in {
        "withdrawn",
        "expired",
    }
    assert Order.objects.filter(status="placed").count() == Order.objects.count() - live.count()


@pytest.mark.parametrize("round_", range(3))
def test_a_claim_while_an_order_joins_holds_what_is_on_the_block(block, store, ada, round_):
    late, join = ready_to_publish(store)
    offer = making.offer_of(block)

    claimed, made = making.at_once(
        lambda: claiming.claim(offer_code=offer.code, driver_id=ada.pk, at=AT + MINUTE), join
    )

    assert isinstance(claimed, Claim)
    assert made.failure == ""
    whole(block, late)
    states = set(
        Order.objects.filter(consignments__ended_at=None, consignments__isnull=False).values_list(
            "status", flat=True
        )
    )
    assert states == {"assigned"}
    assert Claim.objects.get().pay_cents == offer.pay_cents


@pytest.mark.parametrize("round_", range(3))
def test_a_check_in_while_an_order_joins_comes_wholly_before_or_after(block, store, ada, round_):
    making.claimed(block, ada)
    late, join = ready_to_publish(store)

    checked_in, made = making.at_once(
        lambda: attendance.check_in(
            block_code=block.code,
            driver_id=ada.pk,
            point=block.mall.point,
            accuracy_m=5,
            desk_code="",
            at=START - 5 * MINUTE,
        ),
        join,
    )

    assert isinstance(checked_in, Block)
    assert made.orders_joined in {0, 1}
    whole(block, late)
    assert block.status == "checked_in"
    assert late.status == ("assigned" if made.orders_joined else "placed")


@pytest.mark.parametrize("end", ["withdrawal", "expiry"])
def test_a_block_that_ends_while_an_order_joins_forgets_none(block, store, end):
    late, join = ready_to_publish(store)
    ends = {
        "withdrawal": lambda: withdrawing.withdraw(
            block_code=block.code, reason="storm", actor=SYSTEM, at=AT + MINUTE
        ),
        "expiry": lambda: expiry.sweep(at=START),
    }

    _ended, made = making.at_once(ends[end], join)
    # A sweep passes a locked block by; the next one, seconds later, finds it.
    expiry.sweep(at=START)

    assert made.failure == ""
    whole(block, late)
    assert Order.objects.filter(status="placed").count() == 3


def test_without_a_second_look_under_the_lock_an_order_joins_a_block_at_work(block, store, ada, monkeypatch):
    """The control: a join that trusts its snapshot changes a route whose driver is loading already."""
    making.claimed(block, ada)
    late, join = ready_to_publish(store)
    monkeypatch.setattr(filling, "_may_grow", lambda block, *, at: True)
    monkeypatch.setattr(filling.redrawing, "_refuse", lambda *given: None)
    real = locks.block

    def slow(code):
        time.sleep(0.2)
        return real(code)

    monkeypatch.setattr(filling.locks, "block", slow)

    making.at_once(
        lambda: attendance.check_in(
            block_code=block.code,
            driver_id=ada.pk,
            point=block.mall.point,
            accuracy_m=5,
            desk_code="",
            at=START,
        ),
        join,
    )

    late.refresh_from_db()
    block.refresh_from_db()
    assert (block.status, late.status) == ("checked_in", "assigned")
