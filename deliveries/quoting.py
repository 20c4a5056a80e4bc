"""Hold a price for a while, and post an order at the price that was held."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter
from collections.abc import Iterator
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from deliveries import drafts, filling, limits, locks, posting, serviceability, slots
from deliveries.charging import sentence
from deliveries.drafts import AddressDraft, FieldError, ItemDraft, OrderDraft, ParcelDraft
from deliveries.models import Order, Quote, SlotHold
from deliveries.models.quote import QuoteQuerySet
from deliveries.snapshots import moment
from retaildelivery.accounts.models import User
from retaildelivery.lib import codes
from retaildelivery.lib.geo import Point, within
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox.recording import Actor
from stores.models import Store


class QuotingRefused(Refused):
    """Base of what can be said against a quote or an order from one."""

    code: ClassVar[str] = "quoting_refused"


class CannotDeliver(QuotingRefused):
    """The question was a good one; the answer is no. `errors` names each reason."""

    code = "cannot_deliver"
    sentence = _("This cannot be delivered as asked.")

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__(reason=errors[0].code)
        self.errors = errors


class LocationUnknown(QuotingRefused):
    code = "location_unknown"
    sentence = _("Nobody knows where this door is. Give latitude and longitude.")


class NoPrices(QuotingRefused):
    code = "no_prices"
    sentence = _("This market has no prices for that day.")


class QuoteNotFound(QuotingRefused):
    code = "quote_not_found"
    sentence = _("There is no such quote here.")


class QuoteExpired(QuotingRefused):
    code = "quote_expired"
    sentence = _("This quote held until %(until)s. Ask for a new one.")


class QuoteUsed(QuotingRefused):
    code = "quote_used"
    sentence = _("Order %(order)s was posted from this quote already.")


class QuoteMismatch(QuotingRefused):
    code = "quote_mismatch"
    sentence = _("The quote was for something else here. Leave it out, or ask for a new quote.")


# What a question without a recipient is checked with.
SOMEBODY: dict[str, Any] = {"recipient_name": "-", "recipient_phone": "+17025550100"}


@transaction.atomic(durable=True)
def quote(
    *, store: Store, draft: OrderDraft, at: dt.datetime, slot_code: str = "", promised: bool = False
) -> Quote:
    """Hold the price of this delivery until it expires, and with `slot_code` a place in that slot, whose window it
    has then. Who receives it may be left empty.

    Raises DraftInvalid for fields at fault, CannotDeliver with every reason, LocationUnknown, NoPrices, and what
    booking a slot raises.
    """
    held = None
    if slot_code:
        held = slots.take(slot_code=slot_code, store=store, expires_at=at + limits.QUOTE_HELD, at=at)
        window = held.slot.window
        draft = dataclasses.replace(draft, window_start=window.lower, window_end=window.upper)
    full = draft if draft.recipient_name else dataclasses.replace(draft, **SOMEBODY)
    checked = drafts.check(full, store=store, at=at)
    if checked.address.point is None:
        raise LocationUnknown(field="dropoff")
    against = serviceability.reasons(full, store=store, at=at)
    if against:
        raise CannotDeliver(against)
    price = serviceability.price(checked, store=store, at=at, slot_cents=held.price_cents if held else 0)
    if price is None:
        raise NoPrices
    when = serviceability.estimate(checked, store=store, at=at)
    said = checked if draft.recipient_name else dataclasses.replace(
        checked, recipient_name="", recipient_phone=""
    )  # fmt: skip
    return Quote.objects.create(
        store=store,
        seller_scope=store.seller_id,
        created_at=at,
        expires_at=at + limits.QUOTE_HELD,
        said=to_json(said),
        distance_m=price.distance_m,
        fee_policy=price.policy,
        fee_cents=price.cents,
        lines=[
            {"kind": str(line.kind), "cents": line.cents, "text": sentence(line), "rule": line.rule}
            for line in price.lines
        ],
        slot_cents=held.price_cents if held else 0,
        hold=held,
        promised=promised,
        pickup_at=when.pickup_at,
        dropoff_at=when.dropoff_at,
    )


def accept(
    *,
    quote_code: str,
    scope: QuoteQuerySet,
    draft: OrderDraft | None = None,
    actor: Actor,
    at: dt.datetime,
    placed_by: User | None = None,
) -> Order:
    """Post the order that was quoted, at the price that was held; `draft` None means exactly as it was asked for.

    A repeat with the same external id gives the first order. Raises QuoteNotFound, QuoteExpired, QuoteUsed,
    QuoteMismatch naming the field, and what posting raises.
    """
    found = find(scope, quote_code)
    return posting.post(
        store=found.store,
        draft=draft or draft_of(found),
        actor=actor,
        at=at,
        placed_by=placed_by,
        terms=lambda order: _redeem(order, quote=found, draft=draft, at=at),
        afterwards=lambda order: _take_place(found.hold, order, at=at),
    )


def _take_place(held: SlotHold | None, order: Order, *, at: dt.datetime) -> None:
    if held is not None:
        slots.confirm(held=held, order=order, at=at)


def post_into_slot(
    *,
    hold_code: str,
    scope: QuerySet[SlotHold],
    draft: OrderDraft,
    actor: Actor,
    at: dt.datetime,
    placed_by: User | None = None,
) -> Order:
    """Post an order into a place that was held: its window is the slot's, and the slot's price is part of its fee.

    A repeat with the same external id gives the first order. Raises HoldUnknown, HoldExpired, HoldUsed, and what
    posting raises.
    """
    held = slots.find(scope, hold_code)
    store = Store.objects.select_related("seller", "mall__market").get(pk=held.store_id)
    window = held.slot.window
    draft = dataclasses.replace(draft, window_start=window.lower, window_end=window.upper)

    def terms(order: Order) -> None:
        slots.lock_live(held, at=at)
        order.slot_cents = held.price_cents
        filling.price(order, [parcel.size for parcel in draft.parcels], at=at)

    return posting.post(
        store=store,
        draft=draft,
        actor=actor,
        at=at,
        placed_by=placed_by,
        terms=terms,
        afterwards=lambda order: _take_place(held, order, at=at),
    )


@transaction.atomic(durable=True)
def forget_unused(*, at: dt.datetime) -> int:
    """Quotes that nobody used and nobody asks about any more; how many that were. Promises stay for their report."""
    old = Quote.objects.filter(used_at=None, promised=False, expires_at__lte=at - limits.QUOTE_KEPT)
    return Quote.objects.filter(
        pk__in=list(old.values_list("pk", flat=True)[: limits.SWEEP_QUOTES])
    ).delete()[0]


def find(scope: QuoteQuerySet, code: str) -> Quote:
    """Raises QuoteNotFound."""
    found = (
        scope.select_related("store__seller", "store__mall__market", "hold__slot")
        .filter(code=codes.normalise(code))
        .first()
    )
    if found is None:
        raise QuoteNotFound(field="quote")
    return found


def _redeem(order: Order, *, quote: Quote, draft: OrderDraft | None, at: dt.datetime) -> None:
    """Inside the transaction of its order: take the price from the quote, which is then used."""
    held = locks.quote(quote.pk)
    if held.used_at is not None:
        first = Order.objects.filter(quote=held).values_list("code", flat=True).first() or ""
        raise QuoteUsed(field="quote", reason=first, order=first)
    if held.has_expired(at):
        until = held.expires_at.astimezone(quote.store.mall.zone)
        raise QuoteExpired(field="quote", reason=str(moment(held.expires_at)), until=f"{until:%H:%M}")
    if draft is not None:
        other = next(_differences(draft_of(held), drafts.tidy(draft)), None)
        if other is not None:
            raise QuoteMismatch(field=other, reason=other)
    order.quote = held
    order.distance_m = held.distance_m
    order.fee_policy = held.fee_policy
    order.fee_cents = held.fee_cents
    order.slot_cents = held.slot_cents
    held.used_at = at
    held.save(update_fields=["used_at"])


def _differences(quoted: OrderDraft, wanted: OrderDraft) -> Iterator[str]:
    """Paths of the fields that the price or the promise hangs on and that are otherwise than quoted."""
    for name in ("line1", "city", "region", "postal_code", "country"):
        if getattr(quoted.address, name) != getattr(wanted.address, name):
            yield f"dropoff.{name}"
    before, now = quoted.address.point, wanted.address.point
    if now is not None and before is not None and not within(before, limits.QUOTE_DOOR_M, now):
        yield "dropoff"
    if wanted.window_start != quoted.window_start:
        yield "window.start"
    if wanted.window_end != quoted.window_end:
        yield "window.end"
    if Counter(p.size for p in quoted.parcels) != Counter(p.size for p in wanted.parcels):
        yield "parcels"


# -- A draft as it is kept ---------------------------------------------------------------------------------------


def to_json(draft: OrderDraft) -> dict[str, Any]:
    """The draft as plain JSON; `draft_of` reads it back."""
    said = dataclasses.asdict(draft)
    for name in MOMENTS:
        said[name] = None if said[name] is None else said[name].isoformat()
    return said


def draft_of(quote: Quote) -> OrderDraft:
    """What the quote was asked for, as a draft."""
    said = dict(quote.said)
    point = said["address"].get("point")
    for name in MOMENTS:
        said[name] = None if said[name] is None else parse_datetime(said[name])
    said["address"] = AddressDraft(**said["address"] | {"point": Point(**point) if point else None})
    said["items"] = tuple(ItemDraft(**item) for item in said.get("items", ()))
    said["parcels"] = tuple(
        ParcelDraft(**parcel | {"barcodes": tuple(parcel.get("barcodes", ()))}) for parcel in said["parcels"]
    )
    return OrderDraft(**said)


MOMENTS = ("ready_at", "window_start", "window_end")
