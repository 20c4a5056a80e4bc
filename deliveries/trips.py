"""Which trip of a manifest is under way, which comes next, and what is done at the mall between two."""

from __future__ import annotations

import datetime as dt

from django.db.models import F, Max, Min

from deliveries import moves
from deliveries.models import Manifest, Stop


def next_of(manifest: Manifest) -> int | None:
    """The trip to load after the present one: the next for which a store has still to hand something over."""
    later = manifest.stops.filter(kind=Stop.Kind.PICKUP, status__in=Stop.OPEN, trip__gt=manifest.trip)
    found: int | None = later.aggregate(trip=Min("trip"))["trip"]
    return found


def is_over(manifest: Manifest) -> bool:
    """Whether nothing of the present trip is to be collected or brought to a door any more."""
    here = manifest.stops.exclude(kind=Stop.Kind.RETURN)
    return not here.filter(trip__lte=manifest.trip, status__in=Stop.OPEN).exists()


def place_at_mall(manifest: Manifest) -> tuple[int, int]:
    """The trip and the position of a stop at the driver's next visit to the mall: before the next loading, or at the
    end. Makes room for it."""
    following = next_of(manifest)
    if following is None:
        last: int = manifest.stops.aggregate(position=Max("position"))["position"]
        return manifest.trip, last + 1
    loading = manifest.stops.filter(trip=following, kind=Stop.Kind.PICKUP, status__in=Stop.OPEN)
    position: int = loading.aggregate(position=Min("position"))["position"]
    manifest.stops.filter(position__gte=position).update(position=F("position") + 1)
    return following, position


def put_off_returns(manifest: Manifest, *, at: dt.datetime) -> None:
    """The driver leaves again with what was to come back: it is due at the next visit to the mall."""
    due = manifest.stops.filter(kind=Stop.Kind.RETURN, status__in=Stop.OPEN, trip__lte=manifest.trip)
    for stop in due.order_by("position", "id"):
        if stop.status == Stop.Status.ARRIVED:
            moves.move_stop(stop, Stop.Status.PLANNED, at, arrived_at=None, arrived_off_by_m=None)
        stop.trip, stop.position = place_at_mall(manifest)
        stop.save(update_fields=["trip", "position"])
    rows = list(manifest.stops.order_by("position", "id"))
    for position, stop in enumerate(rows):
        stop.position = position
    Stop.objects.bulk_update(rows, ["position"])
