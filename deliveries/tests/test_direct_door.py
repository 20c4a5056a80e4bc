"""The Uber-Direct-shaped door: tokens, quotes, deliveries of one customer, proof, and refusals in its words."""

from __future__ import annotations

import base64
import datetime as dt
import json
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone

from deliveries.dialects.direct import answers
from deliveries.models import Order, ProofOfDelivery, Quote, RobotStep
from retaildelivery.testing.afternoon import Afternoon, picture
from retaildelivery.testing.sellers import Trade, key_for, nothing_happened
from stores.models import ApiKey, Seller, Store

ADDRESS = {
    "street_address": ["2212 Alta Drive", "Apt 4"],
    "city": "Las Vegas",
    "state": "NV",
    "zip_code": "89107",
    "country": "US",
}
MALL = {"street_address": ["3200 Las Vegas Blvd S"], "city": "Las Vegas", "state": "NV", "zip_code": "89109"}
# The keys of the service's delivery object, as its document has them.
KEYS = {
    "id", "uuid", "quote_id", "kind", "status", "complete", "created", "updated", "live_mode", "external_id",
    "batch_id", "related_deliveries", "tracking_url", "fee", "currency", "tip", "refund", "pickup", "dropoff", "return",
    "pickup_ready", "pickup_deadline", "dropoff_ready", "dropoff_deadline", "pickup_eta", "dropoff_eta", "manifest",
    "manifest_items", "courier", "courier_imminent", "undeliverable_action", "undeliverable_reason",
    "deliverable_action",
}  # fmt: skip
WAYPOINT = {
    "name", "phone_number", "address", "detailed_address", "location", "notes", "seller_notes", "courier_notes",
    "verification", "verification_requirements", "status", "status_timestamp",
}  # fmt: skip
UNSET = object()


class DirectClient:
    def __init__(self, seller: Seller, secret: str) -> None:
        self.seller, self.secret = seller, secret
        self.client = Client(raise_request_exception=False)
        self.bearer = secret

    def token(self, **changes: Any) -> Any:
        said = {
            "client_id": self.secret[:16],
            "client_secret": self.secret,
            "grant_type": "client_credentials",
            "scope": "eats.deliveries",
        }
        return self.client.post("/oauth/v2/token", said | changes)

    def ask(self, method: str, path: str, body: Any = None, *, customer: str = "", **given: Any) -> Any:
        data = given.pop("raw", b"" if body is None else json.dumps(body).encode())
        return self.client.generic(
            method,
            f"/v1/customers/{customer or self.seller.code}/{path}",
            data,
            content_type="application/json",
            headers={"Authorization": f"Bearer {self.bearer}"},
        )


@pytest.fixture
def trade(trade: Trade, settings: Any) -> Trade:
    settings.DOOR_DIRECT = True
    return trade


@pytest.fixture
def direct(trade: Trade) -> DirectClient:
    client = DirectClient(trade.seller, trade.secret)
    client.bearer = client.token().json()["access_token"]
    return client


@pytest.fixture
def rival(trade: Trade) -> DirectClient:
    return DirectClient(trade.rival, trade.rival_secret)


def body(store: Store, **changes: Any) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "external_store_id": store.code,
        "pickup_name": store.name,
        "pickup_address": json.dumps(MALL),
        "pickup_phone_number": "+17025550100",
        "dropoff_name": "Rosa Quintero",
        "dropoff_address": json.dumps(ADDRESS),
        "dropoff_latitude": 36.1673,
        "dropoff_longitude": -115.1787,
        "dropoff_phone_number": "+17025550148",
        "dropoff_notes": "Blue door",
        "manifest_reference": "REF-9",
        "external_id": "E-1",
        "manifest_items": [{"name": "Boots", "quantity": 2, "size": "medium", "price": 4500, "weight": 900}],
        "tip": 300,
    }
    return {name: value for name, value in (asked | changes).items() if value is not UNSET}


def made(direct: DirectClient, store: Store, **changes: Any) -> Any:
    answer = direct.ask("POST", "deliveries", body(store, **changes))
    assert answer.status_code == 200, answer.content
    return answer.json()


# -- Who asks


def test_a_key_becomes_a_token_with_the_scopes_of_the_service(direct):
    answer = direct.token(scope="eats.deliveries direct.organizations")

    said = answer.json()
    assert (answer.status_code, said["token_type"]) == (200, "Bearer")
    assert said["scope"] == "eats.deliveries direct.organizations"
    assert said["expires_in"] == 3600
    assert direct.ask("GET", "deliveries").status_code == 200


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_secret": "sk_live_no"}, 401, "invalid_client"),
        ({"client_id": "somebody"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"scope": "everything"}, 400, "invalid_scope"),
    ],
)
def test_a_wrong_request_for_a_token_is_refused_as_oauth_has_it(direct, changes, status, error):
    answer = direct.token(**changes)

    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_a_token_is_asked_for_with_post(direct):
    assert direct.client.get("/oauth/v2/token").status_code == 405


def test_whoever_shows_no_token_is_401_with_its_kind(direct):
    direct.bearer = "nonsense"

    answer = direct.ask("GET", "deliveries")

    assert (answer.status_code, answer.json()["code"], answer.json()["kind"]) == (
        401,
        "unauthorized",
        "error",
    )
    assert Client().get(f"/v1/customers/{direct.seller.code}/deliveries").json()["code"] == "unauthorized"


def test_a_token_dies_with_its_key(direct, trade):
    ApiKey.objects.filter(seller=trade.seller).update(revoked_at=timezone.now())

    assert direct.ask("GET", "deliveries").status_code == 401


def test_a_key_that_may_only_read_is_403(trade):
    reader = DirectClient(trade.seller, key_for(trade.seller, scopes=["orders:read"]))

    assert reader.ask("POST", "deliveries", body(trade.store)).status_code == 403
    assert reader.ask("GET", "deliveries").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "delivery_quotes"),
        ("GET", "deliveries"),
        ("POST", "deliveries"),
        ("GET", "deliveries/del_X"),
        ("POST", "deliveries/del_X"),
        ("POST", "deliveries/del_X/cancel"),
        ("POST", "deliveries/del_X/proof-of-delivery"),
    ],
)
def test_a_door_that_is_off_is_not_there(direct, settings, method, path):
    settings.DOOR_DIRECT = False

    answer = direct.ask(method, path, {})

    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert direct.token().status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "deliveries/{id}"),
        ("POST", "deliveries/{id}"),
        ("POST", "deliveries/{id}/cancel"),
        ("POST", "deliveries/{id}/proof-of-delivery"),
    ],
)
def test_another_sellers_delivery_and_another_customers_path_are_404(direct, rival, trade, method, path):
    delivery = made(direct, trade.store)["id"]

    stranger = rival.ask(method, path.format(id=delivery), {"waypoint": "dropoff"})
    disguised = rival.ask(method, path.format(id=delivery), {}, customer=trade.seller.code)

    assert (stranger.status_code, stranger.json()["code"]) == (404, "delivery_not_found")
    assert (disguised.status_code, disguised.json()["code"]) == (404, "customer_not_found")
    assert Order.objects.get().status == "placed"


# -- From quote to the end


def test_a_delivery_has_every_key_and_says_what_was_asked(direct, trade):
    said = made(
        direct,
        trade.store,
        dropoff_verification={"signature_requirement": {"enabled": True}, "identification": {"min_age": 21}},
        undeliverable_action="discard",
    )
    order = Order.objects.get()

    assert KEYS - set(said) == set()
    assert WAYPOINT - set(said["pickup"]) == set()
    assert WAYPOINT - set(said["dropoff"]) == set()
    assert (said["id"], said["kind"], said["status"]) == (f"del_{order.code}", "delivery", "pending")
    assert (said["complete"], said["fee"], said["currency"], said["tip"]) == (False, 1199, "usd", 300)
    assert (said["external_id"], said["manifest"]["reference"]) == ("E-1", "REF-9")
    assert said["manifest"]["total_value"] == 9000
    assert [(item["name"], item["quantity"]) for item in said["manifest_items"]] == [("Boots", 2)]
    assert said["dropoff"]["detailed_address"]["street_address_2"] == "Apt 4"
    assert said["dropoff"]["location"] == {"lat": 36.1673, "lng": -115.1787}
    assert said["dropoff"]["verification_requirements"]["identification"] == {"min_age": 21}
    assert (said["courier"], said["refund"], said["related_deliveries"]) == (None, None, [])
    assert (said["quote_id"], said["batch_id"]) == ("", "")
    assert (said["return"]["name"], said["return"]["status"]) == (trade.store.name, None)
    assert WAYPOINT - set(said["return"]) == set()
    assert (said["undeliverable_action"], said["undeliverable_reason"], said["dropoff_identifier"]) == (
        "",
        "",
        "",
    )
    assert said["tracking_url"].endswith(f"/t/{order.tracking_token}/")
    assert (order.external_id, order.undeliverable, order.requires_signature) == (
        "REF-9/E-1",
        "dispose",
        True,
    )
    assert [(p.size, p.grams, p.description) for p in order.parcels.all()] == [("medium", 1800, "REF-9")]


@pytest.mark.parametrize(
    "address", [ADDRESS, json.dumps(ADDRESS), "2212 Alta Drive, Apt 4, Las Vegas, NV 89107"]
)
def test_an_address_comes_as_an_object_as_a_string_of_one_or_as_a_line(direct, trade, address):
    assert made(direct, trade.store, dropoff_address=address)["dropoff"]["address"] == (
        "2212 Alta Drive, Apt 4, Las Vegas, NV 89107"
    )


def test_a_quote_holds_its_price_for_the_delivery_that_names_it(direct, trade):
    asked = body(trade.store)
    quote = direct.ask(
        "POST",
        "delivery_quotes",
        {
            name: value
            for name, value in asked.items()
            if name.startswith(("pickup_addr", "dropoff_", "external_st"))
        },
    ).json()

    said = made(direct, trade.store, quote_id=quote["id"])
    used = direct.ask("POST", "deliveries", body(trade.store, quote_id=quote["id"], external_id="E-2"))

    assert (quote["kind"], quote["fee"], quote["currency_type"]) == ("delivery_quote", 899, "USD")
    assert quote["duration"] >= quote["pickup_duration"]
    assert (said["quote_id"], said["fee"]) == (quote["id"], 899 + 300)
    assert (used.status_code, used.json()["code"]) == (400, "used_quote")
    assert Order.objects.count() == 1


def test_a_quote_for_less_than_is_sent_is_mismatched_and_one_that_is_over_expired(direct, trade):
    quote = direct.ask("POST", "delivery_quotes", body(trade.store, manifest_items=UNSET)).json()
    sofa = [{"name": "Sofa", "quantity": 1, "size": "big"}]

    mismatched = direct.ask(
        "POST", "deliveries", body(trade.store, quote_id=quote["id"], manifest_items=sofa)
    )
    Quote.objects.update(
        created_at=timezone.now() - dt.timedelta(hours=1), expires_at=timezone.now() - dt.timedelta(minutes=1)
    )
    expired = direct.ask("POST", "deliveries", body(trade.store, quote_id=quote["id"]))
    unknown = direct.ask("POST", "deliveries", body(trade.store, quote_id="dqt_NOBODY"))

    assert (mismatched.status_code, mismatched.json()["code"]) == (400, "mismatched_price_quote")
    assert (expired.status_code, expired.json()["code"]) == (400, "expired_quote")
    assert (unknown.status_code, list(unknown.json()["metadata"])) == (400, ["quote_id"])
    assert nothing_happened()


def test_the_same_reference_with_other_contents_is_409_naming_the_first(direct, trade):
    first = made(direct, trade.store)
    again = made(direct, trade.store)

    other = direct.ask("POST", "deliveries", body(trade.store, tip=1))

    assert again["id"] == first["id"]
    assert (other.status_code, other.json()["code"]) == (409, "duplicate_delivery")
    assert other.json()["metadata"] == {"delivery_id": first["id"]}


def test_an_idempotency_key_in_the_body_makes_one_delivery_of_two_requests(direct, trade):
    anonymous = {"manifest_reference": UNSET, "external_id": UNSET, "idempotency_key": "k-1"}

    first, again = made(direct, trade.store, **anonymous), made(direct, trade.store, **anonymous)
    other = direct.ask("POST", "deliveries", body(trade.store, **anonymous, tip=1))

    assert again["id"] == first["id"]
    assert Order.objects.count() == 1
    assert (other.status_code, other.json()["code"]) == (409, "duplicate_delivery")


def test_the_list_is_paged_and_narrowed_by_state(direct, trade):
    ids = [made(direct, trade.store, external_id=f"E-{number}")["id"] for number in range(3)]
    direct.ask("POST", f"deliveries/{ids[0]}/cancel")

    page = direct.ask("GET", "deliveries?limit=2").json()
    rest = direct.client.get(page["next_href"], headers={"Authorization": f"Bearer {direct.bearer}"}).json()
    pending = direct.ask("GET", "deliveries?status=pending").json()
    ongoing = direct.ask("GET", "deliveries?filter=ongoing").json()

    assert [row["id"] for row in page["data"]] == [ids[2], ids[1]]
    assert (page["object"], page["total_count"]) == ("list", 3)
    assert [row["id"] for row in rest["data"]] == [ids[0]]
    assert rest["next_href"] == ""
    assert (
        [row["id"] for row in pending["data"]] == [row["id"] for row in ongoing["data"]] == [ids[2], ids[1]]
    )
    assert direct.ask("GET", "deliveries?limit=0").json()["code"] == "invalid_params"


def test_an_update_changes_notes_and_tip_and_a_tip_beyond_measure_has_its_code(direct, trade):
    delivery = made(direct, trade.store)["id"]

    said = direct.ask(
        "POST", f"deliveries/{delivery}", {"dropoff_notes": "Ring", "tip_by_customer": 800}
    ).json()
    much = direct.ask("POST", f"deliveries/{delivery}", {"tip_by_customer": 20_001})
    direct.ask("POST", f"deliveries/{delivery}/cancel")
    late = direct.ask("POST", f"deliveries/{delivery}", {"tip_by_customer": 900})

    assert (said["dropoff"]["notes"], said["tip"]) == ("Ring", 800)
    assert (much.status_code, much.json()["code"]) == (400, "max_tip_exceeded")
    assert (late.status_code, late.json()["code"]) == (400, "invalid_tipping_state")
    assert Order.objects.get().tip_cents == 800


def test_a_second_tip_after_the_delivery_has_its_code(direct, trade):
    delivery = made(direct, trade.store)["id"]
    Order.objects.update(status="delivered", picked_up_at=timezone.now(), delivered_at=timezone.now())

    once = direct.ask("POST", f"deliveries/{delivery}", {"tip_by_customer": 800})
    twice = direct.ask("POST", f"deliveries/{delivery}", {"tip_by_customer": 900})

    assert once.json()["tip"] == 800
    assert (twice.status_code, twice.json()["code"]) == (400, "tip_already_recorded_error")


def test_what_was_picked_up_cannot_be_cancelled(direct, trade):
    delivery = made(direct, trade.store)["id"]
    Order.objects.update(status="picked_up", picked_up_at=timezone.now())

    answer = direct.ask("POST", f"deliveries/{delivery}/cancel")

    assert (answer.status_code, answer.json()["code"]) == (400, "noncancelable_delivery")
    assert Order.objects.get().status == "picked_up"


def test_what_comes_back_has_its_return(direct, trade):
    delivery = made(direct, trade.store)["id"]
    now = timezone.now()
    Order.objects.update(status="returned", picked_up_at=now, failed_at=now, returned_at=now)

    said = direct.ask("GET", f"deliveries/{delivery}").json()

    assert (said["status"], said["complete"], said["undeliverable_action"]) == ("returned", True, "returned")
    assert (said["return"]["name"], said["return"]["status"]) == (trade.store.name, "completed")
    assert WAYPOINT - set(said["return"]) == set()


def test_the_picture_of_the_door_comes_in_base64_and_behind_a_link(afternoon: Afternoon, settings):
    settings.DOOR_DIRECT = True
    seller = afternoon.bookshop.seller
    client = DirectClient(seller, key_for(seller))
    order = _delivered(afternoon)

    document = client.ask(
        "POST", f"deliveries/del_{order.code}/proof-of-delivery", {"waypoint": "dropoff", "type": "picture"}
    ).json()["document"]
    bundle = client.ask("POST", f"deliveries/del_{order.code}/proof-of-delivery", {"waypoint": "pickup"})
    unsigned = client.ask(
        "POST", f"deliveries/del_{order.code}/proof-of-delivery", {"waypoint": "dropoff", "type": "signature"}
    )
    said = client.ask("GET", f"deliveries/del_{order.code}").json()
    link = said["dropoff"]["verification"]["picture"]["image_url"]
    shown = Client().get(link[link.index("/pictures/") :])

    photo = ProofOfDelivery.objects.get().photo.read()
    assert base64.b64decode(document) == photo
    assert base64.b64decode(bundle.json()["document"]).startswith(b"%PDF")
    assert (unsigned.status_code, unsigned.json()["code"]) == (404, "delivery_not_found")
    assert unsigned.json()["metadata"]["type"].startswith("There is no signature of this door")
    assert b"".join(shown.streaming_content) == photo
    assert Client().get(link[link.index("/pictures/") :] + "x").status_code == 404


def test_who_signed_is_told_with_who_that_is_to_the_recipient(afternoon: Afternoon, settings):
    settings.DOOR_DIRECT = True
    seller = afternoon.bookshop.seller
    order = _delivered(afternoon)
    ProofOfDelivery.objects.update(
        signature="proofs/signed.png", signed_by="Ana Quintero", signer_relationship="household"
    )

    said = DirectClient(seller, key_for(seller)).ask("GET", f"deliveries/del_{order.code}").json()

    signature = said["dropoff"]["verification"]["signature"]
    assert (signature["signer_name"], signature["signer_relationship"]) == ("Ana Quintero", "household")


def _delivered(afternoon: Afternoon) -> Order:
    order = afternoon.place()
    now = timezone.now()
    Order.objects.filter(pk=order.pk).update(status="delivered", picked_up_at=now, delivered_at=now)
    manifest = afternoon.plan([afternoon.place(afternoon.shoes)])
    ProofOfDelivery.objects.create(
        order=order,
        stop=manifest.stops.filter(kind="dropoff").get(),
        driver=afternoon.ada,
        left_at="front_door",
        photo=ContentFile(picture().read(), name="door.jpeg"),
        client_event_id="e-1",
        device_at=now,
        at=now,
    )
    return order


def test_a_token_is_given_for_an_object_as_for_a_form(direct, trade):
    asked = {
        "client_id": trade.secret[:16],
        "client_secret": trade.secret,
        "grant_type": "client_credentials",
        "scope": "eats.deliveries",
    }

    answer = direct.client.post("/oauth/v2/token", json.dumps(asked), content_type="application/json")
    broken = direct.client.post("/oauth/v2/token", "[1", content_type="application/json")

    assert (answer.status_code, answer.json()["token_type"]) == (200, "Bearer")
    direct.bearer = answer.json()["access_token"]
    assert direct.ask("GET", "deliveries").status_code == 200
    assert (broken.status_code, broken.json()["error"]) == (400, "invalid_request")


def test_what_is_asked_for_at_each_leg_is_kept_and_told(direct, trade):
    leg = {"picture": True, "signature_requirement": {"enabled": True, "collect_signer_name": True}}
    said = made(
        direct,
        trade.store,
        pickup_verification=leg | {"barcodes": [{"value": "X", "type": "QR"}]},
        return_verification=leg,
        dropoff_verification={
            "barcodes": [{"value": "DLV1", "type": "CODE39"}],
            "pincode": {"enabled": True, "value": "4711"},
            "picture": False,
        },
    )
    order = Order.objects.get()

    kept = (order.pickup_photo, order.pickup_signature, order.return_photo, order.return_signature)
    assert kept == (True, True, True, True)
    assert (order.requires_barcodes, order.requires_pin, order.pin, order.requires_photo) == (
        True,
        True,
        "4711",
        False,
    )
    assert order.parcels.get().barcodes == ["X", "DLV1"]
    at_door = said["dropoff"]["verification_requirements"]
    assert at_door["pincode"] == {"enabled": True, "value": "4711"}
    assert (at_door["barcodes"], at_door["picture"]) == ([{"value": "DLV1", "type": "CODE39"}], False)
    at_counter = said["pickup"]["verification_requirements"]
    assert (at_counter["picture"], at_counter["barcodes"]) == (True, [{"value": "X", "type": "QR"}])
    assert at_counter["signature_requirement"] == {
        "enabled": True,
        "collect_signer_name": True,
        "collect_signer_relationship": False,
    }
    assert said["return"]["verification_requirements"]["barcodes"] == [
        {"value": order.parcels.get().code, "type": "QR"}
    ]


@pytest.mark.parametrize(
    ("asked", "kept", "told"),
    [
        ({"deliverable_action": "deliverable_action_meet_at_door"}, (False, False, None), "meet"),
        ({"deliverable_action": "deliverable_action_leave_at_door"}, (True, False, None), "leave"),
        ({"requires_dropoff_signature": True}, (True, True, None), "meet"),
        ({"requires_id": True}, (True, False, 21), "meet"),
        ({"dropoff_verification": {"picture": True}}, (True, False, None), "leave"),
    ],
)
def test_how_it_is_handed_over_is_as_the_client_asked(direct, trade, asked, kept, told):
    said = made(direct, trade.store, **asked)
    order = Order.objects.get()

    assert (order.requires_photo, order.requires_signature, order.minimum_age) == kept
    assert said["deliverable_action"] == f"deliverable_action_{told}_at_door"


def test_the_size_of_a_thing_comes_back_and_the_times_are_estimates_from_the_first(direct, trade):
    boots = {
        "name": "Boots",
        "quantity": 1,
        "dimensions": {"length": 30, "height": 12, "depth": 20},
        "weight": 900,
    }
    said = made(direct, trade.store, manifest_items=[boots])

    assert said["manifest_items"][0]["dimensions"] == {"length": 30, "height": 12, "depth": 20}
    assert said["pickup_eta"] == said["pickup_ready"]
    assert said["dropoff_eta"] == said["dropoff_deadline"]


def test_a_key_that_is_taken_again_for_something_else_names_the_first_delivery(direct, trade):
    first = made(direct, trade.store, idempotency_key="order 1, first try")

    repeated = direct.ask("POST", "deliveries", body(trade.store, idempotency_key="order 1, first try"))
    other = direct.ask("POST", "deliveries", body(trade.store, idempotency_key="order 1, first try", tip=1))

    assert (repeated.json()["id"], repeated["Idempotent-Replayed"]) == (first["id"], "true")
    assert (other.status_code, other.json()["code"]) == (409, "duplicate_delivery")
    assert other.json()["metadata"] == {"delivery_id": first["id"]}
    assert Order.objects.count() == 1


def test_the_list_takes_the_offset_as_their_document_writes_it_and_no_state_that_is_none(direct, trade):
    codes = [made(direct, trade.store, external_id=f"E-{n}")["id"] for n in range(3)]

    second = direct.ask("GET", "deliveries?limit=1&Offset=1&filter=pending").json()
    bogus = direct.ask("GET", "deliveries?filter=flying")

    assert [each["id"] for each in second["data"]] == [codes[1]]
    assert "offset=2" in second["next_href"]
    assert "Offset" not in second["next_href"]
    assert (bogus.status_code, list(bogus.json()["metadata"])) == (400, ["filter"])


@pytest.mark.parametrize(
    ("asked", "ends", "reason"),
    [
        ({"mode": "auto"}, "delivered", ""),
        ({"mode": "auto", "cancel_reason": "customer_unavailable"}, "returned", "nobody_home"),
    ],
)
def test_a_robot_courier_of_theirs_plays_in_the_sandbox(trade, asked, ends, reason):
    sandboxed = DirectClient(trade.seller, key_for(trade.seller, test=True))
    specification = {"test_specifications": {"robo_courier_specification": asked}}
    delivery = made(sandboxed, trade.store, **specification)["id"]

    ahead = sandboxed.client.post(
        "/api/v1/sandbox/clock",
        json.dumps({"advance_seconds": 600}),
        content_type="application/json",
        headers={"Authorization": f"Bearer {sandboxed.secret}"},
    )
    said = sandboxed.ask("GET", f"deliveries/{delivery}").json()

    assert ahead.status_code == 200
    assert (said["status"], said["complete"], said["live_mode"]) == (ends, True, False)
    assert said["undeliverable_reason"] == reason


def test_a_robot_courier_of_theirs_says_nothing_with_a_live_key(direct, trade):
    said = made(direct, trade.store, test_specifications={"robo_courier_specification": {"mode": "auto"}})

    assert said["live_mode"] is True
    assert RobotStep.everywhere.count() == 0


def test_a_refusal_speaks_of_fields_by_their_names(direct, trade):
    answer = direct.ask("POST", "deliveries", body(trade.store, dropoff_phone_number="12"))

    assert answer.json()["message"].startswith("dropoff_phone_number: ")


# -- What is refused


@pytest.mark.parametrize(
    ("changes", "status", "code", "named"),
    [
        ({"dropoff_address": UNSET}, 400, "invalid_params", ["dropoff_address"]),
        ({"dropoff_address": "{"}, 400, "invalid_params", ["dropoff_address"]),
        ({"dropoff_address": {"street_address": 7}}, 400, "invalid_params", ["dropoff_address"]),
        (
            {"dropoff_address": {"street_address": ["x"], "city": 1}},
            400,
            "invalid_params",
            ["dropoff_address"],
        ),
        ({"dropoff_phone_number": "12"}, 400, "invalid_params", ["dropoff_phone_number"]),
        ({"manifest_items": []}, 400, "invalid_params", ["manifest_items"]),
        ({"tip": -1}, 400, "invalid_params", ["tip"]),
        ({"idempotency_key": 7}, 400, "invalid_params", ["idempotency_key"]),
        (
            {"dropoff_latitude": 40.7, "dropoff_longitude": -74.0},
            400,
            "address_undeliverable",
            ["dropoff_address"],
        ),
        ({"external_store_id": "TNOBODY"}, 400, "address_undeliverable", ["external_store_id"]),
        (
            {"dropoff_deadline_dt": "2020-01-01T00:00:00Z"},
            400,
            "dropoff_deadline_too_early",
            ["dropoff_deadline_dt"],
        ),
        (
            {"pickup_ready_dt": "2099-01-01T00:00:00Z"},
            400,
            "pickup_ready_too_late",
            ["dropoff_ready_dt", "pickup_ready_dt"],
        ),
        ({"pickup_ready_dt": "soon"}, 400, "invalid_params", ["pickup_ready_dt"]),
    ],
)
def test_bad_input_is_named_by_its_field_in_their_shape(direct, trade, changes, status, code, named):
    answer = direct.ask("POST", "deliveries", body(trade.store, **changes))

    said = answer.json()
    assert (answer.status_code, said["code"], said["kind"], list(said["metadata"])) == (
        status,
        code,
        "error",
        named,
    )
    assert nothing_happened()


@pytest.mark.parametrize(
    ("minutes", "code"),
    [
        ({"pickup_ready_dt": 60, "pickup_deadline_dt": 69}, "pickup_window_too_small"),
        ({"pickup_deadline_dt": 19}, "pickup_deadline_too_early"),
        ({"dropoff_ready_dt": 60, "dropoff_deadline_dt": 79}, "dropoff_window_too_small"),
        ({"pickup_deadline_dt": 90, "dropoff_deadline_dt": 80}, "dropoff_deadline_before_pickup_deadline"),
        ({"pickup_deadline_dt": 90, "dropoff_ready_dt": 91}, "dropoff_ready_after_pickup_deadline"),
        ({"pickup_ready_dt": 90, "dropoff_deadline_dt": 100}, "dropoff_deadline_too_early"),
    ],
)
def test_times_that_break_a_rule_of_the_service_get_its_code_for_it(direct, trade, minutes, code):
    now = timezone.now()
    times = {
        name: (now + dt.timedelta(minutes=m)).isoformat(timespec="seconds") for name, m in minutes.items()
    }

    answer = direct.ask("POST", "deliveries", body(trade.store, **times))

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert nothing_happened()


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"[]", b"null", b"{", b'{"tip":1,"tip":2}', b'{"a":"\\ud800"}', b"\xff", b'{"tip":NaN}'),
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    ],
    ids=lambda raw: raw[:20].decode("latin-1"),
)
@pytest.mark.parametrize("path", ["deliveries", "delivery_quotes"])
def test_a_body_that_is_no_object_is_never_answered_in_html(direct, path, raw):
    answer = direct.ask("POST", path, raw=raw)

    assert (answer.status_code, answer["Content-Type"]) == (400, "application/json")
    assert answer.json()["code"] == "invalid_params"


def test_too_many_requests_are_the_customers_limit(direct, settings):
    settings.API_REQUESTS_PER_MINUTE = 1
    direct.ask("GET", "deliveries")

    answer = direct.ask("GET", "deliveries")

    assert (answer.status_code, answer.json()["code"]) == (429, "customer_limited")
    assert int(answer["Retry-After"]) > 0


def test_every_state_of_ours_has_one_of_theirs():
    assert set(answers.STATES) == set(Order.Status)
