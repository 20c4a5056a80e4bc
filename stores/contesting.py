"""Whose fault a wait was: the store objects to the charge, or operations look at it by themselves; a named person
decides with reasons, and a charge that was not the store's to bear is given back. The driver's pay stays as it is."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from retaildelivery.accounts.models import User
from retaildelivery.lib.money import format_cents
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox import alerting, messages, recording
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import SYSTEM, Actor
from stores import billing, facts, limits, locks
from stores.adjusting import AlreadyDecided
from stores.models import Contest, SellerPosting

WAIT = "wait"


class NotContestable(Refused):
    code = "not_contestable"
    sentence = _("Only a charge for a driver who was kept waiting can be contested here.")


class ContestTooLate(Refused):
    code = "contest_too_late"
    sentence = _("A charge can be contested for %(days)d days after it was posted.")


class ContestOpen(Refused):
    code = "contest_open"
    sentence = _("This charge is contested already: %(code)s. One answer at a time.")


class ContestDecided(Refused):
    code = "contest_decided"
    sentence = _("This charge was decided already: %(code)s.")


class FaultReasonsMissing(Refused):
    code = "fault_reasons_missing"
    sentence = _("A decision needs reasons; the store reads them.")


@transaction.atomic(durable=True)
def contest(
    *,
    posting: SellerPosting,
    reason: str,
    text: str,
    evidence: dict[str, Any],
    actor: Actor,
    at: dt.datetime,
    by: User | None = None,
    key_prefix: str = "",
) -> Contest:
    """The store objects: a manager, or the system that has this key.

    Raises NotContestable, ContestTooLate, ContestOpen, ContestDecided.
    """
    if at - posting.at > limits.CONTEST_WITHIN:
        raise ContestTooLate(days=limits.CONTEST_WITHIN.days)
    _refuse_unless_free(posting, by_store=True)
    made = _opened(
        posting, reason=reason, text=text, evidence=evidence, opened_by=by, opened_by_key=key_prefix, at=at
    )
    recording.record(facts.contest_changed("contest.opened", made, at=at, actor=actor))
    return made


@transaction.atomic(durable=True)
def withdraw(*, code: str, actor: Actor, at: dt.datetime) -> Contest:
    """The store takes it back. Raises AlreadyDecided."""
    found = locks.contest(code)
    _move(found, Contest.Status.WITHDRAWN, decided_at=at)
    recording.record(facts.contest_changed("contest.withdrawn", found, at=at, actor=actor))
    return found


@transaction.atomic(durable=True)
def decide(*, code: str, fault: str, reasons: str, by: User, at: dt.datetime) -> Contest:
    """Who was at fault. Raises FaultReasonsMissing, AlreadyDecided."""
    found = locks.contest(code)
    _decide(found, fault=fault, reasons=reasons, by=by, at=at)
    return found


@transaction.atomic(durable=True)
def review(
    *, posting: SellerPosting, evidence: dict[str, Any], fault: str, reasons: str, by: User, at: dt.datetime
) -> Contest:
    """Operations decide without being asked.

    Raises NotContestable, ContestOpen, ContestDecided, FaultReasonsMissing.
    """
    _refuse_unless_free(posting, by_store=False)
    made = _opened(posting, reason=Contest.Reason.REVIEW, text="", evidence=evidence, opened_by=by, at=at)
    _decide(made, fault=fault, reasons=reasons, by=by, at=at)
    return made


def free(posting: SellerPosting, *, at: dt.datetime) -> bool:
    """Whether the store may contest this line now."""
    if posting.kind != WAIT or posting.cents <= 0 or at - posting.at > limits.CONTEST_WITHIN:
        return False
    return not any(_binds(each, by_store=True) for each in posting.contests.all())


def _binds(contest: Contest, *, by_store: bool) -> bool:
    """Whether this one ends the matter: for the store not what operations found by themselves, unless it was given
    back."""
    if contest.status in {Contest.Status.OPEN, Contest.Status.GRANTED}:
        return True
    asked = contest.reason != Contest.Reason.REVIEW
    return contest.status == Contest.Status.REFUSED and (asked or not by_store)


def _refuse_unless_free(posting: SellerPosting, *, by_store: bool) -> None:
    if posting.kind != WAIT or posting.cents <= 0:
        raise NotContestable
    locks.seller(posting.seller_id)
    for each in posting.contests.order_by("pk"):
        if _binds(each, by_store=by_store):
            if each.status == Contest.Status.OPEN:
                raise ContestOpen(code=each.code)
            raise ContestDecided(code=each.code)


def _opened(posting: SellerPosting, *, text: str, at: dt.datetime, **said: Any) -> Contest:
    return Contest.objects.create(
        posting=posting, text=text.strip()[:1000], opened_at=at, due_at=at + limits.CONTEST_ANSWER, **said
    )


def _decide(contest: Contest, *, fault: str, reasons: str, by: User, at: dt.datetime) -> None:
    if not reasons.strip():
        raise FaultReasonsMissing(field="reasons")
    stands = fault == Contest.Fault.STORE
    to = Contest.Status.REFUSED if stands else Contest.Status.GRANTED
    said = reasons.strip()[:1000]
    _move(contest, to, decided_at=at, decided_by=by, decision=said, fault=fault)
    actor = Actor(kind=Fact.Actor.OPERATIONS, name=str(by))
    recording.record(facts.contest_changed(f"contest.{to}", contest, at=at, actor=actor))
    _tell(contest, at=at)
    if not stands:
        _give_back(contest, at=at)


def _give_back(contest: Contest, *, at: dt.datetime) -> None:
    """The credit: as much as was charged, on the next invoice. Its key names the charge, so that it comes once."""
    charge = contest.posting
    billing.post(
        key=f"{charge.key}:credit",
        seller=charge.seller,
        store=charge.store,
        market=charge.market,
        kind="adjustment",
        cents=-charge.cents,
        # The account of a seller is kept in English.
        text=f"Given back: waiting was not the store's fault ({contest.fault}), {contest.code}",
        rule=charge.rule,
        subject=charge.subject,
        at=at,
        params={"contest": contest.code, "charge": charge.key},
    )


def _move(contest: Contest, to: str, **stamps: Any) -> None:
    """The only place that assigns the status."""
    assert connection.in_atomic_block, "A row is moved in the transaction that holds it."
    if not contest.may_move_to(to):
        raise AlreadyDecided(noun=str(contest), status=contest.get_status_display())
    contest.status = to
    for name, value in stamps.items():
        setattr(contest, name, value)
    contest.save(update_fields=["status", *stamps])


def _tell(contest: Contest, *, at: dt.datetime) -> None:
    """The mail to the seller. Its account is kept in English, and so is what is written about it."""
    charge = contest.posting
    page = reverse("stores:account", args=[charge.seller.code])
    messages.write(
        key=f"contest:{contest.code}",
        name="contest_decided",
        to=charge.seller.email,
        subject=f"Charge for waiting {contest.code}: {contest.get_status_display()}",
        text=(
            f"{charge.text}: {format_cents(charge.cents)}\n\nAt fault: {contest.get_fault_display()}.\n"
            f"{contest.decision}\n\n{settings.BASE_URL}{page}\n"
        ),
        about=f"seller:{charge.seller.code}",
        at=at,
    )


def tell_overdue(*, at: dt.datetime) -> int:
    """Record each contest whose deadline has passed without an answer, once, and write to operations; how many."""
    told = 0
    due = Contest.objects.undecided().filter(due_at__lte=at, overdue_told_at=None)  # type: ignore[attr-defined]
    for code in due.order_by("due_at", "pk").values_list("code", flat=True)[: limits.CONTESTS_SWEPT]:
        with transaction.atomic(durable=True):
            found = locks.contest(code)
            if found.status != Contest.Status.OPEN or found.overdue_told_at is not None:
                continue
            found.overdue_told_at = at
            found.save(update_fields=["overdue_told_at"])
            recording.record(facts.contest_changed("contest.overdue", found, at=at, actor=SYSTEM))
            _alert(found, at=at)
            told += 1
    return told


def _alert(contest: Contest, *, at: dt.datetime) -> None:
    def written() -> tuple[str, str]:
        subject = gettext("Contested charge %(code)s waits for an answer") % {"code": contest.code}
        text = gettext(
            "%(seller)s objected on %(day)s to a charge of %(amount)s for waiting and was promised an answer within "
            "72 hours. That time is over.\n\nDecide: %(url)s\n"
        ) % {
            "seller": contest.posting.seller,
            "day": f"{contest.opened_at:%Y-%m-%d}",
            "amount": format_cents(contest.posting.cents),
            "url": f"{settings.BASE_URL}/ops/waits/{contest.posting.seller.code}/{contest.posting.sequence}/",
        }
        return subject, text

    alerting.tell_operations(
        key=f"contest:{contest.code}:overdue",
        name="contest_overdue",
        about=f"seller:{contest.posting.seller.code}",
        written=written,
        at=at,
    )
