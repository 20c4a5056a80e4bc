"""A process that dies in the middle of it: run as ``python -m … commit`` or ``… react KEY``, ends by SIGKILL."""

from __future__ import annotations

import datetime as dt
import os
import signal
import sys
from typing import Any

import django

NOW = dt.datetime(2026, 11, 24, 18, 0, tzinfo=dt.UTC)


def die(**_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(act: str, key: str = "") -> None:
    django.setup()
    from django.conf import settings  # noqa: PLC0415 -- only once Django is set up
    from django.db import transaction  # noqa: PLC0415

    from retaildelivery.outbox import dispatch, recording, relaying  # noqa: PLC0415
    from retaildelivery.outbox.tests import reacting  # noqa: PLC0415

    settings.OUTBOX_REACTIONS = "retaildelivery.outbox.tests.reacting.REACTIONS"
    if act == "commit":
        # Killed when the change is committed and nothing has been sent.
        dispatch.relay_soon = die  # type: ignore[assignment]
        with transaction.atomic():
            recording.record(recording.Happening(name="manifest.completed", at=NOW, subjects=["manifest:M1"]))
        return
    done = reacting.pay

    def pay_and_die(**given: Any) -> None:
        # Killed when the effect is written and not yet committed.
        done(**given)
        die()

    reacting.REACTIONS["manifest.completed"]["tests.pay"] = pay_and_die
    relaying.relay(reaction_id=int(key), at=NOW)


if __name__ == "__main__":
    main(*sys.argv[1:])
