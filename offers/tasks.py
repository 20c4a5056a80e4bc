"""The offers' tasks: waves of the planner, and the sweeps that find what is due."""

from __future__ import annotations

from typing import Any

from celery import current_app, shared_task
from celery.signals import worker_process_init
from django.utils import timezone

from drivers import disputing
from offers import attendance, audience, expiry, limits, mileage, paydays, scheduling, standing_down, wishing
from offers.planning import planner, waves
from offers.planning.travel import pairs
from retaildelivery.outbox import dispatch
from stores import contesting


@worker_process_init.connect
def warm_the_search(**_: Any) -> None:
    """Compile, or load, the planner's search while the first orders are still being posted: only a worker that plans
    pays for it, in a thread."""
    if "planning" in current_app.amqp.queues.consume_from:
        planner.COMPILING.begin()


@shared_task(queue="planning", ignore_result=True)
def plan(*, mall_code: str, **_: Any) -> None:
    """One wave, if it is still due: a task delivered twice or late finds nothing to do."""
    at = timezone.now()
    if mall_code in waves.due_malls(at):
        waves.run(mall_code=mall_code, at=at)


@shared_task(queue="planning", ignore_result=True)
def plan_now(*, mall_code: str, **_: Any) -> None:
    """A dispatcher asked: a wave in which nothing waits for company. Once more plans what is left, so nothing."""
    waves.run(mall_code=mall_code, at=timezone.now(), everything=True)


@shared_task(queue="sweeps", ignore_result=True)
def sweep_waves(**_: Any) -> None:
    for mall_code in waves.due_malls(timezone.now()):
        dispatch.send(waves.TASK, queue="planning", mall_code=mall_code)


@shared_task(queue="sweeps", ignore_result=True)
def sweep_offers(**_: Any) -> None:
    expiry.sweep(at=timezone.now())


@shared_task(queue="sweeps", ignore_result=True)
def sweep_no_shows(**_: Any) -> None:
    attendance.sweep(at=timezone.now())


@shared_task(queue="sweeps", ignore_result=True)
def sweep_empty_blocks(**_: Any) -> None:
    standing_down.sweep(at=timezone.now())


@shared_task(queue="sweeps", ignore_result=True)
def sweep_audiences(**_: Any) -> None:
    audience.flush()


@shared_task(queue="sweeps", ignore_result=True)
def sweep_schedules(**_: Any) -> None:
    scheduling.sweep(at=timezone.now())


@shared_task(queue="sweeps", ignore_result=True)
def sweep_travel_pairs(**_: Any) -> None:
    for _number in range(limits.TRAVEL_PAIRS_SWEEPS):
        if pairs.sweep(at=timezone.now()) < limits.TRAVEL_PAIRS_SWEEP:
            break


@shared_task(queue="sweeps", ignore_result=True)
def sweep_statements(**_: Any) -> None:
    paydays.issue_due(at=timezone.now())


@shared_task(queue="sweeps", ignore_result=True)
def sweep_mileage(**_: Any) -> None:
    mileage.sweep(at=timezone.now())


@shared_task(queue="sweeps", ignore_result=True)
def sweep_disputes(**_: Any) -> None:
    disputing.tell_overdue(at=timezone.now())
    contesting.tell_overdue(at=timezone.now())


@shared_task(queue="sweeps", ignore_result=True)
def sweep_wishes(**_: Any) -> None:
    for _round in range(limits.FITS_ROUNDS):
        if wishing.tell_due(at=timezone.now()) < limits.FITS_TOLD:
            break


@shared_task(queue="sweeps", ignore_result=True)
def sweep_wishes_told(**_: Any) -> None:
    wishing.forget(at=timezone.now())
