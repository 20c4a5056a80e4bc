"""Offers that nobody took: the next step of their published ladder, or the end of the block."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from offers import facts, limits, locks, moves, offering, pricing
from offers.models import Block, Offer
from retaildelivery.outbox import recording


def overdue(*, at: dt.datetime) -> list[int]:
    """Open offers whose time is over, longest over first, a batch of them."""
    rows = Offer.objects.overdue(at).order_by("closes_at", "pk")  # type: ignore[attr-defined]
    return list(rows.values_list("pk", flat=True)[: limits.SWEEP_BATCH])


def sweep(*, at: dt.datetime) -> int:
    """Step or end every overdue offer; returns how many this sweep ended."""
    return sum(end(offer_id=offer_id, at=at) for offer_id in overdue(at=at))


@transaction.atomic(durable=True)
def end(*, offer_id: int, at: dt.datetime) -> bool:
    """End one overdue offer: a new one at the price its ladder has reached, or, at the block's start, the
    block has expired and its orders wait again. False when there is nothing (more) to do."""
    block_id = Offer.objects.filter(pk=offer_id).values_list("block_id", flat=True).first()
    block = locks.block_unless_busy(block_id) if block_id is not None else None
    # Read anew under the block's lock, behind which alone an offer changes.
    offer = Offer.objects.overdue(at).filter(pk=offer_id).first()  # type: ignore[attr-defined]
    if block is None or offer is None:
        return False
    assert block.status == Block.Status.OFFERED, "Only an offered block has an open offer."
    steps = steps_of(offer)
    reached = [step for step in steps if step.at <= at]
    if at >= block.starts_at or not reached:
        offering.give_up(block=block, to=Block.Status.EXPIRED, reason="unclaimed", at=at)
        recording.record(facts.block_expired(block, at=at, reason="unclaimed"))
        return True
    moves.end_offers(block, Offer.Status.EXPIRED, at=at)
    # A sweep that comes late takes the step that is due now; the rest of the ladder stays as published.
    now = pricing.Step(at, reached[-1].hourly_cents)
    new = offering.open_on_ladder(block=block, steps=(now, *(step for step in steps if step.at > at)), at=at)
    recording.record(facts.block_repriced(block, new, at=at))
    return True


def steps_of(offer: Offer) -> tuple[pricing.Step, ...]:
    """The steps that the offer has published as still to come."""
    return tuple(
        pricing.Step(dt.datetime.fromisoformat(each["at"]), int(each["hourly_cents"]))
        for each in offer.ladder
    )
