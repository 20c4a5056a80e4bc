"""What became of blocks that were in the same position, as a share with its doubt. Plain Python."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

Z = 1.645  # nine of ten intervals made so hold the true share
CASES_LEAST = 20  # with fewer the interval says next to nothing


class Basis(StrEnum):
    """Which past blocks were compared with."""

    SAME_KIND = "same_kind"
    MARKET = "market"
    TOO_FEW = "too_few"


@dataclass(frozen=True, slots=True)
class Cases:
    """How many past blocks were in that position, and how many of them had a driver at their start."""

    total: int
    claimed: int


@dataclass(frozen=True, slots=True)
class Chance:
    """The share of past blocks that were claimed in time, with the interval in which the true share lies nine times of
    ten. With too few cases there is no share."""

    basis: Basis
    cases: int
    claimed: int = 0
    share: float | None = None
    low: float | None = None
    high: float | None = None


def estimate(*, same_kind: Cases, market: Cases) -> Chance:
    """By blocks of the same kind of shift if there are enough, else by all of the market, else not at all."""
    for basis, cases in ((Basis.SAME_KIND, same_kind), (Basis.MARKET, market)):
        if cases.total >= CASES_LEAST:
            low, high = wilson(cases)
            return Chance(basis, cases.total, cases.claimed, cases.claimed / cases.total, low, high)
    return Chance(Basis.TOO_FEW, market.total)


def wilson(cases: Cases) -> tuple[float, float]:
    """The score interval of Wilson (1927) of a share: unlike the plain one it stays between 0 and 1, and is honest
    where all or none were claimed."""
    n, share = cases.total, cases.claimed / cases.total
    centre = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
    return max(0.0, centre - half), min(1.0, centre + half)
