"""A manifest's route drawn anew before its driver has left: other orders, another order of stops."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection
from django.utils.translation import gettext_lazy as _

from deliveries import facts, limits, locks, manifests, moves
from deliveries.manifests import CustodyBegun, DraftStop, ManifestRefused, OrderGone, in_trips
from deliveries.models import Consignment, Manifest, Order, Parcel, Stop
from deliveries.snapshots import parcels_of
from retaildelivery.outbox import recording
from retaildelivery.outbox.recording import SYSTEM, Actor


class RouteBegun(ManifestRefused):
    code = "route_begun"
    sentence = _("The route is %(status)s; nothing can be added to it any more.")


@dataclass(frozen=True, slots=True)
class Redrawn:
    """What the new route added and took off."""

    manifest: Manifest
    added: tuple[Order, ...]
    removed: tuple[Order, ...]


def redraw(
    *, manifest: Manifest, stops: Sequence[DraftStop], at: dt.datetime, actor: Actor = SYSTEM
) -> Redrawn:
    """Give the manifest this route: its live orders are exactly those of the stops. Stops that stay keep their codes.

    New orders become planned, and assigned where the manifest has a driver; those no longer on it wait again.
    Raises OrderGone when a new one is no longer waiting, RouteBegun when one is added after check-in, CustodyBegun
    when one that is taken off has been loaded.
    """
    assert connection.in_atomic_block, "An inner verb."
    manifest = locks.manifest(manifest.pk)
    stops = in_trips(stops, first=manifest.trip)
    places = {
        place.order_id: place
        for place in manifest.consignments.filter(ended_at=None).select_related("pickup", "dropoff")
    }
    wanted = {order.pk for stop in stops for order in stop.orders}
    assert len(wanted) <= limits.ORDERS_PER_MANIFEST
    locked = {order.pk: order for order in locks.orders(wanted | places.keys())}
    added = [locked[pk] for pk in sorted(wanted - places.keys())]
    removed = [locked[pk] for pk in sorted(places.keys() - wanted)]
    _refuse(manifest, added, removed)
    rows = _rows(manifest, stops, places)
    for order in added:
        places[order.pk] = Consignment(manifest=manifest, order=order, created_at=at)
    for stop, row in zip(stops, rows, strict=True):
        for order in stop.orders:
            setattr(places[order.pk], "pickup" if stop.kind == Stop.Kind.PICKUP else "dropoff", row)
    _keep(places[pk] for pk in sorted(wanted))
    _take_off(removed, places, at=at, actor=actor)
    for left in manifest.stops.filter(status__in=Stop.OPEN).exclude(pk__in=[row.pk for row in rows]):
        manifests.close_if_empty(left.pk, at=at)
    _put_on(manifest, added, places, at=at)
    codes = {"added": [order.code for order in added], "removed": [order.code for order in removed]}
    recording.record(
        facts.manifest_changed(
            "manifest.redrawn", manifest, at=at, actor=actor, driver=manifest.driver, **codes
        )
    )
    return Redrawn(manifest, tuple(added), tuple(removed))


def _refuse(manifest: Manifest, added: Sequence[Order], removed: Sequence[Order]) -> None:
    before_loading = {Manifest.Status.DRAFT, Manifest.Status.ASSIGNED}
    open_states = {*before_loading, Manifest.Status.LOADING}
    if manifest.status not in (before_loading if added else open_states):
        raise RouteBegun(reason=manifest.status, status=manifest.get_status_display())
    for order in added:
        if order.status != Order.Status.PLACED or order.latitude is None:
            raise OrderGone(reason=order.status, order=order.code)
    for order in removed:
        held = any(parcel.custodian == Parcel.Custodian.DRIVER for parcel in parcels_of(order))
        if held or order.status not in Order.BEFORE_CUSTODY:
            raise CustodyBegun(reason=order.status)


def _rows(manifest: Manifest, stops: Sequence[DraftStop], places: dict[int, Consignment]) -> list[Stop]:
    """A row for each stop, in this order behind what has ended: the one its orders are at, or a new one."""
    known = list(manifest.stops.in_order())  # type: ignore[attr-defined]
    by_pk = {row.pk: row for row in known}
    counters = {
        (row.store_id, row.trip): row
        for row in known
        if row.kind == Stop.Kind.PICKUP and row.status in Stop.OPEN
    }
    used: list[Stop] = []
    for stop in stops:
        if stop.kind == Stop.Kind.PICKUP:
            assert stop.store is not None
            # A counter where they were collected already stays as it is.
            there = [places[order.pk].pickup for order in stop.orders if order.pk in places]
            ended = next((by_pk[each.pk] for each in there if each.status not in Stop.OPEN), None)
            found = counters.get((stop.store.pk, stop.trip), ended)
        else:
            doors = [places[order.pk].dropoff_id for order in stop.orders if order.pk in places]
            found = next((by_pk[pk] for pk in doors if by_pk[pk] not in used), None)
        used.append(found or _new(manifest, stop))
    kept = [row for row in known if row not in used]
    for position, row in enumerate(kept):
        row.position = position
    for number, (stop, row) in enumerate(zip(stops, used, strict=True)):
        row.position, row.trip = len(kept) + number, stop.trip
        row.planned_at = row.eta_at = stop.planned_at
        row.service = stop.service
    Stop.objects.bulk_create([row for row in used if row.pk is None])
    Stop.objects.bulk_update(
        [row for row in (*kept, *used) if row.pk in by_pk],
        ["position", "trip", "planned_at", "eta_at", "service"],
    )
    return used


def _new(manifest: Manifest, stop: DraftStop) -> Stop:
    return Stop(
        manifest=manifest,
        kind=stop.kind,
        store=stop.store,
        latitude=round(stop.point.lat, 6),
        longitude=round(stop.point.lng, 6),
        address=stop.address[:300],
        planned_at=stop.planned_at,
        eta_at=stop.planned_at,
        service=stop.service,
        position=0,
    )


def _keep(places: Iterable[Consignment]) -> None:
    """Write where each order is collected and left."""
    rows = list(places)
    Consignment.objects.bulk_create([row for row in rows if row.pk is None])
    Consignment.objects.bulk_update([row for row in rows if row.pk is not None], ["pickup", "dropoff"])


def _take_off(
    orders: Sequence[Order], places: dict[int, Consignment], *, at: dt.datetime, actor: Actor
) -> None:
    if not orders:
        return
    for order in orders:
        manifests.take_off(places[order.pk], ending=Consignment.Ending.REPLANNED, at=at)
        order.live_consignments = []  # type: ignore[attr-defined]
    moves.move_orders(list(orders), Order.Status.PLACED)
    facts.tell_all("order.replanned", orders, at=at, actor=actor)


def _put_on(
    manifest: Manifest, orders: Sequence[Order], places: dict[int, Consignment], *, at: dt.datetime
) -> None:
    if not orders:
        return
    for order in orders:
        order.live_consignments = [places[order.pk]]  # type: ignore[attr-defined]
    moves.move_orders(list(orders), Order.Status.PLANNED)
    facts.tell_all("order.planned", orders, at=at, actor=SYSTEM)
    driver = manifest.driver
    if driver is not None:
        moves.move_orders(list(orders), Order.Status.ASSIGNED)
        facts.tell_all("order.assigned", orders, at=at, actor=SYSTEM, driver=driver, manifest=manifest.code)
