"""A fact of a seller becomes one message for each endpoint that wants to hear of it."""

from __future__ import annotations

import datetime as dt
from functools import partial

from django.db import transaction

from retaildelivery.outbox import dispatch
from retaildelivery.outbox.models import Fact
from stores.models import WebhookEndpoint, WebhookMessage
from stores.webhooks import events, lanes, switching

TASK = "stores.tasks.send_webhook"


def hand_over(message_id: int, endpoint_id: int) -> None:
    """Have it sent: by this process when it is a worker with lanes of its own, else by one that has them. If that is
    lost the sweep finds the row."""
    if lanes.HERE is not None:
        lanes.HERE.submit(endpoint_id=endpoint_id, message_id=message_id)
    else:
        dispatch.send(TASK, queue="webhooks", message_id=message_id, endpoint_id=endpoint_id)


def fan_out(*, fact: Fact, at: dt.datetime) -> None:
    """The reaction: write the messages and have them sent. A second run writes nothing."""
    if not fact.seller_code:
        return
    endpoints = list(
        WebhookEndpoint.objects.listening()
        .filter(seller__code=fact.seller_code, seller__active=True, world=fact.world)
        .hearing(fact.name)
        .order_by("pk")
    )
    endpoints = [each for each in endpoints if not switching.disable_if_unverified(each, at=at)]
    if not endpoints:
        return
    body = events.as_text(events.event(fact))
    WebhookMessage.objects.bulk_create(
        (
            WebhookMessage(
                code=fact.code,
                endpoint=endpoint,
                event_type=fact.name,
                body=body,
                created_at=at,
                next_attempt_at=at,
            )
            for endpoint in endpoints
        ),
        ignore_conflicts=True,
    )
    # To an endpoint that fails nothing is hurried: the sweep tries it with one message at a time.
    healthy = [endpoint.pk for endpoint in endpoints if endpoint.failing_since is None]
    written = WebhookMessage.objects.filter(code=fact.code, endpoint__in=healthy)
    for row in written.values_list("pk", "endpoint_id"):
        transaction.on_commit(partial(hand_over, *row), robust=True)
