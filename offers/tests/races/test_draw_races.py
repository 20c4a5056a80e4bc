"""Draws in real threads on a real database; each race beside a control without its referee."""

import threading
import time

import pytest

from offers import (
    awarding,
    claiming,
    declining,
    drawing,
    eligibility,
    expiry,
    locks,
    lottery,
    moves,
    places,
    withdrawing,
)
from offers.models import Award, Block, Claim, Draw, Entry, Offer
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE, START
from retaildelivery.outbox.recording import SYSTEM

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]

CLOSE = AT + 5 * MINUTE
JUST_BEFORE = CLOSE - MINUTE / 60_000


@pytest.fixture
def store():
    return making.store(making.mall(draws=True))


@pytest.fixture
def block(store):
    return making.block([making.order(store)])


@pytest.fixture
def drivers():
    return [making.driver(f"D{n}") for n in range(6)]


def fresh(offer):
    """Another process's own copy, with what the verbs read."""
    return Offer.objects.select_related("draw", "block__mall__market").get(pk=offer.pk)


def test_beats_that_fire_at_once_draw_once(block, drivers):
    offer = making.offer_of(block)
    making.entered(offer, *drivers)

    results = making.at_once(*(lambda: expiry.sweep(at=CLOSE) for _ in range(4)))

    assert sum(each for each in results if isinstance(each, int)) == 1
    assert len(making.facts_named("draw.drawn")) == 1
    assert Award.objects.count() == 1
    assert sorted(Entry.objects.values_list("rank", flat=True)) == [1, 2, 3, 4, 5, 6]


def test_without_the_locks_beats_would_draw_several_times(block, drivers, monkeypatch):
    """The control: sweeps that only look each draw, and only a constraint keeps the second from asking."""
    offer = making.offer_of(block)
    making.entered(offer, *drivers)
    monkeypatch.setattr(
        locks, "block_unless_busy", lambda pk: Block.objects.select_related("mall__market").get(pk=pk)
    )

    def slowly(pk):
        found = Draw.objects.get(pk=pk)
        time.sleep(0.2)
        return found

    monkeypatch.setattr(locks, "draw", slowly)
    ranked = []
    rank = lottery.rank
    monkeypatch.setattr(lottery, "rank", lambda *a: ranked.append(1) or rank(*a))

    making.at_once(*(lambda: expiry.sweep(at=CLOSE) for _ in range(4)))

    assert len(ranked) > 1
    assert Award.objects.live().count() <= 1


def entering(offer, drivers):
    return [lambda d=d: drawing.enter(offer=fresh(offer), driver=d, at=JUST_BEFORE) for d in drivers]


@pytest.mark.parametrize("round_", range(3))
def test_whoever_enters_while_it_is_drawn_is_drawn_or_refused_but_never_left_out(block, drivers, round_):
    offer = making.offer_of(block)
    making.entered(offer, drivers[0])

    *entries, _swept = making.at_once(*entering(offer, drivers[1:]), lambda: expiry.sweep(at=CLOSE))

    accepted = sum(isinstance(each, places.Place) for each in entries)
    refused = sum(isinstance(each, drawing.EntriesClosed) for each in entries)
    expiry.sweep(at=CLOSE)  # the beat after, should the first have met a busy block
    assert accepted + refused == len(drivers) - 1
    assert Entry.objects.count() == accepted + 1
    assert Entry.objects.filter(rank=None).count() == 0


def test_without_the_shared_lock_an_entry_is_accepted_and_left_out(block, drivers):
    """The control: an entry that looks first and writes afterwards stays without a rank."""
    offer = making.offer_of(block)
    making.entered(offer, drivers[0])

    def enter_by_looking():
        looked = fresh(offer)
        time.sleep(0.4)
        return looked.draw.drawn_at is None and Entry.objects.create(
            draw=looked.draw, driver=drivers[1], entrant="LATE", entered_at=JUST_BEFORE
        )

    made, _swept = making.at_once(enter_by_looking, lambda: (time.sleep(0.1), expiry.sweep(at=CLOSE)))

    assert isinstance(made, Entry)
    assert Entry.objects.filter(rank=None).count() == 1


@pytest.mark.parametrize("round_", range(3))
def test_confirming_while_the_hold_lapses_has_one_outcome(block, drivers, round_):
    offer = making.offer_of(block)
    making.entered(offer, *drivers)
    expiry.sweep(at=CLOSE)
    winner = Award.objects.get().driver
    lapse = CLOSE + 15 * MINUTE

    confirmed, _swept = making.at_once(
        lambda: claiming.claim(offer_code=offer.code, driver_id=winner.pk, at=lapse - MINUTE / 60_000),
        lambda: expiry.sweep(at=lapse),
    )

    block.refresh_from_db()
    endings = dict(Award.objects.values_list("driver", "ending"))
    if isinstance(confirmed, Claim):
        assert (block.status, endings) == ("claimed", {winner.pk: "confirmed"})
    else:
        assert isinstance(confirmed, claiming.OfferClosed | claiming.HoldLapsed)
        assert (block.status, endings[winner.pk], list(endings.values()).count("")) == (
            "offered",
            "lapsed",
            1,
        )
    assert Claim.objects.live().count() == isinstance(confirmed, Claim)


def test_one_driver_who_won_two_overlapping_draws_gets_one(store, drivers):
    ada = drivers[0]
    blocks = [making.block([making.order(store)], start=START + n * 30 * MINUTE) for n in range(2)]
    offers = [making.offer_of(each) for each in blocks]
    for offer in offers:
        making.entered(offer, ada)
    expiry.sweep(at=CLOSE)
    assert Award.objects.live().filter(driver=ada).count() == 2

    results = making.at_once(
        *(lambda o=o: claiming.claim(offer_code=o.code, driver_id=ada.pk, at=CLOSE) for o in offers)
    )

    assert sorted(type(each).__name__ for each in results) == ["Claim", "WindowOverlaps"]
    assert isinstance(next(each for each in results if not isinstance(each, Claim)), eligibility.Ineligible)
    assert Claim.objects.live().count() == 1


@pytest.mark.parametrize("round_", range(3))
def test_a_draw_while_the_block_is_withdrawn_leaves_nobody_asked(block, drivers, round_):
    making.entered(making.offer_of(block), *drivers)

    making.at_once(
        lambda: expiry.sweep(at=CLOSE),
        lambda: withdrawing.withdraw(block_code=block.code, reason="storm", actor=SYSTEM, at=CLOSE),
    )

    block.refresh_from_db()
    assert (block.status, Award.objects.live().count()) == ("withdrawn", 0)
    assert Offer.objects.filter(status="open").count() == 0


def test_without_the_blocks_lock_a_draw_asks_somebody_for_a_withdrawn_block(block, drivers, monkeypatch):
    """The control: a sweep that only looks at the block, and at the offer before the withdrawal is through."""
    making.entered(making.offer_of(block), *drivers)
    looked = threading.Event()
    weighed = drawing.weighed

    def look(pk):
        return Block.objects.select_related("mall__market", "policy", "manifest").get(pk=pk)

    def slowly(draw, *, at):
        looked.set()
        time.sleep(0.3)
        return weighed(draw, at=at)

    def withdraw():
        assert looked.wait(5)
        withdrawing.withdraw(block_code=block.code, reason="storm", actor=SYSTEM, at=CLOSE)

    monkeypatch.setattr(locks, "block_unless_busy", look)
    monkeypatch.setattr(drawing, "weighed", slowly)

    making.at_once(lambda: expiry.sweep(at=CLOSE), withdraw)

    block.refresh_from_db()
    assert (block.status, Award.objects.live().count()) == ("withdrawn", 1)


def test_without_the_lock_and_the_awards_own_update_the_next_is_asked_for_a_block_that_is_taken(
    block, drivers, monkeypatch
):
    """The control: a sweep that looked at the hold before the winner confirmed goes on to the next in rank."""
    offer = making.offer_of(block)
    making.entered(offer, *drivers)
    expiry.sweep(at=CLOSE)
    winner = Award.objects.get().driver
    lapse = CLOSE + 15 * MINUTE
    looked, ended = threading.Event(), awarding.end

    def look(pk):
        return Block.objects.select_related("mall__market", "policy", "manifest").get(pk=pk)

    def slowly(award, ending, **given):
        looked.set()
        time.sleep(0.3)
        return ended(award, ending, **given)

    def end_by_saving(award, ending, *, at):
        Award.objects.filter(pk=award.pk).update(ended_at=at, ending=ending)

    def confirm():
        assert looked.wait(5)
        return claiming.claim(offer_code=offer.code, driver_id=winner.pk, at=lapse - MINUTE / 60_000)

    monkeypatch.setattr(locks, "block_unless_busy", look)
    monkeypatch.setattr(awarding, "end", slowly)
    monkeypatch.setattr(moves, "end_award", end_by_saving)

    _swept, claim = making.at_once(lambda: expiry.sweep(at=lapse), confirm)

    assert isinstance(claim, Claim)
    assert Claim.objects.live().get().driver == winner
    assert Award.objects.live().exclude(driver=winner).count() == 1


@pytest.mark.parametrize("round_", range(3))
def test_declining_leaving_and_lapsing_at_once_asks_one_next(block, drivers, round_):
    offer = making.offer_of(block)
    making.entered(offer, *drivers)
    expiry.sweep(at=CLOSE)
    winner = Award.objects.get().driver
    lapse = CLOSE + 15 * MINUTE

    results = making.at_once(
        lambda: declining.decline(offer_code=offer.code, driver_id=winner.pk, reason="time", at=lapse),
        lambda: drawing.leave(offer=fresh(offer), driver=winner, at=lapse),
        lambda: expiry.sweep(at=lapse),
    )

    assert not [each for each in results if isinstance(each, Exception)]
    assert Award.objects.live().count() == 1
    assert Award.objects.count() == 2


@pytest.mark.parametrize("round_", range(3))
def test_a_release_against_the_reserve_who_moves_up_leaves_one_holder(block, drivers, round_):
    offer = making.offer_of(block)
    making.entered(offer, *drivers[:2])
    expiry.sweep(at=CLOSE)
    winner, reserve = making.drawn(block)
    claiming.claim(offer_code=offer.code, driver_id=winner.pk, at=CLOSE)

    def move_up():
        for _try in range(100):
            open_ = Offer.objects.filter(block=block, status="open").first()
            if open_ is not None:
                return claiming.claim(offer_code=open_.code, driver_id=reserve.pk, at=AT + HOUR)
            time.sleep(0.01)
        return None

    _released, moved = making.at_once(
        lambda: claiming.release(block_code=block.code, driver_id=winner.pk, at=AT + HOUR), move_up
    )

    assert Claim.objects.live().get() == moved
    assert moved.driver == reserve
    assert awarding.next_reserve(block) is None
