"""What a door asks for before an order counts as delivered. Pure: no path to delivered goes around it."""

from __future__ import annotations

from dataclasses import dataclass

IN_HAND, FRONT_DOOR, RECEPTION, NEIGHBOUR, MAILROOM = (
    "in_hand",
    "front_door",
    "reception",
    "neighbour",
    "mailroom",
)
# Where a person signs for it.
STAFFED = frozenset({IN_HAND, RECEPTION, NEIGHBOUR})


@dataclass(frozen=True, slots=True)
class Required:
    """What the order requires."""

    photo: bool
    signature: bool
    pin: bool
    minimum_age: int | None


@dataclass(frozen=True, slots=True)
class Shown:
    """What the driver has to show for it."""

    left_at: str
    photo: bool
    signature: bool
    pin: bool
    age_checked: bool


def missing(required: Required, shown: Shown) -> list[str]:
    """Names of the fields that keep this from being a proof, in the order a driver sees them; empty when it is one.

    A parcel that is left where nobody takes it is photographed whatever the order requires. A PIN or an ID is shown
    by the recipient in person; a signature is given where there is a person.
    """
    lacking: list[str] = []
    in_person = required.pin or required.minimum_age is not None
    if (in_person and shown.left_at != IN_HAND) or (required.signature and shown.left_at not in STAFFED):
        lacking.append("left_at")
    if not shown.photo and (required.photo or shown.left_at not in STAFFED):
        lacking.append("photo")
    if required.signature and not shown.signature:
        lacking.append("signature")
    if required.pin and not shown.pin:
        lacking.append("pin")
    if required.minimum_age is not None and not shown.age_checked:
        lacking.append("age_checked")
    return lacking
