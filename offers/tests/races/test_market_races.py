"""Steps, draws, releases and those who move up, in real threads; each race beside a control without its referee."""

import time

import pytest
from django.db import IntegrityError

from drivers.models import Driver
from offers import claiming, drawing, expiry, holding, locks, places, standby
from offers.models import Block, Claim, Draw, Entry, Offer
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE, START
from retaildelivery.lib.refusals import Refused

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]

INSTANT = MINUTE / 60_000


@pytest.fixture
def mall():
    return making.mall()


@pytest.fixture
def block(mall):
    return making.block([making.order(making.store(mall))])


@pytest.fixture
def ada():
    return making.driver("Ada")


@pytest.fixture
def looks_only(monkeypatch):
    """The block's lock is taken away: everybody looks, waits a moment, and goes ahead on what they saw."""

    def looks(found):
        time.sleep(0.2)
        return found

    rows = Block.objects.select_related("mall__market", "manifest", "policy")
    monkeypatch.setattr(locks, "block_unless_busy", lambda pk: looks(rows.get(pk=pk)))
    monkeypatch.setattr(locks, "block", lambda code: looks(rows.get(code=code)))


def open_offers(block):
    return list(Offer.objects.filter(block=block, status="open"))


def failed(results):
    """What went wrong; to be refused is no failure."""
    return [each for each in results if isinstance(each, Exception) and not isinstance(each, Refused)]


@pytest.fixture
def all_hold_it(looks_only, monkeypatch):
    """The driver's lock is taken away too: whoever releases has seen their claim live before anybody ends it."""
    monkeypatch.setattr(locks, "driver", lambda pk: Driver.objects.get(pk=pk))
    claim_of = holding.claim_of

    def slowly(block, driver):
        found = claim_of(block, driver)
        time.sleep(0.4)
        return found

    monkeypatch.setattr(holding, "claim_of", slowly)


def test_without_the_blocks_lock_two_beats_step_and_only_a_constraint_stops_the_second(block, looks_only):
    """The control of steps: one of the beats dies on the second open offer instead of finding nothing to do."""
    offer = making.offer_of(block)

    swept = making.at_once(*(lambda: expiry.end(offer_id=offer.pk, at=offer.closes_at) for _ in range(3)))

    assert any(isinstance(each, IntegrityError) for each in swept)
    assert len(open_offers(block)) == 1


@pytest.mark.parametrize("round_", range(3))
def test_a_claim_at_the_old_price_while_it_steps_gets_the_old_price_or_is_told(block, ada, round_):
    offer = making.offer_of(block)

    claimed, *swept = making.at_once(
        lambda: claiming.claim(offer_code=offer.code, driver_id=ada.pk, at=offer.closes_at - INSTANT),
        *[lambda: expiry.sweep(at=offer.closes_at)] * 2,
    )

    assert not failed(swept)
    block.refresh_from_db()
    if isinstance(claimed, Claim):
        assert (claimed.hourly_cents, block.hourly_cents, open_offers(block)) == (1800, 1800, [])
    else:
        assert isinstance(claimed, claiming.OfferClosed | claiming.BlockTaken)
        assert [each.hourly_cents for each in open_offers(block)] == [1900]


def test_a_step_that_only_looks_leaves_a_claimed_block_on_offer(block, ada):
    """The control: it saw the block free, and puts up a price for what somebody has by then."""
    offer = making.offer_of(block)

    def steps_by_looking():
        free = Block.objects.filter(pk=block.pk, status="offered").exists()
        time.sleep(0.4)
        if free:
            Offer.objects.filter(pk=offer.pk).update(status="expired", ended_at=offer.closes_at)
            Offer.objects.create(
                block=block, mode="first_come", hourly_cents=1900, pay_cents=3800, opens_at=offer.closes_at,
                closes_at=START,
            )  # fmt: skip

    claimed, _stepped = making.at_once(
        lambda: claiming.claim(offer_code=offer.code, driver_id=ada.pk, at=AT), steps_by_looking
    )

    block.refresh_from_db()
    assert isinstance(claimed, Claim)
    assert (block.status, len(open_offers(block))) == ("claimed", 1)


@pytest.mark.parametrize("round_", range(3))
def test_an_entry_in_the_last_instant_of_an_empty_draw_is_drawn_or_the_price_goes_on_without_it(ada, round_):
    """The draw that nobody entered becomes a first-come offer at the step that is due: never both."""
    block = making.block([making.order(making.store(making.mall("plaza", market="reno", draws=True)))])
    ada = making.driver("Ada", market="reno")
    offer = making.offer_of(block)
    fresh = Offer.objects.select_related("draw", "block__mall__market").get(pk=offer.pk)

    entered, *swept = making.at_once(
        lambda: drawing.enter(offer=fresh, driver=ada, at=offer.closes_at - INSTANT),
        *[lambda: expiry.sweep(at=offer.closes_at)] * 2,
    )
    expiry.sweep(at=offer.closes_at)  # the beat after, should the first have met a busy block

    assert not failed(swept)
    [now] = open_offers(block)
    assert Draw.objects.get(offer=offer).drawn_at == offer.closes_at
    if isinstance(entered, places.Place):
        assert (now.pk, now.awards.get().driver) == (offer.pk, ada)
    else:
        assert isinstance(entered, drawing.EntriesClosed)
        assert (now.mode, Entry.objects.count()) == ("first_come", 0)


def stand_by(mall, *names):
    people = [making.driver(name) for name in names]
    for each in people:
        standby.join(mall=mall, driver_id=each.pk, start=START - HOUR, end=START + 6 * HOUR, at=AT)
    return people


def releases(block, driver, count):
    return [lambda: claiming.release(block_code=block.code, driver_id=driver.pk, at=AT)] * count


@pytest.mark.parametrize("round_", range(3))
def test_a_release_while_the_first_who_stands_by_leaves_asks_one_who_does_or_who_did(
    mall, block, ada, round_
):
    making.claimed(block, ada)
    ben, cy = stand_by(mall, "Ben", "Cy")
    row = standby.StandBy.objects.get(driver=ben)

    results = making.at_once(
        *releases(block, ada, 2), lambda: standby.leave(code=row.code, driver_id=ben.pk, at=AT)
    )

    assert not failed(results)
    [asked] = open_offers(block)
    assert (asked.mode, asked.reserved_for in {ben, cy}) == ("reserved", True)
    assert len(making.facts_named("block.stand_by_asked")) == len(making.facts_named("block.released")) == 1


def test_without_the_locks_a_release_sent_twice_asks_twice_and_only_a_second_referee_stops_it(
    mall, block, ada, request
):
    """The control of those who move up: only the conditional end of the claim stops the second promotion."""
    making.claimed(block, ada)
    stand_by(mall, "Ben", "Cy")
    request.getfixturevalue("all_hold_it")

    results = making.at_once(*releases(block, ada, 3))

    assert failed(results)
    assert len(open_offers(block)) == 1


def test_without_the_locks_reserves_move_up_twice_and_only_a_second_referee_stops_it(request):
    """The control of the reserves of a draw, as above."""
    block = making.block([making.order(making.store(making.mall("plaza", market="reno", draws=True)))])
    making.entered(
        making.offer_of(block), *(making.driver(name, market="reno") for name in ("Ada", "Ben", "Cy"))
    )
    expiry.sweep(at=AT + 5 * MINUTE)
    winner, *_reserves = making.drawn(block)
    making.claimed(block, winner, at=AT + 6 * MINUTE)
    request.getfixturevalue("all_hold_it")

    results = making.at_once(
        *[lambda: claiming.release(block_code=block.code, driver_id=winner.pk, at=AT + HOUR)] * 3
    )

    assert failed(results)
    assert len(open_offers(block)) == 1
