"""The tasks of stores: send webhooks, and the sweeps behind that."""

from __future__ import annotations

from typing import Any

import structlog
from celery import shared_task
from celery.signals import worker_process_init
from django.db import close_old_connections
from django.utils import timezone

from stores import invoicing
from stores.webhooks import fanning, lanes, sending

log = structlog.get_logger(__name__)


def _send(message_id: int) -> None:
    """In a thread of a lane, which has a database connection of its own and nobody to raise to."""
    close_old_connections()
    try:
        sending.send(message_id=message_id, at=timezone.now())
    except Exception:
        log.exception("webhooks.send_failed", message_id=message_id)
    finally:
        close_old_connections()


@worker_process_init.connect
def _open_lanes(**_: Any) -> None:
    """In a worker's process, after the fork."""
    lanes.open_here(_send)


@shared_task(queue="webhooks", ignore_result=True)
def send_webhook(*, message_id: int, endpoint_id: int, **_: Any) -> None:
    lanes.open_here(_send).submit(endpoint_id=endpoint_id, message_id=message_id)


@shared_task(queue="sweeps", ignore_result=True)
def sweep_webhooks(**_: Any) -> None:
    for message_id, endpoint_id in sending.overdue(at=timezone.now()):
        fanning.hand_over(message_id, endpoint_id)


@shared_task(queue="sweeps", ignore_result=True)
def sweep_webhook_log(**_: Any) -> None:
    sending.sweep_log(at=timezone.now())


@shared_task(queue="sweeps", ignore_result=True)
def sweep_invoices(**_: Any) -> None:
    invoicing.sweep(at=timezone.now())
