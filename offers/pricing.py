"""Pay: the terms of a block and the work done in, an itemised `Pay` out. One file answers "why this amount?".

docs/pay.md says the same in prose, with worked tables which a test checks against this module. All arithmetic
is Decimal; a line is rounded once, half up, and nothing is computed from a rounded line. Amounts are integer
cents, distances metres, and every line names the policy row it follows from.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum

from retaildelivery.lib import money
from retaildelivery.lib.windows import Window

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
METRES = {"mi": Decimal("1609.344"), "km": Decimal(1000)}

# The Internal Revenue Service's standard mileage rate for business use of a car in 2026, in cents.
IRS_CENTS_A_MILE = Decimal("72.5")


def _(text: str) -> str:
    """Marks a sentence for the catalogue; the page that shows it translates it."""
    return text


class ShiftKind(StrEnum):
    """What decides the base rate of a block."""

    WEEKDAY_DAY = "weekday_day"
    EVENING = "evening"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    SHORT_NOTICE = "short_notice"


class LineKind(StrEnum):
    """What a line of pay is for."""

    BASE = "base"
    STEP = "step"
    OVERTIME = "overtime"
    WAIT = "wait"
    RETURN = "return"
    BONUS = "bonus"
    TOLL = "toll"
    TIP = "tip"
    FLOOR = "floor"
    MILEAGE = "mileage"


LINE_SENTENCES: dict[LineKind, str] = {
    LineKind.BASE: _("%(hours)s h at %(rate)s an hour"),
    LineKind.STEP: _("%(hours)s h at %(rate)s an hour more, the step at which it was claimed"),
    LineKind.OVERTIME: _("%(minutes)s min beyond the block at %(rate)s an hour"),
    LineKind.WAIT: _("%(minutes)s min of waiting at store %(store)s at %(rate)s an hour"),
    LineKind.RETURN: _("%(trips)s way back to a store at %(rate)s each"),
    LineKind.BONUS: _("Bonus %(name)s"),
    LineKind.TOLL: _("Tolls, given back"),
    LineKind.TIP: _("Tip for order %(order)s"),
    LineKind.FLOOR: _("Up to the floor of %(floor)s; %(credited)s of the lines above count towards it"),
    LineKind.MILEAGE: _("%(distance)s %(unit)s at %(rate)s each, on top of the floor"),
}

# Tips belong to the driver and tolls were the driver's own money: neither may ever fill up a floor.
NEVER_CREDITABLE = frozenset({LineKind.TIP, LineKind.TOLL, LineKind.FLOOR, LineKind.MILEAGE})
CREDITABLE = frozenset(LineKind) - NEVER_CREDITABLE


class Mileage(StrEnum):
    """Whether a law's money for distance is in the floor (California) or beside it (British Columbia)."""

    IN_FLOOR = "in_floor"
    ON_TOP = "on_top"


@dataclass(frozen=True, slots=True)
class FloorRule:
    """A law's least pay for one block: a wage for engaged time, money for distance, a minimum.

    `wage_cents_h` times `wage_factor` is due for engaged time ("120 % of the minimum wage"), and
    `distance_cents` for each `distance_unit` ("mi" or "km"). Only lines of `creditable` kinds count.
    Raises ValueError for negative numbers, an unknown unit, and kinds that may never count.
    """

    rule: str
    wage_cents_h: Decimal
    wage_factor: Decimal = Decimal(1)
    distance_cents: Decimal = Decimal(0)
    distance_unit: str = "mi"
    mileage: Mileage = Mileage.IN_FLOOR
    minimum_cents: int = 0
    creditable: frozenset[LineKind] = CREDITABLE

    def __post_init__(self) -> None:
        if min(self.wage_cents_h, self.wage_factor, self.distance_cents, Decimal(self.minimum_cents)) < 0:
            raise ValueError("a floor has no negative rates")
        if self.distance_unit not in METRES:
            raise ValueError(f"{self.distance_unit!r} is neither mi nor km")
        if self.creditable & NEVER_CREDITABLE:
            raise ValueError("tips and tolls never count towards a floor")


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed at the claim. It may rise later, never fall.

    `step_cents_h` is what the ladder had added. A rate of None means the block's own rate, base and step.
    `return_cents` is paid for each way back to a store with undelivered parcels.
    Raises ValueError for negative numbers.
    """

    rule: str
    base_cents_h: int
    step_cents_h: int = 0
    step_rule: str | None = None
    overtime_cents_h: int | None = None
    free_wait: timedelta = timedelta(minutes=10)
    wait_cents_h: int | None = None
    return_cents: int = 0
    tolls_refunded: bool = False
    floors: tuple[FloorRule, ...] = ()

    def __post_init__(self) -> None:
        given = (self.base_cents_h, self.step_cents_h, self.return_cents)
        if min(given) < 0 or min(self.overtime_cents_h or 0, self.wait_cents_h or 0) < 0:
            raise ValueError("terms have no negative rates")
        if self.free_wait < timedelta(0):
            raise ValueError("free waiting is not negative")

    @property
    def rate_cents_h(self) -> int:
        """The block's hourly rate."""
        return self.base_cents_h + self.step_cents_h


@dataclass(frozen=True, slots=True)
class Wait:
    """How long one store kept the driver, and whether that store bears it."""

    store: str
    waited: timedelta
    at_fault: bool = True


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
class Engaged:
    """Time and way that a floor counts. `wage_cents_h` is that of the place and day where it differs."""

    time: timedelta
    metres: int
    wage_cents_h: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """What happened in a block. `overtime` is work beyond the scheduled end that the plan asked for.

    Raises ValueError for negative amounts.
    """

    scheduled: timedelta
    overtime: timedelta = timedelta(0)
    waits: tuple[Wait, ...] = ()
    returns: int = 0
    tips: tuple[Tip, ...] = ()
    bonuses: tuple[Bonus, ...] = ()
    tolls_cents: int = 0
    engaged: tuple[Engaged, ...] = ()

    def __post_init__(self) -> None:
        times = (self.scheduled, self.overtime, *(wait.waited for wait in self.waits))
        times += tuple(engaged.time for engaged in self.engaged)
        if min(times) < timedelta(0):
            raise ValueError("work takes no negative time")
        given = [tip.cents for tip in self.tips] + [bonus.cents for bonus in self.bonuses]
        counts = (self.returns, self.tolls_cents, *given)
        if min(counts) < 0 or any(engaged.metres < 0 for engaged in self.engaged):
            raise ValueError("work has no negative counts, cents or metres")


@dataclass(frozen=True, slots=True)
class PayLine:
    """One reason for money: `LINE_SENTENCES[kind] % dict(params)` says it. Amounts in params are in cents.

    `rule` is the code of the policy row; `charged_to` the store that bears a wait.
    """

    kind: LineKind
    cents: int
    rule: str
    params: tuple[tuple[str, str], ...] = ()
    charged_to: str | None = None


@dataclass(frozen=True, slots=True)
class Pay:
    """Every cent with its reason."""

    lines: tuple[PayLine, ...] = field(default=())

    @property
    def total_cents(self) -> int:
        """The sum of the lines."""
        return sum(line.cents for line in self.lines)

    def of(self, *kinds: LineKind) -> int:
        """The sum of the lines of these kinds."""
        return sum(line.cents for line in self.lines if line.kind in kinds)


def price(terms: Terms, work: Work) -> Pay:
    """What the work pays under the terms, line by line; lines of nothing are left out."""
    lines = [*_time_lines(terms, work), *_wait_lines(terms, work)]
    if work.returns:
        cents = terms.return_cents * work.returns
        lines.append(_line(LineKind.RETURN, cents, terms.rule, trips=work.returns, rate=terms.return_cents))
    lines += [_line(LineKind.BONUS, bonus.cents, bonus.rule, name=bonus.name) for bonus in work.bonuses]
    if terms.tolls_refunded:
        lines.append(_line(LineKind.TOLL, work.tolls_cents, terms.rule))
    lines += [_line(LineKind.TIP, tip.cents, terms.rule, order=tip.order) for tip in work.tips]
    for floor in terms.floors:
        lines += tuple(_floor_lines(floor, work, lines))
    return Pay(tuple(line for line in lines if line.cents))


def _line(kind: LineKind, cents: int, rule: str, charged_to: str | None = None, **params: object) -> PayLine:
    return PayLine(kind, cents, rule, tuple((name, str(value)) for name, value in params.items()), charged_to)


def _time_lines(terms: Terms, work: Work) -> Iterable[PayLine]:
    hours = _plain(money.hours(work.scheduled))
    base = money.round_cents(money.for_time(terms.base_cents_h, work.scheduled))
    yield _line(LineKind.BASE, base, terms.rule, hours=hours, rate=terms.base_cents_h)
    step = money.round_cents(money.for_time(terms.step_cents_h, work.scheduled))
    yield _line(LineKind.STEP, step, terms.step_rule or terms.rule, hours=hours, rate=terms.step_cents_h)
    rate = terms.rate_cents_h if terms.overtime_cents_h is None else terms.overtime_cents_h
    minutes = started_minutes(work.overtime)
    overtime = money.round_cents(money.for_time(rate, minutes * MINUTE))
    yield _line(LineKind.OVERTIME, overtime, terms.rule, minutes=minutes, rate=rate)


def _wait_lines(terms: Terms, work: Work) -> Iterable[PayLine]:
    rate = terms.rate_cents_h if terms.wait_cents_h is None else terms.wait_cents_h
    for wait in work.waits:
        minutes = started_minutes(wait.waited - terms.free_wait)
        cents = money.round_cents(money.for_time(rate, minutes * MINUTE))
        payer = wait.store if wait.at_fault else None
        yield _line(LineKind.WAIT, cents, terms.rule, payer, minutes=minutes, store=wait.store, rate=rate)


def _floor_lines(floor: FloorRule, work: Work, lines: Iterable[PayLine]) -> Iterable[PayLine]:
    """The top-up of one floor, after all lines it may credit, and the mileage that is owed beside it."""
    time_cents, distance = Decimal(0), Decimal(0)
    for engaged in work.engaged:
        wage = floor.wage_cents_h if engaged.wage_cents_h is None else engaged.wage_cents_h
        time_cents += wage * floor.wage_factor * money.hours(engaged.time)
        distance += engaged.metres / METRES[floor.distance_unit]
    mileage = distance * floor.distance_cents
    least = time_cents + mileage if floor.mileage is Mileage.IN_FLOOR else time_cents
    least = max(least, Decimal(floor.minimum_cents))
    # A top-up under an earlier floor counts towards a later one: two laws are not paid twice for one hour.
    credited = sum(line.cents for line in lines if line.kind in floor.creditable | {LineKind.FLOOR})
    top_up = max(0, money.round_cents(least - credited))
    yield _line(LineKind.FLOOR, top_up, floor.rule, floor=money.round_cents(least), credited=credited)
    if floor.mileage is Mileage.ON_TOP:
        cents = money.round_cents(mileage)
        way, rate = _plain(distance), floor.distance_cents
        yield _line(LineKind.MILEAGE, cents, floor.rule, distance=way, unit=floor.distance_unit, rate=rate)


def _plain(number: Decimal) -> str:
    """For people, two decimals at most, without trailing zeros."""
    text = f"{number:.2f}"
    return text.rstrip("0").rstrip(".")


def started_minutes(time: timedelta) -> int:
    """Minutes begun, zero for none or less: a driver's minute is not cut."""
    return max(0, -(-time // MINUTE))


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


def car_cents(metres: int, cents_a_mile: Decimal = IRS_CENTS_A_MILE) -> int:
    """What driving this far costs the driver: fuel, wear, insurance. Default: IRS_CENTS_A_MILE."""
    return money.round_cents(metres / METRES["mi"] * cents_a_mile)


def what_is_left(pay_cents: int, metres: int, cents_a_mile: Decimal = IRS_CENTS_A_MILE) -> int:
    """The driver's estimate after the car, in cents; it may be below zero and is shown so."""
    return pay_cents - car_cents(metres, cents_a_mile)
