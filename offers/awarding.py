"""Who is asked: the winner of a draw, the next reserve when a hold lapses or is declined, and a reserve who moves
up when somebody drops out. Inner verbs but for the sweep; the block is locked."""

from __future__ import annotations

import datetime as dt

from django.db import connection, transaction
from django.db.models import QuerySet

from deliveries import manifests
from offers import drawrules, eligibility, facts, freshness, limits, locks, moves, offering, standby
from offers.models import Award, Block, Claim, Draw, Entry, Offer
from retaildelivery.lib.windows import Window
from retaildelivery.outbox import recording, sweeping


def next_reserve(block: Block) -> Entry | None:
    """Who stands first among those whom the block's newest draw ranked and nobody has asked yet."""
    draw = newest_draw(block)
    return waiting(draw).first() if draw else None


def waiting(draw: Draw) -> QuerySet[Entry]:
    """The draw's reserves, but for who has had the block since: it was handed to them, and they gave it away."""
    had = Claim.objects.filter(block=draw.offer.block_id, claimed_at__gte=draw.drawn_at).values("driver")
    return draw.entries.reserves().exclude(driver__in=had).select_related("driver__user")


def newest_draw(block: Block) -> Draw | None:
    drawn = Draw.objects.filter(offer__block=block, drawn_at__isnull=False).select_related("offer")
    return drawn.order_by("-pk").first()


def ask(*, draw: Draw, offer: Offer, block: Block, at: dt.datetime) -> Award | None:
    """Hold the block for the next of the draw's ranks who may have it; None when nobody is left to ask, or no
    time to. Who may not have it is passed over, and why is kept."""
    assert connection.in_atomic_block, "An inner verb."
    until = drawrules.hold_until(hold=draw.hold, start=block.starts_at, at=at)
    if until is None:
        return None
    for entry in draw.entries.reserves().select_related("driver__user")[: limits.RESERVES_ASKED]:
        objection = objection_to(entry, block, at=at)
        if objection is None:
            return award(entry=entry, offer=offer, block=block, until=until, at=at)
        Award.objects.create(
            entry=entry,
            offer=offer,
            driver=entry.driver,
            asked_at=at,
            holds_until=at,
            ended_at=at,
            ending=Award.Ending.INELIGIBLE,
            reason=objection.code,
        )
        freshness.touch_driver(entry.driver_id)
    return None


def award(*, entry: Entry, offer: Offer, block: Block, until: dt.datetime, at: dt.datetime) -> Award:
    made = Award.objects.create(entry=entry, offer=offer, driver=entry.driver, asked_at=at, holds_until=until)
    recording.record(facts.award_made(made, block, at=at))
    freshness.touch_driver(entry.driver_id)
    return made


def objection_to(entry: Entry, block: Block, *, at: dt.datetime) -> eligibility.Ineligible | None:
    """Why this driver cannot have the block at this moment. Asked again, under the lock, when they confirm."""
    around = Window(block.starts_at, block.ends_at)
    applicant = eligibility.load(entry.driver, around=around, zone=block.mall.zone, at=at)
    try:
        eligibility.check(applicant, eligibility.work_of(block))
    except eligibility.Ineligible as objection:
        return objection
    return None


def move_up(*, block: Block, at: dt.datetime) -> Offer | None:
    """Somebody dropped out of an offered block that has no open offer: ask the next reserve, by an offer that is
    reserved for them at the block's price. None when nobody is left to ask, or no time to."""
    draw = newest_draw(block)
    until = drawrules.hold_until(hold=draw.hold, start=block.starts_at, at=at) if draw else None
    if draw is None or until is None:
        return None
    for entry in waiting(draw)[: limits.RESERVES_ASKED]:
        if objection_to(entry, block, at=at) is None:
            offer = offering.reserve(block=block, driver=entry.driver, until=until, at=at)
            award(entry=entry, offer=offer, block=block, until=until, at=at)
            return offer
    return None


def reoffer(*, block: Block, at: dt.datetime) -> Offer | None:
    """Its driver gave the block back: ask the next reserve of its draw, else who stands by at the mall, else offer
    it to all again; None when its
    start is too near for either, and then it has expired."""
    if block.manifest is not None:
        manifests.unassign(manifest=block.manifest, at=at)
    moves.move_block(block, Block.Status.OFFERED, at=at)
    asked = move_up(block=block, at=at) or standby.promote(block=block, at=at)
    return asked or offering.offer_again(block=block, at=at)


def sweep(*, at: dt.datetime) -> int:
    """End every hold that has lapsed; returns how many this sweep ended."""
    rows = Award.objects.lapsed(at).order_by("holds_until", "pk")  # type: ignore[attr-defined]
    due = list(rows.values_list("pk", flat=True)[: limits.SWEEP_BATCH])
    return sweeping.each(due, lambda key: lapse(award_id=key, at=at), of="holds", at=at)


@transaction.atomic(durable=True)
def lapse(*, award_id: int, at: dt.datetime) -> bool:
    """End one lapsed hold and ask the next. Nothing counts against anybody. False when there is nothing (more) to
    do: who confirmed in time is decided by the block's lock."""
    block_id = Award.objects.filter(pk=award_id).values_list("offer__block_id", flat=True).first()
    block = locks.block_unless_busy(block_id) if block_id is not None else None
    lapsed = Award.objects.lapsed(at).filter(pk=award_id).select_related("offer", "driver").first()  # type: ignore[attr-defined]
    if block is None or lapsed is None:
        return False
    end(lapsed, Award.Ending.LAPSED, block=block, at=at)
    return True


def end(award: Award, ending: str, *, block: Block, at: dt.datetime) -> None:
    """End a live award that was not confirmed; the block goes on to the next."""
    moves.end_award(award, ending, at=at)
    recording.record(facts.award_ended(award, block, at=at))
    freshness.touch_driver(award.driver_id)
    onwards(offer=award.offer, block=block, at=at)


def onwards(*, offer: Offer, block: Block, at: dt.datetime) -> None:
    """What comes after a draw found nobody yet, or after the one for whom the offer was held: the next reserve,
    else everybody. There is always a next step."""
    if offer.mode == Offer.Mode.DRAW:
        if ask(draw=offer.draw, offer=offer, block=block, at=at):
            return
        moves.end_offers(block, Offer.Status.EXPIRED, at=at)
        offering.go_on(offer=offer, block=block, mode=Offer.Mode.FIRST_COME, at=at)
        return
    moves.end_offers(block, Offer.Status.EXPIRED, at=at)
    if (move_up(block=block, at=at) or standby.promote(block=block, at=at)) is None:
        offering.go_on(offer=offer, block=block, mode=None, at=at)


def pass_on(*, offer: Offer, driver_id: int, at: dt.datetime) -> None:
    """Inner verb of declining: who stands by and was asked says no, so the next is asked at once."""
    if offer.mode != Offer.Mode.RESERVED or offer.reserved_for_id != driver_id:
        return
    block = locks.block(offer.block.code)
    still: Offer | None = Offer.objects.filter(pk=offer.pk, status=Offer.Status.OPEN).first()
    if still is not None:
        onwards(offer=still, block=block, at=at)
