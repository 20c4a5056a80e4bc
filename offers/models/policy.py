"""What a market pays, and the days on which it pays more."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import ClassVar, Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from offers.models.ranges import Days, OnlyNumber
from stores.models import Market


class PayPolicyQuerySet(models.QuerySet["PayPolicy"]):
    def valid_on(self, day: dt.date) -> Self:
        return self.filter(Q(valid_to=None) | Q(valid_to__gt=day), valid_from__lte=day)


class PayPolicy(models.Model):
    """What a market pays, valid from a day. A change is a new row; every line of pay names the row it
    used."""

    code = models.SlugField(max_length=60, unique=True)
    market = models.ForeignKey(Market, on_delete=models.PROTECT, related_name="+")
    weekday_cents = models.PositiveIntegerField(
        default=1800, help_text=_("Per hour, weekday until the evening.")
    )
    evening_cents = models.PositiveIntegerField(default=2000, help_text=_("Per hour, from 17:00 local time."))
    weekend_cents = models.PositiveIntegerField(default=2100, help_text=_("Per hour, Saturday and Sunday."))
    holiday_cents = models.PositiveIntegerField(default=2500, help_text=_("Per hour, on a holiday."))
    short_notice_cents = models.PositiveIntegerField(
        default=2200, help_text=_("Per hour, published less than 2 h ahead.")
    )
    cap_cents = models.PositiveIntegerField(default=2500, help_text=_("Per hour, where the ladder ends."))
    step_cents = models.PositiveIntegerField(default=100, help_text=_("Per hour, each step of the ladder."))
    step_minutes = models.PositiveIntegerField(default=15, help_text=_("Between two steps of the ladder."))
    wait_free_minutes = models.PositiveSmallIntegerField(
        default=10, help_text=_("Per store, before waiting is paid.")
    )
    return_cents = models.PositiveIntegerField(default=500, help_text=_("For each return to a store."))
    extra_trip_cents = models.PositiveIntegerField(
        default=0, help_text=_("For each way that was not planned, beside its minutes.")
    )
    extra_mile_cents = models.DecimalField(
        max_digits=8, decimal_places=2, default=Decimal(0), help_text=_("For each mile of such a way.")
    )
    tolls_refunded = models.BooleanField(default=False, help_text=_("Tolls are given back for a receipt."))
    max_orders = models.PositiveSmallIntegerField(
        default=12, help_text=_("Orders in one block; a law may set it.")
    )
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True, help_text=_("First day it no longer holds."))

    objects: ClassVar[models.Manager[PayPolicy]] = PayPolicyQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("pay policy")
        verbose_name_plural = _("pay policies")
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=F("valid_from")),
                name="a_pay_policy_ends_after_it_begins",
            ),
            ExclusionConstraint(
                name="pay_policies_of_a_market_do_not_overlap",
                expressions=[
                    (OnlyNumber("market"), RangeOperators.OVERLAPS),
                    (Days("valid_from", "valid_to"), RangeOperators.OVERLAPS),
                ],
                violation_error_message=_(
                    "valid from: another row of this market holds on some of these days. Give that row an end first "
                    "(valid to: the day this one begins), or begin later."
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Holiday(models.Model):
    """A day on which a market pays its holiday rate."""

    market = models.ForeignKey(Market, on_delete=models.CASCADE, related_name="+", db_index=False)
    on = models.DateField()
    name = models.CharField(max_length=60)

    class Meta:
        verbose_name = _("holiday")
        verbose_name_plural = _("holidays")
        constraints = [
            models.UniqueConstraint(fields=["market", "on"], name="one_holiday_per_market_and_day")
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.on}"
