"""Monthly invoices: which lines are on them, how they are counted, who may read them."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retaildelivery.outbox import recording
from retaildelivery.outbox.models import Message
from retaildelivery.outbox.recording import SYSTEM
from retaildelivery.testing.sellers import SellerClient, Trade
from stores import billing, invoicing, keys
from stores.models import Invoice, InvoiceCounter, InvoiceLine, SellerPosting, Store

pytestmark = pytest.mark.django_db

# Las Vegas is seven or eight hours behind UTC: the first of December begins there at eight.
NOVEMBER = dt.datetime(2026, 11, 10, 18, 0, tzinfo=dt.UTC)
LAST_MOMENT = dt.datetime(2026, 12, 1, 7, 59, 59, tzinfo=dt.UTC)
DECEMBER = dt.datetime(2026, 12, 1, 8, 0, tzinfo=dt.UTC)
JANUARY = dt.datetime(2027, 1, 1, 8, 0, tzinfo=dt.UTC)


def post(
    where: Store, cents: int, *, at: dt.datetime = NOVEMBER, kind: str = "base", key: str = "", **more: Any
) -> None:
    with transaction.atomic():
        billing.post(
            **{
                "key": key or f"order:{SellerPosting.objects.count()}",
                "seller": where.seller,
                "store": where,
                "kind": kind,
                "cents": cents,
                "text": "=Delivery",
                "rule": "las-vegas-2026",
                "subject": "order:K7QX4M2P",
                "at": at,
                **more,
            }
        )


def on(invoice: Invoice) -> list[int]:
    return [line.cents for line in invoicing.lines_of(invoice)]


def test_a_month_by_the_markets_clocks_is_one_invoice_with_sums_by_store_and_kind(trade: Trade) -> None:
    post(trade.store, 899)
    post(trade.store, 899, at=LAST_MOMENT)
    post(trade.second_store, 120, kind="distance")
    post(trade.store, 75, kind="tax")
    post(trade.store, 5, at=DECEMBER)

    assert invoicing.sweep(at=LAST_MOMENT) == 0
    assert invoicing.sweep(at=DECEMBER) == 1

    invoice = Invoice.objects.get()
    assert (invoice.number, invoice.month, invoice.seller) == (
        f"{trade.mall.market.code.upper()}-000001",
        dt.date(2026, 11, 1),
        trade.seller,
    )
    assert (invoice.net_cents, invoice.tax_cents, invoice.total_cents) == (1918, 75, 1993)
    assert [
        (each.store, each.kind, each.lines, each.cents)
        for each in invoicing.sums(list(invoicing.lines_of(invoice)))
    ] == [
        ("Northwind Bags", "distance", 1, 120),
        ("Northwind Shoes", "base", 2, 1798),
        ("Northwind Shoes", "tax", 1, 75),
    ]
    assert Message.objects.get(name="invoice_issued").to == trade.seller.email


def test_a_repeat_makes_none_and_a_late_line_is_on_the_next(trade: Trade) -> None:
    post(trade.store, 899)
    invoicing.sweep(at=DECEMBER)
    post(trade.store, -100, kind="adjustment")

    assert invoicing.sweep(at=DECEMBER + dt.timedelta(days=20)) == 0
    assert invoicing.sweep(at=JANUARY) == 1

    first, second = Invoice.objects.order_by("serial")
    assert (on(first), on(second)) == ([899], [-100])
    assert (second.month, second.total_cents) == (dt.date(2026, 12, 1), -100)


def test_a_month_without_a_sweep_gets_its_own_invoice(trade: Trade) -> None:
    post(trade.store, 1, at=NOVEMBER)
    post(trade.store, 2, at=DECEMBER)

    assert invoicing.sweep(at=JANUARY) == 2

    assert [(each.month.month, on(each)) for each in Invoice.objects.order_by("serial")] == [
        (11, [1]),
        (12, [2]),
    ]


def test_a_line_of_no_store_is_on_the_invoice_of_its_market_and_none_is_of_neither(trade: Trade) -> None:
    post(trade.store, -500, store=None, market=trade.mall.market, kind="adjustment")
    with pytest.raises(DatabaseError, match="has_a_store_or_a_market"), transaction.atomic():
        post(trade.store, -500, store=None, key="nowhere")

    invoicing.sweep(at=DECEMBER)

    assert on(Invoice.objects.get()) == [-500]


def test_numbers_have_no_gap_also_when_a_transaction_dies(
    trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(trade.store, 899)
    post(trade.rival_store, 899)

    def die(happening: object) -> None:
        raise RuntimeError("the machine stopped")

    with monkeypatch.context() as patched:
        patched.setattr(recording, "record", die)
        assert invoicing.sweep(at=DECEMBER) == 0
    assert not Invoice.objects.exists()

    invoicing.sweep(at=DECEMBER)

    assert list(Invoice.objects.order_by("serial").values_list("serial", flat=True)) == [1, 2]
    assert InvoiceCounter.objects.get().last == 2


def test_an_invoice_is_changed_by_nobody(trade: Trade) -> None:
    post(trade.store, 899)
    invoicing.sweep(at=DECEMBER)

    for change in (
        lambda: Invoice.objects.update(total_cents=0, net_cents=0),
        lambda: InvoiceLine.objects.all().delete(),
        lambda: Invoice.objects.all()._raw_delete("default"),
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()
    assert on(Invoice.objects.get()) == [899]


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.integers(0, 3),  # months in which the line is posted
            st.integers(0, 3),  # and months back to the day it is for
            st.integers(-900, 900).filter(bool),
            st.sampled_from(["base", "tax"]),
        ),
        max_size=12,
    ),
    st.sets(st.integers(0, 4)),
)
def test_every_line_is_on_exactly_one_invoice_whatever_comes_late(
    trade: Trade, lines: list[tuple[int, int, int, str]], swept: set[int]
) -> None:
    with transaction.atomic():
        for month in range(5):
            at = NOVEMBER + dt.timedelta(days=30 * month)
            if month in swept | {4}:
                sweep_inside(at, trade)
            for posted, back, cents, kind in lines:
                if posted == month:
                    post(trade.store, cents, at=at - dt.timedelta(days=30 * back), kind=kind)
        sweep_inside(NOVEMBER + dt.timedelta(days=200), trade)

        invoices = list(Invoice.objects.order_by("serial"))
        assert sum(each.total_cents for each in invoices) == billing.balance(trade.seller)
        assert InvoiceLine.objects.count() == len(lines) == SellerPosting.objects.count()
        assert [each.serial for each in invoices] == list(range(1, len(invoices) + 1))
        assert [each.month for each in invoices] == sorted({each.month for each in invoices})
        transaction.set_rollback(True)


def sweep_inside(at: dt.datetime, trade: Trade) -> None:
    """The sweep without its own transactions, so that an example can be rolled back."""
    market = trade.mall.market
    for _seller, month in invoicing.due(market, at=at):
        invoicing.issue.__wrapped__(market=market, seller=trade.seller, month=month, at=at)


# -- Reading -------------------------------------------------------------------------------------------------


@pytest.fixture
def issued(trade: Trade) -> Invoice:
    for number in range(3):
        post(trade.store, 899 + number)
    invoicing.sweep(at=DECEMBER)
    return Invoice.objects.get()


def books(trade: Trade, **more: Any) -> SellerClient:
    made = keys.issue(
        seller=trade.seller, name="books", scopes=["billing:read"], actor=SYSTEM, at=NOVEMBER, **more
    )
    return SellerClient(made.secret)


def test_the_api_lists_and_shows_an_invoice_and_gives_its_files(trade: Trade, issued: Invoice) -> None:
    client = books(trade)

    [listed] = client.get("invoices").json()["results"]
    shown = client.get(f"invoices/{issued.number}").json()
    rows = list(csv.DictReader(io.StringIO(client.get(f"invoices/{issued.number}.csv").content.decode())))
    document = client.get(f"invoices/{issued.number}.pdf")

    assert (listed["number"], listed["total_cents"]) == (issued.number, 2700)
    assert sum(line["cents"] for line in shown["lines"]) == shown["total_cents"]
    assert shown["sums"] == [
        {"store": "Northwind Shoes", "kind": "base", "name": "Deliveries", "lines": 3, "cents": 2700}
    ]
    assert [int(row["cents"]) for row in rows] == [899, 900, 901]
    assert {row["what"] for row in rows} == {"'=Delivery"}
    assert document["Content-Type"] == "application/pdf"
    assert document.content.startswith(b"%PDF-")


def test_an_invoice_is_its_sellers_own_and_needs_the_scope_and_the_whole_seller(
    trade: Trade, issued: Invoice
) -> None:
    till = keys.issue(seller=trade.seller, name="t", scopes=["orders:read"], actor=SYSTEM, at=NOVEMBER)
    rival = keys.issue(seller=trade.rival, name="b", scopes=["billing:read"], actor=SYSTEM, at=NOVEMBER)

    for ending in ("", ".pdf", ".csv"):
        path = f"invoices/{issued.number}{ending}"
        assert SellerClient(rival.secret).get(path).status_code == 404
        assert SellerClient(till.secret).get(path).json()["code"] == "scope_missing"
        assert books(trade, store=trade.store).get(path).json()["code"] == "key_of_one_store"
    assert SellerClient(rival.secret).get("invoices").json()["results"] == []


def test_a_manager_reads_the_invoices_and_their_files(
    afternoon: Any, django_assert_max_num_queries: Any
) -> None:
    post(afternoon.bookshop, 899)
    invoicing.sweep(at=DECEMBER)
    invoice, seller = Invoice.objects.get(), afternoon.bookshop.seller
    client = Client()
    client.force_login(afternoon.sam)
    pages = [
        reverse("stores:account", args=[seller.code]),
        reverse("stores:invoices", args=[seller.code]),
        reverse("stores:invoice", args=[seller.code, invoice.number]),
    ]

    for page in pages:
        with django_assert_max_num_queries(12):
            said = client.get(page).content.decode()
        assert invoice.number in said
        assert "$8.99" in said
    assert (
        client.get(reverse("stores:invoice_pdf", args=[seller.code, invoice.number])).content[:5] == b"%PDF-"
    )
    assert b"899" in client.get(reverse("stores:invoice_csv", args=[seller.code, invoice.number])).content


def test_staff_get_403_and_another_sellers_invoice_is_404(afternoon: Any) -> None:
    post(afternoon.shoes, 899)
    invoicing.sweep(at=DECEMBER)
    invoice = Invoice.objects.get()
    client = Client()
    client.force_login(afternoon.mia)
    own = reverse("stores:invoice", args=[afternoon.shoes.seller.code, invoice.number])
    assert client.get(own).status_code == 403

    client.force_login(afternoon.sam)
    foreign = reverse("stores:invoice", args=[afternoon.bookshop.seller.code, invoice.number])
    assert client.get(foreign).status_code == 404
