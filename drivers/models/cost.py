"""What driving costs a driver: the tax office's rate by year, and each driver's own reckoning."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from drivers.models.driver import Driver
from retaildelivery.lib.geo import Point

# A rate is shown with these decimals and multiplied as shown, so that anybody can reckon along.
RATE = Decimal("0.01")


class Days(models.Func):
    """The days on which a row holds."""

    function = "daterange"
    arity = 2
    output_field = DateRangeField()


class MileageRate(models.Model):
    """What the United States' tax office (IRS) lets a business deduct for a mile by car, by the days it holds."""

    cents_per_mile = models.DecimalField(
        max_digits=5, decimal_places=2, validators=[MinValueValidator(Decimal("0.01"))]
    )
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True, help_text=_("First day it no longer holds."))
    source = models.CharField(max_length=200, help_text=_("The notice that sets it."))

    class Meta:
        verbose_name = _("mileage rate")
        verbose_name_plural = _("mileage rates")
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=F("valid_from")),
                name="a_mileage_rate_ends_after_it_begins",
                violation_error_message=_("valid to: choose a day after valid from, or leave it empty."),
            ),
            models.CheckConstraint(condition=Q(cents_per_mile__gt=0), name="a_mileage_rate_is_above_zero"),
            ExclusionConstraint(
                name="one_mileage_rate_on_a_day",
                expressions=[(Days("valid_from", "valid_to"), RangeOperators.OVERLAPS)],
                violation_error_message=_(
                    "valid from: another rate holds on some of these days. Give that row an end first."
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cents_per_mile} ¢ from {self.valid_from}"


class CostProfile(models.Model):
    """How a driver reckons what a block costs them. For their eyes only: the home most of all."""

    class Basis(models.TextChoices):
        IRS = "irs", _("the rate of the IRS")
        FLAT = "flat", _("my own figure for a mile")
        CAR = "car", _("my car: fuel or electricity, and upkeep")

    class Unit(models.TextChoices):
        MPG = "mpg", _("miles per gallon")
        LITRES = "l_100mi", _("litres per 100 miles")
        KWH = "kwh_100mi", _("kWh per 100 miles")
        MILES_PER_KWH = "mi_kwh", _("miles per kWh")

    # Distance per amount, where more is cheaper; the others are amounts per 100 miles.
    PER_AMOUNT: ClassVar[frozenset[str]] = frozenset({Unit.MPG, Unit.MILES_PER_KWH})

    driver = models.OneToOneField(Driver, on_delete=models.CASCADE, related_name="cost_profile")
    basis = models.CharField(max_length=4, choices=Basis, default=Basis.IRS)
    cents_per_mile = models.DecimalField(
        max_digits=5, decimal_places=2, null=True, blank=True, validators=[MaxValueValidator(500)]
    )
    use = models.DecimalField(
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        help_text=_("Of fuel or electricity, in the unit."),
    )
    unit = models.CharField(max_length=9, choices=Unit, blank=True)
    price_cents = models.DecimalField(
        max_digits=6,
        decimal_places=2,
        null=True,
        blank=True,
        help_text=_("Of a gallon, a litre or a kWh, after the unit."),
    )
    upkeep_cents = models.DecimalField(
        max_digits=5,
        decimal_places=2,
        default=Decimal(0),
        help_text=_("Tyres, repairs, loss in value; a mile."),
    )
    tolls_cents = models.PositiveIntegerField(default=0, help_text=_("On a usual block."))
    home_latitude = models.DecimalField(max_digits=5, decimal_places=3, null=True, blank=True)
    home_longitude = models.DecimalField(max_digits=6, decimal_places=3, null=True, blank=True)
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name = _("cost profile")
        verbose_name_plural = _("cost profiles")
        constraints = [
            models.CheckConstraint(
                condition=~Q(basis="flat") | Q(cents_per_mile__isnull=False),
                name="a_flat_cost_profile_has_its_figure",
            ),
            models.CheckConstraint(
                condition=~Q(basis="car")
                | (
                    Q(use__isnull=False, use__gt=0, price_cents__isnull=False, price_cents__gte=0)
                    & ~Q(unit="")
                ),
                name="a_car_in_a_cost_profile_has_use_and_price",
            ),
            models.CheckConstraint(
                condition=(Q(cents_per_mile=None) | Q(cents_per_mile__gte=0)) & Q(upkeep_cents__gte=0),
                name="a_cost_profile_earns_nothing",
            ),
            models.CheckConstraint(
                condition=Q(home_latitude=None, home_longitude=None)
                | Q(
                    home_latitude__isnull=False,
                    home_longitude__isnull=False,
                    home_latitude__range=(-90, 90),
                    home_longitude__range=(-180, 180),
                ),
                name="a_home_is_a_place_or_nothing",
            ),
        ]

    def __str__(self) -> str:
        return f"costs of {self.driver_id}"

    @property
    def home(self) -> Point | None:
        if self.home_latitude is None or self.home_longitude is None:
            return None
        return Point(float(self.home_latitude), float(self.home_longitude))

    def cents_a_mile(self, irs: Decimal) -> Decimal:
        """What a mile costs by this reckoning, to a hundredth of a cent; `irs` is the tax office's rate of the day."""
        if self.basis == self.Basis.FLAT:
            assert self.cents_per_mile is not None
            return self.cents_per_mile
        if self.basis == self.Basis.IRS:
            return irs
        assert self.use is not None
        assert self.price_cents is not None
        energy = (
            self.price_cents / self.use if self.unit in self.PER_AMOUNT else self.use * self.price_cents / 100
        )
        return (energy + self.upkeep_cents).quantize(RATE, rounding=ROUND_HALF_UP)
