"""Send messages, note what came back, try again by the table."""

from __future__ import annotations

import datetime as dt
import random
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Coalesce

from retaildelivery.prepared import Given, PreparedInsert, PreparedUpdate
from retaildelivery.web import guard, posting
from retaildelivery.web.posting import Bounds, Outcome
from stores import limits, locks
from stores.models import WebhookAttempt, WebhookEndpoint, WebhookMessage
from stores.webhooks import fanning, signing, switching

GONE = 410
USER_AGENT = "RetailDelivery-Webhooks/1"

_dice = random.SystemRandom()


def send(*, message_id: int, at: dt.datetime) -> WebhookAttempt | None:
    """Try one message, if it is due. None when it is not, or when another sender is at it.

    Sent outside any transaction. A sender that dies before it has noted the outcome leaves the message to the
    sweep, which sends it again under the same webhook-id: at least once, and the receiver can tell.
    """
    message = _take(message_id=message_id, at=at)
    if message is None:
        return None
    outcome = _post(message, at)
    return _note(message=message, outcome=outcome, at=at, ended_at=at + dt.timedelta(seconds=outcome.seconds))


_TAKEN = PreparedUpdate(
    lambda: WebhookMessage.objects.filter(pk=Given("message")),
    attempts=Given("attempts"),
    next_attempt_at=Given("until"),
)


@transaction.atomic(durable=True)
def _take(*, message_id: int, at: dt.datetime) -> WebhookMessage | None:
    message = locks.message_to_send(message_id)
    if message is None or message.next_attempt_at > at:
        return None
    if message.endpoint.failing_since is not None and not _may_probe(message.endpoint, at):
        return None
    message.attempts += 1
    message.next_attempt_at = at + limits.WEBHOOK_LEASE
    _TAKEN.run(message=message.pk, attempts=message.attempts, until=message.next_attempt_at)
    return message


def _may_probe(endpoint: WebhookEndpoint, at: dt.datetime) -> bool:
    """Whether this sender is the one that tries a failing endpoint now."""
    return bool(
        WebhookEndpoint.objects.filter(
            Q(probing_until=None) | Q(probing_until__lte=at), pk=endpoint.pk
        ).update(probing_until=at + limits.WEBHOOK_LEASE)
    )


def bounds() -> Bounds:
    """What a receiver gets of our time and memory."""
    return Bounds(
        connect=limits.WEBHOOK_CONNECT.total_seconds(),
        total=limits.WEBHOOK_TIMEOUT.total_seconds(),
        answer_bytes=limits.WEBHOOK_RESPONSE_BYTES,
    )


def _post(message: WebhookMessage, at: dt.datetime) -> Outcome:
    try:
        target = guard.resolve(message.endpoint.url, private=settings.WEBHOOKS_ALLOW_PRIVATE)
    except guard.AddressRefused as refusal:
        return Outcome(None, refusal.failure, "", 0.0)
    signed = signing.headers(endpoint=message.endpoint, message_id=message.code, body=message.body, at=at)
    return posting.post(
        target,
        body=message.body.encode(),
        headers={"Content-Type": "application/json", "User-Agent": USER_AGENT, **signed},
        bounds=bounds(),
    )


_ATTEMPTS = PreparedInsert(WebhookAttempt)
_DELIVERED = PreparedUpdate(
    lambda: WebhookMessage.objects.filter(pk=Given("message"), delivered_at=None),
    delivered_at=Given("at"),
    given_up_at=None,
)


@transaction.atomic(durable=True)
def _note(
    *, message: WebhookMessage, outcome: Outcome, at: dt.datetime, ended_at: dt.datetime
) -> WebhookAttempt:
    attempt = WebhookAttempt(
        message=message,
        at=at,
        duration=dt.timedelta(seconds=outcome.seconds),
        status=outcome.status,
        failure=outcome.failure,
        response=outcome.response,
    )
    _ATTEMPTS.run([attempt])
    if outcome.is_success:
        _DELIVERED.run(message=message.pk, at=ended_at)
        _is_well(message.endpoint, at=ended_at)
        return attempt
    undelivered = WebhookMessage.objects.filter(pk=message.pk, delivered_at=None)
    if message.attempts > len(limits.WEBHOOK_RETRIES):
        undelivered.update(given_up_at=ended_at)
    else:
        undelivered.update(next_attempt_at=ended_at + wait_after(message.attempts))
    _is_ill(message.endpoint, outcome, at=ended_at)
    return attempt


def wait_after(attempts: int) -> dt.timedelta:
    """How long to wait after so many failed attempts (1 and more): the table's time and a little more."""
    return limits.WEBHOOK_RETRIES[attempts - 1] * (1 + _dice.random() * limits.WEBHOOK_JITTER)


def _is_well(endpoint: WebhookEndpoint, *, at: dt.datetime) -> None:
    """What waited for a failing endpoint goes out at once when it answers again."""
    if endpoint.failing_since is None:
        return
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(failing_since=None, probing_until=None)
    waiting = WebhookMessage.objects.filter(endpoint=endpoint, delivered_at=None, given_up_at=None)
    waiting.filter(next_attempt_at__gt=at).update(next_attempt_at=at)
    for pk in waiting.order_by("pk").values_list("pk", flat=True)[: limits.SWEEP_BATCH]:
        transaction.on_commit(partial(fanning.hand_over, pk, endpoint.pk), robust=True)


def _is_ill(endpoint: WebhookEndpoint, outcome: Outcome, *, at: dt.datetime) -> None:
    since = endpoint.failing_since or at
    gap = min(max((at - since) / 4, limits.PROBE_LEAST), limits.PROBE_MOST)
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(
        failing_since=Coalesce("failing_since", at), probing_until=at + gap
    )
    if outcome.status == GONE:
        switching.disable(endpoint, reason="gone", at=at)
    elif at - since >= limits.ENDPOINT_FAILS:
        switching.disable(endpoint, reason="failing", at=at)


def overdue(*, at: dt.datetime) -> list[tuple[int, int]]:
    """Messages to try now, with their endpoints: of healthy ones, oldest first; one for each that fails.

    However much waits for a dead endpoint, it takes one place of the batch.
    """
    # A fresh message is on its way to a worker already.
    fresh = Q(attempts=0, created_at__gt=at - limits.WEBHOOK_GRACE, endpoint__failing_since=None)
    due = WebhookMessage.objects.due(at).exclude(fresh)
    healthy = due.filter(endpoint__failing_since=None).order_by("next_attempt_at", "pk")
    failing = (
        due.filter(endpoint__failing_since__isnull=False)
        .order_by("endpoint_id", "next_attempt_at", "pk")
        .distinct("endpoint_id")
    )
    return [
        *healthy.values_list("pk", "endpoint_id")[: limits.SWEEP_BATCH],
        *failing.values_list("pk", "endpoint_id")[: limits.SWEEP_BATCH],
    ]


def sweep_log(*, at: dt.datetime) -> int:
    """Delete messages, with their attempts, that are older than they are kept; how many rows."""
    old = WebhookMessage.objects.filter(created_at__lt=at - limits.WEBHOOK_KEPT).order_by("created_at")
    deleted, _per_model = WebhookMessage.objects.filter(
        pk__in=list(old.values_list("pk", flat=True)[: limits.SWEEP_BATCH])
    ).delete()
    return deleted
