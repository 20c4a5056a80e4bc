"""Check-in, departure, lateness and no-shows, by the minute."""

import datetime as dt

import pytest
from redis.exceptions import ConnectionError as NoRedis

from deliveries.loading import NotLoaded
from deliveries.models import Order
from drivers.models import StandingEvent
from offers import attendance, claiming, feed
from offers.holding import ClaimNotYours
from offers.models import Block, Claim
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE, START
from retaildelivery.lib.geo import Point

pytestmark = pytest.mark.django_db

SECOND = dt.timedelta(seconds=1)
AT_MALL = Point(36.1280, -115.1720)
AWAY = Point(36.1400, -115.1720)


@pytest.fixture
def block():
    store = making.store(making.mall())
    return making.block([making.order(store, window=(START, START + 4 * HOUR))])


@pytest.fixture
def ada(block):
    driver = making.driver("Ada")
    claiming.claim(offer_code=making.offer_of(block).code, driver_id=driver.pk, at=AT)
    return driver


def check_in(block, driver, *, at=START, point=AT_MALL, accuracy_m=10, desk_code=""):
    return attendance.check_in(
        block_code=block.code,
        driver_id=driver.pk,
        point=point,
        accuracy_m=accuracy_m,
        desk_code=desk_code,
        at=at,
    )


def still_claimed(block):
    block.refresh_from_db()
    assert (block.status, block.checked_in_at) == ("claimed", None)
    assert making.facts_named("block.checked_in") == []


def test_check_in_opens_exactly_fifteen_minutes_before_the_start(block, ada):
    with pytest.raises(attendance.TooEarlyToCheckIn) as refusal:
        check_in(block, ada, at=START - 15 * MINUTE - SECOND)
    assert refusal.value.code == "too_early_to_check_in"
    still_claimed(block)

    check_in(block, ada, at=START - 15 * MINUTE)

    block.refresh_from_db()
    assert (block.status, block.checked_in_at) == ("checked_in", START - 15 * MINUTE)
    assert block.manifest.status == "loading"
    fact = making.facts_named("block.checked_in")[0]
    assert (fact.data["how"], fact.data["late"], fact.data["off_by_m"]) == ("position", False, 43)


def test_five_minutes_after_the_start_are_in_time_and_a_second_more_is_late(block, ada):
    check_in(block, ada, at=START + 5 * MINUTE)

    assert making.facts_named("block.checked_in")[0].data["late"] is False
    assert StandingEvent.objects.count() == 0


def test_a_late_check_in_counts_once(block, ada):
    check_in(block, ada, at=START + 5 * MINUTE + SECOND)
    check_in(block, ada, at=START + 6 * MINUTE)

    event = StandingEvent.objects.get()
    assert (event.kind, event.points, event.fault) == ("late", -2, "driver")
    assert len(making.facts_named("block.checked_in")) == 1


def test_twenty_minutes_after_the_start_it_is_too_late_though_no_sweep_has_run(block, ada):
    with pytest.raises(attendance.TooLateToCheckIn):
        check_in(block, ada, at=START + 20 * MINUTE)

    still_claimed(block)


def test_outside_the_circle_there_is_no_check_in(block, ada):
    with pytest.raises(attendance.OutsideGeofence) as refusal:
        check_in(block, ada, point=AWAY)

    assert (refusal.value.code, refusal.value.params["distance"]) == ("outside_geofence", 1368)
    still_claimed(block)


def test_a_phone_that_claims_not_to_know_where_it_is_gains_a_hundred_metres_at_most(block, ada):
    with pytest.raises(attendance.OutsideGeofence):
        check_in(block, ada, point=AWAY, accuracy_m=5_000)

    still_claimed(block)


def test_without_a_position_the_desks_code_is_asked_for(block, ada):
    with pytest.raises(attendance.PositionNeeded) as refusal:
        check_in(block, ada, point=None, accuracy_m=None)

    assert refusal.value.code == "position_needed"
    still_claimed(block)


def test_the_desks_code_opens_without_a_position_however_it_is_typed(block, ada):
    check_in(block, ada, point=None, accuracy_m=None, desk_code=" k7qx-4m ")

    assert making.facts_named("block.checked_in")[0].data["how"] == "desk"


def test_five_wrong_desk_codes_end_the_tries_even_for_the_right_one(block, ada):
    for _try in range(5):
        with pytest.raises(attendance.WrongDeskCode):
            check_in(block, ada, point=None, desk_code="WRONG2")

    with pytest.raises(attendance.TooManyTries) as refusal:
        check_in(block, ada, point=None, desk_code="K7QX4M")

    assert refusal.value.code == "too_many_tries"
    still_claimed(block)


def test_with_the_cache_away_the_right_desk_code_still_opens(block, ada, monkeypatch):
    def away(*_args, **_kwargs):
        raise NoRedis

    monkeypatch.setattr(attendance.cache, "add", away)

    with pytest.raises(attendance.WrongDeskCode):
        check_in(block, ada, point=None, desk_code="WRONG2")
    check_in(block, ada, point=None, desk_code="K7QX4M")

    block.refresh_from_db()
    assert block.status == "checked_in"


def test_nobody_checks_in_for_another(block, ada):
    with pytest.raises(ClaimNotYours):
        check_in(block, making.driver("Ben"))

    still_claimed(block)


def test_departure_needs_a_check_in_and_what_is_to_be_loaded(block, ada):
    with pytest.raises(attendance.NotCheckedIn):
        attendance.depart(block_code=block.code, driver_id=ada.pk, at=START)
    check_in(block, ada)

    with pytest.raises(NotLoaded) as refusal:
        attendance.depart(block_code=block.code, driver_id=ada.pk, at=START)

    assert refusal.value.code == "not_loaded"
    block.refresh_from_db()
    assert (block.status, making.facts_named("block.departed")) == ("checked_in", [])


def test_after_check_in_the_block_can_no_longer_be_released(block, ada):
    check_in(block, ada)

    with pytest.raises(claiming.AlreadyAtWork):
        claiming.release(block_code=block.code, driver_id=ada.pk, at=START)

    assert Claim.objects.live().count() == 1


def test_before_twenty_minutes_nobody_is_a_no_show(block, ada):
    assert attendance.sweep(at=START + 20 * MINUTE - SECOND) == 0
    still_claimed(block)


def test_a_no_show_ends_the_claim_counts_and_is_rescued_for_more(block, ada):
    at = START + 20 * MINUTE

    swept = [attendance.sweep(at=at), attendance.sweep(at=at)]

    block.refresh_from_db()
    assert swept == [1, 0]
    assert (block.status, block.ended_reason, Claim.objects.get().ending) == ("no_show", "no_show", "no_show")
    event = StandingEvent.objects.get()
    assert (event.kind, event.points) == ("no_show", -6)
    assert len(making.facts_named("block.no_show")) == 1
    rescue = Block.objects.exclude(pk=block.pk).get()
    assert (rescue.starts_at, rescue.length) == (START + 30 * MINUTE, 2 * HOUR)
    assert (rescue.status, rescue.shift_kind, rescue.hourly_cents) == ("offered", "short_notice", 2300)
    door = rescue.manifest.stops.get(kind="dropoff")
    assert door.planned_at == START + HOUR
    assert Order.objects.get().status == "planned"


def test_the_rescue_is_not_shown_to_who_did_not_come(block, ada):
    ben, at = making.driver("Ben"), START + 20 * MINUTE
    attendance.sweep(at=at)

    assert feed.offers(ada, at=at) == []
    assert [card.hourly_cents for card in feed.offers(ben, at=at)] == [2300]


def test_when_a_promise_can_no_longer_be_kept_the_orders_wait_for_a_person_or_a_wave(block, ada):
    Order.objects.update(window=making.DateTimeTZRange(AT, START - HOUR, "[)"))

    attendance.sweep(at=START + 20 * MINUTE)

    assert Block.objects.count() == 1
    assert Order.objects.waiting().count() == 1


def test_who_has_checked_in_is_no_no_show(block, ada):
    check_in(block, ada, at=START + 19 * MINUTE)

    assert attendance.sweep(at=START + 20 * MINUTE) == 0
