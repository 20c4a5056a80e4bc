"""What the car takes of the pay, and what is left."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from offers.pricing.rates import METRES
from retaildelivery.lib import money

# The Internal Revenue Service's standard mileage rate for business use of a car in 2026, in cents.
IRS_CENTS_A_MILE = Decimal("72.5")


@dataclass(frozen=True, slots=True)
class CarCosts:
    """A driver's own figures. Fuel (or current) is priced by the gallon (kWh); `units_a_100_miles` are used."""

    energy_cents: Decimal
    units_a_100_miles: Decimal
    upkeep_cents_a_mile: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        if min(self.energy_cents, self.units_a_100_miles, self.upkeep_cents_a_mile) < 0:
            raise ValueError("a car costs no negative amount")

    @property
    def cents_a_mile(self) -> Decimal:
        """Energy and upkeep of one mile."""
        return self.energy_cents * self.units_a_100_miles / 100 + self.upkeep_cents_a_mile


def car_cents(metres: int, cents_a_mile: Decimal = IRS_CENTS_A_MILE) -> int:
    """What driving this far costs the driver: fuel, wear, insurance. Default: IRS_CENTS_A_MILE."""
    return money.round_cents(metres / METRES["mi"] * cents_a_mile)


def what_is_left(
    pay_cents: int, metres: int, cents_a_mile: Decimal = IRS_CENTS_A_MILE, *, tolls_cents: int = 0
) -> int:
    """The driver's estimate after the car and tolls, in cents; it may be below zero and is shown so."""
    return pay_cents - car_cents(metres, cents_a_mile) - tolls_cents
