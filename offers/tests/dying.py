"""A planner's worker that is killed in the middle of a wave: ``python -m … thinking`` or ``… publishing``."""

from __future__ import annotations

import datetime as dt
import os
import signal
import sys
from typing import Any

import django


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(when: str, at: str) -> None:
    django.setup()
    from offers.planning import publish, waves  # noqa: PLC0415 -- only once Django is set up
    from retaildelivery.outbox import recording  # noqa: PLC0415

    if when == "thinking":
        waves.think = die  # type: ignore[assignment]
    else:
        # The blocks are written, the wave is not yet committed.
        def record_and_die(happening: Any) -> None:
            recorded(happening)
            if happening.name == "plan.ran":
                die()

        recorded = recording.record
        publish.recording.record = record_and_die  # type: ignore[assignment]
    waves.run(mall_code="fashion-show", at=dt.datetime.fromisoformat(at))


if __name__ == "__main__":
    main(*sys.argv[1:])
