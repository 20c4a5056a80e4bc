"""Draws: entering, the result, who is asked, and what comes when nobody takes it."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from offers import (
    awarding,
    claiming,
    declining,
    drawing,
    drawrules,
    eligibility,
    expiry,
    lottery,
    withdrawing,
)
from offers.models import Award, Claim, Draw, DrawRules, Entry, Offer
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE, START
from retaildelivery.accounts.models import User
from retaildelivery.outbox.models import Message
from retaildelivery.outbox.recording import SYSTEM

pytestmark = pytest.mark.django_db

MILLISECOND = dt.timedelta(milliseconds=1)
CLOSE = AT + 5 * MINUTE


@pytest.fixture
def block():
    return making.block([making.order(making.store(making.mall(draws=True)))])


@pytest.fixture
def offer(block):
    return making.offer_of(block)


@pytest.fixture
def drivers():
    return [making.driver(name) for name in ("Ada", "Ben", "Chidi")]


def test_an_offer_opens_as_a_draw_that_commits_itself_to_a_seed(block, offer):
    draw = Draw.objects.get()

    assert (offer.mode, offer.status, offer.closes_at, draw.hold) == ("draw", "open", CLOSE, 15 * MINUTE)
    assert draw.seed_hash == lottery.commitment(draw.seed)
    assert draw.drawn_at is None
    published = making.facts_named("block.published")[0].data["offer"]
    assert (published["mode"], published["seed_hash"]) == ("draw", draw.seed_hash)
    assert draw.seed not in str(published)


@pytest.mark.parametrize(
    ("left", "mode"), [(HOUR, "draw"), (HOUR - MILLISECOND, "first_come"), (20 * MINUTE, "first_come")]
)
def test_with_less_than_an_hour_to_the_start_an_offer_is_first_come(left, mode):
    store = making.store(making.mall(draws=True))

    assert making.offer_of(making.block([making.order(store)], start=AT + left)).mode == mode


def test_a_market_sets_its_own_rules_from_a_day_on(block):
    market = block.mall.market
    rules = {"first_come_within": 10 * MINUTE, "entries": 2 * MINUTE, "hold": 4 * MINUTE}
    DrawRules.objects.create(market=market, valid_from=dt.date(2026, 11, 23), **rules)
    DrawRules.objects.create(market=market, valid_from=dt.date(2026, 11, 24), **rules | {"hold": MINUTE})

    offer = making.offer_of(making.block([making.order(making.store(block.mall, "Quill"))]))

    assert (offer.closes_at - AT, offer.draw.hold) == (2 * MINUTE, 4 * MINUTE)


def test_the_database_refuses_entries_of_less_than_the_laws_minute(block):
    with pytest.raises(IntegrityError), transaction.atomic():
        DrawRules.objects.create(
            market=block.mall.market,
            valid_from=dt.date(2026, 1, 1),
            first_come_within=HOUR,
            entries=dt.timedelta(seconds=59),
            hold=HOUR,
        )


def test_entering_twice_is_one_entry_and_leaving_takes_it_back(offer, drivers):
    first = drawing.enter(offer=offer, driver=drivers[0], at=AT)
    again = drawing.enter(offer=offer, driver=drivers[0], at=AT + MINUTE)

    assert again == first
    assert Entry.objects.get().entered_at == AT
    assert first.entrant == lottery.entrant_code(offer=offer.code, driver=drivers[0].code)

    drawing.leave(offer=offer, driver=drivers[0], at=AT + MINUTE)
    drawing.leave(offer=offer, driver=drivers[0], at=AT + 2 * MINUTE)
    assert Entry.objects.get().withdrawn_at == AT + MINUTE
    drawing.enter(offer=offer, driver=drivers[0], at=AT + 3 * MINUTE)
    assert (Entry.objects.get().withdrawn_at, Entry.objects.get().entered_at) == (None, AT + 3 * MINUTE)


def test_entries_are_taken_until_just_before_the_close_whenever_the_sweep_comes(offer, drivers):
    drawing.enter(offer=offer, driver=drivers[0], at=CLOSE - MILLISECOND)

    with pytest.raises(drawing.EntriesClosed):
        drawing.enter(offer=offer, driver=drivers[1], at=CLOSE)
    assert Entry.objects.count() == 1


def test_who_may_not_have_the_block_may_not_enter(offer):
    with pytest.raises(eligibility.NotApproved):
        drawing.enter(offer=offer, driver=making.driver("Eve", status="applied"), at=AT)
    assert Entry.objects.count() == 0


def test_an_offer_that_is_first_come_has_no_entries(drivers):
    store = making.store(making.mall(draws=True))
    offer = making.offer_of(making.block([making.order(store)], start=AT + 30 * MINUTE))

    with pytest.raises(drawing.NotADraw):
        drawing.enter(offer=offer, driver=drivers[0], at=AT)


def test_the_draw_ranks_all_and_asks_the_first_who_confirms(block, offer, drivers):
    making.entered(offer, *drivers)
    with pytest.raises(claiming.EnterTheDraw):
        claiming.claim(offer_code=offer.code, driver_id=drivers[0].pk, at=AT)

    assert expiry.sweep(at=CLOSE) == 1

    ranked = making.drawn(block)
    draw = Draw.objects.get()
    places = lottery.rank(draw.seed, [lottery.Entrant(e.entrant, 1000) for e in Entry.objects.all()])
    assert [lottery.entrant_code(offer=offer.code, driver=d.code) for d in ranked] == [
        place.entrant.code for place in places
    ]
    award = Award.objects.get()
    assert (award.driver, award.asked_at, award.holds_until) == (ranked[0], CLOSE, CLOSE + 15 * MINUTE)
    with pytest.raises(claiming.NotAsked):
        claiming.claim(offer_code=offer.code, driver_id=ranked[1].pk, at=CLOSE)

    claim = claiming.claim(offer_code=offer.code, driver_id=ranked[0].pk, at=CLOSE + MINUTE)

    offer.refresh_from_db()
    award.refresh_from_db()
    assert (claim.driver, offer.status, award.ending) == (ranked[0], "awarded", "confirmed")
    assert [fact.name for fact in making.facts_named("award.made")] == ["award.made"]
    told = making.facts_named("draw.drawn")[0].data
    assert (told["seed"], told["entries"], told["entries_digest"]) == (draw.seed, 3, draw.entries_digest)


def test_a_draw_is_drawn_once_however_often_and_late_the_sweep_comes(block, offer, drivers):
    making.entered(offer, *drivers)
    late = CLOSE + 40 * MINUTE

    assert [expiry.sweep(at=late), expiry.sweep(at=late), expiry.end(offer_id=offer.pk, at=late)] == [
        1,
        0,
        False,
    ]

    assert len(making.facts_named("draw.drawn")) == 1
    assert Award.objects.get().holds_until == late + 15 * MINUTE
    assert Draw.objects.get().drawn_at == late


def test_a_hold_that_lapses_goes_to_the_next_reserve_and_counts_against_nobody(block, offer, drivers):
    making.entered(offer, *drivers)
    expiry.sweep(at=CLOSE)
    first, second, third = making.drawn(block)
    lapse = CLOSE + 15 * MINUTE

    with pytest.raises(claiming.HoldLapsed):
        claiming.claim(offer_code=offer.code, driver_id=first.pk, at=lapse)
    assert expiry.sweep(at=lapse - MILLISECOND) == 0
    assert expiry.sweep(at=lapse) == 1
    assert expiry.sweep(at=lapse) == 0

    assert list(Award.objects.order_by("pk").values_list("driver", "ending")) == [
        (first.pk, "lapsed"),
        (second.pk, ""),
    ]
    assert first.standing_events.count() == 0
    assert claiming.claim(offer_code=offer.code, driver_id=second.pk, at=lapse).driver == second
    assert third not in {award.driver for award in Award.objects.all()}


def test_the_winner_may_confirm_until_just_before_the_hold_ends(block, offer, drivers):
    making.entered(offer, *drivers)
    expiry.sweep(at=CLOSE)
    winner = making.drawn(block)[0]

    claim = claiming.claim(offer_code=offer.code, driver_id=winner.pk, at=CLOSE + 15 * MINUTE - MILLISECOND)

    assert claim.driver == winner


def test_a_winner_who_declines_hands_on_at_once(block, offer, drivers):
    making.entered(offer, *drivers)
    expiry.sweep(at=CLOSE)
    first, second, _third = making.drawn(block)

    declining.decline(offer_code=offer.code, driver_id=first.pk, reason="time", at=CLOSE + MINUTE)

    live = Award.objects.live().get()
    assert (live.driver, live.asked_at) == (second, CLOSE + MINUTE)
    assert making.facts_named("award.declined")[0].actor_kind == "system"


def test_a_reserve_who_left_is_not_asked(block, offer, drivers):
    making.entered(offer, *drivers)
    expiry.sweep(at=CLOSE)
    first, second, third = making.drawn(block)

    drawing.leave(offer=offer, driver=second, at=CLOSE)
    drawing.leave(offer=offer, driver=first, at=CLOSE)

    assert Award.objects.live().get().driver == third


def test_who_is_no_longer_eligible_is_passed_over_with_the_reason(block, offer, drivers):
    making.entered(offer, *drivers)
    for driver in drivers[:2]:
        driver.status = "suspended"
        driver.suspended_at = AT
        driver.save(update_fields=["status", "suspended_at"])

    expiry.sweep(at=CLOSE)

    assert Award.objects.live().get().driver == drivers[2]
    passed = Award.objects.filter(ending="ineligible")
    assert {award.reason for award in passed} <= {"not_approved"}


def test_a_draw_that_nobody_entered_becomes_first_come_at_the_same_price(block, offer, drivers):
    expiry.sweep(at=CLOSE)

    offer.refresh_from_db()
    again = making.offer_of(block)
    assert (offer.status, again.mode, again.hourly_cents) == ("expired", "first_come", offer.hourly_cents)
    assert again.closes_at == START - 2 * HOUR
    assert again.ladder == offer.ladder
    assert claiming.claim(offer_code=again.code, driver_id=drivers[0].pk, at=CLOSE).driver == drivers[0]


def test_when_nobody_who_was_drawn_takes_it_all_may(block, offer, drivers):
    making.entered(offer, drivers[0])
    expiry.sweep(at=CLOSE)

    expiry.sweep(at=CLOSE + 15 * MINUTE)

    assert (making.offer_of(block).mode, Award.objects.get().ending) == ("first_come", "lapsed")


def test_a_worker_that_comes_back_after_a_price_step_goes_on_at_the_price_that_is_due(block, offer):
    expiry.sweep(at=START - 2 * HOUR + MINUTE)

    again = making.offer_of(block)
    assert (again.mode, again.hourly_cents, again.closes_at) == ("first_come", 1900, START - HOUR)


def test_a_worker_that_comes_back_after_the_start_publishes_the_result_and_gives_the_block_up(
    block, offer, drivers
):
    making.entered(offer, *drivers)

    expiry.sweep(at=START)

    block.refresh_from_db()
    assert (block.status, Draw.objects.get().drawn_at, Award.objects.count()) == ("expired", START, 0)
    assert Offer.objects.filter(status="open").count() == 0


def test_a_hold_is_never_longer_than_half_of_what_is_left(block, offer, drivers):
    hold = 15 * MINUTE
    assert drawrules.hold_until(hold=hold, start=START, at=START - 20 * MINUTE) == START - 10 * MINUTE
    assert drawrules.hold_until(hold=hold, start=START, at=START - 30 * MINUTE) == START - 15 * MINUTE
    assert drawrules.hold_until(hold=hold, start=START, at=START - 9 * MINUTE) is None


def test_when_the_winner_drops_out_later_the_next_reserve_has_it_reserved(block, offer, drivers):
    making.entered(offer, *drivers)
    expiry.sweep(at=CLOSE)
    first, second, third = making.drawn(block)
    claiming.claim(offer_code=offer.code, driver_id=first.pk, at=CLOSE)
    assert awarding.next_reserve(block).driver == second

    claiming.release(block_code=block.code, driver_id=first.pk, at=AT + HOUR)

    reserved = making.offer_of(block)
    until = AT + HOUR + 15 * MINUTE
    assert (reserved.mode, reserved.reserved_for, reserved.closes_at) == ("reserved", second, until)
    with pytest.raises(claiming.ReservedForAnother):
        claiming.claim(offer_code=reserved.code, driver_id=third.pk, at=AT + HOUR)

    expiry.sweep(at=until)

    after = making.offer_of(block)
    assert (after.mode, after.reserved_for) == ("reserved", third)
    assert claiming.claim(offer_code=after.code, driver_id=third.pk, at=until).driver == third
    assert Award.objects.get(driver=third).ending == "confirmed"


def test_a_reserved_offer_that_nobody_is_left_for_goes_on_to_all(block, offer, drivers):
    making.entered(offer, *drivers[:2])
    expiry.sweep(at=CLOSE)
    first, second = making.drawn(block)
    claiming.claim(offer_code=offer.code, driver_id=first.pk, at=CLOSE)
    claiming.release(block_code=block.code, driver_id=first.pk, at=AT + HOUR)

    declining.decline(
        offer_code=making.offer_of(block).code, driver_id=second.pk, reason="time", at=AT + HOUR
    )

    again = making.offer_of(block)
    assert (again.mode, again.closes_at) == ("draw", AT + HOUR + 5 * MINUTE)


def test_withdrawing_the_block_ends_what_was_asked(block, offer, drivers):
    making.entered(offer, *drivers)
    expiry.sweep(at=CLOSE)

    withdrawing.withdraw(block_code=block.code, reason="storm", actor=SYSTEM, at=CLOSE)

    offer.refresh_from_db()
    assert (offer.status, Award.objects.get().ending) == ("withdrawn", "offer_ended")
    assert expiry.sweep(at=START) == 0
    assert Claim.objects.count() == 0


def test_weights_are_the_standing_shared_among_recent_wins():
    assert [drawrules.weight(points=p, wins=0) for p in (10, 9, 0, -1, -12)] == [1200, 1000, 1000, 600, 600]
    assert [drawrules.weight(points=0, wins=w) for w in (0, 1, 2, 5000)] == [1000, 500, 333, 1]


def test_who_won_lately_weighs_less_as_of_the_close(block, offer, drivers):
    ada, ben, _chidi = drivers
    store = making.store(block.mall, "Quill")
    DrawRules.objects.create(
        market=block.mall.market,
        valid_from=dt.date(2026, 1, 1),
        first_come_within=100 * HOUR,
        entries=MINUTE,
        hold=MINUTE,
    )
    tomorrow = making.block([making.order(store)], start=START + 24 * HOUR)
    later = making.block([making.order(store)], start=START + 26 * HOUR)
    making.claimed(tomorrow, ada)
    making.entered(offer, ada, ben)
    making.claimed(later, ben, at=CLOSE + MINUTE)

    expiry.sweep(at=CLOSE + 2 * MINUTE)

    assert dict(Entry.objects.values_list("driver", "wins")) == {ada.pk: 1, ben.pk: 0}
    assert dict(Entry.objects.values_list("driver", "weight")) == {ada.pk: 500, ben.pk: 1000}


def test_who_is_asked_is_told_by_mail_in_their_language_while_it_is_theirs(block, offer, drivers):
    making.entered(offer, drivers[0])
    User.objects.filter(pk=drivers[0].user_id).update(locale="es")
    expiry.sweep(at=CLOSE)

    making.relay_all(at=CLOSE)

    mail = Message.objects.get(name="award_made")
    assert mail.to == drivers[0].user.email
    assert mail.subject == "El sorteo te pregunta: fashion-show mall, hasta las 10:20 AM"
    assert f"/drive/offers/{offer.code}/" in mail.text


def test_who_was_asked_and_let_it_lapse_is_not_told_afterwards(block, offer, drivers):
    making.entered(offer, drivers[0])
    expiry.sweep(at=CLOSE)
    expiry.sweep(at=CLOSE + 15 * MINUTE)

    making.relay_all(at=CLOSE + 15 * MINUTE)

    assert not Message.objects.filter(name="award_made").exists()
