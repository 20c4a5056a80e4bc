"""The door: arrive, prove that it was delivered, or say why it was not."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hmac
from dataclasses import dataclass

from django.core.files.base import File
from django.db import transaction
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from deliveries import (
    arriving,
    closing,
    custody,
    drafts,
    facts,
    failing,
    limits,
    moves,
    photos,
    requirements,
)
from deliveries.custody import StopRefused
from deliveries.drafts import FieldError
from deliveries.evidence import Evidence, refuse_if_stale
from deliveries.models import Consignment, Order, Parcel, ProofOfDelivery, Stop
from deliveries.snapshots import parcels_of
from drivers.models import Driver
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox import recording
from retaildelivery.outbox.models import Fact

arrive = arriving.arrive
fail = failing.fail


@dataclass(frozen=True, slots=True)
class ProofDraft:
    """What the driver has to show. Pictures are files; `pin` is as told by the recipient."""

    left_at: str = ProofOfDelivery.LeftAt.IN_HAND
    photo: File[bytes] | None = None
    signature: File[bytes] | None = None
    signed_by: str = ""
    signer_relationship: str = ""
    pin: str = ""
    age_checked: bool = False
    note: str = ""


class ProofIncomplete(StopRefused):
    """Something that the order requires is missing; `errors` names each field."""

    code = "proof_incomplete"
    sentence = _("The proof is not complete.")

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__(reason=errors[0].field)
        self.errors = errors

    @property
    def message(self) -> str:
        return " ".join(error.message for error in self.errors)


class WrongPin(StopRefused):
    code = "wrong_pin"
    sentence = _("This is not the PIN. Tries left: %(left)d.")


class PinLocked(StopRefused):
    code = "pin_locked"
    sentence = _("The PIN was wrong three times. Bring the order back: reason “PIN”.")


def prove(
    *,
    driver: Driver,
    stop_code: str,
    order_code: str,
    proof: ProofDraft,
    evidence: Evidence,
    at: dt.datetime,
) -> ProofOfDelivery:
    """Deliver one order of a stop, or (order_code empty) all that are still to be delivered there.

    A repeat gives the proof that was kept first. Raises StopNotYours, WrongMoment, StopClosed, EventTooOld,
    OrderNotHere, ProofIncomplete, PictureRefused; WrongPin and PinLocked, which are kept as facts and counted.
    """
    refuse_if_stale(evidence, at=at)
    before = _proved_before(driver, stop_code, order_code, evidence)
    if before is not None:
        return before
    _refuse_bad_texts(proof)
    with (
        photos.keeping(proof.photo, field="photo", most=limits.PHOTO_BYTES, at=at) as kept,
        photos.keeping(proof.signature, field="signature", most=limits.SIGNATURE_BYTES, at=at) as signed,
    ):
        outcome = _prove(
            driver=driver,
            stop_code=stop_code,
            order_code=order_code,
            proof=proof,
            kept=kept,
            signed=signed,
            evidence=evidence,
            at=at,
        )
        if isinstance(outcome, Refused):
            raise outcome
    return outcome


def _proved_before(
    driver: Driver, stop_code: str, order_code: str, evidence: Evidence
) -> ProofOfDelivery | None:
    same = ProofOfDelivery.objects.filter(
        stop__code=stop_code, driver=driver, client_event_id=evidence.client_event_id[:64]
    )
    if order_code:
        same = same.filter(order__code=order_code)
    return same.order_by("pk").first()


def _refuse_bad_texts(proof: ProofDraft) -> None:
    errors = [
        drafts.text_error("signed_by", proof.signed_by, most=120),
        drafts.text_error("note", proof.note, most=300),
    ]
    if proof.signer_relationship and not proof.signed_by.strip():
        errors.append(FieldError("signed_by", "required", _now("Say who signed.")))
    if proof.signer_relationship not in {"", *ProofOfDelivery.Relationship.values}:
        errors.append(FieldError("signer_relationship", "invalid", _now("Say who that is to the recipient.")))
    if proof.left_at not in ProofOfDelivery.LeftAt.values:
        errors.append(FieldError("left_at", "invalid", _now("Say where it was left.")))
    wrong = [error for error in errors if error]
    if wrong:
        raise ProofIncomplete(wrong)


@transaction.atomic(durable=True)
def _prove(
    *,
    driver: Driver,
    stop_code: str,
    order_code: str,
    proof: ProofDraft,
    kept: photos.Kept | None,
    signed: photos.Kept | None,
    evidence: Evidence,
    at: dt.datetime,
) -> ProofOfDelivery | Refused:
    stop = custody.stop_of(driver, stop_code)
    before = _proved_before(driver, stop_code, order_code, evidence)
    if before is not None:
        # The same event came twice at once: the pictures of this one are not needed.
        transaction.on_commit(lambda: photos.forget(kept))
        transaction.on_commit(lambda: photos.forget(signed))
        return before
    everyone, orders = closing.orders_meant(stop, order_code)
    _refuse_incomplete(orders, proof, kept=kept, signed=signed, scanned=custody.scanned(stop))
    for order in orders:
        refusal = _judge_pin(order, stop, proof.pin, driver=driver, evidence=evidence, at=at)
        if refusal is not None:
            return refusal
    arriving.note(stop, everyone, driver=driver, evidence=evidence, at=at)
    made = [
        _deliver(order, stop, proof, kept=kept, signed=signed, driver=driver, evidence=evidence, at=at)
        for order in orders
    ]
    closing.end_stop(stop, driver=driver, at=at)
    return made[0]


def _refuse_incomplete(
    orders: list[Order],
    proof: ProofDraft,
    *,
    kept: photos.Kept | None,
    signed: photos.Kept | None,
    scanned: set[int],
) -> None:
    """Raises ProofIncomplete unless what is shown is enough for every one of these orders."""
    sentences = {
        "left_at": _now("This order is handed over in person."),
        "photo": _now("A photo is needed."),
        "signature": _now("A signature is needed."),
        "signed_by": _now("Say who signed."),
        "signer_relationship": _now("Say who that is to the recipient."),
        "pin": _now("The recipient has a PIN. Ask for it."),
        "age_checked": _now("Check an ID first."),
        "barcodes": _now("Scan the label of each parcel at the door first."),
    }
    shown = requirements.Shown(
        left_at=proof.left_at,
        photo=kept is not None,
        signature=signed is not None,
        pin=bool(proof.pin.strip()),
        age_checked=proof.age_checked,
        signed_by=proof.signed_by,
        signer_relationship=proof.signer_relationship,
    )
    lacking = {
        name
        for order in orders
        for name in requirements.missing(
            _required(order), dataclasses.replace(shown, barcodes=_all_read(order, scanned))
        )
    }
    errors = [FieldError(name, "required", sentences[name]) for name in sentences if name in lacking]
    if len([order for order in orders if order.requires_pin]) > 1:
        errors.append(FieldError("order", "required", _now("Each has a PIN of its own: one by one.")))
    if errors:
        raise ProofIncomplete(errors)


def _all_read(order: Order, scanned: set[int]) -> bool:
    """Whether every parcel of the order that the driver holds was read at this door."""
    return all(p.pk in scanned for p in parcels_of(order) if p.status == Parcel.Status.LOADED)


def _required(order: Order) -> requirements.Required:
    return requirements.Required(
        photo=order.requires_photo,
        signature=order.requires_signature,
        pin=order.requires_pin,
        minimum_age=order.minimum_age,
        barcodes=order.requires_barcodes,
    )


def _judge_pin(
    order: Order, stop: Stop, entered: str, *, driver: Driver, evidence: Evidence, at: dt.datetime
) -> Refused | None:
    """Count and record a wrong PIN, once per event; the refusal is returned, so that the count is kept."""
    if not order.requires_pin:
        return None
    if order.pin_failures >= limits.PIN_TRIES:
        return PinLocked(field="pin")
    if hmac.compare_digest(entered.strip().encode(), order.pin.encode()):
        return None
    event = evidence.client_event_id[:64]
    told = Fact.objects.filter(name="proof.refused", data__event=event).about(f"order:{order.code}")  # type: ignore[attr-defined]
    if not told.exists():
        order.pin_failures += 1
        order.save(update_fields=["pin_failures"])
        left = limits.PIN_TRIES - order.pin_failures
        recording.record_all(
            facts.proof_refused(
                order, stop, at=at, driver=driver, reason="wrong_pin", tries_left=left, event=event
            )
        )
    if order.pin_failures >= limits.PIN_TRIES:
        return PinLocked(field="pin")
    return WrongPin(field="pin", left=limits.PIN_TRIES - order.pin_failures)


def _deliver(
    order: Order,
    stop: Stop,
    proof: ProofDraft,
    *,
    kept: photos.Kept | None,
    signed: photos.Kept | None,
    driver: Driver,
    evidence: Evidence,
    at: dt.datetime,
) -> ProofOfDelivery:
    assert not requirements.missing(
        _required(order),
        requirements.Shown(
            left_at=proof.left_at,
            photo=kept is not None,
            signature=signed is not None,
            pin=True,
            age_checked=proof.age_checked,
            signed_by=proof.signed_by,
            signer_relationship=proof.signer_relationship,
            barcodes=True,
        ),
    ), "Nothing is delivered around what it requires."
    made = ProofOfDelivery.objects.create(
        order=order,
        stop=stop,
        driver=driver,
        left_at=proof.left_at,
        photo=kept.name if kept else "",
        photo_sha256=kept.sha256 if kept else "",
        signature=signed.name if signed else "",
        signed_by=proof.signed_by,
        signer_relationship=proof.signer_relationship,
        pin_matched=order.requires_pin,
        age_checked=proof.age_checked,
        note=proof.note,
        **evidence.row(at),
    )
    for parcel in parcels_of(order):
        if parcel.status == Parcel.Status.LOADED:
            moves.move_parcel(parcel, Parcel.Status.DELIVERED)
    moves.move_order(order, Order.Status.DELIVERED, at)
    closing.end_place(order, Consignment.Ending.DELIVERED, at=at)
    facts.tell(
        "order.delivered",
        order,
        at=at,
        actor=facts.of_driver(driver),
        driver=driver,
        proof={
            "left_at": proof.left_at,
            "photo": kept is not None,
            "signature": signed is not None,
            "signed_by": proof.signed_by,
            "signer_relationship": proof.signer_relationship,
            "pin_matched": order.requires_pin,
            "age_checked": proof.age_checked,
            "off_by_m": evidence.off_by_m(stop.point),
        },
    )
    return made
