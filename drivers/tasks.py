"""The drivers' periodic work."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from drivers import appealing, likenesses, tracking, transferring


@shared_task(queue="sweeps", ignore_result=True)
def prune_positions(**_: Any) -> None:
    tracking.prune(at=timezone.now())


@shared_task(queue="sweeps", ignore_result=True)
def sweep_appeals(**_: Any) -> None:
    appealing.sweep(at=timezone.now())


@shared_task(queue="sweeps", ignore_result=True)
def sweep_likenesses(**_: Any) -> None:
    likenesses.sweep(at=timezone.now())


@shared_task(queue="sweeps", ignore_result=True)
def sweep_transfers(**_: Any) -> None:
    transferring.sweep(at=timezone.now())
