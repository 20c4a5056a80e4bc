"""The clock of a sandbox, and the robots that act when it comes to their time."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator, Sequence
from typing import ClassVar

from django.db import transaction
from django.db.models import DateTimeField, Exists, ExpressionWrapper, OuterRef, Q, Value
from django.utils.translation import gettext_lazy as _

from deliveries import limits, quoting, slots
from deliveries.models import Order, RobotStep
from deliveries.sandbox import couriers, steps
from deliveries.sandbox.couriers import Errand, Planned
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox import worlds
from stores import sandboxes
from stores.models import Sandbox


class ClockRefused(Refused):
    code: ClassVar[str] = "clock_refused"


class ClockRunsForward(ClockRefused):
    code = "clock_runs_forward"
    sentence = _("The clock says %(now)s; it is moved forward only.")


class ClockTooFar(ClockRefused):
    code = "clock_too_far"
    sentence = _("The clock is moved by at most %(days)d days at once.")


class ClockOutOfRange(ClockRefused):
    code = "clock_out_of_range"
    sentence = _("A sandbox's clock stands between the years %(first)d and %(last)d.")


def check_range(to: dt.datetime) -> None:
    """Raises ClockOutOfRange."""
    if not limits.FIRST_MOMENT <= to <= limits.LAST_MOMENT:
        raise ClockOutOfRange(field="at", first=limits.FIRST_MOMENT.year, last=limits.LAST_MOMENT.year)


class SandboxBusy(ClockRefused):
    code = "sandbox_busy"
    sentence = _("Somebody is moving this sandbox's clock already. Try again.")
    retryable = True


@transaction.atomic(durable=True)
def instruct(
    *, order: Order, courier: str, script: Sequence[tuple[str, int, str]], at: dt.datetime
) -> list[RobotStep]:
    """Have a robot do this with an order of the sandbox; `script` adds steps, each so many seconds after the order was
    posted. An order that has its steps keeps them."""
    assert not order.live_mode, "Robots work in sandboxes only."
    if RobotStep.objects.filter(order=order).exists():
        return []
    usual = couriers.script(courier, _errand(order, at)) if courier and order.point is not None else []
    own = [
        Planned(step, order.placed_at + dt.timedelta(seconds=seconds), reason)
        for step, seconds, reason in script
    ]
    return RobotStep.objects.bulk_create(
        RobotStep(order=order, position=place, step=each.step, reason=each.reason, due_at=each.due_at)
        for place, each in enumerate(couriers.merged(usual, own), 1)
    )


def _errand(order: Order, at: dt.datetime) -> Errand:
    return Errand(
        placed_at=order.placed_at,
        ready_at=order.ready_at,
        opens_at=order.window.lower,
        ends_at=order.window.upper,
        way=steps.way(order, at=at),
    )


@contextlib.contextmanager
def _alone(sandbox: Sandbox, *, at: dt.datetime) -> Iterator[None]:
    """Nobody else moves this clock meanwhile; `at` is by the real clock. Raises SandboxBusy."""
    mine = Sandbox.objects.filter(pk=sandbox.pk)
    is_free = Q(playing_until=None) | Q(playing_until__lte=at)
    if not mine.filter(is_free).update(playing_until=at + limits.PLAY_LEASE):
        raise SandboxBusy
    try:
        yield
    finally:
        mine.update(playing_until=None)


def move(*, sandbox: Sandbox, to: dt.datetime, at: dt.datetime) -> bool:
    """Stop the clock at this time, and on the way there do what comes due. False when there is more to do than one
    request does: then it stands before the next of it, and is to be moved again.

    `at` is by the real clock. Raises ClockRunsForward, ClockTooFar, ClockOutOfRange, SandboxBusy.
    """
    assert worlds.current() == sandbox.pk, "A clock is moved from inside its sandbox."
    with _alone(sandbox, at=at):
        sandbox.refresh_from_db()
        now = sandbox.clock(at)
        if to < now:
            raise ClockRunsForward(field="at", now=now.isoformat(timespec="seconds"))
        if to - now > limits.CLOCK_MOVE:
            raise ClockTooFar(field="at", days=limits.CLOCK_MOVE.days)
        check_range(to)
        reached = _play(sandbox, until=to, stops=True)
        if reached:
            _stop(sandbox, to)
            slots.expire(at=to)
            quoting.forget_unused(at=to)
        return reached


def later(sandbox: Sandbox, *, seconds: int, at: dt.datetime) -> dt.datetime:
    """So much after what the clock says now."""
    return sandbox.clock(at) + dt.timedelta(seconds=seconds)


def _stop(sandbox: Sandbox, at: dt.datetime) -> None:
    sandbox.stopped_at = at
    Sandbox.objects.filter(pk=sandbox.pk).update(stopped_at=at)


def run(*, sandbox: Sandbox, at: dt.datetime) -> None:
    """Let the clock run on from where it stands, as fast as the real one (`at`). Raises SandboxBusy."""
    with _alone(sandbox, at=at):
        sandbox.refresh_from_db()
        if sandbox.stopped_at is not None:
            ahead = sandbox.stopped_at - at
            Sandbox.objects.filter(pk=sandbox.pk).update(stopped_at=None, ahead=ahead)
            sandbox.refresh_from_db()


def _play(sandbox: Sandbox, *, until: dt.datetime, stops: bool) -> bool:
    """Do what is due by then, each at its own time; whether all of it is done."""
    for _turn in range(limits.PLAY_STEPS):
        step = _next(until)
        if step is None:
            return True
        if stops and (sandbox.stopped_at is None or sandbox.stopped_at < step.due_at):
            _stop(sandbox, step.due_at)
        try:
            steps.take(order_code=step.order.code, step=step.step, reason=step.reason, at=step.due_at)
            step.outcome = RobotStep.Outcome.DONE
        except Refused:
            step.outcome = RobotStep.Outcome.SKIPPED
        step.save(update_fields=["outcome"])
    return _next(until) is None


def _next(until: dt.datetime) -> RobotStep | None:
    due = RobotStep.objects.filter(outcome=RobotStep.Outcome.DUE, due_at__lte=until)
    return due.select_related("order").order_by("due_at", "order_id", "position").first()


def sweep(*, at: dt.datetime) -> int:
    """Do what is due in sandboxes whose clocks run; in how many something was. A clock that stands is moved by hand."""
    waiting = RobotStep.everywhere.filter(outcome=RobotStep.Outcome.DUE, world=OuterRef("pk"))
    due = waiting.filter(
        due_at__lte=ExpressionWrapper(Value(at) + OuterRef("ahead"), output_field=DateTimeField())
    )
    done = 0
    for sandbox in Sandbox.objects.filter(Exists(due), stopped_at=None).order_by("pk")[
        : limits.SANDBOXES_SWEPT
    ]:
        with sandboxes.writing(sandbox), contextlib.suppress(SandboxBusy), _alone(sandbox, at=at):
            _play(sandbox, until=sandbox.clock(at), stops=False)
            done += 1
    return done
