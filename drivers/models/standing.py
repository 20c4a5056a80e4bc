"""What counts for or against a driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    pass
from drivers.models.driver import Driver


class StandingEvent(models.Model):
    """Something that counts for or against a driver, with its cause and who was at fault. Causes of the
    store, the recipient, the weather and the platform are shown and never count."""

    class Kind(models.TextChoices):
        COMPLETED = "completed", _("block completed")
        LATE = "late", _("late check-in")
        FORFEIT = "forfeit", _("released less than 45 minutes before the start")
        NO_SHOW = "no_show", _("no-show")

    class Fault(models.TextChoices):
        DRIVER = "driver", _("driver")
        STORE = "store", _("store")
        RECIPIENT = "recipient", _("recipient")
        WEATHER = "weather", _("weather")
        PLATFORM = "platform", _("platform")
        NONE = "none", _("nobody")

    key = models.CharField(
        max_length=120, unique=True, help_text=_("What it is about, so that it counts once.")
    )
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="standing_events")
    kind = models.CharField(max_length=12, choices=Kind)
    fault = models.CharField(max_length=10, choices=Fault)
    points = models.SmallIntegerField(help_text=_("Zero unless the driver was at fault or did well."))
    text = models.CharField(max_length=200)
    subject = models.CharField(max_length=80, help_text=_("Such as block:BX7K2M."))
    at = models.DateTimeField()
    decays_at = models.DateTimeField()

    class Meta:
        verbose_name = _("standing event")
        verbose_name_plural = _("standing events")
        indexes = [models.Index(fields=["driver", "-at"], name="standing_of_a_driver")]
        constraints = [
            models.CheckConstraint(
                condition=Q(points__gte=0) | Q(fault="driver"),
                name="only_the_drivers_own_fault_counts_against_them",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
