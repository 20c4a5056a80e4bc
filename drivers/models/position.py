"""Where a driver's phone was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    pass
from drivers.models.driver import Driver


class Position(models.Model):
    """Where a driver's phone was, by its own account."""

    driver = models.ForeignKey(Driver, on_delete=models.CASCADE, related_name="positions", db_index=False)
    latitude = models.DecimalField(max_digits=9, decimal_places=6)
    longitude = models.DecimalField(max_digits=9, decimal_places=6)
    accuracy_m = models.PositiveIntegerField(null=True)
    device_at = models.DateTimeField()
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("position")
        verbose_name_plural = _("positions")
        constraints = [
            models.UniqueConstraint(
                fields=["driver", "device_at"], name="one_position_per_driver_and_moment"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.driver_id} {self.latitude},{self.longitude}"
