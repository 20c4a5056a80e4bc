"""How work at a block counts in a driver's standing: one event per claim and kind, each with its points."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

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
    return standing.record_all([_event(claim, kind, at=at, points=points)]) == 1


def note_completed(claims: Sequence[Claim]) -> None:
    """These claims ended with their blocks completed: `note` for all of them in one statement."""
    ended = [(claim, claim.ended_at) for claim in claims if claim.ended_at is not None]
    standing.record_all([_event(claim, StandingEvent.Kind.COMPLETED, at=at) for claim, at in ended])


def _event(
    claim: Claim, kind: StandingEvent.Kind, *, at: dt.datetime, points: int | None = None
) -> StandingEvent:
    fault, usual = KINDS[kind]
    return StandingEvent(
        key=f"claim:{claim.pk}:{kind}",
        driver=claim.driver,
        kind=kind,
        fault=fault,
        points=usual if points is None else points,
        subject=f"block:{claim.block.code}",
        at=at,
        decays_at=at + limits.STANDING_DECAYS,
    )
