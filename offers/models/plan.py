"""What the planner saw, made and left."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stores.models import Mall


class PlanRun(models.Model):
    """One wave of the planner at one mall: what it saw, what it made, what it left and why."""

    mall = models.ForeignKey(Mall, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    orders_seen = models.PositiveIntegerField(default=0)
    blocks_made = models.PositiveIntegerField(default=0)
    orders_planned = models.PositiveIntegerField(default=0)
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
