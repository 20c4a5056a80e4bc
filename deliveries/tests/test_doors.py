"""The door: no way to delivered but with what the order requires."""

import itertools

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from deliveries import closing, custody, doors, failing, photos
from deliveries.models import Attempt, Manifest, Order, Parcel, ProofOfDelivery, Stop
from deliveries.snapshots import order_snapshot
from retaildelivery.accounts.models import User
from retaildelivery.lib.geo import Point
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


def door_of(afternoon, **changes):
    """An order on the road with Ada, and its door."""
    order = afternoon.place(**changes)
    manifest = afternoon.on_route(order)
    return order, stops_of(manifest, Stop.Kind.DROPOFF)[0]


def status_of(order):
    return Order.objects.get(pk=order.pk).status


# -- Delivered


def test_a_proof_says_what_was_shown_and_where(afternoon):
    order, door = door_of(afternoon, requires_signature=True)
    nearby = Point(float(door.latitude) + 0.001, float(door.longitude))

    proof = doors.prove(
        driver=afternoon.ada,
        stop_code=door.code,
        order_code=order.code,
        proof=doors.ProofDraft(
            left_at="reception",
            photo=picture(),
            signature=picture(kind="PNG"),
            signed_by="Rosa Q.",
            signer_relationship="front_desk",
        ),
        evidence=evidence("e1", at=NOW - MINUTE, point=nearby),
        at=NOW,
    )

    assert (proof.left_at, proof.signed_by, proof.pin_matched) == ("reception", "Rosa Q.", False)
    assert proof.signer_relationship == "front_desk"
    assert (proof.at, proof.device_at, proof.client_event_id) == (NOW, NOW - MINUTE, "e1")
    assert len(proof.photo_sha256) == 64
    assert default_storage.exists(proof.photo.name)
    assert default_storage.exists(proof.signature.name)
    told = Fact.objects.get(name="order.delivered").data["proof"]
    assert (told["photo"], told["signature"], told["off_by_m"]) == (True, True, 111)


def test_orders_at_one_door_are_delivered_together(afternoon):
    books, shoes = afternoon.place(), afternoon.place(afternoon.shoes)
    manifest = afternoon.on_route(books, shoes)
    [door] = stops_of(manifest, Stop.Kind.DROPOFF)

    afternoon.deliver(door)

    door.refresh_from_db()
    assert [status_of(books), status_of(shoes), door.status] == ["delivered", "delivered", "done"]


def test_one_of_two_orders_at_a_door_leaves_the_door_open_for_the_other(afternoon):
    books, shoes = afternoon.place(), afternoon.place(afternoon.shoes)
    manifest = afternoon.on_route(books, shoes)
    [door] = stops_of(manifest, Stop.Kind.DROPOFF)

    afternoon.deliver(door, books)
    door.refresh_from_db()
    assert (door.status, status_of(shoes)) == ("arrived", "at_dropoff")
    afternoon.fail(door, "refused")

    door.refresh_from_db()
    assert (door.status, status_of(shoes)) == ("done", "returning")


REQUIRED = ("requires_photo", "requires_signature", "requires_pin", "minimum_age")


@pytest.mark.parametrize("wanted", list(itertools.product([False, True], repeat=4)))
def test_with_any_one_requirement_missing_nothing_is_delivered(afternoon, wanted):
    asked = dict(zip(REQUIRED, wanted, strict=True)) | {"minimum_age": 21 if wanted[3] else None}
    order, door = door_of(afternoon, **asked)
    full = {
        "photo": picture,
        "signature": lambda: picture(kind="PNG"),
        "pin": lambda: order.pin,
        "age_checked": lambda: True,
    }
    lacking = [name for name, is_wanted in zip(full, wanted, strict=True) if is_wanted]

    for missing in lacking:
        shown = {name: make() for name, make in full.items() if name != missing}
        with nothing_changes(), pytest.raises(doors.ProofIncomplete) as refusal:
            afternoon.deliver(
                door, **({"photo": None, "signed_by": "Rosa Q.", "signer_relationship": "recipient"} | shown)
            )
        assert [error.field for error in refusal.value.errors] == [missing]

    shown = {name: full[name]() for name in lacking}
    afternoon.deliver(
        door, **({"photo": None, "signed_by": "Rosa Q.", "signer_relationship": "recipient"} | shown)
    )
    assert status_of(order) == "delivered"


@pytest.mark.parametrize("place", ["front_door", "mailroom"])
def test_what_is_left_where_nobody_is_needs_a_photo_whatever_the_order_says(afternoon, place):
    order, door = door_of(afternoon, requires_photo=False)

    with nothing_changes(), pytest.raises(doors.ProofIncomplete):
        afternoon.deliver(door, left_at=place, photo=None)
    afternoon.deliver(door, left_at=place)

    assert status_of(order) == "delivered"


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        ({"requires_pin": True}, "front_door"),
        ({"requires_pin": True}, "neighbour"),
        ({"minimum_age": 21}, "reception"),
        ({"requires_signature": True}, "mailroom"),
    ],
)
def test_what_is_handed_over_in_person_is_not_left(afternoon, asked, place):
    order, door = door_of(afternoon, **asked)

    with nothing_changes(), pytest.raises(doors.ProofIncomplete) as refusal:
        afternoon.deliver(
            door,
            left_at=place,
            pin=order.pin,
            signature=picture(kind="PNG"),
            signed_by="R.",
            signer_relationship="household",
            age_checked=True,
        )

    assert [error.field for error in refusal.value.errors] == ["left_at"]


def test_nothing_but_a_proof_moves_an_order_to_delivered(afternoon):
    order, _door = door_of(afternoon)

    # The database itself: delivered without its time is refused, and so is its time without delivered.
    assert Order.MOVES["placed"] == {"planned", "cancelled"}
    before = {state for state, after in Order.MOVES.items() if "delivered" in after}
    assert before == {"en_route", "at_dropoff"}
    assert not ProofOfDelivery.objects.filter(order=order).exists()


@pytest.mark.parametrize("state", ["loading", "assigned"])
def test_nothing_is_delivered_before_departure(afternoon, state):
    order = afternoon.place()
    manifest = afternoon.assign(afternoon.plan([order]), afternoon.ada)
    opened = {"loading": afternoon.open, "assigned": lambda same: same}[state](manifest)
    [door] = stops_of(opened, Stop.Kind.DROPOFF)

    with nothing_changes(), pytest.raises(custody.WrongMoment):
        afternoon.deliver(door)


# -- The PIN


def test_the_right_pin_delivers(afternoon):
    order, door = door_of(afternoon, requires_pin=True)

    proof = afternoon.deliver(door, pin=f" {order.pin} ")

    assert (proof.pin_matched, status_of(order)) == (True, "delivered")


def wrong(order):
    return f"{(int(order.pin) + 1) % 10_000:04d}"


def test_a_wrong_pin_is_counted_and_kept_as_a_fact_and_delivers_nothing(afternoon):
    order, door = door_of(afternoon, requires_pin=True)

    with pytest.raises(doors.WrongPin) as refusal:
        afternoon.deliver(door, pin=wrong(order))

    order.refresh_from_db()
    assert (order.status, order.pin_failures, refusal.value.params) == ("en_route", 1, {"left": 2})
    fact = Fact.objects.get(name="proof.refused")
    assert (fact.data["reason"], fact.data["tries_left"]) == ("wrong_pin", 2)
    assert wrong(order) not in str(fact.data)
    assert ProofOfDelivery.objects.count() == 0


def test_operations_read_in_words_why_a_proof_was_refused(afternoon, client):
    order, door = door_of(afternoon, requires_pin=True)
    with pytest.raises(doors.WrongPin):
        afternoon.deliver(door, pin=wrong(order))
    client.force_login(User.objects.create_user(email="olga@example.com", password=None, is_staff=True))

    page = client.get(f"/ops/orders/{order.code}/").content.decode()

    assert "wrong PIN" in page
    assert "wrong_pin" not in page


def test_the_same_wrong_event_sent_again_is_not_a_second_try(afternoon):
    order, door = door_of(afternoon, requires_pin=True)

    for _ in range(3):
        with pytest.raises(doors.WrongPin):
            afternoon.deliver(door, pin=wrong(order), event="e1")

    order.refresh_from_db()
    assert order.pin_failures == 1


def test_after_three_wrong_pins_the_right_one_is_refused_and_the_order_goes_back(afternoon):
    order, door = door_of(afternoon, requires_pin=True)
    for _ in range(2):
        with pytest.raises(doors.WrongPin):
            afternoon.deliver(door, pin=wrong(order))
    with pytest.raises(doors.PinLocked):
        afternoon.deliver(door, pin=wrong(order))

    with nothing_changes(), pytest.raises(doors.PinLocked):
        afternoon.deliver(door, pin=order.pin)
    afternoon.fail(door, "pin_failed")

    assert status_of(order) == "returning"


def test_the_pin_is_in_nothing_that_is_told(afternoon):
    order, door = door_of(afternoon, requires_pin=True)
    with pytest.raises(doors.WrongPin):
        afternoon.deliver(door, pin=wrong(order))
    afternoon.deliver(door, pin=order.pin)

    # A PIN that no time, code or coordinate could hold by chance.
    Order.objects.filter(pk=order.pk).update(pin="\u2460\u2461")
    order.refresh_from_db()
    assert "\u2460" not in str(order_snapshot(order))
    assert all("pin" not in fact.data.get("order", {}) for fact in Fact.objects.all())


# -- Repeats and strangers


def test_the_same_proof_twice_is_one_delivery_and_keeps_no_second_picture(afternoon, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    _order, door = door_of(afternoon)
    first = afternoon.deliver(door, event="e1")

    with nothing_changes():
        assert afternoon.deliver(door, event="e1") == first

    assert len(list(tmp_path.rglob("*.jpg"))) == 1


def test_a_refused_proof_keeps_no_picture(afternoon, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    _order, door = door_of(afternoon, requires_signature=True)

    with nothing_changes(), pytest.raises(doors.ProofIncomplete):
        afternoon.deliver(door)

    assert list(tmp_path.rglob("*.jpg")) == []


@pytest.mark.parametrize(
    "content",
    [b"", b"not a picture", b"<svg onload=alert(1)>", b"GIF89a" + b"\0" * 40, b"\xff\xd8\xff broken"],
)
def test_what_is_no_picture_is_refused(afternoon, content):
    _order, door = door_of(afternoon)

    with nothing_changes(), pytest.raises(photos.PictureRefused) as refusal:
        afternoon.deliver(door, photo=ContentFile(content, name="door.jpg"))

    assert refusal.value.field == "photo"


def test_a_picture_larger_than_a_phone_takes_is_refused(afternoon):
    _order, door = door_of(afternoon)
    huge = ContentFile(picture().read() + b"\0" * 8 * 1024 * 1024, name="door.jpg")

    with nothing_changes(), pytest.raises(photos.PictureRefused):
        afternoon.deliver(door, photo=huge)


def test_another_driver_cannot_prove_or_fail(afternoon):
    order, door = door_of(afternoon)

    with nothing_changes(), pytest.raises(custody.StopNotYours):
        doors.prove(
            driver=afternoon.ben,
            stop_code=door.code,
            order_code=order.code,
            proof=doors.ProofDraft(photo=picture()),
            evidence=evidence(),
            at=NOW,
        )


def test_an_order_of_another_door_is_not_here(afternoon):
    near, far = afternoon.place(), afternoon.place(point=Point(36.15, -115.2))
    manifest = afternoon.on_route(near, far)
    first, _second = stops_of(manifest, Stop.Kind.DROPOFF)

    with nothing_changes(), pytest.raises(closing.OrderNotHere):
        afternoon.deliver(first, far)


def test_going_to_another_door_leaves_the_first_to_be_done(afternoon):
    near, far = afternoon.place(), afternoon.place(point=Point(36.15, -115.2))
    manifest = afternoon.on_route(near, far)
    first, second = stops_of(manifest, Stop.Kind.DROPOFF)

    for stop in (first, second):
        doors.arrive(driver=afternoon.ada, stop_code=stop.code, evidence=evidence(), at=NOW)

    first.refresh_from_db()
    assert (first.status, first.arrived_at, status_of(near), status_of(far)) == (
        "planned",
        None,
        "en_route",
        "at_dropoff",
    )


def test_an_arrival_says_how_far_away_the_phone_was(afternoon):
    _order, door = door_of(afternoon)

    doors.arrive(
        driver=afternoon.ada, stop_code=door.code, evidence=evidence(point=Point(36.1763, -115.1787)), at=NOW
    )
    with nothing_changes():
        doors.arrive(driver=afternoon.ada, stop_code=door.code, evidence=evidence(), at=NOW + HOUR)

    door.refresh_from_db()
    assert (door.status, door.arrived_off_by_m) == ("arrived", 1_001)


def test_what_a_phone_sends_again_when_all_is_done_changes_nothing(afternoon):
    near, far = afternoon.place(), afternoon.place(point=Point(36.15, -115.2))
    manifest = afternoon.on_route(near, far)
    first, second = stops_of(manifest, Stop.Kind.DROPOFF)
    afternoon.deliver(first, event="e1")
    afternoon.fail(second, event="e2")

    with nothing_changes():
        doors.arrive(driver=afternoon.ada, stop_code=first.code, evidence=evidence("e0"), at=NOW + HOUR)
        afternoon.deliver(first, event="e1", at=NOW + HOUR)
        afternoon.fail(second, event="e2", at=NOW + HOUR)


# -- Not delivered


@pytest.mark.parametrize("reason", Attempt.Reason.values)
def test_a_failed_attempt_sends_the_order_back_with_its_reason(afternoon, reason):
    order, door = door_of(afternoon)

    attempt = afternoon.fail(door, reason)

    order.refresh_from_db()
    door.refresh_from_db()
    assert (attempt.reason, order.status, order.failed_at, door.status) == (
        reason,
        "returning",
        NOW,
        "failed",
    )
    assert {(p.status, p.custodian) for p in order.parcels.all()} == {("return_due", "driver")}
    [back] = stops_of(door.manifest, Stop.Kind.RETURN)
    assert (back.store, order.consignments.get().return_stop) == (afternoon.bookshop, back)
    assert Manifest.objects.get().status == "returning"
    assert facts_of(order)[-2:] == ["order.attempt_failed", "order.returning"]


def test_a_failed_attempt_sent_twice_is_one_attempt(afternoon):
    _order, door = door_of(afternoon)
    first = afternoon.fail(door, event="e1")

    with nothing_changes():
        assert afternoon.fail(door, event="e1") == first


def test_two_orders_of_one_store_come_back_at_one_stop(afternoon):
    near, far = afternoon.place(), afternoon.place(point=Point(36.15, -115.2))
    manifest = afternoon.on_route(near, far)

    for stop in stops_of(manifest, Stop.Kind.DROPOFF):
        afternoon.fail(stop)

    assert len(stops_of(manifest, Stop.Kind.RETURN)) == 1


def test_what_the_seller_wants_disposed_of_does_not_come_back(afternoon):
    order, door = door_of(afternoon, undeliverable="dispose")

    afternoon.fail(door, "nobody_home")

    order.refresh_from_db()
    assert (order.status, order.disposed_at) == ("disposed", NOW)
    assert {(p.status, p.custodian) for p in order.parcels.all()} == {("disposed", "nobody")}
    assert order.incidents.get().resolution == "disposed of, as the seller asked"
    assert stops_of(door.manifest, Stop.Kind.RETURN) == []
    assert Manifest.objects.get().status == "completed"


def test_what_is_damaged_comes_back_even_then(afternoon):
    order, door = door_of(afternoon, undeliverable="dispose")

    afternoon.fail(door, "damaged")

    assert status_of(order) == "returning"


def test_a_reason_of_ones_own_is_refused(afternoon):
    _order, door = door_of(afternoon)

    with nothing_changes(), pytest.raises(failing.ReasonUnknown):
        afternoon.fail(door, "no_mood")


def test_what_failed_is_not_delivered_after_all(afternoon):
    order, door = door_of(afternoon)
    afternoon.fail(door)

    with nothing_changes(), pytest.raises(custody.StopClosed):
        afternoon.deliver(door)
    assert status_of(order) == "returning"


def test_a_late_event_cannot_touch_what_was_given_to_another_driver(afternoon):
    order = afternoon.place()
    manifest = afternoon.loading(order)
    [pickup] = stops_of(manifest, Stop.Kind.PICKUP)
    from_ada = evidence("e1", at=NOW)
    Manifest.objects.filter(pk=manifest.pk).update(driver=afternoon.ben)

    with nothing_changes(), pytest.raises(custody.StopNotYours):
        doors.arrive(driver=afternoon.ada, stop_code=pickup.code, evidence=from_ada, at=NOW + HOUR)
    assert {p.custodian for p in Parcel.objects.all()} == {"store"}
