"""What is bought, as parcels: other services ask for things, we carry labelled pieces. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from deliveries import limits
from deliveries.drafts import ParcelDraft
from deliveries.models import Parcel

GRAMS_PER_POUND = 453.592
CM_PER_INCH = 2.54
LITRES_PER_CUBIC_FOOT = 28.3168


@dataclass(frozen=True, slots=True)
class Thing:
    """Some pieces of one article. What nobody said of it is taken from limits."""

    quantity: int = 1
    grams: int | None = None
    litres: float | None = None


def packed(
    things: Sequence[Thing], *, description: str = "", barcodes: Sequence[Sequence[str]] = ()
) -> tuple[ParcelDraft, ...]:
    """As few parcels as one person can lift and a car can take, all alike; and no fewer than bear barcodes."""
    pieces = list(things) or [Thing()]
    grams = sum(t.quantity * (limits.THING_GRAMS if t.grams is None else t.grams) for t in pieces)
    litres = sum(t.quantity * (limits.THING_LITRES if t.litres is None else t.litres) for t in pieces)
    biggest = Parcel.LITRES[Parcel.Size.EXTRA_LARGE]
    count = max(1, len(barcodes), math.ceil(grams / limits.PARCEL_GRAMS), math.ceil(litres / biggest))
    # One more than is allowed is enough for the check to say so.
    count = min(count, limits.PARCELS_PER_ORDER + 1)
    size = size_of(litres / count)
    each = ParcelDraft(size=size, grams=max(1, math.ceil(grams / count)), description=description[:80])
    return tuple(
        replace(each, barcodes=tuple(barcodes[number])) if number < len(barcodes) else each
        for number in range(count)
    )


def size_of(litres: float) -> str:
    """The smallest class that this fits into."""
    fitting = [size for size, room in Parcel.LITRES.items() if litres <= room]
    return str(fitting[0] if fitting else Parcel.Size.EXTRA_LARGE)
