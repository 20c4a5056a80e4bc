"""When a store's counter is done: what passed over it, and the photo or signature its orders ask for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db.models import QuerySet

from deliveries import completion, moves, relief, requirements
from deliveries.models import Consignment, CounterProof, Manifest, Order, Stop
from deliveries.requirements import AtCounter


def required(kind: str, order: Order) -> AtCounter:
    """What this order asks for at a counter of that kind."""
    if kind == Stop.Kind.PICKUP:
        return AtCounter(order.pickup_photo, order.pickup_signature)
    if kind == Stop.Kind.RETURN:
        return AtCounter(order.return_photo, order.return_signature)
    return AtCounter(photo=False, signature=False)


def lacking(stop: Stop) -> list[str]:
    """Fields still to be shown for what has passed over this counter; the driver of the manifest keeps them."""
    passed = {Stop.Kind.PICKUP: _collected, Stop.Kind.RETURN: _returned}.get(Stop.Kind(stop.kind))
    if passed is None:
        return []
    wanted = [required(stop.kind, place.order) for place in passed(stop).select_related("order")]
    kept = CounterProof.objects.filter(stop=stop, driver=stop.manifest.driver_id)
    return requirements.missing_at_counter(wanted, shown(kept))


def shown(kept: Iterable[CounterProof]) -> list[AtCounter]:
    """What these proofs show."""
    return [AtCounter(bool(each.photo), bool(each.signature)) for each in kept]


def unproved(manifest: Manifest) -> list[Stop]:
    """Counters at which something was collected whose photo or signature is still missing."""
    pickups = manifest.stops.filter(kind=Stop.Kind.PICKUP).select_related("store", "manifest")
    asking = Consignment.objects.live().filter(manifest=manifest)
    asking = asking.filter(order__pickup_photo=True) | asking.filter(order__pickup_signature=True)
    found = pickups.filter(pk__in=asking.values("pickup")).order_by("position", "id")
    return [stop for stop in found if lacking(stop)]


def close(stop: Stop, *, at: dt.datetime) -> None:
    """A counter is done when nothing more passes over it; then see whether the manifest goes on. A return whose
    orders ask for a photo or a signature stays open until it is there."""
    stop.refresh_from_db(fields=["status", "completed_at"])
    if stop.kind == Stop.Kind.MEETING:
        relief.close_if_met(stop, at=at)
    if stop.kind == Stop.Kind.RETURN and stop.status == Stop.Status.ARRIVED:
        if not stop.returns.filter(ended_at=None).exists() and not lacking(stop):
            moves.move_stop(stop, Stop.Status.DONE, at)
        completion.settle(stop.manifest, at=at)


def _collected(stop: Stop) -> QuerySet[Consignment]:
    return Consignment.objects.live().filter(pickup=stop, order__status=Order.Status.PICKED_UP)


def _returned(stop: Stop) -> QuerySet[Consignment]:
    return Consignment.objects.filter(return_stop=stop, order__status=Order.Status.RETURNED)
