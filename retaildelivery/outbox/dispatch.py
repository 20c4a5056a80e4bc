"""Hand work to a worker by name. When the broker is away nothing is lost: a sweep finds the row."""

from __future__ import annotations

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)


def send(task: str, *, queue: str, **arguments: int | str) -> bool:
    """Queue a task. False, and a line in the log, when the broker could not be reached."""
    try:
        current_app.send_task(task, kwargs=arguments, queue=queue, ignore_result=True, retry=False)
    except (OperationalError, OSError) as failure:
        log.warning("outbox.broker_away", task=task, reason=str(failure))
        return False
    return True


def relay(*, reaction_id: int) -> bool:
    return send("retaildelivery.outbox.tasks.relay", queue="relay", reaction_id=reaction_id)


def message(*, message_id: int) -> bool:
    return send("retaildelivery.outbox.tasks.deliver", queue="notices", message_id=message_id)
