"""Hours at the wheel: how many are used, how many are left on which day, and what one more block would leave."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from drivers.models import Driver
from offers import eligibility, limits
from offers.eligibility import Applicant, Work
from retaildelivery.lib.windows import Window, local_days, monday_of, per_day, per_week

NONE = dt.timedelta(0)


@dataclass(frozen=True, slots=True)
class Day:
    """A local day: hours held or worked, and what is still free, the week's limit heeded too."""

    on: dt.date
    used: dt.timedelta
    free: dt.timedelta


@dataclass(frozen=True, slots=True)
class Week:
    """A local week from Monday."""

    monday: dt.date
    used: dt.timedelta
    left: dt.timedelta
    days: tuple[Day, ...]

    @property
    def limit(self) -> dt.timedelta:
        return limits.WEEK_HOURS

    @property
    def frees_up_on(self) -> dt.date:
        """When the hours of this week count no more."""
        return self.monday + dt.timedelta(days=7)

    def from_day(self, day: dt.date) -> tuple[Day, ...]:
        return tuple(each for each in self.days if each.on >= day)


@dataclass(frozen=True, slots=True)
class Left:
    """What is left after a block: of its fullest day, and of its fullest week. Never below zero."""

    day: dt.timedelta
    week: dt.timedelta


def week(windows: Iterable[Window], *, monday: dt.date, zone: dt.tzinfo) -> Week:
    kept = list(windows)
    by_day = per_day(kept, zone)
    used = per_week(kept, zone).get(monday, NONE)
    left = max(NONE, limits.WEEK_HOURS - used)
    days = []
    for number in range(7):
        day = monday + dt.timedelta(days=number)
        hours = by_day.get(day, NONE)
        days.append(Day(day, hours, min(left, max(NONE, limits.DAY_HOURS - hours))))
    return Week(monday, used, left, tuple(days))


def left_after(applicant: Applicant, work: Work) -> Left:
    """What would remain if this block came on top of what the driver holds."""
    windows = [*(held.window for held in applicant.held), work.window]
    days, weeks = per_day(windows, work.zone), per_week(windows, work.zone)
    touched = [day for day, _time in local_days(work.window, work.zone)]
    return Left(
        day=max(NONE, limits.DAY_HOURS - max(days[day] for day in touched)),
        week=max(NONE, limits.WEEK_HOURS - max(weeks[monday_of(day)] for day in touched)),
    )


def weeks_of(held: Iterable[Window], *, zone: dt.tzinfo, at: dt.datetime, weeks: int = 1) -> list[Week]:
    """This local week, and those after it."""
    kept, monday = list(held), monday_of(at.astimezone(zone).date())
    return [week(kept, monday=monday + dt.timedelta(days=7 * n), zone=zone) for n in range(weeks)]


def of(driver: Driver, *, zone: dt.tzinfo, at: dt.datetime, weeks: int = 1) -> list[Week]:
    """This local week of the driver, and those after it. One query."""
    reach = dt.timedelta(days=7 * weeks + 2)
    held = eligibility.held_windows(driver, at - reach, at + reach)
    return weeks_of((each.window for each in held), zone=zone, at=at, weeks=weeks)
