"""Become a driver: apply, hand papers in, be approved by a person; be suspended and reinstated."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from drivers import facts, freshness, limits, locks
from drivers.models import Document, Driver, Vehicle
from retaildelivery import clashes
from retaildelivery.accounts.models import User
from retaildelivery.lib import codes
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox import recording
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import Actor


class ApplyingRefused(Refused):
    """Base of what can be said against an application or its papers."""

    code: ClassVar[str] = "applying_refused"


class AlreadyApplied(ApplyingRefused):
    code = "already_applied"
    sentence = _("You have applied already.")


class DriverNotFound(ApplyingRefused):
    code = "driver_not_found"
    sentence = _("There is no such driver.")


class DriverMoveRefused(ApplyingRefused):
    code = "driver_status"
    sentence = _("The driver is %(status)s; this does not apply.")


class PapersIncomplete(ApplyingRefused):
    code = "papers_incomplete"
    sentence = _("Not every paper is there, verified and valid: %(missing)s.")


class PaperTooLarge(ApplyingRefused):
    code = "file_too_large"
    sentence = _("The file is larger than 8 MB.")


def apply(
    *,
    user: User,
    name: str,
    phone: str,
    market: str,
    kind: str,
    make: str,
    model: str,
    year: int,
    colour: str,
    plate: str,
    at: dt.datetime,
) -> Driver:
    """Apply to drive in a market with a car. Raises AlreadyApplied."""

    @clashes.drawn_anew
    def write() -> Driver:
        with transaction.atomic(durable=True):
            User.objects.filter(pk=user.pk).update(name=name, phone=phone)
            user.name, user.phone = name, phone
            driver = Driver.objects.create(user=user, market_code=market, applied_at=at)
            _drive_with(
                driver, kind=kind, make=make, model=model, year=year, colour=colour, plate=plate, at=at
            )
            recording.record(
                facts.driver_changed("driver.applied", driver, at=at, actor=facts.of_driver(driver))
            )
            return driver

    try:
        return write()
    except IntegrityError as clash:
        if not Driver.objects.filter(user=user).exists():
            raise
        raise AlreadyApplied from clash


def _drive_with(
    driver: Driver, *, kind: str, make: str, model: str, year: int, colour: str, plate: str, at: dt.datetime
) -> Vehicle:
    litres, grams = Vehicle.CAPACITY[kind]
    return Vehicle.objects.create(
        driver=driver,
        kind=kind,
        make=make,
        model=model,
        year=year,
        colour=colour,
        plate=plate,
        litres=litres,
        grams=grams,
        created_at=at,
    )


@transaction.atomic(durable=True)
def change_vehicle(
    *,
    driver_code: str,
    kind: str,
    make: str,
    model: str,
    year: int,
    colour: str,
    plate: str,
    at: dt.datetime,
) -> Vehicle:
    """Drive with another car from now on; the one before is kept as retired."""
    driver = _locked(driver_code)
    driver.vehicles.filter(retired_at=None).update(retired_at=at)
    vehicle = _drive_with(
        driver, kind=kind, make=make, model=model, year=year, colour=colour, plate=plate, at=at
    )
    recording.record(
        facts.driver_changed(
            "driver.vehicle_changed", driver, at=at, actor=facts.of_driver(driver), kind=kind
        )
    )
    freshness.touch(driver.pk)
    return vehicle


def submit_document(
    *,
    driver_code: str,
    kind: str,
    number: str,
    expires_on: dt.date,
    file: File[bytes] | None,
    at: dt.datetime,
) -> Document:
    """Hand a paper in; it takes the place of the one before and waits for a person. Raises PaperTooLarge."""
    name = ""
    if file is not None:
        if (file.size or 0) > limits.DOCUMENT_BYTES:
            raise PaperTooLarge(field="file")
        ending = (file.name or "paper.jpg").rsplit(".", 1)[-1].lower()
        # Kept before the transaction: storage may be a network away.
        name = default_storage.save(f"documents/{at:%Y/%m}/{codes.new_token(16)}.{ending}", file)
    return _submit(driver_code=driver_code, kind=kind, number=number, expires_on=expires_on, file=name, at=at)


@transaction.atomic(durable=True)
def _submit(
    *, driver_code: str, kind: str, number: str, expires_on: dt.date, file: str, at: dt.datetime
) -> Document:
    driver = _locked(driver_code)
    driver.documents.filter(kind=kind, replaced_at=None).update(replaced_at=at)
    document = Document.objects.create(
        driver=driver, kind=kind, number=number, expires_on=expires_on, file=file, submitted_at=at
    )
    recording.record(
        facts.document_changed("document.submitted", document, at=at, actor=facts.of_driver(driver))
    )
    freshness.touch(driver.pk)
    return document


@transaction.atomic(durable=True)
def verify_document(*, document_id: int, by: User, at: dt.datetime) -> Document:
    """A person has seen the paper and it is good."""
    document = Document.objects.select_related("driver").get(pk=document_id)
    locks.driver(document.driver_id)
    if document.verified_at is None:
        document.verified_at, document.verified_by = at, by
        document.rejected_at, document.rejected_reason = None, ""
        document.save(update_fields=["verified_at", "verified_by", "rejected_at", "rejected_reason"])
        recording.record(facts.document_changed("document.verified", document, at=at, actor=_person(by)))
        freshness.touch(document.driver_id)
    return document


@transaction.atomic(durable=True)
def reject_document(*, document_id: int, reason: str, by: User, at: dt.datetime) -> Document:
    """A person has seen the paper and it is not good; the driver reads why."""
    document = Document.objects.select_related("driver").get(pk=document_id)
    locks.driver(document.driver_id)
    if document.rejected_at is None:
        document.rejected_at, document.rejected_reason = at, reason[:200]
        document.verified_at, document.verified_by = None, None
        document.save(update_fields=["verified_at", "verified_by", "rejected_at", "rejected_reason"])
        recording.record(
            facts.document_changed(
                "document.rejected", document, at=at, actor=_person(by), reason=reason[:200]
            )
        )
        freshness.touch(document.driver_id)
    return document


@transaction.atomic(durable=True)
def approve(*, driver_code: str, today: dt.date, by: User, at: dt.datetime) -> Driver:
    """Let the driver claim blocks. Raises PapersIncomplete, DriverMoveRefused."""
    driver = _locked(driver_code)
    valid = {paper.kind for paper in driver.documents.filter(replaced_at=None) if paper.is_valid_on(today)}
    missing = [Document.Kind(kind).label for kind in Document.REQUIRED if kind not in valid]
    if missing:
        raise PapersIncomplete(missing=", ".join(str(label) for label in missing))
    if driver.status != Driver.Status.APPLIED:
        raise DriverMoveRefused(status=driver.get_status_display())
    return _move(driver, Driver.Status.APPROVED, "driver.approved", at=at, by=by, approved_at=at)


@transaction.atomic(durable=True)
def reject(*, driver_code: str, reason: str, by: User, at: dt.datetime) -> Driver:
    """Turn an application down, with a reason the driver reads."""
    driver = _locked(driver_code)
    if driver.status != Driver.Status.APPLIED:
        raise DriverMoveRefused(status=driver.get_status_display())
    return _move(driver, Driver.Status.LEFT, "driver.left", at=at, by=by, reason=reason, left_at=at)


@transaction.atomic(durable=True)
def suspend(*, driver_code: str, reason: str, by: User | None, at: dt.datetime) -> Driver:
    """No further blocks until a person reinstates; what is claimed is released by the fact."""
    driver = _locked(driver_code)
    return _move(
        driver,
        Driver.Status.SUSPENDED,
        "driver.suspended",
        at=at,
        by=by,
        reason=reason,
        suspended_at=at,
        suspended_reason=reason[:200],
    )


@transaction.atomic(durable=True)
def reinstate(*, driver_code: str, reason: str, by: User, at: dt.datetime) -> Driver:
    """The driver may claim again."""
    driver = _locked(driver_code)
    if driver.status != Driver.Status.SUSPENDED:
        raise DriverMoveRefused(status=driver.get_status_display())
    return _move(
        driver,
        Driver.Status.APPROVED,
        "driver.reinstated",
        at=at,
        by=by,
        reason=reason,
        suspended_at=None,
        suspended_reason="",
    )


@transaction.atomic(durable=True)
def leave(*, driver_code: str, reason: str, by: User, at: dt.datetime) -> Driver:
    """The driver does not drive any more, by their own wish or not; what is claimed is released by the fact."""
    driver = _locked(driver_code)
    return _move(
        driver,
        Driver.Status.LEFT,
        "driver.left",
        at=at,
        by=by,
        reason=reason,
        left_at=at,
        suspended_at=None,
        suspended_reason="",
    )


def _move(
    driver: Driver,
    to: str,
    fact: str,
    *,
    at: dt.datetime,
    by: User | None,
    reason: str = "",
    **stamps: object,
) -> Driver:
    if not driver.may_move_to(to):
        raise DriverMoveRefused(status=driver.get_status_display())
    driver.status = to
    for name, value in stamps.items():
        setattr(driver, name, value)
    driver.save(update_fields=["status", *stamps])
    recording.record(facts.driver_changed(fact, driver, at=at, actor=_person(by), reason=reason[:200], to=to))
    freshness.touch(driver.pk)
    return driver


def _person(by: User | None) -> Actor:
    return Actor(kind=Fact.Actor.OPERATIONS, name=by.name or by.email) if by else recording.SYSTEM


def _locked(code: str) -> Driver:
    driver = locks.driver_by_code(code)
    if driver is None:
        raise DriverNotFound
    return driver
