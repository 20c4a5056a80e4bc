"""What a driver may know of the stops on their manifest: queries, and the same as JSON.

Never the PIN and never the tracking link, whose page shows it: neither column is read here.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlencode

from django.db.models import OuterRef, Prefetch, Q, QuerySet, Subquery, Value
from django.db.models.functions import Concat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from deliveries import counters, limits, relief, requirements
from deliveries.models import Consignment, CounterProof, Manifest, Order, Parcel, Scan, Stop
from deliveries.snapshots import moment
from drivers.models import Driver
from stores.models import Mall

AT_WORK = (Manifest.Status.LOADING, Manifest.Status.ON_ROUTE, Manifest.Status.RETURNING)
NAVIGATION = "https://www.google.com/maps/dir/"


class Place(Protocol):
    latitude: Any
    longitude: Any


@dataclass(slots=True)
class Drop:
    """One order at a stop, with its parcels in order."""

    order: Order
    parcels: list[Parcel]
    live: bool
    scanned: frozenset[int] = frozenset()
    # Still with the driver who is to hand it over at this meeting.
    is_met: bool = False

    @property
    def is_open(self) -> bool:
        """Something is still to be done with it at the door."""
        return self.live and self.order.status in {"picked_up", "en_route", "at_dropoff"}

    @property
    def half_done(self) -> set[int]:
        """Parcels that were scanned while staff have not yet confirmed: still with whoever had them."""
        waiting = {"expected", "ready", "return_due", "damaged"} | ({"loaded"} if self.is_met else set())
        return {
            parcel.pk for parcel in self.parcels if parcel.pk in self.scanned and parcel.status in waiting
        }

    @property
    def requirements(self) -> list[str]:
        """What the door asks for, as words."""
        order = self.order
        wanted = [
            (order.requires_photo, _("photo")),
            (order.requires_signature, _("signature")),
            (order.requires_pin, _("PIN")),
            (order.minimum_age, _("age %(age)s+") % {"age": order.minimum_age}),
            (order.requires_barcodes, _("labels read")),
        ]
        return [word for needed, word in wanted if needed]

    @property
    def unread(self) -> list[Parcel]:
        """Parcels whose label is still to be read at the door; none when the order does not ask for it."""
        held = [parcel for parcel in self.parcels if parcel.status == "loaded"]
        return [p for p in held if p.pk not in self.scanned] if self.order.requires_barcodes else []

    @property
    def pin_tries_left(self) -> int:
        return max(0, limits.PIN_TRIES - self.order.pin_failures)

    @property
    def pin_is_locked(self) -> bool:
        return bool(self.order.requires_pin) and self.pin_tries_left == 0


@dataclass(slots=True)
class Call:
    """A stop as a driver sees it: where, when, and what is handed over there."""

    stop: Stop
    number: int
    drops: list[Drop] = field(default_factory=list)
    confirmed: bool = False
    proved: list[CounterProof] = field(default_factory=list)
    # What another driver is still to hand over for this door, at the meeting before it.
    coming: list[Drop] = field(default_factory=list)

    @property
    def at_counter(self) -> list[str]:
        """What the counter is to give besides the scans, whether it has or not."""
        return requirements.missing_at_counter(self._wanted, [])

    @property
    def counter_lacks(self) -> list[str]:
        """What of it is still missing."""
        return requirements.missing_at_counter(self._wanted, counters.shown(self.proved))

    @property
    def _wanted(self) -> list[requirements.AtCounter]:
        here = [drop.order for drop in self.drops if drop.live or drop.order.status == "returned"]
        return [counters.required(self.stop.kind, order) for order in here]

    @property
    def title(self) -> str:
        """The shop, or the first line of the door."""
        return self.stop.store.name if self.stop.store else self.stop.place.split(",")[0]

    @property
    def place(self) -> str:
        """The address without its first line, which is the title."""
        return self.stop.address.partition(", ")[2]

    @property
    def parcels(self) -> list[Parcel]:
        return [parcel for drop in self.drops for parcel in drop.parcels]

    @property
    def has_barcodes(self) -> bool:
        """Whether a parcel here has a barcode of its seller, so that other kinds of codes than ours are looked for."""
        return any(parcel.barcodes for parcel in self.parcels)

    @property
    def is_open(self) -> bool:
        return self.stop.status in Stop.OPEN

    @property
    def waits_for_its_trip(self) -> bool:
        """Whether it is of a trip that is not under way yet."""
        return self.stop.kind != Stop.Kind.RETURN and self.stop.trip > self.stop.manifest.trip

    @property
    def summary(self) -> str:
        drops = [*self.drops, *self.coming]
        count = sum(len(drop.parcels) for drop in drops)
        words = [ngettext("%(count)s parcel", "%(count)s parcels", count) % {"count": count}]
        if self.stop.kind == Stop.Kind.DROPOFF:
            words += dict.fromkeys(word for drop in drops for word in drop.requirements)
        return " · ".join(words)

    @property
    def navigation(self) -> str:
        return navigation(self.stop)


@dataclass(slots=True)
class Trip:
    """The stops between two visits to the mall, with what is loaded before them."""

    number: int
    of: int
    calls: list[Call]
    mall: Mall

    @property
    def is_open(self) -> bool:
        return any(each.is_open for each in self.calls)

    @property
    def to_load(self) -> list[Call]:
        """The counters at which something is still to be collected for it."""
        return [each for each in self.calls if each.stop.kind == Stop.Kind.PICKUP and each.is_open]

    @property
    def back_at(self) -> dt.datetime | None:
        """When the driver is expected at the first counter; None once nothing is left to load."""
        return min((each.stop.eta_at for each in self.to_load), default=None)

    @property
    def parcels(self) -> int:
        """Parcels still to be loaded."""
        waits = {Parcel.Status.EXPECTED, Parcel.Status.READY}
        drops = [drop for each in self.to_load for drop in each.drops if drop.live]
        return sum(parcel.status in waits for drop in drops for parcel in drop.parcels)

    @property
    def has_begun(self) -> bool:
        """Whether the driver has been at one of its stops."""
        return any(each.stop.arrived_at is not None for each in self.calls)

    @property
    def navigation(self) -> str:
        return navigation(self.mall)


def in_trips(calls: Iterable[Call], mall: Mall) -> list[Trip]:
    """The calls by the trip of the block that they are on; a block that is loaded once has one."""
    found: dict[int, list[Call]] = {}
    for each in calls:
        found.setdefault(each.stop.trip, []).append(each)
    return [Trip(number, max(found), found[number], mall) for number in sorted(found)]


def navigation(place: Place) -> str:
    """A link that any phone opens in its map."""
    return f"{NAVIGATION}?{urlencode({'api': 1, 'destination': f'{place.latitude},{place.longitude}'})}"


def stops_of(driver: Driver) -> QuerySet[Stop]:
    """Stops of this driver's manifests; another driver's are not there."""
    return Stop.objects.filter(manifest__driver=driver).select_related(
        "manifest__mall__market", "store", "handover"
    )


def manifests_of(driver: Driver) -> QuerySet[Manifest]:
    """This driver's manifests; another driver's are not there."""
    return Manifest.objects.filter(driver=driver).select_related("mall__market")


def is_at_work(driver: Driver) -> bool:
    """Whether the driver is at the mall or on the road for a block: only then is a position anybody's business."""
    return manifests_of(driver).filter(status__in=AT_WORK).exists()


def calls(manifest: Manifest) -> list[Call]:
    """Every stop of the manifest in order, with what is handed over there. Four queries."""
    stops = list(manifest.stops.select_related("store", "handover").in_order())  # type: ignore[attr-defined]
    return _filled(stops, Consignment.objects.filter(manifest=manifest))


def stops_in_outline(manifest_id: int | None) -> list[Stop]:
    """The stops of a manifest as told to who does not have it yet: stores by name, doors by town. One query.

    Each door carries `town`, its town and postal code.
    """
    here = Q(consignments__dropoff=OuterRef("pk")) | Q(consignments__dropoff=OuterRef("relieves"))
    town = Order.objects.filter(here).annotate(town=Concat("city", Value(" "), "postal_code"))
    stops = Stop.objects.filter(manifest=manifest_id).select_related("store").in_order()  # type: ignore[attr-defined]
    return list(stops.annotate(town=Subquery(town.values("town")[:1])))


def call(stop: Stop) -> Call:
    """One stop with what is handed over there."""
    here = Q(pickup=stop) | Q(dropoff=stop) | Q(return_stop=stop)
    found = _filled([stop], Consignment.objects.filter(here))[0]
    found.number = stop.position + 1
    return found


def _filled(stops: list[Stop], consignments: QuerySet[Consignment]) -> list[Call]:
    rows = list(
        consignments.order_by("id").prefetch_related(
            Prefetch("order", Order.objects.defer("pin", "tracking_token", "request_digest")),
            Prefetch("order__parcels", Parcel.objects.order_by("number")),
        )
    )
    scanned = _scanned(stops)
    found = {
        stop.pk: Call(stop=stop, number=number, confirmed=hasattr(stop, "handover"))
        for number, stop in enumerate(stops, start=1)
    }
    for row in rows:
        live = row.ended_at is None
        ways = {Stop.Kind.PICKUP: row.pickup_id, Stop.Kind.DROPOFF: row.dropoff_id}
        for stop_id in found.keys() & {*ways.values(), row.return_stop_id}:
            parcels = list(row.order.parcels.all())
            found[stop_id].drops.append(Drop(row.order, parcels, live, frozenset(scanned[stop_id])))
    asking = [stop_id for stop_id, each in found.items() if each.at_counter]
    for proof in CounterProof.objects.filter(stop__in=asking).order_by("id") if asking else []:
        if proof.driver_id == found[proof.stop_id].stop.manifest.driver_id:
            found[proof.stop_id].proved.append(proof)
    _add_what_is_to_be_taken_over(found, scanned)
    return list(found.values())


def _add_what_is_to_be_taken_over(found: dict[int, Call], scanned: defaultdict[int, set[int]]) -> None:
    """At a meeting: what another driver still holds for the stops that this manifest takes over; and at these stops."""
    copies = {each.stop.relieves_id: each for each in found.values() if each.stop.relieves_id is not None}
    for each in found.values():
        if each.stop.kind != Stop.Kind.MEETING or not each.is_open:
            continue
        places = relief.places_to_meet(each.stop).order_by("id")
        for row in places.prefetch_related(
            Prefetch("order", Order.objects.defer("pin", "tracking_token", "request_digest")),
            Prefetch("order__parcels", Parcel.objects.order_by("number")),
        ):
            parcels = list(row.order.parcels.all())
            met = Drop(row.order, parcels, True, frozenset(scanned[each.stop.pk]), is_met=True)
            each.drops.append(met)
            for place in copies.keys() & {row.dropoff_id, row.return_stop_id}:
                copies[place].coming.append(met)


def _scanned(stops: list[Stop]) -> defaultdict[int, set[int]]:
    """Parcels that were read at each stop, by key of the stop."""
    found: defaultdict[int, set[int]] = defaultdict(set)
    if stops:
        scans = Scan.objects.filter(stop__in=[stop.pk for stop in stops], outcome=Scan.Outcome.ACCEPTED)
        for stop_id, parcel_id in scans.values_list("stop_id", "parcel_id"):
            found[stop_id].add(parcel_id)
    return found


def map_of(found: Iterable[Call], *, manifest: Manifest) -> dict[str, Any]:
    """All stops and the way between them, in the shape the map reads; stops at one place share a mark."""
    mall, calls = manifest.mall, list(found)
    places: dict[tuple[float, float], list[Call]] = {(mall.point.lat, mall.point.lng): []}
    for each in calls:
        places.setdefault((each.stop.point.lat, each.stop.point.lng), []).append(each)
    home = [mall.point.lat, mall.point.lng]
    points = [home]
    for trip in in_trips(calls, mall):
        ways = dict.fromkeys((each.stop.point.lat, each.stop.point.lng) for each in trip.calls)
        points += [home] * (trip.number > 1 and len(points) > 1) + [
            list(way) for way in ways if list(way) != home
        ]
    return {
        "center": home,
        "zoom": 12,
        "fit": True,
        "markers": [_mark(place, here, mall) for place, here in places.items()],
        "lines": [{"points": points, "tone": "route"}],
    }


def _mark(place: tuple[float, float], here: list[Call], mall: Mall) -> dict[str, Any]:
    mark: dict[str, Any] = {
        "lat": place[0],
        "lng": place[1],
        "kind": "mall",
        "title": mall.name,
        "id": "mall",
    }
    if not here:
        return mark
    open_here = [each for each in here if each.is_open]
    first = (open_here or here)[0]
    mark |= {
        "title": first.title if len(here) == 1 else mall.name,
        "text": " / ".join(f"{each.number}. {each.title}: {each.summary}" for each in here),
        "href": f"/drive/stops/{first.stop.code}/",
    }
    if place == (mall.point.lat, mall.point.lng):
        return mark
    return mark | {"kind": _kind_of_mark(first.stop), "label": str(first.number), "id": first.stop.code}


def _kind_of_mark(stop: Stop) -> str:
    if stop.status in {Stop.Status.DONE, Stop.Status.FAILED}:
        return str(stop.status)
    return {"pickup": "store", "dropoff": "stop", "return": "return", "meeting": "store"}[stop.kind]


def manifest_json(manifest: Manifest, found: Iterable[Call]) -> dict[str, Any]:
    return {
        "code": manifest.code,
        "status": manifest.status,
        "trip": manifest.trip,
        "mall": manifest.mall.code,
        "departed_at": moment(manifest.departed_at),
        "completed_at": moment(manifest.completed_at),
        "stops": [stop_json(each) for each in found],
    }


def stop_json(each: Call) -> dict[str, Any]:
    stop, store = each.stop, each.stop.store
    return {
        "code": stop.code,
        "number": each.number,
        "trip": stop.trip,
        "kind": stop.kind,
        "status": stop.status,
        "store": None
        if store is None
        else {
            "code": store.code,
            "name": store.name,
            "unit": store.unit,
            "phone": store.phone,
            "pickup_note": store.pickup_note,
        },
        "address": stop.place,
        "latitude": float(stop.latitude),
        "longitude": float(stop.longitude),
        "planned_at": moment(stop.planned_at),
        "eta_at": moment(stop.eta_at),
        "arrived_at": moment(stop.arrived_at),
        "completed_at": moment(stop.completed_at),
        "handover_confirmed": each.confirmed,
        "counter": {
            **{name: name in each.at_counter for name in ("photo", "signature")},
            "missing": each.counter_lacks,
        },
        "orders": [drop_json(drop, stop) for drop in each.drops],
    }


def drop_json(drop: Drop, stop: Stop) -> dict[str, Any]:
    order = drop.order
    return {
        "code": order.code,
        "status": order.status,
        "open": drop.is_open,
        "recipient": {"name": order.recipient_name, "phone": order.recipient_phone},
        "pickup_note": order.pickup_note,
        "instructions": order.instructions,
        "recipient_note": order.recipient_note,
        "requirements": {
            "photo": order.requires_photo,
            "signature": order.requires_signature,
            "pin": order.requires_pin,
            "minimum_age": order.minimum_age,
            "barcodes": order.requires_barcodes,
        },
        "pin_tries_left": drop.pin_tries_left if order.requires_pin else None,
        "undeliverable": order.undeliverable,
        "parcels": [
            {
                "code": parcel.code,
                "number": parcel.number,
                "size": parcel.size,
                "grams": parcel.grams,
                "litres": parcel.litres,
                "description": parcel.description,
                "barcodes": parcel.barcodes,
                "status": parcel.status,
                "scanned": parcel.pk in drop.scanned,
            }
            for parcel in drop.parcels
        ],
    }
