"""Which blocks a driver would like to hear of."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from drivers.models import Driver
from offers.models.block import Block
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
    by_push = models.BooleanField(default=False, help_text=_("On the phones that the driver has chosen."))
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
                fields=["least_hourly_cents"],
                condition=Q(by_email=True) | Q(by_push=True),
                name="wish_to_be_told",
            ),
        ]

    def __str__(self) -> str:
        return f"wish of {self.driver_id}"


class MallPreference(models.Model):
    """A mall that a driver likes to start from. A driver without any likes all of their market."""

    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="+", db_index=False)
    mall = models.ForeignKey(Mall, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("preferred mall")
        verbose_name_plural = _("preferred malls")
        constraints = [
            models.UniqueConstraint(fields=["driver", "mall"], name="one_preference_per_driver_and_mall")
        ]

    def __str__(self) -> str:
        return f"{self.driver_id} likes {self.mall_id}"


class FitQuerySet(models.QuerySet["Fit"]):
    def due(self, at: dt.datetime) -> Self:
        return self.filter(told_at=None, dropped_at=None, due_at__lte=at)


class Fit(models.Model):
    """A block that answers a wish: its driver is told once, at `due_at`, if it is then still open to all."""

    wish = models.ForeignKey(Wish, on_delete=models.PROTECT, related_name="+", db_index=False)
    block = models.ForeignKey(Block, on_delete=models.PROTECT, related_name="+")
    due_at = models.DateTimeField(help_text=_("Now, or when the driver's quiet hours end."))
    told_at = models.DateTimeField(null=True, blank=True)
    dropped_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When it was due and was gone, or not theirs to have.")
    )

    objects: ClassVar[models.Manager[Fit]] = FitQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("block that fits")
        verbose_name_plural = _("blocks that fit")
        constraints = [
            models.UniqueConstraint(fields=["wish", "block"], name="one_fit_per_wish_and_block"),
            models.CheckConstraint(
                condition=Q(told_at=None) | Q(dropped_at=None), name="a_fit_is_told_or_dropped_not_both"
            ),
        ]
        indexes = [
            # Whom the sweep tells next.
            models.Index(
                fields=["due_at"], condition=Q(told_at=None, dropped_at=None), name="fit_to_be_told"
            ),
        ]

    def __str__(self) -> str:
        return f"block {self.block_id} for wish {self.wish_id}"
