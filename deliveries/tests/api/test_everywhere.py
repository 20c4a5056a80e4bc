"""What holds of every operation of the document, tried on each of them: keys that do not open it, codes of somebody
else, and bodies that nobody should send."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.utils import timezone

from deliveries.models import Order
from drivers import tokens
from retaildelivery.outbox.models import Fact
from retaildelivery.testing import examples
from retaildelivery.testing.afternoon import make_driver
from retaildelivery.testing.sellers import SellerClient, Trade, key_for, order_body
from retaildelivery.testing.spoiling import places_in, replaced
from retaildelivery.web import documents, error_codes
from retaildelivery.web.errors import MEDIA_TYPE
from stores import keys
from stores.models import ApiKey, WebhookEndpoint, WebhookMessage

JSON = "application/json"
DEEP = b'{"a":' * 5_000 + b"1" + b"}" * 5_000
HUGE = b'{"a": "' + b"x" * 12_000_000 + b'"}'


@dataclass(frozen=True)
class Operation:
    name: str
    method: str
    path: str
    whose: str
    reads: bool

    def __str__(self) -> str:
        return self.name


def operations() -> list[Operation]:
    found = []
    for key, operation in examples.operations():
        method, path = key.split(" ")
        schemes = {name for each in operation.get("security", []) for name in each}
        whose = "driver" if "driverToken" in schemes else "seller"
        reads = JSON in operation.get("requestBody", {}).get("content", {})
        name = operation["operationId"]
        found.append(Operation(name, method.upper(), path.removeprefix("/api/v1/"), whose, reads))
    return found


ALL = operations()
SELLERS = [each for each in ALL if each.whose == "seller"]
CODED = [each for each in SELLERS if "{" in each.path]
READING = [each for each in ALL if each.reads]
# A seller's sandbox is reached with test keys, and makes them with live ones.
OF_ONE_WORLD = {"scope_missing", "test_keys_only", "live_keys_only", "key_of_one_store"}


@pytest.fixture
def places(northwind: SellerClient, trade: Trade) -> dict[str, str]:
    """Codes of Northwind's, by what stands before them in an address."""
    order = northwind.post("orders", order_body(trade.store)).json()["code"]
    quote = northwind.post(
        "quotes", {name: order_body(trade.store)[name] for name in ("store", "dropoff", "window", "parcels")}
    ).json()["code"]
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
    return {"orders": order, "quotes": quote, "webhook-endpoints": endpoint.code, "messages": "evt_1"}


def address(operation: Operation, places: dict[str, str]) -> str:
    """The path with codes that exist where there are any, else with one that could."""
    filled = operation.path.replace("{which}", "photo").replace("{year}", "2026").replace("{line}", "7")
    for before, code in places.items():
        filled = re.sub(rf"({before}/)\{{\w+\}}", rf"\g<1>{code}", filled)
    return re.sub(r"\{\w+\}", "K7QX4M2P", filled)


def example(operation: Operation) -> Any:
    return documents.examples().get(operation.name, {}).get("request", {}).get(JSON)


def state() -> Any:
    return (
        list(Order.objects.values()),
        list(WebhookEndpoint.objects.values()),
        list(WebhookMessage.objects.values()),
        ApiKey.objects.count(),
        Fact.objects.count(),
    )


def code_of(answer: Any) -> str:
    """The code of an error that is as every error is, and is listed with its operation."""
    assert answer["Content-Type"] == MEDIA_TYPE, answer.content[:200]
    body = answer.json()
    assert answer.status_code == body["status"] == error_codes.registry()[body["code"]].status
    assert body["request_id"]
    return str(body["code"])


@pytest.mark.parametrize("operation", ALL, ids=str)
def test_a_key_that_is_over_opens_nothing(trade: Trade, places: dict[str, str], operation: Operation) -> None:
    at, path = timezone.now(), address(operation, places)
    secret, test = key_for(trade.seller), key_for(trade.seller, test=True)
    ApiKey.objects.filter(digest__in=[keys.digest(secret), keys.digest(test)]).update(revoked_at=at)
    token, phone = tokens.issue(driver=make_driver("Ada Nwosu"), name="phone", at=at)
    type(token).objects.filter(pk=token.pk).update(revoked_at=at)
    shown = {"seller": [secret, test], "driver": [phone]}[operation.whose]
    before = state()

    codes = {
        code_of(SellerClient(each).request(operation.method, path, example(operation)))
        for each in [*shown, "sk_live_nobody", ""]
    }

    assert codes <= {"invalid_key", "invalid_token", "not_authenticated"}
    assert state() == before


@pytest.mark.parametrize("operation", CODED, ids=str)
def test_somebody_elses_code_and_one_of_the_other_world_are_not_there(
    southgate: SellerClient, trade: Trade, places: dict[str, str], operation: Operation
) -> None:
    path = address(operation, places)
    neighbour = SellerClient(key_for(trade.seller, store=trade.second_store))
    rehearsing = SellerClient(key_for(trade.seller, test=True))
    before = state()

    for client in (southgate, neighbour, rehearsing):
        answer = client.request(operation.method, path, example(operation))
        assert code_of(answer) in {"not_found", "hold_not_found", *OF_ONE_WORLD}, answer.content

    assert state() == before


def texts_asked() -> list[tuple[str, str, str]]:
    """Every text that a query takes: whose, where, and its name."""
    return [
        (
            "driver" if "/driver/" in key else "seller",
            key.split(" ")[1].removeprefix("/api/v1/"),
            parameter["name"],
        )
        for key, operation in examples.operations()
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "query" and parameter["schema"].get("type") == "string"
    ]


@pytest.mark.parametrize(("whose", "path", "name"), texts_asked())
def test_a_query_with_nul_is_refused_by_name(
    trade: Trade, places: dict[str, str], whose: str, path: str, name: str
) -> None:
    _token, phone = tokens.issue(driver=make_driver("Ada Nwosu"), name="phone", at=timezone.now())
    where = address(Operation("", "GET", path, whose, False), places)
    key = phone if whose == "driver" else key_for(trade.seller, test=path.startswith("sandbox/"))

    answer = SellerClient(key).get(f"{where}?{name}=a%00b")

    assert answer.status_code == 400 or (answer.status_code == 404 and "{" in path), answer.content
    assert answer.status_code == 404 or name in [each["field"] for each in answer.json()["field_errors"]]


def asking(trade: Trade, operation: Operation) -> SellerClient:
    """Who may ask for it: a driver's phone, or a seller's system with the key of the right world."""
    if operation.whose == "driver":
        return SellerClient(tokens.issue(driver=make_driver("Ada Nwosu"), name="phone", at=timezone.now())[1])
    rehearsed = operation.path.startswith("sandbox/") and operation.path != "sandbox/keys"
    return SellerClient(key_for(trade.seller, test=rehearsed))


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every value of a body that is no object and no list, with its path."""
    if isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, (*path, name))
    elif path:
        yield path, value


def wrong_values(name: Any, value: Any) -> list[Any]:
    """What no field takes that takes this value."""
    if isinstance(value, bool):
        return ["yes", 1]
    if isinstance(value, int):
        return [value + 0.5, str(value), 10**30, True, *([-1] if str(name).endswith("cents") else [])]
    if isinstance(value, str):
        naive = [value[:19]] if re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]{8,}([+-]\d\d:\d\d|Z)", value) else []
        return ["a\0b", "\ud800", ["a"], {"a": 1}, *naive]
    return []


@pytest.mark.parametrize("operation", READING, ids=str)
def test_a_value_that_is_never_right_is_refused(
    trade: Trade, places: dict[str, str], settings: Any, operation: Operation
) -> None:
    settings.API_REQUESTS_PER_MINUTE = 1_000_000
    path, good = address(operation, places), example(operation) or {}
    client = asking(trade, operation)
    before = state()

    for place, value in leaves(good):
        for wrong in wrong_values(place[-1], value):
            answer = client.request(operation.method, path, replaced(good, place, wrong))
            if operation.name == "post_orders" and answer.status_code == 200:
                assert "refused" in {row["outcome"] for row in answer.json()["results"]}, (place, wrong)
            else:
                assert code_of(answer) not in {"server_error"}, (place, wrong)
                # What is named in the address may be looked up first.
                assert answer.status_code in ({400, 404} if "{" in operation.path else {400}), (place, wrong)

    assert state() == before


def written(path: tuple[Any, ...]) -> str:
    """As errors name it: ``parcels[0].grams``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


@pytest.mark.parametrize("operation", READING, ids=str)
def test_null_in_any_one_place_is_taken_as_nothing_or_refused_by_name(
    trade: Trade, places: dict[str, str], settings: Any, operation: Operation
) -> None:
    settings.API_REQUESTS_PER_MINUTE = 1_000_000
    path, good = address(operation, places), example(operation) or {}
    client = asking(trade, operation)

    for place in places_in(good):
        answer = client.request(operation.method, path, replaced(good, place, None))

        assert answer.status_code < 500, (place, answer.content)
        if answer.status_code >= 400:
            code_of(answer)
        if answer.status_code == 400:
            named = [each["field"] for each in answer.json()["field_errors"]]
            assert any(field and written(place).startswith(field.split(".")[0]) for field in named), (
                place,
                named,
            )


def spoilt(operation: Operation) -> list[tuple[bytes, str]]:
    """Bodies that are never right, with their media types."""
    good = json.dumps(example(operation) or {}, ensure_ascii=True)[:-1]
    comma = ", " if good != "{" else ""
    return [
        (DEEP, JSON),
        (HUGE, JSON),
        (b"null", JSON),
        (b"[]", JSON),
        (b"7", JSON),
        (b"{", JSON),
        (b"\xff\xfe", JSON),
        (f'{good}{comma}"nobody_knows": 1}}'.encode(), JSON),
        (b'{"nobody_knows": 1, "nobody_knows": 2}', JSON),
        (f'{good}{comma}"nobody_knows": "\\ud800"}}'.encode(), JSON),
        (b'{"nobody_knows": NaN}', JSON),
        (b"a=1", "application/x-www-form-urlencoded"),
        (b"<a/>", "text/xml"),
    ]


@pytest.mark.parametrize("operation", READING, ids=str)
def test_a_body_that_is_never_right_is_refused(
    trade: Trade, places: dict[str, str], settings: Any, operation: Operation
) -> None:
    settings.API_REQUESTS_PER_MINUTE = 1_000_000
    path, client = address(operation, places), asking(trade, operation)
    before = state()

    for content, kind in spoilt(operation):
        answer = client.request(operation.method, path, raw=content, **{"Content-Type": kind})
        assert 400 <= answer.status_code < 500, (content[:80], answer.status_code)
        assert code_of(answer) not in {"server_error"}, content[:80]

    assert state() == before
