"""A mall does not want a driver."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from drivers.models import Driver
from stores.models import Mall


class MallBlockade(models.Model):
    """A mall does not want this driver, with who said so and why; lifting it ends the record."""

    mall = models.ForeignKey(Mall, on_delete=models.PROTECT, related_name="+")
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("mall's refusal of a driver")
        verbose_name_plural = _("malls' refusals of drivers")
        constraints = [
            models.UniqueConstraint(
                fields=["mall", "driver"],
                condition=Q(lifted_at=None),
                name="one_live_refusal_per_mall_and_driver",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mall_id} refuses {self.driver_id}"
