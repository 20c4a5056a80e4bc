"""Offers whose time is over: a draw is drawn, a price takes the next step of its published ladder, what was
reserved goes to the next, and at its start a block that nobody took expires. There is always a next step."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from offers import awarding, drawing, limits, locks, moves, offering
from offers.models import Award, Block, Offer
from retaildelivery.outbox import sweeping


def overdue(*, at: dt.datetime) -> list[int]:
    """Open offers whose time is over, longest over first, a batch of them."""
    rows = Offer.objects.overdue(at).order_by("closes_at", "pk")  # type: ignore[attr-defined]
    return list(rows.values_list("pk", flat=True)[: limits.SWEEP_BATCH])


def sweep(*, at: dt.datetime) -> int:
    """Draw, step, pass on or end every overdue offer, and every hold that lapsed; returns how many this sweep
    dealt with."""
    ended = sweeping.each(overdue(at=at), lambda key: end(offer_id=key, at=at), of="offers", at=at)
    return ended + awarding.sweep(at=at)


@transaction.atomic(durable=True)
def end(*, offer_id: int, at: dt.datetime) -> bool:
    """Do what is due on one overdue offer. False when there is nothing (more) to do."""
    block_id = Offer.objects.filter(pk=offer_id).values_list("block_id", flat=True).first()
    block = locks.block_unless_busy(block_id) if block_id is not None else None
    # Read anew under the block's lock, behind which alone an offer changes.
    offer = Offer.objects.overdue(at).filter(pk=offer_id).select_related("draw").first()  # type: ignore[attr-defined]
    if block is None or offer is None:
        return False
    assert block.status == Block.Status.OFFERED, "Only an offered block has an open offer."
    offer.block = block
    if offer.mode == Offer.Mode.DRAW:
        drawing.run(offer=offer, block=block, at=at)
    elif offer.mode == Offer.Mode.RESERVED:
        _pass_on(offer, block, at=at)
    else:
        moves.end_offers(block, Offer.Status.EXPIRED, at=at)
        offering.go_on(offer=offer, block=block, mode=Offer.Mode.FIRST_COME, at=at)
    return True


def _pass_on(offer: Offer, block: Block, *, at: dt.datetime) -> None:
    """Whom it was reserved for did not answer, which counts against nobody."""
    award = Award.objects.live().filter(offer=offer).select_related("offer", "driver").first()  # type: ignore[attr-defined]
    if award is not None:
        awarding.end(award, Award.Ending.LAPSED, block=block, at=at)
    else:
        awarding.onwards(offer=offer, block=block, at=at)
