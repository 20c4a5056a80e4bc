"""The door that stayed shut: an attempt with its reason, and the way back (or the end) that follows."""

from __future__ import annotations

import dataclasses
import datetime as dt

from django.core.files.base import File
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from deliveries import arriving, closing, completion, custody, drafts, facts, limits, moves, photos
from deliveries.custody import StopRefused
from deliveries.evidence import Evidence, refuse_if_stale
from deliveries.models import Attempt, Consignment, Incident, Order, Parcel, Stop
from deliveries.snapshots import live_consignment, parcels_of
from drivers.models import Driver
from retaildelivery.outbox.recording import Actor

# For these the recipient cannot have it now, and the order may say what is to become of it then.
DISPOSABLE = {
    Attempt.Reason.NOBODY_HOME,
    Attempt.Reason.REFUSED,
    Attempt.Reason.WRONG_ADDRESS,
    Attempt.Reason.NO_ACCESS,
}


class ReasonUnknown(StopRefused):
    code = "unknown_reason"
    sentence = _("This is not one of the reasons.")


class NoteInvalid(StopRefused):
    code = "note_invalid"
    sentence = _("The note is too long or cannot be printed.")


def fail(
    *,
    driver: Driver,
    stop_code: str,
    order_code: str,
    reason: str,
    note: str,
    photo: File[bytes] | None,
    evidence: Evidence,
    at: dt.datetime,
) -> Attempt:
    """One order of a stop (order_code empty: all that are left) could not be delivered: it comes back to its store,
    or is disposed of if the seller said so and the recipient cannot have it.

    A repeat gives the attempt that was kept first. Raises StopNotYours, WrongMoment, StopClosed, EventTooOld,
    OrderNotHere, ReasonUnknown, PictureRefused.
    """
    refuse_if_stale(evidence, at=at)
    if reason not in Attempt.Reason.values:
        raise ReasonUnknown(field="reason")
    if drafts.text_error("note", note, most=300):
        raise NoteInvalid(field="note")
    with photos.keeping(photo, field="photo", most=limits.PHOTO_BYTES, at=at) as kept:
        made, is_new = _fail(
            driver=driver,
            stop_code=stop_code,
            order_code=order_code,
            reason=reason,
            note=note,
            kept=kept,
            evidence=evidence,
            at=at,
        )
    if not is_new:
        photos.forget(kept)
    return made


@transaction.atomic(durable=True)
def _fail(
    *,
    driver: Driver,
    stop_code: str,
    order_code: str,
    reason: str,
    note: str,
    kept: photos.Kept | None,
    evidence: Evidence,
    at: dt.datetime,
) -> tuple[Attempt, bool]:
    stop = custody.stop_of(driver, stop_code)
    same = Attempt.objects.filter(
        stop=stop, driver=driver, client_event_id=evidence.client_event_id[:64]
    ).order_by("pk")
    before = (same.filter(order__code=order_code) if order_code else same).first()
    if before is not None:
        return before, False
    everyone, orders = closing.orders_meant(stop, order_code)
    arriving.note(stop, everyone, driver=driver, evidence=evidence, at=at)
    attempts = []
    for order in orders:
        attempts.append(
            Attempt.objects.create(
                order=order,
                stop=stop,
                driver=driver,
                reason=reason,
                note=note,
                photo=kept.name if kept else "",
                **evidence.row(at),
            )
        )
        turn_back(order, stop, reason=reason, driver=driver, actor=facts.of_driver(driver), at=at)
        if order.undeliverable == Order.Undeliverable.DISPOSE and reason in DISPOSABLE:
            _dispose(order, stop, driver=driver, evidence=evidence, note=note, at=at)
    closing.end_stop(stop, driver=driver, at=at)
    return attempts[0], True


def turn_back(
    order: Order,
    stop: Stop,
    *,
    reason: str,
    driver: Driver,
    actor: Actor,
    at: dt.datetime,
    tried: bool = True,
) -> None:
    """The (locked) order is not delivered: its parcels are due back at its store, which becomes a stop.

    `tried` is False when nobody was at the door.
    """
    place = live_consignment(order)
    assert place is not None
    for parcel in parcels_of(order):
        if parcel.status == Parcel.Status.LOADED:
            moves.move_parcel(parcel, Parcel.Status.RETURN_DUE)
    stamps = {"failed_at": at} if tried else {}
    moves.move_order(order, Order.Status.RETURNING, at, **stamps)
    disposes = tried and order.undeliverable == Order.Undeliverable.DISPOSE and reason in DISPOSABLE
    if not disposes:
        place.return_stop = completion.return_stop(stop.manifest, order.store, after=stop, at=at)
        place.save(update_fields=["return_stop"])
    if tried:
        facts.tell("order.attempt_failed", order, at=at, actor=actor, driver=driver, reason=reason)
    if not disposes:
        facts.tell("order.returning", order, at=at, actor=actor, driver=driver, reason=reason)


def _dispose(
    order: Order, stop: Stop, *, driver: Driver, evidence: Evidence, note: str, at: dt.datetime
) -> None:
    for parcel in parcels_of(order):
        if parcel.status == Parcel.Status.RETURN_DUE:
            moves.move_parcel(parcel, Parcel.Status.DISPOSED)
    moves.move_order(order, Order.Status.DISPOSED, at)
    closing.end_place(order, Consignment.Ending.DISPOSED, at=at)
    own = dataclasses.replace(evidence, client_event_id=f"{evidence.client_event_id[:51]}:{order.code}")
    Incident.objects.create(
        manifest=stop.manifest,
        stop=stop,
        order=order,
        driver=driver,
        kind=Incident.Kind.OTHER,
        fault=Incident.Fault.RECIPIENT,
        note=note,
        resolved_at=at,
        resolution="disposed of, as the seller asked",
        **own.row(at),
    )
    facts.tell("order.disposed", order, at=at, actor=facts.of_driver(driver), driver=driver)


def write_off(order: Order, place: Consignment, *, actor: Actor, note: str, at: dt.datetime) -> None:
    """What the driver held of the (locked) order is lost, and the order with it."""
    for parcel in parcels_of(order):
        if parcel.custodian == Parcel.Custodian.DRIVER:
            moves.move_parcel(parcel, Parcel.Status.LOST)
    moves.move_order(order, Order.Status.LOST, at)
    driver = place.manifest.driver
    closing.end_place(order, Consignment.Ending.LOST, at=at)
    Incident.objects.create(
        manifest=place.manifest,
        order=order,
        driver=driver,
        kind=Incident.Kind.LOST,
        note=note,
        client_event_id=f"lost:{order.code}",
        device_at=at,
        at=at,
    )
    facts.tell("order.lost", order, at=at, actor=actor, driver=driver, note=note)
