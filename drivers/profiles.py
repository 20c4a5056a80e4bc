"""What a driver sets for themselves, and how they stand."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from drivers import limits
from drivers import standing as events
from drivers.models import Driver
from retaildelivery.accounts.models import User


@transaction.atomic(durable=True)
def prefer(*, driver_code: str, name: str, phone: str, locale: str) -> Driver:
    """Change name, phone and language."""
    driver = Driver.objects.select_related("user").get(code=driver_code)
    User.objects.filter(pk=driver.user_id).update(name=name, phone=phone, locale=locale)
    driver.refresh_from_db()
    return driver


def standing(*, driver: Driver, at: dt.datetime) -> int:
    """The points that count now."""
    return events.points(driver, at=at)


def badge_until(at: dt.datetime) -> dt.datetime:
    """When the code that holds at this moment is followed by the next."""
    step = int(limits.BADGE_STEP.total_seconds())
    return dt.datetime.fromtimestamp((int(at.timestamp()) // step + 1) * step, tz=dt.UTC)
