"""What an order asks for at the counters and at the door: photo, signature with a name, labels read."""

import base64

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from deliveries import bundle, countersigning, loading, proof_pdf
from deliveries.doors import ProofIncomplete
from deliveries.models import CounterProof, Manifest, Order, ProofOfDelivery, Stop
from drivers import tokens
from retaildelivery.lib.geo import Point
from retaildelivery.testing.afternoon import HOUR, NOW, evidence, nothing_changes, picture, stops_of
from retaildelivery.testing.sellers import nothing_happened, order_body


@pytest.fixture(autouse=True)
def _now(time_machine):
    time_machine.move_to(NOW, tick=False)


def keep(afternoon, stop, *, photo=True, signature=False, signed_by="", event="", driver=None):
    return countersigning.keep(
        driver=driver or afternoon.ada,
        stop_code=stop.code,
        photo=picture() if photo else None,
        signature=picture(kind="PNG") if signature else None,
        signed_by=signed_by,
        evidence=evidence(event),
        at=NOW,
    )


def pickup_of(manifest):
    return stops_of(manifest, Stop.Kind.PICKUP)[0]


# -- When it is collected


def test_a_driver_cannot_leave_without_the_photo_that_an_order_asks_for_at_the_counter(afternoon):
    manifest = afternoon.loading(afternoon.place(pickup_photo=True))
    afternoon.collect(manifest)

    with pytest.raises(loading.NotProved, match="Nova Books"), nothing_changes():
        afternoon.depart(manifest)

    keep(afternoon, pickup_of(manifest))
    afternoon.depart(manifest)
    assert Manifest.objects.get().status == "on_route"


def test_a_signature_at_the_counter_needs_a_name_and_does_not_stand_for_the_photo(afternoon):
    manifest = afternoon.loading(afternoon.place(pickup_photo=True, pickup_signature=True))
    afternoon.collect(manifest)
    with pytest.raises(ProofIncomplete) as refused, nothing_changes():
        keep(afternoon, pickup_of(manifest), photo=False, signature=True)
    assert [error.field for error in refused.value.errors] == ["signed_by"]

    keep(afternoon, pickup_of(manifest), photo=False, signature=True, signed_by="Sam Okafor")

    with pytest.raises(loading.NotProved):
        afternoon.depart(manifest)
    keep(afternoon, pickup_of(manifest))
    assert afternoon.depart(manifest).status == "on_route"


def test_what_was_never_collected_asks_for_nothing(afternoon):
    asking, plain = afternoon.place(pickup_photo=True), afternoon.place(line1="9 Elm Street")
    manifest = afternoon.loading(asking, plain)
    pickup = pickup_of(manifest)
    for parcel in asking.parcels.all():
        loading.report(
            driver=afternoon.ada, stop_code=pickup.code, parcel_code=parcel.code, kind="short", note="",
            evidence=evidence(), at=NOW, photo=None,
        )  # fmt: skip
    for parcel in plain.parcels.all():
        afternoon.scan(pickup, parcel)
    afternoon.hand_over(pickup)

    assert afternoon.depart(manifest).status == "on_route"


def test_the_same_press_twice_keeps_one_proof(afternoon):
    manifest = afternoon.loading(afternoon.place(pickup_photo=True))

    first = keep(afternoon, pickup_of(manifest), event="press-1")

    assert keep(afternoon, pickup_of(manifest), event="press-1") == first
    assert CounterProof.objects.count() == 1


def test_nothing_can_be_kept_at_a_door_nor_after_the_driver_has_left_nor_by_another_driver(afternoon):
    manifest = afternoon.on_route(afternoon.place())
    door = stops_of(manifest, Stop.Kind.DROPOFF)[0]

    for stop, driver in ((door, None), (pickup_of(manifest), None), (pickup_of(manifest), afternoon.ben)):
        with pytest.raises((loading.StopRefused,)), nothing_changes():
            keep(afternoon, stop, driver=driver)


# -- When it is brought back


def test_a_return_stays_open_until_the_store_has_signed_although_the_parcels_are_the_stores(afternoon):
    order = afternoon.place(return_signature=True)
    manifest = afternoon.on_route(order)
    afternoon.fail(stops_of(manifest, Stop.Kind.DROPOFF)[0])
    back = stops_of(manifest, Stop.Kind.RETURN)[0]
    for parcel in order.parcels.all():
        afternoon.scan(back, parcel)
    afternoon.hand_over(back)
    assert (Order.objects.get().status, Manifest.objects.get().status) == ("returned", "returning")
    assert {parcel.custodian for parcel in order.parcels.all()} == {"store"}

    keep(afternoon, back, photo=False, signature=True, signed_by="Sam Okafor")

    back.refresh_from_db()
    assert (back.status, Manifest.objects.get().status) == ("done", "completed")


def test_the_signature_may_come_before_the_last_scan(afternoon):
    order = afternoon.place(return_signature=True)
    manifest = afternoon.on_route(order)
    afternoon.fail(stops_of(manifest, Stop.Kind.DROPOFF)[0])
    back = stops_of(manifest, Stop.Kind.RETURN)[0]
    keep(afternoon, back, photo=False, signature=True, signed_by="Sam Okafor")

    for parcel in order.parcels.all():
        afternoon.scan(back, parcel)
    afternoon.hand_over(back)

    assert Manifest.objects.get().status == "completed"


# -- At the door


def test_labels_are_read_at_the_door_before_it_counts_as_delivered(afternoon):
    order = afternoon.place(requires_barcodes=True)
    door = stops_of(afternoon.on_route(order), Stop.Kind.DROPOFF)[0]
    first, second = order.parcels.order_by("number")
    afternoon.scan(door, first)
    with pytest.raises(ProofIncomplete) as refused, nothing_changes():
        afternoon.deliver(door)
    assert [error.field for error in refused.value.errors] == ["barcodes"]

    afternoon.scan(door, second)

    afternoon.deliver(door)
    assert Order.objects.get().status == "delivered"


def test_a_label_of_another_door_is_told_at_once(afternoon):
    here = afternoon.place(requires_barcodes=True)
    there = afternoon.place(line1="9 Elm Street", point=Point(36.19, -115.2))
    manifest = afternoon.on_route(here, there)
    door = stops_of(manifest, Stop.Kind.DROPOFF)[0]

    with pytest.raises(loading.WrongStop):
        afternoon.scan(door, there.parcels.order_by("number").first())


def test_a_signature_at_the_door_needs_a_name_and_who_that_is_to_the_recipient(afternoon):
    door = stops_of(afternoon.on_route(afternoon.place(requires_signature=True)), Stop.Kind.DROPOFF)[0]

    with pytest.raises(ProofIncomplete) as refused, nothing_changes():
        afternoon.deliver(door, signature=picture(kind="PNG"))
    assert [error.field for error in refused.value.errors] == ["signed_by", "signer_relationship"]

    with pytest.raises(ProofIncomplete) as refused, nothing_changes():
        afternoon.deliver(door, signature=picture(kind="PNG"), signed_by="Rosa", signer_relationship="aunt")
    assert [error.field for error in refused.value.errors] == ["signer_relationship"]

    afternoon.deliver(door, signature=picture(kind="PNG"), signed_by="Rosa", signer_relationship="household")
    proof = ProofOfDelivery.objects.get()
    assert (proof.signed_by, proof.signer_relationship) == ("Rosa", "household")


def test_a_relationship_without_a_name_is_nobodys(afternoon):
    door = stops_of(afternoon.on_route(afternoon.place()), Stop.Kind.DROPOFF)[0]

    with pytest.raises(ProofIncomplete) as refused, nothing_changes():
        afternoon.deliver(door, signer_relationship="neighbour")

    assert [error.field for error in refused.value.errors] == ["signed_by"]


# -- Through HTTP


def test_the_drivers_api_says_what_the_counter_lacks_and_takes_it(afternoon):
    pickup = pickup_of(afternoon.loading(afternoon.place(pickup_photo=True, pickup_signature=True)))
    _token, secret = tokens.issue(driver=afternoon.ada, name="phone", at=NOW)
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    url = f"/api/v1/driver/stops/{pickup.code}"
    assert api.get(url).json()["counter"] == {
        "photo": True, "signature": True, "missing": ["photo", "signature"],
    }  # fmt: skip
    image = base64.b64encode(picture().read()).decode()

    bad = api.put(f"{url}/counter-proof", {"client_event_id": "p0"}, format="json")
    good = api.put(f"{url}/counter-proof", {"client_event_id": "p1", "photo": image}, format="json")

    assert (bad.status_code, bad.json()["field_errors"][0]["field"]) == (422, "photo")
    assert (good.status_code, good.json()["counter"]["missing"]) == (200, ["signature"])


def test_the_drivers_page_of_a_counter_shows_the_form_until_all_is_kept(
    afternoon, client, django_assert_max_num_queries
):
    manifest = afternoon.loading(afternoon.place(pickup_photo=True))
    afternoon.collect(manifest)
    pickup = pickup_of(manifest)
    client.force_login(afternoon.ada.user)
    page = reverse("deliveries:driver_stop", args=[pickup.code])
    with django_assert_max_num_queries(12):
        assert "Photo of the parcels on the counter" in client.get(page).content.decode()

    client.post(
        reverse("deliveries:driver_counter_proof", args=[pickup.code]),
        {"client_event_id": "press-1", "photo": picture()},
    )

    shown = client.get(page).content.decode()
    assert "Photo of the parcels on the counter" not in shown
    assert "For what you collected" in shown


def test_a_seller_asks_for_it_by_leg_and_finds_it_in_the_proof(northwind, trade):
    asked = {"barcodes": True, "pickup": {"photo": True}, "return": {"signature": True}}

    posted = northwind.post("orders", order_body(trade.store, requirements=asked)).json()

    assert posted["requirements"] | {"pin": False} == {
        "photo": True, "signature": False, "pin": False, "pin_kind": None, "minimum_age": None,
        "barcodes": True, "pickup": {"photo": True, "signature": False},
        "return": {"photo": False, "signature": True},
    }  # fmt: skip


def test_an_unknown_wish_of_a_leg_is_refused_by_its_name(northwind, trade):
    body = order_body(trade.store, requirements={"return": {"selfie": True}})

    answer = northwind.post("orders", body)

    assert (answer.status_code, nothing_happened()) == (400, True)
    assert answer.json()["field_errors"][0]["field"] == "requirements.return.selfie"


def test_the_proof_of_an_order_tells_what_was_kept_at_its_counters(afternoon):
    order = afternoon.place(pickup_photo=True)
    manifest = afternoon.loading(order)
    afternoon.collect(manifest)
    made = keep(afternoon, pickup_of(manifest))

    told = bundle.custody(order)["counter_proofs"]

    assert [(row["stop"], row["photo_sha256"]) for row in told] == [("pickup", made.photo_sha256)]
    assert proof_pdf.signed_pdf(order, verify_url="https://example.com/", at=NOW + HOUR).startswith(b"%PDF")
