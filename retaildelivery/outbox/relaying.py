"""Do what follows from a fact: once, in one transaction with its effect."""

from __future__ import annotations

import datetime as dt
import traceback

import structlog
from django.db import transaction
from django.db.models import F

from retaildelivery.outbox import limits, locks, recording, worlds
from retaildelivery.outbox.models import Reaction

log = structlog.get_logger(__name__)


class Abandoned(RuntimeError):
    """The reactions table no longer has this key; the row stays, so that somebody sees it."""


def relay(*, reaction_id: int, at: dt.datetime) -> bool:
    """Run one reaction. True when this call did it; False when it was done before, is being done by another
    worker, or failed and will be tried again at its `next_attempt_at`."""
    try:
        return _run(reaction_id=reaction_id, at=at)
    except Exception:
        log.exception("outbox.reaction_failed", reaction=reaction_id)
        postpone(reaction_id=reaction_id, error=traceback.format_exc(), at=at)
        return False


@transaction.atomic(durable=True)
def _run(*, reaction_id: int, at: dt.datetime) -> bool:
    reaction = locks.reaction_to_do(reaction_id)
    if reaction is None:
        return False
    fact = reaction.fact
    effect = recording.reactions(fact.world).get(fact.name, {}).get(reaction.key)
    if effect is None:
        raise Abandoned(f"No reaction {reaction.key} to {reaction.fact.name} in {reaction.pk}.")
    with worlds.entered(fact.world, codes_from=None if fact.live_mode else f"{fact.code}:{reaction.key}"):
        effect(fact=fact, at=at)
    reaction.done_at = at
    reaction.last_error = ""
    reaction.save(update_fields=["done_at", "last_error"])
    return True


@transaction.atomic(durable=True)
def postpone(*, reaction_id: int, error: str, at: dt.datetime) -> None:
    """Note the failure and when to try again. Never gives up: a fact is never lost."""
    reaction = Reaction.objects.filter(pk=reaction_id).first()
    if reaction is None or reaction.done_at is not None:
        return
    wait = limits.REACTION_RETRIES[min(reaction.attempts, len(limits.REACTION_RETRIES) - 1)]
    Reaction.objects.filter(pk=reaction_id, done_at=None).update(
        attempts=F("attempts") + 1, next_attempt_at=at + wait, last_error=error[-limits.ERROR_TEXT :]
    )


@transaction.atomic(durable=True)
def overdue(*, at: dt.datetime) -> list[int]:
    """Take reactions whose relay was lost or failed, oldest first, a batch of them. Each is left alone for a while
    then, so that a sweep does not hand out again what still waits in a worker's queue."""
    taken = locks.reactions_overdue(at)
    Reaction.objects.filter(pk__in=taken).update(next_attempt_at=at + limits.RELAY_HANDED)
    return taken
