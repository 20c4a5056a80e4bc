"""The driver's API of money: what the pages show and do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from drivers import ledger, statements, taxpaying, tokens, verify_pay
from drivers.models import W9, Dispute, PayoutAccount, Statement
from offers.tests import making
from offers.tests.making import AT, HOUR
from retaildelivery.accounts.models import User

pytestmark = pytest.mark.django_db


class App:
    """A phone with a token: speaks JSON below /api/v1/driver/."""

    def __init__(self, driver: Any) -> None:
        self.client = Client(raise_request_exception=False)
        self.secret = tokens.issue(driver=driver, name="Pixel", at=AT)[1]

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        data = b"" if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.secret}"}
        return self.client.generic(
            method, f"/api/v1/driver/{path}", data, content_type="application/json", headers=headers
        )


@pytest.fixture(autouse=True)
def _now(time_machine: Any) -> None:
    time_machine.move_to(AT, tick=False)


@pytest.fixture
def ada() -> Any:
    making.mall()
    driver = making.driver("Ada")
    for key, kind, cents in (("base", "base", 3600), ("tip", "tip", 500)):
        with transaction.atomic():
            ledger.post(
                key=f"block:B1:{key}", driver=driver, kind=kind, cents=cents, text="2 h", rule="r",
                subject="block:B1", at=AT, params={"seconds": "7200", "rate": "1800"} if kind == "base" else {},
            )  # fmt: skip
    return driver


@pytest.fixture
def app(ada: Any) -> App:
    return App(ada)


@pytest.fixture
def week(ada: Any) -> Statement:
    mall = making.Mall.objects.get()
    statements.issue(market_code=ada.market_code, zone=mall.zone, at=AT + 168 * HOUR)
    return Statement.objects.get()


def test_a_statement_is_read_from_gross_to_net_and_taken_along(app: App, week: Statement) -> None:
    [listed] = app.ask("GET", "statements").json()["results"]
    shown = app.ask("GET", f"statements/{week.code}").json()
    document, table = (app.ask("GET", f"statements/{week.code}.{form}") for form in ("pdf", "csv"))

    assert (listed["code"], listed["closing_cents"]) == (week.code, 4100)
    assert (shown["earned_cents"], shown["tips_cents"], shown["paid_out_cents"]) == (3600, 500, 0)
    assert [line["cents"] for line in shown["lines"]] == [3600, 500]
    assert document.content.startswith(b"%PDF-")
    assert b"block:B1" in table.content


def test_the_account_is_exported_and_checks_out(app: App) -> None:
    assert verify_pay.differences(app.ask("GET", "account-export").json()) == []


def test_a_bank_account_is_put_and_a_repeat_changes_nothing(app: App) -> None:
    given = {"holder": "Ada", "kind": "checking", "routing": "021000021", "number": "1234567890"}
    assert app.ask("GET", "payout-account").status_code == 404

    answers = [app.ask("PUT", "payout-account", given).json() for _time in range(2)]

    assert answers[0] == answers[1] == app.ask("GET", "payout-account").json()
    assert answers[0]["last4"] == "7890"
    assert "1234567890" not in json.dumps(answers)
    assert PayoutAccount.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"routing": "021000022"}, 422, "routing_invalid"),
        ({"number": "12x4567"}, 422, "account_number_invalid"),
        ({"kind": "brokerage"}, 400, "validation_error"),
        ({"iban": "DE00"}, 400, "validation_error"),
    ],
)
def test_a_wrong_bank_account_is_refused_with_a_code(
    app: App, change: dict[str, str], status: int, code: str
) -> None:
    given = {"holder": "Ada", "kind": "checking", "routing": "021000021", "number": "1234567890"} | change

    answer = app.ask("PUT", "payout-account", given)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer["Content-Type"] == "application/problem+json"
    assert PayoutAccount.objects.count() == 0


def test_a_line_is_disputed_read_and_taken_back(app: App) -> None:
    given = {"line": 1, "reason": "time", "text": "It took 3 hours."}
    made = app.ask("POST", "disputes", given)
    again = app.ask("POST", "disputes", given)

    code = made.json()["code"]
    assert (made.status_code, again.status_code, again.json()["code"]) == (201, 409, "dispute_open")
    assert made.json() == app.ask("GET", f"disputes/{code}").json()
    assert [row["code"] for row in app.ask("GET", "disputes").json()["results"]] == [code]
    backs = [app.ask("PUT", f"disputes/{code}/withdrawal").json()["status"] for _time in range(2)]
    assert backs == ["withdrawn", "withdrawn"]


def test_another_drivers_money_is_404(app: App, ada: Any, week: Statement) -> None:
    made = app.ask("POST", "disputes", {"line": 1, "reason": "time", "text": "t"}).json()
    ben = App(making.driver("Ben"))

    for method, path, body in (
        ("GET", f"statements/{week.code}", None),
        ("GET", f"statements/{week.code}.pdf", None),
        ("GET", f"statements/{week.code}.csv", None),
        ("GET", f"disputes/{made['code']}", None),
        ("PUT", f"disputes/{made['code']}/withdrawal", None),
        ("POST", "disputes", {"line": 1, "reason": "time", "text": "t"}),
    ):
        assert ben.ask(method, path, body).status_code == 404
    assert Dispute.objects.get().status == "open"


def test_a_year_is_told_with_the_amount_from_which_it_is_filed(app: App) -> None:
    assert app.ask("GET", "tax-years/2026").json() == {
        "year": 2026,
        "box1_cents": 0,
        "tips_cents": 0,
        "given_back_cents": 0,
        "threshold_cents": 200_000,
        "filed": False,
    }
    assert app.ask("GET", "tax-years/2026.pdf").content.startswith(b"%PDF-")


def test_who_shows_no_token_is_told_nothing(client: Any) -> None:
    for path in ("statements", "account-export", "payout-account", "disputes", "tax-years/2026"):
        assert client.get(f"/api/v1/driver/{path}").status_code in {401, 403}


# -- Pages that came with it -------------------------------------------------------------------------------


def test_the_pages_give_the_same_files(client: Any, ada: Any, week: Statement) -> None:
    client.force_login(ada.user)

    for form, begins in (("pdf", b"%PDF-"), ("csv", b"number,at"), ("json", b"{")):
        answer = client.get(reverse("offers:driver_statement_file", args=[week.code, form]))
        assert answer.content.startswith(begins)
    assert client.get(reverse("offers:driver_statement_file", args=[week.code, "exe"])).status_code == 404
    assert client.get(reverse("offers:driver_year_file", args=[2026])).content.startswith(b"%PDF-")


def test_a_dispute_is_taken_back_on_the_page(client: Any, ada: Any) -> None:
    client.force_login(ada.user)
    client.post(reverse("offers:driver_dispute", args=[1]), {"reason": "time", "text": "t"})
    made = Dispute.objects.get()
    address = reverse("offers:driver_withdraw_dispute", args=[made.code])
    assert address in client.get(reverse("offers:driver_dispute", args=[1])).content.decode()

    client.post(address)
    client.post(address)

    assert Dispute.objects.get().status == "withdrawn"


def test_operations_see_the_year_and_drivers_do_not(
    client: Any, ada: Any, django_assert_max_num_queries: Any
) -> None:
    client.force_login(ada.user)
    assert client.get(reverse("offers:ops_tax")).status_code == 403
    client.force_login(User.objects.create_user(email="o@ops.example", name="Olive", is_staff=True))

    with django_assert_max_num_queries(12):
        page = client.get(reverse("offers:ops_tax_year", args=[2026])).content.decode()

    assert "$2,000.00" in page
    assert client.get(reverse("offers:ops_tax_file", args=["las-vegas", 2026, 1])).status_code == 404


# -- Form W-9 ----------------------------------------------------------------------------------------------

W9_OF_ADA = {
    "name": "Ada Fernwick", "classification": "individual", "street": "12 Sirius Ave", "city": "Las Vegas",
    "region": "NV", "postal_code": "89102", "tin_kind": "ssn", "tin": "123-45-6789", "signed_by": "Ada Fernwick",
    "certified": True,
}  # fmt: skip


def test_tax_details_are_certified_and_read_without_the_number(app: App, ada: Any) -> None:
    assert app.ask("GET", "tax-details").status_code == 404

    put = app.ask("PUT", "tax-details", W9_OF_ADA)

    assert put.status_code == 200
    assert put.json() == app.ask("GET", "tax-details").json()
    assert (put.json()["last4"], put.json()["region"], put.json()["backup_withholding"]) == (
        "6789",
        "NV",
        False,
    )
    assert "123" not in json.dumps(put.json())
    held = W9.objects.get(driver=ada)
    assert "123456789" not in held.tin_sealed
    assert taxpaying.number_of(held) == "123456789"

    moved = app.ask("PUT", "tax-details", W9_OF_ADA | {"street": "5 Polaris Ave"}).json()
    assert moved["street"] == "5 Polaris Ave"
    assert [form.street for form in W9.objects.filter(replaced_at=None)] == ["5 Polaris Ave"]
    assert W9.objects.count() == 2


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"tin": "000-12-3456"}, 422, "tin_invalid"),
        ({"tin": "12345678"}, 422, "tin_invalid"),
        ({"classification": "c_corporation"}, 422, "tin_of_another_kind"),
        ({"certified": False}, 422, "not_certified"),
        ({"region": "ZZ"}, 400, "validation_error"),
        ({"postal_code": "8910"}, 400, "validation_error"),
        ({"signed_by": ""}, 400, "validation_error"),
        ({"certified": "yes"}, 400, "validation_error"),
        ({"last4": "6789"}, 400, "validation_error"),
    ],
)
def test_tax_details_that_nobody_may_certify_are_refused(
    app: App, change: dict[str, Any], status: int, code: str
) -> None:
    answer = app.ask("PUT", "tax-details", W9_OF_ADA | change)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert W9.objects.count() == 0


def test_another_drivers_tax_details_are_not_shown(app: App) -> None:
    app.ask("PUT", "tax-details", W9_OF_ADA)

    assert App(making.driver("Ben")).ask("GET", "tax-details").status_code == 404
