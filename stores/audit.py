"""The log of a seller: every change of theirs, by whom and from where. It is read from the facts, which nobody can
change."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import QuerySet

from retaildelivery.outbox.models import Fact
from stores.models import Seller

# What an entry shows of a fact's data beside its subjects; whole orders are in the feed of events.
SHOWN = (
    "changes",
    "prefix",
    "scopes",
    "networks",
    "endpoint",
    "url",
    "email",
    "role",
    "until",
    "reason",
    "messages",
)


def of(seller: Seller) -> QuerySet[Fact]:
    """All facts that name this seller."""
    return Fact.objects.about(f"seller:{seller.code}")  # type: ignore[attr-defined, no-any-return]


def between(
    facts: QuerySet[Fact], *, since: dt.datetime | None = None, until: dt.datetime | None = None
) -> QuerySet[Fact]:
    """Those in [since, until)."""
    facts = facts if since is None else facts.filter(at__gte=since)
    return facts if until is None else facts.filter(at__lt=until)


def entry(fact: Fact) -> dict[str, Any]:
    """Who did what, to what, when, and from where."""
    subjects = [subject for subject in fact.subjects if not subject.startswith(("seller:", "mall:"))]
    return {
        "id": fact.code,
        "at": fact.at,
        "what": fact.name,
        "subjects": subjects,
        "actor_kind": fact.actor_kind,
        "actor": fact.actor,
        "source": fact.source,
        "details": {name: fact.data[name] for name in SHOWN if fact.data.get(name) not in (None, "", [])},
    }
