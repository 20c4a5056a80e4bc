"""The web's one task: forget what no client will retry any more."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from retaildelivery.web import idempotency


@shared_task(queue="sweeps", ignore_result=True)
def sweep_idempotent_requests(**_: Any) -> None:
    idempotency.sweep(at=timezone.now())
