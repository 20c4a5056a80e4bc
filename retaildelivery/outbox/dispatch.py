"""Hand work to a worker by name. When the broker is away nothing is lost: a sweep finds the row."""

from __future__ import annotations

import time

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

from retaildelivery.outbox import limits

log = structlog.get_logger(__name__)


class _Broker:
    """What this process knows of the broker: after a failure it is not asked again for a moment, so that a request
    that records ten facts waits for one time-out and not for ten."""

    away_until = 0.0  # of the monotonic clock


def send(task: str, *, queue: str, **arguments: int | str | list[int]) -> bool:
    """Queue a task. False, and a line in the log, when the broker could not be reached."""
    if time.monotonic() < _Broker.away_until:
        return False
    try:
        current_app.send_task(task, kwargs=arguments, queue=queue, ignore_result=True, retry=False)
    except (OperationalError, OSError) as failure:
        _Broker.away_until = time.monotonic() + limits.BROKER_PAUSE.total_seconds()
        log.warning("outbox.broker_away", task=task, reason=str(failure))
        return False
    return True


def relay(*, reaction_id: int) -> bool:
    return send("retaildelivery.outbox.tasks.relay", queue="relay", reaction_id=reaction_id)


def relay_all(*, reaction_ids: list[int]) -> bool:
    return send("retaildelivery.outbox.tasks.relay_all", queue="relay", reaction_ids=reaction_ids)


def message(*, message_id: int) -> bool:
    return send("retaildelivery.outbox.tasks.deliver", queue="notices", message_id=message_id)
