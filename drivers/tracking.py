"""Where a driver's phone says it is: kept for a while, newest first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from drivers import limits
from drivers.models import Driver, Position


@dataclass(frozen=True, slots=True)
class Ping:
    """One position by the phone's own clock; `accuracy_m` is the radius it claims."""

    latitude: float
    longitude: float
    accuracy_m: int | None
    device_at: dt.datetime


def record(*, driver: Driver, pings: Sequence[Ping], at: dt.datetime) -> list[Ping]:
    """Keep the pings that are not too old, not ahead of our clock, and not too close to the one before; the same
    moment twice is one. Returns what was kept, oldest first."""
    last = newest(driver)
    after = last.device_at if last else None
    kept: list[Ping] = []
    for ping in sorted(pings, key=lambda p: p.device_at)[-limits.POSITIONS_PER_CALL :]:
        if not at - limits.POSITIONS_KEPT <= ping.device_at <= at + limits.CLOCK_AHEAD:
            continue
        if after is not None and ping.device_at - after < limits.POSITION_EVERY:
            continue
        after = ping.device_at
        kept.append(ping)
    Position.objects.bulk_create(
        [
            Position(
                driver=driver,
                latitude=Decimal(str(round(ping.latitude, 6))),
                longitude=Decimal(str(round(ping.longitude, 6))),
                accuracy_m=ping.accuracy_m,
                device_at=ping.device_at,
                at=at,
            )
            for ping in kept
        ],
        ignore_conflicts=True,
    )
    return kept


def newest(driver: Driver) -> Position | None:
    """The last known position."""
    return Position.objects.filter(driver=driver).order_by("-device_at", "-id").first()


def prune(*, at: dt.datetime) -> int:
    """Forget positions older than we may keep them; the number forgotten. Running it twice is harmless."""
    old = Position.objects.filter(device_at__lt=at - limits.POSITIONS_KEPT).values("pk")
    gone, _each = Position.objects.filter(pk__in=old[: limits.PRUNE_BATCH]).delete()
    return gone
