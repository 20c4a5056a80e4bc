"""Appeals: a driver contests what counts against them, a person answers, and the answer is kept."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from drivers import clocks, facts, freshness, limits, locks, notifying
from drivers.models import Appeal, Driver, StandingEvent
from retaildelivery.accounts.models import User
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox import alerting, recording
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import Actor
from retaildelivery.web.measures import day, moment

SECOND_AND_LAST = 2


class AppealRefused(Refused):
    """Base of what can be said against an appeal or its decision."""

    code = "appeal_refused"


class EventNotFound(AppealRefused):
    code = "standing_event_not_found"
    sentence = gettext_lazy("There is no such event in your standing.")


class NothingToAppeal(AppealRefused):
    code = "nothing_to_appeal"
    sentence = gettext_lazy("This event does not count against you.")


class AppealTooLate(AppealRefused):
    code = "appeal_too_late"
    sentence = gettext_lazy("An appeal is possible for %(days)d days; that time was over on %(day)s.")


class AppealOpen(AppealRefused):
    code = "appeal_open"
    sentence = gettext_lazy("Your appeal %(code)s is being looked at. An answer comes by %(by)s.")


class AppealsExhausted(AppealRefused):
    code = "appeals_exhausted"
    sentence = gettext_lazy("This was appealed against twice; the second answer is the last.")


class TooManyAppeals(AppealRefused):
    code = "too_many_appeals"
    sentence = gettext_lazy("%(most)d of your appeals are open. Wait for an answer first, or call us.")


class TextMissing(AppealRefused):
    code = "appeal_text_missing"
    sentence = gettext_lazy("Say in a few words what happened, in at most %(most)d characters.")


class AppealDecided(AppealRefused):
    code = "appeal_decided"
    sentence = gettext_lazy("This appeal is decided already: %(outcome)s.")


class SamePerson(AppealRefused):
    code = "same_person_decides"
    sentence = gettext_lazy("You decided the first appeal; somebody else has to decide the second.")


class ReasonMissing(AppealRefused):
    code = "reason_missing"
    sentence = gettext_lazy("Give the driver a reason.")


@transaction.atomic(durable=True)
def appeal(*, driver: Driver, event_key: str, text: str, at: dt.datetime) -> Appeal:
    """Contest an event that counts against the driver; it stops counting at once, until it is decided.

    Raises EventNotFound, NothingToAppeal, AppealTooLate, AppealOpen, AppealsExhausted, TooManyAppeals, TextMissing.
    """
    text = text.strip()
    if not text or len(text) > limits.APPEAL_TEXT:
        raise TextMissing(field="text", most=limits.APPEAL_TEXT)
    driver = locks.driver(driver.pk)
    event = StandingEvent.objects.filter(driver=driver, key=event_key).first()
    if event is None:
        raise EventNotFound(field="event")
    before = list(Appeal.objects.filter(event=event).order_by("round"))
    _refuse_unless_appealable(event, before, zone=clocks.zone_of(driver), at=at)
    open_now = Appeal.objects.undecided().filter(event__driver=driver)  # type: ignore[attr-defined]
    if open_now.count() >= limits.APPEALS_OPEN:
        raise TooManyAppeals(most=limits.APPEALS_OPEN)
    made = Appeal.objects.create(
        event=event, round=len(before) + 1, text=text, filed_at=at, answer_by=at + limits.APPEAL_ANSWER
    )
    event.disputed_at = at
    event.save(update_fields=["disputed_at"])
    freshness.touch(event.driver_id)
    event.driver = driver
    recording.record(facts.appeal_changed("appeal.filed", made, at=at, actor=facts.of_driver(driver)))
    return made


def _refuse_unless_appealable(
    event: StandingEvent, before: list[Appeal], *, zone: dt.tzinfo, at: dt.datetime
) -> None:
    last = before[-1] if before else None
    if last is not None and last.decided_at is None:
        raise AppealOpen(code=last.code, by=moment(last.answer_by, zone))
    if event.points >= 0 or event.set_aside_at is not None or event.decays_at <= at:
        raise NothingToAppeal
    if len(before) >= SECOND_AND_LAST:
        raise AppealsExhausted
    since = event.at if last is None or last.decided_at is None else last.decided_at
    if at > since + limits.APPEAL_WITHIN:
        until = since + limits.APPEAL_WITHIN
        raise AppealTooLate(days=limits.APPEAL_WITHIN.days, day=day(until, zone))


def may_appeal(event: StandingEvent, appeals: list[Appeal], *, zone: dt.tzinfo, at: dt.datetime) -> bool:
    """Whether the page offers it; the verb asks again."""
    try:
        _refuse_unless_appealable(event, appeals, zone=zone, at=at)
    except AppealRefused:
        return False
    return True


@transaction.atomic(durable=True)
def decide(*, code: str, granted: bool, reason: str, by: User, at: dt.datetime) -> Appeal:
    """A named person's answer. Granted, the event never counts again; turned down, it counts from now on as before.

    Raises Appeal.DoesNotExist, AppealDecided, SamePerson, ReasonMissing.
    """
    reason = reason.strip()
    if not reason:
        raise ReasonMissing(field="reason")
    found = locks.appeal(code)
    if found.decided_at is not None:
        raise AppealDecided(outcome=found.get_outcome_display())
    first = Appeal.objects.filter(event=found.event_id, round__lt=found.round, decided_by=by)
    if first.exists():
        raise SamePerson
    found.outcome = Appeal.Outcome.GRANTED if granted else Appeal.Outcome.TURNED_DOWN
    found.reason, found.decided_by, found.decided_at = reason, by, at
    found.save(update_fields=["outcome", "reason", "decided_by", "decided_at"])
    event = found.event
    event.disputed_at = None
    event.set_aside_at = at if granted else None
    event.save(update_fields=["disputed_at", "set_aside_at"])
    freshness.touch(event.driver_id)
    actor = Actor(kind=Fact.Actor.OPERATIONS, name=by.email)
    recording.record(facts.appeal_changed("appeal.decided", found, at=at, actor=actor))
    _answer(found, by=by, at=at)
    return found


def _answer(found: Appeal, *, by: User, at: dt.datetime) -> None:
    """To the driver, in their language, with the name of who decided and what can still be done."""
    driver = found.event.driver
    with translation.override(driver.user.locale):
        if found.outcome == Appeal.Outcome.GRANTED:
            outcome, then = _("It was granted."), _("The event never counts again.")
        elif found.round < SECOND_AND_LAST:
            outcome = _("It was turned down.")
            then = _(
                "The event counts again. You can appeal once more within %(days)d days; somebody else decides then."
            ) % {"days": limits.APPEAL_WITHIN.days}
        else:
            outcome, then = _("It was turned down."), _("The event counts again. This answer is the last.")
        notifying.notify(
            driver=driver,
            key=f"appeal:{found.code}:decided",
            name="appeal_decided",
            brief=f"{outcome} {then}",
            path="/drive/standing/",
            subject=_("Your appeal %(code)s") % {"code": found.code},
            text=_(
                "You appealed against: %(event)s\n\n%(outcome)s %(name)s says:\n\n%(reason)s\n\n%(then)s\n"
            )
            % {
                "event": found.event.sentence,
                "outcome": outcome,
                "name": by.name or by.email,
                "reason": found.reason,
                "then": then,
            },
            about=f"driver:{driver.code}",
            at=at,
        )


@transaction.atomic(durable=True)
def sweep(*, at: dt.datetime) -> int:
    """Record once that an appeal has waited longer than it may, and tell operations; how many there were."""
    late = locks.appeals_overdue(at)
    for found in late:
        found.alerted_at = at
        found.save(update_fields=["alerted_at"])
        recording.record(facts.appeal_changed("appeal.overdue", found, at=at))
        _alert(found, at=at)
    return len(late)


def _alert(found: Appeal, *, at: dt.datetime) -> None:
    def written() -> tuple[str, str]:
        subject = _("Appeal %(code)s waits for an answer") % {"code": found.code}
        text = _(
            "%(driver)s appealed on %(day)s and was promised an answer within 72 hours. That time is over.\n"
        ) % {"driver": found.event.driver, "day": f"{found.filed_at:%Y-%m-%d}"}
        return subject, text

    alerting.tell_operations(
        key=f"appeal:{found.code}:overdue",
        name="appeal_overdue",
        about=f"driver:{found.event.driver.code}",
        written=written,
        at=at,
    )
