"""A driver objects to a line; a named person answers; a correction has two signatures."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction

from drivers import adjusting, disputing, ledger, limits, paymoves, statements, verify_pay
from drivers.models import Adjustment, Dispute, DriverPosting, Statement
from retaildelivery.accounts.models import User
from retaildelivery.outbox.models import Fact, Message
from retaildelivery.testing.afternoon import HOUR, NOW

pytestmark = pytest.mark.django_db
VEGAS = ZoneInfo("America/Los_Angeles")


def earn(driver, key="base", cents=3600, kind="base", at=NOW):
    with transaction.atomic():
        ledger.post(
            key=f"block:B1:{key}", driver=driver, kind=kind, cents=cents, text="t", rule="r", subject="block:B1",
            at=at,
        )  # fmt: skip
    return DriverPosting.objects.get(key=f"block:B1:{key}")


@pytest.fixture
def otto(db):
    return User.objects.create_user(email="otto@ops.example", name="Otto", is_staff=True)


def object_to(driver, line, at=NOW):
    return disputing.open_dispute(
        driver=driver, posting=line, reason="wait", text="I waited 40 minutes.", evidence={"facts": []}, at=at
    )


@pytest.fixture
def dispute(afternoon):
    return object_to(afternoon.ada, earn(afternoon.ada))


def test_a_line_is_disputed_once_at_a_time_with_a_deadline(dispute, afternoon):
    with pytest.raises(disputing.DisputeOpen):
        object_to(afternoon.ada, dispute.posting)

    assert Dispute.objects.get().due_at == NOW + 72 * HOUR
    assert Fact.objects.filter(name="dispute.opened").count() == 1


def test_after_sixty_days_a_line_stands(afternoon):
    line = earn(afternoon.ada)

    object_to(afternoon.ada, line, at=NOW + limits.DISPUTE_WITHIN).delete()
    with pytest.raises(disputing.DisputeTooLate):
        object_to(afternoon.ada, line, at=NOW + limits.DISPUTE_WITHIN + dt.timedelta(microseconds=1))


def test_a_small_grant_is_posted_at_once(dispute, afternoon):
    disputing.grant(
        code=dispute.code, cents=5_000, reasons="The door log shows it.", by=afternoon.olive, at=NOW
    )
    with pytest.raises(paymoves.AlreadyDecided):
        disputing.grant(code=dispute.code, cents=1, reasons="Again.", by=afternoon.olive, at=NOW)

    dispute.refresh_from_db()
    assert (dispute.status, dispute.decided_by) == ("granted", afternoon.olive)
    assert ledger.balance(afternoon.ada) == 8_600
    assert verify_pay.differences(ledger.export(afternoon.ada, at=NOW)) == []


def test_a_small_grant_that_was_posted_is_not_declined_afterwards(dispute, afternoon, otto):
    made = disputing.grant(code=dispute.code, cents=400, reasons="Logged.", by=afternoon.olive, at=NOW)

    with pytest.raises(paymoves.AlreadyDecided):
        adjusting.decline(code=made.code, by=otto, at=NOW)

    made.refresh_from_db()
    assert (made.status, ledger.balance(afternoon.ada)) == ("proposed", 4_000)
    adjusting.sign(code=made.code, by=otto, at=NOW)
    assert ledger.balance(afternoon.ada) == 4_000


def test_a_large_grant_waits_for_a_second_person(dispute, afternoon, otto):
    made = disputing.grant(code=dispute.code, cents=5_001, reasons="Logged.", by=afternoon.olive, at=NOW)
    with pytest.raises(adjusting.OwnProposal):
        adjusting.sign(code=made.code, by=afternoon.olive, at=NOW)
    assert ledger.balance(afternoon.ada) == 3_600

    adjusting.sign(code=made.code, by=otto, at=NOW)
    with pytest.raises(paymoves.AlreadyDecided):
        adjusting.sign(code=made.code, by=otto, at=NOW)

    assert ledger.balance(afternoon.ada) == 8_601


def test_a_refusal_needs_reasons_and_pays_nothing(dispute, afternoon):
    with pytest.raises(disputing.ReasonsMissing):
        disputing.refuse(code=dispute.code, reasons=" ", by=afternoon.olive, at=NOW)
    disputing.refuse(code=dispute.code, reasons="The log says 4 minutes.", by=afternoon.olive, at=NOW)

    assert (Dispute.objects.get().status, ledger.balance(afternoon.ada)) == ("refused", 3_600)


def test_the_deadline_is_watched_once_and_operations_are_told(dispute, afternoon):
    before = disputing.tell_overdue(at=dispute.due_at - dt.timedelta(seconds=1))

    assert (before, disputing.tell_overdue(at=dispute.due_at), disputing.tell_overdue(at=dispute.due_at)) == (
        0,
        1,
        0,
    )
    assert Fact.objects.filter(name="dispute.overdue").count() == 1
    [mail] = Message.objects.filter(name="dispute_overdue", to=afternoon.olive.email)
    assert f"/ops/disputes/{dispute.code}/" in mail.text


def test_another_driver_cannot_take_a_dispute_back(dispute, afternoon):
    with pytest.raises(Dispute.DoesNotExist):
        disputing.withdraw(code=dispute.code, driver=afternoon.ben, at=NOW)
    disputing.withdraw(code=dispute.code, driver=afternoon.ada, at=NOW)

    assert Dispute.objects.get().status == "withdrawn"


def propose(afternoon, **changes):
    given = {"cents": -500, "reason": "Paid twice", "evidence": "block:B1", "subject": "block:B1"} | changes
    return adjusting.propose(driver=afternoon.ada, by=afternoon.olive, at=NOW, **given)


@pytest.mark.parametrize("change", [{"cents": 0}, {"cents": 500_001}, {"reason": " "}, {"evidence": ""}])
def test_an_adjustment_without_what_it_needs_is_refused(afternoon, change):
    with pytest.raises(adjusting.AdjustmentInvalid):
        propose(afternoon, **change)

    assert Adjustment.objects.count() == 0


def test_the_database_itself_wants_two_people(afternoon):
    propose(afternoon)
    with pytest.raises(IntegrityError, match="does_not_sign"), transaction.atomic():
        Adjustment.objects.update(status="posted", decided_by=afternoon.olive, decided_at=NOW)


# -- Statements ------------------------------------------------------------------------------------------------

MONDAY = dt.datetime(2026, 11, 30, 0, 0, tzinfo=VEGAS)


def issue(at):
    return statements.issue(market_code="las-vegas", zone=VEGAS, at=at)


def test_every_line_is_on_one_statement_and_a_late_one_on_the_next(afternoon):
    week, instant = dt.timedelta(days=7), dt.timedelta(microseconds=1)
    earn(afternoon.ada, "1", 1_000, at=MONDAY - instant)
    earn(afternoon.ada, "2", 2_000, at=MONDAY)
    assert (issue(MONDAY), issue(MONDAY + HOUR)) == (1, 0)
    earn(afternoon.ada, "late", 400, "adjustment", at=MONDAY - HOUR)
    earn(afternoon.ada, "tip", 300, "tip", at=MONDAY + HOUR)

    assert issue(MONDAY + week) == 1

    first, second = Statement.objects.order_by("starts_at")
    assert (first.first, first.last, first.opening_cents, first.closing_cents) == (1, 1, 0, 1_000)
    assert (second.first, second.last, second.opening_cents, second.closing_cents) == (2, 4, 1_000, 3_700)
    assert statements.sums(statements.lines_of(second)) == statements.Sums(2_000, 300, 400, 0)


@pytest.mark.parametrize(("day", "hours"), [("2026-03-09", 167), ("2026-11-02", 169), ("2026-11-30", 168)])
def test_a_week_in_which_clocks_change_is_an_hour_shorter_or_longer(day, hours):
    start, end = statements.week_before(dt.datetime.fromisoformat(day).replace(tzinfo=VEGAS), VEGAS)

    assert (end - start) / HOUR == hours


def test_a_year_counts_tips_and_neither_tolls_nor_payouts(afternoon):
    new_year = dt.datetime(2027, 1, 1, tzinfo=VEGAS)
    for number, (cents, kind) in enumerate(
        [(100, "base"), (20, "tip"), (7, "toll"), (-90, "payout"), (3, "adjustment")]
    ):
        earn(afternoon.ada, str(number), cents, kind, at=new_year - HOUR)
    earn(afternoon.ada, "next", 1_000, at=new_year)

    assert statements.year_total(afternoon.ada, 2026, VEGAS) == 123


def test_a_week_in_which_no_sweep_ran_gets_its_own_statement(afternoon):
    """Three Mondays without a sweep: two weeks with work, one without; then a late line of the first."""
    week = dt.timedelta(days=7)
    for key, at in (("a", NOW), ("b", NOW + HOUR), ("c", NOW + 2 * week)):
        earn(afternoon.ada, key, 100, at=at)

    made = issue(NOW + 3 * week)
    earn(afternoon.ada, "late", 7, at=NOW)

    assert (made, issue(NOW + 3 * week)) == (2, 0)
    first, second = Statement.objects.order_by("first")
    assert (first.first, first.last, second.first, second.last) == (1, 2, 3, 3)
    assert (second.starts_at - first.starts_at, second.opening_cents, second.closing_cents) == (
        2 * week,
        200,
        300,
    )
    assert issue(NOW + 4 * week) == 1
    assert Statement.objects.order_by("-first").first().closing_cents == 307
