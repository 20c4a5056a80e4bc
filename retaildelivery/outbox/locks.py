"""Every locking query of the outbox."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q

from retaildelivery.outbox import limits, worlds
from retaildelivery.outbox.models import Message, Reaction
from retaildelivery.prepared import Given, Prepared

_TO_DO = Prepared(
    lambda: (
        Reaction.objects.filter(pk=Given("reaction"), done_at=None)
        .select_for_update(of=("self",), no_key=True, skip_locked=True)
        .select_related("fact")
    )
)
_ALIKE = Prepared(
    lambda: (
        Reaction.objects.filter(
            ~Q(pk=Given("reaction")),
            key=Given("key"),
            fact__name=Given("name"),
            fact__world=worlds.LIVE,
            done_at=None,
            attempts=0,
        )
        .select_for_update(of=("self",), no_key=True, skip_locked=True)
        .select_related("fact")
        .order_by("next_attempt_at", "pk")[: limits.TOGETHER - 1]
    )
)


def reaction_to_do(reaction_id: int) -> Reaction | None:
    """The reaction, locked, if it is still to be done and nobody else is at it."""
    return _TO_DO.one(reaction=reaction_id)


def reactions_alike(reaction: Reaction) -> list[Reaction]:
    """Others of the live world that wait to have the same done, locked, the oldest first. What others are at is left to
    them, and what has failed once is done by itself."""
    return _ALIKE.all(name=reaction.fact.name, key=reaction.key, reaction=reaction.pk)


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
