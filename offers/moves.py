"""The only place that assigns the status of a block or an offer, or ends a claim or an award."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from offers import freshness
from offers.models import Award, Block, Claim, Offer
from retaildelivery.lib.refusals import Refused
from retaildelivery.prepared import Given, PreparedUpdate


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


_TAKE = PreparedUpdate(
    lambda: Block.objects.filter(pk=Given("block"), status=Block.Status.OFFERED), status=Block.Status.CLAIMED
)
_AWARD_DRAWN = PreparedUpdate(
    lambda: Offer.objects.filter(pk=Given("offer"), status=Offer.Status.OPEN),
    status=Offer.Status.AWARDED,
    ended_at=Given("at"),
)
_AWARD = PreparedUpdate(
    lambda: Offer.objects.open_at(Given("at")).filter(pk=Given("offer")),  # type: ignore[arg-type, attr-defined]
    status=Offer.Status.AWARDED,
    ended_at=Given("at"),
)


def take_block(block: Block) -> bool:
    """Claim the block by one conditional update: of all who try at once the database lets one through.

    The row stays locked to the end of the transaction, so whoever steps its price or withdraws it comes
    after.
    """
    assert connection.in_atomic_block, "A block is taken in the transaction of its claim."
    won = _TAKE.run(block=block.pk)
    if won:
        block.status = Block.Status.CLAIMED
        freshness.touch(block.mall.market.code)
    return bool(won)


def award(offer: Offer, *, driver_id: int, at: dt.datetime) -> bool:
    """End the offer as awarded to this driver if it is open to them at this moment. Called with its block locked.

    A draw is open to whom it asks now, after its entries have closed: that hold is ended here as confirmed.
    """
    if offer.mode == Offer.Mode.DRAW:
        live = Award.objects.holding(at).filter(offer=offer, driver=driver_id)  # type: ignore[attr-defined]
        if not live.update(ended_at=at, ending=Award.Ending.CONFIRMED):
            return False
        return bool(_AWARD_DRAWN.run(offer=offer.pk, at=at))
    if offer.mode == Offer.Mode.RESERVED:
        Award.objects.live().filter(offer=offer).update(ended_at=at, ending=Award.Ending.CONFIRMED)  # type: ignore[attr-defined]
    return bool(_AWARD.run(offer=offer.pk, at=at))


def end_offers(block: Block, to: str, *, at: dt.datetime) -> None:
    """End the block's open offer, if there is one, and with it whoever was asked. Called with the block locked."""
    assert to in Offer.MOVES[Offer.Status.OPEN], "An offer ends in one of three ways."
    ended = Offer.objects.filter(block=block, status=Offer.Status.OPEN).update(status=to, ended_at=at)
    if ended:
        live = Award.objects.live().filter(offer__block=block)  # type: ignore[attr-defined]
        for driver_id in live.values_list("driver_id", flat=True):
            freshness.touch_driver(driver_id)
        live.update(ended_at=at, ending=Award.Ending.OFFER_ENDED)


def end_award(award: Award, ending: str, *, at: dt.datetime) -> None:
    """End a live award. Called with its block locked."""
    assert connection.in_atomic_block, "An award ends in the transaction that holds its block."
    award.ended_at, award.ending = at, ending
    ended = Award.objects.filter(pk=award.pk, ended_at=None).update(ended_at=at, ending=ending)
    assert ended == 1, "An award ends once."


def end_claim(claim: Claim, ending: str, *, at: dt.datetime, reason: str = "") -> None:
    """End a live claim. Called with its block locked."""
    assert connection.in_atomic_block, "A claim ends in the transaction that holds its block."
    claim.ended_at, claim.ending, claim.reason = at, ending, reason
    ended = Claim.objects.filter(pk=claim.pk, ended_at=None).update(ended_at=at, ending=ending, reason=reason)
    assert ended == 1, "A claim ends once."
