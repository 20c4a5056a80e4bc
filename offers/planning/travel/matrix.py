"""What every source of travel times answers with. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from retaildelivery.lib.geo import Point


@dataclass(frozen=True, slots=True)
class Matrix:
    """Seconds and metres from row to column, who says so, and what a reader of the plan should know of it."""

    seconds: tuple[tuple[int, ...], ...]
    metres: tuple[tuple[int, ...], ...]
    source: str
    notes: tuple[str, ...] = ()


class TravelTimes(Protocol):
    """Whoever knows the roads. `hour` is the local hour of departure, 0 to 23."""

    def matrix(self, points: Sequence[Point], *, hour: int) -> Matrix:
        """All pairs of the points; the diagonal is zero, there and back may differ."""
