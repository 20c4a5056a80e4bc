"""Change an order that was posted, as far as its state still lets it be changed, and set its tip."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from deliveries import drafts, facts, filling, limits, repacking
from deliveries.drafts import DraftInvalid, FieldError, OrderDraft, ParcelDraft
from deliveries.models import Order
from deliveries.models.order import OrderQuerySet
from deliveries.posting import OrderNotChangeable, TipAlreadyChanged, locked, new_pin, patiently
from retaildelivery.outbox.recording import Actor

# Who receives it and how may be mended as long as it is under way; where, when, for how much and what is asked for at
# its legs only while the order waits, since blocks are planned and priced on that, and drivers have seen it.
ALWAYS = {
    "recipient_name",
    "recipient_phone",
    "recipient_email",
    "recipient_locale",
    "instructions",
    "aside",
}
REQUIREMENTS = {
    "requires_photo",
    "requires_signature",
    "requires_pin",
    "pin_kind",
    "own_pin",
    "minimum_age",
    *filling.LEGS,
}
# Often it is only the packing that tells which carton, and so which barcode; no driver has read it until then.
WHILE_HELD = {"barcodes"}
# What is carried: until it is packed, in as many parcels as it takes.
WHILE_UNPACKED = {"items", "parcels"}
WHILE_WAITING = {
    *REQUIREMENTS,
    "window_start",
    "window_end",
    "ready_at",
    "address",
    "declared_value_cents",
    "undeliverable",
}


@patiently
@transaction.atomic(durable=True)
def revise(
    *, order_code: str, scope: OrderQuerySet, changes: Mapping[str, Any], actor: Actor, at: dt.datetime
) -> Order:
    """Change an order. `changes` names fields of OrderDraft: the recipient's and the instructions until it has ended;
    window, ready_at, address, value, requirements and what to do if undeliverable only while it waits to be planned;
    `barcodes`, by number of the parcel, while the store holds it; items and parcels until they are packed.
    A PIN that follows from what changed is a new one.

    Raises OrderNotFound, OrderNotChangeable, DraftInvalid.
    """
    order = locked(scope, order_code)
    _revise(order, changes, actor=actor, at=at)
    return order


@patiently
@transaction.atomic(durable=True)
def revise_and_tip(
    *,
    order_code: str,
    scope: OrderQuerySet,
    changes: Mapping[str, Any],
    tip_cents: int | None,
    actor: Actor,
    at: dt.datetime,
) -> Order:
    """`revise` where there are changes, and `tip` where there is one: both or neither. Raises what those raise."""
    order = locked(scope, order_code)
    if changes:
        _revise(order, changes, actor=actor, at=at)
    if tip_cents is not None:
        _tip(order, tip_cents, actor=actor, at=at)
    return order


def _revise(order: Order, changes: Mapping[str, Any], *, actor: Actor, at: dt.datetime) -> None:
    unknown = set(changes) - ALWAYS - WHILE_WAITING - WHILE_HELD - WHILE_UNPACKED
    if unknown:
        raise DraftInvalid(
            [
                FieldError(name, "not_changeable", str(_("This cannot be changed.")))
                for name in sorted(unknown)
            ]
        )
    if set(changes) & WHILE_UNPACKED:
        repacking.refuse_once_packed(order)
    if order.has_ended or (set(changes) & WHILE_WAITING and order.status != Order.Status.PLACED):
        raise OrderNotChangeable(reason=order.status, status=order.get_status_display())
    if set(changes) & WHILE_HELD and order.status not in Order.BEFORE_CUSTODY:
        raise OrderNotChangeable(reason=order.status, status=order.get_status_display())
    before = filling.draft_of(order)
    said = {name: value for name, value in changes.items() if name not in WHILE_HELD}
    draft = dataclasses.replace(before, **said)
    draft = dataclasses.replace(draft, parcels=_marked(draft, changes.get("barcodes", {})))
    if set(changes) & (WHILE_WAITING | WHILE_UNPACKED):
        draft = drafts.check(draft, store=order.store, at=at)
    else:
        draft = drafts.check_under_way(draft)
    filling.take_from(order, draft, at=at)
    if _pin_follows_from(draft) != _pin_follows_from(before):
        order.pin_kind = draft.pin_kind
        order.pin = new_pin(draft) if draft.requires_pin else ""
    if draft.parcels != before.parcels:
        repacking.repack(order, draft.parcels)
    if (draft.address, _sizes(draft)) != (before.address, _sizes(before)):
        filling.price(order, _sizes(draft), at=at)
    order.save(update_fields=_REVISED)
    facts.tell("order.updated", order, at=at, actor=actor, changed=sorted(changes))


def _sizes(draft: OrderDraft) -> list[str]:
    return [parcel.size for parcel in draft.parcels]


def _marked(before: OrderDraft, marks: Mapping[int, tuple[str, ...]]) -> tuple[ParcelDraft, ...]:
    """The parcels with these barcodes, by their numbers; the others as they are. Raises DraftInvalid."""
    strange = [number for number in marks if not 1 <= number <= len(before.parcels)]
    if strange:
        raise DraftInvalid([FieldError("parcels", "unknown_parcel", str(_("There is no such parcel.")))])
    return tuple(
        dataclasses.replace(parcel, barcodes=marks.get(number, parcel.barcodes))
        for number, parcel in enumerate(before.parcels, start=1)
    )


def _pin_follows_from(draft: OrderDraft) -> tuple[object, ...]:
    by_phone = draft.pin_kind == Order.PinKind.PHONE
    return draft.requires_pin, draft.pin_kind, draft.own_pin, by_phone and draft.recipient_phone


_REVISED = [
    "window", "ready_at", "recipient_name", "recipient_phone", "recipient_email", "recipient_locale",
    "address_line1", "address_line2", "city", "region", "postal_code", "country", "latitude", "longitude", "located_by",
    "instructions", "undeliverable", "declared_value_cents", "distance_m", "fee_cents", "fee_policy", "aside", "items",
    "requires_photo", "requires_signature", "requires_pin", "minimum_age", "pin_kind", "pin", *filling.LEGS,
]  # fmt: skip


@patiently
@transaction.atomic(durable=True)
def tip(*, order_code: str, scope: OrderQuerySet, cents: int, actor: Actor, at: dt.datetime) -> Order:
    """Set the driver's tip: freely while the store holds the order, only upwards after that, once after the delivery.

    Raises OrderNotFound, OrderNotChangeable, TipAlreadyChanged, DraftInvalid for an amount out of bounds.
    """
    order = locked(scope, order_code)
    _tip(order, cents, actor=actor, at=at)
    return order


def _tip(order: Order, cents: int, *, actor: Actor, at: dt.datetime) -> None:
    if not 0 <= cents <= limits.TIP_CENTS:
        message = _("Between 0 and $%(most)d.") % {"most": limits.TIP_CENTS // 100}
        raise DraftInvalid([FieldError("tip_cents", "out_of_bounds", str(message))])
    if cents == order.tip_cents:
        return
    lowered = cents < order.tip_cents and order.status not in Order.BEFORE_CUSTODY
    if lowered or (order.has_ended and order.status != Order.Status.DELIVERED):
        raise OrderNotChangeable(field="tip_cents", reason=order.status, status=order.get_status_display())
    if order.status == Order.Status.DELIVERED:
        if order.tipped_after_at is not None:
            raise TipAlreadyChanged(field="tip_cents")
        order.tipped_after_at = at
    before, order.tip_cents = order.tip_cents, cents
    order.save(update_fields=["tip_cents", "tipped_after_at"])
    facts.tell("order.tipped", order, at=at, actor=actor, before_cents=before)
