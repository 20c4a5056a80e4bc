"""A driver objects to a line; a named person answers with reasons in time; what is granted is posted."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from drivers import adjusting, facts, limits, locks, paymoves
from drivers.models import Adjustment, Dispute, Driver, DriverPosting
from retaildelivery.accounts.models import User
from retaildelivery.lib.money import format_cents
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox import alerting, recording
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import SYSTEM, Actor


class DisputeOpen(Refused):
    code = "dispute_open"
    sentence = _("This line is disputed already: %(code)s. One answer at a time.")


class DisputeTooLate(Refused):
    code = "dispute_too_late"
    sentence = _("A line can be disputed for %(days)d days after it was posted.")


class ReasonsMissing(Refused):
    code = "reasons_missing"
    sentence = _("A decision needs reasons; the driver reads them.")


class GrantInvalid(Refused):
    code = "grant_invalid"
    sentence = _("What is granted is between $0.01 and $%(most)d.")


@transaction.atomic(durable=True)
def open_dispute(
    *,
    driver: Driver,
    posting: DriverPosting,
    reason: str,
    text: str,
    evidence: dict[str, Any],
    at: dt.datetime,
) -> Dispute:
    """Raises DisputeOpen, DisputeTooLate."""
    if at - posting.at > limits.DISPUTE_WITHIN:
        raise DisputeTooLate(days=limits.DISPUTE_WITHIN.days)
    locks.driver(driver.pk)
    already = Dispute.objects.undecided().filter(posting=posting).first()  # type: ignore[attr-defined]
    if already is not None:
        raise DisputeOpen(code=already.code)
    dispute = Dispute.objects.create(
        driver=driver, posting=posting, reason=reason, text=text.strip()[:1000], evidence=evidence, opened_at=at,
        due_at=at + limits.DISPUTE_ANSWER,
    )  # fmt: skip
    recording.record(facts.dispute_changed("dispute.opened", dispute, at=at, actor=facts.of_driver(driver)))
    return dispute


@transaction.atomic(durable=True)
def withdraw(*, code: str, driver: Driver, at: dt.datetime) -> Dispute:
    """The driver takes it back. Raises AlreadyDecided."""
    dispute = locks.dispute(code, driver=driver)
    paymoves.move(dispute, Dispute.Status.WITHDRAWN, decided_at=at)
    recording.record(
        facts.dispute_changed("dispute.withdrawn", dispute, at=at, actor=facts.of_driver(driver))
    )
    return dispute


@transaction.atomic(durable=True)
def refuse(*, code: str, reasons: str, by: User, at: dt.datetime) -> Dispute:
    """Raises ReasonsMissing, AlreadyDecided."""
    dispute = locks.dispute(code)
    _decide(dispute, Dispute.Status.REFUSED, reasons=reasons, by=by, at=at)
    return dispute


@transaction.atomic(durable=True)
def grant(*, code: str, cents: int, reasons: str, by: User, at: dt.datetime) -> Adjustment:
    """The driver is right. A small amount is posted at once; a large one waits for a second signature.

    Raises ReasonsMissing, GrantInvalid, AlreadyDecided.
    """
    if not 0 < cents <= limits.ADJUSTMENT_CENTS:
        raise GrantInvalid(most=limits.ADJUSTMENT_CENTS // 100)
    dispute = locks.dispute(code)
    _decide(dispute, Dispute.Status.GRANTED, reasons=reasons, by=by, at=at)
    adjustment = Adjustment.objects.create(
        driver=dispute.driver, dispute=dispute, cents=cents, reason=reasons.strip()[:200],
        evidence=f"dispute:{dispute.code}", subject=dispute.posting.subject, proposed_by=by, proposed_at=at,
    )  # fmt: skip
    if cents <= limits.GRANT_ALONE_CENTS:
        # Small enough that waiting for a colleague costs the driver more than it protects anybody.
        adjusting.post(adjustment, at=at)
    return adjustment


def _decide(dispute: Dispute, to: str, *, reasons: str, by: User, at: dt.datetime) -> None:
    if not reasons.strip():
        raise ReasonsMissing(field="reasons")
    paymoves.move(dispute, to, decided_at=at, decided_by=by, decision=reasons.strip()[:1000])
    actor = Actor(kind=Fact.Actor.OPERATIONS, name=str(by))
    recording.record(facts.dispute_changed(f"dispute.{to}", dispute, at=at, actor=actor))


def tell_overdue(*, at: dt.datetime) -> int:
    """Record each dispute whose deadline has passed without an answer, once, and write to operations; how many. Their
    list shows them first."""
    told = 0
    due = Dispute.objects.undecided().filter(due_at__lte=at, overdue_told_at=None)  # type: ignore[attr-defined]
    for code in due.order_by("due_at", "pk").values_list("code", flat=True)[: limits.OVERDUE_BATCH]:
        with transaction.atomic(durable=True):
            dispute = locks.dispute(code)
            if dispute.status != Dispute.Status.OPEN or dispute.overdue_told_at is not None:
                continue
            dispute.overdue_told_at = at
            dispute.save(update_fields=["overdue_told_at"])
            recording.record(facts.dispute_changed("dispute.overdue", dispute, at=at, actor=SYSTEM))
            _alert(dispute, at=at)
            told += 1
    return told


def _alert(dispute: Dispute, *, at: dt.datetime) -> None:
    def written() -> tuple[str, str]:
        subject = gettext("Pay dispute %(code)s waits for an answer") % {"code": dispute.code}
        text = gettext(
            "%(driver)s objected on %(day)s to a line of %(amount)s and was promised an answer within "
            "72 hours. That time is over.\n\nDecide: %(url)s\n"
        ) % {
            "driver": dispute.driver,
            "day": f"{dispute.opened_at:%Y-%m-%d}",
            "amount": format_cents(dispute.posting.cents),
            "url": f"{settings.BASE_URL}/ops/disputes/{dispute.code}/",
        }
        return subject, text

    alerting.tell_operations(
        key=f"dispute:{dispute.code}:overdue",
        name="dispute_overdue",
        about=f"driver:{dispute.driver.code}",
        written=written,
        at=at,
    )
