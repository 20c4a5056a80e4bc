"""Kinds of shift, and the ladder on which a block climbs until somebody takes it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from retaildelivery.lib.windows import Window

HOUR = timedelta(hours=1)


class ShiftKind(StrEnum):
    """What decides the base rate of a block."""

    WEEKDAY_DAY = "weekday_day"
    EVENING = "evening"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    SHORT_NOTICE = "short_notice"


@dataclass(frozen=True, slots=True)
class ShiftRules:
    """Where the kinds of shift begin, in local time."""

    evening_from: time = time(17)
    short_notice: timedelta = timedelta(hours=2)


def shift_kind(
    window: Window,
    *,
    tz: tzinfo,
    holidays: Collection[date],
    lead: timedelta,
    rules: ShiftRules | None = None,
) -> ShiftKind:
    """The kind of a block published `lead` before its start: the first that holds of holiday, short notice,
    weekend, evening (at least half of it from `evening_from` on), weekday day. Dates are those of its start.
    """
    rules = rules or ShiftRules()
    start = window.start.astimezone(tz)
    if start.date() in holidays:
        return ShiftKind.HOLIDAY
    if lead < rules.short_notice:
        return ShiftKind.SHORT_NOTICE
    if start.isoweekday() in {6, 7}:
        return ShiftKind.WEEKEND
    evening = datetime.combine(start.date(), rules.evening_from, tzinfo=tz)
    if 2 * (window.end - max(window.start, evening)) >= window.duration:
        return ShiftKind.EVENING
    return ShiftKind.WEEKDAY_DAY


@dataclass(frozen=True, slots=True)
class Step:
    """From `at` on a claim is paid `hourly_cents`."""

    at: datetime
    hourly_cents: int


def ladder(
    *, base_cents_h: int, cap_cents_h: int, step_cents_h: int, start: datetime, first_at: datetime
) -> tuple[Step, ...]:
    """The whole ladder as it is published with the offer, the same for everyone.

    Base from `first_at`; then a step up at each full hour before the start, from 24 hours before it on, as
    far as the cap. A block offered late climbs only the hours that are left. Raises ValueError for a step
    that does not climb.
    """
    if step_cents_h <= 0:
        raise ValueError("a step of the ladder goes up")
    steps = [Step(first_at, base_cents_h)]
    for hours_before in range(24, 0, -1):
        at = start - hours_before * HOUR
        rate = min(cap_cents_h, steps[-1].hourly_cents + step_cents_h)
        if at > first_at and rate > steps[-1].hourly_cents:
            steps.append(Step(at, rate))
    return tuple(steps)


def rate_at(steps: tuple[Step, ...], at: datetime) -> int:
    """Cents an hour that a claim at this moment gets; before the first step, that of the first."""
    return [steps[0], *(step for step in steps if step.at <= at)][-1].hourly_cents
