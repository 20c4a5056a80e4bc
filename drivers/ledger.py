"""The driver's account: lines that are added once and never change."""

from __future__ import annotations

import datetime as dt

from django.db import connection
from django.db.models import Sum

from drivers.models import Driver, DriverPosting


def post(
    *,
    key: str,
    driver: Driver,
    kind: str,
    cents: int,
    text: str,
    rule: str,
    subject: str,
    at: dt.datetime,
) -> bool:
    """Add a line in the caller's transaction; positive is earned. False when the key was posted before.

    The key says what is paid for, such as ``block:BX7K2M:base``: the database lets only one in.
    """
    assert connection.in_atomic_block, "A posting is made with what it pays for."
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO drivers_driverposting (key, driver_id, kind, cents, text, rule, subject, at) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (key) DO NOTHING",
            [key, driver.pk, kind, cents, text[:200], rule[:60], subject, at],
        )
        return bool(cursor.rowcount == 1)


def balance(driver: Driver) -> int:
    """What the driver has earned and not been paid out, in cents."""
    return DriverPosting.objects.filter(driver=driver).aggregate(cents=Sum("cents"))["cents"] or 0
