"""Many at one block, in real threads on a real database; each race beside a control without its referee."""

import contextlib
import time

import pytest
from django.db import transaction

from offers import claiming, eligibility, expiry, locks, moves, withdrawing
from offers.models import Block, Claim, Offer
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE, START
from retaildelivery.outbox.recording import SYSTEM
from retaildelivery.prepared import Prepared

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]

DRIVERS = 8


@pytest.fixture
def mall():
    return making.mall()


@pytest.fixture
def store(mall):
    return making.store(mall)


def one_after_looking(block):
    """What a claim without the conditional update would do: look first, write afterwards."""
    free = Block.objects.filter(pk=block.pk, status=Block.Status.OFFERED).exists()
    time.sleep(0.05)
    if free:
        Block.objects.filter(pk=block.pk).update(status=Block.Status.CLAIMED)
    return free


def test_two_drivers_at_once_exactly_one_wins(store):
    block = making.block([making.order(store)])
    offer = making.offer_of(block)
    drivers = [making.driver(f"D{n}") for n in range(DRIVERS)]

    results = making.at_once(
        *(lambda d=d: claiming.claim(offer_code=offer.code, driver_id=d.pk, at=AT) for d in drivers)
    )

    wins = [each for each in results if isinstance(each, Claim)]
    losses = [each for each in results if isinstance(each, claiming.BlockTaken)]
    assert (len(wins), len(losses)) == (1, DRIVERS - 1)
    assert Claim.objects.live().get() == wins[0]
    assert len(making.facts_named("block.claimed")) == 1
    block.refresh_from_db()
    assert block.manifest.driver == wins[0].driver


def test_without_the_conditional_update_several_think_they_won(store, monkeypatch):
    """The control: who looks first and writes afterwards lets several drivers through."""
    block = making.block([making.order(store)])
    thought = making.at_once(*(lambda: one_after_looking(block) for _ in range(DRIVERS)))

    assert sum(thought) > 1


def test_even_with_the_update_removed_the_database_keeps_one_live_claim(store, monkeypatch):
    """The last referee: one_live_claim_per_block. Everybody else then breaks, which is why it is the last."""
    block = making.block([making.order(store)])
    offer = making.offer_of(block)
    drivers = [making.driver(f"D{n}") for n in range(DRIVERS)]
    monkeypatch.setattr(moves, "take_block", one_after_looking)
    monkeypatch.setattr(moves, "award", lambda *_args, **_kwargs: True)

    results = making.at_once(
        *(lambda d=d: claiming.claim(offer_code=offer.code, driver_id=d.pk, at=AT) for d in drivers)
    )

    broken = [
        each for each in results if isinstance(each, Exception) and not isinstance(each, claiming.BlockTaken)
    ]
    assert broken
    assert Claim.objects.live().count() == 1


def overlapping_blocks(store):
    return [
        making.block([making.order(store)], start=START + number * 30 * MINUTE)
        for number in range(DRIVERS // 2)
    ]


def test_one_driver_at_several_overlapping_blocks_gets_one(store):
    offers = [making.offer_of(block) for block in overlapping_blocks(store)]
    ada = making.driver("Ada")

    results = making.at_once(
        *(lambda o=o: claiming.claim(offer_code=o.code, driver_id=ada.pk, at=AT) for o in offers)
    )

    assert sum(isinstance(each, Claim) for each in results) == 1
    assert sum(isinstance(each, eligibility.WindowOverlaps) for each in results) == len(offers) - 1
    assert Claim.objects.live().filter(driver=ada).count() == 1
    assert Block.objects.filter(status="claimed").count() == 1


def test_without_the_drivers_lock_the_rules_let_several_through(store, monkeypatch):
    """The control: without the lock each attempt sees a free driver; only the exclusion constraint is left,
    and it answers with broken transactions."""
    offers = [making.offer_of(block) for block in overlapping_blocks(store)]
    ada = making.driver("Ada")
    monkeypatch.setattr(locks, "driver", lambda pk: type(ada).objects.get(pk=pk))
    check = eligibility.check

    def slow_check(applicant, work):
        check(applicant, work)
        time.sleep(0.1)

    monkeypatch.setattr(eligibility, "check", slow_check)

    results = making.at_once(
        *(lambda o=o: claiming.claim(offer_code=o.code, driver_id=ada.pk, at=AT) for o in offers)
    )

    refused = [each for each in results if isinstance(each, eligibility.WindowOverlaps)]
    broken = [each for each in results if isinstance(each, Exception) and each not in refused]
    assert broken, "the rules alone would have let them through"
    assert Claim.objects.live().filter(driver=ada).count() == 1


def test_the_same_tap_twice_at_once_is_one_claim(store):
    offer = making.offer_of(making.block([making.order(store)]))
    ada = making.driver("Ada")

    results = making.at_once(
        *(lambda: claiming.claim(offer_code=offer.code, driver_id=ada.pk, at=AT) for _ in range(4))
    )

    assert len({each.pk for each in results}) == 1
    assert len(making.facts_named("block.claimed")) == 1


@pytest.mark.parametrize("round_", range(4))
def test_a_claim_while_the_expiry_sweep_runs_has_one_outcome(store, round_):
    block = making.block([making.order(store)])
    offer = making.offer_of(block)
    ada = making.driver("Ada")
    just_before = offer.closes_at - MINUTE / 60_000

    claimed, _swept = making.at_once(
        lambda: claiming.claim(offer_code=offer.code, driver_id=ada.pk, at=just_before),
        lambda: expiry.sweep(at=offer.closes_at),
    )

    block.refresh_from_db()
    offer.refresh_from_db()
    won = isinstance(claimed, Claim)
    assert (block.status, offer.status) == (("claimed", "awarded") if won else ("offered", "expired"))
    assert Claim.objects.live().count() == int(won)
    assert Offer.objects.filter(status="open").count() == int(not won)


@pytest.mark.parametrize("round_", range(4))
def test_a_claim_while_the_block_is_withdrawn_has_one_outcome(store, round_):
    block = making.block([making.order(store)])
    offer = making.offer_of(block)
    ada = making.driver("Ada")

    claimed, withdrawn = making.at_once(
        lambda: claiming.claim(offer_code=offer.code, driver_id=ada.pk, at=AT),
        lambda: withdrawing.withdraw(block_code=block.code, reason="storm", actor=SYSTEM, at=AT),
    )

    block.refresh_from_db()
    assert isinstance(withdrawn, Block)
    assert block.status == "withdrawn"
    assert Claim.objects.live().count() == 0
    assert isinstance(claimed, Claim | claiming.BlockTaken | claiming.OfferWithdrawn)
    assert block.manifest.status == "aborted"


def test_without_the_blocks_lock_a_withdrawn_block_is_claimed(store, monkeypatch):
    """The control: a withdrawal that only looks, beside a claim, leaves a live claim on a withdrawn block."""
    block = making.block([making.order(store)])
    offer = making.offer_of(block)
    ada = making.driver("Ada")

    def withdraw_by_looking():
        free = Block.objects.filter(pk=block.pk, status="offered").exists()
        time.sleep(0.3)
        Block.objects.filter(pk=block.pk).update(status="withdrawn", ended_at=AT)
        return free

    claimed, looked = making.at_once(
        lambda: claiming.claim(offer_code=offer.code, driver_id=ada.pk, at=AT), withdraw_by_looking
    )

    assert isinstance(claimed, Claim)
    assert looked
    block.refresh_from_db()
    assert (block.status, Claim.objects.live().count()) == ("withdrawn", 1)


def test_release_against_claim_leaves_one_holder(store):
    block = making.block([making.order(store)])
    ada, ben = making.driver("Ada"), making.driver("Ben")
    first = claiming.claim(offer_code=making.offer_of(block).code, driver_id=ada.pk, at=AT)

    def claim_as_soon_as_free():
        for _try in range(100):
            with contextlib.suppress(Offer.DoesNotExist, claiming.Refused):
                return claiming.claim(offer_code=making.offer_of(block).code, driver_id=ben.pk, at=AT + HOUR)
            time.sleep(0.01)
        return None

    released, second = making.at_once(
        lambda: claiming.release(block_code=block.code, driver_id=ada.pk, at=AT + HOUR), claim_as_soon_as_free
    )

    assert (released.pk, released.ending) == (first.pk, "released")
    assert Claim.objects.live().get() == second
    assert second.driver == ben


def test_a_lock_that_is_held_too_long_is_busy_and_not_a_pile_of_waiting_workers(store, monkeypatch):
    block = making.block([making.order(store)])
    offer = making.offer_of(block)
    ada = making.driver("Ada")
    sooner = Prepared(locks._DRIVER.build, before="SET LOCAL lock_timeout = '1s';")
    monkeypatch.setattr(locks, "_DRIVER", sooner)

    def hold():
        with transaction.atomic():
            locks.driver(ada.pk)
            time.sleep(2)

    def claim_later():
        time.sleep(0.3)
        return claiming.claim(offer_code=offer.code, driver_id=ada.pk, at=AT)

    _held, refused = making.at_once(hold, claim_later)

    assert refused.__cause__.pgcode == "55P03"
    assert Claim.objects.count() == 0
