"""What follows on a manifest when a stop has ended: new times, the way back, the end."""

from __future__ import annotations

import datetime as dt
from collections import Counter

from deliveries import eta, facts, limits, moves, roads, trips
from deliveries.models import Consignment, Manifest, Parcel, Stop
from drivers import tracking
from retaildelivery.lib.geo import Point
from retaildelivery.outbox import recording
from stores.models import Store

RETURN_SERVICE = dt.timedelta(minutes=5)  # to find the counter and scan


def retime(manifest: Manifest, *, at: dt.datetime, least: dt.timedelta = dt.timedelta(0)) -> None:
    """Write the expected arrival of every open stop of the (locked) manifest, where it moved by more than `least`."""
    stops = list(manifest.stops.order_by("position", "id"))
    legs = [
        eta.Leg(stop.pk, stop.planned_at, stop.service, stop.arrived_at, stop.completed_at) for stop in stops
    ]
    expected = _by_position(manifest, stops, eta.retime(legs, at=at), at=at)
    changed = []
    for stop in stops:
        if stop.pk in expected and abs(stop.eta_at - expected[stop.pk]) > least:
            stop.eta_at = expected[stop.pk]
            changed.append(stop)
    Stop.objects.bulk_update(changed, ["eta_at"])


def _by_position(
    manifest: Manifest, stops: list[Stop], expected: dict[int, dt.datetime], *, at: dt.datetime
) -> dict[int, dt.datetime]:
    """What is expected, moved by what the phone says of the way to the next stop: a jam is seen before it is over."""
    ahead = [stop for stop in stops if stop.pk in expected and stop.status == Stop.Status.PLANNED]
    at_one = any(stop.status == Stop.Status.ARRIVED for stop in stops)
    seen = tracking.newest(manifest.driver) if manifest.driver and _is_driving(manifest, stops) else None
    left_at = max((stop.completed_at for stop in stops if stop.completed_at), default=manifest.departed_at)
    if seen is None or not ahead or at_one or at - seen.device_at > limits.POSITION_FRESH:
        return expected
    if left_at is not None and seen.device_at <= left_at:
        return expected
    here = Point(float(seen.latitude), float(seen.longitude))
    hour = at.astimezone(manifest.mall.zone).hour
    curve = roads.curve_of(manifest.mall.market, at=at)
    next_at = seen.device_at + eta.drive(here, ahead[0].point, curve=curve, hour=hour)
    moved = max(next_at, at) - expected[ahead[0].pk]
    return expected | {stop.pk: expected[stop.pk] + moved for stop in ahead}


def _is_driving(manifest: Manifest, stops: list[Stop]) -> bool:
    """Whether its driver is on the way; who comes back to load again is until they are at the first counter."""
    if manifest.status in {Manifest.Status.ON_ROUTE, Manifest.Status.RETURNING}:
        return True
    at_mall = [stop for stop in stops if stop.trip == manifest.trip and stop.arrived_at is not None]
    return manifest.is_back_to_load and not at_mall


def return_stop(manifest: Manifest, store: Store, *, after: Stop, at: dt.datetime) -> Stop:
    """The open stop at which what comes back to this store is handed over, made when there is none: at the next visit
    to the mall, which is the next loading or the end."""
    found = (
        manifest.stops.filter(kind=Stop.Kind.RETURN, store=store, status__in=Stop.OPEN)
        .order_by("position", "id")
        .first()
    )
    if found is not None:
        return found
    out = manifest.stops.exclude(kind=Stop.Kind.PICKUP).filter(trip__lte=manifest.trip)
    last = out.order_by("-position", "-id").first() or after
    mall = store.mall
    leave_at = max(at, last.planned_at + last.service)
    planned_at = leave_at + eta.drive(
        last.point,
        mall.point,
        curve=roads.curve_of(mall.market, at=at),
        hour=leave_at.astimezone(mall.zone).hour,
    )
    trip, position = trips.place_at_mall(manifest)
    return Stop.objects.create(
        manifest=manifest,
        kind=Stop.Kind.RETURN,
        position=position,
        trip=trip,
        store=store,
        latitude=mall.latitude,
        longitude=mall.longitude,
        address=", ".join(part for part in (store.name, store.unit, mall.name) if part)[:300],
        planned_at=planned_at,
        eta_at=planned_at,
        service=RETURN_SERVICE,
    )


def held(manifest: Manifest) -> bool:
    """Whether the driver still holds a parcel of this manifest."""
    return Parcel.objects.filter(
        custodian=Parcel.Custodian.DRIVER,
        driver=manifest.driver_id,
        order__in=manifest.consignments.values("order"),
    ).exists()


def settle(manifest: Manifest, *, at: dt.datetime) -> bool:
    """Move the (locked) manifest on when its stops allow it; True when it is now completed.

    A manifest never completes while its driver holds a parcel of it.
    """
    if manifest.stopped_at is not None:
        end_stopped(manifest, at=at)
        return False
    if manifest.status in {Manifest.Status.ON_ROUTE, Manifest.Status.RETURNING, Manifest.Status.LOADING}:
        open_kinds = set(manifest.stops.filter(status__in=Stop.OPEN).values_list("kind", flat=True))
        if not open_kinds and not held(manifest):
            _complete(manifest, at=at)
            return True
        _go_on(manifest, open_kinds, at=at)
    retime(manifest, at=at)
    return False


def _go_on(manifest: Manifest, open_kinds: set[str], *, at: dt.datetime) -> None:
    """After the last door of a trip the driver comes back to load the next, or with what comes back."""
    following = trips.next_of(manifest)
    driving, loads = manifest.status == Manifest.Status.ON_ROUTE, manifest.status == Manifest.Status.LOADING
    if following is not None and (driving or loads) and trips.is_over(manifest):
        if driving:
            moves.move_manifest(manifest, Manifest.Status.LOADING, at, trip=following)
        else:
            manifest.trip = following
            manifest.save(update_fields=["trip"])
        driver = manifest.driver
        recording.record(
            facts.manifest_changed("manifest.reloading", manifest, at=at, driver=driver, trip=following)
        )
    elif open_kinds == {Stop.Kind.RETURN} and (driving or manifest.is_back_to_load):
        moves.move_manifest(manifest, Manifest.Status.RETURNING, at)


def end_stopped(manifest: Manifest, *, at: dt.datetime) -> bool:
    """Abort the (locked) manifest of a driver who cannot go on, once they hold nothing of it."""
    if manifest.status == Manifest.Status.ABORTED or held(manifest):
        return False
    if manifest.consignments.filter(ended_at=None).exists():
        return False
    for stop in manifest.stops.filter(status__in=Stop.OPEN).order_by("position", "id"):
        moves.move_stop(stop, Stop.Status.SKIPPED, at)
    moves.move_manifest(manifest, Manifest.Status.ABORTED, at)
    recording.record(
        facts.manifest_changed(
            "manifest.aborted", manifest, at=at, driver=manifest.driver, reason=manifest.aborted_reason
        )
    )
    return True


def _complete(manifest: Manifest, *, at: dt.datetime) -> None:
    moves.move_manifest(manifest, Manifest.Status.COMPLETED, at)
    endings = Counter(manifest.consignments.values_list("ending", flat=True))
    driver = manifest.driver
    assert driver is not None
    assert "" not in endings, "A completed manifest has no order left on it."
    recording.record(
        facts.manifest_changed(
            "manifest.completed",
            manifest,
            at=at,
            actor=facts.of_driver(driver),
            driver=driver,
            orders={ending: endings[ending] for ending in Consignment.Ending.values if endings[ending]},
        )
    )
