"""A fact of a seller becomes one message for each endpoint that wants to hear of it."""

from __future__ import annotations

import datetime as dt
from functools import partial

from django.db import connection, transaction

from retaildelivery.outbox import dispatch
from retaildelivery.outbox.models import Fact
from retaildelivery.prepared import Given, Prepared, call_of
from stores.models import WebhookEndpoint
from stores.webhooks import events, lanes, switching

TASK = "stores.tasks.send_webhook"


def hand_over(message_id: int, endpoint_id: int) -> None:
    """Have it sent: by this process when it is a worker with lanes of its own, else by one that has them. If that is
    lost the sweep finds the row."""
    if lanes.HERE is not None:
        lanes.HERE.submit(endpoint_id=endpoint_id, message_id=message_id)
    else:
        dispatch.send(TASK, queue="webhooks", message_id=message_id, endpoint_id=endpoint_id)


_HEARING = Prepared(
    lambda: (
        WebhookEndpoint.objects.listening()
        .filter(seller__code=Given("seller"), seller__active=True, world=Given("world"))
        .hearing(Given("name"))
        .order_by("pk")
    )
)
_MESSAGES = """
INSERT INTO stores_webhookmessage (code, endpoint_id, event_type, body, created_at, next_attempt_at, attempts)
SELECT %s::text, endpoint, %s::text, %s::text, %s::timestamptz, %s::timestamptz, 0
FROM unnest(%s::bigint[]) AS endpoint ORDER BY endpoint
ON CONFLICT DO NOTHING RETURNING id, endpoint_id
"""


def fan_out(*, fact: Fact, at: dt.datetime) -> None:
    """The reaction: write the messages and have them sent. A second run writes nothing."""
    if not fact.seller_code:
        return
    hearing = _HEARING.all(seller=fact.seller_code, world=fact.world, name=fact.name)
    endpoints = [each for each in hearing if not switching.disable_if_unverified(each, at=at)]
    if not endpoints:
        return
    body = events.as_text(events.event(fact))
    with connection.cursor() as cursor:
        keys = [endpoint.pk for endpoint in endpoints]
        cursor.execute(call_of(_MESSAGES), [fact.code, fact.name, body, at, at, keys])
        written = cursor.fetchall()
    # To an endpoint that fails nothing is hurried: the sweep tries it with one message at a time.
    healthy = {endpoint.pk for endpoint in endpoints if endpoint.failing_since is None}
    for message, endpoint in written:
        if endpoint in healthy:
            transaction.on_commit(partial(hand_over, message, endpoint), robust=True)
