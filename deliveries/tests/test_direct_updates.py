"""What an Uber-Direct-shaped client says that has no place of its own on an order, and what it changes afterwards."""

from __future__ import annotations

import json
from typing import Any

import pytest

from deliveries.models import Order, Parcel
from deliveries.tests.test_direct_door import ADDRESS, UNSET, DirectClient, body, made
from retaildelivery.outbox import worlds
from retaildelivery.outbox.models import Fact
from retaildelivery.testing.sellers import Trade, key_for


@pytest.fixture
def trade(trade: Trade, settings: Any) -> Trade:
    settings.DOOR_DIRECT = True
    return trade


@pytest.fixture
def direct(trade: Trade) -> DirectClient:
    return DirectClient(trade.seller, trade.secret)


def update(direct: DirectClient, delivery: Any, **changes: Any) -> Any:
    return direct.ask("POST", f"deliveries/{delivery['id']}", changes)


def waits_unchanged(delivery: Any) -> bool:
    facts = list(Fact.objects.filter(name__startswith="order.").values_list("name", flat=True))
    order = Order.objects.get()
    return facts == ["order.placed"] and f"del_{order.code}" == delivery["id"]


def test_how_a_thing_is_to_be_carried_comes_back_and_stands_on_the_parcel(direct, trade):
    cake = {"name": "Cake", "quantity": 1, "size": "small", "must_be_upright": True, "perishable": True}
    box = {"name": "Box", "quantity": 2, "size": "large", "vat_percentage": 1_250_000, "weight": 300}

    said = made(direct, trade.store, manifest_items=[cake, box])

    assert said["manifest_items"] == [
        cake | {"price": 0, "weight": 0, "vat_percentage": 0, "dimensions": None},
        box | {"price": 0, "must_be_upright": False, "perishable": False, "dimensions": None},
    ]
    parcel = Order.objects.get().parcels.get()
    assert parcel.description == "REF-9, keep upright, perishable"


def test_notes_of_the_seller_and_for_the_counter_are_told_apart(direct, trade):
    said = made(direct, trade.store, dropoff_seller_notes="Fragile", pickup_notes="Ask for Ana")
    order = Order.objects.get()

    assert (said["dropoff"]["notes"], said["dropoff"]["seller_notes"]) == ("Blue door", "Fragile")
    assert said["pickup"]["notes"] == "Ask for Ana"
    assert (order.instructions, order.pickup_note) == ("Blue door Fragile", "Ask for Ana")


def test_a_delivery_to_a_door_that_nobody_knows_yet_says_what_the_nearest_costs(direct, trade):
    somewhere = json.dumps(ADDRESS | {"street_address": ["1 Nowhere Lane"]})

    said = made(
        direct, trade.store, dropoff_address=somewhere, dropoff_latitude=UNSET, dropoff_longitude=UNSET
    )

    assert Order.objects.get().fee_cents is None
    assert (said["fee"], said["tip"], said["dropoff"]["location"]) == (899 + 300, 300, None)


def test_an_update_changes_all_that_the_services_document_lets_change(direct, trade):
    delivery = made(direct, trade.store, dropoff_seller_notes="Fragile")

    answer = update(
        direct,
        delivery,
        dropoff_notes="Ring twice",
        pickup_notes="Bay 3",
        manifest_reference="REF-10",
        dropoff_verification={"barcodes": [{"value": "X", "type": "QR"}], "picture": True},
        pickup_verification={"picture": True},
        return_verification={"signature_requirement": {"enabled": True}},
        requires_dropoff_signature=True,
        requires_id=True,
        tip_by_customer=700,
        dropoff_latitude=36.17,
        dropoff_longitude=-115.18,
        manifest_total_value=12_300,
    )

    said, order = answer.json(), Order.objects.get()
    assert answer.status_code == 200
    assert (said["dropoff"]["notes"], said["dropoff"]["seller_notes"]) == ("Ring twice", "Fragile")
    assert (said["pickup"]["notes"], said["manifest"]["reference"]) == ("Bay 3", "REF-10")
    assert (said["tip"], said["manifest"]["total_value"]) == (700, 12_300)
    assert said["dropoff"]["location"] == {"lat": 36.17, "lng": -115.18}
    needed = said["dropoff"]["verification_requirements"]
    assert (needed["signature"], needed["identification"], len(needed["barcodes"])) == (
        True,
        {"min_age": 21},
        1,
    )
    assert (order.pickup_photo, order.return_signature, order.requires_photo) == (True, True, True)
    assert order.pickup_note == "REF-10, Bay 3"
    assert order.external_id == "REF-9/E-1"
    assert made(direct, trade.store, dropoff_seller_notes="Fragile")["id"] == delivery["id"]


def test_what_an_update_leaves_out_stays(direct, trade):
    pincode = {"pincode": {"enabled": True, "value": "4711"}}
    delivery = made(
        direct,
        trade.store,
        dropoff_verification=pincode,
        pickup_notes="Bay 3",
        requires_dropoff_signature=True,
    )

    update(direct, delivery, dropoff_notes="Ring twice")
    update(direct, delivery, requires_dropoff_signature=False)

    order = Order.objects.get()
    assert (order.requires_pin, order.pin, order.pickup_note) == (True, "4711", "Bay 3")
    assert (order.requires_signature, order.instructions) == (False, "Ring twice")


def test_a_pin_that_is_asked_for_later_is_made_then(direct, trade):
    delivery = made(direct, trade.store)
    assert Order.objects.get().pin == ""

    answer = update(direct, delivery, dropoff_verification={"pincode": {"enabled": True}})

    order = Order.objects.get()
    assert (answer.status_code, order.requires_pin, len(order.pin)) == (200, True, 4)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"manifest_items": [{"name": "Anvil", "quantity": 99, "weight": 29_000}]}, "manifest_items"),
        ({"manifest_items": []}, "manifest_items"),
        ({"external_id": "E-2"}, "external_id"),
        ({"external_store_id": "ELSEWHERE"}, "external_store_id"),
        ({"pickup_address": "1 Main St, Reno, NV 89501"}, "pickup_address"),
        ({"quote_id": "dqt_Q"}, "quote_id"),
        ({"tip": 900}, "tip"),
        ({"dropoff_latitude": 36.2}, "dropoff_longitude"),
        ({"pickup_notes": "x" * 281}, "pickup_notes"),
        ({"dropoff_notes": "a\u202eb"}, "dropoff_notes"),
        ({"tip_by_customer": 1_000_000, "dropoff_notes": "Ring twice"}, "tip_by_customer"),
        ({"dropoff_verification": {"pincode": {"value": "47"}}}, "dropoff_verification"),
    ],
)
def test_what_cannot_be_changed_is_refused_by_name_and_nothing_is_changed(direct, trade, changes, named):
    delivery = made(direct, trade.store)

    answer = update(direct, delivery, **changes)

    assert (answer.status_code, list(answer.json()["metadata"])) == (400, [named]), answer.json()
    assert waits_unchanged(delivery)


def test_what_only_repeats_is_no_change(direct, trade):
    delivery = made(direct, trade.store)

    answer = update(
        direct,
        delivery,
        external_id="E-1",
        external_store_id=trade.store.code,
        tip=300,
        dropoff_notes="Blue door",
        dropoff_address=json.dumps(ADDRESS),
    )

    assert (answer.status_code, answer.json()["dropoff"]["location"]["lat"]) == (200, 36.1673)
    assert waits_unchanged(delivery)


def test_requirements_stand_once_a_driver_has_it_and_no_half_of_an_update_is_kept(direct, trade):
    delivery = made(direct, trade.store)
    Order.objects.update(status="assigned")

    late = update(direct, delivery, requires_id=True, dropoff_notes="Ring twice", tip_by_customer=900)
    fine = update(direct, delivery, dropoff_notes="Ring thrice", manifest_reference="REF-10")

    assert (late.status_code, late.json()["code"]) == (400, "invalid_params")
    assert (fine.status_code, fine.json()["dropoff"]["notes"]) == (200, "Ring thrice")
    order = Order.objects.get()
    assert (order.minimum_age, order.tip_cents, order.instructions) == (None, 300, "Ring thrice")


def test_a_tip_that_cannot_be_changed_takes_the_rest_of_the_update_with_it(direct, trade):
    delivery = made(direct, trade.store)
    Order.objects.update(status="en_route", picked_up_at="2026-01-01T00:00:00Z")

    answer = update(direct, delivery, tip_by_customer=1, dropoff_notes="Ring twice")

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_tipping_state")
    assert list(answer.json()["metadata"]) == ["tip_by_customer"]
    assert Order.objects.get().instructions == "Blue door"


def test_a_key_in_the_body_of_a_test_key_posts_in_its_sandbox(trade):
    rehearsing = DirectClient(trade.seller, key_for(trade.seller, test=True))

    first = made(rehearsing, trade.store, idempotency_key="k-1")
    again = made(rehearsing, trade.store, idempotency_key="k-1")

    assert (first["live_mode"], again["id"]) == (False, first["id"])
    assert Order.everywhere.get().world != worlds.LIVE
    assert rehearsing.ask("GET", f"deliveries/{first['id']}").status_code == 200


def test_a_key_in_the_body_whose_delivery_was_refused_is_free_for_the_next_try(direct, trade):
    wrong = direct.ask(
        "POST", "deliveries", body(trade.store, idempotency_key="k-1", dropoff_phone_number="12")
    )

    said = made(direct, trade.store, idempotency_key="k-1")

    assert wrong.status_code == 400
    assert f"del_{Order.objects.get().code}" == said["id"]


def test_an_update_names_other_barcodes_leg_by_leg_and_no_more_than_there_are_parcels(direct, trade):
    counter, door = [{"value": "C-1", "type": "CODE128"}], [{"value": "D-1", "type": "QR"}]
    delivery = made(direct, trade.store, pickup_verification={"barcodes": counter})

    answer = update(direct, delivery, dropoff_verification={"barcodes": door})
    many = update(direct, delivery, return_verification={"barcodes": [*counter, *door]})

    parcel = Order.objects.get().parcels.get()
    assert (answer.status_code, parcel.barcodes) == (200, ["C-1", "D-1"])
    legs = {leg: answer.json()[leg]["verification_requirements"]["barcodes"] for leg in ("pickup", "dropoff")}
    assert legs == {"pickup": counter, "dropoff": door}
    assert (many.status_code, list(many.json()["metadata"])) == (400, ["return_verification.barcodes"])


def test_as_many_parcels_are_made_as_bear_barcodes(direct, trade):
    codes = [{"value": f"C-{number}", "type": "CODE39"} for number in (1, 2)]

    made(direct, trade.store, pickup_verification={"barcodes": codes})

    assert [parcel.barcodes for parcel in Order.objects.get().parcels.order_by("number")] == [
        ["C-1"],
        ["C-2"],
    ]


SOFA = {"name": "Sofa", "quantity": 1, "size": "xlarge", "price": 90_000, "must_be_upright": True}
WEIGHTS = {"name": "Weights", "quantity": 2, "weight": 25_000, "price": 5_000}


def test_other_things_are_other_parcels_at_their_price_until_they_are_packed(direct, trade):
    delivery = made(direct, trade.store)
    label = Order.objects.get().parcels.get().code

    answer = update(direct, delivery, manifest_items=[SOFA, WEIGHTS])

    said, order = answer.json(), Order.objects.get()
    assert answer.status_code == 200, said
    assert [(item["name"], item["quantity"], item["must_be_upright"]) for item in said["manifest_items"]] == [
        ("Sofa", 1, True),
        ("Weights", 2, False),
    ]
    parcels = list(order.parcels.order_by("number"))
    assert (parcels[0].code, [parcel.number for parcel in parcels]) == (label, [1, 2])
    assert [parcel.description for parcel in parcels] == ["REF-9, keep upright"] * 2
    assert order.fee_cents > 899
    assert said["fee"] == order.fee_cents + order.tip_cents
    told = Fact.objects.filter(name="order.updated").latest("pk").data
    assert {"items", "parcels"} <= set(told["changed"])
    assert [parcel["code"] for parcel in told["order"]["parcels"]] == [parcel.code for parcel in parcels]


def test_fewer_things_are_fewer_parcels_and_the_first_keep_their_labels(direct, trade):
    delivery = made(direct, trade.store, manifest_items=[WEIGHTS])
    first, _second = Order.objects.get().parcels.order_by("number")

    answer = update(
        direct, delivery, manifest_items=[{**WEIGHTS, "quantity": 1}], manifest_reference="REF-10"
    )

    parcel = Order.objects.get().parcels.get()
    assert (answer.status_code, parcel.code, parcel.description) == (200, first.code, "REF-10")
    assert Order.objects.get().declared_value_cents == 5_000


def test_things_that_are_only_repeated_are_no_change(direct, trade):
    delivery = made(direct, trade.store, manifest_items=[SOFA, WEIGHTS])

    as_said = update(direct, delivery, manifest_items=[SOFA, WEIGHTS])
    as_answered = update(direct, delivery, manifest_items=delivery["manifest_items"])

    assert (as_said.status_code, as_answered.status_code) == (200, 200)
    assert waits_unchanged(delivery)


@pytest.mark.parametrize("status", ["packed", "planned", "assigned"])
def test_things_that_are_packed_or_planned_stand(direct, trade, status):
    delivery = made(direct, trade.store)
    if status == "packed":
        Parcel.objects.update(status="ready")
    else:
        Order.objects.update(status=status)

    answer = update(direct, delivery, manifest_items=[SOFA], dropoff_notes="Ring twice")

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_params")
    assert list(answer.json()["metadata"]) == ["manifest_items"]
    assert waits_unchanged(delivery)
    order = Order.objects.get()
    assert (order.instructions, order.parcels.count(), order.fee_cents) == ("Blue door", 1, 899)
