"""Money leaves by two people's hands, once, in a file that a bank reads; what comes back is posted."""

import datetime as dt

import achkit
import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from drivers import ledger, nacha, paymoves, payouts, verify_pay
from drivers.models import Payout, PayoutAccount, PayoutBatch
from retaildelivery.accounts.models import User
from retaildelivery.outbox.models import Fact
from retaildelivery.testing import racing
from retaildelivery.testing.afternoon import HOUR, NOW

pytestmark = pytest.mark.django_db
ROUTING, MONDAY = "021000021", dt.date(2026, 11, 30)


def earn(driver, cents, key="base"):
    with transaction.atomic():
        ledger.post(
            key=f"block:{driver.code}:{key}", driver=driver, kind="base", cents=cents, text="t", rule="r",
            subject="block:B1", at=NOW,
        )  # fmt: skip


def bank(driver, number="1234567890"):
    return payouts.use_account(
        driver=driver, holder="Zoë Núñez", kind="checking", routing=ROUTING, number=number, at=NOW
    )


def faults(text):
    return achkit.validate(text)["errors"]


@pytest.fixture
def otto(db):
    return User.objects.create_user(email="otto@ops.example", name="Otto", is_staff=True)


@pytest.fixture
def batch(afternoon):
    for driver, cents in ((afternoon.ada, 41_00), (afternoon.ben, 99), (afternoon.chidi, 20_00)):
        earn(driver, cents)
    bank(afternoon.ada)
    bank(afternoon.ben)
    return payouts.draft(market_code="las-vegas", effective_on=MONDAY, by=afternoon.olive, at=NOW)


def test_a_batch_holds_who_has_enough_and_a_bank_account(batch, afternoon):
    assert list(batch.payouts.values_list("driver", "number", "cents")) == [(afternoon.ada.pk, 1, 4100)]
    assert ledger.balance(afternoon.ada) == 4100


def test_the_second_person_releases_and_it_is_posted_once(batch, afternoon, otto):
    payouts.release(code=batch.code, by=otto, at=NOW)
    with pytest.raises(paymoves.AlreadyDecided):
        payouts.release(code=batch.code, by=otto, at=NOW + HOUR)

    assert ledger.balance(afternoon.ada) == 0
    assert Payout.objects.get().status == "sent"
    assert verify_pay.differences(ledger.export(afternoon.ada, at=NOW)) == []
    assert Fact.objects.filter(name="payout.sent").count() == 1


def test_who_made_the_batch_cannot_release_it(batch, afternoon):
    with pytest.raises(payouts.OwnBatch):
        payouts.release(code=batch.code, by=afternoon.olive, at=NOW)
    with pytest.raises(IntegrityError, match="does_not_release"), transaction.atomic():
        PayoutBatch.objects.update(status="released", released_by=afternoon.olive, released_at=NOW)

    assert ledger.balance(afternoon.ada) == 4100
    assert PayoutBatch.objects.get().status == "draft"


def test_one_batch_of_a_market_waits_at_a_time(batch, afternoon):
    with pytest.raises(payouts.BatchOpen):
        payouts.draft(market_code="las-vegas", effective_on=MONDAY, by=afternoon.olive, at=NOW)
    with pytest.raises(payouts.NothingToPay):
        payouts.draft(market_code="chandler", effective_on=MONDAY, by=afternoon.olive, at=NOW)

    assert PayoutBatch.objects.count() == 1


def test_who_was_corrected_downwards_meanwhile_is_left_out(batch, afternoon, otto):
    earn(afternoon.ada, -1, key="correction")

    payouts.release(code=batch.code, by=otto, at=NOW)

    assert (Payout.objects.get().status, ledger.balance(afternoon.ada)) == ("dropped", 4099)


def test_what_the_bank_sends_back_is_the_drivers_again_once(batch, afternoon, otto):
    payouts.release(code=batch.code, by=otto, at=NOW)

    payouts.came_back(batch_code=batch.code, number=1, return_code="r03", at=NOW)
    with pytest.raises(paymoves.AlreadyDecided):
        payouts.came_back(batch_code=batch.code, number=1, return_code="R03", at=NOW)

    assert ledger.balance(afternoon.ada) == 4100
    assert PayoutAccount.objects.get(driver=afternoon.ada).refused_code == "R03"
    with pytest.raises(payouts.NothingToPay):
        payouts.draft(market_code="las-vegas", effective_on=MONDAY, by=afternoon.olive, at=NOW)


def test_bank_details_are_sealed_at_rest_and_masked_in_the_table(batch, otto):
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(account::text, ' ') FROM drivers_payoutaccount account")
        kept = cursor.fetchone()[0]
    payouts.release(code=batch.code, by=otto, at=NOW)
    table = payouts.csv_file(PayoutBatch.objects.get())

    assert "1234567890" not in kept
    assert ROUTING not in kept
    assert "****7890" in table
    assert "1234567890" not in table


@pytest.mark.parametrize(
    ("routing", "number", "refusal"),
    [
        ("021000022", "1234567890", payouts.RoutingInvalid),
        ("02100002", "1234567890", payouts.RoutingInvalid),
        ("٠21000021", "1234567890", payouts.RoutingInvalid),
        (ROUTING, "123", payouts.AccountNumberInvalid),
        (ROUTING, "12345678901234567X", payouts.AccountNumberInvalid),
    ],
)
def test_numbers_that_no_bank_has_are_refused(afternoon, routing, number, refusal):
    with pytest.raises(refusal):
        payouts.use_account(
            driver=afternoon.ada, holder="Ada", kind="savings", routing=routing, number=number, at=NOW
        )

    assert PayoutAccount.objects.count() == 0


def test_another_reader_finds_every_payment_in_the_file(batch, otto):
    payouts.release(code=batch.code, by=otto, at=NOW)

    text = payouts.nacha_file(PayoutBatch.objects.get())
    read = achkit.parse(text)

    assert faults(text) == []
    entry = read["batches"][0]["entries"][0]
    assert (entry["routing"], entry["account"], entry["amount_cents"]) == (ROUTING, "1234567890", 4100)
    assert (entry["txn_code"], entry["name"], entry["trace_number"]) == (22, "ZOE NUNEZ", "021000020000001")
    assert read["batches"][0]["effective_date"] == "261130"
    assert [len(row) for row in text.splitlines()] == [94] * 10


CREDITS = st.builds(
    nacha.Credit,
    routing=st.sampled_from([ROUTING, "011401533", "091000019", "121000358"]),
    account=st.text("0123456789", min_size=4, max_size=17),
    kind=st.sampled_from(["checking", "savings"]),
    cents=st.integers(1, nacha.CENTS_MOST),
    name=st.text(max_size=40),
    reference=st.text("ABC-0123456789", min_size=1, max_size=15),
)


@given(st.lists(CREDITS, min_size=1, max_size=25))
def test_every_file_adds_up_for_another_reader(credits_):
    text = nacha.file_of(
        nacha.Originator(ROUTING, "Bank", "Retail Delivery", "1000000000"),
        credits_, created_at=NOW, effective_on=MONDAY,
    )  # fmt: skip

    read = achkit.parse(text)
    assert faults(text) == []
    assert [each["amount_cents"] for each in read["batches"][0]["entries"]] == [
        each.cents for each in credits_
    ]
    assert read["control"]["total_credit"] == sum(each.cents for each in credits_)
    assert len(text.splitlines()) % 10 == 0


@pytest.mark.django_db(transaction=True)
def test_two_who_release_at_once_pay_once(batch, afternoon, otto):
    outcomes = racing.at_once(*[lambda: payouts.release(code=batch.code, by=otto, at=NOW)] * 2)

    assert sorted(type(each).__name__ for each in outcomes) == ["AlreadyDecided", "PayoutBatch"]
    assert ledger.balance(afternoon.ada) == 0


def test_operations_make_release_and_download_a_batch_in_the_admin(client, afternoon, otto):
    earn(afternoon.ada, 4100)
    bank(afternoon.ada)
    User.objects.filter(pk__in=[otto.pk, afternoon.olive.pk]).update(is_superuser=True)
    client.force_login(User.objects.get(pk=otto.pk))
    client.post(
        reverse("admin:drivers_payoutbatch_add"), {"market_code": "las-vegas", "effective_on": "2026-11-30"}
    )
    batch = PayoutBatch.objects.get()
    act = {"action": "release", "_selected_action": [batch.pk]}
    client.post(reverse("admin:drivers_payoutbatch_changelist"), act)
    assert ledger.balance(afternoon.ada) == 4100
    client.force_login(User.objects.get(pk=afternoon.olive.pk))

    client.post(reverse("admin:drivers_payoutbatch_changelist"), act)

    assert ledger.balance(afternoon.ada) == 0
    file = client.get(reverse("admin:drivers_payoutbatch_file", args=[batch.pk, "nacha"]))
    assert file.content.startswith(b"101 021000021")
    assert client.get(reverse("admin:drivers_payoutaccount_changelist")).status_code == 200
