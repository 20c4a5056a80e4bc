"""Do what follows from facts: once, in one transaction with its effect."""

from __future__ import annotations

import datetime as dt
import traceback
from collections.abc import Iterable, Sequence

import structlog
from django.db import transaction
from django.db.models import F

from retaildelivery.outbox import limits, locks, recording, worlds
from retaildelivery.outbox.models import Reaction
from retaildelivery.prepared import Given, PreparedUpdate, any_of

log = structlog.get_logger(__name__)


class Abandoned(RuntimeError):
    """The reactions table no longer has this key; the row stays, so that somebody sees it."""


class NotTogether(RuntimeError):
    """Of reactions that were done together one broke, and all are undone."""

    def __init__(self, reactions: Iterable[Reaction]) -> None:
        super().__init__()
        self.keys = [reaction.pk for reaction in reactions]


def relay(*, reaction_id: int, at: dt.datetime) -> bool:
    """Run one reaction, and with it those that wait and can be done `recording.Together`. True when this call did it;
    False when it was done before, is being done by another worker, or failed and will be tried again at its
    `next_attempt_at`."""
    return reaction_id in _relayed(reaction_id, at=at)


def relay_all(*, reaction_ids: Sequence[int], at: dt.datetime) -> set[int]:
    """`relay` one after the other; the keys of all that this call did."""
    done: set[int] = set()
    for reaction_id in reaction_ids:
        if reaction_id not in done:
            done |= _relayed(reaction_id, at=at)
    return done


# What this process did together with others, and of which the message is still to come: each is for a row that is done,
# so that nothing need be asked of the database when it comes. Only a shortcut: of what is not in here the row tells.
_done_along: set[int] = set()


def _relayed(reaction_id: int, *, at: dt.datetime, alone: bool = False) -> set[int]:
    """The keys of what was done by asking for this one."""
    if reaction_id in _done_along:
        _done_along.discard(reaction_id)
        return set()
    try:
        done = _run(reaction_id, at=at, alone=alone)
    except NotTogether as broken:
        log.warning("outbox.not_together", reactions=broken.keys, reason=str(broken.__cause__))
        return {key for key in broken.keys if _relayed(key, at=at, alone=True)}
    except Exception:
        log.exception("outbox.reaction_failed", reaction=reaction_id)
        postpone(reaction_id=reaction_id, error=traceback.format_exc(), at=at)
        return set()
    if len(_done_along) > limits.DONE_ALONG:
        _done_along.clear()
    _done_along.update(done - {reaction_id})
    return done


_DONE = PreparedUpdate(
    lambda: Reaction.objects.filter(pk__in=any_of("keys")), done_at=Given("at"), last_error=""
)


@transaction.atomic(durable=True)
def _run(reaction_id: int, *, at: dt.datetime, alone: bool) -> set[int]:
    """Keys of what was done. Raises NotTogether, or what the effect raises."""
    reaction = locks.reaction_to_do(reaction_id)
    if reaction is None:
        return set()
    fact = reaction.fact
    effect = recording.reactions(fact.world).get(fact.name, {}).get(reaction.key)
    if effect is None:
        raise Abandoned(f"No reaction {reaction.key} to {reaction.fact.name} in {reaction.pk}.")
    others: list[Reaction] = []
    if isinstance(effect, recording.Together) and fact.live_mode and not alone:
        others = locks.reactions_alike(reaction)
    codes = None if fact.live_mode else f"{fact.code}:{reaction.key}"
    with worlds.entered(fact.world, codes_from=codes):
        if others:
            _do_together(effect, [reaction, *others], at=at)
        else:
            effect(fact=fact, at=at)
    keys = {reaction.pk, *(other.pk for other in others)}
    _DONE.run(keys=list(keys), at=at)
    return keys


def _do_together(effect: recording.Effect, reactions: Sequence[Reaction], *, at: dt.datetime) -> None:
    assert isinstance(effect, recording.Together), "Anything else takes one fact."
    try:
        effect.do(facts=[reaction.fact for reaction in reactions], at=at)
    except Exception as reason:
        raise NotTogether(reactions) from reason


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
