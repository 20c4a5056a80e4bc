"""What the car takes of the pay, and what is left."""

from __future__ import annotations

from decimal import Decimal

from offers.pricing.rates import METRES
from retaildelivery.lib import money

# The Internal Revenue Service's standard mileage rate for business use of a car in 2026, in cents.
IRS_CENTS_A_MILE = Decimal("72.5")


def car_cents(metres: int, cents_a_mile: Decimal = IRS_CENTS_A_MILE) -> int:
    """What driving this far costs the driver: fuel, wear, insurance. Default: IRS_CENTS_A_MILE."""
    return money.round_cents(metres / METRES["mi"] * cents_a_mile)


def what_is_left(pay_cents: int, metres: int, cents_a_mile: Decimal = IRS_CENTS_A_MILE) -> int:
    """The driver's estimate after the car, in cents; it may be below zero and is shown so."""
    return pay_cents - car_cents(metres, cents_a_mile)
