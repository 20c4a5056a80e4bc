"""The recipient's page: what the link shows, and what it never does."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from deliveries.models import Order, Stop
from drivers.models import Position
from retaildelivery.outbox.models import Fact
from retaildelivery.testing.afternoon import NOW, Afternoon, facts_of, stops_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


def page_of(order: Order) -> Any:
    return Client().get(reverse("deliveries:tracking", args=[order.tracking_token]))


def test_the_link_shows_promise_and_pin_without_signing_in(afternoon: Afternoon) -> None:
    order = afternoon.place(requires_pin=True)

    page = page_of(order)

    assert page.status_code == 200
    assert " ".join(order.pin) in page.content.decode()
    assert "12:00–2:00 PM" in page.content.decode()
    assert page["Referrer-Policy"] == "no-referrer"
    assert "no-store" in page["Cache-Control"] or "no-cache" in page["Cache-Control"]


def test_a_pin_is_no_longer_shown_once_it_has_served(afternoon: Afternoon) -> None:
    order = afternoon.place(requires_pin=True)
    manifest = afternoon.on_route(order)
    afternoon.deliver(stops_of(manifest, Stop.Kind.DROPOFF)[0], pin=order.pin)

    page = page_of(order).content.decode()

    assert "Delivered" in page
    assert " ".join(order.pin) not in page


def test_a_token_that_is_none_is_not_there(db: None) -> None:
    assert Client().get(reverse("deliveries:tracking", args=["x" * 43])).status_code == 404


def test_the_driver_is_a_first_name_and_a_car(afternoon: Afternoon) -> None:
    order = afternoon.place()
    afternoon.on_route(order, driver=afternoon.ada)

    page = page_of(order).content.decode()

    assert "Ada" in page
    assert "Nwosu" not in page
    assert afternoon.ada.user.email not in page
    assert afternoon.ada.user.phone not in page or not afternoon.ada.user.phone


def test_the_position_is_told_only_while_it_is_fresh(afternoon: Afternoon) -> None:
    order = afternoon.place()
    afternoon.on_route(order, driver=afternoon.ada)
    seen = {"driver": afternoon.ada, "latitude": "36.151234", "longitude": "-115.171234", "at": NOW}
    old = Position.objects.create(device_at=NOW - dt.timedelta(minutes=11), **seen)
    stale = page_of(order).content.decode()

    old.delete()
    Position.objects.create(device_at=NOW - dt.timedelta(minutes=1), **seen)
    fresh = page_of(order).content.decode()

    assert "36.151234" not in stale
    assert "36.151234" in fresh


def test_a_note_reaches_the_order_and_is_a_fact(afternoon: Afternoon) -> None:
    order = afternoon.place()

    answer = Client().post(
        reverse("deliveries:tracking_note", args=[order.tracking_token]), {"note": "Gate code 4410"}
    )

    order.refresh_from_db()
    assert answer.status_code == 302
    assert order.recipient_note == "Gate code 4410"
    assert facts_of(order) == ["order.placed", "order.instructed"]


@pytest.mark.parametrize("note", ["x" * 1_000_000, "bell\x00", "turn\u202eback"])
def test_a_note_that_cannot_be_kept_is_refused(afternoon: Afternoon, note: str) -> None:
    order = afternoon.place()
    before = Fact.objects.count()

    answer = Client().post(reverse("deliveries:tracking_note", args=[order.tracking_token]), {"note": note})

    order.refresh_from_db()
    assert answer.status_code == 422
    assert order.recipient_note == ""
    assert Fact.objects.count() == before


def test_a_note_after_the_end_is_refused(afternoon: Afternoon) -> None:
    order = afternoon.place()
    manifest = afternoon.on_route(order)
    afternoon.deliver(stops_of(manifest, Stop.Kind.DROPOFF)[0])

    answer = Client().post(
        reverse("deliveries:tracking_note", args=[order.tracking_token]), {"note": "Hello"}
    )

    order.refresh_from_db()
    assert answer.status_code == 409
    assert order.recipient_note == ""


def test_the_photo_is_only_behind_its_own_link(afternoon: Afternoon) -> None:
    order, other = afternoon.place(), afternoon.place()
    manifest = afternoon.on_route(order)
    afternoon.deliver(stops_of(manifest, Stop.Kind.DROPOFF)[0])

    own = Client().get(reverse("deliveries:tracking_photo", args=[order.tracking_token]))
    others = Client().get(reverse("deliveries:tracking_photo", args=[other.tracking_token]))

    assert own.status_code == 200
    assert b"".join(own.streaming_content)[:2] == b"\xff\xd8"
    assert others.status_code == 404


def test_the_page_speaks_spanish(afternoon: Afternoon) -> None:
    order = afternoon.place()

    page = Client(headers={"accept-language": "es"}).get(
        reverse("deliveries:tracking", args=[order.tracking_token])
    )

    assert '<html lang="es"' in page.content.decode()


def test_the_page_keeps_to_its_budget_of_queries(
    afternoon: Afternoon, django_assert_max_num_queries: Any
) -> None:
    order = afternoon.place()
    afternoon.on_route(order)

    with django_assert_max_num_queries(12):
        page_of(order)
