"""What a robot courier of a sandbox is to do with an order, and when."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from deliveries.models.order import Order
from retaildelivery.outbox import worlds


class RobotStep(worlds.InAWorld):
    """One step of an order's script, played when the sandbox's clock comes to it."""

    class Outcome(models.TextChoices):
        DUE = "due", _("to come")
        DONE = "done", _("done")
        SKIPPED = "skipped", _("not possible then")

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="robot_steps", db_index=False)
    position = models.PositiveSmallIntegerField()
    step = models.CharField(max_length=24)
    reason = models.CharField(max_length=24, blank=True)
    due_at = models.DateTimeField()
    outcome = models.CharField(max_length=8, choices=Outcome, default=Outcome.DUE)

    objects: ClassVar[models.Manager[RobotStep]] = worlds.OfThisWorld()
    everywhere: ClassVar[models.Manager[RobotStep]] = models.Manager()

    class Meta:
        verbose_name = _("step of a robot courier")
        verbose_name_plural = _("steps of robot couriers")
        constraints = [
            models.UniqueConstraint(fields=["order", "position"], name="one_robot_step_per_position"),
            models.CheckConstraint(condition=Q(world__gt=worlds.LIVE), name="robots_work_in_sandboxes_only"),
        ]
        indexes = [
            # What the clock of a sandbox comes to next.
            models.Index(
                fields=["world", "due_at", "order", "position"],
                condition=Q(outcome="due"),
                name="robot_step_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.step} of {self.order_id}"
