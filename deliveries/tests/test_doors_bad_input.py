"""Bodies that nobody should send, at every door in another service's shape: refused in that shape, without effect."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from deliveries.models import KnownAddress, Order, Quote
from deliveries.tests.test_direct_door import DirectClient
from deliveries.tests.test_direct_door import body as direct_body
from deliveries.tests.test_drive_door import body as drive_body
from deliveries.tests.test_drive_door import signing_key, token
from deliveries.tests.test_shopify_door import cart
from retaildelivery.outbox.models import Fact
from retaildelivery.testing.sellers import Trade, key_for
from retaildelivery.testing.spoiling import places_in, replaced

JSON = "application/json"
DEEP = b'{"a":' * 5_000 + b"1" + b"}" * 5_000
HUGE = b'{"a": "' + b"x" * 12_000_000 + b'"}'


@pytest.fixture
def trade(trade: Trade, settings: Any) -> Trade:
    settings.DOOR_DRIVE = settings.DOOR_DIRECT = settings.DOOR_SHOPIFY = True
    settings.API_REQUESTS_PER_MINUTE = 1_000_000
    KnownAddress.objects.create(
        key="2212 alta dr|89107", latitude="36.1673", longitude="-115.1787", source="pin"
    )
    return trade


class Door:
    """One address of a door, with a body that it takes."""

    def __init__(self, trade: Trade, name: str) -> None:
        self.client = Client(raise_request_exception=False)
        kind, path = name.split(" ")
        self.headers: dict[str, str] = {}
        self.takes: Any = {}
        if kind == "drive":
            self.path = f"/drive/v2/{path}"
            self.headers["Authorization"] = f"Bearer {token(signing_key(trade.seller))}"
            self.takes = drive_body(trade.store, pickup_verification_metadata={
                "verification_type": "SCAN_BARCODE", "verification_code": "BAG-61",
            }, items=[{"name": "Boots", "quantity": 2, "weight": 1.5}])  # fmt: skip
        elif kind == "direct":
            secret = key_for(trade.seller)
            asking = DirectClient(trade.seller, secret)
            self.path = f"/v1/customers/{trade.seller.code}/{path}"
            self.headers["Authorization"] = f"Bearer {asking.token().json()['access_token']}"
            self.takes = direct_body(trade.store)
        else:
            self.path = f"/shopify/{trade.store.code}/rates"
            self.takes = cart()

    def ask(self, raw: bytes, kind: str = JSON) -> Any:
        return self.client.generic("POST", self.path, raw, content_type=kind, headers=self.headers)


DOORS = ["drive quotes", "drive deliveries", "direct delivery_quotes", "direct deliveries", "shopify rates"]


@pytest.fixture
def door(trade: Trade, request: Any) -> Door:
    return Door(trade, request.param)


every_door = pytest.mark.parametrize("door", DOORS, indirect=True, ids=str)


def state() -> tuple[int, int, int]:
    return (
        Order.objects.count(),
        Quote.objects.count(),
        Fact.objects.filter(name__startswith="order.").count(),
    )


def spoilt(good: Any) -> list[tuple[bytes, str]]:
    text = json.dumps(good)
    twice = text[:-1] + ", " + text[1:]
    return [
        (DEEP, JSON),
        (HUGE, JSON),
        (b"", JSON),
        (b"null", JSON),
        (b"[]", JSON),
        (b"7", JSON),
        (b'"text"', JSON),
        (b"{", JSON),
        (b"\xff\xfe", JSON),
        (twice.encode(), JSON),
        (text.replace("Rosa", "\\ud800").encode(), JSON),
        (text.replace("Rosa", "\\u0000").encode(), JSON),
        (b'{"a": NaN}', JSON),
        (text.encode(), "text/plain"),
        (text.encode(), "text/xml"),
        (text.encode(), "application/octet-stream"),
        (b"a=1", "application/x-www-form-urlencoded"),
    ]


@every_door
def test_a_body_that_is_never_right_is_refused_in_json_and_nothing_happens(door: Door) -> None:
    for raw, kind in spoilt(door.takes):
        answer = door.ask(raw, kind)

        assert 400 <= answer.status_code < 500, (raw[:60], kind, answer.status_code, answer.content[:200])
        assert "json" in answer["Content-Type"], (raw[:60], kind)
        assert isinstance(answer.json(), dict)
    assert state() == (0, 0, 0)


ODD: list[Any] = [
    None,
    True,
    -1,
    0.5,
    10**30,
    "",
    "a\0b",
    "\ud800",
    "💥" * 5_000,
    '{"a":' * 5_000,
    [],
    {},
    [None],
    {"a": 1},
]


@every_door
def test_an_odd_value_in_any_one_place_is_never_our_fault(door: Door) -> None:
    for place in places_in(door.takes):
        for odd in ODD:
            answer = door.ask(json.dumps(replaced(door.takes, place, odd)).encode())

            assert answer.status_code < 500, (place, odd, answer.content[:300])
            assert "json" in answer["Content-Type"], (place, odd)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [(DEEP, JSON), (HUGE, JSON), (b"[]", JSON), (b"null", JSON), (b"\xff", JSON), (b'{"client_id": {}}', JSON),
     (b"a=1", "application/x-www-form-urlencoded"), (b"client_id=%00", "application/x-www-form-urlencoded"),
     (b"<a/>", "text/xml"), (HUGE, "application/x-www-form-urlencoded")],
)  # fmt: skip
def test_a_request_for_a_token_that_says_nothing_gets_none(trade: Trade, raw: bytes, kind: str) -> None:
    answer = Client(raise_request_exception=False).generic("POST", "/oauth/v2/token", raw, content_type=kind)

    assert 400 <= answer.status_code < 500, answer.content[:300]
    assert "access_token" not in answer.content.decode()
    assert "json" in answer["Content-Type"]
