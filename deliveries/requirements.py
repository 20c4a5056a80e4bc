"""What a door asks for before an order counts as delivered. Pure: no path to delivered goes around it."""

from __future__ import annotations

from collections.abc import Iterable
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
    barcodes: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """What the driver has to show for it."""

    left_at: str
    photo: bool
    signature: bool
    pin: bool
    age_checked: bool
    signed_by: str = ""
    signer_relationship: str = ""
    barcodes: bool = False


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
    if required.signature and shown.signature and not shown.signed_by.strip():
        lacking.append("signed_by")
    if required.signature and shown.signature and not shown.signer_relationship:
        lacking.append("signer_relationship")
    if required.pin and not shown.pin:
        lacking.append("pin")
    if required.minimum_age is not None and not shown.age_checked:
        lacking.append("age_checked")
    if required.barcodes and not shown.barcodes:
        lacking.append("barcodes")
    return lacking


@dataclass(frozen=True, slots=True)
class AtCounter:
    """A photo and a signature with a name: what a counter must give, or has given."""

    photo: bool
    signature: bool


def missing_at_counter(required: Iterable[AtCounter], shown: Iterable[AtCounter]) -> list[str]:
    """What all that passes over a counter requires together and all that was kept there does not show."""
    wanted, kept = list(required), list(shown)
    return [
        name
        for name in ("photo", "signature")
        if any(getattr(each, name) for each in wanted) and not any(getattr(each, name) for each in kept)
    ]
