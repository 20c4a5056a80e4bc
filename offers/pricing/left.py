"""What the car takes of the pay, and what is left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from offers.pricing.rates import METRES
from retaildelivery.lib import money


def car_cents(metres: int, cents_a_mile: Decimal) -> int:
    """What driving this far costs the driver: fuel, wear, insurance."""
    return money.round_cents(metres / METRES["mi"] * cents_a_mile)


def what_is_left(pay_cents: int, metres: int, cents_a_mile: Decimal) -> int:
    """The driver's estimate after the car, in cents; it may be below zero and is shown so."""
    return pay_cents - car_cents(metres, cents_a_mile)


@dataclass(frozen=True, slots=True)
class Left:
    """What a block leaves its driver, reckoned by their own figures. Money in cents, ways in metres; tips are not
    counted while it is only offered. `way_m` is the way from home and back, None where no home is known; `time` is
    that of the block, without that way."""

    pay_cents: int
    block_m: int
    way_m: int | None
    cents_a_mile: Decimal
    tolls_cents: int
    time: timedelta

    @property
    def metres(self) -> int:
        return self.block_m + (self.way_m or 0)

    @property
    def car_cents(self) -> int:
        return car_cents(self.metres, self.cents_a_mile)

    @property
    def cost_cents(self) -> int:
        return self.car_cents + self.tolls_cents

    @property
    def left_cents(self) -> int:
        return self.pay_cents - self.cost_cents

    @property
    def left_hourly_cents(self) -> int:
        return money.per_hour(self.left_cents, self.time)
