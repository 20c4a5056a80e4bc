"""Claiming and giving back, by one driver at a time."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction

from deliveries.models import Manifest, Order
from drivers import applying
from drivers.models import StandingEvent
from offers import claiming, declining, eligibility, expiry, feed, offering, withdrawing
from offers.models import Block, Claim, Decline, Offer
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE, START
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import SYSTEM

pytestmark = pytest.mark.django_db

SECOND = dt.timedelta(seconds=1)
MILLISECOND = dt.timedelta(milliseconds=1)


@pytest.fixture
def block():
    return making.block([making.order(making.store(making.mall()), tip_cents=300)])


@pytest.fixture
def ada():
    return making.driver("Ada")


def nothing_changed(block):
    block.refresh_from_db()
    assert block.status == Block.Status.OFFERED
    assert Claim.objects.count() == 0
    assert making.facts_named("block.claimed") == []


def test_a_claim_gives_the_block_its_manifest_and_its_orders_to_the_driver(block, ada):
    offer = making.offer_of(block)

    claim = claiming.claim(offer_code=offer.code, driver_id=ada.pk, at=AT)

    block.refresh_from_db()
    offer.refresh_from_db()
    assert (block.status, offer.status, offer.ended_at) == ("claimed", "awarded", AT)
    assert (claim.driver, claim.hourly_cents, claim.pay_cents) == (ada, 1800, 3600)
    assert (claim.window.lower, claim.window.upper) == (START, START + 2 * HOUR)
    manifest = Manifest.objects.get(pk=block.manifest_id)
    assert (manifest.status, manifest.driver) == ("assigned", ada)
    assert Order.objects.get().status == "assigned"
    fact = making.facts_named("block.claimed")[0]
    assert fact.subjects == [f"block:{block.code}", "mall:fashion-show", f"driver:{ada.code}"]
    assert (fact.actor_kind, fact.actor, fact.data["pay_cents"]) == ("driver", ada.code, 3600)


def test_claiming_again_what_one_has_changes_nothing(block, ada):
    offer = making.offer_of(block)
    first = claiming.claim(offer_code=offer.code, driver_id=ada.pk, at=AT)

    again = claiming.claim(offer_code=offer.code, driver_id=ada.pk, at=AT + MINUTE)

    assert again == first
    assert len(making.facts_named("block.claimed")) == 1


def test_the_second_driver_reads_that_the_block_is_taken(block, ada):
    offer = making.offer_of(block)
    claiming.claim(offer_code=offer.code, driver_id=ada.pk, at=AT)

    with pytest.raises(claiming.BlockTaken) as refusal:
        claiming.claim(offer_code=offer.code, driver_id=making.driver("Ben").pk, at=AT)

    assert refusal.value.code == "block_taken"
    assert Claim.objects.count() == 1


def test_who_comes_too_late_costs_one_query(block, ada, django_assert_num_queries):
    offer, ben = making.offer_of(block), making.driver("Ben")
    claiming.claim(offer_code=offer.code, driver_id=ada.pk, at=AT)

    with django_assert_num_queries(2), pytest.raises(claiming.BlockTaken):
        claiming.claim(offer_code=offer.code, driver_id=ben.pk, at=AT)


def test_an_offer_can_be_claimed_until_just_before_it_closes(block, ada):
    offer = making.offer_of(block)

    claim = claiming.claim(offer_code=offer.code, driver_id=ada.pk, at=offer.closes_at - MILLISECOND)

    assert claim.offer == offer


def test_an_offer_that_closes_this_moment_is_closed_though_no_sweep_has_run(block, ada):
    offer = making.offer_of(block)

    with pytest.raises(claiming.OfferClosed) as refusal:
        claiming.claim(offer_code=offer.code, driver_id=ada.pk, at=offer.closes_at)

    assert refusal.value.code == "offer_closed"
    nothing_changed(block)


def test_an_offer_at_a_former_price_is_closed(block, ada):
    offer = making.offer_of(block)
    expiry.sweep(at=offer.closes_at)

    with pytest.raises(claiming.OfferClosed):
        claiming.claim(offer_code=offer.code, driver_id=ada.pk, at=offer.closes_at)

    nothing_changed(block)


def test_a_withdrawn_block_cannot_be_claimed(block, ada):
    offer = making.offer_of(block)
    withdrawing.withdraw(block_code=block.code, reason="storm", actor=SYSTEM, at=AT)

    with pytest.raises(claiming.OfferWithdrawn) as refusal:
        claiming.claim(offer_code=offer.code, driver_id=ada.pk, at=AT)

    assert refusal.value.code == "offer_withdrawn"
    assert Claim.objects.count() == 0


def test_an_unknown_offer_is_no_offer(ada):
    with pytest.raises(Offer.DoesNotExist):
        claiming.claim(offer_code="FNOSUCH", driver_id=ada.pk, at=AT)


def test_a_suspended_driver_is_refused_under_the_lock(block):
    eve = making.driver("Eve", status="suspended")

    with pytest.raises(eligibility.NotApproved) as refusal:
        claiming.claim(offer_code=making.offer_of(block).code, driver_id=eve.pk, at=AT)

    assert refusal.value.code == "not_approved"
    nothing_changed(block)


def test_release_at_exactly_forty_five_minutes_is_early(block, ada):
    claiming.claim(offer_code=making.offer_of(block).code, driver_id=ada.pk, at=AT)

    claim = claiming.release(block_code=block.code, driver_id=ada.pk, at=START - 45 * MINUTE)

    assert claim.ending == "released"
    assert StandingEvent.objects.count() == 0
    assert len(making.facts_named("block.released")) == 1


def test_release_a_second_later_is_a_forfeit_that_counts(block, ada):
    claiming.claim(offer_code=making.offer_of(block).code, driver_id=ada.pk, at=AT)
    at = START - 45 * MINUTE + SECOND

    claim = claiming.release(block_code=block.code, driver_id=ada.pk, at=at)

    assert claim.ending == "forfeited"
    event = StandingEvent.objects.get()
    assert (event.kind, event.fault, event.points) == ("forfeit", "driver", -3)
    assert (event.subject, event.decays_at) == (f"block:{block.code}", at + dt.timedelta(days=90))
    assert len(making.facts_named("block.forfeited")) == 1


@pytest.mark.parametrize(
    ("seconds", "ending"), [(0, "released"), (1, "forfeited")], ids=["at 45:00", "a second later"]
)
def test_on_the_night_the_clocks_go_back_forty_five_minutes_are_forty_five_minutes(ada, seconds, ending):
    """2026-11-01, Las Vegas: the block starts at 01:30, the second time it is 01:30. The driver gives it back
    at 01:45, the first time: by the wall clock after the start, in truth 45 minutes before it."""
    start = dt.datetime(2026, 11, 1, 9, 30, tzinfo=dt.UTC)
    order = making.order(making.store(making.mall()), at=start - 3 * HOUR)
    block = making.claimed(making.block([order], start=start, at=start - 3 * HOUR), ada, at=start - 3 * HOUR)
    wall = dt.datetime(2026, 11, 1, 1, 45, fold=0, tzinfo=ZoneInfo("America/Los_Angeles"))

    claim = claiming.release(block_code=block.code, driver_id=ada.pk, at=wall + dt.timedelta(seconds=seconds))

    assert wall.astimezone(dt.UTC) == start - 45 * MINUTE
    assert claim.ending == ending


def test_a_released_block_is_offered_again_and_hidden_from_who_gave_it_back(block, ada):
    ben = making.driver("Ben")
    claiming.claim(offer_code=making.offer_of(block).code, driver_id=ada.pk, at=AT)

    claiming.release(block_code=block.code, driver_id=ada.pk, at=AT + HOUR)

    block.refresh_from_db()
    offer = making.offer_of(block)
    assert (block.status, block.manifest.status, Order.objects.get().status) == (
        "offered",
        "draft",
        "planned",
    )
    assert (offer.opens_at, offer.hourly_cents) == (AT + HOUR, 1800)
    assert [card.offer for card in feed.offers(ben, at=AT + HOUR)] == [offer]
    assert feed.offers(ada, at=AT + HOUR) == []
    claim = claiming.claim(offer_code=offer.code, driver_id=ben.pk, at=AT + HOUR)
    assert claim.driver == ben


def test_a_block_given_back_at_short_notice_pays_that_rate(block, ada):
    claiming.claim(offer_code=making.offer_of(block).code, driver_id=ada.pk, at=AT)

    claiming.release(block_code=block.code, driver_id=ada.pk, at=START - 30 * MINUTE)

    assert making.offer_of(block).hourly_cents == 2200


def test_a_block_given_back_too_late_to_offer_expires_and_its_order_waits_again(block, ada):
    claiming.claim(offer_code=making.offer_of(block).code, driver_id=ada.pk, at=AT)

    claiming.release(block_code=block.code, driver_id=ada.pk, at=START - 4 * MINUTE)

    block.refresh_from_db()
    assert (block.status, block.ended_reason) == ("expired", "given_back_too_late")
    assert Order.objects.waiting().count() == 1
    assert Offer.objects.filter(status="open").count() == 0
    assert len(making.facts_named("block.expired")) == 1


def test_releasing_twice_is_refused_the_second_time(block, ada):
    claiming.claim(offer_code=making.offer_of(block).code, driver_id=ada.pk, at=AT)
    claiming.release(block_code=block.code, driver_id=ada.pk, at=AT + MINUTE)

    with pytest.raises(claiming.holding.ClaimNotYours):
        claiming.release(block_code=block.code, driver_id=ada.pk, at=AT + MINUTE)

    assert len(making.facts_named("block.released")) == 1


def test_nobody_releases_the_block_of_another(block, ada):
    claiming.claim(offer_code=making.offer_of(block).code, driver_id=ada.pk, at=AT)

    with pytest.raises(claiming.holding.ClaimNotYours) as refusal:
        claiming.release(block_code=block.code, driver_id=making.driver("Ben").pk, at=AT)

    assert refusal.value.code == "claim_not_yours"
    assert Claim.objects.live().get().driver == ada


def test_the_price_never_falls_over_claims_and_releases(block, ada):
    offer = making.offer_of(block)
    expiry.sweep(at=offer.closes_at)
    stepped = making.offer_of(block)
    claiming.claim(offer_code=stepped.code, driver_id=ada.pk, at=stepped.opens_at)

    claiming.release(block_code=block.code, driver_id=ada.pk, at=stepped.opens_at + MINUTE)

    assert stepped.hourly_cents == 1900
    assert making.offer_of(block).hourly_cents == 2200


def test_a_suspension_releases_what_is_claimed_and_is_no_forfeit(block, ada):
    claiming.claim(offer_code=making.offer_of(block).code, driver_id=ada.pk, at=AT)
    fact = Fact(name="driver.suspended", subjects=[f"driver:{ada.code}"], at=AT)

    with transaction.atomic():
        claiming.release_all(fact=fact, at=AT + MINUTE)
        claiming.release_all(fact=fact, at=AT + MINUTE)

    block.refresh_from_db()
    assert (block.status, Claim.objects.get().ending) == ("offered", "suspended")
    assert StandingEvent.objects.count() == 0
    assert len(making.facts_named("block.released")) == 1


def test_a_suspension_by_operations_releases_through_the_outbox(block, ada):
    making.claimed(block, ada)
    olga = making.User.objects.create(email="olga@example.com", name="Olga", is_staff=True)

    applying.suspend(driver_code=ada.code, reason="papers in doubt", by=olga, at=AT + MINUTE)
    making.relay_all(at=AT + MINUTE)

    block.refresh_from_db()
    claim = Claim.objects.get()
    assert (block.status, claim.ending, claim.reason) == ("offered", "suspended", "driver.suspended")


def test_a_declined_offer_is_hidden_and_counts_against_nobody(block, ada):
    offer = making.offer_of(block)

    first = declining.decline(offer_code=offer.code, driver_id=ada.pk, reason=Decline.Reason.PAY, at=AT)
    again = declining.decline(offer_code=offer.code, driver_id=ada.pk, reason=Decline.Reason.TIME, at=AT)

    assert (first, again.reason) == (again, "pay")
    assert feed.offers(ada, at=AT) == []
    assert StandingEvent.objects.count() == 0


def test_a_superseded_offer_does_not_win_though_its_block_is_still_on_offer(block, ada):
    """The second referee: the block's update alone would let a stale offer through."""
    stale = making.offer_of(block)
    expiry.sweep(at=stale.closes_at)
    stale.closes_at += HOUR

    with pytest.raises(claiming.OfferClosed) as refusal:
        claiming._claim(offer=Offer.objects.get(pk=stale.pk), driver_id=ada.pk, at=stale.opens_at + HOUR)

    assert refusal.value.reason == "superseded"
    nothing_changed(block)


def test_an_offer_is_open_or_has_a_next_step(block):
    assert Offer.objects.get().closes_at > AT
    assert making.offer_of(block).ladder[0] == {
        "at": (START - 2 * HOUR).isoformat(),
        "hourly_cents": 1900,
    }
    assert offering.step_number(block, 1850) == 1
