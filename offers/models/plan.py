"""What the planner saw, made and left."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from drivers.models import Vehicle
from offers import limits
from stores.models import Mall, Market, Store


class Cutoff(models.Model):
    """A local time of day at which a wave runs at a mall; what is posted later waits for the next one. A mall
    without any plans in short rounds."""

    mall = models.ForeignKey(Mall, on_delete=models.PROTECT, related_name="+", db_index=False)
    local_time = models.TimeField(help_text=_("In the mall's own time, every day."))

    class Meta:
        verbose_name = _("cutoff")
        verbose_name_plural = _("cutoffs")
        constraints = [
            models.UniqueConstraint(fields=["mall", "local_time"], name="a_mall_has_a_cutoff_once"),
        ]

    def __str__(self) -> str:
        return f"cutoff of {self.mall_id} at {self.local_time:%H:%M}"


class PlanRulesQuerySet(models.QuerySet["PlanRules"]):
    def valid_on(self, day: dt.date) -> Self:
        return self.filter(valid_from__lte=day)


class PlanRules(models.Model):
    """By what a market's orders are planned, from a day on; a market without a row goes by the limits. Nobody is
    paid by these prices: they choose between plans."""

    market = models.ForeignKey(Market, on_delete=models.PROTECT, related_name="+", db_index=False)
    valid_from = models.DateField(help_text=_("In the market's own time zone."))
    km_cents = models.PositiveIntegerField(
        default=limits.PLAN_KM_CENTS, help_text=_("What a kilometre is reckoned to cost.")
    )
    late_cents = models.PositiveIntegerField(
        default=limits.PLAN_LATE_CENTS, help_text=_("What a late minute is reckoned to cost.")
    )
    wait_cents = models.PositiveIntegerField(
        default=limits.PLAN_DEFER_CENTS,
        help_text=_("What it is reckoned to cost to leave an order to the next plan."),
    )
    max_metres = models.PositiveIntegerField(
        null=True, blank=True, help_text=_("Of the way of one block, where a law or a contract has a limit.")
    )
    one_visit = models.BooleanField(
        default=True, help_text=_("Orders to one door come in one visit, where one car can hold them.")
    )
    max_trips = models.PositiveSmallIntegerField(
        default=limits.PLAN_MAX_TRIPS,
        db_default=limits.PLAN_MAX_TRIPS,
        help_text=_(
            "How often the driver of one block may load: with 1 they never come back to the mall for more."
        ),
    )

    objects: ClassVar[models.Manager[PlanRules]] = PlanRulesQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("rules of plans")
        verbose_name_plural = _("rules of plans")
        constraints = [
            models.UniqueConstraint(fields=["market", "valid_from"], name="one_row_of_plan_rules_per_day"),
            models.CheckConstraint(
                condition=Q(max_metres=None) | Q(max_metres__gte=1000), name="a_block_may_go_a_kilometre"
            ),
            models.CheckConstraint(
                condition=Q(max_trips__gte=1, max_trips__lte=limits.PLAN_MOST_TRIPS),
                name="a_block_loads_once_to_some_times",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.market_id} from {self.valid_from}"


class PlanCar(models.Model):
    """What the rules say of one kind of car. A kind without a row goes by the limits."""

    rules = models.ForeignKey(PlanRules, on_delete=models.CASCADE, related_name="cars", db_index=False)
    kind = models.CharField(max_length=10, choices=Vehicle.Kind)
    extra_cents = models.PositiveIntegerField(
        default=0, help_text=_("What asking for this car is reckoned to cost: fewer drivers have one.")
    )
    most_blocks = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text=_("Blocks of one plan that may ask for it; empty: as drivers have them."),
    )

    class Meta:
        verbose_name = _("kind of car")
        verbose_name_plural = _("kinds of car")
        constraints = [
            models.UniqueConstraint(fields=["rules", "kind"], name="plan_rules_name_a_kind_of_car_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.rules_id}"


class Apart(models.Model):
    """Two kinds of goods that may not share a car. A kind against itself: one such order in a block at most."""

    class Kind(models.TextChoices):
        AGE = "age", _("with a minimum age")
        FOOD = Store.Goods.FOOD.value, _("food")
        MEDICINES = Store.Goods.MEDICINES.value, _("medicines")
        CHEMICALS = Store.Goods.CHEMICALS.value, _("paint, cleaners and other chemicals")

    rules = models.ForeignKey(PlanRules, on_delete=models.CASCADE, related_name="apart", db_index=False)
    one = models.CharField(max_length=10, choices=Kind)
    other = models.CharField(max_length=10, choices=Kind)

    class Meta:
        verbose_name = _("goods kept apart")
        verbose_name_plural = _("goods kept apart")
        constraints = [
            models.UniqueConstraint(fields=["rules", "one", "other"], name="goods_are_kept_apart_once"),
            models.CheckConstraint(condition=Q(one__lte=F("other")), name="goods_kept_apart_are_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.one} and {self.other}"


class PlanRun(models.Model):
    """One wave of the planner at one mall: what it saw, what it made, what it left and why."""

    class Cause(models.TextChoices):
        CUTOFF = "cutoff", _("a cutoff")
        ENOUGH = "enough", _("enough were waiting")
        RISK = "risk", _("a promise was about to be at risk")
        ROUND = "round", _("the next round")
        ASKED = "asked", _("somebody asked")

    mall = models.ForeignKey(Mall, on_delete=models.PROTECT, related_name="+", db_index=False)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    cause = models.CharField(max_length=8, choices=Cause, default=Cause.ROUND, db_default=Cause.ROUND)
    placed_by = models.DateTimeField(
        null=True, blank=True, help_text=_("The cutoff: orders posted later were left to the next wave.")
    )
    orders_seen = models.PositiveIntegerField(default=0)
    blocks_made = models.PositiveIntegerField(default=0)
    orders_planned = models.PositiveIntegerField(default=0)
    orders_joined = models.PositiveIntegerField(
        default=0, db_default=0, help_text=_("Those of them that joined blocks which were there already.")
    )
    filled = models.JSONField(
        default=list,
        db_default=models.Value([], models.JSONField()),
        blank=True,
        help_text=_("Blocks which were there already and took orders: [{block, added}]"),
    )
    cost_cents = models.BigIntegerField(default=0)
    alone_cents = models.BigIntegerField(
        null=True, blank=True, help_text=_("The same with a block of its own for each planned order.")
    )
    left = models.JSONField(default=list, help_text=_("[{order, reason, text}]"))
    engine = models.CharField(max_length=40, blank=True)
    notes = models.JSONField(default=list)
    failure = models.TextField(blank=True)

    class Meta:
        verbose_name = _("plan run")
        verbose_name_plural = _("plan runs")
        constraints = [
            models.UniqueConstraint(
                fields=["mall"], condition=Q(ended_at=None), name="one_wave_at_a_time_per_mall"
            ),
        ]
        indexes = [models.Index(fields=["mall", "-started_at"], name="plan_run_newest")]

    def __str__(self) -> str:
        return f"wave at {self.mall_id} {self.started_at:%F %T}"

    @property
    def blocks_filled(self) -> int:
        return len(self.filled)
