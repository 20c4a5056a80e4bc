"""How many orders to expect at a mall in some hours of a day, and how many blocks they ask for. Plain Python: counts
in, numbers with their reasons out.

The baseline is seasonal by weekday and hour: the mean of the same weekday's hours, newer weeks weighing more, times
the trend of the whole mall. With less history than that needs, all days count alike; with less than a week nothing is
claimed to be known.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
WEEK = 7
SEASONAL_WEEKS = 4  # so many of the same weekday make a season; fewer are chance
FADE = 0.85  # what a week's weight loses to the week after it
TREND_LEAST, TREND_MOST = 0.5, 2.0  # a mall that doubles in a month is as much as is believed
BAND = 1.28  # standard deviations to either side: eight days of ten lie within
SUNDAY = 6
ORDERS_A_BLOCK_HOUR = 3.0  # where no block was worked yet
BLOCKS_KNOWN = 5  # fewer blocks do not say what one carries
LENGTHS = (3, 2, 4)  # hours, in the order in which a day is cut


class Method(StrEnum):
    SEASONAL = "seasonal"
    AVERAGE_DAY = "average_day"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class History:
    """Orders by local day and the hour they were packed. `since` is the day of the first order, `until` the day after
    the last that is over; days between without an order count as none."""

    counts: Mapping[tuple[dt.date, int], int]
    since: dt.date | None
    until: dt.date
    holidays: AbstractSet[dt.date] = frozenset()

    def of(self, day: dt.date, hours: Sequence[int]) -> int:
        return sum(self.counts.get((day, hour), 0) for hour in hours)

    def days(self) -> list[dt.date]:
        if self.since is None:
            return []
        return [self.since + number * DAY for number in range((self.until - self.since).days)]


@dataclass(frozen=True, slots=True)
class Expected:
    """Orders expected, the band in which eight of ten such days lie, and from what."""

    method: Method
    orders: float
    low: float
    high: float
    samples: int
    trend: float = 1.0
    holiday: str = ""


@dataclass(frozen=True, slots=True)
class Carried:
    """What a block carries in an hour, and from how many blocks that is known; none means it is assumed."""

    orders_an_hour: float
    blocks: int


def expect(history: History, day: dt.date, hours: Sequence[int]) -> Expected:
    """Orders packed in these local hours of the day."""
    known = history.days()
    if len(known) < WEEK:
        return Expected(Method.NONE, 0.0, 0.0, 0.0, len(known))
    alike, holiday = _alike(history, day, known)
    if len(alike) < SEASONAL_WEEKS and holiday != "past":
        counts = [float(history.of(each, hours)) for each in known]
        return _banded(Method.AVERAGE_DAY, counts, [1.0] * len(counts))
    counts = [float(history.of(each, hours)) for each in alike]
    weights = [FADE ** ((day - each).days / WEEK) for each in alike]
    # Holidays are too few to have a trend of their own, and are not of the weeks that the mall's is read from.
    trend = 1.0 if holiday == "past" else trend_of(history)
    return _banded(Method.SEASONAL, counts, weights, trend=trend, holiday=holiday)


def _alike(history: History, day: dt.date, known: Sequence[dt.date]) -> tuple[list[dt.date], str]:
    """The days of the history that this one is like. A holiday is like the holidays before it, or a Sunday."""
    plain = [each for each in known if each not in history.holidays]
    if day not in history.holidays:
        return [each for each in plain if each.weekday() == day.weekday()], ""
    past = [each for each in known if each in history.holidays]
    if past:
        return past, "past"
    return [each for each in plain if each.weekday() == SUNDAY], "sunday"


def trend_of(history: History) -> float:
    """Orders of the last four whole weeks by those of the four before; 1 where there are not eight."""
    whole = range(24)
    days = history.days()
    if len(days) < 2 * SEASONAL_WEEKS * WEEK:
        return 1.0
    newer, older = days[-SEASONAL_WEEKS * WEEK :], days[-2 * SEASONAL_WEEKS * WEEK : -SEASONAL_WEEKS * WEEK]
    before = sum(history.of(day, whole) for day in older if day not in history.holidays)
    if before == 0:
        return 1.0
    ratio = sum(history.of(day, whole) for day in newer if day not in history.holidays) / before
    # Damped: growth that was seen is only half believed to go on, which errs less than either extreme.
    return min(TREND_MOST, max(TREND_LEAST, math.sqrt(ratio)))


def _banded(
    method: Method,
    counts: Sequence[float],
    weights: Sequence[float],
    *,
    trend: float = 1.0,
    holiday: str = "",
) -> Expected:
    total = sum(weights)
    mean = sum(weight * count for weight, count in zip(weights, counts, strict=True)) / total
    spread = sum(weight * (count - mean) ** 2 for weight, count in zip(weights, counts, strict=True)) / total
    orders = mean * trend
    # Orders come one by one: even were all weeks the same, chance alone spreads them so far.
    reach = BAND * math.sqrt(max(spread * trend**2, orders))
    return Expected(
        method, orders, max(0.0, orders - reach), orders + reach, len(counts), trend=trend, holiday=holiday
    )


def carried(worked: Sequence[tuple[int, dt.timedelta]]) -> Carried:
    """From blocks worked: orders and length of each."""
    if len(worked) < BLOCKS_KNOWN:
        return Carried(ORDERS_A_BLOCK_HOUR, 0)
    return Carried(fmean(orders / (length / HOUR) for orders, length in worked), len(worked))


def blocks_for(orders: float, *, per_block: float) -> int:
    """Blocks for so many orders, to the nearest whole: an empty one costs its pay, a missing one a wave at short
    notice."""
    return math.floor(orders / per_block + 0.5) if per_block > 0 else 0


def cut(history: History, day: dt.date) -> list[tuple[int, int]]:
    """The starts and lengths, in local hours, into which the day is cut: from its first hour with at least half an
    order to its last, in lengths that are sold."""
    busy = [hour for hour in range(24) if expect(history, day, [hour]).orders >= 0.5]
    if not busy:
        return []
    starts = []
    hour, end = busy[0], busy[-1] + 1
    while hour < end:
        left = end - hour
        length = left if left in LENGTHS else 2 if left in {1, 5} else 3
        length = min(length, 24 - hour)
        starts.append((hour, length))
        hour += length
    return [(start, length) for start, length in starts if length >= min(LENGTHS)]
