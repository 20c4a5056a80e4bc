"""The seller's fee: what a delivery, its return or its cancelling costs the seller, line by line.

Decimal arithmetic, a line rounded once, half up; integer cents; metres. Every line names the row of terms it
follows from. The same functions answer "what would it cost" before and "what did it cost" after.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from retaildelivery.lib import money

METRES_A_MILE = Decimal("1609.344")


def _(text: str) -> str:
    """Marks a sentence for the catalogue; the page that shows it translates it."""
    return text


class FeeKind(StrEnum):
    """What a line of a fee is for."""

    BASE = "base"
    DISTANCE = "distance"
    SIZE = "size"
    SLOT = "slot"
    RETURN = "return"
    CANCELLATION = "cancellation"
    TAX = "tax"


FEE_SENTENCES: dict[FeeKind, str] = {
    FeeKind.BASE: _("Delivery up to %(miles)s miles"),
    FeeKind.DISTANCE: _("%(miles)s mi more at %(rate)s each"),
    FeeKind.SIZE: _("Parcels of size %(size)s: %(parcels)s at %(rate)s each"),
    FeeKind.SLOT: _("Delivery slot"),
    FeeKind.RETURN: _("Way back to the store: %(percent)s %% of the delivery"),
    FeeKind.CANCELLATION: _("Cancelled when %(stage)s: %(percent)s %% of the delivery"),
    FeeKind.TAX: _("%(name)s, %(percent)s %%"),
}


class Stage(StrEnum):
    """How far an order was when it was cancelled. After pickup it is returned, not cancelled."""

    PLACED = "placed"
    PLANNED = "planned"
    ASSIGNED = "assigned"
    AT_PICKUP = "at_pickup"


@dataclass(frozen=True, slots=True)
class FeeTerms:
    """One row of a market's terms for sellers.

    `base_cents` covers `base_m`, beyond it `mile_cents` is due for each mile begun; `size_cents` per parcel
    of a class; shares are of the delivery's fee before tax. Raises ValueError for negative numbers.
    """

    rule: str
    base_cents: int
    base_m: int
    mile_cents: int
    size_cents: tuple[tuple[str, int], ...]
    return_share: Decimal
    cancellation_shares: tuple[tuple[Stage, Decimal], ...]
    tax_share: Decimal = Decimal(0)
    tax_name: str = ""

    def __post_init__(self) -> None:
        shares = [self.return_share, self.tax_share, *(share for _stage, share in self.cancellation_shares)]
        cents = [self.base_cents, self.base_m, self.mile_cents, *(each for _size, each in self.size_cents)]
        if min(shares) < 0 or min(cents) < 0:
            raise ValueError("terms have no negative numbers")


@dataclass(frozen=True, slots=True)
class FeeLine:
    """One reason for money: `FEE_SENTENCES[kind] % dict(params)` says it; amounts in params are in cents."""

    kind: FeeKind
    cents: int
    rule: str
    params: tuple[tuple[str, str], ...] = ()


def fee(
    terms: FeeTerms, *, distance_m: int, size_classes: Iterable[str], slot_cents: int = 0
) -> tuple[FeeLine, ...]:
    """The fee of a delivery over `distance_m` of road with parcels of these size classes, in a slot that costs
    `slot_cents` more; the tax on all of it is the last line.

    Lines of nothing are left out, but the base is always there. Raises ValueError for a negative distance and
    for a size class that the terms do not know.
    """
    if distance_m < 0:
        raise ValueError("a distance is not negative")
    free_miles = f"{Decimal(terms.base_m) / METRES_A_MILE:.0f}"
    lines = [_line(FeeKind.BASE, terms.base_cents, terms, miles=free_miles)]
    beyond = Decimal(max(0, distance_m - terms.base_m))
    miles = math.ceil(beyond / METRES_A_MILE)
    if miles:
        rate = terms.mile_cents
        lines.append(_line(FeeKind.DISTANCE, miles * rate, terms, miles=miles, rate=rate))
    prices = dict(terms.size_cents)
    for size, parcels in sorted(Counter(size_classes).items()):
        if size not in prices:
            raise ValueError(f"no price for size {size!r}")
        if prices[size]:
            cents = parcels * prices[size]
            lines.append(_line(FeeKind.SIZE, cents, terms, parcels=parcels, size=size, rate=prices[size]))
    if slot_cents:
        lines.append(_line(FeeKind.SLOT, slot_cents, terms))
    return _taxed(terms, lines)


def return_fee(terms: FeeTerms, delivery: Iterable[FeeLine]) -> tuple[FeeLine, ...]:
    """What the way back costs, given the lines of the delivery; beside them, not in their place."""
    return _share(FeeKind.RETURN, terms, delivery, terms.return_share)


def cancellation_fee(terms: FeeTerms, delivery: Iterable[FeeLine], *, stage: Stage) -> tuple[FeeLine, ...]:
    """What cancelling at this stage costs in place of the delivery; no line when it is free.

    Raises ValueError for a stage that the terms do not price.
    """
    shares = dict(terms.cancellation_shares)
    if stage not in shares:
        raise ValueError(f"no price for cancelling when {stage}")
    return _share(FeeKind.CANCELLATION, terms, delivery, shares[stage], stage=stage)


def total_cents(lines: Iterable[FeeLine]) -> int:
    """The sum of the lines."""
    return sum(line.cents for line in lines)


def net_cents(lines: Iterable[FeeLine]) -> int:
    """The sum of the lines without the tax on them."""
    return sum(line.cents for line in lines if line.kind != FeeKind.TAX)


def _taxed(terms: FeeTerms, lines: Iterable[FeeLine]) -> tuple[FeeLine, ...]:
    found = tuple(lines)
    cents = money.round_cents(terms.tax_share * net_cents(found))
    if not cents:
        return found
    percent = f"{(100 * terms.tax_share).normalize():f}"
    return (*found, _line(FeeKind.TAX, cents, terms, name=terms.tax_name, percent=percent))


def _share(
    kind: FeeKind, terms: FeeTerms, delivery: Iterable[FeeLine], share: Decimal, **params: object
) -> tuple[FeeLine, ...]:
    cents = money.round_cents(share * net_cents(delivery))
    if not cents:
        return ()
    percent = f"{100 * share:f}".removesuffix(".00")
    return _taxed(terms, [_line(kind, cents, terms, percent=percent, **params)])


def _line(kind: FeeKind, cents: int, terms: FeeTerms, **params: object) -> FeeLine:
    return FeeLine(kind, cents, terms.rule, tuple((name, str(value)) for name, value in params.items()))
