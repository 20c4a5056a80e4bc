"""Post an order, and take it back while the store still holds every parcel."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import hashlib
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, ParamSpec, TypeVar

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from deliveries import completion, drafts, facts, filling, geocoding, limits, locks, manifests, moves, slots
from deliveries.drafts import DraftInvalid, FieldError, OrderDraft
from deliveries.fees import FeeTerms
from deliveries.models import Consignment, FeePolicy, Order, Parcel
from deliveries.models.order import OrderQuerySet
from deliveries.snapshots import live_consignment, parcels_of
from retaildelivery import clashes
from retaildelivery.accounts.models import User
from retaildelivery.lib import codes, jsontext
from retaildelivery.lib.geo import Point, within
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox import recording
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import Actor, Condition, Insertion
from retaildelivery.prepared import Blank, Given, Prepared, PreparedInsert
from stores.models import Store

P = ParamSpec("P")
R = TypeVar("R")
Terms = Callable[[Order], None]


class PostingRefused(Refused):
    """Base of what can be said against posting or changing an order."""

    code: ClassVar[str] = "posting_refused"


class ExternalIdTaken(PostingRefused):
    code = "external_id_taken"
    sentence = _("Order %(first)s already has this number, with other contents.")


class OrderNotFound(PostingRefused):
    code = "order_not_found"
    sentence = _("There is no such order here.")


class OrderNotChangeable(PostingRefused):
    code = "order_not_changeable"
    sentence = _("The order is %(status)s; this can no longer be changed.")


class CancelNotAllowed(PostingRefused):
    code = "cancel_not_allowed"
    sentence = _("The order is %(status)s; it can no longer be cancelled.")


class TipAlreadyChanged(PostingRefused):
    code = "tip_already_changed"
    sentence = _("The tip was changed once after the delivery; that is how often it can be.")


class NotServiceable(PostingRefused):
    code = "not_serviceable"
    sentence = _("This door is farther from the mall than we deliver.")


class Busy(PostingRefused):
    code = "busy"
    sentence = _("Somebody else is changing this order. Try again.")
    retryable = True


class OutOfDate(Exception):
    """What an order was made from is no longer so."""


def patiently(verb: Callable[P, R]) -> Callable[P, R]:
    """Run the verb again when the order was put on, or taken off, a manifest while we waited for its lock."""

    def again(*args: P.args, **kwargs: P.kwargs) -> R:
        for _turn in range(limits.LOCK_TURNS):
            try:
                return verb(*args, **kwargs)
            except locks.Moved:
                continue
        raise Busy

    again.__name__, again.__doc__, again.__wrapped__ = verb.__name__, verb.__doc__, verb  # type: ignore[attr-defined]
    return again


# -- Posting -------------------------------------------------------------------------------------------------


def post(
    *,
    store: Store,
    draft: OrderDraft,
    actor: Actor,
    at: dt.datetime,
    placed_by: User | None = None,
    terms: Terms | None = None,
    afterwards: Terms | None = None,
) -> Order:
    """Post an order with its parcels and its price. The same external id with the same contents gives the order
    that was posted first, with ``was_posted_before`` True.

    `terms`, when given, sets the price in the transaction of the order, in place of the market's list, and
    `afterwards` is called there with the order once it is written: inner verbs that may refuse. Raises DraftInvalid,
    ExternalIdTaken, and whatever those raise.
    """
    draft = drafts.tidy(draft)
    digest = _digest(draft, store)
    try:
        return _post(
            store=store,
            draft=drafts.check_tidy(draft, store=store, at=at),
            digest=digest,
            actor=actor,
            at=at,
            placed_by=placed_by,
            terms=terms,
            afterwards=afterwards,
        )
    except (Refused, IntegrityError) as refusal:
        if isinstance(refusal, IntegrityError) and "one_order_per_seller_and_external_id" not in str(refusal):
            raise
        # Nearly every number is new, so whether an order has it already is asked once something is in the way: the
        # constraint on it, or what was true when that order was posted and is no longer.
        before = _posted_before(store, draft.external_id.strip(), digest)
        if before is None:
            raise
        return before


def digest_of(draft: OrderDraft, store: Store) -> str:
    """SHA-256 over what the caller said; a place that we looked up ourselves is not part of it."""
    return _digest(drafts.tidy(draft), store)


def _digest(tidy: OrderDraft, store: Store) -> str:
    said = {**_said(tidy), "store": store.code, "address": _said(tidy.address)}
    if tidy.address.located_by != "given":
        said["address"]["point"] = None
    said["address"].pop("located_by")
    return hashlib.sha256(jsontext.dumps(said, sort_keys=True, default=_said)).hexdigest()


def _said(value: Any) -> Any:
    """A part of a draft by its fields, as `dataclasses.asdict` without its copies; anything else as text."""
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return str(value)


_NUMBERED = Prepared(
    lambda: Order.objects.filter(external_scope=Given("seller"), external_id=Given("number")).only(
        "code", "request_digest"
    )
)


def _posted_before(store: Store, external_id: str, digest: str) -> Order | None:
    if not external_id or drafts.text_error("external_id", external_id, most=80) is not None:
        return None
    first = _NUMBERED.one(seller=store.seller_id, number=external_id)
    if first is None:
        return None
    if first.request_digest != digest:
        raise ExternalIdTaken(field="external_id", reason=first.code, first=first.code)
    order = Order.objects.select_related(
        "store__seller", "store__mall__market", "quote", "redelivery_of"
    ).get(pk=first.pk)
    order.was_posted_before = True  # type: ignore[attr-defined]
    return order


@clashes.drawn_anew
def _post(
    *,
    store: Store,
    draft: OrderDraft,
    digest: str,
    actor: Actor,
    at: dt.datetime,
    placed_by: User | None,
    terms: Terms | None,
    afterwards: Terms | None,
) -> Order:
    order = built(store, draft, digest, at=at, placed_by=placed_by)
    looked_up = draft.address.located_by in {"geocoder", "pin"}
    # What is written of an order alone is one statement, which is a transaction by itself.
    alone = terms is None and afterwards is None and not looked_up and transaction.get_autocommit()
    with contextlib.nullcontext() if alone else transaction.atomic(durable=True):
        if terms is None:
            filling.price(order, [parcel.size for parcel in draft.parcels], at=at)
        else:
            terms(order)
        write_and_tell(order, at=at, actor=actor)
        if afterwards is not None:
            afterwards(order)
        if looked_up:
            geocoding.remember(order, source=draft.address.located_by)
    return order


@clashes.drawn_anew
def post_if(
    condition: Condition,
    *,
    store: Store,
    policy: FeePolicy | None,
    terms: FeeTerms | None,
    draft: OrderDraft,
    actor: Actor,
    at: dt.datetime,
) -> dict[str, Any]:
    """`post`, from a store and by the policy and its terms as they were read before, outside a transaction: `condition`
    finds the store when all is still as it was read. Gives the order as it is shown.

    Raises OutOfDate when something is no longer so, DraftInvalid, and IntegrityError for an external id that an order
    has already."""
    draft = drafts.check_tidy(drafts.tidy(draft), store=store, at=at)
    order = built(store, draft, _digest(draft, store), at=at)
    filling.price_by(policy, order, [parcel.size for parcel in draft.parcels], terms=terms)
    told = facts.placed([order], at=at, actor=actor)[0]
    try:
        recording.record_if(condition, _insertions(order, _ORDERS_IF), told)
    except IntegrityError as failure:
        if getattr(getattr(failure.__cause__, "diag", None), "column_name", None) == "store_id":
            raise OutOfDate from failure
        raise
    shown: dict[str, Any] = told.data["order"]
    return shown


_LATER = (
    *("status", "pin_failures", "recipient_note", "tipped_after_at", "redelivery_of", "quote", "slot_cents"),
    *("picked_up_at", "near_at", "delivered_at", "failed_at", "returned_at", "lost_at", "disposed_at"),
    *("cancelled_at", "cancelled_by", "cancel_reason", "cancel_note"),
)
_LATER_OF_A_PARCEL = ("status", "custodian", "driver")
_ORDERS, _PARCELS = PreparedInsert(Order, later=_LATER), PreparedInsert(Parcel, later=_LATER_OF_A_PARCEL)
_ORDERS_IF = PreparedInsert(Order, later=_LATER, store="(SELECT id FROM condition)")
_PARCELS_OF_IT = PreparedInsert(Parcel, later=_LATER_OF_A_PARCEL, order="(SELECT id FROM placed)")
_ORDER, _PARCEL = Blank(Order), Blank(Parcel)


def write(orders: Sequence[Order]) -> None:
    """Insert orders that were just built, and their parcels."""
    _ORDERS.run(orders)
    _PARCELS.run([parcel for order in orders for parcel in parcels_known(order)])


def write_and_tell(order: Order, *, at: dt.datetime, actor: Actor) -> None:
    """Insert an order that was just built, its parcels and its first fact, in one statement."""
    recording.record_with(_insertions(order, _ORDERS), facts.placed([order], at=at, actor=actor)[0])
    parcels_known(order)


def _insertions(order: Order, orders: PreparedInsert[Order]) -> list[Insertion]:
    parcels: list[Parcel] = order.parcels_known  # type: ignore[attr-defined]
    return [Insertion("placed", orders, [order]), Insertion("packed", _PARCELS_OF_IT, parcels)]


def built(
    store: Store, draft: OrderDraft, digest: str, *, at: dt.datetime, placed_by: User | None = None
) -> Order:
    """The order and its parcels as they will be written, without a price."""
    order = _ORDER.filled(
        store=store,
        external_id=draft.external_id,
        external_scope=store.seller_id,
        sequence=facts.FIRST,
        request_digest=digest,
        placed_at=at,
        placed_by=placed_by,
        pin=new_pin(draft) if draft.requires_pin else "",
        pin_kind=draft.pin_kind,
    )
    filling.take_from(order, draft, at=at)
    order.parcels_known = [  # type: ignore[attr-defined]
        _PARCEL.filled(
            order=order,
            number=number,
            size=parcel.size,
            grams=parcel.grams,
            litres=parcel.litres or Parcel.LITRES[parcel.size],
            description=parcel.description,
            barcodes=list(parcel.barcodes),
        )
        for number, parcel in enumerate(draft.parcels, start=1)
    ]
    order.live_consignments = []  # type: ignore[attr-defined]
    order.was_posted_before = False  # type: ignore[attr-defined]
    return order


def new_pin(draft: OrderDraft) -> str:
    """What the recipient will say at the door."""
    if draft.pin_kind == Order.PinKind.PHONE:
        return draft.recipient_phone[-4:]
    return draft.own_pin if draft.pin_kind == Order.PinKind.OWN else codes.new_digits(4)


def parcels_known(order: Order) -> list[Parcel]:
    """The parcels of an order that was just built, once it has its key."""
    known: list[Parcel] = order.parcels_known  # type: ignore[attr-defined]
    for parcel in known:
        parcel.order = order
    return known


# -- Changing: the rest of it is in `revising` --------------------------------------------------------------


@patiently
@transaction.atomic(durable=True)
def locate(*, order_code: str, scope: OrderQuerySet, point: Point, actor: Actor, at: dt.datetime) -> Order:
    """Say where the door is, by a pin on the map; price the order by it and remember the place.

    Raises OrderNotFound, OrderNotChangeable once planned, NotServiceable beyond the mall's radius.
    """
    order = locked(scope, order_code)
    if order.status != Order.Status.PLACED:
        raise OrderNotChangeable(reason=order.status, status=order.get_status_display())
    mall = order.store.mall
    if not within(mall.point, mall.delivery_radius_m, point):
        raise NotServiceable(field="dropoff")
    filling.place(order, point, "pin")
    filling.price(order, [parcel.size for parcel in parcels_of(order)], at=at)
    order.save(update_fields=["latitude", "longitude", "located_by", "distance_m", "fee_cents", "fee_policy"])
    geocoding.remember(order, source="pin")
    facts.tell("order.located", order, at=at, actor=actor)
    return order


@patiently
@transaction.atomic(durable=True)
def mark_ready(*, order_code: str, scope: OrderQuerySet, actor: Actor, at: dt.datetime) -> Order:
    """The parcels are packed and at the counter; ones that were missing or damaged are in order again.

    A repeat changes nothing. Raises OrderNotFound, OrderNotChangeable once the driver has a parcel.
    """
    order = locked(scope, order_code)
    if order.status not in Order.BEFORE_CUSTODY:
        raise OrderNotChangeable(reason=order.status, status=order.get_status_display())
    waiting = [
        parcel
        for parcel in parcels_of(order)
        if parcel.status in {Parcel.Status.EXPECTED, Parcel.Status.SHORT, Parcel.Status.DAMAGED}
        and parcel.custodian == Parcel.Custodian.STORE
    ]
    if not waiting:
        return order
    for parcel in waiting:
        moves.move_parcel(parcel, Parcel.Status.READY)
    if at < order.ready_at:
        order.ready_at = at
        order.save(update_fields=["ready_at"])
    facts.tell("order.ready", order, at=at, actor=actor)
    return order


@patiently
@transaction.atomic(durable=True)
def cancel(
    *, order_code: str, scope: OrderQuerySet, reason: str, note: str, actor: Actor, at: dt.datetime
) -> Order:
    """Take the order back while the store holds every parcel of it; a repeat changes nothing.

    Raises OrderNotFound, DraftInvalid for a reason we do not know, CancelNotAllowed once custody has passed.
    """
    if reason not in Order.CancelReason.values:
        raise DraftInvalid([FieldError("reason", "invalid", str(_("This is not one of the reasons.")))])
    error = drafts.text_error("note", note, most=200)
    if error:
        raise DraftInvalid([error])
    order = locked(scope, order_code)
    if order.status == Order.Status.CANCELLED:
        return order
    held = any(parcel.custodian != Parcel.Custodian.STORE for parcel in parcels_of(order))
    if order.status not in Order.BEFORE_CUSTODY or held:
        raise CancelNotAllowed(
            reason="picked_up" if held else order.status, status=order.get_status_display()
        )
    place = live_consignment(order)
    moves.move_order(
        order,
        Order.Status.CANCELLED,
        at,
        cancelled_by=actor.kind,
        cancel_reason=reason,
        cancel_note=note,
    )
    if place is not None:
        manifests.take_off(place, ending=Consignment.Ending.CANCELLED, at=at)
        order.live_consignments = []  # type: ignore[attr-defined]
        if place.manifest.departed_at is not None:
            # A later trip, for which the driver need not come back when nothing else is on it.
            completion.settle(place.manifest, at=at)
    slots.give_back_of(order, at=at)
    facts.tell("order.cancelled", order, at=at, actor=actor, reason=reason)
    return order


@patiently
@transaction.atomic(durable=True)
def instruct(*, token: str, note: str, at: dt.datetime) -> Order:
    """The recipient says how to find the door, on the tracking page.

    Raises OrderNotFound, OrderNotChangeable once it has ended, DraftInvalid.
    """
    note = note.replace("\r\n", "\n").strip()
    error = drafts.text_error("note", note, most=limits.INSTRUCTIONS_LENGTH)
    if error:
        raise DraftInvalid([error])
    scope: OrderQuerySet = Order.objects.filter(tracking_token=token)  # type: ignore[assignment]
    order = locked(scope, None)
    if order.has_ended or order.status == Order.Status.RETURNING:
        raise OrderNotChangeable(reason=order.status, status=order.get_status_display())
    if note == order.recipient_note:
        return order
    order.recipient_note = note
    order.save(update_fields=["recipient_note"])
    facts.tell("order.instructed", order, at=at, actor=Actor(kind=Fact.Actor.RECIPIENT))
    return order


def locked(scope: OrderQuerySet, code: str | None) -> Order:
    """The order, and where it is planned, under their locks. Raises OrderNotFound."""
    order = locks.order_and_place(scope, code)
    if order is None:
        raise OrderNotFound
    return order
