"""Money: integer cents at rest, Decimal while computing, one rounding at the end. Never a float."""

from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

_SYMBOLS = {"USD": "$", "CAD": "CA$", "EUR": "€", "GBP": "£"}
_ONE = Decimal(1)
_MICROSECONDS_AN_HOUR = Decimal(3_600_000_000)


def round_cents(exact: Decimal) -> int:
    """Whole cents from an exact number of cents; a half goes away from zero."""
    if not isinstance(exact, Decimal):
        raise TypeError("money is computed in Decimal")
    return int(exact.quantize(_ONE, rounding=ROUND_HALF_UP))


def cents(amount: Decimal) -> int:
    """Whole cents from an amount in the currency's own unit: cents(Decimal("12.345")) == 1235."""
    if not isinstance(amount, Decimal):
        raise TypeError("money is computed in Decimal")
    return round_cents(amount * 100)


def hours(time: timedelta) -> Decimal:
    """A duration as exact decimal hours (to the 28 digits of the decimal context)."""
    return Decimal(time // timedelta(microseconds=1)) / _MICROSECONDS_AN_HOUR


def for_time(hourly_cents: int, time: timedelta) -> Decimal:
    """What `time` is worth at an hourly rate, in cents, not rounded."""
    # Multiplied before it is divided: 1/3 of an hour would otherwise lose the last digit of an exact half.
    return Decimal(hourly_cents) * Decimal(time // timedelta(microseconds=1)) / _MICROSECONDS_AN_HOUR


def per_hour(cents_total: int, time: timedelta) -> int:
    """The hourly rate that `cents_total` over `time` comes to, rounded; 0 for no time at all."""
    if time <= timedelta(0):
        return 0
    return round_cents(Decimal(cents_total) / hours(time))


def format_cents(amount_cents: int, currency: str = "USD") -> str:
    """For people: 123456 is "$1,234.56", -5 is "-$0.05"; a currency without a symbol of ours goes behind."""
    sign = "-" if amount_cents < 0 else ""
    whole, rest = divmod(abs(amount_cents), 100)
    digits = f"{whole:,}.{rest:02d}"
    symbol = _SYMBOLS.get(currency)
    return f"{sign}{symbol}{digits}" if symbol else f"{sign}{digits} {currency}"
