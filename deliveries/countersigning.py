"""What a driver keeps at a store's counter besides the scans: a photo, and a signature with a name."""

from __future__ import annotations

import datetime as dt

from django.core.files.base import File
from django.db import transaction
from django.utils.translation import gettext as _now

from deliveries import counters, custody, drafts, facts, limits, photos
from deliveries.doors import ProofIncomplete
from deliveries.drafts import FieldError
from deliveries.evidence import Evidence, refuse_if_stale
from deliveries.models import CounterProof, Stop
from drivers.models import Driver
from retaildelivery.outbox import recording

COUNTERS = {Stop.Kind.PICKUP, Stop.Kind.RETURN}


def keep(
    *,
    driver: Driver,
    stop_code: str,
    photo: File[bytes] | None,
    signature: File[bytes] | None,
    signed_by: str,
    evidence: Evidence,
    at: dt.datetime,
) -> CounterProof:
    """Keep a photo or a signature of what passes over the counter of this stop; what was kept before stays.

    A repeat of the same event gives what was kept first. Raises StopNotYours, WrongMoment, OtherTrip, EventTooOld,
    ProofIncomplete (nothing shown, or nobody named who signed), PictureRefused.
    """
    refuse_if_stale(evidence, at=at)
    before = _kept_before(driver, stop_code, evidence)
    if before is not None:
        return before
    _refuse_incomplete(photo=photo is not None, signature=signature is not None, signed_by=signed_by)
    with (
        photos.keeping(photo, field="photo", most=limits.PHOTO_BYTES, at=at) as taken,
        photos.keeping(signature, field="signature", most=limits.SIGNATURE_BYTES, at=at) as signed,
    ):
        return _keep(
            driver=driver,
            stop_code=stop_code,
            taken=taken,
            signed=signed,
            signed_by=signed_by.strip(),
            evidence=evidence,
            at=at,
        )


def _refuse_incomplete(*, photo: bool, signature: bool, signed_by: str) -> None:
    errors = [drafts.text_error("signed_by", signed_by, most=120)]
    if not photo and not signature:
        errors.append(FieldError("photo", "required", _now("A photo or a signature is needed.")))
    if signature and not signed_by.strip():
        errors.append(FieldError("signed_by", "required", _now("Say who signed.")))
    wrong = [error for error in errors if error]
    if wrong:
        raise ProofIncomplete(wrong)


def _kept_before(driver: Driver, stop_code: str, evidence: Evidence) -> CounterProof | None:
    same = CounterProof.objects.filter(
        stop__code=stop_code, driver=driver, client_event_id=evidence.client_event_id[:64]
    )
    return same.order_by("pk").first()


@transaction.atomic(durable=True)
def _keep(
    *,
    driver: Driver,
    stop_code: str,
    taken: photos.Kept | None,
    signed: photos.Kept | None,
    signed_by: str,
    evidence: Evidence,
    at: dt.datetime,
) -> CounterProof:
    stop = custody.stop_of(driver, stop_code)
    before = _kept_before(driver, stop_code, evidence)
    if before is not None:
        # The same event came twice at once: the pictures of this one are not needed.
        transaction.on_commit(lambda: photos.forget(taken))
        transaction.on_commit(lambda: photos.forget(signed))
        return before
    # A counter where all is collected is done, and still wants its photo until the driver leaves.
    if stop.kind not in COUNTERS:
        raise custody.WrongMoment(reason=stop.manifest.status, status=stop.manifest.get_status_display())
    custody.refuse_at_wrong_moment(stop)
    custody.refuse_of_other_trip(stop)
    made = CounterProof.objects.create(
        stop=stop,
        driver=driver,
        photo=taken.name if taken else "",
        photo_sha256=taken.sha256 if taken else "",
        signature=signed.name if signed else "",
        signature_sha256=signed.sha256 if signed else "",
        signed_by=signed_by,
        **evidence.row(at),
    )
    recording.record(facts.handover_proved(stop, made, at=at, driver=driver))
    counters.close(stop, at=at)
    return made
