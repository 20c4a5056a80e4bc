"""How work at a block counts in a driver's standing: one event per claim and kind, each with its points."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _

from drivers import standing
from drivers.models import StandingEvent
from offers import limits
from offers.models import Claim

KINDS = {
    StandingEvent.Kind.COMPLETED: (StandingEvent.Fault.NONE, limits.COMPLETED_POINTS),
    StandingEvent.Kind.LATE: (StandingEvent.Fault.DRIVER, limits.LATE_CHECK_IN_POINTS),
    StandingEvent.Kind.FORFEIT: (StandingEvent.Fault.DRIVER, limits.FORFEIT_POINTS),
    StandingEvent.Kind.NO_SHOW: (StandingEvent.Fault.DRIVER, limits.NO_SHOW_POINTS),
}


def note_late(claim: Claim, *, at: dt.datetime) -> bool:
    """A late check-in; it weighs half when the driver had said so in time."""
    told = claim.late_told_at is not None
    return note(claim, StandingEvent.Kind.LATE, at=at, points=limits.LATE_TOLD_POINTS if told else None)


def note(claim: Claim, kind: StandingEvent.Kind, *, at: dt.datetime, points: int | None = None) -> bool:
    """Record the event for this claim's driver, by its kind's points or by these; False when it is there already."""
    fault, usual = KINDS[kind]
    points = usual if points is None else points
    return standing.record(
        key=f"claim:{claim.pk}:{kind}",
        driver=claim.driver,
        kind=kind,
        fault=fault,
        points=points,
        text=_("Block %(code)s: %(what)s") % {"code": claim.block.code, "what": kind.label},
        subject=f"block:{claim.block.code}",
        at=at,
        decays_at=at + limits.STANDING_DECAYS,
    )
