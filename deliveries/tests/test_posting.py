"""Posting an order, changing it, taking it back."""

import dataclasses
import datetime as dt

import pytest
from django.db import DataError, connection
from django.test.utils import CaptureQueriesContext

from deliveries import drafts, posting, revising
from deliveries.drafts import ParcelDraft
from deliveries.models import KnownAddress, Order, Parcel, Stop
from retaildelivery.lib.geo import Point
from retaildelivery.outbox.models import Fact
from retaildelivery.testing.afternoon import (
    HOUR,
    MINUTE,
    NOW,
    TOLD_BY_STAFF,
    facts_of,
    good_draft,
    nothing_changes,
    stops_of,
)


def everyone():
    return Order.objects.all()


def cancel(order, reason="out_of_stock", *, at=NOW):
    return posting.cancel(
        order_code=order.code, scope=everyone(), reason=reason, note="", actor=TOLD_BY_STAFF, at=at
    )


def revise(order, **changes):
    return revising.revise(
        order_code=order.code, scope=everyone(), changes=changes, actor=TOLD_BY_STAFF, at=NOW
    )


# -- Posting


def test_an_order_is_posted_with_its_parcels_and_its_price(afternoon):
    order = afternoon.place(external_id=" A-17 ")

    order = Order.objects.get(pk=order.pk)
    assert (order.status, order.external_id, order.recipient_phone) == ("placed", "A-17", "+17025550148")
    assert (order.placed_at, order.ready_at) == (NOW, NOW + 20 * MINUTE)
    assert (order.window.lower, order.window.upper) == (NOW + 2 * HOUR, NOW + 4 * HOUR)
    assert [(p.number, p.size, p.litres, p.grams, p.status) for p in order.parcels.order_by("number")] == [
        (1, "small", 12, 800, "expected"),
        (2, "large", 90, 4_200, "expected"),
    ]
    assert (order.distance_m, order.fee_cents, order.fee_policy) == (6_217, 899 + 200, afternoon.policy)
    assert (order.pin, order.located_by) == ("", "given")


def test_the_fact_of_an_order_carries_its_whole_snapshot_and_never_the_pin(afternoon):
    order = afternoon.place(requires_pin=True)

    fact = Fact.objects.get(name="order.placed")
    assert fact.subjects == [
        f"order:{order.code}",
        f"store:{afternoon.bookshop.code}",
        f"seller:{afternoon.bookshop.seller.code}",
        "mall:fashion-show",
    ]
    assert (fact.sequence, fact.seller_code) == (1, afternoon.bookshop.seller.code)
    assert (fact.actor_kind, fact.actor) == ("staff", "Sam Okafor")
    told = fact.data["order"]
    assert (told["code"], told["status"], told["fee"]) == (
        order.code,
        "placed",
        {"cents": 1099, "currency": "USD"},
    )
    assert told["window"] == {"start": "2026-11-24T20:00:00.000Z", "end": "2026-11-24T22:00:00.000Z"}
    assert len(order.pin) == 4
    assert "pin" not in told
    assert f'"{order.pin}"' not in str(fact.data)


def test_posting_an_order_takes_at_most_twelve_queries(afternoon, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        afternoon.place(external_id="A-17")


@pytest.mark.django_db(transaction=True)
def test_an_order_whose_fact_cannot_be_written_is_not_written_either(afternoon):
    nobody = dataclasses.replace(TOLD_BY_STAFF, kind="of no kind that the column would hold")

    with nothing_changes(), pytest.raises(DataError):
        posting.post(store=afternoon.bookshop, draft=good_draft(), actor=nobody, at=NOW)

    assert (Order.objects.count(), Parcel.objects.count()) == (0, 0)


def test_an_order_its_parcels_and_its_fact_are_one_statement(afternoon):
    with CaptureQueriesContext(connection) as asked:
        order = afternoon.place()

    writes = [each["sql"] for each in asked if "INSERT" in each["sql"] or "EXECUTE" in each["sql"]]
    assert len(writes) == 2  # the terms are read, and all is written
    assert [parcel.pk for parcel in order.parcels_known] == list(
        order.parcels.order_by("number").values_list("pk", flat=True)
    )


def test_the_same_number_with_the_same_contents_is_the_same_order(afternoon):
    first = afternoon.place(external_id="A-17")

    with nothing_changes():
        again = afternoon.place(external_id="A-17", at=NOW + HOUR)

    assert (again.pk, first.was_posted_before, again.was_posted_before) == (first.pk, False, True)


def test_the_same_number_with_other_contents_is_refused_and_names_the_first(afternoon):
    first = afternoon.place(external_id="A-17")

    with nothing_changes(), pytest.raises(posting.ExternalIdTaken) as refusal:
        afternoon.place(external_id="A-17", recipient_name="Somebody Else")

    assert refusal.value.params == {"first": first.code}


def test_a_place_that_we_looked_up_is_not_part_of_what_was_said(afternoon):
    address = dataclasses.replace(good_draft().address, located_by="known")
    first = afternoon.place(external_id="A-17", address=address)

    again = afternoon.place(external_id="A-17", address=dataclasses.replace(address, point=None))

    assert again.pk == first.pk


def test_another_seller_may_use_the_same_number(afternoon):
    first = afternoon.place(external_id="A-17")

    second = afternoon.place(afternoon.shoes, external_id="A-17")

    assert first.pk != second.pk


def test_without_a_place_an_order_has_no_price_and_is_not_planned(afternoon):
    order = afternoon.place(point=None)

    assert (order.needs_location, order.fee_cents, order.distance_m) == (True, None, None)
    assert list(Order.objects.waiting()) == []


GOOD_PARCEL = ParcelDraft(size="small", grams=800)
ADDRESS = good_draft().address
BAD = {
    "window reversed": ({"window_end": NOW + HOUR}, "window.end", "reversed"),
    "window over": ({"window_start": NOW - 2 * HOUR, "window_end": NOW - HOUR}, "window.end", "in_past"),
    "window too short": ({"window_end": NOW + 2 * HOUR + 29 * MINUTE}, "window.end", "too_short"),
    "window nearly over": (
        {"window_start": NOW - HOUR, "window_end": NOW + 29 * MINUTE},
        "window.end",
        "too_soon",
    ),
    "window next month": (
        {"window_start": NOW + dt.timedelta(days=30), "window_end": NOW + dt.timedelta(days=30, hours=2)},
        "window.start",
        "too_far_ahead",
    ),
    "window without offset": (
        {"window_start": NOW.replace(tzinfo=None)},
        "window.start",
        "no_time_zone",
    ),
    "no window": ({"window_start": None}, "window.start", "required"),
    "ready after the window": ({"ready_at": NOW + 5 * HOUR}, "ready_at", "after_window"),
    "ready in another year": ({"ready_at": NOW - dt.timedelta(days=400)}, "ready_at", "in_past"),
    "no parcels": ({"parcels": ()}, "parcels", "required"),
    "10,000 parcels": ({"parcels": (GOOD_PARCEL,) * 10_000}, "parcels", "too_many"),
    "a parcel of nothing": ({"parcels": (ParcelDraft("small", 0),)}, "parcels[0].grams", "too_small"),
    "a parcel of lead": (
        {"parcels": (GOOD_PARCEL, ParcelDraft("small", 30_001))},
        "parcels[1].grams",
        "too_big",
    ),
    "a parcel like a room": ({"parcels": (ParcelDraft("small", 1, 401),)}, "parcels[0].litres", "too_big"),
    "a size of ours only": ({"parcels": (ParcelDraft("huge", 1),)}, "parcels[0].size", "invalid"),
    "a float of grams": ({"parcels": (ParcelDraft("small", 1.5),)}, "parcels[0].grams", "too_small"),
    "nobody": ({"recipient_name": " "}, "recipient.name", "required"),
    "a megabyte of name": ({"recipient_name": "x" * 1_000_000}, "recipient.name", "too_long"),
    "a bell in the name": ({"recipient_name": "Rosa\x07"}, "recipient.name", "unprintable"),
    "half a surrogate pair": ({"recipient_name": "Rosa \ud83d"}, "recipient.name", "unprintable"),
    "a name that turns round": ({"recipient_name": "Rosa \u202eatniuQ"}, "recipient.name", "unprintable"),
    "a zero byte": ({"external_id": "A\x0017"}, "external_id", "unprintable"),
    "no phone": ({"recipient_phone": ""}, "recipient.phone", "required"),
    "a short phone": ({"recipient_phone": "12345"}, "recipient.phone", "invalid"),
    "letters for a phone": ({"recipient_phone": "call me"}, "recipient.phone", "invalid"),
    "an address without an at": ({"recipient_email": "rosa"}, "recipient.email", "invalid"),
    "a language we do not write": ({"recipient_locale": "tlh"}, "recipient.locale", "invalid"),
    "a ZIP of letters": (
        {"address": dataclasses.replace(ADDRESS, postal_code="8910")},
        "dropoff.postal_code",
        "invalid",
    ),
    "a state that is none": ({"address": dataclasses.replace(ADDRESS, region="ZZ")}, "dropoff.region", "invalid"),
    "another country": ({"address": dataclasses.replace(ADDRESS, country="FR")}, "dropoff.country", "invalid"),
    "a door in Chicago": ({"point": Point(41.88, -87.63)}, "dropoff", "not_serviceable"),
    "an age we do not check": ({"minimum_age": 7}, "requirements.minimum_age", "invalid"),
    "left, but with a PIN": (
        {"undeliverable": "leave", "requires_pin": True},
        "undeliverable",
        "in_person_only",
    ),
    "a value beyond insurance": ({"declared_value_cents": 500_001}, "declared_value_cents", "too_big"),
    "a tip below nothing": ({"tip_cents": -1}, "tip_cents", "too_small"),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "field", "code"), BAD.values(), ids=BAD.keys())
def test_what_is_wrong_is_named_and_nothing_is_written(afternoon, changes, field, code):
    with nothing_changes(), pytest.raises(drafts.DraftInvalid) as refusal:
        afternoon.place(**changes)

    assert [(error.field, error.code) for error in refusal.value.errors] == [(field, code)]


def test_every_field_at_fault_is_named_at_once(afternoon):
    with nothing_changes(), pytest.raises(drafts.DraftInvalid) as refusal:
        afternoon.place(recipient_name="", recipient_phone="1", parcels=())

    assert [error.field for error in refusal.value.errors] == ["recipient.name", "recipient.phone", "parcels"]


@pytest.mark.parametrize(
    "name",
    [
        "محمد الأمين",
        "Zoë O’Brien-Łukasz",
        "李小龍",
        "Rosa 🌹",
        "'; DROP TABLE deliveries_order; --",
        "<b>R</b>",
    ],
)
def test_a_name_of_any_script_is_kept_as_it_was_written(afternoon, name):
    order = afternoon.place(recipient_name=name, instructions=name)

    order.refresh_from_db()
    assert (order.recipient_name, order.instructions) == (name, name)


@pytest.mark.parametrize(
    ("change", "code"),
    [({"paused_until": NOW + HOUR}, "store_paused"), ({"active": False}, "store_inactive")],
)
def test_a_store_that_is_paused_or_closed_takes_no_orders(afternoon, change, code):
    store = afternoon.bookshop
    [(name, value)] = change.items()
    setattr(store, name, value)

    with nothing_changes(), pytest.raises(drafts.DraftInvalid) as refusal:
        afternoon.place()

    assert [(error.field, error.code) for error in refusal.value.errors] == [("store", code)]


# -- Changing


def test_an_order_that_waits_can_be_revised(afternoon):
    order = afternoon.place()

    revise(order, recipient_phone="480 555 0199", window_end=NOW + 5 * HOUR)

    order.refresh_from_db()
    assert (order.recipient_phone, order.window.upper) == ("+14805550199", NOW + 5 * HOUR)
    fact = Fact.objects.get(name="order.updated")
    assert (fact.sequence, fact.data["changed"]) == (2, ["recipient_phone", "window_end"])


def test_a_new_address_has_a_new_price(afternoon):
    order = afternoon.place()
    far = dataclasses.replace(ADDRESS, point=Point(36.2400, -115.1723))

    revise(order, address=far)

    order.refresh_from_db()
    assert (order.distance_m, order.fee_cents) == (17_482, 899 + 6 * 120 + 200)


def test_once_planned_only_the_recipient_and_the_instructions_can_be_mended(afternoon):
    order = afternoon.place()
    afternoon.plan([order])

    with nothing_changes(), pytest.raises(posting.OrderNotChangeable):
        revise(order, window_end=NOW + 5 * HOUR)
    revise(order, instructions="Ring twice")

    order.refresh_from_db()
    assert order.instructions == "Ring twice"


def test_a_revision_is_checked_like_a_posting(afternoon):
    order = afternoon.place()

    with nothing_changes(), pytest.raises(drafts.DraftInvalid) as refusal:
        revise(order, recipient_phone="1", window_end=NOW + 2 * HOUR + MINUTE)

    assert [error.field for error in refusal.value.errors] == ["recipient.phone", "window.end"]


def test_what_is_no_field_cannot_be_changed(afternoon):
    order = afternoon.place()

    with nothing_changes(), pytest.raises(drafts.DraftInvalid):
        revise(order, status="delivered")


def test_a_pin_on_the_map_locates_prices_and_is_remembered(afternoon):
    order = afternoon.place(point=None)

    posting.locate(
        order_code=order.code, scope=everyone(), point=Point(36.1673, -115.1787), actor=TOLD_BY_STAFF, at=NOW
    )

    order.refresh_from_db()
    assert (order.located_by, order.fee_cents, order.needs_location) == ("pin", 1099, False)
    assert KnownAddress.objects.get().key == "2212 alta dr|89107"
    assert facts_of(order) == ["order.placed", "order.located"]


def test_a_pin_beyond_the_radius_is_refused(afternoon):
    order = afternoon.place(point=None)

    with nothing_changes(), pytest.raises(posting.NotServiceable):
        posting.locate(
            order_code=order.code, scope=everyone(), point=Point(41.9, -87.6), actor=TOLD_BY_STAFF, at=NOW
        )


def test_packed_parcels_are_ready_and_a_repeat_changes_nothing(afternoon):
    order = afternoon.place()

    posting.mark_ready(order_code=order.code, scope=everyone(), actor=TOLD_BY_STAFF, at=NOW + MINUTE)
    with nothing_changes():
        posting.mark_ready(order_code=order.code, scope=everyone(), actor=TOLD_BY_STAFF, at=NOW + HOUR)

    order.refresh_from_db()
    assert order.ready_at == NOW + MINUTE
    assert {parcel.status for parcel in order.parcels.all()} == {"ready"}


def test_somebody_elses_order_is_not_found(afternoon):
    order = afternoon.place()
    theirs = Order.objects.filter(store=afternoon.shoes)

    with nothing_changes(), pytest.raises(posting.OrderNotFound):
        posting.cancel(
            order_code=order.code, scope=theirs, reason="other", note="", actor=TOLD_BY_STAFF, at=NOW
        )


# -- Taking back


def test_a_waiting_order_is_cancelled_with_actor_and_reason(afternoon):
    order = afternoon.place()

    cancel(order, at=NOW + MINUTE)

    order.refresh_from_db()
    assert (order.status, order.cancelled_at) == ("cancelled", NOW + MINUTE)
    assert (order.cancelled_by, order.cancel_reason) == ("staff", "out_of_stock")
    fact = Fact.objects.get(name="order.cancelled")
    assert fact.data["order"]["previous_status"] == "placed"
    assert fact.data["order"]["cancellation"] == {"by": "staff", "reason": "out_of_stock", "note": ""}


def test_cancelling_twice_changes_nothing(afternoon):
    order = afternoon.place()
    cancel(order)

    with nothing_changes():
        cancel(order, at=NOW + HOUR)


def test_a_cancelled_order_leaves_its_manifest_and_its_stops(afternoon):
    order, other = afternoon.place(), afternoon.place(point=Point(36.15, -115.2))
    manifest = afternoon.loading(order, other)

    cancel(order)

    first, second = stops_of(manifest, Stop.Kind.DROPOFF)
    [pickup] = stops_of(manifest, Stop.Kind.PICKUP)
    assert (first.status, second.status, pickup.status) == ("skipped", "planned", "planned")
    place = order.consignments.get()
    assert (place.ending, place.ended_at) == ("cancelled", NOW)


def test_the_last_order_of_a_store_takes_the_pickup_with_it(afternoon):
    order, other = afternoon.place(), afternoon.place(afternoon.shoes)
    manifest = afternoon.loading(order, other)

    cancel(order)

    books, shoes = stops_of(manifest, Stop.Kind.PICKUP)
    [door] = stops_of(manifest, Stop.Kind.DROPOFF)
    assert (books.status, shoes.status, door.status) == ("skipped", "planned", "planned")


def test_nothing_is_cancelled_once_the_driver_has_a_parcel_of_it(afternoon):
    order = afternoon.place()
    manifest = afternoon.loading(order)
    [pickup] = stops_of(manifest, Stop.Kind.PICKUP)
    afternoon.hand_over(pickup)
    afternoon.scan(pickup, order.parcels.first())

    with nothing_changes(), pytest.raises(posting.CancelNotAllowed) as refusal:
        cancel(order)

    assert refusal.value.reason == "picked_up"


def test_a_reason_of_ones_own_is_refused(afternoon):
    order = afternoon.place()

    with nothing_changes(), pytest.raises(drafts.DraftInvalid):
        cancel(order, "because")


# -- The recipient


def test_the_recipient_says_how_to_find_the_door(afternoon):
    order = afternoon.place()

    posting.instruct(token=order.tracking_token, note=" Side gate ", at=NOW)
    with nothing_changes():
        posting.instruct(token=order.tracking_token, note="Side gate", at=NOW + HOUR)

    order.refresh_from_db()
    fact = Fact.objects.get(name="order.instructed")
    assert (order.recipient_note, fact.actor_kind) == ("Side gate", "recipient")


def test_a_token_that_is_nobodys_is_not_found(afternoon):
    with nothing_changes(), pytest.raises(posting.OrderNotFound):
        posting.instruct(token="nobody", note="Side gate", at=NOW)


@pytest.mark.parametrize("note", ["x" * 501, "a\x00b"])
def test_a_note_that_cannot_be_kept_is_refused(afternoon, note):
    order = afternoon.place()

    with nothing_changes(), pytest.raises(drafts.DraftInvalid):
        posting.instruct(token=order.tracking_token, note=note, at=NOW)


def test_a_tip_can_rise_after_delivery_and_never_fall(afternoon):
    order = afternoon.place(tip_cents=300)
    manifest = afternoon.on_route(order)
    afternoon.deliver(stops_of(manifest, Stop.Kind.DROPOFF)[0])

    revising.tip(order_code=order.code, scope=everyone(), cents=500, actor=TOLD_BY_STAFF, at=NOW)
    with nothing_changes(), pytest.raises(posting.OrderNotChangeable):
        revising.tip(order_code=order.code, scope=everyone(), cents=499, actor=TOLD_BY_STAFF, at=NOW)

    fact = Fact.objects.get(name="order.tipped")
    assert (fact.data["before_cents"], fact.data["order"]["tip"]["cents"]) == (300, 500)
