"""The half of a handover between drivers that belongs to who gives: they have read the other's code."""

from __future__ import annotations

import datetime as dt

from django.db import connection
from django.utils.translation import gettext_lazy as _

from deliveries import arriving, custody, facts, limits, loading, locks, relief
from deliveries.models import Handover, Manifest, Stop
from drivers import badge
from retaildelivery.accounts.models import User
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox import recording
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import Actor


class NobodyThere(Refused):
    code = "nobody_to_hand_over_to"
    sentence = _("No driver who takes over has checked in at the meeting yet.")
    retryable = True


class WrongRescuerCode(Refused):
    code = "wrong_rescuer_code"
    sentence = _("This is not the code of the driver who takes over. Ask them to show it again.")


def confirm(
    *, giving: Manifest, driver_code: str | None, user: User, actor: Actor, at: dt.datetime
) -> Handover | Refused:
    """Confirm the driver who takes over from this manifest; without a code (operations) whoever is at the meeting.

    What they have scanned is theirs from here on, the rest with their scan. An inner verb; a refusal that is to be
    kept as a fact is returned, not raised. Raises TooManyTries.
    """
    assert connection.in_atomic_block, "An inner verb."
    found = list(
        Stop.objects.filter(
            kind=Stop.Kind.MEETING,
            manifest__status=Manifest.Status.LOADING,
            manifest__stops__relieves__manifest=giving,
        )
        .select_related("manifest__driver")
        .distinct()
        .order_by("pk")
    )
    if not found:
        return NobodyThere()
    tries = Fact.objects.filter(name="handover.refused", at__gt=at - loading.BADGE_WINDOW)
    if tries.about(f"stop:{found[0].code}").count() >= limits.BADGE_TRIES:  # type: ignore[attr-defined]
        raise loading.TooManyTries
    right = [stop for stop in found if driver_code is None or _is_badge_of(stop, driver_code, at)]
    if not right:
        recording.record(facts.handover_refused(None, found[0], at=at, actor=actor))
        return WrongRescuerCode(field="driver_code")
    stop = locks.stop(right[0].code)
    assert stop is not None
    taker = stop.manifest.driver
    if taker is None or stop.manifest.status != Manifest.Status.LOADING:
        return NobodyThere()
    before = Handover.objects.filter(stop=stop).order_by("pk").first()
    if before is not None:
        return before
    custody.refuse_unless_open(stop)
    orders = custody.orders_at(stop)
    handover = Handover.objects.create(stop=stop, driver=taker, confirmed_by=user, at=at)
    arriving.note(stop, orders, driver=taker, evidence=None, at=at)
    recording.record(facts.meeting_confirmed(stop, giving, at=at, actor=actor, driver=taker))
    custody.pass_on(stop, orders, custody.scanned(stop), actor=actor, at=at)
    stop.refresh_from_db(fields=["status"])
    relief.close_if_met(stop, at=at)
    return handover


def _is_badge_of(stop: Stop, entered: str, at: dt.datetime) -> bool:
    driver = stop.manifest.driver
    return driver is not None and badge.matches(driver.badge_secret, entered, at)
