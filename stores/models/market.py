"""A city, and the malls in it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from retaildelivery.lib import codes
from retaildelivery.lib.geo import Point

if TYPE_CHECKING:
    pass


LATITUDE = [MinValueValidator(-90), MaxValueValidator(90)]


LONGITUDE = [MinValueValidator(-180), MaxValueValidator(180)]


def desk_code() -> str:
    return codes.new_code(length=6)


class Market(models.Model):
    """A city with its own prices, law and time. Markets never share a transaction."""

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    time_zone = models.CharField(max_length=60, help_text=_("IANA name, such as America/Phoenix."))
    currency = models.CharField(max_length=3, default="USD")

    class Meta:
        verbose_name = _("market")
        verbose_name_plural = _("markets")

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def day(self, at: dt.datetime) -> dt.date:
        """The local day at a moment."""
        return at.astimezone(self.zone).date()


class Mall(models.Model):
    """A shopping mall: where blocks begin and most returns end."""

    code = models.SlugField(max_length=40, unique=True)
    market = models.ForeignKey(Market, on_delete=models.PROTECT, related_name="malls")
    name = models.CharField(max_length=120)
    address = models.CharField(max_length=200)
    latitude = models.DecimalField(max_digits=9, decimal_places=6, validators=LATITUDE)
    longitude = models.DecimalField(max_digits=9, decimal_places=6, validators=LONGITUDE)
    geofence_m = models.PositiveIntegerField(
        default=400, help_text=_("Radius in metres of the check-in circle.")
    )
    desk_code = models.CharField(
        max_length=12,
        default=desk_code,
        help_text=_("Said by the mall desk to a driver whose phone finds no position."),
    )
    desk_note = models.CharField(max_length=200, blank=True, help_text=_("Where drivers come in and park."))
    delivery_radius_m = models.PositiveIntegerField(
        default=40_000, help_text=_("How far, as the crow flies, orders may go.")
    )
    active = models.BooleanField(default=True)

    class Meta:
        verbose_name = _("mall")
        verbose_name_plural = _("malls")

    def __str__(self) -> str:
        return self.name

    @property
    def point(self) -> Point:
        return Point(float(self.latitude), float(self.longitude))

    @property
    def zone(self) -> ZoneInfo:
        return self.market.zone
