"""How far a car went, from where its phone and its stops say it was. Pure; metres by great circles and the factor of
roads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from retaildelivery.lib.geo import Point, crow_m, road_m

STILL_M = 30  # a phone that lies in a parked car wanders so far
DOUBT_M = 200  # of a phone that doubts itself more nothing is believed
FASTEST_M_S = 60  # 134 miles an hour: a jump, not a drive
CLOSE = dt.timedelta(minutes=2)  # between two positions; farther apart, roads in between are estimated
HOLE = dt.timedelta(minutes=10)  # without a position: that time counts as not covered
COVERED = 0.75  # of the time, from which on positions are believed more than the plan


@dataclass(frozen=True, slots=True)
class Fix:
    """Somewhere at a moment; `doubt_m` is the radius that the phone itself claims."""

    at: dt.datetime
    point: Point
    doubt_m: int = 0


def covered(fixes: Sequence[Fix], *, start: dt.datetime, end: dt.datetime) -> bool:
    """Whether positions say enough of this time to reckon by them."""
    moments = [start, *(fix.at for fix in fixes if start <= fix.at <= end), end]
    holes = [after - before for before, after in pairwise(moments) if after - before > HOLE]
    return bool(fixes) and sum(holes, dt.timedelta(0)) <= (1 - COVERED) * (end - start)


def way_m(begin: Fix, fixes: Iterable[Fix], known: Iterable[Fix] = ()) -> tuple[int, Fix]:
    """Metres driven from a known place over these positions, and where that ended. Who stands still drives nothing,
    jumps are left out. `known` places, such as doors, help out where the phone was silent."""
    last = anchor = begin
    metres = 0
    for fix in _merged(list(fixes), known):
        if fix.at <= last.at or fix.doubt_m > DOUBT_M:
            continue
        way = crow_m(anchor.point, fix.point)
        if crow_m(last.point, fix.point) > FASTEST_M_S * (fix.at - last.at).total_seconds() + STILL_M:
            continue
        silent = fix.at - last.at
        last = fix
        if way > max(STILL_M, fix.doubt_m):
            metres += way if silent <= CLOSE else road_m(anchor.point, fix.point)
            anchor = fix
    return metres, anchor


def _merged(fixes: list[Fix], known: Iterable[Fix]) -> list[Fix]:
    """All in the order of time; a known place only where no position is near in time."""
    moments = [fix.at for fix in fixes]
    lonely = [each for each in known if not any(abs(each.at - moment) <= CLOSE for moment in moments)]
    return sorted([*fixes, *lonely], key=lambda fix: fix.at)
