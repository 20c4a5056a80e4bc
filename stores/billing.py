"""The seller's account: lines that are added once and never change."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from django.db import connection
from django.db.models import QuerySet, Sum
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from retaildelivery.outbox import worlds
from stores.models import Market, Seller, SellerPosting, Store

TIP = "tip"

# What a line can be for, in the order of an invoice, as people read it.
KINDS: dict[str, Promise] = {
    "base": _("Deliveries"),
    "distance": _("Distance beyond the base"),
    "size": _("Surcharges for large parcels"),
    "slot": _("Delivery slots"),
    "return": _("Ways back to the store"),
    "cancellation": _("Cancelled orders"),
    "wait": _("Drivers kept waiting"),
    "tip": _("Tips, passed on whole to drivers"),
    "adjustment": _("Corrections and credits"),
    "tax": _("Tax"),
}


def named(kind: str) -> str:
    """A kind in words."""
    return str(KINDS.get(kind, kind))


@dataclass(frozen=True, slots=True)
class Charge:
    """A line before it is a row; positive is owed. A line of no single store names its market, on whose invoice it
    goes. The key says what is charged for, such as ``order:K7QX4M2P:base:0``: the database lets only one in."""

    key: str
    seller_id: int
    store_id: int | None
    kind: str
    cents: int
    text: str
    rule: str
    subject: str
    params: Mapping[str, str] = field(default_factory=dict)
    market_id: int | None = None


def post(
    *,
    key: str,
    seller: Seller,
    store: Store | None,
    kind: str,
    cents: int,
    text: str,
    rule: str,
    subject: str,
    at: dt.datetime,
    params: Mapping[str, str] | None = None,
    market: Market | None = None,
) -> bool:
    """Add a line (see `Charge`) in the caller's transaction. False when the key was posted before."""
    store_id, market_id = store.pk if store else None, market.pk if market else None
    line = Charge(key, seller.pk, store_id, kind, cents, text, rule, subject, params or {}, market_id)
    return post_all([line], at=at) == 1


def post_all(charges: Sequence[Charge], *, at: dt.datetime) -> int:
    """Add these lines in the caller's transaction, in one round trip, by sellers in the order of their keys, since each
    account is a lock; those posted before stay as they are. How many are new."""
    assert worlds.current() == worlds.LIVE, "A sandbox costs nothing."
    assert connection.in_atomic_block, "A posting is made with what it pays for."
    if not charges:
        return 0
    row = "(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 0, '', '')"
    values: list[Any] = []
    for line in sorted(charges, key=attrgetter("seller_id")):
        values += [line.key, line.seller_id, line.store_id, line.market_id, line.kind, line.cents]
        values += [line.text[:200], line.rule[:60], line.subject, at, json.dumps(dict(line.params))]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO stores_sellerposting "  # noqa: S608 -- only placeholders are repeated
            "(key, seller_id, store_id, market_id, kind, cents, text, rule, subject, at, params, sequence, previous, "
            f"digest) VALUES {', '.join([row] * len(charges))} ON CONFLICT (key) DO NOTHING",
            values,
        )
        return int(cursor.rowcount)


def statement(seller: Seller) -> QuerySet[SellerPosting]:
    """All lines, newest first."""
    return (
        SellerPosting.objects.filter(seller=seller)
        .select_related("store__mall__market", "market", "invoice_line__invoice")
        .order_by("-at", "-id")
    )


def balance(seller: Seller) -> int:
    """What the seller owes, in cents."""
    return SellerPosting.objects.filter(seller=seller).aggregate(cents=Sum("cents"))["cents"] or 0


def not_invoiced(seller: Seller) -> int:
    """What is on no invoice yet, in cents."""
    rows = SellerPosting.objects.filter(seller=seller).on_no_invoice()  # type: ignore[attr-defined]
    return int(rows.aggregate(cents=Sum("cents"))["cents"] or 0)
