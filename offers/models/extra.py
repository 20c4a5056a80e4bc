"""Beside the plan: what a driver asks to be paid for, and what a market grants for a week of blocks."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from drivers.models import Driver
from offers.models.block import Block
from retaildelivery.lib import codes
from stores.models import Mall


def extra_code() -> str:
    return codes.new_code(prefix="X", length=7)


class ExtraQuerySet(models.QuerySet["Extra"]):
    def undecided(self) -> Self:
        return self.filter(granted_at=None, declined_at=None)


class Extra(models.Model):
    """What a driver asks to be paid beside the plan of a block: a toll with its receipt, or a way that nobody planned.
    Operations grant it, and it is a line, or decline it with a reason."""

    class Kind(models.TextChoices):
        TOLL = "toll", _("toll")
        TRIP = "extra_trip", _("way that was not planned")

    code = models.CharField(max_length=12, unique=True, default=extra_code, editable=False)
    block = models.ForeignKey(Block, on_delete=models.PROTECT, related_name="+")
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind)
    what = models.CharField(max_length=80, help_text=_("Which road, or why the way was needed."))
    cents = models.PositiveIntegerField(default=0, help_text=_("Of a toll."))
    minutes = models.PositiveIntegerField(default=0, help_text=_("Of a way."))
    miles = models.DecimalField(max_digits=6, decimal_places=1, default=Decimal(0), help_text=_("Of a way."))
    receipt = models.FileField(blank=True, help_text=_("Photo; every toll has one."))
    receipt_sha256 = models.CharField(max_length=64, blank=True)
    asked_at = models.DateTimeField()
    granted_at = models.DateTimeField(null=True, blank=True)
    declined_at = models.DateTimeField(null=True, blank=True)
    declined_reason = models.CharField(max_length=200, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects: ClassVar[models.Manager[Extra]] = ExtraQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("extra")
        verbose_name_plural = _("extras")
        constraints = [
            models.CheckConstraint(
                condition=Q(granted_at=None) | Q(declined_at=None), name="an_extra_is_decided_once"
            ),
            models.CheckConstraint(
                condition=Q(granted_at=None, declined_at=None, decided_by=None)
                | (
                    Q(decided_by__isnull=False) & (Q(granted_at__isnull=False) | Q(declined_at__isnull=False))
                ),
                name="who_decides_about_an_extra_is_on_record",
            ),
            models.CheckConstraint(
                condition=(Q(kind="toll", cents__gt=0, minutes=0, miles=0) & ~Q(receipt=""))
                | Q(kind="extra_trip", cents=0),
                name="a_toll_has_an_amount_and_a_receipt",
            ),
            # The same photo twice is the same toll twice.
            models.UniqueConstraint(
                fields=["driver", "receipt_sha256"],
                condition=~Q(receipt_sha256="") & Q(declined_at=None),
                name="a_receipt_counts_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.code}"


class MissionQuerySet(models.QuerySet["Mission"]):
    def in_week(self, monday: dt.date) -> Self:
        """Missions that hold for the week which begins on this Monday."""
        return self.filter(Q(valid_to=None) | Q(valid_to__gt=monday), valid_from__lte=monday)


class Mission(models.Model):
    """So many blocks of a week at one mall, and there is a bonus. A change is a new row; the bonus names its row."""

    code = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=60, help_text=_("As drivers read it."))
    mall = models.ForeignKey(Mall, on_delete=models.PROTECT, related_name="+")
    blocks = models.PositiveSmallIntegerField(help_text=_("Completed blocks that begin in the week."))
    cents = models.PositiveIntegerField(help_text=_("Paid once, with the block that fulfils it."))
    valid_from = models.DateField(help_text=_("Holds for weeks whose Monday is this day or later."))
    valid_to = models.DateField(null=True, blank=True, help_text=_("First Monday it no longer holds."))

    objects: ClassVar[models.Manager[Mission]] = MissionQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("mission")
        verbose_name_plural = _("missions")
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=F("valid_from")),
                name="a_mission_ends_after_it_begins",
                violation_error_message=_("valid to: choose a day after valid from, or leave it empty."),
            ),
            models.CheckConstraint(
                condition=Q(blocks__gt=0, cents__gt=0),
                name="a_mission_asks_and_pays",
                violation_error_message=_("blocks: at least one block, and at least a cent for it."),
            ),
        ]

    def __str__(self) -> str:
        return self.code
