"""The tasks of stores: send webhooks, and the sweeps behind that."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from stores.webhooks import fanning, sending


@shared_task(queue="webhooks", ignore_result=True, soft_time_limit=20, time_limit=30)
def send_webhook(*, message_id: int, **_: Any) -> None:
    sending.send(message_id=message_id, at=timezone.now())


@shared_task(queue="sweeps", ignore_result=True)
def sweep_webhooks(**_: Any) -> None:
    for message_id in sending.overdue(at=timezone.now()):
        fanning.hand_over(message_id)


@shared_task(queue="sweeps", ignore_result=True)
def sweep_webhook_log(**_: Any) -> None:
    sending.sweep_log(at=timezone.now())
