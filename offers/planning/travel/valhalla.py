"""Valhalla's matrix service: POST /sources_to_targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from offers import limits
from offers.planning.travel.asking import AskForLess, Cell, Deadline, ServerTrouble, ask
from retaildelivery.lib.geo import Point

# Its own numbers: too many locations or pairs, farther apart than it answers, no road near one of the places, no
# way between them.
LESS = {150, 153, 154, 170, 171, 442}
OK, SERVER_ERROR = 200, 500


@dataclass(frozen=True, slots=True)
class Valhalla:
    """A `valhalla_service` at this address. Its default limit is 2,500 pairs a question, so 50 each way."""

    url: str
    profile: str = "auto"
    side: int = 50
    provider: str = "valhalla"

    def table(self, origins: Sequence[Point], goals: Sequence[Point], *, by: Deadline) -> list[list[Cell]]:
        """Ways from each origin to each goal. Raises ServerTrouble, AskForLess."""
        body = {
            "sources": [_place(point) for point in origins],
            "targets": [_place(point) for point in goals],
            "costing": self.profile,
            "units": "kilometers",
            "verbose": False,
        }
        status, answer = ask("POST", f"{self.url}/sources_to_targets", by=by, body=body)
        trouble = answer.get("error_code") if isinstance(answer, dict) else None
        if trouble in LESS:
            raise AskForLess
        if status != OK:
            raise ServerTrouble("travel_server_nonsense" if status < SERVER_ERROR else "travel_server_down")
        try:
            return _cells(answer["sources_to_targets"], rows=len(origins), columns=len(goals))
        except (KeyError, TypeError, IndexError, ValueError, OverflowError) as error:
            raise ServerTrouble("travel_server_nonsense") from error


def _place(point: Point) -> dict[str, float]:
    """Roads farther away than this are none that lead to the door."""
    return {
        "lat": round(point.lat, 5),
        "lon": round(point.lng, 5),
        "search_cutoff": limits.TRAVEL_SNAP_M,
    }


def _cells(answer: dict[str, Any], *, rows: int, columns: int) -> list[list[Cell]]:
    seconds, km = answer["durations"], answer["distances"]
    return [[_cell(seconds[a][b], km[a][b]) for b in range(columns)] for a in range(rows)]


def _cell(seconds: float | None, km: float | None) -> Cell:
    if seconds is None or km is None:
        return None
    if seconds < 0 or km < 0:
        raise ValueError("a way of less than nothing")
    return round(seconds), round(1000 * km)
