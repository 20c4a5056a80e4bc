"""The clock that a driver lives by: their market's. Which one that is, the app that knows markets says; settings
name it, as they name the table of URLs."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.utils.module_loading import import_string

from drivers.models import Driver


def zone_of(driver: Driver) -> dt.tzinfo:
    """The zone of the driver's market; UTC where the market is gone."""
    zone = import_string(settings.MARKET_ZONES)(driver.market_code)
    assert isinstance(zone, dt.tzinfo)
    return zone


def day_of(driver: Driver, at: dt.datetime) -> dt.date:
    """The day it is then where the driver is."""
    return at.astimezone(zone_of(driver)).date()
