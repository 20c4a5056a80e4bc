"""A small trade for tests of the seller's side: one mall, two sellers, keys, a client that speaks the API."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from deliveries.models import FeePolicy, Order
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import SYSTEM
from stores import keys
from stores.models import ApiKey, Mall, Market, Seller, Store


@dataclass
class Trade:
    """Northwind has two stores in Fashion Show Mall, its rival Southgate has one."""

    mall: Mall
    seller: Seller
    store: Store
    second_store: Store
    rival: Seller
    rival_store: Store
    secret: str
    rival_secret: str


class SellerClient:
    """Speaks JSON with an API key; `post`, `get` and so on take paths below /api/v1/."""

    def __init__(self, secret: str = "") -> None:
        self.client = Client(raise_request_exception=False)
        self.secret = secret

    def request(
        self, method: str, path: str, body: Any = None, *, raw: bytes | None = None, **headers: str
    ) -> Any:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.secret:
            given.setdefault("Authorization", f"Bearer {self.secret}")
        data = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        kind = given.pop("Content-Type", "application/json")
        return self.client.generic(method, f"/api/v1/{path}", data, content_type=kind, headers=given)

    def get(self, path: str, **headers: str) -> Any:
        return self.request("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.request("POST", path, body, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.request("PUT", path, body, **headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.request("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Any:
        return self.request("DELETE", path, **headers)


def order_body(store: Store, **changes: Any) -> dict[str, Any]:
    """A good body of POST /orders: two parcels to a door some kilometres from the mall, this afternoon."""
    now = timezone.now()
    body: dict[str, Any] = {
        "store": store.code,
        "external_id": "",
        "window": {
            "start": (now + dt.timedelta(hours=2)).isoformat(timespec="seconds"),
            "end": (now + dt.timedelta(hours=4)).isoformat(timespec="seconds"),
        },
        "recipient": {"name": "Rosa Quintero", "phone": "+1 702 555 0148", "email": "rosa@example.com"},
        "dropoff": {
            "line1": "2212 Alta Drive",
            "line2": "Apt 4",
            "city": "Las Vegas",
            "region": "NV",
            "postal_code": "89107",
            "latitude": 36.1673,
            "longitude": -115.1787,
        },
        "instructions": "Blue door",
        "parcels": [
            {"size": "small", "grams": 800, "description": "Shoes"},
            {"size": "large", "grams": 4200},
        ],
        "declared_value": {"cents": 18900, "currency": "USD"},
    }
    return body | changes


def nothing_happened() -> bool:
    """No order and no fact about one was written."""
    return not Order.objects.exists() and not Fact.objects.filter(name__startswith="order.").exists()


def key_for(
    seller: Seller, *, store: Store | None = None, scopes: list[str] | None = None, test: bool = False
) -> str:
    issued = keys.issue(
        seller=seller,
        name="till",
        scopes=scopes if scopes is not None else list(ApiKey.Scope.values),
        actor=SYSTEM,
        at=timezone.now(),
        store=store,
        test=test,
    )
    # As of a key in daily use, so that noting its use costs no write in the tests that count queries.
    ApiKey.objects.filter(pk=issued.key.pk).update(last_used_at=timezone.now())
    return issued.secret


def make_trade() -> Trade:
    market = Market.objects.create(code="las-vegas", name="Las Vegas", time_zone="America/Los_Angeles")
    mall = Mall.objects.create(
        code="fashion-show",
        market=market,
        name="Fashion Show Mall",
        address="3200 Las Vegas Blvd S, Las Vegas, NV 89109",
        latitude="36.127700",
        longitude="-115.172300",
    )
    FeePolicy.objects.create(
        code="las-vegas-2026",
        market=market,
        base_cents=899,
        base_distance_m=8047,
        mile_cents=120,
        large_cents=200,
        extra_large_cents=500,
        valid_from=dt.date(2020, 1, 1),
    )
    seller = Seller.objects.create(name="Northwind", email="owner@northwind.example")
    rival = Seller.objects.create(name="Southgate", email="owner@southgate.example")
    return Trade(
        mall=mall,
        seller=seller,
        store=Store.objects.create(seller=seller, mall=mall, name="Northwind Shoes"),
        second_store=Store.objects.create(seller=seller, mall=mall, name="Northwind Bags"),
        rival=rival,
        rival_store=Store.objects.create(seller=rival, mall=mall, name="Southgate"),
        secret=key_for(seller),
        rival_secret=key_for(rival),
    )


@pytest.fixture
def trade(db: None) -> Trade:
    return make_trade()


@pytest.fixture
def northwind(trade: Trade) -> SellerClient:
    return SellerClient(trade.secret)


@pytest.fixture
def southgate(trade: Trade) -> SellerClient:
    return SellerClient(trade.rival_secret)
