"""What would my standing be if: the same sum as always, with what may still happen put in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from offers import drawrules, limits

# What may happen, and its points each.
MAY_HAPPEN: dict[str, int] = {
    "completed": limits.COMPLETED_POINTS,
    "late_told": limits.LATE_TOLD_POINTS,
    "late": limits.LATE_CHECK_IN_POINTS,
    "forfeit": limits.FORFEIT_POINTS,
    "no_show": limits.NO_SHOW_POINTS,
}


@dataclass(frozen=True, slots=True)
class Counted:
    """Points that count until a moment."""

    points: int
    decays_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Outlook:
    """Points on a day, whether new blocks may be claimed then, and the share of a draw before recent wins."""

    points: int
    may_claim: bool
    share: int
    good: int = drawrules.GOOD

    @property
    def share_percent(self) -> int:
        return 100 * self.share // self.good


def outlook(counted: Iterable[Counted], happens: Mapping[str, int], *, on: dt.datetime) -> Outlook:
    """The standing on `on`, were all of `happens` (how often each) to happen now. Raises KeyError for what has no
    points."""
    points = sum(each.points for each in counted if each.decays_at > on)
    points += sum(MAY_HAPPEN[kind] * times for kind, times in happens.items())
    return Outlook(
        points=points,
        may_claim=points >= limits.STANDING_FLOOR,
        share=drawrules.weight(points=points, wins=0),
    )


def free_again_on(counted: Iterable[Counted], *, at: dt.datetime) -> dt.datetime | None:
    """When enough has decayed to claim again, for who stands below the floor and does nothing; None for others."""
    rows = sorted(counted, key=lambda each: each.decays_at)
    if outlook(rows, {}, on=at).may_claim:
        return None
    moments = (each.decays_at for each in rows if each.decays_at > at)
    return next((moment for moment in moments if outlook(rows, {}, on=moment).may_claim), None)
