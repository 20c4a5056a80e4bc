"""Being there: check-in at the mall, departure, and what happens when nobody comes."""

from __future__ import annotations

import datetime as dt
import secrets

from django.core.cache import cache
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from redis.exceptions import RedisError

from deliveries import loading, manifests
from deliveries import locks as delivery_locks
from deliveries.custody import OtherTrip
from deliveries.models import Manifest
from drivers.models import StandingEvent
from offers import conduct, declining, facts, freshness, holding, limits, locks, moves, relieving, rescuing
from offers.models import Block, Claim
from retaildelivery.lib import codes, geo
from retaildelivery.lib.geo import Point
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox import recording, sweeping
from retaildelivery.outbox.recording import SYSTEM
from retaildelivery.web.measures import near


class TooEarlyToCheckIn(Refused):
    code = "too_early_to_check_in"
    sentence = _("Check-in opens %(minutes)s minutes before the start.")
    retryable = True


class TooLateToCheckIn(Refused):
    code = "too_late_to_check_in"
    sentence = _("Check-in closed %(minutes)s minutes after the start; the block is offered to others.")


class PositionNeeded(Refused):
    code = "position_needed"
    sentence = _("Share your position, or enter the code that the mall desk tells you.")


class OutsideGeofence(Refused):
    code = "outside_geofence"
    sentence = _("You are %(far)s from the mall; check in within %(near)s of it or by the desk's code.")
    retryable = True


class FarFromMeeting(OutsideGeofence):
    """The same for a block that starts where another driver stands."""

    sentence = _("You are %(far)s from the meeting place; check in within %(near)s of it.")


class WrongDeskCode(Refused):
    code = "wrong_desk_code"
    sentence = _("That is not the mall desk's code.")


class TooManyTries(Refused):
    code = "too_many_tries"
    sentence = _("Too many wrong codes. Wait ten minutes or show your position.")
    retryable = True


class NotCheckedIn(Refused):
    code = "not_checked_in"
    sentence = _("Check in first.")


@transaction.atomic(durable=True)
def check_in(
    *,
    block_code: str,
    driver_id: int,
    point: Point | None,
    accuracy_m: int | None,
    desk_code: str,
    at: dt.datetime,
) -> Block:
    """The driver is at the mall, or with who hands over on the way: by position inside the circle, or by the desk's
    code. Loading opens.

    From 15 minutes before the start (exactly then counts) to just before 20 minutes after it; later than 5
    minutes after it is late, which counts. A repeat changes nothing. `desk_code` is "" when none was given.

    Raises ClaimNotYours, TooEarlyToCheckIn, TooLateToCheckIn, PositionNeeded, OutsideGeofence, WrongDeskCode,
    TooManyTries.
    """
    claim = holding.held(block_code=block_code, driver_id=driver_id)
    block = claim.block
    if block.status != Block.Status.CLAIMED:
        return block
    if at < block.starts_at - limits.CHECK_IN_BEFORE:
        raise TooEarlyToCheckIn(minutes=limits.CHECK_IN_BEFORE // dt.timedelta(minutes=1))
    if at >= block.starts_at + limits.NO_SHOW_AFTER:
        raise TooLateToCheckIn(minutes=limits.NO_SHOW_AFTER // dt.timedelta(minutes=1))
    meet = relieving.meeting_of(block)
    place = block.mall.point if meet is None else meet.point
    off_by_m = None if point is None else geo.crow_m(place, point)
    how = (
        _by_desk(block, desk_code)
        if desk_code
        else _by_position(block, off_by_m, accuracy_m, meets=meet is not None)
    )
    late = at > block.starts_at + limits.CHECK_IN_LATE
    moves.move_block(block, Block.Status.CHECKED_IN, at=at, checked_in_at=at)
    if block.manifest is not None:
        manifests.open_loading(manifest=block.manifest, at=at)
    recording.record(
        facts.block_checked_in(block, at=at, driver=claim.driver, how=how, late=late, off_by_m=off_by_m)
    )
    if late:
        conduct.note_late(claim, at=at)
    freshness.touch_driver(driver_id)
    return block


def _by_position(block: Block, off_by_m: int | None, accuracy_m: int | None, *, meets: bool) -> str:
    if off_by_m is None:
        raise PositionNeeded
    radius = block.mall.geofence_m + min(accuracy_m or 0, limits.ACCURACY_SLACK_M)
    if off_by_m > radius:
        far = FarFromMeeting if meets else OutsideGeofence
        raise far(distance=off_by_m, far=near(off_by_m), near=near(block.mall.geofence_m))
    return "position"


def _by_desk(block: Block, entered: str) -> str:
    if _wrong_desk_codes(block) >= limits.DESK_CODE_TRIES:
        raise TooManyTries
    told, right = codes.normalise(entered), codes.normalise(block.mall.desk_code)
    if not secrets.compare_digest(told.encode(), right.encode()):
        _wrong_desk_codes(block, more=1)
        raise WrongDeskCode(field="desk_code")
    return "desk"


def _wrong_desk_codes(block: Block, *, more: int = 0) -> int:
    """How many were entered lately, these included. Counted in the cache: losing the count costs at most another
    round of tries at one of 28^6 codes, so a cache that is away lets the driver in who has the right one."""
    key = f"offers:desk-tries:{block.pk}"
    try:
        cache.add(key, 0, timeout=int(limits.DESK_CODE_WINDOW.total_seconds()))
        return int(cache.incr(key, more))
    except (RedisError, ValueError):
        return more


@transaction.atomic(durable=True)
def depart(*, block_code: str, driver_id: int, at: dt.datetime, trip: int | None = None) -> Block:
    """The driver leaves the mall with what is loaded, on this `trip` of the block, or whichever is loaded now. A repeat
    changes nothing.

    Raises ClaimNotYours, NotCheckedIn, OtherTrip for a trip that is not loaded yet, and what
    `deliveries.loading.depart` refuses (not_loaded).
    """
    claim = holding.held(block_code=block_code, driver_id=driver_id)
    block = claim.block
    if block.status == Block.Status.CLAIMED:
        raise NotCheckedIn
    if block.status not in {Block.Status.CHECKED_IN, Block.Status.WORKING}:
        return block
    loads = _loads(block, trip)
    if block.status == Block.Status.WORKING and not loads:
        return block
    if block.status == Block.Status.CHECKED_IN:
        moves.move_block(block, Block.Status.WORKING, at=at)
    recording.record(facts.block_departed(block, at=at, driver=claim.driver))
    if block.manifest is not None:
        loading.depart(manifest=block.manifest, at=at)
    return block


def _loads(block: Block, trip: int | None) -> bool:
    """Whether this trip, or whichever there is, of the (locked) block is loaded now. Raises OtherTrip."""
    if block.manifest is None:
        return False
    manifest = delivery_locks.manifest(block.manifest.pk)
    if trip is not None and trip > manifest.trip:
        raise OtherTrip(field="trip", reason=str(trip), trip=trip, now=manifest.trip)
    return manifest.status == Manifest.Status.LOADING and trip in {None, manifest.trip}


def no_shows(*, at: dt.datetime) -> list[int]:
    """Claimed blocks whose driver has not come by 20 minutes after the start, a batch of them."""
    return list(
        Block.objects.filter(status=Block.Status.CLAIMED, window__startswith__lte=at - limits.NO_SHOW_AFTER)
        .order_by("pk")
        .values_list("pk", flat=True)[: limits.SWEEP_BATCH]
    )


def sweep(*, at: dt.datetime) -> int:
    """End every claim whose driver did not come; returns how many this sweep ended."""
    return sweeping.each(no_shows(at=at), lambda key: miss(block_id=key, at=at), of="no-shows", at=at)


@transaction.atomic(durable=True)
def miss(*, block_id: int, at: dt.datetime) -> bool:
    """The driver did not come: the claim ends as a no-show and the orders get a rescue block, or wait again.

    False when there is nothing (more) to do, so that a second sweep has no second effect.
    """
    block = locks.block_unless_busy(block_id)
    if block is None or block.status != Block.Status.CLAIMED:
        return False
    if at < block.starts_at + limits.NO_SHOW_AFTER:
        return False
    if block.origin == Block.Origin.SCHEDULED and block.orders_count == 0:
        # No parcel ever waited for the driver: it is stood down, be that sweep late.
        return False
    claim = Claim.objects.live().select_related("driver", "offer").get(block=block)
    claim.block = block
    moves.end_claim(claim, Claim.Ending.NO_SHOW, at=at)
    conduct.note(claim, StandingEvent.Kind.NO_SHOW, at=at)
    rescue = rescuing.rescue(block=block, at=at)
    recording.record(facts.claim_ended(claim, at=at, actor=SYSTEM))
    for missed in filter(None, (block, rescue)):
        declining.hide(block=missed, driver=claim.driver, at=at)
    freshness.touch_driver(claim.driver_id)
    return True
