"""All pairs by the great circle and a curve: what is used when no road server is configured or it fails."""

from collections.abc import Sequence
from dataclasses import dataclass

from offers.planning.travel.matrix import Matrix
from retaildelivery.lib.geo import Point, crow_km
from retaildelivery.lib.roads import Curve

DEFAULT = Curve()


@dataclass(frozen=True, slots=True)
class Estimate:
    """Travel times from a curve: the default one, or one fitted to what the market's drivers needed."""

    curve: Curve = DEFAULT

    def matrix(self, points: Sequence[Point], *, hour: int) -> Matrix:
        """All pairs by the fit; the diagonal is zero."""
        size = len(points)
        seconds = [[0] * size for _ in points]
        metres = [[0] * size for _ in points]
        for a in range(size):
            for b in range(a):
                km = crow_km(points[a], points[b])
                metres[a][b] = metres[b][a] = self.curve.metres(km)
                seconds[a][b] = seconds[b][a] = self.curve.seconds(km, hour=hour)
        return Matrix(tuple(map(tuple, seconds)), tuple(map(tuple, metres)), "estimate")
