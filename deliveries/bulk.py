"""Post many orders in one go: each row has its own outcome, and all that are good are written together."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from deliveries import charging, drafts, facts, filling, geocoding, limits, posting
from deliveries.drafts import DraftInvalid, FieldError, OrderDraft
from deliveries.models import FeePolicy, Order
from retaildelivery import clashes
from retaildelivery.lib.geo import Point
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox import recording
from retaildelivery.outbox.recording import Actor
from stores.models import Store


@dataclass(frozen=True, slots=True)
class Row:
    """One order to be, and its store. All stores of one call are one seller's."""

    store: Store
    draft: OrderDraft


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a row: an order (new, or posted before under this number), or why not."""

    code: str = ""
    tracking_token: str = ""
    is_new: bool = False
    refusal: Refused | None = None


@dataclass(frozen=True, slots=True)
class _Before:
    code: str
    digest: str
    tracking_token: str


def known_places(rows: Sequence[Row]) -> list[Row]:
    """The same rows; doors without a place get the one we know."""
    known = geocoding.known_all(row.draft.address for row in rows if row.draft.address.point is None)
    return [_placed(row, known) for row in rows] if known else list(rows)


def _placed(row: Row, known: dict[str, Point]) -> Row:
    address = row.draft.address
    point = None
    if address.point is None:
        point = known.get(geocoding.key_of(address.line1, address.postal_code))
    if point is None:
        return row
    address = dataclasses.replace(address, point=point, located_by="known")
    return dataclasses.replace(row, draft=dataclasses.replace(row.draft, address=address))


def post_all(*, rows: Sequence[Row], actor: Actor, at: dt.datetime) -> list[Outcome]:
    """Post these orders; their outcomes, in their order. Every row needs an external id, so that the whole call may
    be repeated; a number that comes twice with the same contents is one order.

    Raises Busy when others keep taking numbers of this call.
    """
    digests = [posting.digest_of(row.draft, row.store) for row in rows]
    checked: list[OrderDraft | Refused] = [_checked(row, at) for row in rows]
    for _turn in range(limits.LOCK_TURNS):
        try:
            return _post_all(rows=rows, checked=checked, digests=digests, actor=actor, at=at)
        except IntegrityError as clash:
            # Somebody posted one of these numbers meanwhile: then that order is found in the next turn.
            if "one_order_per_seller_and_external_id" not in str(clash):
                raise
    raise posting.Busy


def _checked(row: Row, at: dt.datetime) -> OrderDraft | Refused:
    if not row.draft.external_id.strip():
        return DraftInvalid([FieldError("external_id", "required", _("This is needed."))])
    try:
        return drafts.check(row.draft, store=row.store, at=at)
    except DraftInvalid as invalid:
        return invalid


@clashes.drawn_anew
@transaction.atomic(durable=True)
def _post_all(
    *,
    rows: Sequence[Row],
    checked: Sequence[OrderDraft | Refused],
    digests: Sequence[str],
    actor: Actor,
    at: dt.datetime,
) -> list[Outcome]:
    before = _posted_before(rows)
    policies: dict[int, FeePolicy | None] = {}
    made: list[Order] = []
    outcomes: list[Outcome] = []
    for row, draft, digest in zip(rows, checked, digests, strict=True):
        number = row.draft.external_id.strip()
        known = before.get(number)
        if known is not None:
            outcomes.append(_again(known, digest))
        elif isinstance(draft, Refused):
            outcomes.append(Outcome(refusal=draft))
        else:
            market = row.store.mall.market_id
            if market not in policies:
                policies[market] = charging.policy_for(row.store, at=at)
            order = posting.built(row.store, draft, digest, at=at)
            filling.price_by(policies[market], order, [parcel.size for parcel in draft.parcels])
            made.append(order)
            before[number] = _Before(order.code, digest, order.tracking_token)
            outcomes.append(Outcome(order.code, order.tracking_token, is_new=True))
    _write(made, actor=actor, at=at)
    return outcomes


def _posted_before(rows: Sequence[Row]) -> dict[str, _Before]:
    numbers = {row.draft.external_id.strip() for row in rows}
    sellers = {row.store.seller_id for row in rows}
    assert len(sellers) <= 1, "A call is of one seller."
    found = Order.objects.filter(external_scope__in=sellers, external_id__in=numbers - {""})
    return {
        number: _Before(code, digest, token)
        for number, code, digest, token in found.values_list(
            "external_id", "code", "request_digest", "tracking_token"
        )
    }


def _again(known: _Before, digest: str) -> Outcome:
    if known.digest == digest:
        return Outcome(known.code, known.tracking_token)
    return Outcome(refusal=posting.ExternalIdTaken(field="external_id", reason=known.code, first=known.code))


def _write(made: list[Order], *, actor: Actor, at: dt.datetime) -> None:
    posting.write(made)
    recording.record_all(facts.placed(made, at=at, actor=actor))
