"""The Drive-shaped door: tokens that the caller signs, quotes, deliveries, and refusals in its words."""

from __future__ import annotations

import base64
import datetime as dt
import json
import time
from typing import Any

import jwt
import pytest
from django.test import Client
from django.utils import timezone

from deliveries import posting
from deliveries.dialects import one_line, packing
from deliveries.dialects.drive import answers, errors
from deliveries.dialects.packing import Thing
from deliveries.drafts import ParcelDraft
from deliveries.models import KnownAddress, Order, Quote
from retaildelivery.outbox.recording import SYSTEM
from retaildelivery.testing.racing import at_once
from retaildelivery.testing.sellers import Trade, make_trade, nothing_happened, order_body
from stores import keys
from stores.models import ApiKey, Seller, SigningSecret, Store

ALTA = "2212 Alta Drive, Apt 4, Las Vegas, NV 89107"
# The fields of a delivery, as the client for Node, 0.6.13, declares them.
KEYS = {
    "external_delivery_id", "locale", "order_fulfillment_method", "origin_facility_id", "pickup_address",
    "pickup_business_name", "pickup_phone_number", "pickup_instructions", "pickup_reference_tag",
    "pickup_external_business_id", "pickup_external_store_id", "pickup_verification_metadata",
    "dropoff_address", "dropoff_business_name", "dropoff_location", "dropoff_phone_number",
    "dropoff_instructions", "dropoff_contact_given_name", "dropoff_contact_family_name",
    "dropoff_contact_send_notifications", "dropoff_options", "dropoff_address_components",
    "dropoff_pin_code_verification_metadata", "order_value", "currency", "items", "shopping_options",
    "delivery_status", "cancellation_reason", "updated_at", "pickup_time_estimated", "pickup_time_actual",
    "dropoff_time_estimated", "dropoff_time_actual", "return_time_estimated", "return_time_actual",
    "return_address", "fee", "fee_components", "tax", "tax_components", "support_reference", "tracking_url",
    "dropoff_verification_image_url", "pickup_verification_image_url", "dropoff_signature_image_url",
    "shipping_label", "dropped_items", "contactless_dropoff", "action_if_undeliverable", "tip",
    "order_contains", "dasher_allowed_vehicles", "dropoff_requires_signature", "promotion_id",
    "dropoff_cash_on_delivery", "order_route_type", "order_route_items", "dasher_id", "dasher_name",
    "dasher_dropoff_phone_number", "dasher_pickup_phone_number", "dasher_location", "dasher_vehicle_make",
    "dasher_vehicle_model", "dasher_vehicle_year",
}  # fmt: skip
UNSET = object()
NO, NO_PICKUP = "invalid_delivery_parameters", "pickup_address_not_in_coverage"


def signing_key(
    seller: Seller, *, store: Store | None = None, scopes: list[str] | None = None
) -> keys.Issued:
    return keys.issue(
        seller=seller,
        name="till",
        scopes=scopes or ["orders:read", "orders:write"],
        actor=SYSTEM,
        at=timezone.now(),
        store=store,
        signing=True,
    )


def token(issued: keys.Issued, *, header: Any = None, secret: str | None = None, **claims: Any) -> str:
    """As the service's own library signs: `kid` among the claims, a minute to live."""
    now = int(time.time())
    said = {
        "aud": "doordash",
        "iss": issued.key.seller.code,
        "kid": issued.key.prefix,
        "iat": now,
        "exp": now + 60,
    }
    said = {name: value for name, value in (said | claims).items() if value is not UNSET}
    text = secret or issued.secret
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return jwt.encode(said, raw, "HS256", headers={"dd-ver": "DD-JWT-V1"} if header is None else header)


class DriveClient:
    def __init__(self, issued: keys.Issued, *, agent: str = "python-requests/2") -> None:
        self.issued, self.agent = issued, agent
        self.client = Client(raise_request_exception=False)

    def ask(self, method: str, path: str, body: Any = None, *, bearer: str = "", **given: Any) -> Any:
        kind = given.pop("kind", "application/json")
        data = given.pop("raw", b"" if body is None else json.dumps(body).encode())
        headers = {"Authorization": f"Bearer {bearer or token(self.issued)}", "User-Agent": self.agent}
        return self.client.generic(method, f"/drive/v2/{path}", data, content_type=kind, headers=headers)


@pytest.fixture
def trade(trade: Trade, settings: Any) -> Trade:
    settings.DOOR_DRIVE = True
    return trade


@pytest.fixture
def drive(trade: Trade) -> DriveClient:
    return DriveClient(signing_key(trade.seller))


@pytest.fixture
def rival(trade: Trade) -> DriveClient:
    return DriveClient(signing_key(trade.rival))


def body(store: Store, **changes: Any) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "external_delivery_id": "D-1763",
        "pickup_external_store_id": store.code,
        "pickup_reference_tag": "Bag 61",
        "dropoff_address": ALTA,
        "dropoff_location": {"lat": 36.1673, "lng": -115.1787},
        "dropoff_phone_number": "+17025550148",
        "dropoff_contact_given_name": "Rosa",
        "dropoff_contact_family_name": "Quintero",
        "dropoff_instructions": "Blue door",
        "order_value": 18900,
        "tip": 500,
    }
    return {name: value for name, value in (asked | changes).items() if value is not UNSET}


def made(drive: DriveClient, store: Store, **changes: Any) -> Any:
    answer = drive.ask("POST", "deliveries", body(store, **changes))
    assert answer.status_code == 200, answer.content
    return answer.json()


# -- Who asks


def test_a_token_in_the_callers_own_signature_is_let_in(drive, trade):
    answer = drive.ask("GET", "deliveries/D-0")

    assert answer.status_code == 404
    assert answer.json()["code"] == "unknown_delivery_id"
    assert ApiKey.objects.get(pk=drive.issued.key.pk).last_used_at is not None


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "somebody"},
        {"aud": UNSET},
        {"iss": "SOMEBODY"},
        {"kid": "drive_nobody"},
        {"kid": "a\0b"},
        {"kid": 7},
        {"exp": UNSET},
        {"exp": "tomorrow"},
        {"exp": 1},
        {"exp": 10**12},
        {"header": {"dd-ver": "DD-JWT-V0"}},
        {"header": {}},
        {"secret": base64.urlsafe_b64encode(b"x" * 32).decode()},
    ],
)
def test_a_token_that_is_wrong_in_one_thing_is_401_in_the_words_of_the_service(drive, trade, claims):
    answer = drive.ask("POST", "deliveries", body(trade.store), bearer=token(drive.issued, **claims))

    assert answer.status_code == 401
    assert answer.json()["code"] == "authentication_error"
    assert nothing_happened()


def test_a_token_without_a_signature_is_401(drive, trade):
    unsigned = jwt.encode({"kid": drive.issued.key.prefix}, "", "none", headers={"dd-ver": "DD-JWT-V1"})

    assert drive.ask("GET", "deliveries/D-1", bearer=unsigned).status_code == 401
    assert drive.ask("GET", "deliveries/D-1", bearer="nonsense").status_code == 401
    assert Client().get("/drive/v2/deliveries/D-1").json()["code"] == "authentication_error"


def test_the_secret_is_sealed_in_the_database_and_opens_no_other_door(drive, trade):
    kept = SigningSecret.objects.get(key=drive.issued.key)
    ours = Client().get("/api/v1/orders", headers={"Authorization": f"Bearer {drive.issued.secret}"})

    assert drive.issued.secret not in kept.sealed
    assert ours.status_code == 401


def test_a_revoked_key_signs_nothing_any_more_and_a_rotated_one_goes_on_beside_the_new(drive, trade):
    scope = ApiKey.objects.filter(seller=trade.seller)
    again = keys.rotate(prefix=drive.issued.key.prefix, scope=scope, actor=SYSTEM, at=timezone.now())

    assert DriveClient(again).ask("GET", "deliveries/D-1").status_code == 404
    assert drive.ask("GET", "deliveries/D-1").status_code == 404
    keys.revoke(prefix=drive.issued.key.prefix, scope=scope, actor=SYSTEM, at=timezone.now())
    assert drive.ask("GET", "deliveries/D-1").status_code == 401


def test_a_key_that_may_only_read_is_403(trade):
    reader = DriveClient(signing_key(trade.seller, scopes=["orders:read"]))

    answer = reader.ask("POST", "deliveries", body(trade.store))

    assert (answer.status_code, answer.json()["code"]) == (403, "authorization_error")
    assert nothing_happened()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "quotes"),
        ("POST", "quotes/D-1/accept"),
        ("POST", "deliveries"),
        ("GET", "deliveries/D-1"),
        ("PATCH", "deliveries/D-1"),
        ("PUT", "deliveries/D-1/cancel"),
    ],
)
def test_a_door_that_is_off_is_not_there(drive, settings, method, path):
    settings.DOOR_DRIVE = False

    answer = drive.ask(method, path, {})

    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"


# -- From quote to the end


def test_a_delivery_is_posted_as_an_order_with_everything_it_says(drive, trade):
    said = made(
        drive,
        trade.store,
        locale="es-US",
        dropoff_requires_signature=True,
        order_contains={"alcohol": True},
        action_if_undeliverable="dispose",
        items=[
            {
                "name": "Boots",
                "quantity": 2,
                "weight": 2.5,
                "length": 12,
                "width": 8,
                "height": 5,
                "price": 9450,
            }
        ],
    )
    order = Order.objects.get(external_id="D-1763")

    assert said["delivery_status"] == "created"
    assert (said["fee"], said["tax"], said["currency"]) == (899, 0, "USD")
    assert said["fee_components"] == [{"type": "flat_fee", "amount": 899}]
    assert (said["support_reference"], said["tip"], said["order_value"]) == (order.code, 500, 18900)
    assert (said["pickup_external_store_id"], said["pickup_reference_tag"]) == (trade.store.code, "Bag 61")
    assert said["dropoff_address"] == ALTA
    assert said["action_if_undeliverable"] == "dispose"
    assert said["dasher_name"] is None
    assert (order.recipient_name, order.recipient_locale) == ("Rosa Quintero", "es")
    assert (order.requires_signature, order.minimum_age, order.undeliverable) == (True, 21, "dispose")
    assert [(p.size, p.grams, p.description) for p in order.parcels.all()] == [("medium", 2268, "Bag 61")]
    assert order.items[0]["length_cm"] == 30


def test_a_pin_of_the_merchant_is_asked_for_at_the_door(drive, trade):
    pin = {"pin_code_type": "merchant_provided_number", "pin_code_value": "4711"}

    said = made(drive, trade.store, dropoff_pin_code_verification_metadata=pin)
    order = Order.objects.get()

    assert (order.requires_pin, order.pin_kind, order.pin) == (True, "own", "4711")
    assert said["dropoff_pin_code_verification_metadata"] == pin
    assert said["dropoff_options"]["proof_of_delivery"] == "pin_code"


def test_the_merchants_own_code_is_the_barcode_of_the_first_parcel(drive, trade):
    code = {
        "verification_type": "SCAN_BARCODE",
        "verification_code": "BAG-61-0007",
        "verification_format": "CODE_128",
    }

    said = made(drive, trade.store, pickup_verification_metadata=code, items=[
        {"name": "Boots", "quantity": 60, "weight": 2.5},
    ])  # fmt: skip

    order = Order.objects.get()
    barcodes = [parcel.barcodes for parcel in order.parcels.order_by("number")]
    assert (barcodes[0], barcodes[1:]) == (["BAG-61-0007"], [[]] * (len(barcodes) - 1))
    assert len(barcodes) > 1
    assert said["pickup_verification_metadata"] == code


def test_a_quote_holds_the_merchants_own_code_for_the_delivery(drive, trade):
    code = {"verification_type": "SCAN_QRCODE", "verification_code": "Q-9", "verification_format": None}
    quoted = drive.ask("POST", "quotes", body(trade.store, pickup_verification_metadata=code)).json()

    accepted = drive.ask("POST", "quotes/D-1763/accept", {}).json()

    assert quoted["pickup_verification_metadata"] == accepted["pickup_verification_metadata"] == code
    assert Order.objects.get().parcels.get().barcodes == ["Q-9"]


@pytest.mark.parametrize(
    "code",
    [None, {"verification_type": "NO_SCAN", "verification_code": "BAG-61"}, {"verification_type": "NO_SCAN"}],
)
def test_without_a_code_to_read_our_labels_are_read(drive, trade, code):
    said = made(drive, trade.store, pickup_verification_metadata=code)

    assert said["pickup_verification_metadata"] is None
    assert Order.objects.get().parcels.get().barcodes == []


@pytest.mark.parametrize(
    "code",
    [
        {"verification_type": "SCAN_BARCODE"},
        {"verification_type": "SCAN_BARCODE", "verification_code": ""},
        {"verification_type": "SCAN_BARCODE", "verification_code": "B" * 65},
        {"verification_type": "SCAN_BARCODE", "verification_code": "B\u202e1"},
    ],
)
def test_a_code_that_nobody_could_read_is_named(drive, trade, code):
    answer = drive.ask("POST", "deliveries", body(trade.store, pickup_verification_metadata=code))

    assert answer.status_code == 400
    fields = [error["field"] for error in answer.json()["field_errors"]]
    assert fields == ["pickup_verification_metadata.verification_code"]
    assert nothing_happened()


def test_an_address_in_parts_goes_before_its_line(drive, trade):
    parts = {
        "street_address": "2212 Alta Drive, Apt 4",
        "sub_premise": "Apt 4",
        "city": "Las Vegas",
        "state": "NV",
        "zip_code": "89107",
        "country": "United States",
    }

    said = made(drive, trade.store, dropoff_address="2212 Alta, somewhere", dropoff_address_components=parts)

    assert said["dropoff_address"] == ALTA
    assert said["dropoff_address_components"] == parts | {
        "street_address": "2212 Alta Drive",
        "country": "US",
    }


@pytest.mark.parametrize(
    ("asked", "photo", "told"),
    [
        ({}, True, ("photo_required", True)),
        ({"contactless_dropoff": False}, False, ("none", False)),
        ({"dropoff_options": {"proof_of_delivery": "none"}}, False, ("none", False)),
        ({"dropoff_options": {"proof_of_delivery": "photo_required"}}, True, ("photo_required", True)),
    ],
)
def test_a_photo_is_taken_as_the_client_asked(drive, trade, asked, photo, told):
    said = made(drive, trade.store, **asked)

    assert Order.objects.get().requires_photo is photo
    assert (said["dropoff_options"]["proof_of_delivery"], said["contactless_dropoff"]) == told


def test_a_delivery_has_every_key_of_the_services_document(drive, trade):
    said = made(drive, trade.store)

    assert KEYS - set(said) == set()


def test_a_time_at_the_door_is_half_an_hour_to_both_sides(drive, trade):
    six = (timezone.now() + dt.timedelta(hours=5)).replace(microsecond=0)

    made(
        drive,
        trade.store,
        dropoff_time=six.isoformat(),
        pickup_time=(six - dt.timedelta(hours=2)).isoformat(),
    )
    order = Order.objects.get()

    assert order.window.lower == six - dt.timedelta(minutes=30)
    assert order.window.upper == six + dt.timedelta(minutes=30)
    assert order.ready_at == six - dt.timedelta(hours=2)


def test_a_quote_is_a_delivery_in_the_state_quote_until_it_is_accepted(drive, trade):
    quoted = drive.ask("POST", "quotes", body(trade.store, dropoff_phone_number=UNSET))
    shown = drive.ask("GET", "deliveries/D-1763")
    accepted = drive.ask("POST", "quotes/D-1763/accept", {"tip": 700, "dropoff_phone_number": "+17025550199"})
    again = drive.ask("POST", "quotes/D-1763/accept", {"tip": 700, "dropoff_phone_number": "+17025550199"})

    assert (quoted.status_code, quoted.json()["delivery_status"], quoted.json()["fee"]) == (200, "quote", 899)
    assert shown.json() == quoted.json()
    assert (accepted.status_code, accepted.json()["delivery_status"]) == (200, "created")
    assert (accepted.json()["fee"], accepted.json()["tip"]) == (899, 700)
    assert again.json() == accepted.json()
    order = Order.objects.get()
    assert (order.quote, order.recipient_phone) == (Quote.objects.get(), "+17025550199")


def test_an_expired_quote_is_refused_with_its_reason(drive, trade):
    drive.ask("POST", "quotes", body(trade.store))
    Quote.objects.update(
        created_at=timezone.now() - dt.timedelta(hours=1), expires_at=timezone.now() - dt.timedelta(minutes=1)
    )

    answer = drive.ask("POST", "quotes/D-1763/accept")

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_delivery_parameters")
    assert answer.json()["reason"] == "quote_expired"
    assert nothing_happened()


def test_the_same_number_with_the_same_contents_is_the_same_delivery_at_any_time(drive, trade):
    first = made(drive, trade.store)
    Order.objects.update(
        placed_at=timezone.now() - dt.timedelta(hours=3),
    )
    second = made(drive, trade.store)

    assert second["support_reference"] == first["support_reference"]
    assert Order.objects.count() == 1


def test_the_same_number_with_other_contents_is_409(drive, trade):
    made(drive, trade.store)

    answer = drive.ask("POST", "deliveries", body(trade.store, order_value=1))
    quote = drive.ask("POST", "quotes", body(trade.store))

    assert (answer.status_code, answer.json()["code"]) == (409, "duplicate_delivery_id")
    assert quote.status_code == 409
    assert Order.objects.count() == 1


def test_an_update_changes_what_is_new_in_it_and_the_tip(drive, trade):
    made(drive, trade.store)

    answer = drive.ask(
        "PATCH",
        "deliveries/D-1763",
        body(trade.store, dropoff_instructions="Ring twice", tip=900, external_delivery_id=UNSET),
    )

    assert answer.status_code == 200
    assert (answer.json()["dropoff_instructions"], answer.json()["tip"]) == ("Ring twice", 900)


def test_an_update_that_comes_too_late_says_how_far_it_is(drive, trade):
    made(drive, trade.store)
    Order.objects.update(status="assigned")

    answer = drive.ask("PATCH", "deliveries/D-1763", {"order_value": 100})

    assert (answer.status_code, answer.json()["code"]) == (409, "update_not_allowed")
    assert answer.json()["reason"] == "update_window_closed"
    assert Order.objects.get().declared_value_cents == 18900


def test_a_cancel_without_a_body_called_a_form_takes_it_back_once(drive, trade):
    made(drive, trade.store)

    answer = drive.ask("PUT", "deliveries/D-1763/cancel", kind="application/x-www-form-urlencoded")
    again = drive.ask("PUT", "deliveries/D-1763/cancel", {})

    assert (answer.status_code, again.status_code) == (200, 200)
    assert answer.json()["delivery_status"] == "cancelled"
    assert answer.json()["cancellation_reason"] == "cancelled_by_creator"


def test_what_was_picked_up_is_not_cancelled(drive, trade):
    made(drive, trade.store)
    Order.objects.update(status="picked_up", picked_up_at=timezone.now())

    answer = drive.ask("PUT", "deliveries/D-1763/cancel")

    assert (answer.status_code, answer.json()["code"]) == (409, "cancel_not_allowed")
    assert answer.json()["reason"] == "delivery_picked_up"
    assert Order.objects.get().status == "picked_up"


# -- What is refused


def test_the_client_of_the_service_is_told_in_the_older_flat_codes_it_switches_on(trade):
    client = DriveClient(signing_key(trade.seller), agent="axios/1.7.7")
    made(client, trade.store)
    Order.objects.update(status="picked_up", picked_up_at=timezone.now())

    cancelled = client.ask("PUT", "deliveries/D-1763/cancel").json()
    updated = client.ask("PATCH", "deliveries/D-1763", {"order_value": 100}).json()

    assert (cancelled["code"], cancelled["reason"]) == ("delivery_picked_up", "delivery_picked_up")
    assert (updated["code"], updated["reason"]) == ("Delivery in Progress", "delivery_picked_up")


@pytest.mark.parametrize(
    ("changes", "status", "code", "reason", "field"),
    [
        ({"dropoff_address": UNSET}, 400, "validation_error", None, "dropoff_address"),
        ({"dropoff_address": "somewhere"}, 400, "validation_error", None, "dropoff_address"),
        ({"dropoff_phone_number": "12"}, 400, "validation_error", None, "dropoff_phone_number"),
        ({"external_delivery_id": "a/b"}, 400, "validation_error", None, "external_delivery_id"),
        ({"external_delivery_id": "x" * 81}, 400, "validation_error", None, "external_delivery_id"),
        ({"tip": -1}, 400, "validation_error", None, "tip"),
        ({"tip": 5.5}, 400, "validation_error", None, "tip"),
        ({"order_value": "12"}, 400, "validation_error", None, "order_value"),
        ({"dropoff_cash_on_delivery": 100}, 400, "validation_error", None, "dropoff_cash_on_delivery"),
        ({"dropoff_time": "2026-11-26 12:00"}, 400, "validation_error", None, "dropoff_time"),
        ({"items": [{"name": "x"}]}, 400, "validation_error", None, "items[0].quantity"),
        ({"dropoff_location": {"lat": 40.7, "lng": -74.0}}, 422, NO, "distance_too_long", "dropoff_address"),
        ({"pickup_external_store_id": "TNOBODY"}, 422, NO, NO_PICKUP, "pickup_external_store_id"),
    ],
)  # fmt: skip
def test_bad_input_is_named_by_its_field_in_their_shape(drive, trade, changes, status, code, reason, field):
    answer = drive.ask("POST", "deliveries", body(trade.store, **changes))

    said = answer.json()
    assert (answer.status_code, said["code"], said.get("reason")) == (status, code, reason)
    assert [error["field"] for error in said["field_errors"]] == [field]
    assert nothing_happened()


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"[]", b"null", b"{", b'{"tip":1,"tip":2}', b'{"a":"\\ud800"}', b"\xff", b'{"tip":NaN}'),
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    ],
    ids=lambda raw: raw[:20].decode("latin-1"),
)
@pytest.mark.parametrize("path", ["deliveries", "quotes"])
def test_a_body_that_is_no_object_is_never_answered_in_html(drive, path, raw):
    answer = drive.ask("POST", path, raw=raw)

    assert (answer.status_code, answer["Content-Type"]) == (400, "application/json")
    assert answer.json()["code"] in {"validation_error"}


def test_what_breaks_on_our_side_is_a_service_fault_in_their_shape(drive, trade, monkeypatch):
    monkeypatch.setattr(posting, "post", lambda **_: 1 / 0)

    answer = drive.ask("POST", "deliveries", body(trade.store))

    assert (answer.status_code, answer.json()["code"]) == (500, "service_fault")


def test_a_quote_for_a_door_nobody_knows_says_so(drive, trade):
    answer = drive.ask("POST", "quotes", body(trade.store, dropoff_location=UNSET))

    assert (answer.status_code, answer.json()["reason"]) == (422, "delivery_address_not_in_coverage")
    assert not Quote.objects.exists()


def test_a_door_that_is_known_needs_no_coordinates(drive, trade):
    KnownAddress.objects.create(
        key="2212 alta dr|89107", latitude="36.1673", longitude="-115.1787", source="pin"
    )

    assert drive.ask("POST", "quotes", body(trade.store, dropoff_location=UNSET)).json()["fee"] == 899


@pytest.mark.parametrize(
    ("method", "path", "given"),
    [
        ("GET", "deliveries/D-1763", None),
        ("PATCH", "deliveries/D-1763", {"tip": 1}),
        ("PUT", "deliveries/D-1763/cancel", None),
        ("POST", "quotes/D-1763/accept", {}),
    ],
)
def test_another_sellers_number_is_unknown(drive, rival, trade, method, path, given):
    made(drive, trade.store)
    drive.ask("POST", "quotes", body(trade.store, external_delivery_id="Q"))

    answer = rival.ask(method, path, given)

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_delivery_id")
    assert answer.json()["external_delivery_id"] == "D-1763"
    assert Order.objects.get().status == "placed"


def test_another_sellers_store_is_not_collected_from(rival, trade):
    answer = rival.ask("POST", "deliveries", body(trade.store))

    assert (answer.status_code, answer.json()["reason"]) == (422, "pickup_address_not_in_coverage")
    assert nothing_happened()


# -- Which store


def test_a_store_is_told_by_the_address_of_its_mall_and_its_name_or_phone(drive, trade):
    Store.objects.filter(pk=trade.second_store.pk).update(phone="(702) 555-0111")
    mall = {
        "pickup_external_store_id": UNSET,
        "pickup_address": "3200 Las Vegas Boulevard S, Las Vegas, NV 89109",
    }

    by_phone = made(drive, trade.store, **mall, pickup_phone_number="+17025550111")
    by_name = made(
        drive, trade.store, **mall, external_delivery_id="D-2", pickup_business_name="northwind shoes"
    )
    neither = drive.ask("POST", "deliveries", body(trade.store, **mall, external_delivery_id="D-3"))

    assert by_phone["pickup_external_store_id"] == trade.second_store.code
    assert by_name["pickup_external_store_id"] == trade.store.code
    assert neither.json()["reason"] == "pickup_address_not_in_coverage"


def test_a_key_of_one_store_needs_no_pickup_at_all(trade):
    client = DriveClient(signing_key(trade.seller, store=trade.second_store))

    said = made(client, trade.store, pickup_external_store_id=UNSET)

    assert said["pickup_external_store_id"] == trade.second_store.code
    assert client.ask("POST", "deliveries", body(trade.store, external_delivery_id="D-2")).status_code == 422


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (ALTA, ("2212 Alta Drive", "Apt 4", "Las Vegas", "NV", "89107")),
        (
            "901 Market Street 6th Floor San Francisco, CA 94103",
            ("901 Market Street", "6th Floor", "San Francisco", "CA", "94103"),
        ),
        ("3200 Las Vegas Blvd S Las Vegas NV 89109 USA", ("3200 Las Vegas Blvd S", "", "Las Vegas", "NV", "89109")),
        ("12 Elm St, Chandler, az 85226-1234, United States", ("12 Elm St", "", "Chandler", "AZ", "85226-1234")),
    ],
)  # fmt: skip
def test_an_address_in_one_line_is_read_with_and_without_commas(text, parts):
    found = one_line.read(text)

    assert found is not None
    assert (found.line1, found.line2, found.city, found.region, found.postal_code) == parts


@pytest.mark.parametrize("text", ["", "Las Vegas", "12 Elm St, Springfield", "12 Elm St, Town, QQ 12345"])
def test_what_is_no_address_is_not_guessed_at(text):
    assert one_line.read(text) is None


# -- Things and parcels


@pytest.mark.parametrize(
    ("things", "parcels"),
    [
        ([], (ParcelDraft("small", 500),)),
        ([Thing(2, 800, 10)], (ParcelDraft("medium", 1_600),)),
        ([Thing(3, 20_000, 5)], (ParcelDraft("small", 30_000),) * 2),
        ([Thing(1, 100, 440)], (ParcelDraft("extra_large", 50),) * 2),
    ],
)
def test_things_become_as_few_parcels_as_can_be_lifted_and_carried(things, parcels):
    assert packing.packed(things) == parcels


# -- One word for another


def test_every_state_of_ours_has_one_of_theirs():
    assert set(answers.STATES) == set(Order.Status)


def test_our_refusals_have_their_status_and_code():
    assert set(errors.NOT_HERE.values()) <= {
        "distance_too_long", "pickup_address_not_in_coverage", "delivery_address_not_in_coverage",
        "outside_of_delivery_time",
    }  # fmt: skip


def test_the_native_api_sees_what_came_through_the_door(drive, trade, northwind):
    said = made(drive, trade.store)

    shown = northwind.get(f"orders/{said['support_reference']}").json()

    assert (shown["external_id"], shown["tip"]["cents"]) == ("D-1763", 500)
    assert northwind.post("orders", order_body(trade.store, external_id="D-1763")).status_code == 409


# -- At once


@pytest.fixture
def racers(transactional_db: None, settings: Any) -> tuple[Trade, DriveClient]:
    settings.DOOR_DRIVE = True
    trade = make_trade()
    return trade, DriveClient(signing_key(trade.seller))


@pytest.mark.race
def test_eight_equal_deliveries_posted_at_once_are_one(racers):
    trade, drive = racers

    told = at_once(*[lambda: drive.ask("POST", "deliveries", body(trade.store))] * 8)

    assert [answer.status_code for answer in told] == [200] * 8
    assert {answer.json()["support_reference"] for answer in told} == {Order.objects.get().code}


@pytest.mark.race
def test_eight_who_accept_a_quote_at_once_get_the_same_delivery(racers):
    trade, drive = racers
    drive.ask("POST", "quotes", body(trade.store))

    told = at_once(*[lambda: drive.ask("POST", "quotes/D-1763/accept", {"tip": 700})] * 8)

    assert [answer.status_code for answer in told] == [200] * 8
    assert {answer.json()["support_reference"] for answer in told} == {Order.objects.get().code}
