"""OSRM's table service: GET /table/v1/{profile}/{lng,lat;...}?annotations=duration,distance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from offers import limits
from offers.planning.travel.asking import AskForLess, Cell, Deadline, ServerTrouble, ask
from retaildelivery.lib.geo import Point

# More places than it takes at once, or no road for one of them.
LESS = {"TooBig", "NoTable", "NoSegment"}
SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Osrm:
    """An `osrm-routed` at this address. Its default limit is 100 places a question, so 50 each way."""

    url: str
    profile: str = "driving"
    side: int = 50
    provider: str = "osrm"

    def table(self, origins: Sequence[Point], goals: Sequence[Point], *, by: Deadline) -> list[list[Cell]]:
        """Ways from each origin to each goal. Raises ServerTrouble, AskForLess."""
        places = ";".join(f"{point.lng:.5f},{point.lat:.5f}" for point in [*origins, *goals])
        first = len(origins)
        origin_numbers = ";".join(str(number) for number in range(first))
        goal_numbers = ";".join(str(number) for number in range(first, first + len(goals)))
        status, answer = ask(
            "GET",
            f"{self.url}/table/v1/{self.profile}/{places}?annotations=duration,distance"
            f"&sources={origin_numbers}&destinations={goal_numbers}&generate_hints=false",
            by=by,
        )
        code = answer.get("code") if isinstance(answer, dict) else None
        if code in LESS:
            raise AskForLess
        if code != "Ok":
            raise ServerTrouble("travel_server_nonsense" if status < SERVER_ERROR else "travel_server_down")
        try:
            return _cells(answer, rows=len(origins), columns=len(goals))
        except (KeyError, TypeError, IndexError, ValueError, OverflowError) as error:
            raise ServerTrouble("travel_server_nonsense") from error


def _cells(answer: dict[str, Any], *, rows: int, columns: int) -> list[list[Cell]]:
    """A place that OSRM put on a road far away is no place it knows: its ways are unknown."""
    off = [side["distance"] > limits.TRAVEL_SNAP_M for side in answer["sources"]]
    beside = [side["distance"] > limits.TRAVEL_SNAP_M for side in answer["destinations"]]
    return [
        [
            None if off[a] or beside[b] else _cell(answer["durations"][a][b], answer["distances"][a][b])
            for b in range(columns)
        ]
        for a in range(rows)
    ]


def _cell(seconds: float | None, metres: float | None) -> Cell:
    if seconds is None or metres is None:
        return None
    if seconds < 0 or metres < 0:
        raise ValueError("a way of less than nothing")
    return round(seconds), round(metres)
