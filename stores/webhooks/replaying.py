"""Send messages again: one, or all of a stretch of time after an outage."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import partial

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from retaildelivery.outbox import recording
from stores import facts, limits, locks
from stores.models import WebhookEndpoint, WebhookMessage
from stores.webhooks import events, fanning
from stores.webhooks.endpoints import EndpointDisabled, EndpointRefused, EventUnknown


class TooManyMessages(EndpointRefused):
    code = "too_many_messages"
    sentence = _(
        "There are %(found)s messages in that time; at most %(most)d are sent again at once. Give a shorter "
        "time, or read GET /api/v1/events."
    )


class EmptyRange(EndpointRefused):
    code = "empty_range"
    sentence = _("`until` (now, unless you say) must come after `since`.")


@transaction.atomic(durable=True)
def replay(
    *, code: str, message_code: str, scope: QuerySet[WebhookEndpoint], at: dt.datetime
) -> WebhookMessage:
    """Send a message again, as it was and under its own webhook-id, starting the table anew.

    Raises WebhookEndpoint.DoesNotExist, WebhookMessage.DoesNotExist, EndpointDisabled.
    """
    endpoint = scope.get(code=code)
    if endpoint.disabled_at is not None:
        raise EndpointDisabled
    message = WebhookMessage.objects.get(endpoint=endpoint, code=message_code)
    _again(WebhookMessage.objects.filter(pk=message.pk), at=at)
    message.refresh_from_db()
    transaction.on_commit(partial(fanning.hand_over, message.pk, endpoint.pk), robust=True)
    return message


@transaction.atomic(durable=True)
def replay_all(
    *,
    code: str,
    scope: QuerySet[WebhookEndpoint],
    since: dt.datetime,
    until: dt.datetime,
    actor: recording.Actor,
    at: dt.datetime,
    undelivered_only: bool = False,
    event_types: Sequence[str] = (),
) -> int:
    """Send all messages written in [since, until) again, unchanged; how many. The sweep takes what a first batch
    leaves, oldest first.

    Raises WebhookEndpoint.DoesNotExist, EndpointDisabled, EmptyRange, EventUnknown, TooManyMessages.
    """
    if until <= since:
        raise EmptyRange(field="until")
    for place, name in enumerate(event_types):
        if name not in events.EVENTS:
            raise EventUnknown(field=f"event_types[{place}]", name=name)
    endpoint = locks.endpoint(scope, code)
    if endpoint.disabled_at is not None:
        raise EndpointDisabled
    found = WebhookMessage.objects.filter(
        endpoint=endpoint, created_at__gte=since, created_at__lt=until
    ).exclude(event_type=events.TEST)
    if undelivered_only:
        found = found.filter(delivered_at=None)
    if event_types:
        found = found.filter(event_type__in=event_types)
    number = found[: limits.REPLAY_MESSAGES + 1].count()
    if number > limits.REPLAY_MESSAGES:
        raise TooManyMessages(field="since", found=f">{limits.REPLAY_MESSAGES}", most=limits.REPLAY_MESSAGES)
    first = list(found.order_by("pk").values_list("pk", flat=True)[: limits.SWEEP_BATCH])
    _again(found, at=at)
    recording.record(
        facts.endpoint_replayed(endpoint, messages=number, since=since, until=until, actor=actor, at=at)
    )
    if endpoint.failing_since is None:
        for pk in first:
            transaction.on_commit(partial(fanning.hand_over, pk, endpoint.pk), robust=True)
    return number


def _again(found: QuerySet[WebhookMessage], *, at: dt.datetime) -> None:
    found.update(delivered_at=None, given_up_at=None, attempts=0, next_attempt_at=at)
