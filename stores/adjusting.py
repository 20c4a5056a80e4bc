"""Corrections and credits of a seller's account: proposed by one person, signed by another, posted once."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from retaildelivery.accounts.models import User
from retaildelivery.lib.refusals import Refused
from stores import billing, limits, locks
from stores.models import Market, Seller, SellerAdjustment, Store


class OwnProposal(Refused):
    code = "own_proposal"
    sentence = _("Who proposed %(code)s cannot sign it: a second person must.")


class AdjustmentInvalid(Refused):
    code = "adjustment_invalid"
    sentence = _(
        "An adjustment needs an amount within ±$%(most)d, a reason, evidence, and a store of the seller or a market."
    )


class AlreadyDecided(Refused):
    code = "already_decided"
    sentence = _("%(noun)s is %(status)s already.")


@transaction.atomic
def propose(
    *,
    seller: Seller,
    store: Store | None,
    market: Market | None,
    cents: int,
    reason: str,
    evidence: str,
    subject: str,
    by: User,
    at: dt.datetime,
) -> SellerAdjustment:
    """Positive is owed by the seller, negative is a credit. Raises AdjustmentInvalid."""
    placed = (store is None) != (market is None) and (store is None or store.seller_id == seller.pk)
    said = bool(reason.strip() and evidence.strip())
    if not cents or abs(cents) > limits.ADJUSTMENT_CENTS or not said or not placed:
        raise AdjustmentInvalid(most=limits.ADJUSTMENT_CENTS // 100)
    return SellerAdjustment.objects.create(
        seller=seller, store=store, market=market, cents=cents, reason=reason.strip()[:180],
        evidence=evidence.strip()[:1000], subject=subject.strip()[:80], proposed_by=by, proposed_at=at,
    )  # fmt: skip


@transaction.atomic(durable=True)
def sign(*, code: str, by: User, at: dt.datetime) -> SellerAdjustment:
    """The second signature: the correction is posted. Raises OwnProposal, AlreadyDecided."""
    adjustment = _others(code, by)
    _move(adjustment, SellerAdjustment.Status.POSTED, decided_by=by, decided_at=at)
    billing.post(
        key=f"adjustment:{adjustment.code}",
        seller=adjustment.seller,
        store=adjustment.store,
        market=adjustment.market,
        kind="adjustment",
        cents=adjustment.cents,
        # The account of a seller is kept in English.
        text=f"Correction: {adjustment.reason}",
        rule="",
        subject=adjustment.subject or f"adjustment:{adjustment.code}",
        at=at,
        params={"adjustment": adjustment.code},
    )
    return adjustment


@transaction.atomic(durable=True)
def decline(*, code: str, by: User, at: dt.datetime) -> SellerAdjustment:
    """Raises OwnProposal, AlreadyDecided."""
    adjustment = _others(code, by)
    _move(adjustment, SellerAdjustment.Status.DECLINED, decided_by=by, decided_at=at)
    return adjustment


def _others(code: str, by: User) -> SellerAdjustment:
    adjustment = locks.adjustment(code)
    if adjustment.proposed_by_id == by.pk:
        raise OwnProposal(code=code)
    return adjustment


def _move(adjustment: SellerAdjustment, to: str, **stamps: Any) -> None:
    """The only place that assigns the status."""
    assert connection.in_atomic_block, "A row is moved in the transaction that holds it."
    if not adjustment.may_move_to(to):
        raise AlreadyDecided(noun=str(adjustment), status=adjustment.get_status_display())
    adjustment.status = to
    for name, value in stamps.items():
        setattr(adjustment, name, value)
    adjustment.save(update_fields=["status", *stamps])
