"""What a law guarantees: a wage for engaged time, money for distance, a minimum, per offer, shift, period or pool.

The amounts due under several floors are found one after the other, the narrowest scope first; what an earlier one
topped up counts towards a later one, since two laws are not paid twice for one hour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from offers.pricing.lines import LineKind, PayLine, line, plain, round_half_up
from offers.pricing.rates import METRES, Amount, NoRate, Rates, amount_of, amounts
from offers.pricing.stretches import Busy
from offers.pricing.work import ZERO, Clip, Engaged

# Tips belong to the driver and tolls were the driver's own money: neither may ever fill up a floor.
NEVER_CREDITABLE = frozenset({LineKind.TIP, LineKind.TOLL, LineKind.FLOOR, LineKind.MILEAGE})
CREDITABLE = frozenset(LineKind) - NEVER_CREDITABLE

_MICROSECOND = timedelta(microseconds=1)
_AN_HOUR = 3_600_000_000


class Mileage(StrEnum):
    """Whether a law's money for distance is in the floor (California), beside it (British Columbia), or in
    the least of each single offer, before that offer's minimum (Seattle)."""

    IN_FLOOR = "in_floor"
    ON_TOP = "on_top"
    IN_OFFER = "in_offer"


class Scope(StrEnum):
    """Over what pay is compared with the floor: one offer, one driver's shift or period, or all drivers."""

    OFFER = "offer"
    SHIFT = "shift"
    PERIOD = "period"
    POOL = "pool"


class Share(StrEnum):
    """By what a pool's shortfall is divided among its drivers."""

    HOURS = "hours"
    TRIP_HOURS = "trip_hours"
    EQUAL = "equal"


@dataclass(frozen=True, slots=True)
class Holds:
    """Where and when a law holds, by the pickup: places (none: everywhere) and days [valid_from, valid_to)."""

    places: frozenset[str] = frozenset()
    valid_from: date | None = None
    valid_to: date | None = None

    @property
    def always(self) -> bool:
        return not self.places and self.valid_from is None and self.valid_to is None

    def at(self, engaged: Engaged) -> bool:
        """Raises NoRate when the work does not tell the place or the day that is asked for."""
        if (self.places and engaged.place is None) or (
            (self.valid_from or self.valid_to) and engaged.day is None
        ):
            raise NoRate(engaged.place, engaged.day)
        if self.places and engaged.place not in self.places:
            return False
        day = engaged.day
        return day is None or (self.valid_from or date.min) <= day < (self.valid_to or date.max)


@dataclass(frozen=True, slots=True)
class FloorRule:
    """A law's least pay.

    `wage_cents_h` times `wage_factor` ("120 % of the minimum wage"), divided by `utilisation` (New York's
    share of the time that has trips), is due for engaged time and, with `counts_on_call`, for time on call;
    `distance_cents` times `distance_factor` for each `distance_unit` ("mi" or "km"). `minimum_cents` is the least
    of the whole scope, `each_minimum_cents` of every offer in it; where they are rows, the highest of those that hold
    for its pickups. Only lines of `creditable` kinds count, and only work of where and when it `holds`.
    Raises ValueError for negative numbers, an unknown unit, and kinds that may never count.
    """

    rule: str
    wage_cents_h: Amount = Decimal(0)
    wage_factor: Decimal = Decimal(1)
    distance_cents: Amount = Decimal(0)
    distance_unit: str = "mi"
    mileage: Mileage = Mileage.IN_FLOOR
    minimum_cents: int | Amount = 0
    creditable: frozenset[LineKind] = CREDITABLE
    scope: Scope = Scope.OFFER
    distance_factor: Decimal = Decimal(1)
    each_minimum_cents: int | Amount = 0
    utilisation: Decimal = Decimal(1)
    counts_on_call: bool = False
    share: Share = Share.HOURS
    clip: Clip = field(default_factory=Clip)
    takes_wage: bool = True
    holds: Holds = field(default_factory=Holds)

    def __post_init__(self) -> None:
        numbers = [*amounts(self.wage_cents_h), *amounts(self.distance_cents), self.wage_factor]
        numbers += [*amounts(self.minimum_cents), *amounts(self.each_minimum_cents), self.distance_factor]
        if min(numbers) < 0:
            raise ValueError("a floor has no negative rates")
        if not 0 < self.utilisation <= 1:
            raise ValueError("utilisation is above 0 and at most 1")
        if self.distance_unit not in METRES:
            raise ValueError(f"{self.distance_unit!r} is neither mi nor km")
        if self.creditable & NEVER_CREDITABLE:
            raise ValueError("tips and tolls never count towards a floor")


@dataclass(frozen=True, slots=True)
class Offered:
    """One thing a driver accepted, as a floor sees it: whose it is, what was engaged, what it was paid.

    `granted` is what narrower floors have topped up before, which counts. `done` is False for what was withdrawn or
    voided: no minimum is due for it.
    """

    key: str
    driver: str = ""
    shift: str = ""
    period: str = ""
    engaged: tuple[Engaged, ...] = ()
    paid: Mapping[LineKind, Fraction] = field(default_factory=dict)
    mileage_paid: Fraction = Fraction(0)
    done: bool = True
    granted: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class Due:
    """What one floor comes to for one scope of it. `least` and `credited` are exact cents.

    In a pool there is one for each driver: `top_up_cents` and `mileage_cents` are the driver's, the rest that of
    the pool.
    """

    floor: FloorRule
    driver: str
    offers: tuple[str, ...]
    time: timedelta
    metres: Fraction
    least: Fraction
    credited: Fraction
    top_up_cents: int
    mileage_cents: int

    def lines(self) -> Iterable[PayLine]:
        """The lines of pay it makes; they may be of nothing."""
        floor = round_half_up(self.least)
        credited = round_half_up(self.credited)
        if self.floor.scope is Scope.POOL:
            numbers: dict[str, object] = {"pool": floor, "pool_credited": credited}
        else:
            numbers = {"floor": floor, "credited": credited}
        yield line(LineKind.FLOOR, self.top_up_cents, self.floor.rule, None, **numbers)
        if self.floor.mileage is Mileage.ON_TOP:
            unit = self.floor.distance_unit
            way = plain(self.metres / Fraction(METRES[unit]))
            rate = "/".join(dict.fromkeys(str(each) for each in amounts(self.floor.distance_cents)))
            yield line(
                LineKind.MILEAGE, self.mileage_cents, self.floor.rule, distance=way, unit=unit, rate=rate
            )


@dataclass(slots=True)
class _Sum:
    """Of one offer: exact cents and what they are for."""

    time: timedelta = ZERO
    trip_time: timedelta = ZERO
    metres: Fraction = Fraction(0)
    wage: Fraction = Fraction(0)
    mileage: Fraction = Fraction(0)
    done: bool = True


_RANKS = list(Scope)
_SCOPES: dict[Scope, Callable[[Offered], tuple[str, ...]]] = {
    Scope.OFFER: lambda offer: (offer.driver, offer.key),
    Scope.SHIFT: lambda offer: (offer.driver, offer.shift),
    Scope.PERIOD: lambda offer: (offer.driver, offer.period),
    Scope.POOL: lambda offer: (offer.period,),
}


def dues(floors: Iterable[FloorRule], offers: Sequence[Offered]) -> tuple[Due, ...]:
    """What every floor comes to, floor by floor. Raises NoRate, and ValueError for a trip without its moments."""
    found: list[Due] = []
    granted: dict[str, Fraction] = {}
    for floor in sorted(floors, key=lambda floor: _RANKS.index(floor.scope)):
        units: dict[tuple[str, ...], list[Offered]] = {}
        for offer in offers if floor.holds.always else _held(floor, offers):
            units.setdefault(_SCOPES[floor.scope](offer), []).append(offer)
        new = [due for unit in units.values() for due in _of_unit(floor, unit, granted)]
        for due in new:
            first = due.offers[0]
            granted[first] = granted.get(first, Fraction(0)) + due.top_up_cents
        found += new
    return tuple(found)


def _held(floor: FloorRule, offers: Iterable[Offered]) -> Iterable[Offered]:
    """The offers where and when the law holds; of one that is only partly there, that part of the engaged time and,
    by time, of the pay."""
    for offer in offers:
        inside = tuple(each for each in offer.engaged if floor.holds.at(each))
        if len(inside) == len(offer.engaged):
            yield offer
        elif inside:
            share = _part(floor, inside, offer.engaged)
            paid = {kind: cents * share for kind, cents in offer.paid.items()}
            yield replace(offer, engaged=inside, paid=paid, mileage_paid=offer.mileage_paid * share)


def _part(floor: FloorRule, inside: Sequence[Engaged], whole: Sequence[Engaged]) -> Fraction:
    def micros(engaged: Engaged) -> int:
        stretches = floor.clip.stretches(engaged.trip) if engaged.trip else ()
        return (engaged.time + sum((end - begin for begin, end in stretches), ZERO)) // _MICROSECOND

    total = sum(map(micros, whole))
    return Fraction(sum(map(micros, inside)), total) if total else Fraction(len(inside), len(whole))


def _least_of(minimum: int | Amount, engaged: Iterable[Engaged]) -> Fraction:
    """A minimum; of rows the highest that hold for these pickups."""
    if not isinstance(minimum, Rates):
        return Fraction(minimum)
    places = dict.fromkeys((each.place, each.day) for each in engaged) or [(None, None)]
    return max(amount_of(minimum, place, day) for place, day in places)


def _of_unit(floor: FloorRule, unit: list[Offered], granted: Mapping[str, Fraction]) -> list[Due]:
    sums = _sums(floor, unit)
    least = Fraction(0)
    for offer in unit:
        each = sums[offer.key]
        owed: Fraction = each.wage + (each.mileage if floor.mileage is not Mileage.ON_TOP else Fraction(0))
        least += max(owed, _least_of(floor.each_minimum_cents, offer.engaged)) if each.done else owed
    done = [engaged for offer in unit if sums[offer.key].done for engaged in offer.engaged]
    if any(each.done for each in sums.values()):
        least = max(least, _least_of(floor.minimum_cents, done))
    credited = sum((_credited(floor, offer) + granted.get(offer.key, 0) for offer in unit), Fraction(0))
    top_up = max(0, round_half_up(least - credited))
    drivers: dict[str, list[Offered]] = {}
    for offer in unit:
        drivers.setdefault(offer.driver, []).append(offer)
    parts = _divided(top_up, [_weight(floor, [sums[o.key] for o in own]) for own in drivers.values()])
    time = sum((each.time for each in sums.values()), ZERO)
    return [
        Due(
            floor=floor,
            driver=driver,
            offers=tuple(offer.key for offer in own),
            time=time,
            metres=sum((sums[offer.key].metres for offer in own), Fraction(0)),
            least=least,
            credited=credited,
            top_up_cents=part,
            mileage_cents=_beside(floor, own, sums),
        )
        for (driver, own), part in zip(drivers.items(), parts, strict=True)
    ]


def _beside(floor: FloorRule, own: list[Offered], sums: Mapping[str, _Sum]) -> int:
    if floor.mileage is not Mileage.ON_TOP:
        return 0
    owed = sum((sums[offer.key].mileage - offer.mileage_paid for offer in own), Fraction(0))
    return max(0, round_half_up(owed))


def _credited(floor: FloorRule, offer: Offered) -> Fraction:
    return sum((cents for kind, cents in offer.paid.items() if kind in floor.creditable), offer.granted)


def _weight(floor: FloorRule, own: list[_Sum]) -> Fraction:
    if floor.share is Share.EQUAL:
        return Fraction(1)
    times = [each.time if floor.share is Share.HOURS else each.trip_time for each in own]
    return Fraction(sum(times, ZERO) // _MICROSECOND)


def _divided(cents: int, weights: list[Fraction]) -> list[int]:
    """Whole cents by weight that sum to the whole: the largest remainders get the cents that are left."""
    if not any(weights):
        weights = [Fraction(1)] * len(weights)
    whole = sum(weights)
    exact = [cents * weight / whole for weight in weights]
    parts = [int(each) for each in exact]
    by_remainder = sorted(range(len(parts)), key=lambda n: (parts[n] - exact[n], n))
    for number in by_remainder[: cents - sum(parts)]:
        parts[number] += 1
    return parts


def _sums(floor: FloorRule, unit: list[Offered]) -> dict[str, _Sum]:
    """Time, way and money of every offer. Two trips at once are one hour of work, so beyond a single offer a
    moment counts for the trip that began first."""
    sums = {offer.key: _Sum(done=offer.done) for offer in unit}
    taken: dict[str, Busy] = {}
    pairs = [(offer, engaged) for offer in unit for engaged in offer.engaged]
    for offer, engaged in sorted(pairs, key=lambda pair: _begin(floor, pair[1])):
        busy = taken.setdefault(offer.driver, Busy())
        _add(floor, sums[offer.key], engaged, busy)
    for offer in unit:
        if offer.engaged and all(_void(floor, engaged) for engaged in offer.engaged):
            sums[offer.key].done = False
    return sums


def _void(floor: FloorRule, engaged: Engaged) -> bool:
    return engaged.cancelled_by is not None and engaged.cancelled_by in floor.clip.voided_by


def _begin(floor: FloorRule, engaged: Engaged) -> float:
    if engaged.trip is None:
        return 0.0
    stretches = floor.clip.stretches(engaged.trip)
    return stretches[0][0].timestamp() if stretches else 0.0


def _add(floor: FloorRule, total: _Sum, engaged: Engaged, busy: Busy) -> None:
    if _void(floor, engaged):
        return
    time, metres = engaged.time, Fraction(engaged.metres)
    if engaged.trip is not None:
        free = busy.take(floor.clip.stretches(engaged.trip))
        time = sum((end - begin for begin, end in free), ZERO)
    if floor.clip.gaps_excluded:
        time = max(ZERO, time - engaged.idle)
    time = floor.clip.rounded(time)
    paid = time + (engaged.on_call if floor.counts_on_call else ZERO)
    if engaged.wage_cents_h is not None and floor.takes_wage:
        wage = Fraction(engaged.wage_cents_h)
    else:
        wage = amount_of(floor.wage_cents_h, engaged.place, engaged.day) if paid else Fraction(0)
    hours = Fraction(paid // _MICROSECOND, _AN_HOUR)
    total.time += paid
    total.trip_time += time
    total.metres += metres
    total.wage += wage * Fraction(floor.wage_factor) * hours / Fraction(floor.utilisation)
    if metres:
        rate = amount_of(floor.distance_cents, engaged.place, engaged.day)
        total.mileage += (
            rate * Fraction(floor.distance_factor) * metres / Fraction(METRES[floor.distance_unit])
        )
