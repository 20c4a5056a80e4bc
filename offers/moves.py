"""The only place that assigns the status of a block or an offer, or ends a claim."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from offers import freshness
from offers.models import Block, Claim, Offer
from retaildelivery.lib.refusals import Refused


class IllegalMove(Refused):
    code = "illegal_move"
    sentence = _("%(noun)s is %(status)s and cannot become %(to)s.")


def move_block(block: Block, to: str, *, at: dt.datetime, **stamps: Any) -> None:
    """Move a block that the caller holds locked. `stamps` are further columns set with it.

    Raises IllegalMove.
    """
    assert connection.in_atomic_block, "A block is moved in the transaction that holds it."
    if not block.may_move_to(to):
        raise IllegalMove(noun=block.code, status=block.get_status_display(), to=Block.Status(to).label)
    if to in {Block.Status.EXPIRED, Block.Status.WITHDRAWN, Block.Status.NO_SHOW, Block.Status.ABORTED}:
        stamps["ended_at"] = at
    block.status = to
    for field, value in stamps.items():
        setattr(block, field, value)
    block.save(update_fields=["status", *stamps])
    freshness.touch(block.mall.market.code)


def take_block(block: Block) -> bool:
    """Claim the block by one conditional update: of all who try at once the database lets one through.

    The row stays locked to the end of the transaction, so whoever steps its price or withdraws it comes
    after.
    """
    assert connection.in_atomic_block, "A block is taken in the transaction of its claim."
    won = Block.objects.filter(pk=block.pk, status=Block.Status.OFFERED).update(status=Block.Status.CLAIMED)
    if won:
        block.status = Block.Status.CLAIMED
        freshness.touch(block.mall.market.code)
    return bool(won)


def award(offer: Offer, *, at: dt.datetime) -> bool:
    """End the offer as awarded if it is open at this moment. Called with its block locked."""
    return bool(
        Offer.objects.open_at(at).filter(pk=offer.pk).update(status=Offer.Status.AWARDED, ended_at=at)
    )


def end_offers(block: Block, to: str, *, at: dt.datetime) -> None:
    """End the block's open offer, if there is one. Called with the block locked."""
    assert to in Offer.MOVES[Offer.Status.OPEN], "An offer ends in one of three ways."
    Offer.objects.filter(block=block, status=Offer.Status.OPEN).update(status=to, ended_at=at)


def end_claim(claim: Claim, ending: str, *, at: dt.datetime, reason: str = "") -> None:
    """End a live claim. Called with its block locked."""
    assert connection.in_atomic_block, "A claim ends in the transaction that holds its block."
    claim.ended_at, claim.ending, claim.reason = at, ending, reason
    ended = Claim.objects.filter(pk=claim.pk, ended_at=None).update(ended_at=at, ending=ending, reason=reason)
    assert ended == 1, "A claim ends once."
