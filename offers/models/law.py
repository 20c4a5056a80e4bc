"""What a law guarantees drivers, as rows: places, their wages, the floors, and what each floor came to."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import ClassVar, Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import (
    ArrayField,
    RangeOperators,
)
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from drivers.models import Driver
from offers.models.ranges import Days, OnlyText
from stores.models import Mall, Market


class Counted(models.TextChoices):
    """Lines that may count towards a floor; tips and tolls never do."""

    BASE = "base", _("base")
    STEP = "step", _("step")
    OVERTIME = "overtime", _("overtime")
    WAIT = "wait", _("waiting")
    RETURN = "return", _("ways back")
    EXTRA_TRIP = "extra_trip", _("extra trips")
    STOOD_DOWN = "stood_down", _("stood down")
    WITHDRAWN = "withdrawn", _("withdrawn")
    BONUS = "bonus", _("bonuses")


def all_counted() -> list[str]:
    return [str(each) for each in Counted]


class Jurisdiction(models.Model):
    """A place with a law on pay: a state, a city. The malls in it are where its work begins; a mall may be in
    several."""

    code = models.SlugField(max_length=30, unique=True)
    name = models.CharField(max_length=80)
    malls = models.ManyToManyField(Mall, related_name="+", blank=True)

    class Meta:
        verbose_name = _("jurisdiction")
        verbose_name_plural = _("jurisdictions")

    def __str__(self) -> str:
        return self.name


class Wage(models.Model):
    """The minimum wage of a place from a day on, until its next row: no law lets it lapse. Of a mall that lies in
    several places the highest holds."""

    code = models.SlugField(max_length=60, unique=True)
    jurisdiction = models.ForeignKey(
        Jurisdiction, on_delete=models.PROTECT, related_name="wages", db_index=False
    )
    hour_cents = models.DecimalField(max_digits=10, decimal_places=4, help_text=_("Cents an hour."))
    valid_from = models.DateField()

    class Meta:
        verbose_name = _("wage")
        verbose_name_plural = _("wages")
        constraints = [
            models.UniqueConstraint(
                fields=["jurisdiction", "valid_from"], name="one_wage_of_a_place_from_a_day"
            ),
            models.CheckConstraint(condition=Q(hour_cents__gt=0), name="a_wage_is_above_zero"),
        ]

    def __str__(self) -> str:
        return self.code


class PayFloorQuerySet(models.QuerySet["PayFloor"]):
    def of_mall(self, mall: Mall) -> Self:
        """Rows of the mall's market and of the places it lies in."""
        places = Jurisdiction.objects.filter(malls=mall).values("pk")
        return self.filter(Q(market=mall.market_id) | Q(jurisdiction__in=places))

    def valid_on(self, day: dt.date) -> Self:
        return self.filter(Q(valid_to=None) | Q(valid_to__gt=day), valid_from__lte=day)


class PayFloor(models.Model):
    """What a law guarantees from a day on. A change is a new row of the same law; lines of pay name the row."""

    class Scope(models.TextChoices):
        OFFER = "offer", _("each block")
        SHIFT = "shift", _("each shift: blocks no more than 2 h apart")
        PERIOD = "period", _("each week of the market")
        POOL = "pool", _("each week, all drivers together")

    class Unit(models.TextChoices):
        MILE = "mi", _("mile")
        KM = "km", _("kilometre")

    class Mileage(models.TextChoices):
        IN_FLOOR = "in_floor", _("part of the floor (California)")
        ON_TOP = "on_top", _("paid beside the floor (British Columbia)")
        IN_OFFER = "in_offer", _("part of each block, before its minimum (Seattle)")

    class Since(models.TextChoices):
        CHECKED_IN = "accepted", _("check-in")
        ARRIVED = "arrived", _("arrival at the first store")
        PICKED_UP = "picked_up", _("the first pickup")

    class Share(models.TextChoices):
        HOURS = "hours", _("by hours")
        TRIP_HOURS = "trip_hours", _("by hours on the way")
        EQUAL = "equal", _("equally")

    code = models.SlugField(max_length=60, unique=True, help_text=_("Such as prop22-2026; lines name it."))
    law = models.SlugField(max_length=30, help_text=_("Such as prop22: rows of one law follow one another."))
    market = models.ForeignKey(
        Market, on_delete=models.PROTECT, null=True, blank=True, related_name="+",
        help_text=_("Where it holds: a market, or a jurisdiction."),
    )  # fmt: skip
    jurisdiction = models.ForeignKey(
        Jurisdiction, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    scope = models.CharField(max_length=6, choices=Scope, default=Scope.OFFER)
    hour_cents = models.DecimalField(
        max_digits=10, decimal_places=4, default=Decimal(0), help_text=_("Cents for each engaged hour.")
    )
    minute_cents = models.DecimalField(
        max_digits=10, decimal_places=4, default=Decimal(0), help_text=_("Or cents for each engaged minute.")
    )
    wage_percent = models.DecimalField(
        max_digits=6, decimal_places=2, default=Decimal(0),
        help_text=_("Or percent of the wage at the place and day of the pickup, such as 120."),
    )  # fmt: skip
    utilisation = models.DecimalField(
        max_digits=4, decimal_places=3, default=Decimal(1),
        help_text=_("Divides the rate: the share of the time that has trips (New York)."),
    )  # fmt: skip
    engaged_from = models.CharField(
        max_length=9, choices=Since, default=Since.CHECKED_IN, help_text=_("When engaged time begins.")
    )
    counts_on_call = models.BooleanField(
        default=False, help_text=_("In a pool: hours of standing by are paid as well.")
    )
    share = models.CharField(
        max_length=10, choices=Share, default=Share.HOURS, help_text=_("How a pool's top-up is divided.")
    )
    distance_cents = models.DecimalField(max_digits=10, decimal_places=4, default=Decimal(0))
    distance_unit = models.CharField(max_length=2, choices=Unit, default=Unit.MILE)
    mileage = models.CharField(max_length=8, choices=Mileage, default=Mileage.IN_FLOOR)
    minimum_cents = models.PositiveIntegerField(default=0, help_text=_("Least of the whole scope."))
    each_minimum_cents = models.PositiveIntegerField(default=0, help_text=_("Least of each block in it."))
    creditable = ArrayField(
        models.CharField(max_length=10, choices=Counted),
        default=all_counted,
        help_text=_("Lines that count towards it."),
    )
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True, help_text=_("First day it no longer holds."))

    objects: ClassVar[models.Manager[PayFloor]] = PayFloorQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("pay floor")
        verbose_name_plural = _("pay floors")
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=F("valid_from")),
                name="a_pay_floor_ends_after_it_begins",
                violation_error_message=_("valid to: choose a day after valid from, or leave it empty."),
            ),
            models.CheckConstraint(
                condition=Q(market=None, jurisdiction__isnull=False)
                | Q(market__isnull=False, jurisdiction=None),
                name="a_pay_floor_holds_in_a_market_or_a_jurisdiction",
                violation_error_message=_("market: choose a market or a jurisdiction, one of the two."),
            ),
            models.CheckConstraint(
                condition=Q(hour_cents=0, minute_cents=0)
                | Q(hour_cents=0, wage_percent=0)
                | Q(minute_cents=0, wage_percent=0),
                name="a_pay_floor_has_one_rate_for_time",
                violation_error_message=_(
                    "hour cents: give a rate by the hour, by the minute or as percent of the wage, one of them."
                ),
            ),
            models.CheckConstraint(
                condition=Q(wage_percent=0) | Q(jurisdiction__isnull=False),
                name="a_percent_of_the_wage_is_of_a_jurisdiction",
                violation_error_message=_("jurisdiction: choose the place whose wage the percent are of."),
            ),
            models.CheckConstraint(
                condition=Q(
                    hour_cents__gte=0,
                    minute_cents__gte=0,
                    wage_percent__gte=0,
                    distance_cents__gte=0,
                    utilisation__gt=0,
                    utilisation__lte=1,
                ),
                name="a_pay_floor_has_no_negative_rates",
                violation_error_message=_("utilisation: above 0 and at most 1; no rate is negative."),
            ),
            models.CheckConstraint(
                condition=Q(creditable__contained_by=all_counted()),
                name="tips_and_tolls_count_towards_no_pay_floor",
            ),
            ExclusionConstraint(
                name="rows_of_a_law_do_not_overlap",
                expressions=[
                    (OnlyText("law"), RangeOperators.OVERLAPS),
                    (Days("valid_from", "valid_to"), RangeOperators.OVERLAPS),
                ],
                violation_error_message=_(
                    "valid from: another row of this law holds on some of these days. Give that row an end first "
                    "(valid to: the day this one begins), or begin later."
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.code

    def clean(self) -> None:
        """A percent needs a wage to be of."""
        place = self.jurisdiction
        if not self.wage_percent or place is None or not self.valid_from:
            return
        if not place.wages.filter(valid_from__lte=self.valid_from).exists():
            text = _("No wage of %(place)s holds on that day: add its row under Wages first.")
            raise ValidationError({"wage_percent": text % {"place": place.name}})


class FloorFinding(models.Model):
    """What a floor came to for a driver: of a block, a shift, or a week. Kept whether or not anything was due, so that
    "why no top-up?" has an answer; what was due is a line of the account under the same key."""

    key = models.CharField(max_length=120, unique=True)
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="+", db_index=False)
    floor = models.ForeignKey(
        PayFloor, on_delete=models.PROTECT, related_name="+", help_text=_("The newest row that was used.")
    )
    rows = ArrayField(models.BigIntegerField(), help_text=_("All rows that were used."))
    wages = ArrayField(models.BigIntegerField(), default=list, help_text=_("The rows of the wage."))
    subject = models.CharField(max_length=80)
    last_on = models.DateField(help_text=_("Last local day that was counted."))
    time = models.DurationField(help_text=_("Engaged; in a pool that of all."))
    metres = models.PositiveIntegerField()
    least_cents = models.PositiveIntegerField(help_text=_("What the law guarantees."))
    credited_cents = models.PositiveIntegerField(help_text=_("What was paid and counts."))
    top_up_cents = models.PositiveIntegerField()
    mileage_cents = models.PositiveIntegerField(help_text=_("Paid for distance beside the floor."))
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("floor finding")
        verbose_name_plural = _("floor findings")
        indexes = [models.Index(fields=["driver", "-at"], name="finding_of_a_driver")]

    def __str__(self) -> str:
        return self.key
