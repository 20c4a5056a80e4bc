"""What was issued and what was sent stays: statements, payouts and facts, by the ORM as by SQL."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from django.db import DatabaseError, connection, transaction

from drivers import ledger, payouts, statements
from drivers.models import Payout, Statement
from retaildelivery.accounts.models import User
from retaildelivery.outbox.models import Fact
from retaildelivery.testing.afternoon import NOW

pytestmark = pytest.mark.django_db
WEEK = dt.timedelta(days=7)


@pytest.fixture
def ada(afternoon):
    with transaction.atomic():
        ledger.post(
            key="block:B1:base", driver=afternoon.ada, kind="base", cents=4100, text="t", rule="r", subject="block:B1",
            at=NOW,
        )  # fmt: skip
    payouts.use_account(
        driver=afternoon.ada, holder="Ada", kind="checking", routing="021000021", number="1234567890", at=NOW
    )
    return afternoon.ada


@pytest.fixture
def statement(ada):
    statements.issue(market_code="las-vegas", zone=ZoneInfo("America/Los_Angeles"), at=NOW + WEEK)
    return Statement.objects.get()


@pytest.fixture
def payout(ada, afternoon):
    batch = payouts.draft(
        market_code="las-vegas", effective_on=(NOW + WEEK).date(), by=afternoon.olive, at=NOW
    )
    otto = User.objects.create_user(email="otto@ops.example", name="Otto", is_staff=True)
    payouts.release(code=batch.code, by=otto, at=NOW)
    return Payout.objects.get()


def refused(statement, match):
    with connection.cursor() as cursor:
        # Only the runner of tests says that its database is thrown away.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET LOCAL retaildelivery.throwaway = off")
    with pytest.raises(DatabaseError, match=match), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE drivers_statement SET closing_cents = 0",
        "UPDATE drivers_statement SET last = last + 1",
        "DELETE FROM drivers_statement",
        "TRUNCATE drivers_statement CASCADE",
    ],
)
def test_a_statement_that_was_issued_cannot_be_changed(statement, harm):
    refused(harm, "append-only")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        statement.delete()

    assert Statement.objects.get().closing_cents == 4100


@pytest.mark.parametrize(
    ("harm", "match"),
    [
        ("UPDATE drivers_payout SET cents = 1", "what it paid is kept"),
        ("UPDATE drivers_payout SET number = 9", "what it paid is kept"),
        ("UPDATE drivers_payout SET status = 'waiting'", "nothing but what comes after"),
        ("UPDATE drivers_payout SET status = 'dropped'", "nothing but what comes after"),
        ("DELETE FROM drivers_payout", "it is kept"),
        ("TRUNCATE drivers_payout CASCADE", "append-only"),
    ],
)
def test_a_payout_that_was_sent_stays_what_it_was(payout, harm, match):
    refused(harm, match)

    assert (Payout.objects.get().cents, Payout.objects.get().status) == (4100, "sent")


def test_the_bank_may_still_send_it_back(payout, ada):
    payouts.came_back(batch_code=payout.batch.code, number=1, return_code="R03", at=NOW)

    assert Payout.objects.get().status == "returned"
    assert ledger.balance(ada) == 4100


def test_what_happened_cannot_be_emptied(payout):
    refused("TRUNCATE outbox_fact CASCADE", "append-only")

    assert Fact.objects.filter(name="payout.sent").exists()
