"""The drivers' periodic work."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from drivers import appealing, likenesses, notifying, pushing, tracking, transferring


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


@shared_task(queue="notices", ignore_result=True)
def push(*, push_id: int, **_: Any) -> None:
    pushing.send(push_id=push_id, at=timezone.now())


@shared_task(queue="sweeps", ignore_result=True)
def sweep_pushes(**_: Any) -> None:
    notifying.hand_over(pushing.overdue(at=timezone.now()))
