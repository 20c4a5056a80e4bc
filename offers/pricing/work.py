"""What goes into pricing: what was agreed, and what happened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING

from offers.pricing.stretches import without

if TYPE_CHECKING:
    from offers.pricing.floors import FloorRule

ZERO = timedelta(0)
MINUTE = timedelta(minutes=1)
Cents = int | Decimal


class Outcome(StrEnum):
    """How a block ended."""

    COMPLETED = "completed"
    STOOD_DOWN = "stood_down"
    WITHDRAWN = "withdrawn"
    ABORTED = "aborted"
    PARTIAL = "partial"


@dataclass(frozen=True, slots=True)
class Notice:
    """Less notice than this earns so much of the block's pay."""

    less_than: timedelta
    percent: Decimal


NOTICE = (Notice(45 * MINUTE, Decimal(100)), Notice(120 * MINUTE, Decimal(50)))


def notice_percent(notice: timedelta, steps: Iterable[Notice] = NOTICE) -> Decimal:
    """What share of a block's pay is due when it is withdrawn so long before its start: that of the shortest
    step it falls short of. Exactly two hours are enough notice, exactly 45 minutes earn half."""
    for step in sorted(steps, key=lambda step: step.less_than):
        if notice < step.less_than:
            return step.percent
    return Decimal(0)


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed at the claim. It may rise later, never fall.

    `step_cents_h` is what the ladder had added. A rate of None means the block's own rate, base and step.
    `flat_cents` is an agreed sum in place of an hourly base. `return_cents` is paid for each way back to a
    store with undelivered parcels, `extra_trip_cents` for each trip that was not planned, beside its time and
    miles. Raises ValueError for negative numbers.
    """

    rule: str
    base_cents_h: Cents = 0
    step_cents_h: Cents = 0
    step_rule: str | None = None
    overtime_cents_h: Cents | None = None
    free_wait: timedelta = timedelta(minutes=10)
    wait_cents_h: Cents | None = None
    return_cents: int = 0
    tolls_refunded: bool = False
    floors: tuple[FloorRule, ...] = ()
    flat_cents: int | None = None
    extra_trip_cents: int = 0
    extra_cents_h: Cents | None = None
    extra_cents_mile: Decimal = Decimal(0)
    notice: tuple[Notice, ...] = NOTICE
    stood_down_percent: Decimal = Decimal(100)

    def __post_init__(self) -> None:
        given = (self.base_cents_h, self.step_cents_h, self.return_cents, self.extra_trip_cents)
        maybe = (self.overtime_cents_h, self.wait_cents_h, self.flat_cents, self.extra_cents_h)
        if min(given) < 0 or min(each or 0 for each in maybe) < 0 or self.extra_cents_mile < 0:
            raise ValueError("terms have no negative rates")
        if self.free_wait < ZERO:
            raise ValueError("free waiting is not negative")
        percents = [self.stood_down_percent, *(step.percent for step in self.notice)]
        if not all(0 <= percent <= 100 for percent in percents):
            raise ValueError("a share of the pay is from 0 to 100 percent")

    @property
    def rate_cents_h(self) -> Cents:
        """The block's hourly rate."""
        return self.base_cents_h + self.step_cents_h


@dataclass(frozen=True, slots=True)
class Wait:
    """How long one store kept the driver, and whether that store bears it. A driver who comes back to load another trip
    visits a store a second time: each visit has its own free minutes."""

    store: str
    waited: timedelta
    at_fault: bool = True
    visit: int = 1


@dataclass(frozen=True, slots=True)
class Tip:
    """What a recipient gave for an order."""

    order: str
    cents: int


@dataclass(frozen=True, slots=True)
class Bonus:
    """An extra with a name and the row that grants it."""

    name: str
    cents: int
    rule: str


@dataclass(frozen=True, slots=True)
class ExtraTrip:
    """A way that was not in the plan: a refused return, a wrong address."""

    name: str
    time: timedelta = ZERO
    metres: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Trip:
    """The moments of one offer, from which a law's engaged time is clipped. `gaps` are idle stretches."""

    accepted_at: datetime | None = None
    arrived_at: datetime | None = None
    picked_up_at: datetime | None = None
    ended_at: datetime | None = None
    gaps: tuple[tuple[datetime, datetime], ...] = ()


@dataclass(frozen=True, slots=True)
class Clip:
    """What of a trip a law calls engaged: from which moment, gaps or not, and whose cancelling voids it."""

    since: str = "accepted"
    gaps_excluded: bool = True
    voided_by: frozenset[str] = frozenset({"driver"})
    whole_minutes: str = "exact"

    def stretches(self, trip: Trip) -> tuple[tuple[datetime, datetime], ...]:
        """The engaged stretches of a trip, in order. Raises ValueError when the first or last moment lacks."""
        begin = {
            "accepted": trip.accepted_at,
            "arrived": trip.arrived_at,
            "picked_up": trip.picked_up_at,
        }[self.since]
        if trip.ended_at is None or begin is None:
            raise ValueError(f"a trip needs the moments {self.since} and completed (or cancelled)")
        return tuple(without([(begin, trip.ended_at)], trip.gaps if self.gaps_excluded else ()))

    def rounded(self, time: timedelta) -> timedelta:
        """To whole minutes, where a law counts so."""
        up = -(-time // MINUTE) * MINUTE
        down = time // MINUTE * MINUTE
        nearest = (time + MINUTE / 2) // MINUTE * MINUTE
        return {"exact": time, "up": up, "down": down, "nearest": nearest}[self.whole_minutes]


@dataclass(frozen=True, slots=True)
class Engaged:
    """Time and way that a floor counts. `wage_cents_h` is that of the place and day where it is known;
    otherwise the floor's own rate for `place` and `day` holds. With a `trip` the time follows from its moments
    and the floor's rules. `idle` is the part of `time` in which nothing was under way, `on_call` time logged in
    without a trip. What was cancelled names who did it."""

    time: timedelta = ZERO
    metres: int | Decimal = 0
    wage_cents_h: Decimal | None = None
    place: str | None = None
    day: date | None = None
    trip: Trip | None = None
    on_call: timedelta = ZERO
    idle: timedelta = ZERO
    cancelled_by: str | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """What happened in a block. `overtime` is work beyond the scheduled end that the plan asked for.

    `notice` belongs to a withdrawn block, `worked` (handover minutes included) to an aborted one, `share` to a
    partial one. Raises ValueError for negative amounts and for an outcome without its number.
    """

    scheduled: timedelta = ZERO
    overtime: timedelta = ZERO
    waits: tuple[Wait, ...] = ()
    returns: int = 0
    tips: tuple[Tip, ...] = ()
    bonuses: tuple[Bonus, ...] = ()
    tolls_cents: int = 0
    engaged: tuple[Engaged, ...] = ()
    extra_trips: tuple[ExtraTrip, ...] = ()
    outcome: Outcome = Outcome.COMPLETED
    notice: timedelta | None = None
    worked: timedelta | None = None
    share: Fraction | None = None
    mileage_paid_cents: int = 0

    def __post_init__(self) -> None:
        times = (self.scheduled, self.overtime, *(wait.waited for wait in self.waits), self.worked or ZERO)
        times += tuple(engaged.time for engaged in self.engaged)
        times += tuple(engaged.on_call for engaged in self.engaged)
        times += tuple(trip.time for trip in self.extra_trips)
        if min(times) < ZERO:
            raise ValueError("work takes no negative time")
        given = [tip.cents for tip in self.tips] + [bonus.cents for bonus in self.bonuses]
        counts = (self.returns, self.tolls_cents, self.mileage_paid_cents, *given)
        ways = [engaged.metres for engaged in self.engaged] + [trip.metres for trip in self.extra_trips]
        if min(counts) < 0 or any(metres < 0 for metres in ways):
            raise ValueError("work has no negative counts, cents or metres")
        needed = {
            Outcome.WITHDRAWN: self.notice,
            Outcome.ABORTED: self.worked,
            Outcome.PARTIAL: self.share,
        }
        if needed.get(self.outcome, True) is None:
            raise ValueError(f"a block that is {self.outcome} says how far")
        if self.share is not None and not 0 <= self.share <= 1:
            raise ValueError("a share is from 0 to 1")
