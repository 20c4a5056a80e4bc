"""Who may see and do what: keys, scopes, stores, sellers."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from deliveries.models import Order
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import SYSTEM
from retaildelivery.testing.sellers import SellerClient, Trade, key_for, nothing_happened, order_body
from stores import keys
from stores.models import ApiKey, Seller, WebhookEndpoint, WebhookMessage

ORDER = [
    ("GET", "orders/{order}", None),
    ("PATCH", "orders/{order}", {"instructions": "Ring twice"}),
    ("PUT", "orders/{order}/cancellation", {"reason": "other"}),
    ("PUT", "orders/{order}/ready", {}),
    ("PUT", "orders/{order}/location", {"latitude": 36.1, "longitude": -115.1}),
    ("PUT", "orders/{order}/tip", {"cents": 100}),
    ("GET", "orders/{order}/timeline", None),
    ("GET", "orders/{order}/proof", None),
    ("GET", "orders/{order}/proof/photo", None),
    ("GET", "orders/{order}/proof/signature", None),
    ("GET", "orders/{order}/proof/attempt-1", None),
    ("GET", "orders/{order}/labels.pdf", None),
    ("GET", "orders/{order}/labels.zpl", None),
    ("GET", "orders/{order}/courier", None),
    ("GET", "orders?store={store}", None),
]
ENDPOINT = [
    ("GET", "webhook-endpoints/{endpoint}", None),
    ("PATCH", "webhook-endpoints/{endpoint}", {"enabled": False}),
    ("DELETE", "webhook-endpoints/{endpoint}", None),
    ("POST", "webhook-endpoints/{endpoint}/rotate-secret", {}),
    ("POST", "webhook-endpoints/{endpoint}/test", {}),
    ("GET", "webhook-endpoints/{endpoint}/messages", None),
    ("POST", "webhook-endpoints/{endpoint}/messages/{message}/replay", {}),
]
NO_CODE = [
    ("GET", "orders", None),
    ("POST", "orders", {}),
    ("POST", "serviceability", {}),
    ("GET", "stores", None),
    ("GET", "malls", None),
    ("GET", "events", None),
    ("GET", "webhook-endpoints", None),
    ("POST", "webhook-endpoints", {}),
    ("POST", "handovers", {}),
    ("POST", "returns/scans", {}),
]


@pytest.fixture
def places(northwind: SellerClient, trade: Trade) -> dict[str, str]:
    """An order and a webhook message of Northwind's, by their codes."""
    order = northwind.post("orders", order_body(trade.store)).json()["code"]
    at = timezone.now()
    endpoint = WebhookEndpoint.objects.create(
        seller=trade.seller, url="https://hooks.example.com/", secret="whsec_" + "A" * 44, created_at=at
    )
    WebhookMessage.objects.create(
        code="evt_1",
        endpoint=endpoint,
        event_type="order.placed",
        body="{}",
        created_at=at,
        next_attempt_at=at,
    )
    return {"order": order, "store": trade.store.code, "endpoint": endpoint.code, "message": "evt_1"}


def state() -> Any:
    return (
        list(Order.objects.values()),
        list(WebhookEndpoint.objects.values()),
        list(WebhookMessage.objects.values()),
        Fact.objects.count(),
    )


@pytest.mark.parametrize(("method", "path", "body"), ORDER + ENDPOINT)
def test_another_sellers_codes_are_404_everywhere(
    southgate: SellerClient, places: dict[str, str], method: str, path: str, body: Any
) -> None:
    before = state()

    answer = southgate.request(method, path.format(**places), body)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert state() == before


@pytest.mark.parametrize(("method", "path", "body"), ORDER)
def test_a_key_of_one_store_does_not_reach_the_orders_of_another(
    trade: Trade, places: dict[str, str], method: str, path: str, body: Any
) -> None:
    client = SellerClient(key_for(trade.seller, store=trade.second_store))
    before = state()

    answer = client.request(method, path.format(**places), body)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert state() == before


@pytest.mark.parametrize(("method", "path", "body"), ENDPOINT)
def test_a_key_of_one_store_may_not_touch_endpoints(
    trade: Trade, places: dict[str, str], method: str, path: str, body: Any
) -> None:
    client = SellerClient(key_for(trade.seller, store=trade.store))
    answer = client.request(method, path.format(**places), body)
    assert (answer.status_code, answer.json()["code"]) == (403, "key_of_one_store")


@pytest.mark.parametrize(("method", "path", "body"), ORDER + ENDPOINT + NO_CODE)
def test_without_a_good_key_nothing_answers(
    trade: Trade, places: dict[str, str], method: str, path: str, body: Any
) -> None:
    address = path.format(**places)
    revoked = key_for(trade.seller)
    expired = key_for(trade.seller)
    ApiKey.objects.filter(digest=keys.digest(revoked)).update(revoked_at=timezone.now())
    ApiKey.objects.filter(digest=keys.digest(expired)).update(expires_at=timezone.now())
    before = state()
    answers = [
        SellerClient("").request(method, address, body),
        SellerClient(revoked).request(method, address, body),
        SellerClient(expired).request(method, address, body),
        SellerClient("sk_live_" + "A" * 43).request(method, address, body),
        SellerClient("dt_" + "A" * 43).request(method, address, body),
        SellerClient("").request(method, address, body, Authorization="Basic dXNlcjpwYXNz"),
        SellerClient("").request(method, address, body, Authorization="Bearer"),
        SellerClient("").request(method, address, body, Authorization="Bearer ÿ ÿ"),
    ]
    assert [answer.status_code for answer in answers] == [401] * 8
    assert answers[0].json()["code"] == "not_authenticated"
    assert {answer.json()["code"] for answer in answers[1:]} == {"invalid_key"}
    assert {answer["WWW-Authenticate"] for answer in answers} == {"Bearer"}
    assert state() == before


SCOPE = [(*row, "orders:read") for row in ORDER if row[0] == "GET"]
SCOPE += [(*row, "orders:write") for row in ORDER if row[0] != "GET"]
SCOPE += [(*row, "webhooks") for row in ENDPOINT]
SCOPE += [("POST", "handovers", {}, "handover"), ("POST", "returns/scans", {}, "handover")]
SCOPE += [("GET", "events", None, "orders:read"), ("POST", "orders", {}, "orders:write")]


@pytest.mark.parametrize(("method", "path", "body", "scope"), SCOPE)
def test_a_key_without_the_scope_gets_403(
    trade: Trade, places: dict[str, str], method: str, path: str, body: Any, scope: str
) -> None:
    others = [value for value in ApiKey.Scope.values if value != scope]
    client = SellerClient(key_for(trade.seller, scopes=others))
    before = state()

    answer = client.request(method, path.format(**places), body)

    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
    assert answer.json()["reason"] == scope
    assert state() == before


def test_head_needs_what_get_needs(trade: Trade, places: dict[str, str]) -> None:
    client = SellerClient(key_for(trade.seller, scopes=["handover"]))
    assert client.request("HEAD", f"orders/{places['order']}").status_code == 403
    assert SellerClient(trade.secret).request("HEAD", f"orders/{places['order']}").status_code == 200
    assert SellerClient(trade.rival_secret).request("HEAD", f"orders/{places['order']}").status_code == 404


def test_posting_for_another_sellers_store_is_404_and_writes_nothing(
    southgate: SellerClient, trade: Trade
) -> None:
    answer = southgate.post("orders", order_body(trade.store))
    assert answer.status_code == 404
    assert nothing_happened()


def test_asking_about_another_sellers_store_is_404(southgate: SellerClient, trade: Trade) -> None:
    body = {"store": trade.store.code, "dropoff": order_body(trade.store)["dropoff"]}
    assert southgate.post("serviceability", body).status_code == 404


def test_lists_and_the_feed_hold_only_what_the_key_reaches(
    northwind: SellerClient, southgate: SellerClient, trade: Trade
) -> None:
    first = northwind.post("orders", order_body(trade.store)).json()["code"]
    second = northwind.post("orders", order_body(trade.second_store)).json()["code"]
    of_one = SellerClient(key_for(trade.seller, store=trade.store))

    assert [row["code"] for row in northwind.get("orders").json()["results"]] == [second, first]
    assert [row["code"] for row in of_one.get("orders").json()["results"]] == [first]
    assert southgate.get("orders").json()["results"] == []
    assert [row["code"] for row in of_one.get("stores").json()["results"]] == [trade.store.code]
    assert len(northwind.get("stores").json()["results"]) == 2
    assert [row["code"] for row in southgate.get("stores").json()["results"]] == [trade.rival_store.code]
    assert southgate.get("events").json() == {"results": [], "next": None}


def test_a_key_of_one_store_need_not_name_it(trade: Trade) -> None:
    client = SellerClient(key_for(trade.seller, store=trade.second_store))
    body = order_body(trade.second_store)
    del body["store"]

    answer = client.post("orders", body)

    assert answer.status_code == 201
    assert answer.json()["store"] == trade.second_store.code


def test_keys_of_a_seller_that_is_switched_off_end_at_once(northwind: SellerClient, trade: Trade) -> None:
    Seller.objects.filter(pk=trade.seller.pk).update(active=False)
    assert northwind.get("orders").status_code == 401


def test_a_rotated_key_works_until_the_overlap_ends(trade: Trade) -> None:
    old = ApiKey.objects.get(digest=keys.digest(trade.secret))
    at = timezone.now()
    issued = keys.rotate(prefix=old.prefix, scope=ApiKey.objects.all(), actor=SYSTEM, at=at)

    assert SellerClient(trade.secret).get("orders").status_code == 200
    assert SellerClient(issued.secret).get("orders").status_code == 200
    assert issued.key.scopes == old.scopes
    assert keys.find(trade.secret, at=at + dt.timedelta(hours=24)) is None
    assert keys.find(issued.secret, at=at + dt.timedelta(hours=24)) == issued.key


def test_a_key_is_kept_only_as_a_hash_and_its_use_is_noted(trade: Trade) -> None:
    issued = keys.issue(
        seller=trade.seller, name="till", scopes=["orders:read"], actor=SYSTEM, at=timezone.now()
    )
    assert issued.secret.startswith(issued.key.prefix)
    assert issued.secret not in str(ApiKey.objects.filter(pk=issued.key.pk).values())

    SellerClient(issued.secret).get("orders")

    issued.key.refresh_from_db()
    assert issued.key.last_used_at is not None


def test_a_key_for_another_sellers_store_is_refused(trade: Trade) -> None:
    with pytest.raises(keys.StoreOfAnotherSeller):
        keys.issue(
            seller=trade.seller,
            store=trade.rival_store,
            name="till",
            scopes=["orders:read"],
            actor=SYSTEM,
            at=timezone.now(),
        )
    assert ApiKey.objects.count() == 2
