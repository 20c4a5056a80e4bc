"""The deliveries' tasks."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from deliveries import quoting, roads, slots
from deliveries.sandbox import playing
from stores.models import Market


@shared_task(queue="sweeps", ignore_result=True)
def calibrate_travel(**_: Any) -> None:
    """Fit the travel times of every market to its legs of late."""
    for market in Market.objects.order_by("code"):
        roads.calibrate(market=market, at=timezone.now())


@shared_task(queue="sweeps", ignore_result=True)
def sweep_slots(**_: Any) -> None:
    slots.expire(at=timezone.now())


@shared_task(queue="sweeps", ignore_result=True)
def sweep_sandboxes(**_: Any) -> None:
    playing.sweep(at=timezone.now())


@shared_task(queue="sweeps", ignore_result=True)
def sweep_quotes(**_: Any) -> None:
    quoting.forget_unused(at=timezone.now())
