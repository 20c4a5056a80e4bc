"""Webhooks against real receivers on the loopback interface."""

from __future__ import annotations

import datetime as dt
import json
import socket
import threading
import time
from typing import Any

import pytest
import svix
from django.db import connection, transaction
from django.utils import timezone
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from retaildelivery.outbox import recording
from retaildelivery.outbox.models import Fact, Message
from retaildelivery.outbox.recording import SYSTEM, Happening
from retaildelivery.testing.sellers import Trade
from stores import limits
from stores.models import WebhookAttempt, WebhookEndpoint, WebhookMessage
from stores.tests.receiver import Receiver, listening
from stores.webhooks import endpoints, fanning, replaying, sending

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _loopback_allowed(settings: Any) -> None:
    settings.WEBHOOKS_ALLOW_PRIVATE = True


def add(trade: Trade, url: str, *event_types: str) -> WebhookEndpoint:
    return endpoints.add(
        seller=trade.seller,
        url=url,
        event_types=list(event_types),
        description="",
        actor=SYSTEM,
        at=timezone.now(),
    )


def happen(trade: Trade, name: str = "order.picked_up", *, number: int = 1) -> Fact:
    at = timezone.now()
    with transaction.atomic():
        fact = recording.record(
            Happening(
                name=name,
                at=at,
                subjects=[f"seller:{trade.seller.code}"],
                data={"order": {"code": "K7QX4M2P", "recipient": {"name": "Zoë 🎁"}}},
                seller_code=trade.seller.code,
                sequence=number,
            )
        )
        fanning.fan_out(fact=fact, at=at)
    return fact


def the_message(endpoint: WebhookEndpoint) -> WebhookMessage:
    return WebhookMessage.objects.get(endpoint=endpoint)


def deliver(endpoint: WebhookEndpoint, *, at: dt.datetime | None = None) -> WebhookAttempt | None:
    return sending.send(message_id=the_message(endpoint).pk, at=at or timezone.now())


# -- What is sent ------------------------------------------------------------------------------------------


def test_a_message_is_the_event_signed_as_standard_webhooks_has_it(trade: Trade) -> None:
    with listening() as receiver:
        endpoint = add(trade, receiver.url)
        fact = happen(trade, number=6)

        deliver(endpoint)

    path, headers, body = receiver.got[0]
    assert path == "/hook"
    assert headers["webhook-id"] == fact.code
    event = Webhook(endpoint.secret).verify(body, headers)
    assert event["type"] == "order.picked_up"
    assert event["id"] == fact.code
    assert event["sequence"] == 6
    assert event["live_mode"] is True
    assert event["data"] == {"order": {"code": "K7QX4M2P", "recipient": {"name": "Zoë 🎁"}}}
    assert dt.datetime.fromisoformat(event["timestamp"]) == fact.at.replace(
        microsecond=fact.at.microsecond // 1000 * 1000
    )
    message = the_message(endpoint)
    assert message.delivered_at is not None
    assert [(row.status, row.response) for row in message.tries.all()] == [(200, "ok")]


def test_the_client_library_of_svix_verifies_it_too(trade: Trade) -> None:
    with listening() as receiver:
        endpoint = add(trade, receiver.url)
        happen(trade)
        deliver(endpoint)

    _path, headers, body = receiver.got[0]
    svix.Webhook(endpoint.secret).verify(body, headers)
    with pytest.raises(svix.WebhookVerificationError):
        svix.Webhook(endpoint.secret).verify(body + " ", headers)


def test_a_changed_body_does_not_verify(trade: Trade) -> None:
    with listening() as receiver:
        endpoint = add(trade, receiver.url)
        happen(trade)
        deliver(endpoint)

    _path, headers, body = receiver.got[0]
    with pytest.raises(WebhookVerificationError):
        Webhook(endpoint.secret).verify(body.replace("K7QX4M2P", "K7QX4M2Q"), headers)


def test_after_a_rotation_both_secrets_verify_and_a_day_later_only_the_new_one(trade: Trade) -> None:
    with listening() as receiver:
        endpoint = add(trade, receiver.url)
        old = endpoint.secret
        yesterday = timezone.now() - limits.SECRET_OVERLAP
        endpoint = endpoints.rotate_secret(
            code=endpoint.code,
            scope=WebhookEndpoint.objects.all(),
            actor=SYSTEM,
            at=yesterday + dt.timedelta(minutes=1),
        )
        happen(trade)
        deliver(endpoint)
        WebhookEndpoint.objects.update(previous_secret_until=yesterday)
        replaying.replay(
            code=endpoint.code,
            message_code=the_message(endpoint).code,
            scope=WebhookEndpoint.objects.all(),
            at=timezone.now(),
        )
        deliver(endpoint)

    (_p, during, body), (_q, after, _body) = receiver.got
    Webhook(old).verify(body, during)
    Webhook(endpoint.secret).verify(body, during)
    Webhook(endpoint.secret).verify(body, after)
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(body, after)


def test_only_endpoints_that_want_an_event_get_it_and_each_gets_it_once(trade: Trade) -> None:
    every = add(trade, "http://127.0.0.1:1/every")
    delivered = add(trade, "http://127.0.0.1:1/delivered", "order.delivered")
    rivals = endpoints.add(
        seller=trade.rival,
        url="http://127.0.0.1:1/every",
        event_types=[],
        description="",
        actor=SYSTEM,
        at=timezone.now(),
    )
    fact = happen(trade, "order.placed")
    fanning.fan_out(fact=fact, at=timezone.now())

    assert WebhookMessage.objects.filter(endpoint=every).count() == 1
    assert not WebhookMessage.objects.filter(endpoint__in=[delivered, rivals]).exists()


# -- What comes back ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 400, 404, 500, 503])
def test_whatever_is_not_2xx_is_tried_again_and_no_redirect_is_followed(trade: Trade, status: int) -> None:
    with listening() as elsewhere, listening(status=status) as receiver:
        receiver.headers["Location"] = elsewhere.url
        endpoint = add(trade, receiver.url)
        happen(trade)
        deliver(endpoint)

    assert len(receiver.got) == 1
    assert elsewhere.got == []
    message = the_message(endpoint)
    assert message.delivered_at is None
    assert message.attempts == 1
    assert message.tries.get().status == status


def test_the_waits_follow_the_table_and_the_eleventh_try_never_comes(trade: Trade) -> None:
    with listening(status=500) as receiver:
        endpoint = add(trade, receiver.url)
        happen(trade)
        at = timezone.now()
        waits = []
        while (message := the_message(endpoint)).given_up_at is None:
            assert sending.send(message_id=message.pk, at=at) is not None
            after = the_message(endpoint)
            waits.append(after.next_attempt_at - at)
            # Failing for days would switch the endpoint off; here only the table is looked at.
            WebhookEndpoint.objects.update(failing_since=None, probing_until=None)
            at = after.next_attempt_at

    assert len(receiver.got) == 10
    for wait, least in zip(waits, limits.WEBHOOK_RETRIES, strict=False):
        assert least <= wait <= least * 1.2 + dt.timedelta(seconds=1)
    assert sending.overdue(at=at + dt.timedelta(days=2)) == []


def test_410_switches_the_endpoint_off_and_tells_the_owner_once(trade: Trade) -> None:
    with listening(status=410) as receiver:
        endpoint = add(trade, receiver.url)
        happen(trade)
        deliver(endpoint)

    endpoint.refresh_from_db()
    assert endpoint.disabled_reason == "gone"
    letter = Message.objects.get(name="endpoint_disabled")
    assert letter.to == "owner@northwind.example"
    assert receiver.url in letter.text
    assert Fact.objects.filter(name="endpoint.disabled").count() == 1
    happen(trade, number=2)
    assert WebhookMessage.objects.filter(endpoint=endpoint).count() == 1


def test_days_of_failure_switch_the_endpoint_off(trade: Trade) -> None:
    with listening(status=500) as receiver:
        endpoint = add(trade, receiver.url)
        happen(trade)
        WebhookEndpoint.objects.update(failing_since=timezone.now() - limits.ENDPOINT_FAILS)
        deliver(endpoint)

    endpoint.refresh_from_db()
    assert endpoint.disabled_reason == "failing"
    assert Message.objects.filter(name="endpoint_disabled").count() == 1


def test_what_waited_goes_out_when_the_endpoint_answers_again(trade: Trade) -> None:
    with listening(status=500) as receiver:
        endpoint = add(trade, receiver.url)
        happen(trade)
        deliver(endpoint)
        second = happen(trade, number=2)
        receiver.status = 200
        later = timezone.now() + dt.timedelta(minutes=10)
        assert sending.send(message_id=WebhookMessage.objects.earliest("pk").pk, at=later) is not None
        for pk, _endpoint in sending.overdue(at=later + dt.timedelta(seconds=20)):
            sending.send(message_id=pk, at=later + dt.timedelta(seconds=20))

    assert receiver.ids()[-1] == second.code
    assert not WebhookMessage.objects.filter(delivered_at=None).exists()
    endpoint.refresh_from_db()
    assert endpoint.failing_since is None


def test_however_much_waits_for_a_dead_endpoint_it_takes_one_place_of_the_batch(trade: Trade) -> None:
    with listening() as receiver:
        dead = add(trade, "http://127.0.0.1:1/dead")
        well = add(trade, receiver.url)
        for number in range(1, 21):
            happen(trade, number=number)
        first = WebhookMessage.objects.filter(endpoint=dead).earliest("pk")
        sending.send(message_id=first.pk, at=timezone.now())
        later = timezone.now() + dt.timedelta(seconds=30)
        due = [pk for pk, _endpoint in sending.overdue(at=later)]

        for_dead = WebhookMessage.objects.filter(pk__in=due, endpoint=dead)
        assert for_dead.count() == 1
        assert WebhookMessage.objects.filter(pk__in=due, endpoint=well).count() == 20
        for pk in due:
            sending.send(message_id=pk, at=later)
    assert len(receiver.got) == 20
    assert WebhookAttempt.objects.filter(message__endpoint=dead).count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_hanging_endpoint_in_the_middle_delays_no_other(trade: Trade, monkeypatch: Any) -> None:
    monkeypatch.setattr(limits, "WEBHOOK_TIMEOUT", dt.timedelta(seconds=2))
    with listening() as first, listening(delay=5) as hanging, listening() as last:
        for receiver in (first, hanging, last):
            add(trade, receiver.url)
        happen(trade)
        messages = list(WebhookMessage.objects.order_by("pk").values_list("pk", flat=True))
        started = time.monotonic()
        threads = [threading.Thread(target=_send_and_close, args=(pk,)) for pk in messages]
        for thread in threads:
            thread.start()
        while not (first.got and last.got and len(WebhookAttempt.objects.all()) >= 2):
            assert time.monotonic() - started < 1.5
            time.sleep(0.02)
        for thread in threads:
            thread.join()

    dead = WebhookMessage.objects.get(endpoint__url=hanging.url)
    assert dead.delivered_at is None
    assert dead.tries.get().failure == "timeout"
    assert WebhookMessage.objects.filter(delivered_at__isnull=False).count() == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("trickles", "told"), [("head", (None, "timeout")), ("body", (200, ""))])
def test_a_receiver_that_answers_a_byte_at_a_time_is_left_when_its_time_is_over(
    trade: Trade, monkeypatch: Any, trickles: str, told: tuple[int | None, str]
) -> None:
    monkeypatch.setattr(limits, "WEBHOOK_TIMEOUT", dt.timedelta(seconds=1))
    with listening(trickles=trickles) as receiver:
        add(trade, receiver.url)
        happen(trade)
        sending.send(message_id=WebhookMessage.objects.get().pk, at=timezone.now())

    attempt = WebhookAttempt.objects.get()
    assert (attempt.status, attempt.failure) == told
    assert len(receiver.got) == 1


def _send_and_close(message_id: int) -> None:
    sending.send(message_id=message_id, at=timezone.now())
    connection.close()


def test_a_receiver_that_trickles_is_cut_off(trade: Trade, monkeypatch: Any) -> None:
    monkeypatch.setattr(limits, "WEBHOOK_TIMEOUT", dt.timedelta(seconds=0.5))
    server = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def trickle() -> None:
        peer, _address = server.accept()
        while not stop.is_set():
            try:
                peer.send(b"H")
            except OSError:
                return
            time.sleep(0.05)

    thread = threading.Thread(target=trickle, daemon=True)
    thread.start()
    endpoint = add(trade, f"http://127.0.0.1:{server.getsockname()[1]}/slow")
    happen(trade)
    started = time.monotonic()
    attempt = deliver(endpoint)
    stop.set()
    server.close()

    assert attempt is not None
    assert attempt.status is None
    assert attempt.failure == "timeout"
    assert time.monotonic() - started < 2


def test_of_a_long_answer_only_the_first_bytes_are_kept(trade: Trade) -> None:
    with listening(body=b"\0x" * 1_000_000) as receiver:
        endpoint = add(trade, receiver.url)
        happen(trade)
        attempt = deliver(endpoint)

    assert attempt is not None
    assert attempt.status == 200
    assert len(attempt.response) == limits.WEBHOOK_RESPONSE_BYTES
    assert "\0" not in attempt.response


# -- At least once -----------------------------------------------------------------------------------------


def test_a_sender_killed_before_it_noted_the_outcome_is_followed_by_the_same_webhook_id(
    trade: Trade, monkeypatch: Any
) -> None:
    with listening() as receiver:
        endpoint = add(trade, receiver.url)
        fact = happen(trade)
        at = timezone.now()

        def killed(**_arguments: object) -> None:
            raise SystemExit

        with monkeypatch.context() as dying:
            dying.setattr(sending, "_note", killed)
            with pytest.raises(SystemExit):
                deliver(endpoint, at=at)
        assert sending.overdue(at=at + dt.timedelta(seconds=15)) == []
        later = at + limits.WEBHOOK_LEASE
        assert sending.overdue(at=later) == [(the_message(endpoint).pk, endpoint.pk)]
        deliver(endpoint, at=later)

    assert receiver.ids() == [fact.code, fact.code]
    assert the_message(endpoint).delivered_at is not None


def test_a_task_delivered_twice_sends_once(trade: Trade) -> None:
    with listening() as receiver:
        endpoint = add(trade, receiver.url)
        happen(trade)
        deliver(endpoint)
        assert deliver(endpoint) is None
    assert len(receiver.got) == 1


def test_old_messages_are_forgotten_and_young_ones_kept(trade: Trade) -> None:
    endpoint = add(trade, "http://127.0.0.1:1/")
    happen(trade)
    happen(trade, number=2)
    old = WebhookMessage.objects.earliest("pk")
    WebhookMessage.objects.filter(pk=old.pk).update(created_at=timezone.now() - dt.timedelta(days=31))
    sending.send(message_id=old.pk, at=timezone.now())

    sending.sweep_log(at=timezone.now())
    sending.sweep_log(at=timezone.now())

    assert WebhookMessage.objects.filter(endpoint=endpoint).count() == 1
    assert not WebhookAttempt.objects.exists()


def test_a_test_event_tells_what_came_back(trade: Trade) -> None:
    with listening(status=418, body=b"teapot") as receiver:
        endpoint = add(trade, receiver.url)
        message, attempt = endpoints.test(
            code=endpoint.code, scope=WebhookEndpoint.objects.all(), at=timezone.now()
        )

    assert attempt is not None
    assert (attempt.status, attempt.response) == (418, "teapot")
    assert json.loads(receiver.got[0][2])["type"] == "endpoint.test"
    assert message.code.startswith("evt_test_")


def test_the_receiver_sees_the_name_it_was_given(trade: Trade) -> None:
    with listening() as receiver:
        endpoint = add(trade, receiver.url.replace("127.0.0.1", "localhost"))
        happen(trade)
        deliver(endpoint)
    host: Receiver = receiver
    assert host.got[0][1]["host"] == f"localhost:{receiver.port}"
