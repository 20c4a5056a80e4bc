"""Record a fact in the transaction that makes it true, and what follows from it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from django.utils.module_loading import import_string

from retaildelivery.lib import jsontext
from retaildelivery.outbox import dispatch, limits, worlds
from retaildelivery.outbox.models import Fact
from retaildelivery.prepared import FEW, Blank, PreparedInsert, call_of

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
    return _record(happenings) if happenings else []


@dataclass(frozen=True, slots=True)
class Insertion:
    """Rows to be written in the very statement that records what is told of them; they get their keys. A later one may
    refer to what was written by its `name`."""

    name: str
    into: PreparedInsert[Any]
    rows: Sequence[Any]


def record_with(insertions: Sequence[Insertion], happening: Happening) -> Fact:
    """Write rows and record what is told of them, in one statement: a change of nothing else needs no transaction."""
    return _record([happening], insertions)[0]


@dataclass(frozen=True, slots=True)
class Condition:
    """A query that comes first in a statement that records; insertions refer to what it finds as `condition`."""

    sql: str
    values: Sequence[Any]


def record_if(condition: Condition, insertions: Sequence[Insertion], happening: Happening) -> None:
    """`record_with` by a statement that begins with a condition, of which nothing is read back: rows get no keys.

    A column that refers to a condition which finds nothing is NULL; where that may not be, all of it is refused.
    Raises IntegrityError then."""
    fact = _row(happening)
    parts, values = _parts([fact], _wanted([fact]), insertions)
    read = "SELECT id FROM r ORDER BY id" if "r" in parts else "SELECT NULL WHERE false"
    rows = _run(
        f"WITH condition AS ({condition.sql}), {_withs(parts)} {read}",
        [*condition.values, *values],
        often=_are_few([fact], insertions),
    )
    _relay_after_commit([key for (key,) in rows])


def _record(happenings: Sequence[Happening], insertions: Sequence[Insertion] = ()) -> list[Fact]:
    facts = [_row(happening) for happening in happenings]
    _relay_after_commit(_write(facts, _wanted(facts), insertions))
    return facts


def _wanted(facts: Sequence[Fact]) -> list[tuple[Fact, str]]:
    table = reactions(worlds.current())
    return [(fact, key) for fact in facts for key in table.get(fact.name, {})]


# Written out, since every change of anything comes through here and `bulk_create` builds its SQL each time.
_FACTS = """
INSERT INTO outbox_fact
    (code, name, at, recorded_at, subjects, sequence, actor_kind, actor, source, seller_code, world, data)
VALUES {facts} RETURNING id, code, transaction, recorded_at
"""
_FACT = "(%s, %s, %s::timestamptz, clock_timestamp(), %s::varchar(80)[], %s, %s, %s, %s, %s, %s, %s::jsonb)"
# Workers work by the real clock, by which a sandbox's facts have only when they were recorded.
_REACTIONS = """
INSERT INTO outbox_reaction (fact_id, key, next_attempt_at, attempts, last_error)
SELECT f.id, w.key, coalesce(w.at, f.recorded_at) + %s::interval, 0, ''
FROM (VALUES {reactions}) AS w (place, code, key, at) JOIN f ON f.code = w.code ORDER BY w.place
RETURNING id
"""
_REACTION = "(%s::int, %s, %s, %s::timestamptz)"


def _write(
    facts: Sequence[Fact], wanted: Sequence[tuple[Fact, str]], insertions: Sequence[Insertion] = ()
) -> list[int]:
    """Write the insertions, the facts and what follows from those, in one statement; the keys of the reactions, in the
    order in which they are wanted."""
    parts, values = _parts(facts, wanted, insertions)
    told = "SELECT 'f', id, code, transaction, recorded_at FROM f"
    keys_of = "".join(
        f" UNION ALL SELECT '{name}', id, NULL, NULL, NULL FROM {name}"  # noqa: S608 -- names of ours
        for name in parts
        if name != "f"
    )
    rows = _run(f"WITH {_withs(parts)} {told}{keys_of}", values, often=_are_few(facts, insertions))
    _note_facts(facts, rows)
    keys: dict[str, list[int]] = {name: [] for name in parts}
    for name, key, *_of_facts in rows:
        keys[name].append(key)
    for insertion in insertions:
        insertion.into.keyed(insertion.rows, sorted(keys[insertion.name]))
    return sorted(keys.get("r", []))


def _parts(
    facts: Sequence[Fact], wanted: Sequence[tuple[Fact, str]], insertions: Sequence[Insertion]
) -> tuple[dict[str, str], list[Any]]:
    """The parts of a statement by their names, and the values of all: the facts are `f`, what follows from them `r`."""
    parts: dict[str, str] = {}
    values: list[Any] = []
    for insertion in insertions:
        parts[insertion.name], held = insertion.into.part(insertion.rows)
        values += held
    parts["f"] = _FACTS.format(facts=", ".join([_FACT] * len(facts)))
    values += [each for fact in facts for each in _values(fact)]
    if wanted:
        parts["r"] = _REACTIONS.format(reactions=", ".join([_REACTION] * len(wanted)))
        values.append(limits.RELAY_GRACE)
        for place, (fact, key) in enumerate(wanted):
            values += [place, fact.code, key, fact.at.isoformat() if fact.live_mode else None]
    return parts, values


def _withs(parts: Mapping[str, str]) -> str:
    return ", ".join(f"{name} AS ({sql})" for name, sql in parts.items())


def _are_few(facts: Sequence[Fact], insertions: Sequence[Insertion]) -> bool:
    """Each number of rows is a statement of its own, of which the server is not to keep many."""
    return max(len(facts), *(len(insertion.rows) for insertion in insertions), 0) <= FEW


def _run(statement: str, values: Sequence[Any], *, often: bool = True) -> list[tuple[Any, ...]]:
    """Its rows; the server keeps a statement that comes often in the same words."""
    # Itself, since what stands for it looks for it each time.
    here = connections[DEFAULT_DB_ALIAS]
    with here.cursor() as cursor:
        cursor.execute(call_of(statement) if often else statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _note_facts(facts: Sequence[Fact], rows: Sequence[tuple[Any, ...]]) -> None:
    alias = connection.alias
    written = {code: (key, transaction, at) for _name, key, code, transaction, at in rows if code is not None}
    for fact in facts:
        fact.pk, fact.transaction, fact.recorded_at = written[fact.code]
        # As a model's own save leaves it.
        fact._state.adding, fact._state.db = False, alias  # noqa: SLF001


def _values(fact: Fact) -> tuple[Any, ...]:
    who = (str.__str__(fact.actor_kind), fact.actor, fact.source, fact.seller_code, fact.world)
    return (
        fact.code,
        fact.name,
        fact.at.isoformat(),
        fact.subjects,
        fact.sequence,
        *who,
        jsontext.dumps(fact.data).decode(),
    )


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
