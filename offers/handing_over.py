"""A claimed block passes from one driver to another by name, when both want it.

The giver proposes, the receiver accepts; the block is never without a driver in between. It hurts nobody's
standing, also less than 45 minutes before the start: what a late release costs is the empty seat, and here there
is none. From then on the receiver answers for it. The terms stay as they were locked at the claim.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from deliveries import manifests
from drivers import costing
from drivers.models import Driver
from offers import eligibility, facts, freshness, holding, limits, locks, moves, reckoning
from offers.models import Block, Claim, HandOver
from retaildelivery.accounts.models import User
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox import recording
from retaildelivery.outbox.recording import Actor


class HandOverRefused(Refused):
    """Base of what can be said against a hand-over."""

    code = "hand_over_refused"


class ReceiverUnknown(HandOverRefused):
    code = "receiver_unknown"
    sentence = _("No driver of this market has that code. Ask them for it: it is on their page Me.")


class HandOverToYourself(HandOverRefused):
    code = "hand_over_to_yourself"
    sentence = _("That is your own code.")


class HandOverPending(HandOverRefused):
    code = "hand_over_pending"
    sentence = _("Somebody else is asked already. Take that back first.")


class HandOverTooLate(HandOverRefused):
    code = "hand_over_too_late"
    sentence = _("A block can be handed over until it starts, and before check-in.")


class HandOverEnded(HandOverRefused):
    code = "hand_over_ended"
    sentence = _("This proposal is over, or the other driver no longer has the block.")


@transaction.atomic(durable=True)
def propose(*, block_code: str, driver_id: int, receiver_code: str, at: dt.datetime) -> HandOver:
    """Ask the driver with this code to take the block over; a repeat returns the same proposal. Nothing changes
    hands yet. Whether the other may have the block is told to them alone.

    Raises ClaimNotYours, HandOverTooLate, HandOverToYourself, ReceiverUnknown, HandOverPending.
    """
    claim = holding.held(block_code=block_code, driver_id=driver_id)
    refuse_unless_in_time(claim.block, at=at)
    receiver = Driver.objects.approved().filter(  # type: ignore[attr-defined]
        code=receiver_code, market_code=claim.driver.market_code
    )
    found: Driver | None = receiver.first()
    if found is None:
        raise ReceiverUnknown(field="driver")
    if found.pk == driver_id:
        raise HandOverToYourself(field="driver")
    before = HandOver.objects.filter(claim=claim, ended_at=None).select_related("receiver").first()
    if before is not None and before.expires_at > at:
        if before.receiver_id == found.pk:
            return before
        raise HandOverPending(field="driver")
    if before is not None:
        _end(before, HandOver.Ending.LAPSED, at=at)
    made = HandOver.objects.create(
        claim=claim,
        receiver=found,
        proposed_at=at,
        expires_at=min(at + limits.HAND_OVER_OPEN, claim.block.starts_at),
    )
    recording.record(
        facts.hand_over_changed("block.hand_over_proposed", made, at=at, actor=facts.by_driver(claim.driver))
    )
    freshness.touch_driver(found.pk)
    return made


def refuse_unless_in_time(block: Block, *, at: dt.datetime) -> None:
    if block.status != Block.Status.CLAIMED or at >= block.starts_at:
        raise HandOverTooLate(reason=block.status)


@transaction.atomic(durable=True)
def accept(*, code: str, driver_id: int, at: dt.datetime) -> Claim:
    """Take the block over: the giver's claim ends, the receiver's begins, in one transaction. A repeat returns the
    same claim. Both drivers are locked by ascending key, then the block.

    Raises HandOver.DoesNotExist, HandOverEnded, HandOverTooLate and every refusal of `eligibility`.
    """
    asked = HandOver.objects.select_related("claim__block").get(code=code, receiver=driver_id)
    locked = locks.drivers({asked.claim.driver_id, driver_id})
    block = locks.block(asked.claim.block.code)
    made = HandOver.objects.select_related("claim__offer").get(pk=asked.pk)
    claim, receiver = made.claim, locked[driver_id]
    claim.block, claim.driver, made.receiver = block, locked[claim.driver_id], receiver
    if made.ending == HandOver.Ending.ACCEPTED and (own := _held_by(block, driver_id)):
        return own
    if made.ended_at is not None or claim.ended_at is not None:
        raise HandOverEnded(reason=made.ending or claim.ending)
    if at >= made.expires_at:
        raise HandOverEnded(reason=HandOver.Ending.LAPSED)
    refuse_unless_in_time(block, at=at)
    work = eligibility.work_of(block)
    applicant = eligibility.load(receiver, around=work.window, zone=work.zone, at=at)
    eligibility.check(applicant, work)
    assert applicant.car is not None, "has_room refuses a driver without a car."
    _end(made, HandOver.Ending.ACCEPTED, at=at)
    moves.end_claim(claim, Claim.Ending.HANDED_OVER, at=at, reason=made.code)
    new = Claim.objects.create(
        block=block,
        offer=claim.offer,
        driver=receiver,
        vehicle_id=applicant.car.pk,
        window=block.window,
        hourly_cents=claim.hourly_cents,
        pay_cents=claim.pay_cents,
        claimed_at=at,
        **reckoning.expected(costing.of(receiver), block, pay_cents=claim.pay_cents),
    )
    if block.manifest is not None:
        manifests.unassign(manifest=block.manifest, at=at)
        manifests.assign(manifest=block.manifest, driver=receiver, at=at)
    recording.record(
        facts.hand_over_changed("block.handed_over", made, at=at, actor=facts.by_driver(receiver))
    )
    for each in locked:
        freshness.touch_driver(each)
    return new


def _held_by(block: Block, driver_id: int) -> Claim | None:
    return Claim.objects.live().filter(block=block, driver_id=driver_id).first()  # type: ignore[attr-defined,no-any-return]


@transaction.atomic(durable=True)
def decline(*, code: str, driver_id: int, at: dt.datetime) -> HandOver:
    """No, thank you: the giver keeps the block. A repeat changes nothing; it never counts.

    Raises HandOver.DoesNotExist, HandOverEnded.
    """
    found = HandOver.objects.select_related("claim__block").get(code=code, receiver=driver_id)
    return _answer(found, HandOver.Ending.DECLINED, at=at)


@transaction.atomic(durable=True)
def take_back(*, code: str, driver_id: int, at: dt.datetime) -> HandOver:
    """The giver keeps the block after all. Raises HandOver.DoesNotExist, HandOverEnded."""
    found = HandOver.objects.select_related("claim__block").get(code=code, claim__driver=driver_id)
    return _answer(found, HandOver.Ending.TAKEN_BACK, at=at)


@transaction.atomic(durable=True)
def end(*, code: str, by: User, at: dt.datetime) -> HandOver:
    """Operations take a proposal back: the block stays where it is, and both drivers are told.

    Raises HandOver.DoesNotExist, HandOverEnded.
    """
    found = HandOver.objects.select_related("claim__block").get(code=code)
    return _answer(found, HandOver.Ending.TAKEN_BACK, actor=facts.by_operations(by), at=at)


def _answer(
    found: HandOver, ending: HandOver.Ending, *, actor: Actor | None = None, at: dt.datetime
) -> HandOver:
    """End a proposal without the block passing: by the one whom the ending names, or by this actor."""
    block = locks.block(found.claim.block.code)
    made = HandOver.objects.select_related("claim__driver", "receiver").get(pk=found.pk)
    made.claim.block = block
    if made.ending == ending:
        return made
    if made.ended_at is not None:
        raise HandOverEnded(reason=made.ending)
    _end(made, ending, at=at)
    whose = made.receiver if ending == HandOver.Ending.DECLINED else made.claim.driver
    actor = actor or facts.by_driver(whose)
    recording.record(facts.hand_over_changed(f"block.hand_over_{ending}", made, at=at, actor=actor))
    for driver_id in (made.receiver_id, made.claim.driver_id):
        freshness.touch_driver(driver_id)
    return made


def _end(hand_over: HandOver, ending: HandOver.Ending, *, at: dt.datetime) -> None:
    hand_over.ended_at, hand_over.ending = at, ending
    hand_over.save(update_fields=["ended_at", "ending"])
