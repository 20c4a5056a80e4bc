"""Where the phone is: kept, and the recipient told once when the driver comes near the next door."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q

from deliveries import completion, facts, limits, locks
from deliveries.models import Manifest, Order, Stop
from drivers import tracking
from drivers.models import Driver
from drivers.tracking import Ping
from retaildelivery.lib.geo import Point, within


@transaction.atomic(durable=True)
def report(*, driver: Driver, pings: Sequence[Ping], at: dt.datetime) -> list[Ping]:
    """Keep what a phone says of its way, oldest first; near the next door its orders get their ``order.near``, once.

    Returns the pings that were kept. Repeats, and pings too old or ahead of our clock, change nothing.
    """
    kept = tracking.record(driver=driver, pings=pings, at=at)
    if kept:
        _retime(driver, at=at)
        _near(driver, Point(kept[-1].latitude, kept[-1].longitude), at=at)
    return kept


def _retime(driver: Driver, *, at: dt.datetime) -> None:
    """Expect the stops to come when the way so far, or the wait at a door, says; written no more often than it
    matters. Whoever holds the manifest just now writes it better than we would."""
    driving = [Manifest.Status.ON_ROUTE, Manifest.Status.RETURNING]
    comes_back = Q(manifest__status=Manifest.Status.LOADING, manifest__departed_at__isnull=False)
    ahead = Stop.objects.filter(
        Q(manifest__status__in=driving) | comes_back, manifest__driver=driver, status__in=Stop.OPEN
    )
    pk = ahead.order_by("position", "id").values_list("manifest_id", flat=True).first()
    manifest = locks.manifest_unless_busy(pk) if pk is not None else None
    if manifest is not None:
        completion.retime(manifest, at=at, least=limits.ETA_MOVES)


def _near(driver: Driver, here: Point, *, at: dt.datetime) -> None:
    stop = (
        Stop.objects.filter(
            manifest__driver=driver,
            manifest__status=Manifest.Status.ON_ROUTE,
            kind=Stop.Kind.DROPOFF,
            status=Stop.Status.PLANNED,
        )
        .order_by("position", "id")
        .first()
    )
    if stop is None or not within(stop.point, limits.NEAR_RADIUS_M, here):
        return
    locks.be_patient()
    waiting = stop.dropoffs.filter(
        ended_at=None, order__status=Order.Status.EN_ROUTE, order__near_at__isnull=True
    )
    orders = [
        order
        for order in locks.orders(waiting.values_list("order_id", flat=True))
        if order.near_at is None and order.status == Order.Status.EN_ROUTE
    ]
    for order in orders:
        order.near_at = at
        order.save(update_fields=["near_at"])
    facts.tell_all("order.near", orders, at=at, actor=facts.of_driver(driver), driver=driver)
