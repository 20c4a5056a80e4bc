"""Shopify's carrier service: a rate for a cart, held behind its service code, and the order that comes of it."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from deliveries.models import FeePolicy, KnownAddress, Order, Quote
from retaildelivery.testing.sellers import SellerClient, Trade, nothing_happened
from stores.models import Store, StoreHours

SECRET = "shpss_only_for_tests"


@pytest.fixture
def trade(trade: Trade, settings: Any) -> Trade:
    settings.DOOR_SHOPIFY = True
    KnownAddress.objects.create(
        key="2212 alta dr|89107", latitude="36.1673", longitude="-115.1787", source="pin"
    )
    return trade


def cart(**changes: Any) -> dict[str, Any]:
    """As Shopify asks: origin, destination and items, with much that nobody here needs."""
    destination = {
        "country": "US",
        "postal_code": "89107",
        "province": "NV",
        "city": "Las Vegas",
        "name": "Rosa Quintero",
        "address1": "2212 Alta Drive",
        "address2": None,
        "phone": None,
        "address_type": None,
    }
    item = {
        "name": "Boots",
        "sku": "B-1",
        "quantity": 2,
        "grams": 900,
        "price": 4500,
        "vendor": "Northwind",
        "requires_shipping": True,
        "product_id": 48447225880,
        "properties": None,
    }
    said = {
        "origin": {"country": "US", "postal_code": "89109", "city": "Las Vegas"},
        "destination": destination | changes.pop("destination", {}),
        "items": [item | each for each in changes.pop("items", [{}])],
        "currency": "USD",
        "locale": "en",
    }
    return {"rate": said | changes}


def ask(store: Store, body: Any = None, *, raw: bytes | None = None, **headers: str) -> Any:
    data = raw if raw is not None else json.dumps(cart() if body is None else body).encode()
    return Client(raise_request_exception=False).post(
        f"/shopify/{store.code}/rates", data, content_type="application/json", headers=headers
    )


def signature(data: bytes, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), data, hashlib.sha256).digest()).decode()


def test_a_cart_gets_one_rate_with_the_window_in_the_malls_time(trade):
    answer = ask(trade.store)

    (rate,) = answer.json()["rates"]
    quote = Quote.objects.get()
    start = dt.datetime.strptime(rate["min_delivery_date"], "%Y-%m-%d %H:%M:%S %z")
    end = dt.datetime.strptime(rate["max_delivery_date"], "%Y-%m-%d %H:%M:%S %z")
    assert answer.status_code == 200
    assert (rate["total_price"], rate["currency"], rate["phone_required"]) == ("899", "USD", True)
    assert rate["service_code"] == f"RD-{quote.code}"
    assert rate["service_name"] == "Delivered from the mall"
    assert end - start == dt.timedelta(hours=2)
    assert start.utcoffset() == timezone.now().astimezone(trade.mall.zone).utcoffset()
    assert [(p["size"], p["grams"]) for p in quote.said["parcels"]] == [("small", 1800)]


def test_a_rate_is_told_in_the_language_of_the_checkout(trade):
    (spanish,) = ask(trade.store, cart(locale="es-MX")).json()["rates"]
    (unknown,) = ask(trade.store, cart(locale="tlh")).json()["rates"]

    assert spanish["service_name"] == "Entrega desde el centro comercial"
    assert unknown["service_name"] == "Delivered from the mall"


def test_the_order_comes_in_at_the_price_that_the_buyer_saw(trade, northwind):
    (rate,) = ask(trade.store).json()["rates"]
    today = timezone.now().date()
    dearer = FeePolicy.objects.get()
    FeePolicy.objects.update(valid_to=today)
    dearer.pk, dearer.code, dearer.valid_from, dearer.base_cents = None, "dearer", today, 9_900
    dearer.save()

    answer = northwind.post(
        "orders",
        {
            "quote": rate["service_code"].removeprefix("RD-"),
            "external_id": "#1001",
            "recipient": {"name": "Rosa Quintero", "phone": "+1 702 555 0148"},
        },
    )

    assert answer.status_code == 201
    assert answer.json()["fee"]["cents"] == 899
    assert Order.objects.get().quote == Quote.objects.get()


@pytest.mark.parametrize(
    "changes",
    [
        {"destination": {"address1": "1 Nowhere Lane"}},
        {"destination": {"latitude": 40.7, "longitude": -74.0}},
        {"destination": {"country": "CA", "province": "ON", "postal_code": "K1A 0B1"}},
        {"destination": {"address1": None, "city": None, "postal_code": None, "province": None}},
        {"items": [{"requires_shipping": False}]},
        {"items": []},
        {"items": [{"quantity": 500, "grams": 20_000}]},
    ],
)
def test_where_we_do_not_deliver_there_is_no_rate(trade, changes):
    answer = ask(trade.store, cart(**changes))

    assert (answer.status_code, answer.json()) == (200, {"rates": []})
    assert not Quote.objects.exists()


def test_a_paused_store_offers_no_rate(trade):
    Store.objects.filter(pk=trade.store.pk).update(paused_until=timezone.now() + dt.timedelta(hours=1))

    assert ask(trade.store).json() == {"rates": []}


def test_a_store_that_is_closed_now_offers_the_first_window_after_it_opens(trade):
    now = timezone.now()
    zone = trade.mall.zone
    tomorrow = (now.astimezone(zone) + dt.timedelta(days=1)).date()
    StoreHours.objects.create(
        store=trade.store, weekday=tomorrow.weekday(), opens=dt.time(10), closes=dt.time(21)
    )

    (rate,) = ask(trade.store).json()["rates"]

    start = dt.datetime.strptime(rate["min_delivery_date"], "%Y-%m-%d %H:%M:%S %z")
    assert (start.date(), start.hour) == (tomorrow, 11)


def test_with_the_apps_secret_only_what_shopify_signed_is_answered(trade, settings):
    settings.SHOPIFY_SECRET = SECRET
    data = json.dumps(cart()).encode()

    signed = ask(trade.store, raw=data, **{"X-Shopify-Hmac-SHA256": signature(data)})
    unsigned = ask(trade.store, raw=data)
    other = ask(trade.store, raw=data + b" ", **{"X-Shopify-Hmac-SHA256": signature(data)})
    forged = ask(trade.store, raw=data, **{"X-Shopify-Hmac-SHA256": signature(data, "guess")})

    assert len(signed.json()["rates"]) == 1
    assert [unsigned.status_code, other.status_code, forged.status_code] == [401, 401, 401]
    assert Quote.objects.count() == 1


def test_shopify_asks_on_the_budget_of_the_store_and_strangers_on_their_own(trade, settings):
    settings.SHOPIFY_SECRET = SECRET
    data = json.dumps(cart()).encode()

    signed = ask(trade.store, raw=data, **{"X-Shopify-Hmac-SHA256": signature(data)})
    settings.SHOPIFY_SECRET = ""
    stranger = ask(trade.store, raw=data)

    assert signed["RateLimit-Limit"] == "1200"
    assert stranger["RateLimit-Limit"] == "120"


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"null", b"{", b'{"rate": 1}', b'{"rate": {"items": [1]}}', b"\xff"]
)
def test_a_body_that_is_no_cart_is_400_and_never_html(trade, raw):
    answer = ask(trade.store, raw=raw)

    assert (answer.status_code, answer["Content-Type"]) == (400, "application/json")
    assert nothing_happened()


def test_a_store_that_is_not_there_is_404(trade):
    assert ask(Store(code="TNOBODY")).status_code == 404
    Store.objects.update(active=False)
    assert ask(trade.store).status_code == 404


def test_a_door_that_is_off_is_not_there(trade, settings):
    settings.DOOR_SHOPIFY = False

    answer = ask(trade.store)

    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_a_rate_is_read_by_nobody_else(trade, southgate: SellerClient):
    (rate,) = ask(trade.store).json()["rates"]

    assert southgate.get(f"quotes/{rate['service_code'].removeprefix('RD-')}").status_code == 404


def test_a_rate_is_answered_in_few_queries(trade, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        ask(trade.store)
