"""Record a fact in the transaction that makes it true, and what follows from it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils.module_loading import import_string

from retaildelivery.outbox import dispatch, limits, worlds
from retaildelivery.outbox.models import Fact
from retaildelivery.prepared import FEW, Blank, call_of

Effect = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Together:
    """Decorates an effect of several facts, ``(*, facts, at)``: those that wait are done in one transaction, since what
    one costs is mostly round trips. Called with a single ``fact`` it is an Effect like any other.

    Should one of them break, all are undone and each is done by itself, so that it holds back nobody.
    """

    do: Callable[..., None]

    def __call__(self, *, fact: Fact, at: dt.datetime) -> None:
        self.do(facts=[fact], at=at)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it: a kind of `Fact.Actor`, a code or name that may be shown, and where it came from."""

    kind: str = Fact.Actor.SYSTEM
    name: str = ""
    source: str = ""


SYSTEM = Actor()


@dataclass(frozen=True, slots=True)
class Happening:
    """A fact before it is a row: what the ``facts.py`` of each app makes and `record` writes."""

    name: str
    at: dt.datetime
    subjects: Sequence[str]
    actor: Actor = SYSTEM
    data: Mapping[str, Any] = field(default_factory=dict)
    seller_code: str = ""
    sequence: int | None = None


class NotInTransaction(RuntimeError):
    """A fact was recorded outside the transaction of the change it tells."""


def reactions(world: int = worlds.LIVE) -> Mapping[str, Mapping[str, Effect]]:
    """The table of what follows from what: ``{fact name: {key: function(*, fact, at)}}``. Sandboxes have their own."""
    place = settings.OUTBOX_REACTIONS if world == worlds.LIVE else settings.OUTBOX_SANDBOX_REACTIONS
    table: Mapping[str, Mapping[str, Effect]] = import_string(place)
    return table


def record(happening: Happening) -> Fact:
    """Write the fact and one row for each thing that follows from it; relay those after the commit.

    Raises NotInTransaction when the caller holds no transaction: a fact without its change, or a change without
    its fact, must be impossible.
    """
    return record_all([happening])[0]


def record_all(happenings: Sequence[Happening]) -> list[Fact]:
    """`record` for many at once, in their order, in one statement however many they are."""
    if not connection.in_atomic_block:
        names = ", ".join(sorted({happening.name for happening in happenings}))
        raise NotInTransaction(f"{names} must be recorded inside the transaction of its change.")
    if not happenings:
        return []
    facts = [_row(happening) for happening in happenings]
    table = reactions(worlds.current())
    _relay_after_commit(_write(facts, [(fact, key) for fact in facts for key in table.get(fact.name, {})]))
    return facts


# Written out, since every change of anything comes through here and `bulk_create` builds its SQL each time.
_FACTS = """
INSERT INTO outbox_fact
    (code, name, at, recorded_at, subjects, sequence, actor_kind, actor, source, seller_code, world, data)
VALUES {facts} RETURNING id, code, transaction, recorded_at
"""
_FACT = "(%s, %s, %s, clock_timestamp(), %s::varchar(80)[], %s, %s, %s, %s, %s, %s, %s::jsonb)"
# Workers work by the real clock, by which a sandbox's facts have only when they were recorded.
_FACTS_AND_REACTIONS = """
WITH f AS ({statement}),
r AS (
    INSERT INTO outbox_reaction (fact_id, key, next_attempt_at, attempts, last_error)
    SELECT f.id, w.key, coalesce(w.at, f.recorded_at) + %s::interval, 0, ''
    FROM (VALUES {reactions}) AS w (place, code, key, at) JOIN f ON f.code = w.code ORDER BY w.place
    RETURNING id
)
SELECT id, code, transaction, recorded_at FROM f UNION ALL SELECT id, NULL, NULL, NULL FROM r
"""
_REACTION = "(%s::int, %s, %s, %s::timestamptz)"


def _write(facts: Sequence[Fact], wanted: Sequence[tuple[Fact, str]]) -> list[int]:
    """Write them with what follows from them; the keys of the reactions, in the order in which they are wanted."""
    statement = _FACTS.format(facts=", ".join([_FACT] * len(facts)))
    values: list[Any] = [each for fact in facts for each in _values(fact)]
    if wanted:
        reactions = ", ".join([_REACTION] * len(wanted))
        statement = _FACTS_AND_REACTIONS.format(statement=statement, reactions=reactions)
        values.append(limits.RELAY_GRACE)
        for place, (fact, key) in enumerate(wanted):
            values += [place, fact.code, key, fact.at if fact.live_mode else None]
    with connection.cursor() as cursor:
        cursor.execute(call_of(statement) if len(facts) <= FEW else statement, values)
        rows = cursor.fetchall()
    written = {code: (key, transaction, at) for key, code, transaction, at in rows if code is not None}
    for fact in facts:
        fact.pk, fact.transaction, fact.recorded_at = written[fact.code]
        # As a model's own save leaves it.
        fact._state.adding, fact._state.db = False, connection.alias  # noqa: SLF001
    return sorted(key for key, code, _transaction, _at in rows if code is None)


def _values(fact: Fact) -> tuple[Any, ...]:
    who = (fact.actor_kind, fact.actor, fact.source, fact.seller_code, fact.world)
    return (fact.code, fact.name, fact.at, fact.subjects, fact.sequence, *who, json.dumps(fact.data))


def _relay_after_commit(keys: list[int]) -> None:
    if keys:
        transaction.on_commit(partial(dispatch.relay_soon, reaction_ids=keys), robust=True)


_FACT_ROW = Blank(Fact)


def _row(happening: Happening) -> Fact:
    return _FACT_ROW.filled(
        name=happening.name,
        at=happening.at,
        subjects=list(happening.subjects),
        sequence=happening.sequence,
        actor_kind=happening.actor.kind,
        actor=happening.actor.name[:120],
        source=happening.actor.source[:60],
        seller_code=happening.seller_code,
        data=dict(happening.data),
    )
