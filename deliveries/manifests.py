"""What the apps above ask of a manifest, inside their own transaction: draw it up, give it to a driver, take
it back."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from django.db import connection
from django.utils.translation import gettext_lazy as _

from deliveries import facts, limits, locks, moves, trips
from deliveries.models import Consignment, Handover, Manifest, Order, Parcel, Stop
from deliveries.snapshots import parcels_of
from drivers.models import Driver
from retaildelivery.lib.geo import Point
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox import recording
from retaildelivery.outbox.recording import SYSTEM, Actor, Happening
from stores.models import Mall, Store


class ManifestRefused(Refused):
    """Base of what can be said against a change of a manifest."""

    code: ClassVar[str] = "manifest_refused"


class OrderGone(ManifestRefused):
    code = "order_gone"
    sentence = _("Order %(order)s is no longer waiting to be planned.")


class CustodyBegun(ManifestRefused):
    code = "custody_begun"
    sentence = _("Parcels have been handed to the driver; they have to come back or be delivered first.")


@dataclass(frozen=True, slots=True)
class DraftStop:
    """A stop to be: `kind` pickup or dropoff, `store` for a pickup, the orders collected or left there.

    `planned_at` is the arrival, `service` how long the stop takes, `trip` on which trip of the block it is.
    """

    kind: str
    store: Store | None
    point: Point
    address: str
    planned_at: dt.datetime
    service: dt.timedelta
    orders: tuple[Order, ...]
    trip: int = 1


def in_trips(stops: Sequence[DraftStop], *, first: int = 1) -> list[DraftStop]:
    """The stops with their trips counted from `first` on, none left out."""
    numbers = {trip: first + n for n, trip in enumerate(sorted({stop.trip for stop in stops}))}
    return [dataclasses.replace(stop, trip=numbers[stop.trip]) for stop in stops]


def draft(*, mall: Mall, stops: Sequence[DraftStop], at: dt.datetime) -> Manifest:
    """Draw up a manifest: its stops in this order, and a place on it for each order, which becomes planned.

    Every order is at exactly one pickup and one drop-off, of the same trip. Raises OrderGone when one is no longer
    waiting.
    """
    assert connection.in_atomic_block, "An inner verb."
    stops = in_trips(stops)
    assert [stop.trip for stop in stops] == sorted(stop.trip for stop in stops), "Trip after trip."
    pks = {order.pk for stop in stops for order in stop.orders}
    assert len(stops) <= limits.STOPS_PER_MANIFEST
    assert len(pks) <= limits.ORDERS_PER_MANIFEST
    locks.be_patient()
    orders = {order.pk: order for order in locks.orders(pks)}
    for order in orders.values():
        if order.status != Order.Status.PLACED or order.latitude is None:
            raise OrderGone(reason=order.status, order=order.code)
    manifest = Manifest.objects.create(mall=mall, created_at=at)
    rows = Stop.objects.bulk_create(
        Stop(
            manifest=manifest,
            kind=stop.kind,
            position=position,
            trip=stop.trip,
            store=stop.store,
            latitude=round(stop.point.lat, 6),
            longitude=round(stop.point.lng, 6),
            address=stop.address[:300],
            planned_at=stop.planned_at,
            eta_at=stop.planned_at,
            service=stop.service,
        )
        for position, stop in enumerate(stops)
    )
    places: dict[int, Consignment] = {
        pk: Consignment(manifest=manifest, order=order, created_at=at) for pk, order in orders.items()
    }
    for stop, row in zip(stops, rows, strict=True):
        for order in stop.orders:
            setattr(places[order.pk], "pickup" if stop.kind == Stop.Kind.PICKUP else "dropoff", row)
    Consignment.objects.bulk_create(places.values())
    for order in orders.values():
        order.live_consignments = [places[order.pk]]  # type: ignore[attr-defined]
    moves.move_orders(list(orders.values()), Order.Status.PLANNED)
    facts.tell_all("order.planned", list(orders.values()), at=at, actor=SYSTEM)
    return manifest


def assign(
    *, manifest: Manifest, driver: Driver, at: dt.datetime, beside: Sequence[Happening] = ()
) -> Manifest:
    """Give the manifest to a driver; its orders become assigned. What the caller tells `beside` is recorded after
    that, in the same statement. Raises IllegalMove unless it is a draft."""
    assert connection.in_atomic_block, "An inner verb."
    moves.assign_manifest(manifest, driver)
    orders = locks.orders_on(manifest)
    moves.move_orders(orders, Order.Status.ASSIGNED, numbered=True)
    told = facts.of_numbered(
        "order.assigned", orders, at=at, actor=SYSTEM, driver=driver, manifest=manifest.code
    )
    changed = facts.manifest_changed("manifest.assigned", manifest, at=at, driver=driver)
    recording.record_all([changed, *told, *beside])
    return manifest


def unassign(*, manifest: Manifest, at: dt.datetime, actor: Actor = SYSTEM) -> Manifest:
    """Take the manifest back from its driver, who has collected nothing; its orders are planned again as before.

    Raises CustodyBegun when a handover was confirmed or a parcel is loaded.
    """
    assert connection.in_atomic_block, "An inner verb."
    manifest = locks.manifest(manifest.pk)
    driver = manifest.driver
    assert driver is not None, "Only an assigned manifest is taken back."
    orders = locks.orders_on(manifest)
    if _holds_anything(orders) or Handover.objects.filter(stop__manifest=manifest).exists():
        raise CustodyBegun(reason=manifest.status)
    moves.move_manifest(manifest, Manifest.Status.DRAFT, at, driver=None)
    for stop in manifest.stops.filter(status=Stop.Status.ARRIVED):
        moves.move_stop(stop, Stop.Status.PLANNED, at, arrived_at=None, arrived_off_by_m=None)
    moves.move_orders(orders, Order.Status.PLANNED)
    recording.record(
        facts.manifest_changed("manifest.unassigned", manifest, at=at, actor=actor, driver=driver)
    )
    facts.tell_all("order.replanned", orders, at=at, actor=actor, manifest=manifest.code)
    return manifest


def dissolve(*, manifest: Manifest, at: dt.datetime, reason: str, actor: Actor = SYSTEM) -> Manifest:
    """Give the manifest up: its orders wait again to be planned, its open stops are skipped.

    Raises CustodyBegun while the driver holds a parcel of it. Dissolving what is dissolved changes nothing.
    """
    assert connection.in_atomic_block, "An inner verb."
    manifest = locks.manifest(manifest.pk)
    if manifest.status == Manifest.Status.ABORTED:
        return manifest
    orders = locks.orders_on(manifest)
    if _holds_anything(orders):
        raise CustodyBegun(reason=manifest.status)
    driver = manifest.driver
    moves.move_manifest(manifest, Manifest.Status.ABORTED, at, aborted_reason=reason[:200])
    for stop in manifest.stops.open().in_order():  # type: ignore[attr-defined]
        moves.move_stop(stop, Stop.Status.SKIPPED, at)
    manifest.consignments.filter(ended_at=None).update(ended_at=at, ending=Consignment.Ending.REPLANNED)
    for order in orders:
        order.live_consignments = []  # type: ignore[attr-defined]
    moves.move_orders(orders, Order.Status.PLACED)
    recording.record(
        facts.manifest_changed(
            "manifest.aborted", manifest, at=at, actor=actor, driver=driver, reason=reason[:200]
        )
    )
    facts.tell_all("order.replanned", orders, at=at, actor=actor, manifest=manifest.code)
    return manifest


def open_loading(*, manifest: Manifest, at: dt.datetime) -> Manifest:
    """The driver is at the mall: stores may hand over what the first trip takes of which anything is left. Raises
    IllegalMove unless it is assigned."""
    assert connection.in_atomic_block, "An inner verb."
    manifest = locks.manifest(manifest.pk)
    following = trips.next_of(manifest) if trips.is_over(manifest) else None
    moves.move_manifest(manifest, Manifest.Status.LOADING, at, trip=following or manifest.trip)
    return manifest


def take_off(place: Consignment, *, ending: str, at: dt.datetime) -> None:
    """End an order's place on its (locked) manifest; stops that serve nothing any more are skipped or done."""
    place.ended_at, place.ending = at, ending
    place.save(update_fields=["ended_at", "ending"])
    for stop_id in (place.pickup_id, place.dropoff_id):
        close_if_empty(stop_id, at=at)


def close_if_empty(stop_id: int, *, at: dt.datetime) -> bool:
    """End an open pickup or door where nothing is left to do: done if something was collected, else skipped."""
    stop = Stop.objects.get(pk=stop_id)
    if stop.status not in Stop.OPEN:
        return False
    if stop.kind == Stop.Kind.PICKUP:
        live = Consignment.objects.live().filter(pickup=stop)
        if live.filter(order__status__in=Order.BEFORE_CUSTODY).exists():
            return False
        collected = Consignment.objects.filter(pickup=stop, order__picked_up_at__isnull=False).exists()
    elif Consignment.objects.live().filter(dropoff=stop, order__status__in=_TO_DELIVER).exists():
        return False
    else:
        collected = False
    arrived = stop.status == Stop.Status.ARRIVED
    moves.move_stop(stop, Stop.Status.DONE if collected and arrived else Stop.Status.SKIPPED, at)
    return True


_TO_DELIVER = (*Order.BEFORE_CUSTODY, Order.Status.PICKED_UP, Order.Status.EN_ROUTE, Order.Status.AT_DROPOFF)


def _holds_anything(orders: Sequence[Order]) -> bool:
    return any(
        parcel.custodian == Parcel.Custodian.DRIVER for order in orders for parcel in parcels_of(order)
    )
