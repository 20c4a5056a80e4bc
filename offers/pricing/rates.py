"""Amounts that differ by place and by day: a law's wage as rows, looked up by where and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

METRES = {"mi": Decimal("1609.344"), "km": Decimal(1000)}


class NoRate(ValueError):
    """No row covers the place and day that were asked for."""

    def __init__(self, place: str | None, day: date | None) -> None:
        super().__init__(f"no rate for place {place!r} on {day}")
        self.place, self.day = place, day


@dataclass(frozen=True, slots=True)
class Rate:
    """One row: an amount for a place (None: everywhere) on the days [valid_from, valid_to)."""

    amount: Decimal
    place: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    rule: str = ""

    def holds(self, place: str | None, day: date | None) -> bool:
        """Whether the row covers this place and day. Without a day only a row without days does."""
        if self.place is not None and self.place != place:
            return False
        if day is None:
            return self.valid_from is None and self.valid_to is None
        return (self.valid_from or date.min) <= day < (self.valid_to or date.max)


@dataclass(frozen=True, slots=True)
class Rates:
    """Rows of which the closest holds: that of the place before that of everywhere, the newest of several."""

    rows: tuple[Rate, ...]

    def on(self, place: str | None, day: date | None) -> Rate:
        """The row for a place and day. Raises NoRate."""
        held = [row for row in self.rows if row.holds(place, day)]
        if not held:
            raise NoRate(place, day)
        return max(held, key=lambda row: (row.place is not None, row.valid_from or date.min))


Amount = Decimal | Rates


def amount_of(amount: int | Amount, place: str | None, day: date | None) -> Fraction:
    """The exact amount that holds there and then. Raises NoRate."""
    return Fraction(amount.on(place, day).amount if isinstance(amount, Rates) else amount)


def amounts(amount: int | Amount) -> tuple[Decimal, ...]:
    """Every amount that may hold."""
    return tuple(row.amount for row in amount.rows) if isinstance(amount, Rates) else (Decimal(amount),)
