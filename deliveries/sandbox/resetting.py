"""Empty a sandbox, so that a rehearsal begins as the one before did."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import Any

from django.core.files.storage import default_storage
from django.db import models, transaction
from django.db.models import F

from deliveries.models import (
    Attempt,
    Consignment,
    CounterProof,
    Handover,
    Incident,
    Manifest,
    Order,
    Parcel,
    ProofOfDelivery,
    Quote,
    RobotStep,
    Scan,
    Slot,
    SlotHold,
    Stop,
)
from deliveries.sandbox import playing
from drivers.models import Driver, Position, Vehicle
from retaildelivery.accounts.models import User
from retaildelivery.outbox import worlds
from retaildelivery.outbox.models import Fact, Message, Reaction
from stores import locks
from stores.models import Sandbox, WebhookAttempt, WebhookMessage

# Whoever points at somebody goes before them. Keys and endpoints stay.
WHOSE: list[tuple[type[models.Model], str]] = [
    (WebhookAttempt, "message__endpoint__world"),
    (WebhookMessage, "endpoint__world"),
    (Reaction, "fact__world"),
    (Fact, "world"),
    (Message, "world"),
    (RobotStep, "world"),
    (Incident, "world"),
    (Attempt, "world"),
    (ProofOfDelivery, "world"),
    (CounterProof, "world"),
    (Scan, "world"),
    (Handover, "world"),
    (Consignment, "world"),
    (SlotHold, "world"),
    (Parcel, "world"),
    (Order, "world"),
    (Quote, "world"),
    (Slot, "world"),
    (Stop, "world"),
    (Manifest, "world"),
    (Position, "driver__world"),
    (Vehicle, "driver__world"),
]


@transaction.atomic(durable=True)
def reset(*, sandbox: Sandbox, seed: str, stopped_at: dt.datetime | None) -> Sandbox:
    """Forget all that was done in this sandbox, and begin anew with this seed: with the clock standing at `stopped_at`,
    or running by the real one. The same requests then give the same codes. Raises ClockOutOfRange."""
    if stopped_at is not None:
        playing.check_range(stopped_at)
    assert worlds.current() == sandbox.pk != worlds.LIVE, "Only a sandbox is emptied, and only from inside."
    locks.seller(sandbox.seller_id)
    pictures = _pictures()
    for name in pictures:
        transaction.on_commit(partial(default_storage.delete, name), robust=True)
    Quote.objects.update(hold=None)
    for model, lookup in WHOSE:
        _forget(model, {lookup: sandbox.pk})
    people = list(Driver.objects.values_list("user_id", flat=True))
    _forget(Driver, {"world": sandbox.pk})
    _forget(User, {"pk__in": people})
    Sandbox.objects.filter(pk=sandbox.pk).update(
        seed=seed,
        writes=0,
        resets=F("resets") + 1,
        stopped_at=stopped_at,
        ahead=dt.timedelta(0),
        playing_until=None,
    )
    sandbox.refresh_from_db()
    return sandbox


def _pictures() -> list[str]:
    """Names of all photos and signatures of this world, in storage."""
    shown = [
        *ProofOfDelivery.objects.values_list("photo", "signature"),
        *Attempt.objects.values_list("photo"),
    ]
    return [name for row in shown for name in row if name]


def _forget(model: type[models.Model], whose: dict[str, Any]) -> None:
    rows = model._base_manager.filter(**whose)  # noqa: SLF001 -- a row that is left over would hold up the next
    rows._raw_delete(rows.db)  # type: ignore[attr-defined]  # noqa: SLF001 -- in the order above nothing is left to cascade
