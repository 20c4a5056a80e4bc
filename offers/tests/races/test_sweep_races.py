"""Beats that fire twice, tasks delivered twice, two workers at one thing: one effect each."""

import contextlib
import time

import pytest
from django.db import transaction

from deliveries.models import Consignment, Order
from deliveries.posting import cancel
from drivers import ledger
from drivers.models import DriverPosting, StandingEvent
from offers import attendance, expiry, locks, settlement
from offers.models import Block, Claim, Offer
from offers.planning import planner, waves
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE, START
from retaildelivery.outbox import relaying
from retaildelivery.outbox.models import Reaction
from retaildelivery.outbox.recording import SYSTEM

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]

WORKERS = 4


@pytest.fixture
def store():
    return making.store(making.mall())


def at_work(store, driver, **options):
    """A block whose last door is done; what follows is not yet relayed."""
    block = making.claimed(making.block([making.order(store, tip_cents=500)]), driver)
    making.check_in(block, driver, at=START)
    making.collect(block, driver, arrive=START, handover=START + 5 * MINUTE)
    making.depart(block, driver, at=START + 5 * MINUTE)
    making.deliver(making.doors_of(block)[0], driver, at=START + HOUR)
    return block


def test_expiry_sweeps_at_once_step_the_price_once(store):
    block = making.block([making.order(store)])
    at = making.offer_of(block).closes_at

    swept = making.at_once(*(lambda: expiry.sweep(at=at) for _ in range(WORKERS)))

    assert sum(swept) == 1
    assert Offer.objects.filter(block=block).count() == 2
    assert len(making.facts_named("block.repriced")) == 1


def test_expiry_sweeps_at_once_expire_a_block_once(store):
    block = making.block([making.order(store)])

    swept = making.at_once(*(lambda: expiry.sweep(at=START) for _ in range(WORKERS)))

    block.refresh_from_db()
    assert (sum(swept), block.status) == (1, "expired")
    assert len(making.facts_named("block.expired")) == 1
    assert Order.objects.waiting().count() == 1


def test_no_show_sweeps_at_once_end_a_claim_once(store):
    block = making.block([making.order(store, window=(START, START + 4 * HOUR))])
    making.claimed(block, making.driver("Ada"))
    at = START + 20 * MINUTE

    swept = making.at_once(*(lambda: attendance.sweep(at=at) for _ in range(WORKERS)))

    assert sum(swept) == 1
    assert StandingEvent.objects.count() == 1
    assert Block.objects.count() == 2
    assert Offer.objects.filter(status="open").count() == 1


@pytest.mark.parametrize("round_", range(3))
def test_a_check_in_at_the_last_moment_against_the_no_show_sweep_has_one_outcome(store, round_):
    ada = making.driver("Ada")
    block = making.claimed(making.block([making.order(store, window=(START, START + 4 * HOUR))]), ada)

    came, _swept = making.at_once(
        lambda: making.check_in(block, ada, at=START + 20 * MINUTE - MINUTE / 60_000),
        lambda: attendance.sweep(at=START + 20 * MINUTE),
    )

    block.refresh_from_db()
    assert (block.status, came is None) in {("checked_in", True), ("no_show", False)}
    assert Claim.objects.live().count() == int(block.status == "checked_in")


def test_the_relay_of_a_completion_delivered_to_every_worker_pays_once(store):
    ada = making.driver("Ada")
    at_work(store, ada)
    reaction = Reaction.objects.get(key="offers.settle")
    at = START + HOUR

    done = making.at_once(*(lambda: relaying.relay(reaction_id=reaction.pk, at=at) for _ in range(WORKERS)))
    done.append(relaying.relay(reaction_id=reaction.pk, at=at))

    assert sum(done) == 1
    assert ledger.balance(ada) == 4100
    assert len(making.facts_named("pay.settled")) == 1


def settle_by_itself(fact):
    with transaction.atomic():
        settlement.settle(fact=fact, at=START + HOUR)


def test_settling_at_once_without_the_reactions_row_still_pays_once(store):
    ada = making.driver("Ada")
    at_work(store, ada)
    fact = making.facts_named("manifest.completed")[0]

    results = making.at_once(*(lambda: settle_by_itself(fact) for _ in range(WORKERS)))

    assert results == [None] * WORKERS
    assert ledger.balance(ada) == 4100
    assert StandingEvent.objects.filter(kind="completed").count() == 1


def test_without_the_blocks_lock_only_the_ledgers_keys_are_left(store, monkeypatch):
    """The control: with the lock gone, workers settle side by side; each line still has one key, so money is paid
    once, but the others break instead of finding nothing to do."""
    ada = making.driver("Ada")
    at_work(store, ada)
    fact = making.facts_named("manifest.completed")[0]
    real = locks.blocks

    def unlocked(codes):
        found = list(
            Block.objects.select_related("mall__market", "manifest", "policy").filter(code__in=codes)
        )
        time.sleep(0.2)
        return found

    monkeypatch.setattr(locks, "blocks", unlocked)

    results = making.at_once(*(lambda: settle_by_itself(fact) for _ in range(WORKERS)))

    assert real is not locks.blocks
    assert [each for each in results if each is not None], "somebody should have noticed the others"
    assert DriverPosting.objects.count() == 2
    assert ledger.balance(ada) == 4100


def test_a_cancellation_while_its_wave_is_published_leaves_no_order_in_two_states(store, monkeypatch):
    orders = [making.order(store, point=making.Point(36.15 + n / 400, -115.2)) for n in range(4)]
    monkeypatch.setattr(waves, "seconds_for", lambda _count: 0.1)
    think = planner.plan

    def slow(afternoon, **options):
        found = think(afternoon, **options)
        time.sleep(0.1)
        return found

    monkeypatch.setattr(planner, "plan", slow)

    def cancel_one():
        time.sleep(0.2)
        return cancel(
            order_code=orders[0].code,
            scope=Order.objects.all(),
            reason="duplicate",
            note="",
            actor=SYSTEM,
            at=AT + MINUTE,
        )

    run, cancelled = making.at_once(lambda: waves.run(mall_code="fashion-show", at=AT + MINUTE), cancel_one)
    making.relay_all(at=AT + MINUTE)

    assert cancelled.status == "cancelled"
    assert run.blocks_made == 1
    assert Block.objects.get().orders_count == 3
    live = Consignment.objects.filter(ended_at=None).values_list("order__status", flat=True)
    assert list(live) == ["planned"] * 3


def test_release_sent_twice_at_once_is_one_release(store):
    ada = making.driver("Ada")
    block = making.claimed(making.block([making.order(store)]), ada)

    def release():
        with contextlib.suppress(attendance.holding.ClaimNotYours):
            return making.claiming.release(block_code=block.code, driver_id=ada.pk, at=AT + MINUTE)
        return None

    results = making.at_once(*(release for _ in range(WORKERS)))

    assert sum(each is not None for each in results) == 1
    assert len(making.facts_named("block.released")) == 1
    assert Offer.objects.filter(status="open").count() == 1
