"""A driver who cannot go on: what they have not loaded is planned again, what they hold waits for another driver."""

from __future__ import annotations

import datetime as dt

from django.db import connection

from deliveries import completion, custody, facts, locks, manifests, moves
from deliveries.models import Consignment, Incident, Manifest, Order, Parcel
from deliveries.snapshots import live_consignment, parcels_of
from retaildelivery.outbox import recording
from retaildelivery.outbox.recording import Actor


def stop(*, manifest: Manifest, reason: str, note: str, actor: Actor, at: dt.datetime) -> bool:
    """Stop the manifest; True when its driver holds parcels that somebody has to take over. A repeat changes nothing.

    Nobody loses a parcel by it: the manifest is aborted only once its driver holds nothing.
    """
    assert connection.in_atomic_block, "An inner verb."
    manifest = locks.manifest(manifest.pk)
    driver = manifest.driver
    assert driver is not None, "Only a driver's manifest is stopped."
    if manifest.stopped_at is not None or manifest.status not in Manifest.UNDERWAY:
        return completion.held(manifest)
    manifest.stopped_at, manifest.aborted_reason = at, reason[:200]
    manifest.save(update_fields=["stopped_at", "aborted_reason"])
    live = manifest.consignments.filter(ended_at=None)
    for order in locks.orders(live.values_list("order_id", flat=True)):
        _settle(order, actor=actor, at=at, reason=reason)
    Incident.objects.create(
        manifest=manifest,
        driver=driver,
        kind=Incident.Kind.BREAKDOWN,
        note=(f"{reason}: {note}" if note else reason)[:500],
        client_event_id=f"stopped:{manifest.code}",
        device_at=at,
        at=at,
    )
    recording.record(
        facts.manifest_changed(
            "manifest.stopped", manifest, at=at, actor=actor, driver=driver, reason=reason, note=note
        )
    )
    return not completion.end_stopped(manifest, at=at) and completion.held(manifest)


def _settle(order: Order, *, actor: Actor, at: dt.datetime, reason: str) -> None:
    """What becomes of one (locked) order: in the car it waits, at the counter it is planned again."""
    place = live_consignment(order)
    assert place is not None
    parcels = parcels_of(order)
    loaded = any(parcel.custodian == Parcel.Custodian.DRIVER for parcel in parcels)
    if order.status == Order.Status.AT_DROPOFF:
        moves.move_orders([order], Order.Status.EN_ROUTE)
    elif order.status in Order.BEFORE_CUSTODY and loaded:
        for parcel in parcels:
            if parcel.status in {Parcel.Status.EXPECTED, Parcel.Status.READY}:
                moves.move_parcel(parcel, Parcel.Status.SHORT)
        driver = place.manifest.driver
        assert driver is not None
        custody.settle_pickup(order, driver=driver, actor=actor, at=at, reason=reason)
    elif order.status in Order.BEFORE_CUSTODY:
        moves.move_orders([order], Order.Status.PLACED)
        manifests.take_off(place, ending=Consignment.Ending.REPLANNED, at=at)
        order.live_consignments = []  # type: ignore[attr-defined]
        facts.tell("order.replanned", order, at=at, actor=actor, reason=reason)
