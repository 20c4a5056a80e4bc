"""A mall, or a store in it, does not want a driver."""

from __future__ import annotations

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from drivers.models import Driver
from retaildelivery.lib import codes
from stores.models import Mall, Store


def blockade_code() -> str:
    return codes.new_code(prefix="N", length=7)


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


class StoreBlockadeQuerySet(models.QuerySet["StoreBlockade"]):
    def open(self) -> Self:
        """Asked for and not decided."""
        return self.filter(ended_at=None, granted_at=None)

    def in_force(self) -> Self:
        return self.filter(ended_at=None, granted_at__isnull=False)

    def live(self) -> Self:
        return self.filter(ended_at=None)


class StoreBlockade(models.Model):
    """A store asks to see a driver no more, with who asked and why. A person of operations grants it; only then
    are blocks that collect there refused to the driver. Declined, taken back or lifted, the record has ended."""

    code = models.CharField(max_length=12, unique=True, default=blockade_code, editable=False)
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="+")
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    granted_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.CharField(max_length=200, blank=True)

    objects: ClassVar[models.Manager[StoreBlockade]] = StoreBlockadeQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("store's refusal of a driver")
        verbose_name_plural = _("stores' refusals of drivers")
        constraints = [
            models.UniqueConstraint(
                fields=["store", "driver"],
                condition=Q(ended_at=None),
                name="one_live_refusal_per_store_and_driver",
            ),
        ]
        indexes = [
            # Eligibility: what stands against one driver.
            models.Index(fields=["driver"], condition=Q(ended_at=None), name="store_refusal_of_a_driver"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.store_id} refuses {self.driver_id}"
