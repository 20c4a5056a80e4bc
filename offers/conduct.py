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


def note(claim: Claim, kind: StandingEvent.Kind, *, at: dt.datetime) -> bool:
    """Record the event for this claim's driver; False when it is there already."""
    fault, points = KINDS[kind]
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
