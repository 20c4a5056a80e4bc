"""The driver's own order of the stops to come: theirs to change, with a word on what it does to promises."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from deliveries import completion, custody, eta, facts, limits, locks, roads, sequencing, trips
from deliveries.custody import StopRefused
from deliveries.models import Consignment, Manifest, Order, Stop
from deliveries.sequencing import Start, Visit, Way
from drivers import tracking
from drivers.models import Driver
from retaildelivery.lib.geo import Point
from retaildelivery.outbox import recording

OPEN_TO_CHANGE: tuple[str, ...] = (
    Manifest.Status.LOADING,
    Manifest.Status.ON_ROUTE,
    Manifest.Status.RETURNING,
)


class StopsDiffer(StopRefused):
    code = "stops_differ"
    sentence = _("Name every stop of this trip still to come once. Missing or unknown: %(stops)s.")


class AtAStop(StopRefused):
    code = "at_a_stop"
    sentence = _("You are at %(stop)s. It comes first until it is done.")


@dataclass(frozen=True, slots=True)
class Call:
    """A stop to come with when it is reached; `late_minutes` is how long after its promise, begun ones counted."""

    stop: Stop
    visit: Visit
    reached_at: dt.datetime

    @property
    def title(self) -> str:
        """The shop, or the first line of the door."""
        return self.stop.store.name if self.stop.store else self.stop.address.split(",")[0]

    @property
    def late_minutes(self) -> int:
        served = max(self.reached_at, self.visit.opens_at or self.reached_at)
        return -(-sequencing.lateness(self.visit, served) // dt.timedelta(minutes=1))


@dataclass(frozen=True, slots=True)
class Proposal:
    """A better order: how many more promises it keeps, and how many minutes of lateness and of work it saves."""

    calls: tuple[Call, ...]
    keeps: int
    late_minutes: int
    minutes: int

    @property
    def codes(self) -> list[str]:
        return [call.stop.code for call in self.calls]

    def is_worth_no_more_than(self, kept: dict[str, Any]) -> bool:
        """Whether it saves no more than one that was shown and not wanted; a few minutes more are no news."""
        more = dt.timedelta(minutes=self.late_minutes + self.minutes - kept["minutes"])
        return self.keeps <= kept["keeps"] and more < limits.WORTH_SAYING


@dataclass(frozen=True, slots=True)
class Outlook:
    """The stops to come in their order, and a better one where there is one."""

    calls: tuple[Call, ...]
    proposal: Proposal | None

    @property
    def warnings(self) -> tuple[Call, ...]:
        """The stops whose promise would be broken."""
        return tuple(call for call in self.calls if call.late_minutes)


def outlook(manifest: Manifest, *, at: dt.datetime) -> Outlook:
    """What is to come on this manifest, as far as it can be known now. Six queries."""
    stops, visits = _visits(manifest)
    start, way = _start(manifest, stops, at=at), _way(manifest, at=at)
    fixed = [stop for stop in stops if stop.status == Stop.Status.ARRIVED]
    calls = _calls(stops, visits, start, way)
    free = [visits[stop.pk] for stop in stops if stop not in fixed]
    begun = _after(fixed, visits, start)
    free += _way_back(manifest)
    better = sequencing.best(free, begun, way)
    now, then = sequencing.worth(free, begun, way), sequencing.worth(better, begun, way)
    saves = (
        then.broken < now.broken
        or (now.late - then.late) + (now.ends_at - then.ends_at) >= limits.WORTH_SAYING
    )
    if not saves:
        return Outlook(calls, None)
    by_code = {stop.code: stop for stop in stops}
    order = [*fixed, *(by_code[visit.key] for visit in better if visit.key)]
    minute = dt.timedelta(minutes=1)
    found = Proposal(
        calls=_calls(order, visits, start, way),
        keeps=now.broken - then.broken,
        late_minutes=(now.late - then.late) // minute,
        minutes=(now.ends_at - then.ends_at) // minute,
    )
    return Outlook(calls, None if _is_kept(manifest, stops, found) else found)


def _is_kept(manifest: Manifest, stops: Sequence[Stop], found: Proposal) -> bool:
    """Whether the driver has kept the order these stops have, though another saved as much as this one."""
    kept = manifest.kept_order
    if kept is None:
        return False
    codes = [stop.code for stop in stops]
    still = set(codes)
    same = [code for code in kept["stops"] if code in still] == codes
    return same and found.is_worth_no_more_than(kept)


@transaction.atomic(durable=True)
def keep(*, driver: Driver, manifest_code: str, shown: Sequence[str], at: dt.datetime) -> Outlook:
    """The driver keeps their order of stops though `shown` would be better: it is not proposed again until facts make
    it save more, or the order changes. When another one is proposed by now, nothing is kept. A repeat is harmless.

    Raises StopNotYours, WrongMoment.
    """
    manifest = _own(driver, manifest_code)
    found = outlook(manifest, at=at)
    better = found.proposal
    if better is None or better.codes != list(shown):
        return found
    manifest.kept_order = {
        "stops": [call.stop.code for call in found.calls],
        "keeps": better.keeps,
        "minutes": better.late_minutes + better.minutes,
    }
    manifest.save(update_fields=["kept_order"])
    actor = facts.of_driver(driver)
    recording.record(
        facts.manifest_changed(
            "manifest.order_kept", manifest, at=at, actor=actor, driver=driver, **manifest.kept_order
        )
    )
    return Outlook(found.calls, None)


def _own(driver: Driver, manifest_code: str) -> Manifest:
    """The driver's manifest, locked, while its stops may change places. Raises StopNotYours, WrongMoment."""
    manifest = locks.manifest_by_code(manifest_code)
    if manifest is None or manifest.driver_id != driver.pk:
        raise custody.StopNotYours
    if manifest.status not in OPEN_TO_CHANGE:
        raise custody.WrongMoment(reason=manifest.status, status=manifest.get_status_display())
    return manifest


@transaction.atomic(durable=True)
def reorder(*, driver: Driver, manifest_code: str, stop_codes: Sequence[str], at: dt.datetime) -> Outlook:
    """Visit the stops of this trip still to come in this order. Custody does not change; a promise that breaks by it is
    a warning in what is returned, not a refusal. The same order again changes nothing.

    Raises StopNotYours, WrongMoment, StopsDiffer, AtAStop.
    """
    manifest = _own(driver, manifest_code)
    stops, visits = _visits(manifest)
    by_code = {stop.code: stop for stop in stops}
    differing = sorted(by_code.keys() ^ set(stop_codes))
    if differing or len(set(stop_codes)) != len(stop_codes):
        raise StopsDiffer(field="stops", stops=", ".join(differing) or "-")
    order = [by_code[code] for code in stop_codes]
    arrived = next((stop for stop in stops if stop.status == Stop.Status.ARRIVED), None)
    if arrived is not None and order[0] != arrived:
        raise AtAStop(field="stops", stop=arrived.address.split(",")[0])
    if order != stops:
        _write(manifest, stops, order, visits, at=at)
        changed = outlook(manifest, at=at)
        late = [{"stop": call.stop.code, "late_minutes": call.late_minutes} for call in changed.warnings]
        recording.record(
            facts.manifest_changed(
                "manifest.resequenced",
                manifest,
                at=at,
                actor=facts.of_driver(driver),
                driver=driver,
                stops=list(stop_codes),
                late=late,
            )
        )
        return changed
    return outlook(manifest, at=at)


def _write(
    manifest: Manifest,
    before: Sequence[Stop],
    order: Sequence[Stop],
    visits: dict[int, Visit],
    *,
    at: dt.datetime,
) -> None:
    """Give the stops each other's places. A delay so far stays one: it is taken off the plan of what follows."""
    delay = _delay(manifest, at=at)
    start, way = _start(manifest, before, at=at), _way(manifest, at=at)
    places = sorted(stop.position for stop in before)
    for place, call in zip(places, _calls(order, visits, start, way), strict=True):
        call.stop.position = place
        if call.stop.status == Stop.Status.PLANNED:
            call.stop.planned_at = call.reached_at - delay
    Stop.objects.bulk_update(order, ["position", "planned_at"])
    _shift_later_trips(manifest, order[-1], way)
    completion.retime(manifest, at=at)


def _shift_later_trips(manifest: Manifest, last: Stop, way: Way) -> None:
    """The next loading is planned no sooner than the way back from the door that is the last one now allows."""
    later = list(
        manifest.stops.filter(trip__gt=manifest.trip, status__in=Stop.OPEN).order_by("position", "id")
    )
    if not later:
        return
    over = last.planned_at + last.service
    shift = over + way(last.point, manifest.mall.point, over) - later[0].planned_at
    if shift > dt.timedelta(0):
        for stop in later:
            stop.planned_at += shift
        Stop.objects.bulk_update(later, ["planned_at"])


def _way_back(manifest: Manifest) -> list[Visit]:
    """To the mall, where the next trip is loaded; nothing on the last trip."""
    if trips.next_of(manifest) is None:
        return []
    return [Visit(key="", point=manifest.mall.point, service=dt.timedelta(0))]


def _visits(manifest: Manifest) -> tuple[list[Stop], dict[int, Visit]]:
    """The doors of this trip and the counters still to come, in order, and each as the pure part knows it. What comes
    back at a loading is part of that."""
    open_stops = manifest.stops.filter(status__in=Stop.OPEN)
    rows = open_stops.filter(kind=Stop.Kind.DROPOFF, trip=manifest.trip)
    if trips.next_of(manifest) is None and not manifest.is_back_to_load:
        rows |= open_stops.filter(kind=Stop.Kind.RETURN)
    rows = rows.select_related("store")
    stops = sorted(rows, key=lambda stop: (stop.status != Stop.Status.ARRIVED, stop.position, stop.pk))
    promised: dict[int, list[Order]] = {}
    live = Consignment.objects.live().filter(dropoff__in=stops).select_related("order")  # type: ignore[attr-defined]
    for place in live:
        promised.setdefault(place.dropoff_id, []).append(place.order)
    return stops, {stop.pk: _visit(stop, promised.get(stop.pk, [])) for stop in stops}


def _visit(stop: Stop, orders: Sequence[Order]) -> Visit:
    """Neighbours at one door are served once the first promise opens, and in time for the one that ends first."""
    return Visit(
        key=stop.code,
        point=stop.point,
        service=stop.service,
        opens_at=max((order.window.lower for order in orders), default=None),
        due_at=min((order.window.upper for order in orders), default=None),
    )


def _calls(stops: Sequence[Stop], visits: dict[int, Visit], start: Start, way: Way) -> tuple[Call, ...]:
    """The stops in this order with when each is reached; one at which the driver is was reached already."""
    at_it = [stop for stop in stops if stop.status == Stop.Status.ARRIVED]
    ahead = [stop for stop in stops if stop.status != Stop.Status.ARRIVED]
    begun = _after(at_it, visits, start)
    reached = sequencing.arrivals([visits[stop.pk] for stop in ahead], begun, way)
    calls = [Call(stop, visits[stop.pk], stop.arrived_at or start.free_at) for stop in at_it]
    return (*calls, *(Call(stop, visits[stop.pk], at) for stop, at in zip(ahead, reached, strict=True)))


def _after(at_it: Sequence[Stop], visits: dict[int, Visit], start: Start) -> Start:
    """Where and when the car drives on from the stop at which it is."""
    if not at_it:
        return start
    over = max((stop.arrived_at or start.free_at) + visits[stop.pk].service for stop in at_it)
    return Start(at_it[-1].point, max(start.free_at, over))


def _start(manifest: Manifest, stops: Sequence[Stop], *, at: dt.datetime) -> Start:
    """Where the car is: as its phone says if that is fresh, else at the last stop or at the mall. Who comes back to
    load begins at the mall, once that is done."""
    if manifest.is_back_to_load:
        waits = manifest.stops.filter(kind=Stop.Kind.PICKUP, trip=manifest.trip, status__in=Stop.OPEN)
        return Start(manifest.mall.point, max([at, *(stop.eta_at + stop.service for stop in waits)]))
    driver = manifest.driver
    seen = tracking.newest(driver) if driver is not None else None
    if seen is not None and at - seen.device_at <= limits.POSITION_FRESH:
        return Start(Point(float(seen.latitude), float(seen.longitude)), at)
    last = manifest.stops.filter(arrived_at__isnull=False).order_by("-arrived_at", "-pk").first()
    return Start(last.point if last is not None else manifest.mall.point, at)


def _way(manifest: Manifest, *, at: dt.datetime) -> Way:
    curve, zone = roads.curve_of(manifest.mall.market, at=at), manifest.mall.zone

    def way(origin: Point, goal: Point, leaves_at: dt.datetime) -> dt.timedelta:
        return eta.drive(origin, goal, curve=curve, hour=leaves_at.astimezone(zone).hour)

    return way


def _delay(manifest: Manifest, *, at: dt.datetime) -> dt.timedelta:
    """How far behind its plan the manifest is, by the stop begun last; as `eta.retime` reckons it."""
    begun = list(manifest.stops.filter(arrived_at__isnull=False))
    if not begun:
        return dt.timedelta(0)
    here = max(begun, key=lambda stop: stop.completed_at or stop.arrived_at or at)
    assert here.arrived_at is not None
    free_at = here.completed_at or max(at, here.arrived_at + here.service)
    return free_at - (here.planned_at + here.service)
