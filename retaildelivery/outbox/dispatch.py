"""Hand work to a worker by name. When the broker is away or this process dies, a sweep finds the row: none is lost."""

from __future__ import annotations

import atexit
import os
import threading
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
        # Without a picture of the arguments for monitors, which takes a tenth of the time.
        current_app.send_task(
            task,
            kwargs=arguments,
            queue=queue,
            ignore_result=True,
            retry=False,
            argsrepr="()",
            kwargsrepr="{…}",
        )
    except (OperationalError, OSError) as failure:
        _Broker.away_until = time.monotonic() + limits.BROKER_PAUSE.total_seconds()
        log.warning("outbox.broker_away", task=task, reason=str(failure))
        return False
    return True


def relay(*, reaction_id: int) -> bool:
    return send("retaildelivery.outbox.tasks.relay", queue="relay", reaction_id=reaction_id)


def relay_all(*, reaction_ids: list[int]) -> bool:
    return send("retaildelivery.outbox.tasks.relay_all", queue="relay", reaction_ids=reaction_ids)


class _Relays:
    """Reactions that workers are to be told of, by a thread of their own: making a message costs a fifth of posting an
    order, and who waits for its answer does not wait for that. The first goes at once, and what comes within
    `limits.TELL_EVERY` after it goes together."""

    def __init__(self) -> None:
        self._waiting: list[int] = []
        self._change = threading.Condition()
        self._thread: threading.Thread | None = None
        self._sending = False

    def tell(self, reaction_ids: list[int]) -> None:
        with self._change:
            self._waiting += reaction_ids
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="outbox-relays", daemon=True)
                self._thread.start()
            self._change.notify_all()

    def flush(self) -> None:
        """Send what waits, and return when all of it has been sent."""
        self._send(self._taken())
        with self._change:
            self._change.wait_for(lambda: not self._sending, timeout=limits.BROKER_PAUSE.total_seconds())

    def _run(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: bool(self._waiting))
                reaction_ids, self._waiting, self._sending = self._waiting, [], True
            try:
                self._send(reaction_ids)
            except Exception:
                log.exception("outbox.relays_not_told", reactions=len(reaction_ids))
            finally:
                with self._change:
                    self._sending = False
                    self._change.notify_all()
            time.sleep(limits.TELL_EVERY.total_seconds())

    def _taken(self) -> list[int]:
        with self._change:
            reaction_ids, self._waiting = self._waiting, []
        return reaction_ids

    def _send(self, reaction_ids: list[int]) -> None:
        # Spread over the workers: a message costs more than the waiting of a reaction for those before it.
        size = limits.RELAY_FEW if len(reaction_ids) <= limits.RELAY_BATCH else limits.RELAY_BATCH
        for first in range(0, len(reaction_ids), size):
            relay_all(reaction_ids=reaction_ids[first : first + size])


relays = _Relays()
# Threads do not live on in a child, and a program that ends at once has told of what it did.
os.register_at_fork(after_in_child=relays.__init__)  # type: ignore[misc]
atexit.register(relays.flush)


def relay_soon(*, reaction_ids: list[int]) -> None:
    """Have the workers do these reactions, and do not wait until they have been told."""
    relays.tell(reaction_ids)


def message(*, message_id: int) -> bool:
    return send("retaildelivery.outbox.tasks.deliver", queue="notices", message_id=message_id)
