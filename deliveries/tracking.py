"""Where an order is and when it comes: what its store and its recipient may know."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from deliveries import limits
from deliveries.models import Consignment, Manifest, Order, ProofOfDelivery, Stop
from drivers.models import Position, Vehicle
from retaildelivery.lib.geo import Point

UNDER_WAY = frozenset({"picked_up", "en_route", "at_dropoff", "returning"})


@dataclass(frozen=True, slots=True)
class Journey:
    """Who carries the order and when they are expected. `stops_before` counts the doors still ahead of it."""

    driver: str = ""
    vehicle: str = ""
    eta_at: dt.datetime | None = None
    stops_before: int = 0
    position: Point | None = None
    position_at: dt.datetime | None = None


def journey(order: Order, *, at: dt.datetime) -> Journey:
    """The order's journey now; empty before a driver has taken it and after it has ended.

    The position is told only while the driver has the parcels, and only while it is fresh.
    """
    place = (
        Consignment.objects.live()
        .filter(order=order)
        .select_related("manifest__driver__user", "dropoff", "return_stop")
        .first()
    )
    if place is None or place.manifest.driver is None or order.has_ended:
        return Journey()
    driver = place.manifest.driver
    car = Vehicle.objects.in_use().filter(driver=driver).first()
    stop = place.return_stop or place.dropoff
    ahead = Stop.objects.open().filter(manifest=place.manifest, position__lt=stop.position)
    seen = None
    if order.status in UNDER_WAY and place.manifest.status != Manifest.Status.LOADING:
        since = at - limits.POSITION_FRESH
        seen = Position.objects.filter(driver=driver, device_at__gte=since).order_by("-device_at").first()
    return Journey(
        driver=driver.user.first_name,
        vehicle=f"{car.colour} {car.make} {car.model}" if car else "",
        eta_at=None if order.status == Order.Status.RETURNING else stop.eta_at,
        stops_before=ahead.filter(kind=Stop.Kind.DROPOFF).count(),
        position=Point(float(seen.latitude), float(seen.longitude)) if seen else None,
        position_at=seen.device_at if seen else None,
    )


def proof_of(order: Order) -> ProofOfDelivery | None:
    return ProofOfDelivery.objects.filter(order=order).first()


def touched_at(order: Order) -> dt.datetime:
    """The last turn that shows in the order itself."""
    turns = (
        order.placed_at, order.picked_up_at, order.delivered_at, order.cancelled_at, order.failed_at,
        order.returned_at, order.lost_at, order.disposed_at, order.tipped_after_at,
    )  # fmt: skip
    return max(at for at in turns if at is not None)
