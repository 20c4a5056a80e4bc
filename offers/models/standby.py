"""A driver stands by at a mall; and the address of their private calendar."""

from __future__ import annotations

from typing import ClassVar, Self

from django.contrib.postgres.fields import DateTimeRangeField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from drivers.models import Driver
from retaildelivery.lib import codes
from stores.models import Mall


def stand_by_code() -> str:
    return codes.new_code(prefix="S", length=7)


class StandByQuerySet(models.QuerySet["StandBy"]):
    def live(self) -> Self:
        return self.filter(left_at=None)


class StandBy(models.Model):
    """A driver is ready at a mall for some hours of a day and is asked, before everybody else, when somebody drops
    out. It binds to nothing: who is asked may say no."""

    code = models.CharField(max_length=12, unique=True, default=stand_by_code, editable=False)
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="+")
    mall = models.ForeignKey(Mall, on_delete=models.PROTECT, related_name="+")
    on = models.DateField(help_text=_("The mall's local day on which the hours begin."))
    window = DateTimeRangeField()
    joined_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager[StandBy]] = StandByQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("stand-by")
        verbose_name_plural = _("stand-bys")
        constraints = [
            models.UniqueConstraint(
                fields=["driver", "mall", "on"],
                condition=Q(left_at=None),
                name="one_stand_by_per_driver_mall_and_day",
            ),
            models.CheckConstraint(condition=Q(window__isempty=False), name="a_stand_by_has_hours"),
        ]
        indexes = [
            # Whom to ask when somebody drops out.
            models.Index(fields=["mall", "on"], condition=Q(left_at=None), name="stand_by_at_a_mall"),
        ]

    def __str__(self) -> str:
        return f"{self.driver_id} at {self.mall_id} on {self.on}"


class CalendarFeed(models.Model):
    """The secret address under which a driver's calendar reads their blocks. Changing it ends the old one."""

    driver = models.OneToOneField(Driver, on_delete=models.PROTECT, related_name="+")
    token = models.CharField(max_length=64, unique=True, default=codes.new_token)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("calendar address")
        verbose_name_plural = _("calendar addresses")

    def __str__(self) -> str:
        return f"calendar of {self.driver_id}"
