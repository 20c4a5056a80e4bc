"""Where a message may not go."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from django.utils import timezone

from retaildelivery.outbox.recording import SYSTEM
from retaildelivery.testing.sellers import Trade
from retaildelivery.web import guard
from stores.models import WebhookEndpoint, WebhookMessage
from stores.webhooks import endpoints, sending

PRIVATE = [
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0177.0.0.1/",
    "https://10.0.0.8/",
    "https://172.16.5.5/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://100.64.0.1/",
    "https://0.0.0.0/",
    "https://224.0.0.1/",
    "https://[::1]/",
    "https://[::]/",
    "https://[fe80::1]/",
    "https://[fc00::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://localhost/",
    "https://LOCALHOST./",
    "https://api.localhost/",
    "https://db.internal/",
    "https://printer.local/",
]
BAD = [
    "ftp://example.com/",
    "https://user:secret@example.com/",
    "https://example.com/#there",
    "https:///nowhere",
    "https://example.com:0/",
    "https://example.com:99999/",
    "https://exa mple.com/",
    "https://example.com\\@127.0.0.1/",
    "https://example.com/\r\nX-Evil: 1",
    "javascript:alert(1)",
    "//example.com/",
    "",
    "https://[::1/",
    "https://" + "a" * 300 + ".example/",
]


@pytest.mark.parametrize("url", PRIVATE)
def test_an_address_that_is_not_public_is_refused_however_it_is_written(url: str) -> None:
    with pytest.raises(guard.AddressRefused) as refusal:
        guard.read(url, private=False)
    assert refusal.value.failure == "private_address"


@pytest.mark.parametrize("url", BAD)
def test_what_is_no_plain_https_url_is_refused(url: str) -> None:
    with pytest.raises(guard.AddressRefused) as refusal:
        guard.read(url, private=False)
    assert refusal.value.failure in {"bad_url"}


def test_plain_http_is_refused() -> None:
    with pytest.raises(guard.AddressRefused, match="https_needed"):
        guard.read("http://example.com/", private=False)


def _answers(*addresses: str) -> Any:
    """A resolver that knows one name."""
    real = socket.getaddrinfo

    def resolve(host: str, *args: Any, **kwargs: Any) -> Any:
        if host != "hooks.example.com" or kwargs.get("flags"):
            return real(host, *args, **kwargs)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]

    return resolve


def test_a_name_that_leads_to_a_private_address_is_refused(monkeypatch: Any) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _answers("93.184.215.14", "10.1.2.3"))
    with pytest.raises(guard.AddressRefused, match="private_address"):
        guard.resolve("https://hooks.example.com/a", private=False)


def test_the_address_that_was_judged_is_the_one_that_is_called(monkeypatch: Any) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _answers("93.184.215.14"))
    target = guard.resolve("https://hooks.example.com/a?b=c", private=False)
    monkeypatch.setattr(socket, "getaddrinfo", _answers("127.0.0.1"))
    assert (target.address, target.port, target.host) == ("93.184.215.14", 443, "hooks.example.com")
    assert target.path == "/a?b=c"
    assert target.secure


@pytest.mark.django_db
def test_an_endpoint_with_a_private_address_is_not_added(trade: Trade) -> None:
    with pytest.raises(endpoints.UrlRefused) as refusal:
        endpoints.add(
            seller=trade.seller,
            url="https://169.254.169.254/",
            event_types=[],
            description="",
            actor=SYSTEM,
            at=timezone.now(),
        )
    assert refusal.value.reason == "private_address"
    assert not WebhookEndpoint.objects.exists()


@pytest.mark.django_db
def test_a_name_that_turns_private_later_is_not_called(trade: Trade, monkeypatch: Any) -> None:
    at = timezone.now()
    endpoint = WebhookEndpoint.objects.create(
        seller=trade.seller, url="https://hooks.example.com/", secret="whsec_" + "A" * 44, created_at=at
    )
    message = WebhookMessage.objects.create(
        code="evt_1",
        endpoint=endpoint,
        event_type="order.placed",
        body="{}",
        created_at=at,
        next_attempt_at=at,
    )
    monkeypatch.setattr(socket, "getaddrinfo", _answers("127.0.0.1"))
    monkeypatch.setattr(socket, "create_connection", lambda *_a, **_k: pytest.fail("A connection was made."))

    attempt = sending.send(message_id=message.pk, at=at)

    assert attempt is not None
    assert (attempt.status, attempt.failure) == (None, "private_address")
