"""The moment a parcel changes hands at a counter: only with a scan of it and the handover of its stop, in
either order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import ClassVar

from django.utils.translation import gettext_lazy as _

from deliveries import facts, locks, manifests, moves, relief
from deliveries.models import Consignment, Handover, Manifest, Order, Parcel, Scan, Stop
from deliveries.snapshots import live_consignment, parcels_of
from drivers.models import Driver
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox.recording import Actor


class StopRefused(Refused):
    """Base of what can be said against an act at a stop."""

    code: ClassVar[str] = "stop_refused"


class StopNotYours(StopRefused):
    code = "stop_not_found"
    sentence = _("There is no such stop on your list.")


class StopClosed(StopRefused):
    code = "stop_closed"
    sentence = _("This stop is %(status)s already.")


class WrongMoment(StopRefused):
    code = "wrong_moment"
    sentence = _("The route is %(status)s; this cannot be done now.")


class OtherTrip(StopRefused):
    code = "other_trip"
    sentence = _("This belongs to trip %(trip)s of the block; now is trip %(now)s.")


# While the manifest is in these states something can be done at a stop of the kind.
MOMENTS: dict[str, tuple[str, ...]] = {
    Stop.Kind.PICKUP: (Manifest.Status.LOADING,),
    Stop.Kind.DROPOFF: (Manifest.Status.ON_ROUTE, Manifest.Status.RETURNING),
    Stop.Kind.RETURN: (Manifest.Status.ON_ROUTE, Manifest.Status.RETURNING),
    Stop.Kind.MEETING: (Manifest.Status.LOADING,),
}


def stop_of(driver: Driver, stop_code: str) -> Stop:
    """The driver's own stop, its manifest locked. Raises StopNotYours: also for an event that comes after the
    manifest was given to somebody else, which therefore changes nothing."""
    stop = locks.stop(stop_code)
    if stop is None or stop.manifest.driver_id != driver.pk:
        raise StopNotYours
    return stop


def refuse_unless_open(stop: Stop) -> None:
    """Raises WrongMoment, StopClosed, OtherTrip."""
    refuse_at_wrong_moment(stop)
    if stop.status not in Stop.OPEN:
        raise StopClosed(reason=stop.status, status=stop.get_status_display())
    refuse_of_other_trip(stop)


def refuse_at_wrong_moment(stop: Stop) -> None:
    """A driver who is back to load may bring back as well. Raises WrongMoment."""
    manifest = stop.manifest
    brings_back = stop.kind == Stop.Kind.RETURN and manifest.is_back_to_load
    if manifest.status not in MOMENTS[stop.kind] and not brings_back:
        raise WrongMoment(reason=manifest.status, status=manifest.get_status_display())


def refuse_of_other_trip(stop: Stop) -> None:
    """What one trip takes is neither loaded nor delivered on another; what comes back may come back on any. Raises
    OtherTrip."""
    if stop.kind != Stop.Kind.RETURN and stop.trip != stop.manifest.trip:
        raise OtherTrip(reason=str(stop.trip), trip=stop.trip, now=stop.manifest.trip)


def orders_at(stop: Stop) -> list[Order]:
    """The orders with a live place at this stop, locked, with all that a snapshot reads."""
    if stop.kind == Stop.Kind.MEETING:
        return locks.orders(relief.places_to_meet(stop).values_list("order_id", flat=True))
    place = {Stop.Kind.PICKUP: "pickup", Stop.Kind.DROPOFF: "dropoff", Stop.Kind.RETURN: "return_stop"}
    live = Consignment.objects.live().filter(**{place[Stop.Kind(stop.kind)]: stop})
    return locks.orders(live.values_list("order_id", flat=True))


def is_handed_over(stop: Stop) -> bool:
    """Whether staff have confirmed this driver at this stop."""
    return Handover.objects.filter(stop=stop, driver=stop.manifest.driver_id).exists()


def scanned(stop: Stop) -> set[int]:
    """Keys of the parcels that were scanned here and accepted."""
    accepted = stop.scans.filter(outcome=Scan.Outcome.ACCEPTED)
    if stop.kind in {Stop.Kind.PICKUP, Stop.Kind.MEETING, Stop.Kind.DROPOFF}:
        accepted = accepted.filter(driver=stop.manifest.driver_id)
    return set(accepted.values_list("parcel_id", flat=True))


def pass_on(
    stop: Stop, orders: Sequence[Order], parcels: Iterable[int], *, actor: Actor, at: dt.datetime
) -> None:
    """Hand these parcels over at a counter where both sides have confirmed, and see what follows for their orders."""
    wanted = set(parcels)
    driver = stop.manifest.driver
    assert driver is not None
    for order in orders:
        mine = [parcel for parcel in parcels_of(order) if parcel.pk in wanted]
        if not mine:
            continue
        if stop.kind == Stop.Kind.MEETING:
            relief.take_over(order, mine, stop=stop, actor=actor, at=at)
            continue
        for parcel in mine:
            if stop.kind == Stop.Kind.PICKUP:
                moves.move_parcel(parcel, Parcel.Status.LOADED, driver=driver)
            else:
                moves.move_parcel(parcel, Parcel.Status.RETURNED)
        if stop.kind == Stop.Kind.PICKUP:
            settle_pickup(order, driver=driver, actor=actor, at=at)
        else:
            settle_return(order, driver=driver, actor=actor, at=at)


def settle_pickup(order: Order, *, driver: Driver, actor: Actor, at: dt.datetime, reason: str = "") -> None:
    """Once nothing of the order is left to wait for at the counter: it is picked up, or (nothing of it could be
    loaded) stays behind and waits to be planned again."""
    states = {parcel.status for parcel in parcels_of(order)}
    if states & {Parcel.Status.EXPECTED, Parcel.Status.READY}:
        return
    if Parcel.Status.LOADED in states:
        moves.move_order(order, Order.Status.PICKED_UP, at)
        facts.tell("order.picked_up", order, at=at, actor=actor, driver=driver)
        place = live_consignment(order)
        assert place is not None
        manifests.close_if_empty(place.pickup_id, at=at)
    else:
        leave_behind(order, actor=actor, at=at, reason=reason)


def leave_behind(order: Order, *, actor: Actor, at: dt.datetime, reason: str) -> None:
    """The driver goes without this order; it waits to be planned again."""
    place = live_consignment(order)
    assert place is not None
    moves.move_orders([order], Order.Status.PLACED)
    manifests.take_off(place, ending=Consignment.Ending.LEFT_BEHIND, at=at)
    order.live_consignments = []  # type: ignore[attr-defined]
    facts.tell("order.replanned", order, at=at, actor=actor, reason=reason)


def settle_return(order: Order, *, driver: Driver, actor: Actor, at: dt.datetime) -> None:
    """Once the driver holds nothing of the order any more, it is back."""
    if any(parcel.custodian == Parcel.Custodian.DRIVER for parcel in parcels_of(order)):
        return
    place = live_consignment(order)
    assert place is not None
    moves.move_order(order, Order.Status.RETURNED, at)
    place.ended_at, place.ending = at, Consignment.Ending.RETURNED
    place.save(update_fields=["ended_at", "ending"])
    order.live_consignments = []  # type: ignore[attr-defined]
    facts.tell("order.returned", order, at=at, actor=actor, driver=driver)
