"""What is wrong with a request is named, is a 4xx, and leaves nothing behind."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.utils import timezone

from deliveries.models import Order
from deliveries.tests.test_slots import rule
from retaildelivery.outbox.models import Fact
from retaildelivery.testing.sellers import SellerClient, Trade, nothing_happened, order_body

LONG = "x" * 1_000_000
SQL = "'; DROP TABLE deliveries_order; --"
HTML = "<script>alert(1)</script>"


def with_value(body: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The body with one value replaced, by a path such as parcels.0.grams."""
    place: Any = body
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in steps:
        place = place[step]
    place[last] = str(value) if isinstance(value, Ahead) else value
    return body


class Ahead(dt.timedelta):
    """A moment so far from now, as it is when the test runs."""

    def __str__(self) -> str:
        return (timezone.now() + self).isoformat(timespec="seconds")


WRONG = [
    ("store", 5, "store"),
    ("store", None, "store"),
    ("store", LONG, "store"),
    ("external_id", "x" * 81, "external_id"),
    ("external_id", 7, "external_id"),
    ("external_id", "a\u202eb", "external_id"),
    ("window", None, "window"),
    ("window", [], "window"),
    ("window", {}, "window.start"),
    ("window.start", "tomorrow", "window.start"),
    ("window.start", "2026-11-23T14:00:00", "window.start"),
    ("window.start", "2026-13-45T14:00:00Z", "window.start"),
    ("window.start", "9999-12-31T23:59:59-23:59", "window.start"),
    ("window.start", 1_700_000_000, "window.start"),
    ("window.start", None, "window.start"),
    ("window.start", Ahead(hours=6), "window.end"),
    ("window.start", Ahead(days=30), "window.start"),
    ("window.end", Ahead(hours=-1), "window.end"),
    ("window.end", Ahead(days=400), "window.end"),
    ("ready_at", Ahead(days=-30), "ready_at"),
    ("ready_at", Ahead(hours=5), "ready_at"),
    ("recipient", "Rosa", "recipient"),
    ("recipient", [], "recipient"),
    ("recipient.name", "", "recipient.name"),
    ("recipient.name", "   ", "recipient.name"),
    ("recipient.name", None, "recipient.name"),
    ("recipient.name", LONG, "recipient.name"),
    ("recipient.name", "Ro\x07sa", "recipient.name"),
    ("recipient.name", ["Rosa"], "recipient.name"),
    ("recipient.phone", "", "recipient.phone"),
    ("recipient.phone", "12", "recipient.phone"),
    ("recipient.phone", "call me", "recipient.phone"),
    ("recipient.phone", 7025550148, "recipient.phone"),
    ("recipient.phone", SQL, "recipient.phone"),
    ("recipient.email", "rosa", "recipient.email"),
    ("recipient.email", "a@b\r\nBcc: everyone@example.com", "recipient.email"),
    ("recipient.locale", "xx", "recipient.locale"),
    ("dropoff", None, "dropoff"),
    ("dropoff.line1", "", "dropoff.line1"),
    ("dropoff.city", LONG, "dropoff.city"),
    ("dropoff.region", "Nevada", "dropoff.region"),
    ("dropoff.region", HTML, "dropoff.region"),
    ("dropoff.postal_code", "ABCDE", "dropoff.postal_code"),
    ("dropoff.postal_code", "8910", "dropoff.postal_code"),
    ("dropoff.postal_code", "８９１０９", "dropoff.postal_code"),
    ("dropoff.postal_code", 89109, "dropoff.postal_code"),
    ("dropoff.country", "DE", "dropoff.country"),
    ("dropoff.latitude", 91, "dropoff.latitude"),
    ("dropoff.latitude", "36.1", "dropoff.latitude"),
    ("dropoff.latitude", None, "dropoff.latitude"),
    ("dropoff.longitude", 1e300, "dropoff.longitude"),
    ("dropoff.longitude", -73.98, "dropoff"),
    ("instructions", "x" * 501, "instructions"),
    ("parcels", None, "parcels"),
    ("parcels", [], "parcels"),
    ("parcels", {}, "parcels"),
    ("parcels", [{"size": "small", "grams": 1}] * 10_000, "parcels"),
    ("parcels.1", "shoes", "parcels[1]"),
    ("parcels.0.size", "gigantic", "parcels[0].size"),
    ("parcels.0.size", ["small"], "parcels[0].size"),
    ("parcels.0.grams", 0, "parcels[0].grams"),
    ("parcels.0.grams", -5, "parcels[0].grams"),
    ("parcels.0.grams", 2_000_000, "parcels[0].grams"),
    ("parcels.0.grams", 10**30, "parcels[0].grams"),
    ("parcels.0.grams", 800.5, "parcels[0].grams"),
    ("parcels.0.grams", "800", "parcels[0].grams"),
    ("parcels.0.grams", True, "parcels[0].grams"),
    ("parcels.0.litres", 5_000, "parcels[0].litres"),
    ("parcels.0.description", "x" * 81, "parcels[0].description"),
    ("requirements", {"photo": "yes"}, "requirements.photo"),
    ("requirements", {"minimum_age": 12}, "requirements.minimum_age"),
    ("requirements", {"laser": True}, "requirements.laser"),
    ("undeliverable", "burn", "undeliverable"),
    ("declared_value", {"cents": -1}, "declared_value.cents"),
    ("declared_value", {"cents": 12.5}, "declared_value.cents"),
    ("declared_value", {"cents": 100, "currency": "EUR"}, "declared_value.currency"),
    ("declared_value", {"cents": 999_999_999}, "declared_value.cents"),
    ("declared_value", 100, "declared_value"),
    ("tip", {"cents": 500_000}, "tip.cents"),
    ("gift_wrap", True, "gift_wrap"),
    ("parcels.0.colour", "red", "parcels[0].colour"),
]


@pytest.mark.parametrize(
    ("path", "value", "field"), WRONG, ids=[f"{n}-{path}" for n, (path, *_) in enumerate(WRONG)]
)
def test_a_wrong_value_is_named_and_nothing_is_written(
    northwind: SellerClient, trade: Trade, path: str, value: Any, field: str
) -> None:
    answer = northwind.post("orders", with_value(order_body(trade.store), path, value))

    assert answer.status_code == 400, answer.content[:500]
    problem = answer.json()
    assert answer["Content-Type"] == "application/problem+json"
    assert problem["code"] == "validation_error"
    assert field in [error["field"] for error in problem["field_errors"]]
    assert all(error["message"] and error["code"] for error in problem["field_errors"])
    assert problem["request_id"] == answer["X-Request-Id"]
    assert nothing_happened()


REQUIRED = [
    ("window", "window"),
    ("recipient", "recipient"),
    ("dropoff", "dropoff"),
    ("parcels", "parcels"),
]


@pytest.mark.parametrize(("name", "field"), REQUIRED)
def test_a_missing_field_is_named(northwind: SellerClient, trade: Trade, name: str, field: str) -> None:
    body = order_body(trade.store)
    del body[name]

    answer = northwind.post("orders", body)

    assert answer.status_code == 400
    assert {"field": field, "code": "required"}.items() <= answer.json()["field_errors"][0].items()
    assert nothing_happened()


def test_a_key_that_reaches_several_stores_names_one(northwind: SellerClient, trade: Trade) -> None:
    body = order_body(trade.store)
    del body["store"]

    answer = northwind.post("orders", body)

    assert (answer.status_code, answer.json()["code"]) == (409, "store_needed")
    assert [error["field"] for error in answer.json()["field_errors"]] == ["store"]
    assert nothing_happened()


def test_a_key_that_reaches_one_store_need_not_name_it(southgate: SellerClient, trade: Trade) -> None:
    body = order_body(trade.rival_store)
    del body["store"]
    assert southgate.post("orders", body).json()["store"] == trade.rival_store.code


def test_everything_that_is_wrong_is_named_at_once(northwind: SellerClient, trade: Trade) -> None:
    body = order_body(trade.store, gift_wrap=True, undeliverable="burn")
    body["parcels"][1]["size"] = "gigantic"

    answer = northwind.post("orders", body)

    assert {error["field"] for error in answer.json()["field_errors"]} == {
        "gift_wrap",
        "undeliverable",
        "parcels[1].size",
    }


def raw(body: dict[str, Any], old: str, new: str) -> bytes:
    text = json.dumps(body)
    assert old in text
    return text.replace(old, new).encode()


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('"grams": 800', '"grams": NaN', "malformed_json"),
        ('"grams": 800', '"grams": -Infinity', "malformed_json"),
        ('"grams": 800', '"grams": ' + "9" * 5_000, "malformed_json"),
        ('"grams": 800', '"grams": 1e999', "malformed_json"),
        ('"grams": 800', '"grams": 800,', "malformed_json"),
        ('"Blue door"', "[" * 100_000 + "]" * 100_000, "malformed_json"),
        ('"Blue door"', "[" * 20 + "]" * 20, "malformed_json"),
        ('"Blue door"', '"\\ud83d"', "validation_error"),
        ('"Blue door"', '"a\\u0000b"', "validation_error"),
        ('"instructions"', '"\\udc00"', "validation_error"),
        ('"grams": 800', '"grams": 800, "grams": 801', "validation_error"),
    ],
)
def test_json_that_two_readers_would_take_in_two_ways_is_refused(
    northwind: SellerClient, trade: Trade, old: str, new: str, code: str
) -> None:
    answer = northwind.request("POST", "orders", raw=raw(order_body(trade.store), old, new))

    assert answer.status_code == 400
    assert answer.json()["code"] == code
    assert nothing_happened()


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('"Blue door"', '"\\ud83d"', "instructions"),
        ('"Shoes"', '"\\u0000"', "parcels[0].description"),
        ('"grams": 800', '"grams": 800, "grams": 801', "grams"),
    ],
)
def test_an_unreadable_text_is_named(
    northwind: SellerClient, trade: Trade, old: str, new: str, field: str
) -> None:
    answer = northwind.request("POST", "orders", raw=raw(order_body(trade.store), old, new))
    assert [error["field"] for error in answer.json()["field_errors"]] == [field]


@pytest.mark.parametrize(
    "content", [b"", b"null", b"[]", b'"order"', b"5", b"{", b"\xff\xfe", b"\xef\xbb\xbf{}", b"\0" * 100]
)
def test_a_body_that_is_no_object_is_refused(northwind: SellerClient, trade: Trade, content: bytes) -> None:
    answer = northwind.request("POST", "orders", raw=content)
    assert answer.status_code == 400
    assert nothing_happened()


def test_a_body_beyond_the_limit_is_413(northwind: SellerClient, trade: Trade) -> None:
    answer = northwind.post("orders", order_body(trade.store, instructions="x" * 2_100_000))
    keyed = northwind.post(
        "orders", order_body(trade.store, instructions="x" * 2_600_000), Idempotency_Key="big"
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert (keyed.status_code, keyed.json()["code"]) == (413, "body_too_large")
    assert nothing_happened()


@pytest.mark.parametrize(
    "kind",
    ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", "text/html"],
)
def test_another_content_type_is_415(northwind: SellerClient, trade: Trade, kind: str) -> None:
    answer = northwind.post("orders", order_body(trade.store), Content_Type=kind)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert nothing_happened()


@pytest.mark.parametrize(
    "text", ["Zoë 🎁 d'Ångström", "محمد الأمين", "שלום עולם", SQL, HTML, "{{ 7*7 }}", "%s%n"]
)
def test_any_script_is_kept_as_it_was_said(northwind: SellerClient, trade: Trade, text: str) -> None:
    body = order_body(trade.store, external_id=text, instructions=text)
    body["recipient"]["name"] = text
    body["dropoff"]["line1"] = text
    body["parcels"][0]["description"] = text

    answer = northwind.post("orders", body)

    assert answer.status_code == 201, answer.content
    assert answer["Content-Type"] == "application/json"
    order = Order.objects.get()
    assert order.recipient_name == order.address_line1 == order.external_id == order.instructions == text
    assert northwind.get(f"orders/{order.code}").json()["recipient"]["name"] == text


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=ten",
        "limit=1e3",
        "limit=٣",
        "status=flying",
        "placed_from=yesterday",
        "placed_from=2026-11-23",
        "colour=red",
        "limit=5&limit=6",
        "text=%00",
        "external_id=" + "x" * 100,
        "codes=",
        "codes=%00",
        "external_ids=a%00b",
        "status=,",
    ],
)
def test_a_query_that_makes_no_sense_is_refused(northwind: SellerClient, query: str) -> None:
    answer = northwind.get(f"orders?{query}")
    assert answer.status_code == 400, answer.content
    assert answer.json()["field_errors"][0]["field"] == query.split("=")[0]


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "1970-01-01"])
@pytest.mark.parametrize(
    "query",
    [
        "orders?placed_from={}T23:59:59Z",
        "orders?window_before={}T23:59:59Z",
        "orders.csv?window_before={}T23:59:59Z",
        "promises/report?before={}T00:00:00Z",
        "promises/report?from={}T00:00:00Z",
        "audit-log?since={}T00:00:00Z",
    ],
)
def test_a_day_at_the_ends_of_the_calendar_is_only_far(
    northwind: SellerClient, trade: Trade, query: str, day: str
) -> None:
    rule(trade.mall, valid_from=dt.date(1, 1, 1))

    answer = northwind.get(query.format(day))

    assert answer.status_code == 200, answer.content


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00%2B10:42", "9999-12-31T23:59:59-08:00"])
def test_a_moment_beyond_the_calendar_is_only_far(northwind: SellerClient, moment: str) -> None:
    for query in (
        "orders?placed_from={}",
        "orders?window_before={}",
        "promises/report?before={}",
        "audit-log?since={}",
    ):
        answer = northwind.get(query.format(moment))
        assert answer.status_code == 200, answer.content


def test_slots_are_listed_a_month_back_and_ahead_and_no_farther(
    northwind: SellerClient, trade: Trade
) -> None:
    rule(trade.mall, valid_from=dt.date(1, 1, 1))
    today = timezone.now().astimezone(trade.mall.zone).date()
    first, last = today - dt.timedelta(days=31), today + dt.timedelta(days=31)
    refused = {
        "0001-01-01": ("in_past", first),
        (first - dt.timedelta(days=1)).isoformat(): ("in_past", first),
        (last + dt.timedelta(days=1)).isoformat(): ("too_far_ahead", last),
        "9999-12-31": ("too_far_ahead", last),
    }

    for day in (first, today, last):
        answer = northwind.get(f"slots?mall=fashion-show&date={day.isoformat()}")
        assert (answer.status_code, len(answer.json()["results"])) == (200, 1)
    for asked, (code, nearest) in refused.items():
        answer = northwind.get(f"slots?mall=fashion-show&date={asked}")
        [wrong] = answer.json()["field_errors"]
        assert (answer.status_code, wrong["field"], wrong["code"]) == (400, "date", code)
        assert nearest.isoformat() in wrong["message"]


def test_a_slot_at_the_ends_of_the_calendar_is_not_there(northwind: SellerClient, trade: Trade) -> None:
    weekly = rule(trade.mall)
    held = northwind.post("slot-holds", {"store": trade.store.code, "slot": f"{weekly.code}.9999-12-31"})

    assert (held.status_code, held.json()["code"]) == (404, "slot_unknown")
    assert nothing_happened()


def test_a_cursor_of_no_page_is_not_there(northwind: SellerClient) -> None:
    answer = northwind.get("orders?cursor=nosuchcursor")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_cursor")
    assert answer.json()["field_errors"][0]["field"] == "cursor"


@pytest.mark.parametrize("code", ["%00", "a%00b", "..", "%2e%2e%2fetc", "a" * 500, "💥", "'", "K7QX%204M2P"])
def test_a_code_that_cannot_be_one_is_404(northwind: SellerClient, code: str) -> None:
    answer = northwind.get(f"orders/{code}")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"


CHANGES = [
    ("PUT", "cancellation", {"reason": "bored"}, "reason"),
    ("PUT", "cancellation", {}, "reason"),
    ("PUT", "cancellation", {"reason": "other", "note": "x" * 201}, "note"),
    ("PUT", "cancellation", {"reason": "other", "note": "a\x01b"}, "note"),
    ("PUT", "ready", {"at": "now"}, "at"),
    ("PUT", "location", {"latitude": 36.1}, "longitude"),
    ("PUT", "location", {"latitude": 136.1, "longitude": 0}, "latitude"),
    ("PUT", "location", {"latitude": True, "longitude": 0}, "latitude"),
    ("PUT", "tip", {"cents": -1}, "cents"),
    ("PUT", "tip", {"cents": 10_000_000}, "cents"),
    ("PUT", "tip", {"cents": 100, "currency": "XYZ"}, "currency"),
    ("PATCH", "", {"recipient": {"name": "Rosa"}}, "recipient.phone"),
    ("PATCH", "", {"window": {"start": None, "end": None}}, "window.start"),
    ("PATCH", "", {"parcels": []}, "parcels"),
    ("PATCH", "", {"external_id": "2"}, "external_id"),
]


@pytest.mark.parametrize(("method", "path", "body", "field"), CHANGES)
def test_a_wrong_change_is_named_and_changes_nothing(
    northwind: SellerClient, trade: Trade, method: str, path: str, body: dict[str, Any], field: str
) -> None:
    posted = northwind.post("orders", order_body(trade.store)).json()
    facts = Fact.objects.count()

    answer = northwind.request(method, f"orders/{posted['code']}/{path}".rstrip("/"), body)

    assert answer.status_code == 400, answer.content
    assert field in [error["field"] for error in answer.json()["field_errors"]]
    assert northwind.get(f"orders/{posted['code']}").json() == posted
    assert Fact.objects.count() == facts
