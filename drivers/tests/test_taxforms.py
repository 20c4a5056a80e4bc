"""What a year's Form 1099-NEC says: by day of payment, tips in it, what is given back not."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import Any

import pytest
from django.db import transaction

from drivers import ledger, pay_files, payouts, taxforms
from drivers.models import PayoutBatch
from drivers.tests.test_payouts import bank
from retaildelivery.accounts.models import User
from retaildelivery.testing.afternoon import HOUR, NOW

pytestmark = pytest.mark.django_db
DECEMBER, JANUARY = dt.date(2026, 12, 31), dt.date(2027, 1, 4)


def earn(driver: Any, cents: int, kind: str = "base", *, key: str = "") -> None:
    with transaction.atomic():
        ledger.post(
            key=f"block:B1:{kind}:{key}", driver=driver, kind=kind, cents=cents, text="t", rule="r",
            subject="block:B1", at=NOW,
        )  # fmt: skip


@pytest.fixture
def pay(afternoon: Any) -> Any:
    """Pay out all that is owed, booked by the banks on this day."""
    otto = User.objects.create_user(email="otto@ops.example", name="Otto", is_staff=True)
    bank(afternoon.ada)

    def out(day: dt.date) -> PayoutBatch:
        made = payouts.draft(market_code="las-vegas", effective_on=day, by=afternoon.olive, at=NOW)
        return payouts.release(code=made.code, by=otto, at=NOW)

    return out


def test_box_1_holds_pay_tips_and_corrections_and_nothing_that_was_given_back(
    afternoon: Any, pay: Any
) -> None:
    for kind, cents in (
        ("base", 100_000), ("floor", 5_000), ("tip", 20_000), ("toll", 700), ("mileage", 900), ("adjustment", -500),
    ):  # fmt: skip
        earn(afternoon.ada, cents, kind)
    pay(DECEMBER)

    assert taxforms.of_driver(afternoon.ada, 2026) == taxforms.Paid(afternoon.ada.pk, 124_500, 20_000, 1_600)


def test_a_line_counts_in_the_year_in_which_the_banks_booked_its_payout(afternoon: Any, pay: Any) -> None:
    earn(afternoon.ada, 1_000, key="in time")
    pay(DECEMBER)
    earn(afternoon.ada, 2_000, key="earned in 2026, paid in 2027")
    pay(JANUARY)
    earn(afternoon.ada, 4_000, key="not paid yet")

    assert [taxforms.of_driver(afternoon.ada, year).box1_cents for year in (2025, 2026, 2027)] == [
        0,
        1_000,
        2_000,
    ]


def test_what_the_bank_sent_back_was_not_paid(afternoon: Any, pay: Any) -> None:
    earn(afternoon.ada, 1_000)
    batch = pay(DECEMBER)
    payouts.came_back(batch_code=batch.code, number=1, return_code="R01", at=NOW + HOUR)
    assert taxforms.of_driver(afternoon.ada, 2026).box1_cents == 0
    bank(afternoon.ada)
    pay(JANUARY)

    assert [taxforms.of_driver(afternoon.ada, year).box1_cents for year in (2026, 2027)] == [0, 1_000]


@pytest.mark.parametrize(
    ("year", "cents", "due"),
    [(2025, 59_999, False), (2025, 60_000, True), (2026, 199_999, False), (2026, 200_000, True)],
)
def test_the_form_is_due_from_the_amount_of_its_year(year: int, cents: int, due: bool) -> None:
    assert taxforms.is_due(taxforms.Paid(1, cents, 0, 0), year) == due


def test_the_file_has_the_columns_of_the_tax_office_and_who_is_below_is_left_out(
    afternoon: Any, pay: Any, settings: Any
) -> None:
    settings.COMPANY = {**settings.COMPANY, "tax_id": "12-3456789", "street": "1 Main St"}
    bank(afternoon.ben)
    earn(afternoon.ada, 250_000)
    with transaction.atomic():
        ledger.post(
            key="k", driver=afternoon.ben, kind="base", cents=199_999, text="t", rule="r", subject="block:B2", at=NOW
        )  # fmt: skip
    pay(DECEMBER)

    found = taxforms.forms(2026, market_code="las-vegas")
    [row] = csv.DictReader(io.StringIO(taxforms.file_of(found, 2026)))

    assert [(form.driver, form.due) for form in found] == [(afternoon.ada, True), (afternoon.ben, False)]
    assert (row["Form Type"], row["Tax Year"], row["Payer Taxpayer ID Number"]) == (
        "1099-NEC",
        "2026",
        "123456789",
    )
    assert (row["Form Account Number"], row["Box 1 - Nonemployee Compensation"]) == (
        afternoon.ada.code,
        "2500.00",
    )


def test_the_drivers_copy_is_a_document(afternoon: Any, pay: Any) -> None:
    earn(afternoon.ada, 250_000)
    pay(DECEMBER)

    assert pay_files.year_pdf(afternoon.ada, 2026).startswith(b"%PDF-")
    assert "at least $2,000.00" in pay_files.notes(2026, due=True)[0]
    assert "not known here yet" in pay_files.notes(2027, due=False)[-1]
