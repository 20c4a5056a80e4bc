"""Which blocks a driver would like to hear of."""

from __future__ import annotations

import datetime as dt

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from drivers.models import Driver
from retaildelivery.lib import codes
from stores.models import Mall


class Wish(models.Model):
    """When, for how much and how a driver would like to hear of offers; the malls are `MallPreference`s."""

    driver = models.OneToOneField(Driver, on_delete=models.PROTECT, related_name="+")
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(validators=[MaxValueValidator(6)]),
        default=list,
        blank=True,
        help_text=_("0 is Monday; empty means every day."),
    )
    starts_from = models.TimeField(default=dt.time(0))
    starts_until = models.TimeField(default=dt.time(23, 59))
    least_hourly_cents = models.PositiveIntegerField(default=0)
    by_email = models.BooleanField(default=False)
    quiet_from = models.TimeField(default=dt.time(22))
    quiet_until = models.TimeField(default=dt.time(7))
    token = models.CharField(max_length=64, unique=True, default=codes.new_token, editable=False)
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name = _("driver's wish")
        verbose_name_plural = _("drivers' wishes")
        indexes = [
            # Whom to tell of an offer.
            models.Index(
                fields=["least_hourly_cents"], condition=models.Q(by_email=True), name="wish_to_be_told"
            ),
        ]

    def __str__(self) -> str:
        return f"wish of {self.driver_id}"


class MallPreference(models.Model):
    """A mall that a driver likes to start from. A driver without any likes all of their market."""

    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="+")
    mall = models.ForeignKey(Mall, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("preferred mall")
        verbose_name_plural = _("preferred malls")
        constraints = [
            models.UniqueConstraint(fields=["driver", "mall"], name="one_preference_per_driver_and_mall")
        ]

    def __str__(self) -> str:
        return f"{self.driver_id} likes {self.mall_id}"
