"""What each kind of robot courier does with an order, and when. Pure but for the words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import models
from django.utils.translation import gettext_lazy as _

MINUTE = dt.timedelta(minutes=1)
FAST = dt.timedelta(seconds=30)  # between two steps of who hurries
FOUND = 2 * MINUTE  # from posted to a courier who has it
CAME = 8 * MINUTE  # from there to the counter, when it is packed
COUNTER = 3 * MINUTE
CAR = 2 * MINUTE
DOOR = 2 * MINUTE
NEAR = 2 * MINUTE  # before the door
LATE = 25 * MINUTE  # after the end of the window
GIVES_UP = 20 * MINUTE  # after the courier should have been at the counter
WAITS = 5 * MINUTE  # at a door that stays shut


class Courier(models.TextChoices):
    NORMAL = "normal", _("in time")
    FAST = "fast", _("a step every 30 seconds")
    LATE = "late", _("25 minutes after the window")
    NO_SHOW = "no_show", _("the first never comes, another does")
    CANNOT_DELIVER = "cannot_deliver", _("nobody home, brings it back")
    WRONG_BARCODE = "wrong_barcode", _("reads a wrong label at the counter first")


@dataclass(frozen=True, slots=True)
class Errand:
    """What a robot has to know of an order. `way` is how long it drives."""

    placed_at: dt.datetime
    ready_at: dt.datetime
    opens_at: dt.datetime
    ends_at: dt.datetime
    way: dt.timedelta


@dataclass(frozen=True, slots=True)
class Planned:
    """A step and when it is due."""

    step: str
    due_at: dt.datetime
    reason: str = ""


def script(courier: str, errand: Errand) -> list[Planned]:
    """The steps of this courier, in order."""
    if courier == Courier.FAST:
        names = ("assign", "arrive_at_pickup", "hand_over", "depart", "arrive", "deliver")
        return [Planned(name, errand.placed_at + FAST * n) for n, name in enumerate(names, 1)]
    found = errand.placed_at + FOUND
    counter = max(found + CAME, errand.ready_at)
    steps = [Planned("assign", found)]
    if courier == Courier.NO_SHOW:
        steps += [Planned("give_up", counter + GIVES_UP), Planned("assign", counter + GIVES_UP + FOUND)]
        counter += GIVES_UP + FOUND + CAME
    steps.append(Planned("arrive_at_pickup", counter))
    if courier == Courier.WRONG_BARCODE:
        steps.append(Planned("scan_wrong_parcel", counter + MINUTE))
    door = max(counter + COUNTER + CAR + errand.way, errand.opens_at)
    if courier == Courier.LATE:
        door = max(door, errand.ends_at + LATE)
    steps += [
        Planned("hand_over", counter + COUNTER),
        Planned("depart", door - errand.way),
        Planned("approach", max(door - NEAR, door - errand.way + MINUTE)),
        Planned("arrive", door),
    ]
    if courier == Courier.CANNOT_DELIVER:
        shut = door + WAITS
        return [*steps, Planned("fail", shut, "nobody_home"), Planned("return", shut + errand.way + COUNTER)]
    return [*steps, Planned("deliver", door + DOOR)]


def merged(first: Sequence[Planned], second: Sequence[Planned]) -> list[Planned]:
    """Both, by when they are due; at the same time the first come first."""
    return sorted([*first, *second], key=lambda planned: planned.due_at)
