"""Whom a market asks for travel times: the configured road server through the table of pairs, else the estimate."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from django.conf import settings
from django.core.cache import cache

from deliveries import roads
from offers import limits
from offers.planning.travel import pairs
from offers.planning.travel.asking import AskForLess, Cell, Deadline, RoadServer, ServerTrouble
from offers.planning.travel.estimate import Estimate
from offers.planning.travel.matrix import Matrix, TravelTimes
from offers.planning.travel.osrm import Osrm
from offers.planning.travel.valhalla import Valhalla
from retaildelivery.lib.geo import Point
from stores.models import Market

SERVERS: dict[str, type[Osrm | Valhalla]] = {"osrm": Osrm, "valhalla": Valhalla}
PARTLY_ESTIMATED = "travel_partly_estimated"
Ways = dict[tuple[int, int], Cell]


def of_market(market: Market, *, at: dt.datetime) -> TravelTimes:
    """The travel times that plans of this market are made with now."""
    estimate = Estimate(roads.curve_of(market, at=at))
    server = configured()
    return estimate if server is None else Asked(server, estimate, at)


def configured() -> RoadServer | None:
    """The operator's road server, or None when travel times are estimated."""
    if settings.TRAVEL_PROVIDER == "estimate":
        return None
    server = SERVERS[settings.TRAVEL_PROVIDER](settings.TRAVEL_URL)
    return replace(server, profile=settings.TRAVEL_PROFILE) if settings.TRAVEL_PROFILE else server


@dataclass(frozen=True, slots=True)
class Asked:
    """A road server's ways, those it has answered before from the table; what it does not know is estimated.

    Road servers answer for an empty road; the market's factor of the hour stretches that as it does the estimate.
    """

    server: RoadServer
    estimate: Estimate
    at: dt.datetime

    def matrix(self, points: Sequence[Point], *, hour: int) -> Matrix:
        """All pairs; the notes name the trouble and that some are estimated. No transaction may be open."""
        ways, notes = self.ways(points)
        guess = self.estimate.matrix(points, hour=hour)
        factor = self.estimate.curve.factors[hour]
        seconds, metres = [list(row) for row in guess.seconds], [list(row) for row in guess.metres]
        places = [pairs.place_of(point) for point in points]
        for (a, origin), (b, goal) in product(enumerate(places), repeat=2):
            cell = ways.get((origin, goal))
            if cell is not None and origin != goal:
                seconds[a][b], metres[a][b] = round(factor * cell[0]), cell[1]
            elif origin != goal:
                notes[PARTLY_ESTIMATED] = None
        return Matrix(
            tuple(map(tuple, seconds)), tuple(map(tuple, metres)), self.server.provider, tuple(notes)
        )

    def ways(self, points: Sequence[Point]) -> tuple[Ways, dict[str, None]]:
        """What is known of the ways among these points, after asking for what is not."""
        found = {pairs.place_of(point): point for point in points}
        ways = pairs.known(self.server, list(found), at=self.at)
        missing = [(a, b) for a, b in product(found, repeat=2) if a != b and (a, b) not in ways]
        if not missing:
            return ways, {}
        if cache.get(self._resting):
            return ways, {"travel_server_resting": None}
        notes: dict[str, None] = {}
        learnt: Ways = {}
        try:
            for part in self._answers(found, missing, Deadline()):
                learnt |= part
        except ServerTrouble as trouble:
            notes[trouble.code] = None
            cache.set(self._resting, True, limits.TRAVEL_REST.total_seconds())
        if learnt:
            pairs.keep(self.server, learnt, at=self.at)
        return ways | learnt, notes

    @property
    def _resting(self) -> str:
        return f"travel:{self.server.provider}:resting"

    def _answers(
        self, found: dict[int, Point], missing: Sequence[tuple[int, int]], by: Deadline
    ) -> Iterator[Ways]:
        """New doors against all, and all against new doors, in tables no larger than the server takes."""
        wanted: dict[int, set[int]] = {}
        for a, b in missing:
            wanted.setdefault(a, set()).add(b)
        full = [a for a, goals in wanted.items() if len(goals) == len(found) - 1]
        partly = [a for a in wanted if a not in set(full)]
        yield from self._table(found, full, list(found), by)
        yield from self._table(found, partly, sorted({b for a in partly for b in wanted[a]}), by)

    def _table(
        self, found: dict[int, Point], origins: Sequence[int], goals: Sequence[int], by: Deadline
    ) -> Iterator[Ways]:
        side = self.server.side
        for first in range(0, len(origins), side):
            for start in range(0, len(goals), side):
                yield from self._part(found, origins[first : first + side], goals[start : start + side], by)

    def _part(
        self, found: dict[int, Point], origins: Sequence[int], goals: Sequence[int], by: Deadline
    ) -> Iterator[Ways]:
        try:
            rows = self.server.table([found[a] for a in origins], [found[b] for b in goals], by=by)
        except AskForLess:
            if len(origins) == len(goals) == 1:
                yield {(origins[0], goals[0]): None}
                return
            for less_origins, less_goals in _halves(origins, goals):
                yield from self._part(found, less_origins, less_goals, by)
            return
        yield {(a, b): rows[m][n] for m, a in enumerate(origins) for n, b in enumerate(goals) if a != b}


def _halves(
    origins: Sequence[int], goals: Sequence[int]
) -> tuple[tuple[Sequence[int], Sequence[int]], tuple[Sequence[int], Sequence[int]]]:
    """The same pairs in two questions, the longer side cut in the middle."""
    if len(origins) >= len(goals):
        middle = len(origins) // 2
        return (origins[:middle], goals), (origins[middle:], goals)
    middle = len(goals) // 2
    return (origins, goals[:middle]), (origins, goals[middle:])
