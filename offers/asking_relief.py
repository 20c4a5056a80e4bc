"""A driver on the way asks that another takes over the rest, or some stops; operations grant or decline it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext_lazy as _

from deliveries import relief, reordering
from offers import facts, freshness, holding, locks, relieving
from offers.models import Block, Claim, ReliefRequest
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox import recording
from retaildelivery.outbox.recording import Actor


class StopsNotLeft(Refused):
    code = "stops_not_left"
    sentence = _("These are no stops still to come: %(stops)s.")


class ReliefRequestOver(Refused):
    code = "relief_request_over"
    sentence = _("This request is over: %(ending)s.")


@dataclass(frozen=True, slots=True)
class Choice:
    """A stop that could be handed over; `proposed` when its promise would break as things stand."""

    call: reordering.Call
    proposed: bool


def choices(claim: Claim, *, at: dt.datetime) -> list[Choice]:
    """What is carried and taken over by nobody yet, in the order of visits."""
    manifest = claim.block.manifest
    if manifest is None or claim.block.status not in relieving.ON_THE_ROAD:
        return []
    manifest.mall, manifest.driver = claim.block.mall, claim.driver
    calls = reordering.outlook(manifest, at=at).calls
    taken = relieving.taken_over([call.stop for call in calls])
    return [Choice(call, proposed=call.late_minutes > 0) for call in calls if call.stop.pk not in taken]


def newest(claim: Claim) -> ReliefRequest | None:
    """What the driver of this block asked for last, with how many stops it names."""
    rows = ReliefRequest.objects.filter(claim=claim).annotate(stops_asked=Count("stops"))
    return rows.order_by("-pk").first()


@transaction.atomic(durable=True)
def ask(
    *, block_code: str, driver_id: int, stop_codes: Collection[str], note: str, at: dt.datetime
) -> ReliefRequest:
    """Ask operations that another driver takes these stops over; without codes, all that are left. The same again
    returns the request as it is; other stops take the place of those asked for before.

    Raises ClaimNotYours, NotOnTheRoad, StopsNotLeft, ReliefUnderway, NothingToTakeOver.
    """
    claim = holding.held(block_code=block_code, driver_id=driver_id)
    claim = relieving.claim_on_the_road(claim.block)
    left = relieving.stops_left(claim.block)
    unknown = sorted(set(stop_codes) - {stop.code for stop in left})
    if unknown:
        raise StopsNotLeft(field="stops", stops=", ".join(unknown))
    wanted = [stop for stop in left if stop.code in stop_codes]
    if not stop_codes:
        wanted = relieving.nobody_takes(left)
    relieving.refuse_if_under_way(claim.block, wanted)
    if not relief.held_at(wanted):
        raise relief.NothingToTakeOver(field="stops")
    actor = facts.by_driver(claim.driver)
    for before in _unanswered(claim):
        if set(before.stops.all()) == set(wanted):
            return before
        relieving.end_request(before, ReliefRequest.Ending.TAKEN_BACK, actor=actor, at=at)
    made = ReliefRequest.objects.create(claim=claim, note=note[:300], asked_at=at)
    made.stops.set(wanted)
    recording.record(facts.relief_request_changed("block.relief_asked", made, at=at, actor=actor))
    freshness.touch_driver(driver_id)
    return made


@transaction.atomic(durable=True)
def take_back(*, block_code: str, driver_id: int, at: dt.datetime) -> None:
    """The driver goes on with all of them after all. Nothing open is nothing to do. Raises ClaimNotYours."""
    claim = holding.held(block_code=block_code, driver_id=driver_id)
    for asked in _unanswered(claim):
        actor = facts.by_driver(claim.driver)
        relieving.end_request(asked, ReliefRequest.Ending.TAKEN_BACK, actor=actor, at=at)


def _unanswered(claim: Claim) -> list[ReliefRequest]:
    found = list(ReliefRequest.objects.filter(claim=claim, ended_at=None))
    for asked in found:
        asked.claim = claim
    return found


# -- Operations ----------------------------------------------------------------------------------------------


@transaction.atomic(durable=True)
def grant(*, code: str, actor: Actor, at: dt.datetime) -> Block:
    """Offer what of the request is still carried to another driver, where this one is. A repeat returns the block
    that the first one made.

    Raises ReliefRequest.DoesNotExist, ReliefRequestOver, NotOnTheRoad, ReliefUnderway, NothingToTakeOver.
    """
    asked = _locked(code)
    if asked.relief is not None:
        return asked.relief
    _refuse_if_over(asked)
    claim = relieving.claim_on_the_road(asked.claim.block)
    wanted = set(asked.stops.values_list("pk", flat=True))
    stops = [stop for stop in relieving.stops_left(claim.block) if stop.pk in wanted]
    return relieving.take_from(claim, stops, actor=actor, at=at)


@transaction.atomic(durable=True)
def decline(*, code: str, answer: str, actor: Actor, at: dt.datetime) -> ReliefRequest:
    """The driver keeps the stops. A repeat changes nothing. Raises ReliefRequest.DoesNotExist, ReliefRequestOver."""
    asked = _locked(code)
    if asked.ending != ReliefRequest.Ending.DECLINED:
        _refuse_if_over(asked)
        relieving.end_request(asked, ReliefRequest.Ending.DECLINED, actor=actor, at=at, answer=answer)
    return asked


def _locked(code: str) -> ReliefRequest:
    """The request with its block locked: whoever answers holds that lock, so it stays as it is read here."""
    block = locks.block(ReliefRequest.objects.select_related("claim__block").get(code=code).claim.block.code)
    asked = ReliefRequest.objects.select_related("claim__driver__user", "relief").get(code=code)
    asked.claim.block = block
    return asked


def _refuse_if_over(asked: ReliefRequest) -> None:
    if asked.ended_at is not None:
        raise ReliefRequestOver(reason=asked.ending, ending=asked.get_ending_display())
