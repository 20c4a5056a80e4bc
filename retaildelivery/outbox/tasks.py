"""The outbox's tasks: relay what follows, send messages, and the sweeps that find what was lost."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from retaildelivery.outbox import dispatch, messages, relaying


@shared_task(queue="relay", ignore_result=True)
def relay(*, reaction_id: int, **_: Any) -> None:
    relaying.relay(reaction_id=reaction_id, at=timezone.now())


@shared_task(queue="relay", ignore_result=True)
def relay_all(*, reaction_ids: list[int], **_: Any) -> None:
    relaying.relay_all(reaction_ids=reaction_ids, at=timezone.now())


@shared_task(queue="sweeps", ignore_result=True)
def sweep_reactions(**_: Any) -> None:
    for reaction_id in relaying.overdue(at=timezone.now()):
        dispatch.relay(reaction_id=reaction_id)


@shared_task(queue="notices", ignore_result=True)
def deliver(*, message_id: int, **_: Any) -> None:
    messages.deliver(message_id=message_id, at=timezone.now())


@shared_task(queue="sweeps", ignore_result=True)
def sweep_messages(**_: Any) -> None:
    for message_id in messages.overdue(at=timezone.now()):
        dispatch.message(message_id=message_id)
