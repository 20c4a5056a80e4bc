"""A system that posts one order after another is not read anew for each; what it may and pays counts all the same."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from deliveries import posting
from deliveries.models import FeePolicy, Order, Parcel
from retaildelivery.outbox.models import Fact, Reaction
from retaildelivery.testing.sellers import SellerClient, Trade, key_for, make_trade, order_body
from retaildelivery.web import parsers
from stores.models import ApiKey, Mall, Seller, Store

pytestmark = pytest.mark.django_db(transaction=True)

# The first order is read for like any, after the second what was read is kept.
TO_BE_KNOWN = 2
DRAWN = {"id", "code", "tracking_token", "placed_at", "ready_at", "order_id"}


@pytest.fixture
def trade() -> Trade:  # in place of the one inside a test's transaction, in which nobody is recognised
    return make_trade()


@pytest.fixture
def regular(trade: Trade) -> SellerClient:
    client = SellerClient(trade.secret)
    for _turn in range(TO_BE_KNOWN):
        assert client.post("orders", order_body(trade.store)).status_code == 201
    return client


def test_an_order_of_a_regular_is_one_statement(
    trade: Trade, regular: SellerClient, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        answer = regular.post("orders", order_body(trade.store))

    assert answer.status_code == 201


def test_an_order_of_a_regular_and_its_answer_are_as_anybodys(
    trade: Trade, regular: SellerClient, django_assert_num_queries: Any
) -> None:
    stranger = SellerClient(key_for(trade.seller))
    body = order_body(trade.store, tip={"cents": 300, "currency": "USD"}, requirements={"signature": True})
    with django_assert_num_queries(1):
        quick = regular.post("orders", body)
    usual = stranger.post("orders", body)

    assert (quick.status_code, usual.status_code) == (201, 201)
    assert set(quick.headers) == set(usual.headers)
    for name in ("Content-Type", "Allow", "Cache-Control", "Vary", "Content-Language"):
        assert quick[name] == usual[name]
    told = [Fact.objects.get(subjects__contains=[f"order:{each.json()['code']}"]) for each in (quick, usual)]
    assert [each.data["order"] for each in told] == [quick.json(), usual.json()]
    assert kept(quick.json()["code"]) == kept(usual.json()["code"])
    assert told[0].sequence == told[1].sequence == 1
    assert (told[0].actor_kind, told[0].actor, told[0].seller_code) == (
        told[1].actor_kind,
        told[1].actor,
        told[1].seller_code,
    )
    assert told[0].source == f"{trade.secret[:16]}… 127.0.0.1"
    follows = [set(Reaction.objects.filter(fact=each).values_list("key", flat=True)) for each in told]
    assert follows[0] == follows[1] != set()


def test_an_order_of_many_parcels_is_one_statement_too(
    trade: Trade, regular: SellerClient, django_assert_num_queries: Any
) -> None:
    parcels = [{"size": "small", "grams": 100 * number} for number in range(1, 8)]

    with django_assert_num_queries(1):
        answer = regular.post("orders", order_body(trade.store, parcels=parcels))

    order = Order.objects.get(code=answer.json()["code"])
    assert [(p.number, p.grams) for p in order.parcels.order_by("number")] == [
        (number, 100 * number) for number in range(1, 8)
    ]


def kept(code: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """All that was written of an order and its parcels, but for what is drawn and the moment."""
    order = Order.objects.filter(code=code).values().get()
    parcels = Parcel.objects.filter(order__code=code).order_by("number").values()
    return (
        {name: value for name, value in order.items() if name not in DRAWN},
        [{name: value for name, value in parcel.items() if name not in DRAWN} for parcel in parcels],
    )


def changed(trade: Trade, what: str) -> None:
    """A row that says who may post is another, by a plain UPDATE that tells nobody."""
    now = timezone.now()
    keys = ApiKey.objects.filter(seller=trade.seller)
    changes: dict[str, Callable[[], Any]] = {
        "revoked": lambda: keys.update(revoked_at=now),
        "expired": lambda: keys.update(expires_at=now),
        "networks": lambda: keys.update(networks=["203.0.113.0/24"]),
        "scopes": lambda: keys.update(scopes=["orders:read"]),
        "of another store": lambda: keys.update(store=trade.second_store),
        "seller": lambda: Seller.objects.filter(pk=trade.seller.pk).update(active=False),
        "store": lambda: Store.objects.filter(pk=trade.store.pk).update(active=False),
        "paused": lambda: Store.objects.filter(pk=trade.store.pk).update(
            paused_until=now + dt.timedelta(hours=1)
        ),
        "mall": lambda: Mall.objects.filter(pk=trade.mall.pk).update(active=False),
        "radius": lambda: Mall.objects.filter(pk=trade.mall.pk).update(delivery_radius_m=1_000),
    }
    changes[what]()


REFUSED = {
    "revoked": (401, "invalid_key"),
    "expired": (401, "invalid_key"),
    "networks": (403, "address_not_allowed"),
    "scopes": (403, "scope_missing"),
    "of another store": (404, "not_found"),
    "seller": (401, "invalid_key"),
    "store": (400, "store_inactive"),
    "paused": (400, "store_paused"),
    "mall": (400, "store_inactive"),
    "radius": (400, "not_serviceable"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_whatever_takes_the_right_to_post_counts_at_once(
    trade: Trade, regular: SellerClient, what: str
) -> None:
    before = Order.objects.count()
    changed(trade, what)

    answers = [regular.post("orders", order_body(trade.store)) for _turn in range(3)]

    problems = [answer.json() for answer in answers]
    codes = {each["field_errors"][0]["code"] if each["status"] == 400 else each["code"] for each in problems}
    assert ({answer.status_code for answer in answers}, codes) == ({REFUSED[what][0]}, {REFUSED[what][1]})
    assert Order.objects.count() == before == Fact.objects.filter(name="order.placed").count()


def test_a_key_that_is_revoked_while_its_order_is_made_posts_none(
    trade: Trade, regular: SellerClient, monkeypatch: Any
) -> None:
    before, write = Order.objects.count(), posting.post_if

    def too_late(*given: Any, **named: Any) -> Any:
        changed(trade, "revoked")
        return write(*given, **named)

    monkeypatch.setattr(posting, "post_if", too_late)

    answer = regular.post("orders", order_body(trade.store))

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_key")
    assert Order.objects.count() == before == Fact.objects.filter(name="order.placed").count()


def test_without_the_condition_such_an_order_would_be_posted(
    trade: Trade, regular: SellerClient, monkeypatch: Any
) -> None:
    before, write = Order.objects.count(), posting.post_if

    def unconditional(condition: Any, **named: Any) -> Any:
        changed(trade, "revoked")
        condition = type(condition)("SELECT %s::bigint AS id", [named["store"].pk])
        return write(condition, **named)

    monkeypatch.setattr(posting, "post_if", unconditional)

    assert regular.post("orders", order_body(trade.store)).status_code == 201
    assert Order.objects.count() == before + 1


def test_new_terms_count_at_once(trade: Trade, regular: SellerClient, django_assert_num_queries: Any) -> None:
    today = timezone.now().astimezone(trade.mall.market.zone).date()
    first = FeePolicy.objects.get()
    FeePolicy.objects.filter(pk=first.pk).update(valid_to=today)
    FeePolicy.objects.create(
        code="dearer", market=trade.mall.market, base_cents=1_299, base_distance_m=8_047, mile_cents=120,
        large_cents=200, extra_large_cents=500, valid_from=today,
    )  # fmt: skip

    fees = [
        regular.post("orders", order_body(trade.store)).json()["fee"]["cents"] for _turn in range(TO_BE_KNOWN)
    ]
    with django_assert_num_queries(1):
        fees.append(regular.post("orders", order_body(trade.store)).json()["fee"]["cents"])

    assert fees == [1_499] * 3


def test_a_market_without_prices_gives_a_regular_none(
    trade: Trade, regular: SellerClient, django_assert_num_queries: Any
) -> None:
    FeePolicy.objects.update(valid_to=dt.date(2020, 2, 1))
    for _turn in range(TO_BE_KNOWN):
        regular.post("orders", order_body(trade.store))

    with django_assert_num_queries(1):
        answer = regular.post("orders", order_body(trade.store))

    assert (answer.status_code, answer.json()["fee"]) == (201, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"parcels": []},
        {"recipient": {"name": "Rosa", "phone": "12"}},
        {"window": {"start": "2020-01-01T00:00:00Z", "end": "2020-01-01T01:00:00Z"}},
        {"colour": "blue"},
        {"store": "NOSUCHST"},
        {"quote": "NOSUCHQT"},
        {"promise": "no promise"},
        {"sandbox": {"behaviour": "normal"}},
        {"dropoff": None},
    ],
)
def test_what_is_wrong_is_said_to_a_regular_as_to_anybody(
    trade: Trade, regular: SellerClient, wrong: dict[str, Any]
) -> None:
    stranger, before = SellerClient(key_for(trade.seller)), Order.objects.count()
    body = order_body(trade.store) | wrong

    answers = [client.post("orders", body) for client in (regular, stranger)]

    said = [{**answer.json(), "request_id": ""} for answer in answers]
    assert said[0] == said[1]
    assert answers[0].status_code == answers[1].status_code >= 400
    assert Order.objects.count() == before


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"null", b'{"store": 1, "store": 2}', b'{"store": "\xff"}']
)
def test_a_body_that_is_no_order_is_refused_to_a_regular_as_to_anybody(
    trade: Trade, regular: SellerClient, raw: bytes
) -> None:
    answers = [
        client.request("POST", "orders", raw=raw) for client in (regular, SellerClient(key_for(trade.seller)))
    ]

    assert answers[0].status_code == answers[1].status_code == 400
    assert {**answers[0].json(), "request_id": ""} == {**answers[1].json(), "request_id": ""}


def test_the_number_of_an_order_is_taken_for_a_regular_too(trade: Trade, regular: SellerClient) -> None:
    body = order_body(trade.store, external_id="R-1")
    first = regular.post("orders", body)

    again = regular.post("orders", body)
    other = regular.post("orders", body | {"instructions": "Red door"})

    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert again.json() == first.json()
    assert other.json()["reason"] == first.json()["code"]
    assert Order.objects.filter(external_id="R-1").count() == 1


@pytest.mark.race
def test_twenty_times_the_same_order_of_a_regular_at_once_is_one_order(
    trade: Trade, regular: SellerClient
) -> None:
    body = order_body(trade.store, external_id="R-2")
    states, start = [], threading.Barrier(20)

    def post() -> None:
        client = SellerClient(trade.secret)
        start.wait()
        states.append(client.post("orders", body).status_code)
        connection.close()

    threads = [threading.Thread(target=post) for _turn in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(states) == [200] * 19 + [201]
    assert Order.objects.filter(external_id="R-2").count() == 1
    assert Fact.objects.filter(data__order__external_id="R-2").count() == 1


def test_each_request_of_a_regular_is_counted_once_whichever_way_it_goes(
    trade: Trade, regular: SellerClient, settings: Any
) -> None:
    settings.API_REQUESTS_PER_MINUTE = 50
    good, bad = order_body(trade.store), order_body(trade.store, parcels=[])
    answers = [regular.post("orders", good), regular.post("orders", bad)]
    changed(trade, "paused")
    answers += [regular.post("orders", good), regular.get("orders"), regular.post("orders", good)]

    left = [int(answer["RateLimit-Remaining"]) for answer in answers]
    assert [answer.status_code for answer in answers] == [201, 400, 400, 200, 400]
    assert left == list(range(left[0], left[0] - 5, -1))


def test_a_regular_who_has_spent_the_budget_posts_nothing(
    trade: Trade, regular: SellerClient, settings: Any
) -> None:
    settings.API_REQUESTS_PER_MINUTE = TO_BE_KNOWN
    before = Order.objects.count()

    answer = regular.post("orders", order_body(trade.store))

    assert (answer.status_code, answer.json()["code"]) == (429, "throttled")
    assert Order.objects.count() == before


def test_an_idempotency_key_counts_for_a_regular(trade: Trade, regular: SellerClient) -> None:
    body = order_body(trade.store)

    first, again = (regular.post("orders", body, Idempotency_Key="till-7") for _turn in range(2))

    assert (first.status_code, again.status_code) == (201, 201)
    assert again["Idempotent-Replayed"] == "true"
    assert first.json()["code"] == again.json()["code"]


def test_a_quote_gives_a_regular_its_price(trade: Trade, regular: SellerClient) -> None:
    body = order_body(trade.store)
    quote = regular.post("quotes", body).json()

    order = regular.post("orders", body | {"quote": quote["code"]}).json()

    assert (order["quote"], order["fee"]) == (quote["code"], quote["fee"])


def test_a_test_key_rehearses_however_often_it_posts(trade: Trade) -> None:
    rehearsing = SellerClient(key_for(trade.seller, test=True))

    shown = [rehearsing.post("orders", order_body(trade.store)).json() for _turn in range(4)]

    assert [order["live_mode"] for order in shown] == [False] * 4
    assert Order.objects.count() == 0


def test_the_use_of_a_busy_key_is_still_noted(trade: Trade, regular: SellerClient) -> None:
    long_ago = timezone.now() - dt.timedelta(hours=1)
    key = ApiKey.objects.filter(seller=trade.seller)
    key.update(last_used_at=long_ago)

    for _turn in range(3):
        assert regular.post("orders", order_body(trade.store)).status_code == 201

    assert key.get().last_used_at > timezone.now() - dt.timedelta(minutes=1)


def test_a_key_of_one_store_posts_for_no_other_however_often(trade: Trade) -> None:
    client = SellerClient(key_for(trade.seller, store=trade.store))
    for _turn in range(TO_BE_KNOWN + 1):
        assert client.post("orders", order_body(trade.store)).status_code == 201

    refused = [client.post("orders", order_body(trade.second_store)).status_code for _turn in range(3)]

    assert refused == [404] * 3
    assert not Order.objects.filter(store=trade.second_store).exists()


def test_a_key_that_is_narrowed_between_two_stores_is_as_narrow_at_both(
    trade: Trade, regular: SellerClient
) -> None:
    inside = SellerClient(trade.secret)
    inside.client = Client(raise_request_exception=False, REMOTE_ADDR="203.0.113.7")
    changed(trade, "networks")
    for _turn in range(TO_BE_KNOWN + 1):
        assert inside.post("orders", order_body(trade.second_store)).status_code == 201

    stores = (trade.second_store, trade.store)
    refused = [
        regular.post("orders", order_body(store)).status_code for store in stores for _turn in range(2)
    ]

    assert refused == [403] * 4


def test_nothing_is_read_of_what_a_stranger_or_a_spent_regular_says(
    trade: Trade, regular: SellerClient, settings: Any, monkeypatch: Any
) -> None:
    def read(_raw: bytes) -> Any:
        raise AssertionError

    monkeypatch.setattr(parsers, "read", read)

    assert SellerClient("sk_live_" + "A" * 43).post("orders", {"store": "A"}).status_code == 401
    settings.API_REQUESTS_PER_MINUTE = TO_BE_KNOWN
    assert regular.post("orders", order_body(trade.store)).status_code == 429


def test_a_token_of_a_regulars_key_may_no_more_than_it_says(trade: Trade, regular: SellerClient) -> None:
    said = {
        "grant_type": "client_credentials",
        "client_id": ApiKey.objects.get(seller=trade.seller).prefix,
        "client_secret": trade.secret,
        "scope": "orders:read",
    }
    token = regular.client.post("/oauth/token", said).json()["access_token"]

    refused = [SellerClient(token).post("orders", order_body(trade.store)) for _turn in range(3)]

    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(403, "scope_missing")] * 3
