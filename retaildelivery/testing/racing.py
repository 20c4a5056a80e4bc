"""Many at once: real threads, each with its own connection, that start together."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection

PATIENCE_S = 30


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Run these together; what each returned or raised, in their order."""
    barrier = threading.Barrier(len(works))
    outcomes: list[Any] = [None] * len(works)

    def run(place: int, work: Callable[[], Any]) -> None:
        barrier.wait(PATIENCE_S)
        try:
            outcomes[place] = work()
        except Exception as failure:  # noqa: BLE001 -- what a racer died of is its outcome
            outcomes[place] = failure
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    return outcomes
