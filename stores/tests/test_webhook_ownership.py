"""An endpoint shows whose it is by answering a check; until then it gets a few messages only."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from retaildelivery.outbox.models import Fact, Message
from retaildelivery.outbox.recording import SYSTEM
from retaildelivery.testing.sellers import SellerClient, Trade
from stores import limits
from stores.models import WebhookEndpoint, WebhookMessage
from stores.tests.receiver import listening
from stores.tests.test_webhooks import add, happen
from stores.webhooks import endpoints, verifying


@pytest.fixture(autouse=True)
def _loopback_allowed(settings: Any) -> None:
    settings.WEBHOOKS_ALLOW_PRIVATE = True


def test_an_endpoint_that_answers_the_check_is_verified_once(northwind: SellerClient) -> None:
    with listening() as receiver:
        code = northwind.post("webhook-endpoints", {"url": receiver.url + "?shop=7"}).json()["code"]
        before = northwind.get(f"webhook-endpoints/{code}").json()["verified_at"]

        verified = northwind.post(f"webhook-endpoints/{code}/verify")
        again = northwind.post(f"webhook-endpoints/{code}/verify")

    assert before is None
    assert verified.status_code == 200
    assert verified.json()["verified_at"] is not None
    assert again.json()["verified_at"] == verified.json()["verified_at"]
    assert Fact.objects.filter(name="endpoint.verified").count() == 1


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"check_answer": b"hello"}, "hello"),
        ({"check_answer": b""}, "an_empty_answer"),
        ({"status": 404}, "status_404"),
        ({"status": 302, "headers": {"Location": "https://example.com/"}}, "status_302"),
    ],
)
def test_an_endpoint_that_answers_otherwise_is_not(
    northwind: SellerClient, options: dict[str, Any], reason: str
) -> None:
    with listening(**options) as receiver:
        code = northwind.post("webhook-endpoints", {"url": receiver.url}).json()["code"]

        answer = northwind.post(f"webhook-endpoints/{code}/verify")

    assert (answer.status_code, answer.json()["code"]) == (409, "ownership_not_shown")
    assert answer.json()["reason"] == reason
    assert WebhookEndpoint.objects.get(code=code).verified_at is None
    assert not Fact.objects.filter(name="endpoint.verified").exists()


def test_another_url_has_shown_nothing(northwind: SellerClient) -> None:
    with listening() as receiver:
        code = northwind.post("webhook-endpoints", {"url": receiver.url}).json()["code"]
        northwind.post(f"webhook-endpoints/{code}/verify")

        same = northwind.patch(f"webhook-endpoints/{code}", {"url": receiver.url})
        other = northwind.patch(f"webhook-endpoints/{code}", {"url": "https://hooks.example.com/b"})

    assert same.json()["verified_at"] is not None
    assert other.json()["verified_at"] is None


def test_a_url_that_changed_while_it_was_asked_is_not_verified(
    trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening() as receiver:
        endpoint = add(trade, receiver.url)
        scope = WebhookEndpoint.objects.all()
        ask = verifying._ask

        def ask_while_it_changes(url: str, check: str) -> str:
            endpoints.change(
                code=endpoint.code, scope=scope, actor=SYSTEM, at=timezone.now(), url=receiver.url + "/2"
            )
            return ask(url, check)

        monkeypatch.setattr(verifying, "_ask", ask_while_it_changes)
        with pytest.raises(verifying.OwnershipNotShown):
            verifying.verify(code=endpoint.code, scope=scope, actor=SYSTEM, at=timezone.now())

    endpoint.refresh_from_db()
    assert endpoint.verified_at is None


def test_somebody_elses_endpoint_cannot_be_verified(northwind: SellerClient, trade: Trade) -> None:
    theirs = endpoints.add(
        seller=trade.rival,
        url="http://127.0.0.1:1/theirs",
        event_types=[],
        description="",
        actor=SYSTEM,
        at=timezone.now(),
    )

    assert northwind.post(f"webhook-endpoints/{theirs.code}/verify").status_code == 404


def test_an_unverified_endpoint_is_switched_off_at_its_limit_and_a_verified_one_is_not(
    trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "UNVERIFIED_MESSAGES", 2)
    with listening() as receiver:
        shown = add(trade, receiver.url)
        verifying.verify(
            code=shown.code, scope=WebhookEndpoint.objects.all(), actor=SYSTEM, at=timezone.now()
        )
        unknown = add(trade, receiver.url + "/other")

        for number in range(1, 5):
            happen(trade, number=number)

    unknown.refresh_from_db()
    assert unknown.disabled_reason == "unverified"
    assert WebhookMessage.objects.filter(endpoint=unknown).count() == 2
    assert WebhookMessage.objects.filter(endpoint=shown).count() == 4
    letter = Message.objects.get(name="endpoint_disabled")
    assert "?check=" in letter.text
