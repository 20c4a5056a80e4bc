"""How long the way takes, estimated from the great circle when no road server is configured.

Fitted on 22,000 pairs of an American road table: minutes = 3.2 * km^0.72 and road = 1.4 * great circle, with
a mean error of 16 % (a flat speed: 21 %). A factor per local hour stretches the minutes at rush hour.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from retaildelivery.lib.geo import ROAD_FACTOR, Point, crow_km

MINUTES_PER_KM = 3.2
EXPONENT = 0.72
HOURS_A_DAY = 24
# Closer than this is the same door or the next one: the service time already holds the walk.
SAME_PLACE_KM = 0.03


@dataclass(frozen=True, slots=True)
class Matrix:
    """Seconds and metres from row to column, and who says so."""

    seconds: tuple[tuple[int, ...], ...]
    metres: tuple[tuple[int, ...], ...]
    source: str
    notes: tuple[str, ...] = ()


class TravelTimes(Protocol):
    """Whoever knows the roads. `hour` is the local hour of departure, 0 to 23."""

    def matrix(self, points: Sequence[Point], *, hour: int) -> Matrix:
        """All pairs of the points; the diagonal is zero."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """The fitted estimate. Raises ValueError unless there are 24 factors above zero."""

    factors: tuple[float, ...] = (1.0,) * HOURS_A_DAY

    def __post_init__(self) -> None:
        if len(self.factors) != HOURS_A_DAY or not all(factor > 0 for factor in self.factors):
            raise ValueError("travel needs 24 factors above zero, one per hour of day")

    def matrix(self, points: Sequence[Point], *, hour: int) -> Matrix:
        """All pairs by the fit; the diagonal is zero."""
        size = len(points)
        rate = 60 * MINUTES_PER_KM * self.factors[hour % HOURS_A_DAY]
        seconds = [[0] * size for _ in points]
        metres = [[0] * size for _ in points]
        for a in range(size):
            for b in range(a):
                km = crow_km(points[a], points[b])
                metres[a][b] = metres[b][a] = round(1000 * ROAD_FACTOR * km)
                if km > SAME_PLACE_KM:
                    seconds[a][b] = seconds[b][a] = round(rate * km**EXPONENT)
        return Matrix(tuple(map(tuple, seconds)), tuple(map(tuple, metres)), "estimate")
