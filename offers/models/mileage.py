"""What was driven for a block."""

from __future__ import annotations

from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from drivers.models import Driver
from offers.models.claim import Claim


class MileageQuerySet(models.QuerySet["Mileage"]):
    def in_year(self, year: int) -> Self:
        return self.filter(day__year=year)


class Mileage(models.Model):
    """How far a driver drove for a block and how long they worked, kept when it ends: positions are forgotten after 30
    days, and a tax office asks after years. Never changed."""

    class Source(models.TextChoices):
        POSITIONS = "positions", _("positions of the phone")
        PLANNED = "planned", _("the planned way")
        STOPS = "stops", _("the way over the stops that were reached, estimated")

    claim = models.OneToOneField(Claim, on_delete=models.PROTECT, related_name="mileage")
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="+", db_index=False)
    day = models.DateField(help_text=_("On which the work began, at the mall."))
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    driven_m = models.PositiveIntegerField(help_text=_("From the mall to the last stop."))
    back_m = models.PositiveIntegerField(help_text=_("From there back to the mall, estimated."))
    source = models.CharField(max_length=9, choices=Source)
    doors = models.PositiveIntegerField(help_text=_("That were reached."))
    places = models.CharField(max_length=200, help_text=_("Post codes of the doors."), blank=True)

    objects: ClassVar[models.Manager[Mileage]] = MileageQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("mileage of a block")
        verbose_name_plural = _("mileage of blocks")
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at__gte=F("started_at")), name="who_drives_ends_after_they_began"
            ),
        ]
        indexes = [models.Index(fields=["driver", "-day"], name="mileage_of_a_driver")]

    def __str__(self) -> str:
        return f"{self.metres} m of {self.claim_id}"

    @property
    def metres(self) -> int:
        return self.driven_m + self.back_m
