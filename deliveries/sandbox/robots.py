"""Robot couriers: drivers of a sandbox, each with one order at a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.contrib.auth.hashers import make_password
from django.db import connection

from deliveries.models import Manifest
from drivers.models import Driver, Position, Vehicle
from retaildelivery.accounts.models import ROBOTS, User

MARKET = "sandbox"  # of no city, so that no offer is ever theirs
FIRST_NAMES = ("Robin", "Bobbie", "Rosie", "Marvin", "Gort", "Dot", "Baymax", "Talos", "Eva", "Otto")
COLOURS = ("blue", "white", "green", "silver", "red")
POSITIONS_APART = dt.timedelta(
    minutes=1
)  # of two orders of one robot, so that both have a position of their own


def free(*, at: dt.datetime, without: Iterable[str] = ()) -> Driver:
    """A robot of this sandbox that has nothing to do, made when there is none; not one of these codes."""
    assert connection.in_atomic_block, "An inner verb."
    busy = Manifest.objects.underway().values("driver")  # type: ignore[attr-defined]
    seen = Position.objects.filter(device_at__gt=at - POSITIONS_APART).values("driver")
    rows = Driver.objects.select_related("user").exclude(pk__in=busy).exclude(pk__in=seen)
    found = rows.exclude(code__in=list(without)).order_by("pk").first()
    return found or _made(Driver.objects.count(), at=at)


def _made(number: int, *, at: dt.datetime) -> Driver:
    driver = Driver(market_code=MARKET, status=Driver.Status.APPROVED, applied_at=at, approved_at=at)
    name = FIRST_NAMES[number % len(FIRST_NAMES)]
    driver.user = User.objects.create(
        email=f"{driver.code.lower()}{ROBOTS}",
        password=make_password(None),
        name=f"{name} Robot",
        phone=f"+1702555{100 + number % 100:04d}",
        is_active=False,
    )
    driver.save(force_insert=True)
    litres, grams = Vehicle.CAPACITY[Vehicle.Kind.SUV]
    Vehicle.objects.create(
        driver=driver, kind=Vehicle.Kind.SUV, make="Test", model="Car", year=2026,
        colour=COLOURS[number % len(COLOURS)], plate=f"ROBOT{number + 1}", litres=litres, grams=grams, created_at=at,
    )  # fmt: skip
    return driver
