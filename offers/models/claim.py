"""A driver has a block."""

from __future__ import annotations

from typing import ClassVar, Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from drivers.models import Driver, Vehicle
from offers.models.block import Block
from offers.models.offer import Offer


class OnlyDriver(models.Func):
    """A driver as a range of one, so that an exclusion constraint needs no btree_gist."""

    function = "int8range"
    template = "%(function)s(%(expressions)s, %(expressions)s, '[]')"
    arity = 1


class ClaimQuerySet(models.QuerySet["Claim"]):
    def live(self) -> Self:
        return self.filter(ended_at=None)


class Claim(models.Model):
    """A driver has a block. One live claim per block; a driver is in one place. Ends as a record with a
    reason."""

    # Endings after which something was driven.
    DRIVEN: ClassVar[tuple[str, ...]] = ("completed", "aborted")

    class Ending(models.TextChoices):
        COMPLETED = "completed", _("completed")
        RELEASED = "released", _("released in time")
        FORFEITED = "forfeited", _("released late")
        NO_SHOW = "no_show", _("no-show")
        WITHDRAWN = "withdrawn", _("block withdrawn")
        SUSPENDED = "suspended", _("driver suspended or gone")
        ABORTED = "aborted", _("aborted")
        STOOD_DOWN = "stood_down", _("stood down and paid: no orders came")
        HANDED_OVER = "handed_over", _("handed over to another driver")

    block = models.ForeignKey(Block, on_delete=models.PROTECT, related_name="claims")
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="claims")
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="+", db_index=False)
    vehicle = models.ForeignKey(Vehicle, on_delete=models.PROTECT, related_name="+")
    window = DateTimeRangeField(help_text=_("The block's window, held for this driver."))
    hourly_cents = models.PositiveIntegerField(help_text=_("Locked."))
    pay_cents = models.PositiveIntegerField(help_text=_("Locked pay of the scheduled window, before tips."))
    claimed_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ending = models.CharField(max_length=12, choices=Ending, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    late_told_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When the driver said that they would be late.")
    )
    late_eta_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When they expect to be there, as last told.")
    )
    # What the offer said that is left, by the driver's figures of that moment.
    expected_m = models.PositiveIntegerField(null=True, blank=True, help_text=_("The planned way."))
    expected_way_m = models.PositiveIntegerField(
        null=True, blank=True, help_text=_("From home and back; empty where no home was known.")
    )
    expected_cents_a_mile = models.DecimalField(max_digits=7, decimal_places=2, null=True, blank=True)
    expected_tolls_cents = models.PositiveIntegerField(null=True, blank=True)
    measured_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When what was driven was read from the record.")
    )

    objects: ClassVar[models.Manager[Claim]] = ClaimQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("claim")
        verbose_name_plural = _("claims")
        constraints = [
            models.UniqueConstraint(
                fields=["block"], condition=Q(ended_at=None), name="one_live_claim_per_block"
            ),
            ExclusionConstraint(
                name="driver_is_in_one_place",
                condition=Q(ended_at=None),
                expressions=[
                    (OnlyDriver("driver"), RangeOperators.OVERLAPS),
                    ("window", RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ending="") | (Q(ended_at__isnull=False) & ~Q(ending="")),
                name="a_claim_ends_with_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(
                    expected_m=None,
                    expected_way_m=None,
                    expected_cents_a_mile=None,
                    expected_tolls_cents=None,
                )
                | Q(
                    expected_m__isnull=False,
                    expected_cents_a_mile__isnull=False,
                    expected_tolls_cents__isnull=False,
                ),
                name="what_was_expected_of_a_claim_is_whole",
            ),
        ]
        indexes = [
            models.Index(fields=["driver", "-claimed_at"], name="claim_of_a_driver"),
            # Paid blocks, newest first: the earnings page.
            models.Index(fields=["driver", "-ended_at", "-id"], name="claim_ended_newest"),
            # The sweep that reads what was driven: few rows at any time.
            models.Index(
                fields=["ended_at"],
                condition=Q(measured_at=None, ending__in=("completed", "aborted")),
                name="claim_to_be_measured",
            ),
        ]

    def __str__(self) -> str:
        return f"claim of {self.block_id} by {self.driver_id}"
