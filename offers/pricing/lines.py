"""What comes out of pricing: lines, each with its kind, its cents, its numbers and its rule."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction


def _(text: str) -> str:
    """Marks a sentence for the catalogue; the page that shows it translates it."""
    return text


class LineKind(StrEnum):
    """What a line of pay is for."""

    BASE = "base"
    STEP = "step"
    OVERTIME = "overtime"
    WAIT = "wait"
    RETURN = "return"
    EXTRA_TRIP = "extra_trip"
    STOOD_DOWN = "stood_down"
    WITHDRAWN = "withdrawn"
    BONUS = "bonus"
    TOLL = "toll"
    TIP = "tip"
    FLOOR = "floor"
    MILEAGE = "mileage"


LINE_SENTENCES: dict[LineKind, str] = {
    LineKind.BASE: _("%(hours)s h at %(rate)s an hour"),
    LineKind.STEP: _("%(hours)s h at %(rate)s an hour more, the step at which it was claimed"),
    LineKind.OVERTIME: _("%(minutes)s min beyond the block at %(rate)s an hour"),
    LineKind.WAIT: _("%(minutes)s min of waiting at store %(store)s at %(rate)s an hour"),
    LineKind.RETURN: _("%(trips)s way back to a store at %(rate)s each"),
    LineKind.EXTRA_TRIP: _("Extra trip %(name)s: %(minutes)s min and %(miles)s mi"),
    LineKind.STOOD_DOWN: _("Stood down, no work was there: %(percent)s%% of the block"),
    LineKind.WITHDRAWN: _("Block withdrawn at short notice: %(percent)s%% of its pay"),
    LineKind.BONUS: _("Bonus %(name)s"),
    LineKind.TOLL: _("Tolls, given back"),
    LineKind.TIP: _("Tip for order %(order)s"),
    LineKind.FLOOR: _("Up to the floor of %(floor)s; %(credited)s of the lines above count towards it"),
    LineKind.MILEAGE: _("%(distance)s %(unit)s at %(rate)s each, on top of the floor"),
}


FLAT_SENTENCE = _("Agreed for the block as a whole")
POOL_SENTENCE = _("Your part of what all drivers' pay of %(pool_credited)s is short of the floor of %(pool)s")


@dataclass(frozen=True, slots=True)
class PayLine:
    """One reason for money: `template % dict(params)` says it. Amounts in params are in cents.

    `rule` is the code of the policy row; `charged_to` the store that bears a wait.
    """

    kind: LineKind
    cents: int
    rule: str
    params: tuple[tuple[str, str], ...] = ()
    charged_to: str | None = None

    @property
    def template(self) -> str:
        """The sentence of the line, in the catalogue's language."""
        if self.kind is LineKind.BASE and not self.params:
            return FLAT_SENTENCE
        if self.kind is LineKind.FLOOR and "pool" in dict(self.params):
            return POOL_SENTENCE
        return LINE_SENTENCES[self.kind]


@dataclass(frozen=True, slots=True)
class Pay:
    """Every cent with its reason."""

    lines: tuple[PayLine, ...] = field(default=())

    @property
    def total_cents(self) -> int:
        """The sum of the lines."""
        return sum(line.cents for line in self.lines)

    def of(self, *kinds: LineKind) -> int:
        """The sum of the lines of these kinds."""
        return sum(line.cents for line in self.lines if line.kind in kinds)


def line(kind: LineKind, cents: int, rule: str, charged_to: str | None = None, **params: object) -> PayLine:
    """A line with its numbers as words."""
    return PayLine(kind, cents, rule, tuple((name, str(value)) for name, value in params.items()), charged_to)


def plain(number: Decimal | Fraction) -> str:
    """For people, two decimals at most, without trailing zeros."""
    text = f"{float(number):.2f}" if isinstance(number, Fraction) else f"{number:.2f}"
    return text.rstrip("0").rstrip(".")


def round_half_up(exact: Fraction) -> int:
    """Whole cents; a half goes up. No exact half is lost as it would be in decimals of a third of an hour."""
    return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)
