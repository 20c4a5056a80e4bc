"""What the planner saw, made and left."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stores.models import Mall


class Cutoff(models.Model):
    """A local time of day at which a wave runs at a mall; what is posted later waits for the next one. A mall
    without any plans in short rounds."""

    mall = models.ForeignKey(Mall, on_delete=models.PROTECT, related_name="+")
    local_time = models.TimeField(help_text=_("In the mall's own time, every day."))

    class Meta:
        verbose_name = _("cutoff")
        verbose_name_plural = _("cutoffs")
        constraints = [
            models.UniqueConstraint(fields=["mall", "local_time"], name="a_mall_has_a_cutoff_once"),
        ]

    def __str__(self) -> str:
        return f"cutoff of {self.mall_id} at {self.local_time:%H:%M}"


class PlanRun(models.Model):
    """One wave of the planner at one mall: what it saw, what it made, what it left and why."""

    class Cause(models.TextChoices):
        CUTOFF = "cutoff", _("a cutoff")
        ENOUGH = "enough", _("enough were waiting")
        RISK = "risk", _("a promise was about to be at risk")
        ROUND = "round", _("the next round")
        ASKED = "asked", _("somebody asked")

    mall = models.ForeignKey(Mall, on_delete=models.PROTECT, related_name="+")
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
