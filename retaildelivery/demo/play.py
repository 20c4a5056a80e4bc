"""What the actors of one run share: its seed, its pace, its counters at the shops, and its score."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

from retaildelivery.demo import city
from retaildelivery.demo.client import Tally
from retaildelivery.demo.town import Town

PACKED_WITHIN_S = 20.0


class Counter(Protocol):
    """A shop's counter, as a driver meets it."""

    def hand_over(self, *, stop: str, driver_code: str) -> Any:
        """Staff read the driver's code and confirm the hand-over at this stop."""

    def look_for(self, *, order: str) -> None:
        """Staff search the stockroom for a parcel of this order that was not at the counter."""


@dataclass(slots=True)
class Score:
    """What happened in this run, as the actors saw it."""

    posted: int = 0
    claimed: int = 0
    lost: int = 0
    delivered: int = 0
    failed: int = 0
    returned: int = 0
    completed: int = 0
    missed: int = 0
    at_work: int = 0


@dataclass(slots=True)
class Play:
    """`speed` is how many simulated seconds pass in one on the clock; `counters` by code of the store."""

    seed: int
    speed: float
    tally: Tally
    town: Town
    counters: dict[str, Counter] = field(default_factory=dict)
    score: Score = field(default_factory=Score)
    # Codes shown by drivers who are there to take an order over from another, by the order's code.
    badges: dict[str, Callable[[], str]] = field(default_factory=dict)
    # Orders of this run by code: their number, which decides what happens at the door.
    numbers: dict[str, str] = field(default_factory=dict)
    closing: bool = False
    # Seconds on the clock between two looks at the offers, whatever the speed.
    looks_within_s: tuple[float, float] = (2.0, 20.0)
    # How long, on the clock, an offer is left to whoever else may want it, and the drivers that are not played.
    leaves_s: float = 0.0
    not_played: frozenset[str] = frozenset()

    def pace(self, simulated: timedelta) -> float:
        """Seconds on the clock for a stretch of simulated time."""
        return city.real_seconds(simulated, self.speed)

    def packing(self, usual: timedelta) -> float:
        """Seconds on the clock until an order is packed. Above real time it is packed before the planner's next
        wave looks: a block of packed orders starts within a quarter of an hour, when check-in is open at once,
        and waiting for that is the one thing that cannot be played faster."""
        return min(self.pace(usual), PACKED_WITHIN_S) if self.speed > 1 else self.pace(usual)

    def subject(self, order: str) -> str:
        """What the dice of an order are thrown for: its number in this run, so that a seed repeats; its code
        when an earlier run posted it."""
        return self.numbers.get(order, order)


def event_id() -> str:
    """A new id for one press of a button."""
    return uuid.uuid4().hex
