"""The car a driver delivers with."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    pass
from drivers.models.driver import Driver


class VehicleQuerySet(models.QuerySet["Vehicle"]):
    def in_use(self) -> Self:
        return self.filter(retired_at=None)


class Vehicle(models.Model):
    """The car a driver delivers with, and what fits in it."""

    class Kind(models.TextChoices):
        SEDAN = "sedan", _("sedan")
        HATCHBACK = "hatchback", _("hatchback")
        SUV = "suv", _("SUV or wagon")
        MINIVAN = "minivan", _("minivan")
        VAN = "van", _("cargo van")

    # What such a car takes with the seats folded, in litres and grams; rounded down.
    CAPACITY: ClassVar[dict[str, tuple[int, int]]] = {
        Kind.SEDAN: (350, 150_000),
        Kind.HATCHBACK: (450, 180_000),
        Kind.SUV: (900, 300_000),
        Kind.MINIVAN: (1_800, 400_000),
        Kind.VAN: (4_000, 800_000),
    }

    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="vehicles")
    kind = models.CharField(max_length=10, choices=Kind)
    make = models.CharField(max_length=40)
    model = models.CharField(max_length=40)
    year = models.PositiveSmallIntegerField(validators=[MinValueValidator(1990), MaxValueValidator(2100)])
    colour = models.CharField(max_length=30)
    plate = models.CharField(max_length=12)
    litres = models.PositiveIntegerField()
    grams = models.PositiveIntegerField()
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager[Vehicle]] = VehicleQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("vehicle")
        verbose_name_plural = _("vehicles")
        constraints = [
            models.UniqueConstraint(
                fields=["driver"], condition=Q(retired_at=None), name="one_vehicle_in_use_per_driver"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.colour} {self.make} {self.model} {self.plate}"
