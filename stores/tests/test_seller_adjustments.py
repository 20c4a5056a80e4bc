"""Corrections of a seller's account by two people, and the account recomputed."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from retaildelivery.accounts.models import User
from retaildelivery.testing.afternoon import NOW, nothing_changes
from stores import adjusting, billing, checking, invoicing
from stores.models import Invoice, SellerAdjustment, SellerPosting
from stores.tests.test_invoices import DECEMBER, post

pytestmark = pytest.mark.django_db


@pytest.fixture
def otto(db: None) -> User:
    return User.objects.create_user(
        email="otto@example.com", name="Otto Haas", is_staff=True, is_superuser=True
    )


def propose(afternoon: Any, **changes: Any) -> SellerAdjustment:
    given = {
        "seller": afternoon.bookshop.seller,
        "store": afternoon.bookshop,
        "market": None,
        "cents": -500,
        "reason": "Delivered a day late",
        "evidence": "order:K7QX4M2P",
        "subject": "",
        "by": afternoon.olive,
        "at": NOW,
    }
    return adjusting.propose(**{**given, **changes})


def test_a_credit_is_posted_by_the_second_signature_and_once(afternoon: Any, otto: User) -> None:
    made = propose(afternoon)
    assert billing.balance(afternoon.bookshop.seller) == 0

    adjusting.sign(code=made.code, by=otto, at=NOW)
    with pytest.raises(adjusting.AlreadyDecided):
        adjusting.sign(code=made.code, by=otto, at=NOW)

    line = SellerPosting.objects.get()
    assert (line.key, line.cents, line.text) == (
        f"adjustment:{made.code}",
        -500,
        "Correction: Delivered a day late",
    )


def test_who_proposes_does_not_sign_and_the_database_holds_it(afternoon: Any) -> None:
    made = propose(afternoon)

    with nothing_changes(), pytest.raises(adjusting.OwnProposal):
        adjusting.sign(code=made.code, by=afternoon.olive, at=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        SellerAdjustment.objects.update(status="posted", decided_by=afternoon.olive, decided_at=NOW)


@pytest.mark.parametrize(
    "wrong", ["nothing", "too much", "no reason", "no evidence", "no place", "two places", "another's store"]
)
def test_a_proposal_that_says_too_little_is_refused(afternoon: Any, wrong: str) -> None:
    changes: dict[str, dict[str, Any]] = {
        "nothing": {"cents": 0},
        "too much": {"cents": 1_000_001},
        "no reason": {"reason": " "},
        "no evidence": {"evidence": ""},
        "no place": {"store": None},
        "two places": {"market": afternoon.fashion_show.market},
        "another's store": {"store": afternoon.shoes},
    }
    with pytest.raises(adjusting.AdjustmentInvalid):
        propose(afternoon, **changes[wrong])

    assert not SellerAdjustment.objects.exists()


def test_two_people_correct_an_account_in_the_admin(client: Any, afternoon: Any, otto: User) -> None:
    User.objects.filter(pk=afternoon.olive.pk).update(is_superuser=True)
    client.force_login(User.objects.get(pk=afternoon.olive.pk))
    client.post(
        reverse("admin:stores_selleradjustment_add"),
        {
            "seller": afternoon.bookshop.seller.pk,
            "store": "",
            "market": afternoon.fashion_show.market.pk,
            "cents": "-700",
            "reason": "Goodwill",
            "evidence": "a call",
            "subject": "",
        },
    )
    made = SellerAdjustment.objects.get()
    act = {"action": "sign", "_selected_action": [made.pk]}
    client.post(reverse("admin:stores_selleradjustment_changelist"), act)
    assert billing.balance(afternoon.bookshop.seller) == 0
    client.force_login(otto)

    client.post(reverse("admin:stores_selleradjustment_changelist"), act)

    assert billing.balance(afternoon.bookshop.seller) == -700
    assert SellerPosting.objects.get().market == afternoon.fashion_show.market


# -- Recomputing -------------------------------------------------------------------------------------------


@pytest.fixture
def account(afternoon: Any) -> Any:
    """Two deliveries with tax, one of them with a way back, a wait, and a line of no store; all invoiced."""
    store, order = afternoon.bookshop, {"subject": "order:K1"}
    post(store, 899, **order, params={"miles": "5"})
    post(store, 240, kind="distance", **order, params={"miles": "2", "rate": "120"})
    post(store, 400, kind="size", **order, params={"parcels": "2", "size": "large", "rate": "200"})
    post(store, 129, kind="tax", **order, params={"name": "TPT", "percent": "8.375"})
    post(store, 923, kind="return", **order, params={"percent": "60"})
    post(store, 77, kind="tax", **order, params={"name": "TPT", "percent": "8.375"})
    post(store, 233, kind="wait", subject="block:B1", params={"minutes": "7", "rate": "2000", "store": "é"})
    post(store, -50, kind="adjustment", store=None, market=store.mall.market, subject="adjustment:J1")
    invoicing.sweep(at=DECEMBER)
    return store.seller


def test_an_untouched_account_differs_nowhere(account: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert checking.differences(account) == []

    call_command("verify_account", account.code.lower())
    call_command("verify_account", "--all")

    assert "8 lines, 1 invoices, 28.51 in all\n  Nothing differs." in capsys.readouterr().out
    with pytest.raises(CommandError, match="no seller"):
        call_command("verify_account", "SXXXXXX")


TAMPERED = {
    "key = 'other'": "was changed",
    "kind = 'credit'": "was changed",
    "cents = cents + 1": "was changed",
    "text = 'less'": "was changed",
    "rule = 'other'": "was changed",
    "subject = 'order:K2'": "was changed",
    "at = at + interval '1 microsecond'": "was changed",
    'params = params || \'{"a": "b"}\'': "was changed",
    "store_id = NULL, market_id = (SELECT min(id) FROM stores_market)": "was changed",
    "previous = digest": "does not hang on",
    "digest = previous": "was changed",
    "sequence = 90": "missing or moved",
}


@pytest.mark.parametrize("change", TAMPERED)
def test_one_value_of_one_line_changed_in_the_database_is_named(account: Any, change: str) -> None:
    raw("stores_sellerposting", change, where="sequence = 2")

    assert any(TAMPERED[change] in said for said in checking.differences(account))
    with pytest.raises(CommandError, match="differ"):
        call_command("verify_account", account.code)


def test_an_amount_that_does_not_follow_from_its_terms_is_named(afternoon: Any) -> None:
    for kind, params in (
        ("distance", {"miles": "2", "rate": "120"}),
        ("size", {"parcels": "2", "rate": "120"}),
        ("wait", {"minutes": "3", "rate": "4800"}),
    ):
        post(afternoon.bookshop, 241, kind=kind, subject=f"order:{kind}", params=params)
    post(afternoon.bookshop, 25, kind="tax", subject="order:size", params={"percent": "10"})

    said = checking.differences(afternoon.bookshop.seller)

    assert len(said) == 4
    assert said[0] == "line 1 charges 241 cents where its own terms give 240"


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("net_cents = net_cents + 1, total_cents = total_cents + 1", "its lines come to"),
        ("tax_cents = 0, total_cents = net_cents", "tax is 0 cents"),
        ("ends_at = starts_at", "of a later month"),
        ("serial = 2", "stands where 1 is due"),
    ],
)
def test_a_total_or_a_number_changed_in_the_database_is_named(
    account: Any, change: str, found: str, capsys: pytest.CaptureFixture[str]
) -> None:
    raw("stores_invoice", change, where="true")

    with pytest.raises(CommandError, match="differ"):
        call_command("verify_account", account.code)

    assert found in capsys.readouterr().out


def raw(table: str, change: str, *, where: str) -> None:
    """What somebody with the keys to the database could do."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER append_only")
        cursor.execute(f"UPDATE {table} SET {change} WHERE {where}")  # noqa: S608 -- the test's own words
    assert Invoice.objects.exists()
