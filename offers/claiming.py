"""The claim: a driver takes a block, or gives it back. Exactly one claimant can win a block.

The order of locks is driver, block, manifest. The lock on the driver makes one driver's own attempts queue
up; who wins among many drivers is decided by one conditional update of the block (`moves.take_block`).
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from deliveries import manifests
from drivers import costing
from drivers.models import Driver, StandingEvent
from offers import (
    awarding,
    conduct,
    declining,
    eligibility,
    facts,
    freshness,
    holding,
    latecomers,
    limits,
    locks,
    moves,
    reckoning,
    relieving,
)
from offers.models import Award, Block, Claim, Offer
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox import recording
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import SYSTEM, Actor
from retaildelivery.prepared import PreparedInsert


class BlockTaken(Refused):
    code = "block_taken"
    sentence = _("Another driver has this block.")


class OfferClosed(Refused):
    code = "offer_closed"
    sentence = _("This offer has closed. If the block is still free, it has a new offer.")


class OfferWithdrawn(Refused):
    code = "offer_withdrawn"
    sentence = _("This block was withdrawn.")


class EnterTheDraw(Refused):
    code = "enter_the_draw"
    sentence = _("This offer is drawn: enter the draw. It does not matter who is first.")


class NotAsked(Refused):
    code = "not_asked"
    sentence = _("The draw asks somebody else now. If they do not take the block, the next in rank is asked.")


class HoldLapsed(Refused):
    code = "hold_lapsed"
    sentence = _("The time to confirm was over at %(until)s. It does not count against you.")


class ReservedForAnother(Refused):
    code = "reserved_for_another"
    sentence = _("This offer is reserved for another driver. If they do not take it, it goes on to all.")


class AlreadyAtWork(Refused):
    code = "already_checked_in"
    sentence = _("You have checked in for this block; call operations if you cannot go on.")


def claim(*, offer_code: str, driver_id: int, at: dt.datetime) -> Claim:
    """Give the offered block to this driver; a repeat by the winner returns the same claim.

    Raises Offer.DoesNotExist, BlockTaken, OfferClosed, OfferWithdrawn and every refusal of `eligibility`. Who
    comes too late is told so by one query, without a lock.
    """
    rows = Offer.objects.select_related("block__mall__market", "block__policy", "block__manifest")
    return claim_offer(offer=rows.get(code=offer_code), driver_id=driver_id, at=at)


def claim_offer(*, offer: Offer, driver_id: int, at: dt.datetime) -> Claim:
    """`claim` of an offer that was just read, with its block, mall, policy and manifest."""
    if offer.status == Offer.Status.AWARDED and (own := _own(offer, driver_id)):
        return own
    refuse_unless_open(offer, driver_id=driver_id, at=at)
    return _claim(offer=offer, driver_id=driver_id, at=at)


def refuse_unless_open(offer: Offer, *, driver_id: int, at: dt.datetime) -> None:
    """Raises OfferWithdrawn, BlockTaken, OfferClosed, EnterTheDraw, NotAsked, HoldLapsed or ReservedForAnother for
    an offer that this driver cannot claim at this moment."""
    if offer.status == Offer.Status.WITHDRAWN:
        raise OfferWithdrawn
    if offer.status == Offer.Status.AWARDED:
        raise BlockTaken
    if offer.status != Offer.Status.OPEN or at < offer.opens_at:
        raise OfferClosed(reason="expired")
    if offer.mode == Offer.Mode.DRAW:
        _refuse_unless_asked(offer, driver_id=driver_id, at=at)
    elif at >= offer.closes_at:
        raise OfferClosed(reason="expired")
    elif offer.mode == Offer.Mode.RESERVED and offer.reserved_for_id != driver_id:
        raise ReservedForAnother


def closed_to(offer: Offer, *, driver_id: int, at: dt.datetime) -> Refused | None:
    """What would be said to this driver's claim whoever they are; None while they can have it or enter its draw, and
    when they have it."""
    if offer.status == Offer.Status.AWARDED and _own(offer, driver_id):
        return None
    try:
        refuse_unless_open(offer, driver_id=driver_id, at=at)
    except EnterTheDraw:
        return None
    except Refused as refusal:
        return refusal
    return None


def _refuse_unless_asked(offer: Offer, *, driver_id: int, at: dt.datetime) -> None:
    if at < offer.closes_at:
        raise EnterTheDraw
    award = Award.objects.filter(offer=offer, driver=driver_id).order_by("-pk").first()
    if award is None:
        raise NotAsked
    if award.ended_at is not None or at >= award.holds_until:
        until = award.holds_until.astimezone(offer.block.mall.zone)
        raise HoldLapsed(reason=award.ending, until=date_format(until, "TIME_FORMAT"))


_CLAIMS = PreparedInsert(Claim)


@transaction.atomic(durable=True)
def _claim(*, offer: Offer, driver_id: int, at: dt.datetime) -> Claim:
    driver = locks.driver(driver_id)
    block = offer.block
    work = eligibility.work_of(block)
    reach = eligibility.reach(work.window, work.zone)
    rows = eligibility.read(driver.pk, reach, at=at, beside=eligibility.WITH_COSTS)
    applicant = eligibility.applicant(driver, rows, around=work.window)
    costs = costing.read(driver.pk, rows["costs"][0][0])
    try:
        eligibility.check(applicant, work)
    except eligibility.WindowOverlaps:
        # The same driver's other tap may have won while this one waited for the lock.
        if own := _own(offer, driver_id):
            return own
        raise
    if not moves.take_block(block):
        raise BlockTaken
    # Whoever steps, withdraws or expires an offer holds its block, and that is ours now: this is decisive. A
    # refusal undoes the update of the block.
    if not moves.award(offer, driver_id=driver_id, at=at):
        raise OfferClosed(reason="superseded")
    assert applicant.car is not None, "has_room refuses a driver without a car."
    claim = Claim(
        block=block,
        offer=offer,
        driver=driver,
        vehicle_id=applicant.car.pk,
        window=block.window,
        hourly_cents=offer.hourly_cents,
        pay_cents=offer.pay_cents,
        claimed_at=at,
        **reckoning.expected(costs, block, pay_cents=offer.pay_cents),
    )
    _CLAIMS.run([claim])
    told = [facts.block_claimed(claim, at=at)]
    if block.is_relief and (first := relieving.first_of(block)) is not None:
        told.append(facts.relief_found(first, claim, at=at))
    if block.manifest is not None:
        # Of the same mall, which is at hand.
        block.manifest.mall = block.mall
        manifests.assign(manifest=block.manifest, driver=driver, at=at, beside=told)
    else:
        recording.record_all(told)
    freshness.touch_driver(driver_id)
    latecomers.note_gone(offer, driver_id=driver_id)
    return claim


def _own(offer: Offer, driver_id: int) -> Claim | None:
    live = Claim.objects.live().filter(offer=offer, driver_id=driver_id)
    return live.select_related("block__mall__market", "block__policy", "block__manifest").first()


@transaction.atomic(durable=True)
def release(*, block_code: str, driver_id: int, at: dt.datetime, reason: str = "") -> Claim:
    """Give a claimed block back. Until exactly 45 minutes before the start without harm; later it is a
    forfeit, which counts against the driver.

    Raises ClaimNotYours, AlreadyAtWork.
    """
    claim = holding.held(block_code=block_code, driver_id=driver_id)
    if claim.block.status != Block.Status.CLAIMED:
        raise AlreadyAtWork
    early = at <= claim.block.starts_at - limits.RELEASE_UNTIL
    ending = Claim.Ending.RELEASED if early else Claim.Ending.FORFEITED
    _give_back(claim, ending, at=at, reason=reason, actor=facts.by_driver(claim.driver))
    if not early:
        conduct.note(claim, StandingEvent.Kind.FORFEIT, at=at)
    return claim


def release_all(*, fact: Fact, at: dt.datetime) -> None:
    """Reaction to a suspension: what the driver has claimed and not begun goes back on offer. A block at work
    stays with the driver, who holds parcels; operations decide."""
    codes = [s.removeprefix("driver:") for s in fact.subjects if s.startswith("driver:")]
    for driver_id in Driver.objects.filter(code__in=codes).values_list("pk", flat=True):
        driver = locks.driver(driver_id)
        held = Claim.objects.live().filter(driver=driver, block__status=Block.Status.CLAIMED)
        for code in held.order_by("block_id").values_list("block__code", flat=True):
            block = locks.block(code)
            if block.status == Block.Status.CLAIMED:
                _give_back(holding.claim_of(block, driver), Claim.Ending.SUSPENDED, at=at, reason=fact.name)


def _give_back(claim: Claim, ending: str, *, at: dt.datetime, reason: str, actor: Actor = SYSTEM) -> None:
    moves.end_claim(claim, ending, at=at, reason=reason)
    recording.record(facts.claim_ended(claim, at=at, actor=actor))
    declining.hide(block=claim.block, driver=claim.driver, at=at)
    awarding.reoffer(block=claim.block, at=at)
    freshness.touch_driver(claim.driver_id)
