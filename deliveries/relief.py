"""One driver takes over from another on the way: a meeting, two halves of a handover, and whose the orders are then.

The relief's manifest has a meeting and copies of the stops it takes over. An order stays on the manifest of whoever
holds it: it moves when its last parcel has changed hands, never before.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from deliveries import completion, eta, facts, limits, moves, roads
from deliveries.models import Consignment, Manifest, Order, Parcel, Stop
from deliveries.models.manifest import ConsignmentQuerySet
from deliveries.snapshots import live_consignment, parcels_of
from retaildelivery.lib.geo import Point, road_m
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox import recording
from retaildelivery.outbox.recording import Actor
from stores.models import Mall


class NothingToTakeOver(Refused):
    code = "nothing_to_take_over"
    sentence = _("None of these stops can be handed over: nothing is carried to them any more.")


def places_to_meet(stop: Stop) -> ConsignmentQuerySet:
    """The places, on other manifests, of the orders that are to be handed over at this meeting."""
    taken = Stop.objects.filter(manifest=stop.manifest_id, relieves__isnull=False).values("relieves")
    live: ConsignmentQuerySet = Consignment.objects.live()  # type: ignore[attr-defined]
    return live.filter(Q(dropoff__in=taken) | Q(return_stop__in=taken)).exclude(manifest=stop.manifest_id)


def held_at(stops: Sequence[Stop]) -> list[Parcel]:
    """The parcels which their driver holds for these stops."""
    live = Consignment.objects.live().filter(Q(dropoff__in=stops) | Q(return_stop__in=stops))  # type: ignore[attr-defined]
    return list(
        Parcel.objects.filter(order__in=live.values("order"), custodian=Parcel.Custodian.DRIVER)
        .select_related("order")
        .order_by("pk")
    )


def draft(
    *, mall: Mall, stops: Sequence[Stop], point: Point, start: dt.datetime, at: dt.datetime
) -> tuple[Manifest, dt.timedelta, int]:
    """A manifest that takes over these stops of another driver at this point: a meeting at `start`, then the stops in
    their order, no door before its promise begins. Also how long it takes and how far it is, back to the meeting.

    Raises NothingToTakeOver.
    """
    assert connection.in_atomic_block, "An inner verb."
    going = [stop for stop in stops if held_at([stop])]
    opens = _opens(going)
    if not going:
        raise NothingToTakeOver
    manifest = Manifest.objects.create(mall=mall, created_at=at)
    service = limits.MEETING_SERVICE + limits.MEETING_PARCEL * len(held_at(going))
    rows = [_row(manifest, Stop.Kind.MEETING, 0, point, "Meeting with the other driver", start, service)]
    curve, metres, here, moment = roads.curve_of(mall.market, at=at), 0, point, start + service
    for position, stop in enumerate(going, 1):
        moment += eta.drive(here, stop.point, curve=curve, hour=moment.astimezone(mall.zone).hour)
        moment = max(moment, opens.get(stop.pk, moment))
        metres += road_m(here, stop.point)
        row = _row(manifest, stop.kind, position, stop.point, stop.address, moment, stop.service)
        row.store, row.relieves = stop.store, stop
        rows.append(row)
        here, moment = stop.point, moment + stop.service
    Stop.objects.bulk_create(rows)
    moment += eta.drive(here, point, curve=curve, hour=moment.astimezone(mall.zone).hour)
    return manifest, moment - start, metres + road_m(here, point)


def _opens(stops: Sequence[Stop]) -> dict[int, dt.datetime]:
    """When each of these doors may be rung at: once the last of its promises has begun."""
    live = Consignment.objects.live().filter(dropoff__in=stops).select_related("order")  # type: ignore[attr-defined]
    found: dict[int, dt.datetime] = {}
    for place in live:
        begins = place.order.window.lower
        found[place.dropoff_id] = max(begins, found.get(place.dropoff_id, begins))
    return found


def _row(
    manifest: Manifest,
    kind: str,
    position: int,
    point: Point,
    address: str,
    planned_at: dt.datetime,
    service: dt.timedelta,
) -> Stop:
    return Stop(
        manifest=manifest,
        kind=kind,
        position=position,
        latitude=round(point.lat, 6),
        longitude=round(point.lng, 6),
        address=address,
        planned_at=planned_at,
        eta_at=planned_at,
        service=service,
    )


def take_over(order: Order, parcels: Sequence[Parcel], *, stop: Stop, actor: Actor, at: dt.datetime) -> None:
    """These parcels of the (locked) order pass to the driver of the meeting's manifest; with the last that the other
    driver holds the order moves to this manifest."""
    place = live_consignment(order)
    taker = stop.manifest.driver
    assert place is not None
    assert taker is not None
    giver = place.manifest.driver
    assert giver is not None
    for parcel in parcels:
        moves.hand_parcel(parcel, taker)
        recording.record(facts.parcel_handed_over(parcel, stop, at=at, actor=actor, giver=giver, taker=taker))
    if any(p.custodian == Parcel.Custodian.DRIVER and p.driver_id == giver.pk for p in parcels_of(order)):
        return
    place.ended_at, place.ending = at, Consignment.Ending.HANDED_OVER
    place.save(update_fields=["ended_at", "ending"])
    order.live_consignments = [_new_place(order, place, stop, at=at)]  # type: ignore[attr-defined]
    if order.status == Order.Status.AT_DROPOFF:
        moves.move_orders([order], Order.Status.EN_ROUTE)
    facts.tell("order.reassigned", order, at=at, actor=actor, driver=taker, manifest=stop.manifest.code)
    for old in Stop.objects.filter(
        pk__in=[place.dropoff_id, place.return_stop_id or 0], status__in=Stop.OPEN
    ):
        _skip_if_idle(old, at=at)
    completion.settle(place.manifest, at=at)


def _new_place(order: Order, old: Consignment, stop: Stop, *, at: dt.datetime) -> Consignment:
    copies = {copy.relieves_id: copy for copy in stop.manifest.stops.filter(relieves__isnull=False)}
    return Consignment.objects.create(
        manifest=stop.manifest,
        order=order,
        pickup=stop,
        # What is on its way back has no door on the new manifest; it keeps the one that stayed shut.
        dropoff=copies.get(old.dropoff_id, old.dropoff),
        return_stop=copies.get(old.return_stop_id),
        created_at=at,
    )


def _skip_if_idle(stop: Stop, *, at: dt.datetime) -> bool:
    """Skip an open stop at which nothing is left or brought any more."""
    live = Consignment.objects.live().filter(Q(dropoff=stop) | Q(return_stop=stop))  # type: ignore[attr-defined]
    if stop.status not in Stop.OPEN or live.exists():
        return False
    moves.move_stop(stop, Stop.Status.SKIPPED, at)
    return True


def close_if_met(stop: Stop, *, at: dt.datetime) -> None:
    """A meeting is over when nothing more is to change hands at it."""
    if stop.status in Stop.OPEN and not places_to_meet(stop).exists():
        arrived = stop.status == Stop.Status.ARRIVED
        moves.move_stop(stop, Stop.Status.DONE if arrived else Stop.Status.SKIPPED, at)


def close_what_is_over(manifest: Manifest, *, at: dt.datetime) -> None:
    """Before a relief leaves: what the other driver has delivered meanwhile is no stop any more."""
    for stop in manifest.stops.filter(kind=Stop.Kind.MEETING, status__in=Stop.OPEN):
        close_if_met(stop, at=at)
    met = not manifest.stops.filter(kind=Stop.Kind.MEETING, status__in=Stop.OPEN).exists()
    if met:
        for stop in manifest.stops.filter(relieves__isnull=False, status__in=Stop.OPEN):
            _skip_if_idle(stop, at=at)
