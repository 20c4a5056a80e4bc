"""Webhook endpoints over the API."""

from __future__ import annotations

from typing import Any

import pytest
from standardwebhooks import Webhook

from retaildelivery.outbox.models import Fact
from retaildelivery.testing.sellers import SellerClient, Trade
from stores import limits
from stores.models import WebhookEndpoint
from stores.tests.receiver import listening


@pytest.fixture
def _loopback_allowed(settings: Any) -> None:
    settings.WEBHOOKS_ALLOW_PRIVATE = True


def test_an_endpoint_is_added_changed_rotated_and_removed(northwind: SellerClient) -> None:
    added = northwind.post(
        "webhook-endpoints",
        {"url": "https://hooks.example.com/a", "event_types": ["order.delivered", "order.placed"]},
    )
    code, secret = added.json()["code"], added.json()["secret"]
    shown = northwind.get(f"webhook-endpoints/{code}")
    changed = northwind.patch(f"webhook-endpoints/{code}", {"event_types": [], "description": "till"})
    off = northwind.patch(f"webhook-endpoints/{code}", {"enabled": False})
    on = northwind.patch(f"webhook-endpoints/{code}", {"enabled": True})
    rotated = northwind.post(f"webhook-endpoints/{code}/rotate-secret")
    listed = northwind.get("webhook-endpoints")
    removed = northwind.delete(f"webhook-endpoints/{code}")

    assert added.status_code == 201
    assert secret.startswith("whsec_")
    assert added.json()["event_types"] == ["order.delivered", "order.placed"]
    assert "secret" not in shown.json()
    assert (changed.json()["event_types"], changed.json()["description"]) == ([], "till")
    assert (off.json()["enabled"], off.json()["disabled_reason"]) == (False, "switched_off")
    assert (on.json()["enabled"], on.json()["disabled_reason"]) == (True, "")
    assert rotated.json()["secret"] not in {secret, ""}
    assert [row["code"] for row in listed.json()["results"]] == [code]
    assert removed.status_code == 204
    assert northwind.get(f"webhook-endpoints/{code}").status_code == 404
    assert northwind.get("webhook-endpoints").json() == {"results": [], "next": None}
    names = Fact.objects.filter(name__startswith="endpoint.").order_by("pk").values_list("name", flat=True)
    assert list(names) == ["endpoint.added", *["endpoint.changed"] * 4, "endpoint.removed"]


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({}, 400, "validation_error", "url"),
        ({"url": 5}, 400, "validation_error", "url"),
        ({"url": "https://hooks.example.com/" + "x" * 500}, 400, "validation_error", "url"),
        ({"url": "http://hooks.example.com/"}, 422, "url_refused", "url"),
        ({"url": "https://10.0.0.1/"}, 422, "url_refused", "url"),
        ({"url": "https://2130706433/"}, 422, "url_refused", "url"),
        ({"url": "not a url"}, 422, "url_refused", "url"),
        (
            {"url": "https://a.example.com/", "event_types": ["order.eaten"]},
            422,
            "event_unknown",
            "event_types[0]",
        ),
        (
            {"url": "https://a.example.com/", "event_types": "order.placed"},
            400,
            "validation_error",
            "event_types",
        ),
        ({"url": "https://a.example.com/", "secret": "mine"}, 400, "validation_error", "secret"),
    ],
)
def test_a_bad_endpoint_is_refused_by_field(
    northwind: SellerClient, body: dict[str, Any], status: int, code: str, field: str
) -> None:
    answer = northwind.post("webhook-endpoints", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["field_errors"][0]["field"] == field
    assert not WebhookEndpoint.objects.exists()


def test_the_same_url_twice_is_refused_and_free_again_when_removed(northwind: SellerClient) -> None:
    body = {"url": "https://hooks.example.com/"}
    first = northwind.post("webhook-endpoints", body).json()["code"]
    second = northwind.post("webhook-endpoints", {"url": "https://other.example.com/"}).json()["code"]

    again = northwind.post("webhook-endpoints", body)
    moved = northwind.patch(f"webhook-endpoints/{second}", body)
    northwind.delete(f"webhook-endpoints/{first}")
    free = northwind.post("webhook-endpoints", body)

    assert {(answer.status_code, answer.json()["code"]) for answer in (again, moved)} == {(409, "url_taken")}
    assert free.status_code == 201


def test_there_is_an_end_to_endpoints(northwind: SellerClient, monkeypatch: Any) -> None:
    monkeypatch.setattr(limits, "ENDPOINTS_PER_SELLER", 1)
    assert northwind.post("webhook-endpoints", {"url": "https://a.example.com/"}).status_code == 201
    answer = northwind.post("webhook-endpoints", {"url": "https://b.example.com/"})
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_endpoints")


@pytest.mark.usefixtures("_loopback_allowed")
def test_the_test_button_the_log_and_the_replay(northwind: SellerClient, trade: Trade) -> None:
    with listening() as receiver:
        added = northwind.post("webhook-endpoints", {"url": receiver.url}).json()
        tested = northwind.post(f"webhook-endpoints/{added['code']}/test")
        message = tested.json()
        log = northwind.get(f"webhook-endpoints/{added['code']}/messages")
        replayed = northwind.post(f"webhook-endpoints/{added['code']}/messages/{message['id']}/replay")

    assert tested.status_code == 200
    assert (message["status"], message["attempts"][0]["status"]) == ("delivered", 200)
    assert log.json()["results"] == [message]
    assert (replayed.status_code, replayed.json()["status"]) == (202, "pending")
    assert len(replayed.json()["attempts"]) == 1
    _path, headers, body = receiver.got[0]
    assert Webhook(added["secret"]).verify(body, headers)["type"] == "endpoint.test"


def test_an_endpoint_that_is_off_is_neither_tested_nor_replayed(northwind: SellerClient) -> None:
    code = northwind.post("webhook-endpoints", {"url": "https://a.example.com/"}).json()["code"]
    northwind.patch(f"webhook-endpoints/{code}", {"enabled": False})
    answer = northwind.post(f"webhook-endpoints/{code}/test")
    assert (answer.status_code, answer.json()["code"]) == (409, "endpoint_disabled")
