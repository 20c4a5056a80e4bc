"""The counter: scans, the driver's code, and what is missing, damaged or too much."""

import pytest

from deliveries import custody, incidents, loading
from deliveries.models import Handover, Incident, Order, Parcel, Scan, Stop
from drivers import badge
from retaildelivery.outbox.models import Fact
from retaildelivery.testing.afternoon import (
    HOUR,
    MINUTE,
    NOW,
    evidence,
    facts_of,
    nothing_changes,
    picture,
    stops_of,
)
from stores.models import Store


@pytest.fixture
def order(afternoon):
    return afternoon.place()


@pytest.fixture
def pickup(afternoon, order):
    manifest = afternoon.loading(order)
    return stops_of(manifest, Stop.Kind.PICKUP)[0]


def custody_of(order):
    return [(p.status, p.custodian) for p in Parcel.objects.filter(order=order).order_by("number")]


def read(afternoon, stop, entered, *, event="", driver=None):
    return loading.scan(
        driver=driver or afternoon.ada,
        stop_code=stop.code,
        entered=entered,
        method="typed",
        evidence=evidence(event),
        at=NOW,
    )


def confirm(afternoon, driver_code, *, stop=None, stores=None, at=NOW):
    return loading.confirm_handover(
        stop_code=stop.code if stop else None,
        stores=Store.objects.all() if stores is None else stores,
        driver_code=driver_code,
        user=afternoon.sam,
        key_prefix="",
        at=at,
    )


def report(afternoon, stop, kind, parcel=None, *, at=NOW, event="", photo=None):
    return loading.report(
        driver=afternoon.ada,
        stop_code=stop.code,
        parcel_code=parcel.code if parcel else "",
        kind=kind,
        note="",
        evidence=evidence(event, at=at),
        at=at,
        photo=photo,
    )


# -- Custody passes with both halves


def test_a_scan_alone_passes_nothing(afternoon, order, pickup):
    scan = afternoon.scan(pickup, order.parcels.get(number=1))

    assert (scan.outcome, scan.method, scan.driver) == ("accepted", "camera", afternoon.ada)
    assert custody_of(order) == [("expected", "store")] * 2
    order.refresh_from_db()
    assert order.status == "at_pickup"


def test_the_drivers_code_alone_passes_nothing(afternoon, order, pickup):
    handover = afternoon.hand_over(pickup)

    assert (handover.driver, handover.confirmed_by) == (afternoon.ada, afternoon.sam)
    assert custody_of(order) == [("expected", "store")] * 2


def test_scans_and_then_the_code_pass_every_scanned_parcel(afternoon, order, pickup):
    afternoon.scan(pickup, order.parcels.get(number=1))

    afternoon.hand_over(pickup)

    assert custody_of(order) == [("loaded", "driver"), ("expected", "store")]


def test_after_the_code_each_scan_passes_its_parcel_and_the_last_picks_the_order_up(afternoon, order, pickup):
    afternoon.hand_over(pickup)
    for parcel in order.parcels.order_by("number"):
        afternoon.scan(pickup, parcel)

    order.refresh_from_db()
    pickup.refresh_from_db()
    assert custody_of(order) == [("loaded", "driver")] * 2
    assert (order.status, order.picked_up_at, pickup.status) == ("picked_up", NOW, "done")
    assert {parcel.driver for parcel in order.parcels.all()} == {afternoon.ada}


def test_the_code_of_another_driver_passes_nothing_and_is_kept(afternoon, order, pickup):
    afternoon.scan(pickup, order.parcels.get(number=1))

    with pytest.raises(loading.WrongDriverCode):
        confirm(afternoon, badge.code(afternoon.ben.badge_secret, NOW), stop=pickup)

    assert custody_of(order) == [("expected", "store")] * 2
    assert Handover.objects.count() == 0
    assert Fact.objects.get(name="handover.refused").subjects[0] == f"stop:{pickup.code}"


def test_after_eight_wrong_codes_even_the_right_one_waits(afternoon, pickup):
    for _ in range(8):
        with pytest.raises(loading.WrongDriverCode):
            confirm(afternoon, "000000", stop=pickup)

    with nothing_changes(), pytest.raises(loading.TooManyTries):
        afternoon.hand_over(pickup)

    assert afternoon.hand_over(pickup, at=NOW + 11 * MINUTE).driver == afternoon.ada


def test_the_code_alone_tells_which_driver_stands_there(afternoon, pickup):
    handover = confirm(afternoon, badge.code(afternoon.ada.badge_secret, NOW))

    assert handover.stop == pickup


def test_a_code_read_a_minute_ago_still_holds_and_an_older_one_does_not(afternoon, pickup):
    then = badge.code(afternoon.ada.badge_secret, NOW)

    with pytest.raises(loading.WrongDriverCode):
        confirm(afternoon, then, stop=pickup, at=NOW + 2 * MINUTE)
    assert confirm(afternoon, f"{then[:3]} {then[3:]}", stop=pickup, at=NOW + MINUTE).stop == pickup


def test_a_store_confirms_at_its_own_counter_only(afternoon, pickup):
    theirs = Store.objects.filter(pk=afternoon.shoes.pk)
    code = badge.code(afternoon.ada.badge_secret, NOW)

    with nothing_changes(), pytest.raises(custody.StopNotYours):
        confirm(afternoon, code, stop=pickup, stores=theirs)
    with pytest.raises(loading.WrongDriverCode):
        confirm(afternoon, code, stores=theirs)

    assert Handover.objects.count() == 0


def test_confirming_twice_is_one_handover(afternoon, pickup):
    first = afternoon.hand_over(pickup)

    with nothing_changes():
        assert afternoon.hand_over(pickup) == first


def test_a_driver_with_two_stops_at_the_same_counters_is_asked_for_one(afternoon, order):
    afternoon.loading(order, afternoon.place(afternoon.shoes))

    with nothing_changes(), pytest.raises(loading.SeveralStops):
        confirm(afternoon, badge.code(afternoon.ada.badge_secret, NOW))


# -- Labels


def test_a_label_typed_by_hand_is_read_with_spaces_dashes_and_small_letters(afternoon, order, pickup):
    code = order.parcels.get(number=1).code

    scan = read(afternoon, pickup, f" {code[:4].lower()}-{code[4:]} ")

    assert scan.parcel.code == code


@pytest.mark.parametrize(
    "entered", ["", "hello", "P23456789", "https://evil.example/P1", "x" * 5000, "P\x00\x07"]
)
def test_a_label_that_is_not_ours_is_refused_and_kept(afternoon, order, pickup, entered):
    with pytest.raises(loading.UnknownLabel):
        read(afternoon, pickup, entered)

    assert Scan.objects.get().outcome == "unknown"
    assert Fact.objects.filter(name="parcel.scan_refused").count() == 1
    assert custody_of(order) == [("expected", "store")] * 2


def test_a_parcel_of_another_stop_is_refused_and_kept(afternoon, pickup):
    other = afternoon.place(afternoon.shoes)

    with pytest.raises(loading.WrongStop):
        read(afternoon, pickup, other.parcels.first().code)

    assert Scan.objects.get().outcome == "wrong_stop"
    assert custody_of(other) == [("expected", "store")] * 2


def test_the_same_event_twice_is_one_scan(afternoon, order, pickup):
    parcel = order.parcels.get(number=1)
    first = afternoon.scan(pickup, parcel, event="e1")

    with nothing_changes():
        assert afternoon.scan(pickup, parcel, event="e1") == first


def test_a_refused_event_is_refused_again_and_kept_once(afternoon, pickup):
    for _ in range(2):
        with pytest.raises(loading.UnknownLabel):
            read(afternoon, pickup, "P23456789", event="e1")

    assert Scan.objects.count() == 1


def test_a_second_scan_of_a_parcel_says_so(afternoon, order, pickup):
    afternoon.scan(pickup, order.parcels.get(number=1))

    assert afternoon.scan(pickup, order.parcels.get(number=1)).outcome == "already"


def test_another_drivers_stop_is_not_found(afternoon, order, pickup):
    with nothing_changes(), pytest.raises(custody.StopNotYours):
        read(afternoon, pickup, order.parcels.first().code, driver=afternoon.ben)


def test_nothing_is_scanned_before_check_in(afternoon, order):
    manifest = afternoon.assign(afternoon.plan([order]), afternoon.ada)
    [stop] = stops_of(manifest, Stop.Kind.PICKUP)

    with nothing_changes(), pytest.raises(custody.WrongMoment):
        read(afternoon, stop, order.parcels.first().code)


# -- What is missing, damaged or too much


def test_a_missing_parcel_leaves_the_order_to_go_with_the_rest(afternoon, order, pickup):
    here, missing = order.parcels.order_by("number")
    afternoon.hand_over(pickup)
    afternoon.scan(pickup, here)

    incident = report(afternoon, pickup, "short", missing)

    order.refresh_from_db()
    assert (incident.fault, order.status) == ("store", "picked_up")
    assert custody_of(order) == [("loaded", "driver"), ("short", "store")]
    assert "parcel.short" in facts_of(order)


def test_an_order_of_which_nothing_is_there_waits_for_the_store(afternoon, order, pickup):
    for parcel in order.parcels.order_by("number"):
        report(afternoon, pickup, "short", parcel)

    order.refresh_from_db()
    pickup.refresh_from_db()
    assert (order.status, pickup.status) == ("placed", "skipped")
    assert order.consignments.get().ending == "left_behind"
    assert list(Order.objects.waiting()) == []


def test_a_parcel_that_is_found_again_can_be_loaded(afternoon, order, pickup):
    here, missing = order.parcels.order_by("number")
    report(afternoon, pickup, "short", missing)
    afternoon.hand_over(pickup)
    afternoon.scan(pickup, missing)
    afternoon.scan(pickup, here)

    assert custody_of(order) == [("loaded", "driver")] * 2


def test_a_damaged_parcel_stays_and_is_not_loaded(afternoon, order, pickup):
    parcel = order.parcels.get(number=1)

    incident = report(afternoon, pickup, "damaged", parcel, photo=picture())
    with pytest.raises(loading.ParcelDamaged):
        afternoon.scan(pickup, parcel)

    assert custody_of(order) == [("damaged", "store"), ("expected", "store")]
    assert incident.photo.size > 0


def test_an_order_that_does_not_fit_stays_whole_and_waits_again(afternoon, order, pickup):
    report(afternoon, pickup, "too_much", order.parcels.get(number=2))

    order.refresh_from_db()
    assert (order.status, list(Order.objects.waiting())) == ("placed", [order])
    assert custody_of(order) == [("expected", "store")] * 2


def test_what_does_not_fit_beside_what_is_loaded_stays_as_missing(afternoon, order, pickup):
    afternoon.hand_over(pickup)
    afternoon.scan(pickup, order.parcels.get(number=1))

    report(afternoon, pickup, "too_much", order.parcels.get(number=2))

    order.refresh_from_db()
    assert order.status == "picked_up"
    assert custody_of(order) == [("loaded", "driver"), ("short", "store")]


def test_a_scanned_parcel_is_not_missing(afternoon, order, pickup):
    parcel = order.parcels.get(number=1)
    afternoon.scan(pickup, parcel)

    with nothing_changes(), pytest.raises(incidents.AlreadyScanned):
        report(afternoon, pickup, "short", parcel)


def test_a_store_has_twenty_minutes_from_arrival(afternoon, order, pickup):
    loading.arrive_at_store(driver=afternoon.ada, stop_code=pickup.code, evidence=evidence(), at=NOW)

    with nothing_changes(), pytest.raises(incidents.TooEarlyToSkip) as refusal:
        report(afternoon, pickup, "store_not_ready", at=NOW + 19 * MINUTE)
    report(afternoon, pickup, "store_not_ready", at=NOW + 20 * MINUTE)

    order.refresh_from_db()
    pickup.refresh_from_db()
    assert refusal.value.params == {"minutes": 1}
    assert (order.status, pickup.status) == ("placed", "skipped")


def test_a_closed_store_is_left_at_once(afternoon, order, pickup):
    incident = report(afternoon, pickup, "store_closed")

    order.refresh_from_db()
    assert (incident.fault, order.status) == ("store", "placed")


def test_reporting_twice_is_one_incident(afternoon, order, pickup):
    parcel = order.parcels.get(number=1)
    first = report(afternoon, pickup, "short", parcel, event="e1")

    with nothing_changes():
        assert report(afternoon, pickup, "short", parcel, event="e1") == first


def test_a_kind_we_do_not_know_is_refused(afternoon, pickup):
    with nothing_changes(), pytest.raises(incidents.UnknownKind):
        report(afternoon, pickup, "aliens")
    assert Incident.objects.count() == 0


def test_an_event_from_last_week_is_refused(afternoon, order, pickup):
    with nothing_changes(), pytest.raises(Exception, match="too long ago"):
        loading.scan(
            driver=afternoon.ada,
            stop_code=pickup.code,
            entered=order.parcels.first().code,
            method="camera",
            evidence=evidence(at=NOW - 49 * HOUR),
            at=NOW,
        )
