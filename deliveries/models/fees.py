"""What a seller pays for a delivery, as rows that are valid from a day."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from stores.models import Market


class FeePolicyQuerySet(models.QuerySet["FeePolicy"]):
    def valid_on(self, day: dt.date) -> Self:
        return self.filter(Q(valid_to=None) | Q(valid_to__gt=day), valid_from__lte=day)


class FeePolicy(models.Model):
    """Prices of a market for sellers. A change is a new row; a row that was used is never edited."""

    code = models.SlugField(max_length=60, unique=True)
    market = models.ForeignKey(Market, on_delete=models.PROTECT, related_name="+", db_index=False)
    base_cents = models.PositiveIntegerField(help_text=_("Up to the base distance."))
    base_distance_m = models.PositiveIntegerField()
    mile_cents = models.PositiveIntegerField(help_text=_("Each further mile begun."))
    large_cents = models.PositiveIntegerField(default=0, help_text=_("Surcharge for each large parcel."))
    extra_large_cents = models.PositiveIntegerField(
        default=0, help_text=_("Surcharge for each extra large parcel.")
    )
    return_percent = models.PositiveSmallIntegerField(
        default=60, help_text=_("Of the fee, when an order comes back.")
    )
    cancel_planned_percent = models.PositiveSmallIntegerField(default=0)
    cancel_assigned_percent = models.PositiveSmallIntegerField(default=30)
    cancel_at_pickup_percent = models.PositiveSmallIntegerField(default=60)
    tax_name = models.CharField(
        max_length=40, blank=True, db_default="", help_text=_("As it is printed, such as Nevada sales tax.")
    )
    tax_percent = models.DecimalField(
        max_digits=6,
        decimal_places=3,
        default=0,
        db_default=0,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text=_("Added to every fee; 0 where deliveries are not taxed."),
    )
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True, help_text=_("First day it no longer holds."))

    objects: ClassVar[models.Manager[FeePolicy]] = FeePolicyQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("fee policy")
        verbose_name_plural = _("fee policies")
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=F("valid_from")),
                name="a_fee_policy_ends_after_it_begins",
            ),
            models.CheckConstraint(condition=Q(tax_percent=0) | ~Q(tax_name=""), name="a_tax_has_a_name"),
            models.UniqueConstraint(
                fields=["market", "valid_from"], name="one_fee_policy_per_market_and_day"
            ),
        ]

    def __str__(self) -> str:
        return self.code
