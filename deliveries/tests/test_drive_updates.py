"""What a Drive-shaped client says that has no place of its own on an order, and what it changes afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from deliveries.models import Order
from deliveries.tests.test_drive_door import UNSET, DriveClient, body, made, signing_key
from retaildelivery.outbox.models import Fact
from retaildelivery.testing.sellers import Trade, nothing_happened

NOTHING_CONTAINED = dict.fromkeys(
    ("alcohol", "pharmacy_items", "age_restricted_pharmacy_items", "tobacco", "hemp", "otc"), False
)


@pytest.fixture
def trade(trade: Trade, settings: Any) -> Trade:
    settings.DOOR_DRIVE = True
    return trade


@pytest.fixture
def drive(trade: Trade) -> DriveClient:
    return DriveClient(signing_key(trade.seller))


def update(drive: DriveClient, **changes: Any) -> Any:
    return drive.ask("PATCH", "deliveries/D-1763", changes)


def test_what_is_said_of_a_delivery_comes_back(drive, trade):
    boots = {
        "name": "Boots",
        "quantity": 2,
        "description": "Brown",
        "external_id": "SKU-1",
        "weight": 2.5,
        "length": 12,
    }

    said = made(
        drive,
        trade.store,
        order_contains={"hemp": True, "otc": False},
        pickup_instructions="Ask for Ana",
        dropoff_business_name="Cafe Alta",
        dropoff_contact_send_notifications=False,
        items=[boots],
    )

    order = Order.objects.get()
    assert said["order_contains"] == NOTHING_CONTAINED | {"hemp": True}
    assert (said["pickup_instructions"], said["dropoff_business_name"]) == ("Ask for Ana", "Cafe Alta")
    assert (said["dropoff_contact_given_name"], said["dropoff_contact_family_name"]) == ("Rosa", "Quintero")
    assert said["dropoff_contact_send_notifications"] is False
    assert {name: said["items"][0][name] for name in boots} == boots
    assert (order.minimum_age, order.pickup_note) == (21, "Ask for Ana")
    assert order.recipient_name == "Rosa Quintero (Cafe Alta)"


def test_a_delivery_of_which_nothing_is_said_contains_nothing_in_particular(drive, trade):
    said = made(drive, trade.store)

    assert said["order_contains"] == NOTHING_CONTAINED
    assert Order.objects.get().aside is None


def test_a_quote_and_the_delivery_it_becomes_say_the_same(drive, trade):
    quoted = drive.ask(
        "POST",
        "quotes",
        body(trade.store, order_contains={"alcohol": True}, dropoff_phone_number=UNSET),
    ).json()
    accepted = drive.ask("POST", "quotes/D-1763/accept", {"dropoff_phone_number": "+17025550199"}).json()

    names = ("order_contains", "dropoff_contact_given_name", "dropoff_contact_family_name", "fee")
    assert [quoted[name] for name in names] == [accepted[name] for name in names]
    assert quoted["order_contains"]["alcohol"] is True
    assert Order.objects.get().recipient_name == "Rosa Quintero"


def test_an_update_changes_what_the_door_and_the_counter_ask_for(drive, trade):
    made(drive, trade.store)

    said = update(
        drive,
        dropoff_options={"signature": "required", "id_verification": "none", "proof_of_delivery": "none"},
        order_contains={"alcohol": True},
        pickup_instructions="Bay 3",
        pickup_reference_tag="Bag 62",
        dropoff_contact_given_name="Rosario",
        locale="es-US",
    ).json()

    order = Order.objects.get()
    assert (order.requires_signature, order.requires_photo, order.minimum_age) == (True, False, 21)
    assert (order.recipient_name, order.recipient_locale) == ("Rosario Quintero", "es")
    assert (said["pickup_reference_tag"], said["pickup_instructions"]) == ("Bag 62", "Bay 3")
    assert said["order_contains"]["alcohol"] is True
    assert order.pickup_note == "Bag 62, Bay 3"


def test_an_update_that_repeats_the_address_keeps_its_place(drive, trade):
    made(drive, trade.store)

    answer = update(drive, dropoff_address=body(trade.store)["dropoff_address"])

    assert answer.json()["dropoff_location"] == {"lat": 36.1673, "lng": -115.1787}
    assert list(Fact.objects.filter(name__startswith="order.").values_list("name", flat=True)) == [
        "order.placed"
    ]


def test_a_new_place_alone_is_the_place_of_the_address_that_is_known(drive, trade):
    before = made(drive, trade.store)

    said = update(drive, dropoff_location={"lat": 36.17, "lng": -115.18}).json()

    assert said["dropoff_location"] == {"lat": 36.17, "lng": -115.18}
    assert said["dropoff_address"] == before["dropoff_address"]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"pickup_external_store_id": "ELSEWHERE"}, "pickup_external_store_id"),
        ({"pickup_address": "1 Main St, Reno, NV 89501"}, "pickup_address"),
        ({"items": [{"name": "Sofa", "quantity": 1}]}, "items"),
        ({"dasher_allowed_vehicles": ["bicycle"]}, "dasher_allowed_vehicles"),
        ({"order_fulfillment_method": "catering"}, "order_fulfillment_method"),
        ({"dropoff_options": {"catering_setup": "required"}}, "dropoff_options.catering_setup"),
        ({"pickup_instructions": "a\u202eb"}, "pickup_instructions"),
        ({"tip": 10_000_000, "dropoff_instructions": "Ring twice"}, "tip"),
    ],
)
def test_what_cannot_be_changed_is_refused_by_name_and_nothing_is_changed(drive, trade, changes, named):
    made(drive, trade.store)

    answer = update(drive, **changes)

    assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
    assert [error["field"] for error in answer.json()["field_errors"]] == [named]
    assert list(Fact.objects.filter(name__startswith="order.").values_list("name", flat=True)) == [
        "order.placed"
    ]


@pytest.mark.parametrize(
    "asked", [{"order_fulfillment_method": "shop_deliver"}, {"dasher_allowed_vehicles": ["walking"]}]
)
def test_what_would_be_done_otherwise_than_asked_is_refused_from_the_first(drive, trade, asked):
    answer = drive.ask("POST", "deliveries", body(trade.store, **asked))

    assert (answer.status_code, [e["field"] for e in answer.json()["field_errors"]]) == (400, list(asked))
    assert nothing_happened()
