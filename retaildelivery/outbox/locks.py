"""Every locking query of the outbox."""

from __future__ import annotations

import datetime as dt

from retaildelivery.outbox import limits
from retaildelivery.outbox.models import Message, Reaction


def reaction_to_do(reaction_id: int) -> Reaction | None:
    """The reaction, locked, if it is still to be done and nobody else is at it."""
    return (
        Reaction.objects.filter(pk=reaction_id, done_at=None)
        .select_for_update(of=("self",), no_key=True, skip_locked=True)
        .select_related("fact")
        .first()
    )


def reactions_overdue(at: dt.datetime) -> list[int]:
    """Keys of reactions to hand out now, locked; what another sweep or a relay holds is left to it."""
    due = Reaction.objects.due(at).order_by("next_attempt_at", "id")  # type: ignore[attr-defined]
    locked = due.select_for_update(of=("self",), no_key=True, skip_locked=True)
    return list(locked.values_list("pk", flat=True)[: limits.SWEEP_BATCH])


def message_to_send(message_id: int) -> Message | None:
    """The message, locked, if it is still to be sent and nobody else is at it."""
    return (
        Message.objects.filter(pk=message_id, sent_at=None, given_up_at=None)
        .select_for_update(of=("self",), no_key=True, skip_locked=True)
        .first()
    )
