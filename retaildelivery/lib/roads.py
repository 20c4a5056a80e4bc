"""How long the way takes, from the great circle alone: a curve, and its fit to ways that were driven. Pure.

The default was fitted on 22,000 pairs of an American road table: minutes = 3.2 * km^0.72 and road = 1.4 * great
circle, with a mean error of 16 % (a flat speed: 21 %).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from retaildelivery.lib.geo import ROAD_FACTOR

MINUTES_PER_KM, EXPONENT = 3.2, 0.72
HOURS_A_DAY = 24
# Closer than this is the same door or the next one: the service time already holds the walk.
SAME_PLACE_KM = 0.03

# A leg outside of these says something about the driver's break or the phone, not about the road.
LEG_KM = (0.3, 60.0)
LEG_MINUTES = (0.5, 120.0)
LEG_KMH = (3.0, 130.0)
# Residuals beyond so many median deviations are left out of the second fit: a shop on the way, a closed bridge.
OUTLIER = 3.5
# Beyond these an exponent says that all legs are about as long as each other.
EXPONENTS = (0.5, 1.0)
# Less spread than this is the dust of floating point.
FLAT = 1e-9
# An hour with so many legs is believed by half; with few it stays near the whole day's.
HOUR_BELIEF = 20
HOUR_BOUNDS = (0.6, 2.5)
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Curve:
    """minutes = `minutes_per_km` * km^`exponent` * factor of the local hour, km by the great circle.

    Raises ValueError unless all is above zero and there are 24 factors.
    """

    minutes_per_km: float = MINUTES_PER_KM
    exponent: float = EXPONENT
    factors: tuple[float, ...] = (1.0,) * HOURS_A_DAY

    def __post_init__(self) -> None:
        if len(self.factors) != HOURS_A_DAY or not all(factor > 0 for factor in self.factors):
            raise ValueError("travel needs 24 factors above zero, one per hour of day")
        if not (self.minutes_per_km > 0 and self.exponent > 0):
            raise ValueError("a curve of travel times rises")

    def seconds(self, km: float, *, hour: int) -> int:
        """For great-circle kilometres, leaving in this local hour."""
        return 0 if km <= SAME_PLACE_KM else round(60 * self.minutes(km, hour))

    def metres(self, km: float) -> int:
        """What a car drives for great-circle kilometres."""
        return round(1000 * ROAD_FACTOR * km)

    def minutes(self, km: float, hour: int) -> float:
        """For great-circle kilometres, leaving in this local hour, not rounded."""
        return self.minutes_per_km * self.factors[hour % HOURS_A_DAY] * float(km**self.exponent)

    def error_percent(self, legs: "Sequence[Leg]") -> float:
        """Mean of how far the curve is off, in percent of what each leg took; 0 without legs."""
        off = [abs(self.minutes(leg.km, leg.hour) / leg.minutes - 1) for leg in legs]
        return 100 * sum(off) / len(off) if off else 0.0


@dataclass(frozen=True, slots=True)
class Leg:
    """A way that was driven: great-circle kilometres, minutes, and the local hour of leaving."""

    km: float
    minutes: float
    hour: int

    @property
    def is_plausible(self) -> bool:
        """Whether a car may have driven it without a break."""
        far, long = LEG_KM[0] <= self.km <= LEG_KM[1], LEG_MINUTES[0] <= self.minutes <= LEG_MINUTES[1]
        return far and long and LEG_KMH[0] <= 60 * ROAD_FACTOR * self.km / self.minutes <= LEG_KMH[1]


@dataclass(frozen=True, slots=True)
class Fit:
    """A curve from legs, and how well it does on legs it was not made from.

    `legs` went in, `left_out` were implausible or outliers; both errors are measured on the same legs.
    """

    curve: Curve
    legs: int
    left_out: int
    error_percent: float
    error_before_percent: float

    @property
    def is_better(self) -> bool:
        """Whether the new curve errs less than the one it would replace."""
        return self.error_percent < self.error_before_percent


def fit(legs: Sequence[Leg], *, before: Curve) -> Fit | None:
    """Least squares on the logarithms, without outliers, judged by cross-validation against the curve in use;
    None when no leg is plausible."""
    plausible = [leg for leg in legs if leg.is_plausible]
    kept = _without_outliers(plausible)
    if not kept:
        return None
    errors = []
    for fold in range(FOLDS):
        held = kept[fold::FOLDS]
        rest = [leg for number, leg in enumerate(kept) if number % FOLDS != fold]
        if held and rest:
            errors.append((_curve(rest).error_percent(held), len(held)))
    seen = sum(count for _error, count in errors)
    unseen = sum(error * count for error, count in errors) / seen if seen else math.inf
    return Fit(_curve(kept), len(kept), len(legs) - len(kept), unseen, before.error_percent(kept))


def _without_outliers(legs: Sequence[Leg]) -> list[Leg]:
    if not legs:
        return []
    curve = _curve(legs)
    residuals = [math.log(leg.minutes / curve.minutes(leg.km, leg.hour)) for leg in legs]
    middle = median(residuals)
    # The median deviation of normal residuals times 1.4826 is their standard deviation.
    spread = 1.4826 * median(abs(each - middle) for each in residuals)
    bound = max(OUTLIER * spread, 0.05)
    return [leg for leg, each in zip(legs, residuals, strict=True) if abs(each - middle) <= bound]


def _curve(legs: Sequence[Leg]) -> Curve:
    line = _line(legs)
    by_hour: dict[int, list[float]] = {}
    for leg in legs:
        by_hour.setdefault(leg.hour, []).append(math.log(leg.minutes / line.minutes(leg.km, leg.hour)))
    factors = [1.0] * HOURS_A_DAY
    for hour, residuals in by_hour.items():
        believed = sum(residuals) / (len(residuals) + HOUR_BELIEF)
        factors[hour] = min(max(math.exp(believed), HOUR_BOUNDS[0]), HOUR_BOUNDS[1])
    return replace(line, factors=tuple(round(factor, 3) for factor in factors))


def _line(legs: Sequence[Leg]) -> Curve:
    """The straight line through the logarithms; where the legs are too much alike to give a slope, the default
    one through their middle."""
    xs = [math.log(leg.km) for leg in legs]
    ys = [math.log(leg.minutes) for leg in legs]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    width = sum((x - mean_x) ** 2 for x in xs)
    slope = (
        sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / width if width > FLAT else 0.0
    )
    if not EXPONENTS[0] <= slope <= EXPONENTS[1]:
        slope = EXPONENT if width <= FLAT else min(max(slope, EXPONENTS[0]), EXPONENTS[1])
    rate = math.exp(mean_y - slope * mean_x)
    return Curve(minutes_per_km=round(rate, 4), exponent=round(slope, 4))
