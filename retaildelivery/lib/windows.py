"""Half-open windows of time [start, end), and what they add up to per local day and week.

Everything is kept in UTC. Python compares and subtracts two datetimes of the same zone by their wall clocks,
which is an hour wrong across a change of clocks; in UTC 45 minutes are always 45 minutes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

# Ten thousand drivers look at the same blocks: what a window touches is reckoned once for all of them.
_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Window:
    """[start, end) in UTC, whatever zone it was given in.

    Raises ValueError when a moment has no zone or the window is empty or reversed.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.utcoffset() is None or self.end.utcoffset() is None:
            raise ValueError("a window needs moments with a time zone")
        object.__setattr__(self, "start", self.start.astimezone(UTC))
        object.__setattr__(self, "end", self.end.astimezone(UTC))
        if self.end <= self.start:
            raise ValueError("a window ends after it starts")

    @property
    def duration(self) -> timedelta:
        """Elapsed time, not wall-clock difference."""
        return self.end - self.start

    @property
    def minutes(self) -> int:
        """Whole elapsed minutes, rounded down."""
        return self.duration // timedelta(minutes=1)

    def contains(self, moment: datetime) -> bool:
        """Whether the moment is inside; the start is, the end is not."""
        return self.start <= moment.astimezone(UTC) < self.end

    def covers(self, other: "Window") -> bool:
        """Whether the other window lies wholly inside this one."""
        return self.start <= other.start and other.end <= self.end

    def overlaps(self, other: "Window") -> bool:
        """Whether the two share any moment; windows that only touch do not."""
        return self.start < other.end and other.start < self.end

    def gap_to(self, other: "Window") -> timedelta:
        """Time between the two, zero when they touch or overlap."""
        return max(other.start - self.end, self.start - other.end, timedelta(0))

    def intersection(self, other: "Window") -> "Window | None":
        """The shared part, or None."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Window(start, end) if start < end else None


@lru_cache(_KEPT)
def day_window(day: date, tz: tzinfo) -> Window:
    """The local calendar day: 23, 24 or 25 hours long."""
    return Window(
        datetime.combine(day, time(), tzinfo=tz),
        datetime.combine(day + timedelta(days=1), time(), tzinfo=tz),
    )


@lru_cache(_KEPT)
def local_days(window: Window, tz: tzinfo) -> tuple[tuple[date, timedelta], ...]:
    """Each local day the window touches, with the time of it that falls there."""
    found = []
    day = window.start.astimezone(tz).date()
    last = (window.end - timedelta(microseconds=1)).astimezone(tz).date()
    while day <= last:
        part = window.intersection(day_window(day, tz))
        if part is not None:
            found.append((day, part.duration))
        day += timedelta(days=1)
    return tuple(found)


def monday_of(day: date) -> date:
    """The Monday its week begins with."""
    return day - timedelta(days=day.weekday())


def per_day(windows: Iterable[Window], tz: tzinfo) -> dict[date, timedelta]:
    """Time per local day, a window over midnight split between its days. Overlapping windows count twice."""
    totals: dict[date, timedelta] = {}
    for window in windows:
        for day, part in local_days(window, tz):
            totals[day] = totals.get(day, timedelta(0)) + part
    return totals


def per_week(windows: Iterable[Window], tz: tzinfo) -> dict[date, timedelta]:
    """Time per local week, keyed by its Monday."""
    totals: dict[date, timedelta] = {}
    for day, part in per_day(windows, tz).items():
        monday = monday_of(day)
        totals[monday] = totals.get(monday, timedelta(0)) + part
    return totals
