"""What goes wrong at a counter or on the way, told by the driver: who was at fault, and what becomes of the parcel."""

from __future__ import annotations

import datetime as dt

from django.core.files.base import File
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from deliveries import arriving, custody, drafts, facts, limits, moves, photos
from deliveries.custody import StopRefused
from deliveries.evidence import Evidence, refuse_if_stale
from deliveries.models import Incident, Order, Parcel, Stop
from deliveries.snapshots import parcels_of
from drivers.models import Driver
from retaildelivery.lib import codes
from retaildelivery.outbox import recording

# Of one parcel at a pickup; of the whole stop; of anything, for operations to read.
OF_A_PARCEL = {Incident.Kind.SHORT, Incident.Kind.DAMAGED, Incident.Kind.TOO_MUCH}
OF_A_STORE = {Incident.Kind.STORE_NOT_READY, Incident.Kind.STORE_CLOSED}
FAULTS: dict[str, str] = {
    Incident.Kind.SHORT: Incident.Fault.STORE,
    Incident.Kind.DAMAGED: Incident.Fault.STORE,
    Incident.Kind.STORE_NOT_READY: Incident.Fault.STORE,
    Incident.Kind.STORE_CLOSED: Incident.Fault.STORE,
}


class UnknownKind(StopRefused):
    code = "unknown_kind"
    sentence = _("This is not something to report here.")


class ParcelNotHere(StopRefused):
    code = "parcel_not_here"
    sentence = _("This parcel is not waiting at this stop.")


class AlreadyScanned(StopRefused):
    code = "already_scanned"
    sentence = _("This parcel was scanned; it is neither missing nor left.")


class TooEarlyToSkip(StopRefused):
    code = "too_early_to_skip"
    sentence = _("A store has 20 minutes from your arrival. Time left: %(minutes)d min.")


class NoteUnprintable(StopRefused):
    code = "note_invalid"
    sentence = _("The note is too long or cannot be printed.")


def report(
    *,
    driver: Driver,
    stop_code: str,
    parcel_code: str,
    kind: str,
    note: str,
    evidence: Evidence,
    at: dt.datetime,
    photo: File[bytes] | None = None,
) -> Incident:
    """Report something at a stop; a repeat gives the incident that was kept first.

    ``short``, ``damaged`` and ``too_much`` are of one parcel at a pickup, which then stays with the store;
    ``store_closed`` and (from 20 minutes after arrival) ``store_not_ready`` leave behind whatever the store has not
    handed over; any other kind is kept for operations. Raises StopNotYours, WrongMoment, StopClosed, EventTooOld,
    UnknownKind, ParcelNotHere, AlreadyScanned, TooEarlyToSkip, NoteUnprintable, PictureRefused.
    """
    refuse_if_stale(evidence, at=at)
    if kind not in Incident.Kind.values:
        raise UnknownKind(field="kind")
    if drafts.text_error("note", note, most=500):
        raise NoteUnprintable(field="note")
    with photos.keeping(photo, field="photo", most=limits.PHOTO_BYTES, at=at) as kept:
        made, is_new = _report(
            driver=driver,
            stop_code=stop_code,
            parcel_code=parcel_code,
            kind=kind,
            note=note,
            kept=kept,
            evidence=evidence,
            at=at,
        )
    if not is_new:
        photos.forget(kept)
    return made


@transaction.atomic(durable=True)
def _report(
    *,
    driver: Driver,
    stop_code: str,
    parcel_code: str,
    kind: str,
    note: str,
    kept: photos.Kept | None,
    evidence: Evidence,
    at: dt.datetime,
) -> tuple[Incident, bool]:
    stop = custody.stop_of(driver, stop_code)
    before = (
        Incident.objects.filter(manifest=stop.manifest, client_event_id=evidence.client_event_id[:64])
        .order_by("pk")
        .first()
    )
    if before is not None:
        return before, False
    orders: list[Order] = []
    order, parcel = None, None
    if kind in OF_A_PARCEL | OF_A_STORE:
        if stop.kind != Stop.Kind.PICKUP:
            raise UnknownKind(field="kind")
        custody.refuse_unless_open(stop)
        orders = custody.orders_at(stop)
        arriving.note(stop, orders, driver=driver, evidence=evidence, at=at)
    if kind in OF_A_PARCEL:
        order, parcel = _waiting(stop, orders, parcel_code)
    made = Incident.objects.create(
        manifest=stop.manifest,
        stop=stop,
        order=order,
        parcel=parcel,
        driver=driver,
        kind=kind,
        fault=FAULTS.get(kind, Incident.Fault.NONE),
        note=note,
        photo=kept.name if kept else "",
        **evidence.row(at),
    )
    _tell(made, stop, order, driver=driver, at=at)
    if parcel is not None and order is not None:
        _leave_parcel(kind, order, parcel, driver=driver, at=at)
    elif kind in OF_A_STORE:
        _leave_store(kind, stop, orders, driver=driver, at=at)
    return made, True


def _waiting(stop: Stop, orders: list[Order], parcel_code: str) -> tuple[Order, Parcel]:
    """The parcel that waits at this counter, with its order. Raises ParcelNotHere, AlreadyScanned."""
    code = codes.normalise(parcel_code)
    for order in orders:
        for parcel in parcels_of(order):
            if parcel.code == code:
                if parcel.pk in custody.scanned(stop):
                    raise AlreadyScanned(field="parcel")
                if parcel.status not in {Parcel.Status.EXPECTED, Parcel.Status.READY}:
                    raise ParcelNotHere(field="parcel", reason=parcel.status)
                return order, parcel
    raise ParcelNotHere(field="parcel")


def _leave_parcel(kind: str, order: Order, parcel: Parcel, *, driver: Driver, at: dt.datetime) -> None:
    """The parcel stays with the store; its order goes with the rest, or stays behind with all of it."""
    actor = facts.of_driver(driver)
    if kind == Incident.Kind.TOO_MUCH and not any(
        each.custodian == Parcel.Custodian.DRIVER for each in parcels_of(order)
    ):
        # Nothing of it is on board: better the whole order later than a part of it now.
        custody.leave_behind(order, actor=actor, at=at, reason=kind)
        return
    to = Parcel.Status.DAMAGED if kind == Incident.Kind.DAMAGED else Parcel.Status.SHORT
    moves.move_parcel(parcel, to)
    name = "parcel.damaged" if kind == Incident.Kind.DAMAGED else "parcel.short"
    facts.tell(name, order, at=at, actor=actor, driver=driver, parcel=parcel.code, reason=kind)
    custody.settle_pickup(order, driver=driver, actor=actor, at=at, reason=kind)


def _leave_store(kind: str, stop: Stop, orders: list[Order], *, driver: Driver, at: dt.datetime) -> None:
    """Whatever this store has not handed over stays; a partly loaded order goes without the rest."""
    if kind == Incident.Kind.STORE_NOT_READY:
        left = limits.STORE_WAIT - stop.waited(at)
        if left > dt.timedelta(0):
            raise TooEarlyToSkip(minutes=-(-left // dt.timedelta(minutes=1)))
    actor = facts.of_driver(driver)
    for order in orders:
        if order.status not in Order.BEFORE_CUSTODY:
            continue
        parcels = parcels_of(order)
        if any(parcel.custodian == Parcel.Custodian.DRIVER for parcel in parcels):
            for parcel in parcels:
                if parcel.status in {Parcel.Status.EXPECTED, Parcel.Status.READY}:
                    moves.move_parcel(parcel, Parcel.Status.SHORT)
                    facts.tell(
                        "parcel.short",
                        order,
                        at=at,
                        actor=actor,
                        driver=driver,
                        parcel=parcel.code,
                        reason=kind,
                    )
            custody.settle_pickup(order, driver=driver, actor=actor, at=at, reason=kind)
        else:
            custody.leave_behind(order, actor=actor, at=at, reason=kind)


def _tell(made: Incident, stop: Stop, order: Order | None, *, driver: Driver, at: dt.datetime) -> None:
    subjects = [f"stop:{stop.code}", f"manifest:{stop.manifest.code}", f"driver:{driver.code}"]
    if order is not None:
        subjects.append(f"order:{order.code}")
    if stop.store is not None:
        subjects.append(f"store:{stop.store.code}")
    recording.record(
        facts.incident_reported(
            at=at,
            actor=facts.of_driver(driver),
            subjects=subjects,
            kind=made.kind,
            fault=made.fault,
            note=made.note,
        )
    )
