"""How long it takes from each place to each other: `sources.of_market(...)` gives one `TravelTimes`."""

from offers.planning.travel.estimate import Estimate
from offers.planning.travel.matrix import Matrix, TravelTimes

__all__ = ["Estimate", "Matrix", "TravelTimes"]
