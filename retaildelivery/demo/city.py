"""How people in the simulated city behave: pure and seeded, so that a run can be played again.

Nothing here knows the clock, the database or the network. A decision is drawn from dice that are thrown for
one subject (`dice("7", "door", "SIM-12")`), never from a shared stream, so that the order in which answers of
the server arrive changes no decision.
"""

import random
from dataclasses import dataclass
from datetime import timedelta

from retaildelivery.demo.afternoon import OrderIdea
from retaildelivery.lib import geo
from retaildelivery.lib.geo import Point

# Minutes of city driving for kilometres as the crow flies, as fitted on road tables of American suburbs.
DRIVE_MINUTES = 3.2
DRIVE_POWER = 0.72
PARK = timedelta(seconds=70)
STORE_DWELL = timedelta(minutes=3)
SCAN = timedelta(seconds=6)
DOOR_DWELL = timedelta(minutes=2)
WAIT_FOR_NOBODY = timedelta(minutes=5)  # a call, a message, and five minutes at the door


@dataclass(frozen=True, slots=True)
class Temper:
    """A kind of driver. Chances are per block, `looks_every` is how often the phone is taken out, and
    `least_hourly_cents` below what they do not drive."""

    looks_every: timedelta
    takes: float
    least_hourly_cents: int
    releases: float
    late: float
    no_show: float
    haste: float  # driving and dwelling time is divided by it


TEMPERS = {
    "eager": Temper(timedelta(minutes=2), 0.95, 0, 0.01, 0.02, 0.0, 1.15),
    "steady": Temper(timedelta(minutes=4), 0.85, 1_800, 0.02, 0.04, 0.0, 1.0),
    "picky": Temper(timedelta(minutes=3), 0.60, 2_100, 0.04, 0.04, 0.01, 1.0),
    "late": Temper(timedelta(minutes=6), 0.80, 1_800, 0.03, 0.30, 0.02, 0.9),
    "forgetful": Temper(timedelta(minutes=7), 0.75, 1_800, 0.06, 0.12, 0.05, 0.95),
}


@dataclass(frozen=True, slots=True)
class DoorOutcome:
    """What happens at a door: `reason` is empty when it went well, `left_at` when it did not."""

    left_at: str
    reason: str
    takes: timedelta


@dataclass(frozen=True, slots=True)
class Posting:
    """Staff post an order, so long after the start of the run, in simulated time."""

    after: timedelta
    idea: OrderIdea


# Per hundred doors.
FAILURES = (("nobody_home", 4.0), ("refused", 1.0), ("wrong_address", 1.0), ("no_access", 1.5))
LEFT_AT = (
    ("in_hand", 0.45),
    ("front_door", 0.35),
    ("reception", 0.10),
    ("mailroom", 0.04),
    ("neighbour", 0.06),
)


def dice(*subject: object) -> random.Random:
    """Dice for one subject; the same subject throws the same numbers on every machine."""
    return random.Random(":".join(str(part) for part in subject))


def postings(ideas: tuple[OrderIdea, ...], *, minutes: int) -> tuple[Posting, ...]:
    """The afternoon pressed or stretched into `minutes` of simulated time, its waves kept. The first order is
    posted at once: nobody looks at an empty city for long. Raises ValueError for no minutes."""
    if minutes <= 0:
        raise ValueError("a run lasts at least a minute")
    if not ideas:
        return ()
    first, last = ideas[0].posted_after, ideas[-1].posted_after
    span = max(last - first, timedelta(seconds=1))
    length = timedelta(minutes=minutes)
    return tuple(Posting(length * ((idea.posted_after - first) / span), idea) for idea in ideas)


def wants(temper: Temper, *, hourly_cents: int, seed: object, driver: str, offer: object) -> bool:
    """Whether this driver goes for this offer. Decided once per offer, however often they look."""
    if hourly_cents < temper.least_hourly_cents:
        return False
    return dice(seed, "wants", driver, offer).random() < temper.takes


def shows_up(temper: Temper, *, seed: object, driver: str, block: object) -> bool:
    return dice(seed, "shows_up", driver, block).random() >= temper.no_show


def changes_mind(temper: Temper, *, seed: object, driver: str, block: object) -> bool:
    """Whether the driver gives the block back before it starts."""
    return dice(seed, "changes_mind", driver, block).random() < temper.releases


def arrival_after_start(temper: Temper, *, seed: object, driver: str, block: object) -> timedelta:
    """When the driver is at the mall, relative to the start of the block; negative is early."""
    throw = dice(seed, "arrival", driver, block)
    if throw.random() < temper.late:
        return timedelta(minutes=throw.uniform(1, 12))
    return timedelta(minutes=-throw.uniform(2, 14))


def at_the_door(*, seed: object, order: str, attended: bool) -> DoorOutcome:
    """What happens to an order at its door. `attended`: it must be put into a hand (PIN, signature, age)."""
    throw = dice(seed, "door", order)
    pick = throw.uniform(0, 100)
    # Where nobody is at home, an unattended parcel is simply left.
    for reason, share in FAILURES if attended else FAILURES[1:]:
        if pick < share:
            return DoorOutcome("", reason, WAIT_FOR_NOBODY if reason == "nobody_home" else DOOR_DWELL)
        pick -= share
    names, shares = zip(*LEFT_AT, strict=True)
    place = "in_hand" if attended else throw.choices(names, shares)[0]
    return DoorOutcome(place, "", DOOR_DWELL * throw.uniform(0.6, 1.8))


def drive(a: Point, b: Point, *, haste: float = 1.0) -> timedelta:
    """Simulated time from one place to another, parking included."""
    minutes: float = DRIVE_MINUTES * geo.crow_km(a, b) ** DRIVE_POWER / haste
    return timedelta(minutes=minutes) + PARK


def between(a: Point, b: Point, part: float) -> Point:
    """The place a share (0 to 1) of the way along the straight line, for the positions a phone reports."""
    return Point(a.lat + (b.lat - a.lat) * part, a.lng + (b.lng - a.lng) * part)


def real_seconds(simulated: timedelta, speed: float) -> float:
    """How long a stretch of simulated time takes on the clock. Raises ValueError unless speed is positive."""
    if speed <= 0:
        raise ValueError("speed is a positive number")
    return max(0.0, simulated.total_seconds() / speed)
