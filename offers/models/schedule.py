"""Blocks published ahead of their orders: who asked for how many, on what reckoning, and where it goes by itself."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stores.models import Mall


class Publication(models.Model):
    """So many blocks of one start and length were published ahead of their orders. Keeps what was recommended then,
    and from what, beside what was decided."""

    class Method(models.TextChoices):
        SEASONAL = "seasonal", _("the same hours of the last eight weeks, with their trend")
        AVERAGE_DAY = "average_day", _("all days so far alike: the history is short")
        NONE = "none", _("no forecast: less than a week of history")

    mall = models.ForeignKey(Mall, on_delete=models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=120, unique=True, help_text=_("What it answers; published once."))
    starts_at = models.DateTimeField()
    length = models.DurationField()
    count = models.PositiveSmallIntegerField(help_text=_("Blocks published."))
    recommended = models.PositiveSmallIntegerField(null=True, blank=True)
    method = models.CharField(max_length=12, choices=Method, default=Method.NONE)
    reckoning = models.JSONField(
        default=dict, blank=True, help_text=_("The numbers it was recommended from.")
    )
    automatic = models.BooleanField(default=False)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    published_at = models.DateTimeField()

    class Meta:
        verbose_name = _("publication of blocks")
        verbose_name_plural = _("publications of blocks")
        constraints = [
            models.CheckConstraint(condition=Q(count__gt=0), name="a_publication_has_blocks"),
            models.CheckConstraint(
                condition=Q(automatic=True, published_by=None) | Q(automatic=False),
                name="nobody_publishes_what_publishes_itself",
            ),
        ]
        indexes = [
            # What was published for a day at a mall.
            models.Index(fields=["mall", "starts_at"], name="publication_mall_start"),
        ]

    def __str__(self) -> str:
        return f"publication {self.key}"

    @property
    def ends_at(self) -> dt.datetime:
        return self.starts_at + self.length


class AutoSchedule(models.Model):
    """Whether a mall publishes what is recommended by itself, how many days ahead, and at what hour. Off unless
    somebody switches it on."""

    mall = models.OneToOneField(Mall, on_delete=models.PROTECT, related_name="+")
    on = models.BooleanField(default=False)
    days_ahead = models.PositiveSmallIntegerField(default=2)
    hour = models.PositiveSmallIntegerField(default=12, help_text=_("Local hour from which on it publishes."))
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name = _("automatic publishing")
        verbose_name_plural = _("automatic publishing")
        constraints = [
            models.CheckConstraint(condition=Q(hour__lte=23), name="an_hour_of_the_day"),
            models.CheckConstraint(
                condition=Q(days_ahead__gte=1, days_ahead__lte=14), name="published_days_not_months_ahead"
            ),
        ]

    def __str__(self) -> str:
        return f"automatic publishing at {self.mall_id}"


class ScheduledDay(models.Model):
    """A mall's day that published itself; it does so once, also when it published nothing."""

    mall = models.ForeignKey(Mall, on_delete=models.PROTECT, related_name="+", db_index=False)
    day = models.DateField()
    blocks = models.PositiveSmallIntegerField(default=0)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("day that published itself")
        verbose_name_plural = _("days that published themselves")
        constraints = [
            models.UniqueConstraint(fields=["mall", "day"], name="a_day_publishes_itself_once"),
        ]

    def __str__(self) -> str:
        return f"{self.mall_id} on {self.day}"
