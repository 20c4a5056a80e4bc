"""The store's door as its staff use it: posting, following, and handing over at the counter."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.contrib.auth.base_user import AbstractBaseUser
from django.test import Client
from django.urls import reverse

from deliveries.drafts import ItemDraft
from deliveries.models import KnownAddress, Order, Parcel, Stop
from drivers import badge
from retaildelivery.outbox.models import Fact
from retaildelivery.testing.afternoon import NOW, Afternoon, facts_of, picture, stops_of

pytestmark = pytest.mark.django_db
QUERIES = 12

ANSWERS: dict[str, Any] = {
    "recipient_name": "Zoë Ångström-Figueroa",
    "recipient_phone": "702 555 0148",
    "recipient_email": "zoe@example.com",
    "recipient_locale": "es",
    "line1": "2212 Alta Drive",
    "line2": "Apt 4",
    "city": "Las Vegas",
    "region": "nv",
    "postal_code": "89107",
    "latitude": "36.1673",
    "longitude": "-115.1787",
    "window_start": "2026-11-24T12:00",
    "window_end": "2026-11-24T16:00",
    "ready_at": "",
    "requires_photo": "on",
    "requires_pin": "on",
    "minimum_age": "",
    "undeliverable": "return",
    "declared_value": "129.50",
    "tip": "4",
    "instructions": "Blue door",
    "external_id": "A-1",
    "parcels-TOTAL_FORMS": "2",
    "parcels-INITIAL_FORMS": "0",
    "parcels-MIN_NUM_FORMS": "1",
    "parcels-MAX_NUM_FORMS": "20",
    "parcels-0-size": "small",
    "parcels-0-pounds": "2",
    "parcels-1-size": "large",
    "parcels-1-pounds": "9.5",
    "parcels-1-description": "Lamp",
}


def signed_in(user: AbstractBaseUser) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def sam(afternoon: Afternoon) -> Any:
    with time_machine.travel(NOW, tick=False):
        yield signed_in(afternoon.sam)


def test_an_order_typed_at_the_counter_is_kept_as_it_was_meant(afternoon: Afternoon, sam: Client) -> None:
    answer = sam.post(reverse("deliveries:store_order_new"), {**ANSWERS, "store": afternoon.bookshop.code})

    order = Order.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == reverse("deliveries:store_order", args=[order.code])
    assert order.recipient_name == "Zoë Ångström-Figueroa"
    assert order.recipient_phone == "+17025550148"
    assert order.region == "NV"
    # Noon by the mall's clock, eight hours behind UTC in November.
    assert order.window.lower == dt.datetime(2026, 11, 24, 20, 0, tzinfo=dt.UTC)
    assert order.window.upper == dt.datetime(2026, 11, 25, 0, 0, tzinfo=dt.UTC)
    assert (order.declared_value_cents, order.tip_cents) == (12950, 400)
    assert (order.requires_photo, order.requires_pin, order.requires_signature) == (True, True, False)
    assert len(order.pin) == 4
    assert list(order.parcels.order_by("number").values_list("size", "grams")) == [
        ("small", 907),
        ("large", 4309),
    ]
    assert order.placed_by == afternoon.sam
    assert facts_of(order) == ["order.placed"]


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("no name", {"recipient_name": ""}, "recipient_name"),
    ("a name of 10,000 letters", {"recipient_name": "x" * 10_000}, "recipient_name"),
    ("a phone of letters", {"recipient_phone": "call me"}, "recipient_phone"),
    ("a ZIP of letters", {"postal_code": "ABCDE"}, "postal_code"),
    ("a state that is none", {"region": "ZZ"}, "region"),
    (
        "a window in the past",
        {"window_start": "2026-11-20T12:00", "window_end": "2026-11-20T16:00"},
        "window",
    ),
    ("a reversed window", {"window_start": "2026-11-24T16:00", "window_end": "2026-11-24T12:00"}, "window"),
    ("a window without a start", {"window_start": "soon"}, "window_start"),
    ("a parcel heavier than a person lifts", {"parcels-0-pounds": "990"}, "pounds"),
    ("a parcel without weight", {"parcels-0-pounds": "0"}, "pounds"),
    ("a parcel of a size that is none", {"parcels-0-size": "giant"}, "size"),
    ("a tip that is a slip", {"tip": "9999"}, "tip"),
    ("a value below nothing", {"declared_value": "-1"}, "declared_value"),
    ("a place that is none", {"latitude": "91"}, "latitude"),
    ("instructions without an end", {"instructions": "ring " * 500}, "instructions"),
    ("an e-mail that is none", {"recipient_email": "nobody"}, "recipient_email"),
    ("a letter that turns the line", {"recipient_name": "Ann\u202eeiZ"}, "recipient_name"),
    ("a zero byte", {"line1": "1 Elm\x00 St"}, "line1"),
]


@pytest.mark.parametrize(("said", "changes", "field"), BAD, ids=[row[0] for row in BAD])
def test_bad_input_is_named_and_nothing_is_written(
    afternoon: Afternoon, sam: Client, said: str, changes: dict[str, Any], field: str
) -> None:
    answer = sam.post(
        reverse("deliveries:store_order_new"), {**ANSWERS, "store": afternoon.bookshop.code, **changes}
    )

    page = answer.content.decode()
    assert answer.status_code == 422
    assert f"{field}" in page
    assert 'role="alert"' in page or "field-error" in page
    assert not Order.objects.exists()
    assert not Fact.objects.exists()


@pytest.mark.parametrize("count", ["0", "10000", "x", ""])
def test_no_parcels_or_ten_thousand_are_refused(afternoon: Afternoon, sam: Client, count: str) -> None:
    answer = sam.post(
        reverse("deliveries:store_order_new"),
        {**ANSWERS, "store": afternoon.bookshop.code, "parcels-TOTAL_FORMS": count},
    )

    assert answer.status_code == 422
    assert not Order.objects.exists()


def test_markup_in_every_text_is_shown_as_text(afternoon: Afternoon, sam: Client) -> None:
    nasty = "<script>alert(1)</script>'; DROP TABLE"

    answer = sam.post(
        reverse("deliveries:store_order_new"),
        {
            **ANSWERS,
            "store": afternoon.bookshop.code,
            "recipient_name": nasty,
            "line2": nasty,
            "instructions": nasty,
        },
        follow=True,
    )

    assert Order.objects.get().recipient_name == nasty
    assert b"<script>alert(1)</script>" not in answer.content
    assert b"&lt;script&gt;alert(1)" in answer.content


def test_right_to_left_names_and_pictures_in_names_are_kept(afternoon: Afternoon, sam: Client) -> None:
    name = "ليلى الحداد 🏡"

    sam.post(
        reverse("deliveries:store_order_new"),
        {**ANSWERS, "store": afternoon.bookshop.code, "recipient_name": name},
    )

    assert Order.objects.get().recipient_name == name


def test_staff_cannot_post_for_a_store_that_is_not_theirs(afternoon: Afternoon, sam: Client) -> None:
    answer = sam.post(reverse("deliveries:store_order_new"), {**ANSWERS, "store": afternoon.shoes.code})

    assert answer.status_code == 422
    assert not Order.objects.exists()


def test_one_more_parcel_keeps_what_was_typed_and_posts_nothing(afternoon: Afternoon, sam: Client) -> None:
    answer = sam.post(
        reverse("deliveries:store_order_new"),
        {**ANSWERS, "store": afternoon.bookshop.code, "add_parcel": "1"},
    )

    page = answer.content.decode()
    assert answer.status_code == 200
    assert 'name="parcels-2-size"' in page
    assert "Zoë Ångström-Figueroa" in page
    assert not Order.objects.exists()


def test_an_address_no_map_knows_waits_for_a_pin_and_is_remembered(afternoon: Afternoon, sam: Client) -> None:
    sam.post(
        reverse("deliveries:store_order_new"),
        {**ANSWERS, "store": afternoon.bookshop.code, "latitude": "", "longitude": ""},
    )
    order = Order.objects.get()
    page = sam.get(reverse("deliveries:store_order", args=[order.code]))
    assert order.needs_location
    assert b"Where is this door?" in page.content

    answer = sam.post(
        reverse("deliveries:store_order_location", args=[order.code]),
        {"latitude": "36.167300", "longitude": "-115.178700"},
    )

    order.refresh_from_db()
    assert answer.status_code == 302
    assert not order.needs_location
    assert order.located_by == "pin"
    assert order.fee_cents is not None
    assert KnownAddress.objects.count() == 1
    assert facts_of(order) == ["order.placed", "order.located"]


def test_a_pin_in_another_state_is_refused(afternoon: Afternoon, sam: Client) -> None:
    order = afternoon.place(point=None)

    answer = sam.post(
        reverse("deliveries:store_order_location", args=[order.code]),
        {"latitude": "40.7", "longitude": "-74.0"},
    )

    order.refresh_from_db()
    assert answer.status_code == 409
    assert order.needs_location


def test_an_order_shows_what_was_bought_and_what_each_leg_asks_for(sam: Client, afternoon: Afternoon) -> None:
    order = afternoon.place(
        items=(ItemDraft(name="Oak <lamp>", quantity=2, price_cents=4_900, barcode="0123456789012"),)
    )
    Order.objects.filter(pk=order.pk).update(
        requires_photo=True,
        requires_pin=False,
        minimum_age=21,
        return_photo=True,
        return_signature=True,
        slot_cents=200,
    )

    page = sam.get(reverse("deliveries:store_order", args=[order.code])).content.decode()

    assert "Oak &lt;lamp&gt;" in page
    assert "2 × $49.00" in page
    assert "0123456789012" in page
    assert "<dd>photo, 21+</dd>" in page
    assert "<dd>photo, signature</dd>" in page
    assert "When collected" not in page
    assert "$2.00 for the booked slot" in page


def test_labels_are_one_pdf_with_a_page_a_parcel(afternoon: Afternoon, sam: Client) -> None:
    order = afternoon.place()

    answer = sam.get(reverse("deliveries:store_order_labels", args=[order.code]))

    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")
    assert answer.content.count(b"/Type /Page\n") + answer.content.count(b"/Type /Page ") == 2


def test_cancelling_says_why_and_is_refused_once_the_driver_has_it(afternoon: Afternoon, sam: Client) -> None:
    order, gone = afternoon.place(), afternoon.place()
    afternoon.on_route(gone)

    first = sam.post(
        reverse("deliveries:store_order_cancel", args=[order.code]),
        {"reason": "out_of_stock", "note": "Last one broke"},
    )
    second = sam.post(reverse("deliveries:store_order_cancel", args=[gone.code]), {"reason": "out_of_stock"})

    order.refresh_from_db()
    gone.refresh_from_db()
    assert (first.status_code, second.status_code) == (302, 409)
    assert (order.status, order.cancel_reason, order.cancelled_by) == ("cancelled", "out_of_stock", "staff")
    assert gone.status == "en_route"


PAGES = [
    ("store_order", []),
    ("store_order_labels", []),
    ("store_order_photo", ["photo"]),
]


@pytest.mark.parametrize(("name", "more"), PAGES)
def test_another_stores_order_is_not_there(afternoon: Afternoon, name: str, more: list[str]) -> None:
    order = afternoon.place(afternoon.shoes)
    sam = signed_in(afternoon.sam)

    assert sam.get(reverse(f"deliveries:{name}", args=[order.code, *more])).status_code == 404


@pytest.mark.parametrize("name", ["store_order_cancel", "store_order_ready", "store_order_location"])
def test_another_stores_order_cannot_be_changed(afternoon: Afternoon, name: str) -> None:
    order = afternoon.place(afternoon.shoes, point=None)
    before = Fact.objects.count()

    answer = signed_in(afternoon.sam).post(
        reverse(f"deliveries:{name}", args=[order.code]),
        {"reason": "other", "latitude": "36.1", "longitude": "-115.1"},
    )

    order.refresh_from_db()
    assert answer.status_code == 404
    assert order.status == "placed"
    assert Fact.objects.count() == before


@pytest.mark.parametrize(
    "name", ["store_home", "store_orders", "store_order_new", "store_handover", "store_returns"]
)
def test_who_is_signed_out_is_sent_to_sign_in(db: None, name: str) -> None:
    answer = Client().get(reverse(f"deliveries:{name}"))

    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))


def test_who_works_in_no_store_is_told_so(afternoon: Afternoon) -> None:
    answer = signed_in(afternoon.ada.user).get(reverse("deliveries:store_home"))

    assert answer.status_code == 403
    assert b"no store" in answer.content


def test_a_post_without_the_token_of_the_form_is_refused(afternoon: Afternoon) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(afternoon.sam, backend="allauth.account.auth_backends.AuthenticationBackend")

    answer = client.post(reverse("deliveries:store_order_new"), {**ANSWERS, "store": afternoon.bookshop.code})

    assert answer.status_code == 403
    assert not Order.objects.exists()


def test_pages_keep_to_their_budget_of_queries(
    afternoon: Afternoon, sam: Client, django_assert_max_num_queries: Any
) -> None:
    orders = [afternoon.place() for _number in range(5)]
    manifest = afternoon.loading(*orders[:3])
    stop = stops_of(manifest, Stop.Kind.PICKUP)[0]
    paths = [
        reverse("deliveries:store_home"),
        reverse("deliveries:store_orders"),
        reverse("deliveries:store_order", args=[orders[0].code]),
        reverse("deliveries:store_handover"),
        reverse("deliveries:store_stop", args=[stop.code]),
        reverse("deliveries:store_returns"),
    ]

    for path in paths:
        with django_assert_max_num_queries(QUERIES):
            assert sam.get(path).status_code == 200


def test_reading_the_drivers_code_is_the_stores_half_of_the_handover(
    afternoon: Afternoon, sam: Client
) -> None:
    order = afternoon.place()
    manifest = afternoon.loading(order, driver=afternoon.ada)
    stop = stops_of(manifest, Stop.Kind.PICKUP)[0]

    answer = sam.post(
        reverse("deliveries:store_handover_confirm"),
        {"driver_code": badge.code(afternoon.ada.badge_secret, NOW)},
    )

    assert answer.status_code == 302
    assert answer["Location"] == reverse("deliveries:store_stop", args=[stop.code])
    assert stop.handover.confirmed_by == afternoon.sam
    # Half a handover moves nothing.
    assert set(order.parcels.values_list("custodian", flat=True)) == {Parcel.Custodian.STORE}


def test_a_wrong_drivers_code_is_refused_and_noted(afternoon: Afternoon, sam: Client) -> None:
    order = afternoon.place()
    manifest = afternoon.loading(order, driver=afternoon.ada)
    stop = stops_of(manifest, Stop.Kind.PICKUP)[0]
    wrong = badge.code(afternoon.ben.badge_secret, NOW)

    answer = sam.post(reverse("deliveries:store_handover_confirm"), {"driver_code": wrong, "stop": stop.code})

    stop.refresh_from_db()
    assert answer.status_code == 409
    assert not hasattr(stop, "handover")
    assert Fact.objects.filter(name="handover.refused").count() == 1


def test_another_stores_counter_cannot_confirm_this_stores_driver(afternoon: Afternoon) -> None:
    order = afternoon.place()
    manifest = afternoon.loading(order, driver=afternoon.ada)
    stop = stops_of(manifest, Stop.Kind.PICKUP)[0]
    mia = signed_in(afternoon.mia)

    with time_machine.travel(NOW, tick=False):
        page = mia.get(reverse("deliveries:store_stop", args=[stop.code]))
        answer = mia.post(
            reverse("deliveries:store_handover_confirm"),
            {"driver_code": badge.code(afternoon.ada.badge_secret, NOW), "stop": stop.code},
        )

    stop.refresh_from_db()
    assert page.status_code == 404
    assert answer.status_code == 409
    assert not hasattr(stop, "handover")


def test_a_parcel_that_came_back_is_the_stores_again_after_code_and_scan(
    afternoon: Afternoon, sam: Client
) -> None:
    order = afternoon.place()
    manifest = afternoon.on_route(order, driver=afternoon.ada)
    afternoon.fail(stops_of(manifest, Stop.Kind.DROPOFF)[0])
    stop = stops_of(manifest, Stop.Kind.RETURN)[0]
    parcels = list(order.parcels.order_by("number"))

    sam.post(
        reverse("deliveries:store_handover_confirm"),
        {"driver_code": badge.code(afternoon.ada.badge_secret, NOW), "stop": stop.code},
    )
    for parcel in parcels:
        sam.post(
            reverse("deliveries:store_return_scan", args=[stop.code]),
            {"code": parcel.code, "method": "wedge"},
        )

    order.refresh_from_db()
    assert order.status == "returned"
    assert set(order.parcels.values_list("status", "custodian")) == {("returned", "store")}


def test_the_photo_of_a_failed_attempt_is_for_its_store_alone(afternoon: Afternoon, sam: Client) -> None:
    order = afternoon.place()
    manifest = afternoon.on_route(order, driver=afternoon.ada)
    afternoon.fail(stops_of(manifest, Stop.Kind.DROPOFF)[0], photo=picture())
    url = reverse("deliveries:store_attempt_photo", args=[order.code, 1])

    page = sam.get(reverse("deliveries:store_order", args=[order.code])).content.decode()
    own = sam.get(url)

    assert url in page
    assert b"".join(own.streaming_content)[:2] == b"\xff\xd8"
    assert sam.get(reverse("deliveries:store_attempt_photo", args=[order.code, 2])).status_code == 404
    assert signed_in(afternoon.mia).get(url).status_code == 404
