"""After an outage: every message of a stretch of time, again."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from retaildelivery.outbox.models import Fact
from retaildelivery.testing.sellers import SellerClient, Trade
from stores import limits
from stores.models import WebhookEndpoint, WebhookMessage
from stores.tests.test_webhooks import add, happen

HOUR = dt.timedelta(hours=1)


@pytest.fixture(autouse=True)
def _loopback_allowed(settings: Any) -> None:
    settings.WEBHOOKS_ALLOW_PRIVATE = True


@pytest.fixture
def endpoint(trade: Trade) -> WebhookEndpoint:
    """With three messages: sent three hours ago, sent an hour ago, given up an hour ago."""
    made = add(trade, "http://127.0.0.1:1/hook")
    now = timezone.now()
    for number, (name, age, done) in enumerate(
        [
            ("order.placed", 3 * HOUR, "delivered_at"),
            ("order.picked_up", HOUR, "delivered_at"),
            ("order.delivered", HOUR, "given_up_at"),
        ],
        start=1,
    ):
        fact = happen(trade, name, number=number)
        WebhookMessage.objects.filter(code=fact.code).update(
            created_at=now - age, attempts=3, **{done: now - age}
        )
    return made


def waiting() -> list[str]:
    rows = WebhookMessage.objects.filter(delivered_at=None, given_up_at=None, attempts=0)
    return list(rows.order_by("pk").values_list("event_type", flat=True))


@pytest.mark.parametrize(
    ("said", "again"),
    [
        ({}, ["order.picked_up", "order.delivered"]),
        ({"undelivered_only": True}, ["order.delivered"]),
        ({"event_types": ["order.picked_up"]}, ["order.picked_up"]),
    ],
)
def test_what_was_written_in_that_time_is_on_its_way_again(
    northwind: SellerClient, endpoint: WebhookEndpoint, said: dict[str, Any], again: list[str]
) -> None:
    since = (timezone.now() - 2 * HOUR).isoformat()

    answer = northwind.post(f"webhook-endpoints/{endpoint.code}/replay", {"since": since, **said})

    assert (answer.status_code, answer.json()) == (202, {"messages": len(again)})
    assert waiting() == again
    assert Fact.objects.get(name="endpoint.replayed").data["messages"] == len(again)


@pytest.mark.parametrize(
    ("said", "status", "code", "field"),
    [
        ({}, 400, "validation_error", "since"),
        ({"since": "2026-11-26T10:00:00"}, 400, "validation_error", "since"),
        ({"since": "2026-11-26T10:00:00Z", "until": "2026-11-26T10:00:00Z"}, 422, "empty_range", "until"),
        (
            {"since": "2026-11-26T10:00:00Z", "event_types": ["order.eaten"]},
            422,
            "event_unknown",
            "event_types[0]",
        ),
    ],
)
def test_a_time_that_makes_no_sense_is_refused_by_field(
    northwind: SellerClient,
    endpoint: WebhookEndpoint,
    said: dict[str, Any],
    status: int,
    code: str,
    field: str,
) -> None:
    answer = northwind.post(f"webhook-endpoints/{endpoint.code}/replay", said)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["field_errors"][0]["field"] == field
    assert waiting() == []


def test_more_than_the_limit_is_refused_whole(
    northwind: SellerClient, endpoint: WebhookEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "REPLAY_MESSAGES", 1)
    since = (timezone.now() - 2 * HOUR).isoformat()

    answer = northwind.post(f"webhook-endpoints/{endpoint.code}/replay", {"since": since})

    assert (answer.status_code, answer.json()["code"]) == (422, "too_many_messages")
    assert waiting() == []
