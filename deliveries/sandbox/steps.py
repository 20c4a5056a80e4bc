"""The next legal steps of a test order, and taking one: by the same verbs as people, at the time of the sandbox."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable
from io import BytesIO
from typing import ClassVar

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from PIL import Image

from deliveries import countersigning, doors, eta, failing, limits, loading, manifests, positions, returning
from deliveries.evidence import Evidence
from deliveries.manifests import DraftStop
from deliveries.models import Attempt, Consignment, Manifest, Order, Parcel, ProofOfDelivery, Stop
from deliveries.roads import curve_of
from deliveries.sandbox import couriers, robots
from deliveries.snapshots import live_consignment, parcels_of, with_all
from drivers import badge
from drivers.models import Driver
from drivers.tracking import Ping
from retaildelivery.lib.geo import Point
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox import worlds
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import SYSTEM
from stores.models import Store

STEPS = {
    "assign": _("A robot courier takes the order."),
    "give_up": _("The courier never comes: the order is planned again."),
    "arrive_at_pickup": _("The courier is at the counter."),
    "scan_wrong_parcel": _("The courier reads a label that is not of this order."),
    "hand_over": _("The courier scans every parcel, the store confirms: picked up."),
    "depart": _("The courier leaves the mall."),
    "approach": _("The courier is near the door."),
    "arrive": _("The courier is at the door."),
    "enter_wrong_pin": _("The recipient tells a wrong PIN."),
    "deliver": _("Delivered, with all the proof that the order requires."),
    "fail": _("The door stays shut; `reason` says why."),
    "return": _("The store has it back."),
    "lose": _("The order is lost."),
}
BY_STATUS: dict[str, tuple[str, ...]] = {
    Order.Status.PLACED: ("assign",),
    Order.Status.PLANNED: ("assign",),
    Order.Status.ASSIGNED: ("arrive_at_pickup", "give_up"),
    Order.Status.AT_PICKUP: ("hand_over", "scan_wrong_parcel"),
    Order.Status.PICKED_UP: ("depart",),
    Order.Status.EN_ROUTE: ("approach", "arrive", "lose"),
    Order.Status.AT_DROPOFF: ("deliver", "fail", "enter_wrong_pin", "lose"),
    Order.Status.RETURNING: ("return", "lose"),
}
NEAR_DEGREES = 0.007  # of latitude: 780 m, within limits.NEAR_RADIUS_M


class StepNotLegal(Refused):
    code: ClassVar[str] = "step_not_legal"
    sentence: ClassVar[object] = _(
        "The order is %(status)s: %(step)s is not possible now. Possible: %(legal)s."
    )


def legal(order: Order) -> list[str]:
    """The names of the steps that are possible now."""
    names = BY_STATUS.get(order.status, ())
    if order.status == Order.Status.PLACED:
        here = {Parcel.Status.EXPECTED, Parcel.Status.READY}
        waits = order.latitude is not None and all(parcel.status in here for parcel in parcels_of(order))
        return list(names) if waits else []
    out_of_tries = order.requires_pin and order.pin_failures >= limits.PIN_TRIES
    barred = set()
    if order.near_at is not None:
        barred.add("approach")
    if not order.requires_pin or out_of_tries:
        barred.add("enter_wrong_pin")
    if out_of_tries:
        barred.add("deliver")
    return [name for name in names if name not in barred]


def take(*, order_code: str, step: str, reason: str = "", at: dt.datetime) -> Order:
    """Take a step of an order of this sandbox; the order as it is then. Raises StepNotLegal, and whatever the verbs
    raise that do it."""
    assert worlds.current() != worlds.LIVE, "Robots work in sandboxes only."
    order = _order(order_code)
    possible = legal(order)
    if step not in possible:
        raise StepNotLegal(
            field="step",
            reason=", ".join(possible),
            status=order.get_status_display(),
            step=step,
            legal=", ".join(possible) or "–",
        )
    _VERBS[step](order, reason, at)
    return _order(order_code)


def _order(code: str) -> Order:
    found = with_all(Order.objects.filter(code=code)).first()  # type: ignore[arg-type]
    assert found is not None, "The caller has found it."
    return found


def _place(order: Order) -> Consignment:
    place = live_consignment(order)
    assert place is not None, "Whatever a courier has is on a manifest."
    return place


def _robot(order: Order) -> Driver:
    driver = _place(order).manifest.driver
    assert driver is not None
    return driver


def _evidence(order: Order, what: str, at: dt.datetime, point: Point | None = None) -> Evidence:
    """Said by a robot's phone: the same every time, and another for each step."""
    return Evidence(
        client_event_id=f"{order.code}:{order.sequence}:{what}"[:64],
        device_at=at,
        latitude=point.lat if point else None,
        longitude=point.lng if point else None,
        accuracy_m=10 if point else None,
    )


@functools.cache
def _picture(kind: str) -> bytes:
    content = BytesIO()
    Image.new("RGB", (320, 240), "#7a8aa0").save(content, kind)
    return content.getvalue()


# -- Each step -----------------------------------------------------------------------------------------------


def way(order: Order, *, at: dt.datetime) -> dt.timedelta:
    """From the mall to the door."""
    mall, point = order.store.mall, order.point
    assert point is not None
    hour = at.astimezone(mall.zone).hour
    return eta.drive(mall.point, point, curve=curve_of(mall.market, at=at), hour=hour)


@transaction.atomic(durable=True)
def _assign(order: Order, _reason: str, at: dt.datetime) -> None:
    place = live_consignment(order)
    manifest = place.manifest if place else _drawn_up(order, at=at)
    gone = Fact.objects.filter(name="manifest.unassigned").about(f"manifest:{manifest.code}")  # type: ignore[attr-defined]
    without = {
        subject.removeprefix("driver:")
        for fact in gone
        for subject in fact.subjects
        if subject.startswith("driver:")
    }
    manifests.assign(manifest=manifest, driver=robots.free(at=at, without=without), at=at)


def _drawn_up(order: Order, *, at: dt.datetime) -> Manifest:
    counter = max(at + couriers.CAME, order.ready_at)
    door = max(counter + couriers.COUNTER + couriers.CAR + way(order, at=at), order.window.lower)
    point, mall = order.point, order.store.mall
    assert point is not None
    return manifests.draft(
        mall=mall,
        stops=[
            DraftStop(
                Stop.Kind.PICKUP,
                order.store,
                mall.point,
                order.store.name,
                counter,
                couriers.COUNTER,
                (order,),
            ),
            DraftStop(Stop.Kind.DROPOFF, None, point, order.address, door, couriers.DOOR, (order,)),
        ],
        at=at,
    )


@transaction.atomic(durable=True)
def _give_up(order: Order, _reason: str, at: dt.datetime) -> None:
    manifests.unassign(manifest=_place(order).manifest, at=at)


def _arrive_at_pickup(order: Order, _reason: str, at: dt.datetime) -> None:
    place = _place(order)
    if place.manifest.status == Manifest.Status.ASSIGNED:
        with transaction.atomic(durable=True):
            manifests.open_loading(manifest=place.manifest, at=at)
    loading.arrive_at_store(
        driver=_robot(order), stop_code=place.pickup.code, evidence=_evidence(order, "counter", at), at=at
    )


def _scan_wrong_parcel(order: Order, _reason: str, at: dt.datetime) -> None:
    try:
        _scan(order, _place(order).pickup, "PWRNGLABEL", at)
    except loading.UnknownLabel:
        return


def _scan(order: Order, stop: Stop, label: str, at: dt.datetime) -> None:
    loading.scan(
        driver=_robot(order),
        stop_code=stop.code,
        entered=label,
        method="camera",
        evidence=_evidence(order, label, at),
        at=at,
    )


def _pass_over_counter(order: Order, stop: Stop, at: dt.datetime) -> None:
    """Both halves of a handover: every parcel is scanned, and the store reads the courier's code."""
    robot = _robot(order)
    for parcel in parcels_of(order):
        if parcel.status in {Parcel.Status.EXPECTED, Parcel.Status.READY, Parcel.Status.RETURN_DUE}:
            _scan(order, stop, _code(parcel), at)
    out = stop.kind == Stop.Kind.PICKUP
    photo = order.pickup_photo if out else order.return_photo
    signs = order.pickup_signature if out else order.return_signature
    if photo or signs:
        countersigning.keep(
            driver=robot,
            stop_code=stop.code,
            photo=ContentFile(_picture("JPEG"), name="counter.jpg") if photo else None,
            signature=ContentFile(_picture("PNG"), name="signature.png") if signs else None,
            signed_by=order.store.name if signs else "",
            evidence=_evidence(order, f"counter {stop.kind}", at),
            at=at,
        )
    loading.confirm_handover(
        stop_code=stop.code,
        stores=Store.objects.filter(pk=order.store_id),
        driver_code=badge.code(robot.badge_secret, at),
        user=None,
        key_prefix="sandbox",
        at=at,
    )


def _hand_over(order: Order, _reason: str, at: dt.datetime) -> None:
    _pass_over_counter(order, _place(order).pickup, at)


@transaction.atomic(durable=True)
def _depart(order: Order, _reason: str, at: dt.datetime) -> None:
    loading.depart(manifest=_place(order).manifest, at=at)


def _approach(order: Order, _reason: str, at: dt.datetime) -> None:
    point = order.point
    assert point is not None
    ping = Ping(point.lat + NEAR_DEGREES, point.lng, 10, at)
    positions.report(driver=_robot(order), pings=[ping], at=at)


def _arrive(order: Order, _reason: str, at: dt.datetime) -> None:
    evidence = _evidence(order, "door", at, order.point)
    doors.arrive(driver=_robot(order), stop_code=_place(order).dropoff.code, evidence=evidence, at=at)


def _code(parcel: Parcel) -> str:
    """What a courier reads on it: what its seller has put there, where there is something."""
    return parcel.barcodes[0] if parcel.barcodes else parcel.code


def _prove(order: Order, pin: str, at: dt.datetime) -> None:
    signs = order.requires_signature
    for parcel in parcels_of(order) if order.requires_barcodes else []:
        _scan(order, _place(order).dropoff, _code(parcel), at)
    doors.prove(
        driver=_robot(order),
        stop_code=_place(order).dropoff.code,
        order_code=order.code,
        proof=doors.ProofDraft(
            photo=ContentFile(_picture("JPEG"), name="door.jpg"),
            signature=ContentFile(_picture("PNG"), name="signature.png") if signs else None,
            signed_by=order.recipient_name if signs else "",
            signer_relationship=ProofOfDelivery.Relationship.RECIPIENT if signs else "",
            pin=pin,
            age_checked=order.minimum_age is not None,
        ),
        evidence=_evidence(order, f"proof {order.pin_failures}", at, order.point),
        at=at,
    )


def _deliver(order: Order, _reason: str, at: dt.datetime) -> None:
    _prove(order, order.pin, at)


def _enter_wrong_pin(order: Order, _reason: str, at: dt.datetime) -> None:
    try:
        _prove(order, "0000" if order.pin != "0000" else "0001", at)
    except (doors.WrongPin, doors.PinLocked):
        return


def _fail(order: Order, reason: str, at: dt.datetime) -> None:
    failing.fail(
        driver=_robot(order),
        stop_code=_place(order).dropoff.code,
        order_code=order.code,
        reason=reason or Attempt.Reason.NOBODY_HOME,
        note="",
        photo=None,
        evidence=_evidence(order, "attempt", at, order.point),
        at=at,
    )


def _return(order: Order, _reason: str, at: dt.datetime) -> None:
    stop = _place(order).return_stop
    assert stop is not None
    evidence = _evidence(order, "return", at)
    loading.arrive_at_store(driver=_robot(order), stop_code=stop.code, evidence=evidence, at=at)
    _pass_over_counter(order, stop, at)


def _lose(order: Order, _reason: str, at: dt.datetime) -> None:
    returning.lose(order_code=order.code, note="", actor=SYSTEM, at=at)


_VERBS: dict[str, Callable[[Order, str, dt.datetime], None]] = {
    "assign": _assign,
    "give_up": _give_up,
    "arrive_at_pickup": _arrive_at_pickup,
    "scan_wrong_parcel": _scan_wrong_parcel,
    "hand_over": _hand_over,
    "depart": _depart,
    "approach": _approach,
    "arrive": _arrive,
    "enter_wrong_pin": _enter_wrong_pin,
    "deliver": _deliver,
    "fail": _fail,
    "return": _return,
    "lose": _lose,
}
