"""A promise for a product page or a checkout: price, slot and window in one signed value, redeemed by an order."""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.utils.translation import gettext_lazy as _

from deliveries import limits, quoting, serviceability, slots
from deliveries.drafts import OrderDraft
from deliveries.models import Order, Quote
from deliveries.models.quote import QuoteQuerySet
from deliveries.snapshots import moment
from retaildelivery.accounts.models import User
from retaildelivery.outbox.recording import Actor
from stores.models import Store

SALT = "deliveries.promise"


class PromiseInvalid(quoting.QuotingRefused):
    code = "promise_invalid"
    sentence = _("This is not a promise of ours, or it was changed.")


@dataclass(frozen=True, slots=True)
class Promise:
    """The quote behind a promise, and the value that is given out."""

    quote: Quote
    token: str


def promise(*, store: Store, draft: OrderDraft, slot_code: str, at: dt.datetime) -> Promise:
    """Hold price and slot, and sign them. Without a slot and a window: the first slot that is free, or else the first
    window that a driver can keep.

    Raises what a quote raises.
    """
    if not slot_code and draft.window_start is None:
        free = slots.first_free(store=store, at=at)
        slot_code = free.code if free else ""
        if not slot_code:
            draft = soonest(draft, store=store, at=at)
    made = quoting.quote(store=store, draft=draft, slot_code=slot_code, promised=True, at=at)
    return Promise(made, token_of(made))


def soonest(draft: OrderDraft, *, store: Store, at: dt.datetime) -> OrderDraft:
    """The draft with the first window of usual length that a driver can keep, once the store is open."""
    packed = serviceability.next_open(store, serviceability.ready_at(draft, store, at))
    ready = max(packed, at + limits.CALL_TIME) + limits.COUNTER_TIME
    point = draft.address.point
    there = ready + (serviceability.way(point, store, leaving=ready, at=at) if point else dt.timedelta(0))
    start = there.replace(minute=0, second=0, microsecond=0) + dt.timedelta(hours=1)
    return dataclasses.replace(draft, window_start=start, window_end=start + limits.PROMISE_USUAL)


def token_of(quote: Quote) -> str:
    """What the seller shows and sends back: signed, so that it can pass through a browser."""
    said = quoting.draft_of(quote)
    return signing.dumps(
        {
            "quote": quote.code,
            "store": quote.store.code,
            "cents": quote.fee_cents,
            "currency": quote.store.mall.market.currency,
            "slot": quote.hold.slot.code if quote.hold else None,
            "start": moment(said.window_start),
            "end": moment(said.window_end),
            "expires": moment(quote.expires_at),
        },
        salt=SALT,
        compress=True,
    )


def read(token: str) -> dict[str, Any]:
    """What a token says. Raises PromiseInvalid."""
    try:
        said: dict[str, Any] = signing.loads(token, salt=SALT)
    except signing.BadSignature as wrong:
        raise PromiseInvalid(field="promise") from wrong
    return said


def redeem(
    *,
    token: str,
    scope: QuoteQuerySet,
    draft: OrderDraft | None,
    actor: Actor,
    at: dt.datetime,
    placed_by: User | None = None,
) -> Order:
    """Post the order that was promised. Raises PromiseInvalid and what accepting a quote raises."""
    return quoting.accept(
        quote_code=read(token)["quote"], scope=scope, draft=draft, actor=actor, at=at, placed_by=placed_by
    )
