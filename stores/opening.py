"""When a store takes orders: its hours, how long it packs, and a pause."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import ClassVar

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox import recording
from retaildelivery.outbox.recording import Actor
from stores import facts
from stores.models import Store, StoreHours

Opening = tuple[dt.time, dt.time]


class StoreUnknown(Refused):
    code: ClassVar[str] = "not_found"
    sentence: ClassVar[object] = _("There is no such store, or it is not yours.")


def _store(scope: QuerySet[Store], code: str) -> Store:
    store = scope.select_related("seller", "mall").filter(code=code).first()
    if store is None:
        raise StoreUnknown
    return store


@transaction.atomic(durable=True)
def pause(
    *, store_code: str, scope: QuerySet[Store], until: dt.datetime, actor: Actor, at: dt.datetime
) -> Store:
    """Take no orders until then. Those already posted go on."""
    store = _store(scope, store_code)
    store.paused_until = until
    store.save(update_fields=["paused_until"])
    recording.record(facts.store_paused(store, at=at, actor=actor))
    return store


@transaction.atomic(durable=True)
def resume(*, store_code: str, scope: QuerySet[Store], actor: Actor, at: dt.datetime) -> Store:
    """Take orders again. Harmless when the store was not paused."""
    store = _store(scope, store_code)
    if store.paused_until is not None:
        store.paused_until = None
        store.save(update_fields=["paused_until"])
        recording.record(facts.store_resumed(store, at=at, actor=actor))
    return store


@transaction.atomic(durable=True)
def describe(
    *,
    store_code: str,
    scope: QuerySet[Store],
    prep_minutes: int,
    pickup_note: str,
    phone: str,
    actor: Actor,
    at: dt.datetime,
) -> Store:
    """Change what drivers and the planner are told of the counter; records only what really changed."""
    store = _store(scope, store_code)
    wanted: dict[str, object] = {"prep_minutes": prep_minutes, "pickup_note": pickup_note, "phone": phone}
    changes = {name: value for name, value in wanted.items() if getattr(store, name) != value}
    if changes:
        for name, value in changes.items():
            setattr(store, name, value)
        store.save(update_fields=list(changes))
        recording.record(facts.store_changed(store, at=at, actor=actor, changes=changes))
    return store


@transaction.atomic(durable=True)
def set_hours(
    *,
    store_code: str,
    scope: QuerySet[Store],
    week: Mapping[int, Opening | None],
    actor: Actor,
    at: dt.datetime,
) -> Store:
    """The store's week, 0 for Monday, in the mall's local time; None is a day it is closed. A week without
    any opening means the mall's hours."""
    store = _store(scope, store_code)
    StoreHours.objects.filter(store=store).delete()
    StoreHours.objects.bulk_create(
        StoreHours(store=store, weekday=day, opens=opening[0], closes=opening[1])
        for day, opening in sorted(week.items())
        if opening is not None
    )
    shown = {
        str(day): [o.isoformat("minutes") for o in opening]
        for day, opening in week.items()
        if opening is not None
    }
    recording.record(facts.store_changed(store, at=at, actor=actor, changes={"hours": shown}))
    return store
