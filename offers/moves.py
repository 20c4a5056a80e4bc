"""The only place that assigns the status of a block or an offer, or ends a claim or an award."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
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
    if to in {Block.Status.EXPIRED, Block.Status.WITHDRAWN, Block.Status.NO_SHOW, Block.Status.ABORTED}:
        stamps["ended_at"] = at
    _step(block, to, **stamps)
    block.save(update_fields=["status", *stamps])
    freshness.touch(block.mall.market.code)


def _step(block: Block, to: str, **stamps: Any) -> None:
    if not block.may_move_to(to):
        raise IllegalMove(noun=block.code, status=block.get_status_display(), to=Block.Status(to).label)
    block.status = to
    for field, value in stamps.items():
        setattr(block, field, value)


def complete(block: Block, *, at: dt.datetime) -> None:
    """Its manifest was completed at `at`. Written when it is settled, in the same transaction: `settle_all`."""
    _step(block, Block.Status.COMPLETED, completed_at=at)


_SETTLE = """
UPDATE offers_block b SET status = 'settled', completed_at = v.completed_at, settled_at = %s
FROM unnest(%s::bigint[], %s::timestamptz[]) v (id, completed_at) WHERE b.id = v.id
"""


def settle_all(blocks: Sequence[Block], *, at: dt.datetime) -> None:
    """Move completed and aborted blocks, which the caller holds locked, to the end of their way.

    Raises IllegalMove.
    """
    assert connection.in_atomic_block, "Blocks are moved in the transaction that holds them."
    for block in blocks:
        _step(block, Block.Status.SETTLED, settled_at=at)
    with connection.cursor() as cursor:
        cursor.execute(
            _SETTLE, [at, [block.pk for block in blocks], [block.completed_at for block in blocks]]
        )


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
    claim.reason = reason
    end_claims([(claim, at)], ending)


_END_CLAIMS = """
UPDATE offers_claim c SET ending = %s, ended_at = v.at, reason = v.reason
FROM unnest(%s::bigint[], %s::timestamptz[], %s::varchar[]) v (id, at, reason) WHERE c.id = v.id AND c.ended_at IS NULL
"""


def end_claims(ended: Sequence[tuple[Claim, dt.datetime]], ending: str) -> None:
    """End live claims, each at its time and for the reason that it has. Called with their blocks locked."""
    assert connection.in_atomic_block, "A claim ends in the transaction that holds its block."
    if not ended:
        return
    for claim, at in ended:
        claim.ended_at, claim.ending = at, ending
    keys, times, reasons = zip(*((claim.pk, at, claim.reason) for claim, at in ended), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_END_CLAIMS, [ending, list(keys), list(times), list(reasons)])
        assert cursor.rowcount == len(ended), "A claim ends once."
