"""The way back: parcels handed over at their store's counter, and a route that operations turn round."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import QuerySet

from deliveries import closing, completion, custody, failing, loading, locks, moves
from deliveries.evidence import Evidence
from deliveries.models import Manifest, Order, Scan, Stop
from deliveries.snapshots import live_consignment
from retaildelivery.accounts.models import User
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import Actor
from stores.models import Store


def scan_by_staff(
    *,
    stop_code: str,
    stores: QuerySet[Store],
    user: User | None,
    entered: str,
    method: str,
    evidence: Evidence,
    at: dt.datetime,
    key_prefix: str = "",
) -> Scan:
    """Staff (or the store's own system) read the label of a parcel that a driver brings back. With the driver's code
    read at this stop, before or after, the parcel is the store's again.

    Raises StopNotYours, WrongMoment, StopClosed; UnknownLabel and WrongStop, which are kept.
    """
    made = _scan_by_staff(
        stop_code=stop_code,
        stores=stores,
        user=user,
        entered=entered,
        method=method,
        evidence=evidence,
        at=at,
        key_prefix=key_prefix,
    )
    if made.outcome in loading.REFUSALS:
        raise loading.REFUSALS[made.outcome](field="code")
    return made


@transaction.atomic(durable=True)
def _scan_by_staff(
    *,
    stop_code: str,
    stores: QuerySet[Store],
    user: User | None,
    entered: str,
    method: str,
    evidence: Evidence,
    at: dt.datetime,
    key_prefix: str,
) -> Scan:
    stop = locks.stop(stop_code)
    mine = Stop.objects.filter(code=stop_code, kind=Stop.Kind.RETURN, store__in=stores)
    if stop is None or not mine.exists():
        raise custody.StopNotYours
    actor = (
        Actor(kind=Fact.Actor.STAFF, name=user.name or user.email)
        if user
        else Actor(kind=Fact.Actor.SELLER, name=key_prefix)
    )
    return loading.take_scan(
        stop, entered=entered, method=method, evidence=evidence, actor=actor, by_staff=True, user=user, at=at
    )


@transaction.atomic(durable=True)
def turn_round(*, manifest_code: str, reason: str, actor: Actor, at: dt.datetime) -> Manifest:
    """Operations end the deliveries of a route that cannot go on (breakdown, illness, danger): every order that is
    not delivered comes back to its store, and what a later trip was to take waits there to be planned again. Turning
    round twice changes nothing.

    Raises StopNotYours for no such manifest, WrongMoment when it is not on route.
    """
    manifest = locks.manifest_by_code(manifest_code)
    if manifest is None:
        raise custody.StopNotYours
    if manifest.status == Manifest.Status.RETURNING:
        return manifest
    if manifest.status != Manifest.Status.ON_ROUTE:
        raise custody.WrongMoment(reason=manifest.status, status=manifest.get_status_display())
    driver = manifest.driver
    assert driver is not None
    _leave_later_trips(manifest, reason=reason[:200], actor=actor, at=at)
    for stop in manifest.stops.filter(kind=Stop.Kind.DROPOFF, status__in=Stop.OPEN).order_by(
        "position", "id"
    ):
        stop.manifest = manifest
        for order in custody.orders_at(stop):
            if order.status in closing.TO_DELIVER:
                failing.turn_back(
                    order, stop, reason=reason[:200], driver=driver, actor=actor, at=at, tried=False
                )
        moves.move_stop(stop, Stop.Status.SKIPPED, at)
    completion.settle(manifest, at=at)
    return manifest


def _leave_later_trips(manifest: Manifest, *, reason: str, actor: Actor, at: dt.datetime) -> None:
    """Orders that no trip has collected yet wait to be planned again."""
    later = manifest.consignments.filter(ended_at=None, pickup__trip__gt=manifest.trip)
    for order in locks.orders(later.values_list("order_id", flat=True)):
        custody.leave_behind(order, actor=actor, at=at, reason=reason)


@transaction.atomic(durable=True)
def lose(*, order_code: str, note: str, actor: Actor, at: dt.datetime) -> Order:
    """Operations close the search for what a driver held: the parcels are lost, and so is the order.

    Raises OrderNotHere when no driver holds a parcel of it.
    """
    order = locks.order_and_place(Order.objects.all(), order_code)  # type: ignore[arg-type]
    place = live_consignment(order) if order else None
    if order is None or place is None or order.status in Order.BEFORE_CUSTODY:
        raise closing.OrderNotHere(field="order")
    failing.write_off(order, place, actor=actor, note=note, at=at)
    manifest = locks.manifest(place.manifest_id)
    for stop in manifest.stops.filter(pk__in=[place.dropoff_id, place.return_stop_id], status__in=Stop.OPEN):
        stop.manifest = manifest
        if not custody.orders_at(stop):
            moves.move_stop(stop, Stop.Status.SKIPPED, at)
    completion.settle(manifest, at=at)
    return order
