"""What a driver opens about money, by role; and where operations answer."""

import datetime as dt
import json

import pytest
from django.db import transaction
from django.urls import reverse

from drivers import ledger, statements, verify_pay
from drivers.models import Dispute, DriverPosting, PayoutAccount, Statement
from offers.models import Claim
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE, START
from retaildelivery.accounts.models import User

pytestmark = pytest.mark.django_db
BUDGET = 12


@pytest.fixture(autouse=True)
def _now(time_machine):
    time_machine.move_to(AT, tick=False)


@pytest.fixture
def ada():
    return making.driver("Ada")


@pytest.fixture
def paid(client, ada):
    block = making.claimed(making.block([making.order(making.store(making.mall()))]), ada)
    with transaction.atomic():
        ledger.post(
            key=f"block:{block.code}:base", driver=ada, kind="base", cents=3600, text="2 h at $18.00 an hour",
            rule="las-vegas-2026", subject=f"block:{block.code}", at=AT, params={"seconds": "7200", "rate": "1800"},
        )  # fmt: skip
    Claim.objects.update(ended_at=AT, ending="completed")
    client.force_login(ada.user)
    return block


def test_the_week_what_is_left_and_the_next_payout_are_on_one_page(
    client, paid, django_assert_max_num_queries
):
    with django_assert_max_num_queries(BUDGET):
        page = client.get("/drive/earnings/").content.decode()

    assert "$36.00" in page
    assert "Add your bank account" in page
    client.post(
        reverse("offers:driver_bank"),
        {"holder": "Ada", "kind": "checking", "routing": "021000021", "number": "1234567890"},
    )
    page = client.get("/drive/earnings/").content.decode()
    assert "to your account ending in 7890" in page
    assert "1234567890" not in page


def test_five_years_of_lines_open_with_as_few_queries_as_one(
    client, paid, ada, django_assert_max_num_queries
):
    before = dt.timedelta(days=1)
    lines = [
        ledger.Line(f"old:{day}:{kind}", kind, 900, "t", "las-vegas-2026", f"block:OLD{day}")
        for day in range(5 * 365)
        for kind in ("base", "tip")
    ]
    with transaction.atomic():
        for first in range(0, len(lines), 1_000):
            at = AT - (5 * 365 - first // 2) * before
            ledger.post_all(driver=ada, lines=lines[first : first + 1_000], at=at)

    with django_assert_max_num_queries(BUDGET):
        page = client.get("/drive/earnings/").content.decode()

    assert "$32,886.00" in page
    assert len(page) < 200_000


def test_a_wrong_routing_number_is_refused_on_the_page(client, paid):
    answer = client.post(
        reverse("offers:driver_bank"),
        {"holder": "Ada", "kind": "checking", "routing": "021000022", "number": "1234567890"},
    )

    assert answer.status_code == 422
    assert "nine digits" in answer.content.decode()
    assert PayoutAccount.objects.count() == 0


def test_the_account_is_taken_along_and_checks_out(client, paid):
    account = json.loads(client.get(reverse("offers:driver_account")).content)
    script = b"".join(client.get(reverse("offers:driver_verify")).streaming_content)

    assert verify_pay.differences(account) == []
    assert [line["cents"] for line in account["lines"]] == [3600]
    assert script.startswith(b"#!/usr/bin/env python3")


def test_five_years_of_blocks_are_paged_within_the_budget(client, ada, django_assert_max_num_queries):
    """A page costs what it shows, however long the account is."""
    store = making.store(making.mall())
    for number in range(25):
        block = making.claimed(making.block([making.order(store)], start=START + 26 * number * HOUR), ada)
        Claim.objects.filter(block=block).update(ended_at=AT + number * HOUR, ending="completed")
        DriverPosting.objects.create(
            key=f"k{number}", driver=ada, kind="base", cents=100 + number, text="t", rule="r",
            subject=f"block:{block.code}", at=AT,
        )  # fmt: skip
    client.force_login(ada.user)

    with django_assert_max_num_queries(BUDGET):
        first = client.get("/drive/earnings/")
    with django_assert_max_num_queries(BUDGET):
        second = client.get("/drive/earnings/", {"cursor": first.context["next_cursor"]})

    assert [row["cents"] for row in first.context["rows"]] == list(range(124, 104, -1))
    assert [row["cents"] for row in second.context["rows"]] == [104, 103, 102, 101, 100]
    assert second.context["next_cursor"] == ""


def test_a_statement_is_read_and_taken_along_by_its_driver_alone(client, paid, ada):
    zone = paid.mall.zone
    statements.issue(market_code="las-vegas", zone=zone, at=AT + 168 * HOUR)
    found = Statement.objects.get()
    file = reverse("offers:driver_statement_file", args=[found.code, "csv"])

    assert "$36.00" in client.get(reverse("offers:driver_statement", args=[found.code])).content.decode()
    assert "2 h at $18.00 an hour" in client.get(file).content.decode()
    assert client.get(file.replace("csv", "json")).json()["closing_cents"] == 3600
    assert found.code in client.get(reverse("offers:driver_statements")).content.decode()
    client.force_login(making.driver("Ben").user)
    assert client.get(file).status_code == 404


def test_a_line_is_disputed_with_evidence_and_answered_by_name(client, paid, ada):
    address = reverse("offers:driver_dispute", args=[1])
    client.post(address, {"reason": "time", "text": "It took 3 hours."})
    again = client.post(address, {"reason": "time", "text": "Again."})

    dispute = Dispute.objects.get()
    assert again.status_code == 409
    assert {fact["name"] for fact in dispute.evidence["facts"]} >= {"block.claimed"}
    olive = User.objects.create_user(email="olive@ops.example", name="Olive Tan", is_staff=True)
    answer = reverse("offers:ops_dispute", args=[dispute.code])
    assert client.get(answer).status_code == 403
    client.force_login(olive)
    assert dispute.code in client.get(reverse("offers:ops_disputes")).content.decode()
    page = client.get(answer).content.decode()
    for seen in (
        "Juniper Books",
        "Stops of the block",
        "Paid for it so far",
        "2 h at $18.00 an hour",
        "No scans.",
    ):
        assert seen in page
    assert client.post(answer, {"amount": "18.00", "reasons": "Without a verdict."}).status_code == 422
    without = client.post(answer, {"verdict": "grant", "amount": "", "reasons": "Three hours."})
    assert (without.status_code, list(without.context["form"].errors)) == (422, ["amount"])
    assert ledger.balance(ada) == 3600
    client.post(answer, {"verdict": "grant", "amount": "18.00", "reasons": "The door log shows three hours."})
    assert ledger.balance(ada) == 5400
    client.force_login(ada.user)
    page = client.get(address).content.decode()
    assert "Olive Tan" in page
    assert "$18.00 is on your account." in page
    assert "The door log shows three hours." in page


def test_both_sides_read_when_the_driver_was_where_and_what_was_scanned(client, ada):
    block = making.claimed(making.block([making.order(making.store(making.mall()))]), ada)
    making.worked(block, ada, check_in_at=START, handover=START + 22 * MINUTE, last=START + HOUR)
    client.force_login(ada.user)
    address = reverse("offers:driver_dispute", args=[1])
    assert "What the system knew" not in client.get(address).content.decode()

    client.post(address, {"reason": "wait", "text": "It was 30 minutes."})

    known = Dispute.objects.get().evidence
    assert [(stop["kind"], stop["arrived_at"], stop["done_at"]) for stop in known["stops"]] == [
        ("pickup", START.isoformat(), (START + 22 * MINUTE).isoformat()),
        ("dropoff", (START + HOUR).isoformat(), (START + HOUR).isoformat()),
    ]
    [scan] = known["scans"]
    assert (scan["outcome"], scan["at"]) == ("accepted", (START + 22 * MINUTE).isoformat())
    seen = ["1 scan", "Juniper Books", "1:22", "The phone told no positions.", f"{scan['parcel'][:4]}"]
    of_driver = client.get(address).content.decode()
    client.force_login(User.objects.create_user(email="olive@ops.example", name="Olive Tan", is_staff=True))
    of_operations = client.get(
        reverse("offers:ops_dispute", args=[Dispute.objects.get().code])
    ).content.decode()
    for page in (of_driver, of_operations):
        assert [words for words in seen if words not in page] == []
    assert "12 min of waiting at store Juniper Books" in of_operations


def test_a_dispute_of_the_first_weeks_still_opens(client, paid, ada):
    client.post(reverse("offers:driver_dispute", args=[1]), {"reason": "time", "text": "t"})
    old = {"subject": "block:B1", "scans": [{"at": AT.isoformat(), "id": 1}], "positions": [],
           "facts": [{"at": AT.isoformat(), "name": "block.claimed"}]}  # fmt: skip
    Dispute.objects.update(evidence=old)

    page = client.get(reverse("offers:driver_dispute", args=[1])).content.decode()

    assert "A driver claimed it" in page
    assert "1 scan" in page


def test_another_drivers_line_is_not_found(client, paid):
    client.force_login(making.driver("Ben").user)

    assert (
        client.post(reverse("offers:driver_dispute", args=[1]), {"reason": "time", "text": "x"}).status_code
        == 404
    )
    assert Dispute.objects.count() == 0
