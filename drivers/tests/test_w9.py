"""Form W-9: certified by the driver, sealed at rest, and needed before a form for the tax office is complete."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from drivers import sealing, taxforms
from drivers.models import W9
from drivers.tests.test_taxforms import DECEMBER, earn, pay  # noqa: F401 -- a fixture
from retaildelivery.accounts.models import User
from retaildelivery.outbox.models import Fact

pytestmark = pytest.mark.django_db
PAGE = "/drive/earnings/tax/"
GIVEN = {
    "name": "Ada Lovelace Byron", "business_name": "", "classification": "individual", "street": "12 Maple St Apt 4",
    "city": "Las Vegas", "region": "NV", "postal_code": "89109", "tin_kind": "ssn", "tin": "123-45-6789",
    "signed_by": "Ada Byron", "certified": "on",
}  # fmt: skip


@pytest.fixture
def ada(afternoon: Any, client: Client) -> Any:
    client.force_login(afternoon.ada.user)
    return afternoon.ada


def test_a_driver_certifies_and_the_number_is_seen_by_its_last_digits_alone(ada: Any, client: Client) -> None:
    assert "Your Form W-9 is missing" in client.get("/drive/earnings/statements/").content.decode()

    assert client.post(PAGE, GIVEN).status_code == 302

    form = W9.objects.get()
    assert (form.driver, form.last4, form.masked, form.signed_by) == (ada, "6789", "•••-••-6789", "Ada Byron")
    assert sealing.unseal(form.tin_sealed) == "123456789"
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(w9)::text FROM drivers_w9 w9")
        assert "123456789" not in cursor.fetchone()[0]
    page = client.get(PAGE).content.decode()
    assert "•••-••-6789" in page
    assert "123-45" not in page
    [fact] = Fact.objects.filter(name="driver.w9_certified")
    assert fact.data["last4"] == "6789"
    assert "123456789" not in str(fact.data)


def test_a_new_form_replaces_and_the_old_one_is_kept(ada: Any, client: Client) -> None:
    client.post(PAGE, GIVEN)
    client.post(PAGE, {**GIVEN, "street": "1 New St", "tin_kind": "ein", "tin": "12 3456789"})

    old, new = W9.objects.order_by("pk")
    assert (old.street, old.replaced_at is None) == ("12 Maple St Apt 4", False)
    assert (new.street, new.replaced_at, new.masked) == ("1 New St", None, "••-•••6789")


@pytest.mark.parametrize(
    "wrong",
    [
        {"tin": "000-45-6789"}, {"tin": "666-45-6789"}, {"tin": "123-00-6789"}, {"tin": "123-45-0000"},
        {"tin": "12345678"}, {"tin": "1234567890"}, {"tin": "912-45-6789"}, {"tin": "x23456789"},
        {"tin_kind": "itin"}, {"tin_kind": "ein", "tin": "00-1234567"}, {"tin_kind": ""}, {"region": "ZZ"},
        {"postal_code": "8910"}, {"certified": ""}, {"signed_by": " "}, {"name": ""}, {"classification": "llc_c"},
    ],
    ids=str,
)  # fmt: skip
def test_what_no_form_could_say_is_refused_and_nothing_kept(
    ada: Any, client: Client, wrong: dict[str, str]
) -> None:
    assert client.post(PAGE, GIVEN | wrong).status_code == 422

    assert not W9.objects.exists()


def test_the_yearly_export_says_whose_form_is_missing_and_is_complete_with_it(
    afternoon: Any,
    ada: Any,
    client: Client,
    pay: Any,  # noqa: F811
) -> None:
    earn(ada, 250_000)
    pay(DECEMBER)
    client.force_login(afternoon.olive)
    page = client.get("/ops/tax/2026/?market=las-vegas").content.decode()
    assert "1 form is not complete" in page
    missing = list(csv.reader(io.StringIO(client.get("/ops/tax/las-vegas/2026-w9.csv").content.decode())))
    assert [row[0] for row in missing] == ["Driver", ada.code]
    answer = client.get("/ops/tax/las-vegas/2026-1.csv")
    assert "2026-1-incomplete.csv" in answer["Content-Disposition"]

    client.force_login(ada.user)
    client.post(PAGE, GIVEN)
    client.force_login(afternoon.olive)
    page = client.get("/ops/tax/2026/?market=las-vegas").content.decode()
    answer = client.get("/ops/tax/las-vegas/2026-1.csv")
    [row] = csv.DictReader(io.StringIO(answer.content.decode()))

    assert "not complete" not in page
    assert "123456789" not in page
    assert "2026-1.csv" in answer["Content-Disposition"]
    assert (row["Recipient TIN Type"], row["Recipient Taxpayer ID Number"]) == ("SSN", "123456789")
    assert (row["Recipient First Name"], row["Recipient Last Name (Surname)"]) == ("Ada Lovelace", "Byron")
    assert (row["Recipient Address Line 1"], row["Recipient City/Town"]) == ("12 Maple St Apt 4", "Las Vegas")
    assert (row["Recipient State/Province/Territory"], row["Recipient ZIP/Postal Code"]) == ("NV", "89109")
    assert (row["Form Account Number"], row["Box 1 - Nonemployee Compensation"]) == (ada.code, "2500.00")


def test_a_corporation_is_not_reported(ada: Any, client: Client, pay: Any) -> None:  # noqa: F811
    earn(ada, 250_000)
    pay(DECEMBER)
    client.post(PAGE, {**GIVEN, "classification": "s_corporation", "tin_kind": "ein", "tin": "12-3456789"})

    [form] = taxforms.forms(2026, market_code="las-vegas")

    assert (form.due, form.incomplete) == (False, False)


def test_nobody_but_the_driver_certifies_and_the_admin_shows_no_number(
    afternoon: Any, ada: Any, client: Client
) -> None:
    client.post(PAGE, GIVEN)
    form = W9.objects.get()
    boss = User.objects.create_user(email="boss@ops.example", is_staff=True, is_superuser=True)
    client.force_login(boss)

    page = client.get(f"/admin/drivers/w9/{form.pk}/change/").content.decode()

    assert "Ada Lovelace Byron" in page
    assert "123456789" not in page
    assert form.tin_sealed not in page
    assert client.get("/admin/drivers/w9/add/").status_code == 403
    assert client.get(PAGE).status_code in {302, 403, 404}
