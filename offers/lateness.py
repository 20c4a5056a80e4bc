"""Running late, and saying so: a driver tells when they will be there, and the stores are warned."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from deliveries import completion
from deliveries import locks as delivery_locks
from offers import facts, freshness, holding, limits
from offers.models import Block, Claim
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox import recording

MINUTE = dt.timedelta(minutes=1)


class LatenessRefused(Refused):
    """Base of what can be said against telling that one is late."""

    code = "lateness_refused"


class NotLate(LatenessRefused):
    code = "not_late"
    sentence = _("That is in time: up to %(minutes)s minutes after the start nobody is late.")


class TooLateToTell(LatenessRefused):
    code = "too_late_to_tell"
    sentence = _("It had to be said by %(minutes)s minutes after the start.")


class EtaTooLate(LatenessRefused):
    code = "eta_too_late"
    sentence = _(
        "Check-in closes %(minutes)s minutes after the start. If you cannot make it by then, release the block."
    )


class AlreadyThere(LatenessRefused):
    code = "already_there"
    sentence = _("You have checked in for this block.")


@transaction.atomic(durable=True)
def tell(*, block_code: str, driver_id: int, eta_at: dt.datetime, at: dt.datetime) -> Claim:
    """The driver of a claimed block says when they will be there. Said by 5 minutes after the start (exactly then
    counts), a late check-in weighs half. Whoever has said so in time may correct the time until check-in closes.

    Raises ClaimNotYours, AlreadyThere, TooLateToTell, NotLate, EtaTooLate.
    """
    claim = holding.held(block_code=block_code, driver_id=driver_id)
    block, start = claim.block, claim.block.starts_at
    if block.status != Block.Status.CLAIMED:
        raise AlreadyThere
    if at > start + limits.CHECK_IN_LATE and claim.late_told_at is None:
        raise TooLateToTell(minutes=limits.CHECK_IN_LATE // MINUTE)
    if eta_at <= max(start + limits.CHECK_IN_LATE, at):
        raise NotLate(field="eta_at", minutes=limits.CHECK_IN_LATE // MINUTE)
    if eta_at >= start + limits.NO_SHOW_AFTER:
        raise EtaTooLate(field="eta_at", minutes=limits.NO_SHOW_AFTER // MINUTE)
    if claim.late_eta_at == eta_at:
        return claim
    claim.late_told_at, claim.late_eta_at = claim.late_told_at or at, eta_at
    claim.save(update_fields=["late_told_at", "late_eta_at"])
    if block.manifest is not None:
        # The counters see when to expect the driver instead.
        completion.retime(delivery_locks.manifest(block.manifest.pk), at=eta_at)
    recording.record(facts.block_running_late(claim, at=at))
    freshness.touch(block.mall.market.code)
    freshness.touch_driver(driver_id)
    return claim
