"""Monthly invoices: every line of a seller's account is on exactly one, in the order of months."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from retaildelivery.lib.money import format_cents
from retaildelivery.outbox import messages, recording, sweeping
from stores import billing, facts, limits, locks
from stores.models import Invoice, InvoiceLine, Market, Seller, SellerPosting

TAX = "tax"


def month_of(at: dt.datetime, zone: ZoneInfo) -> dt.date:
    """The first day of the month that it is then, there."""
    return at.astimezone(zone).date().replace(day=1)


def month_after(month: dt.date) -> dt.date:
    return (month + dt.timedelta(days=31)).replace(day=1)


def begins(month: dt.date, zone: ZoneInfo) -> dt.datetime:
    """Midnight of its first day, by the market's clocks."""
    return dt.datetime.combine(month, dt.time(), tzinfo=zone).astimezone(dt.UTC)


def due(market: Market, *, at: dt.datetime) -> list[tuple[int, dt.date]]:
    """The invoices to be made now, as (seller, month), oldest months first.

    A line that comes after its month was invoiced goes on the month that follows the last invoice; months in which no
    sweep ran get their own.
    """
    this_month = month_of(at, market.zone)
    last = dict(Invoice.objects.filter(market=market).order_by("month").values_list("seller", "month"))
    rows = (
        SellerPosting.objects.of_market(market)  # type: ignore[attr-defined]
        .on_no_invoice()
        .filter(at__lt=begins(this_month, market.zone))
    )
    found = set()
    for seller, moment in rows.values_list("seller", "at").iterator(chunk_size=5_000):
        month = month_of(moment, market.zone)
        if seller in last:
            month = max(month, month_after(last[seller]))
        if month < this_month:
            found.add((seller, month))
    return sorted(found, key=lambda each: (each[1], each[0]))


def sweep(*, at: dt.datetime) -> int:
    """Make what is due in every market, each invoice in a transaction of its own; how many. A repeat makes none."""
    months: dict[tuple[int, int], list[dt.date]] = {}
    for market in Market.objects.order_by("pk"):
        for seller, month in due(market, at=at):
            months.setdefault((market.pk, seller), []).append(month)

    def make(account: tuple[int, int]) -> int:
        # In order: a later invoice takes what an earlier one has left.
        market, seller = Market.objects.get(pk=account[0]), Seller.objects.get(pk=account[1])
        made = (issue(market=market, seller=seller, month=month, at=at) for month in months[account])
        return sum(invoice is not None for invoice in made)

    return sweeping.each(months, make, of="invoices", at=at)


@transaction.atomic(durable=True)
def issue(*, market: Market, seller: Seller, month: dt.date, at: dt.datetime) -> Invoice | None:
    """The invoice of this month with all lines up to its end that are on none; None when it is there or empty."""
    counter = locks.invoice_counter(market)
    if Invoice.objects.filter(seller=seller, market=market, month=month).exists():
        return None
    starts_at, ends_at = begins(month, market.zone), begins(month_after(month), market.zone)
    rows = SellerPosting.objects.of_market(market).on_no_invoice()  # type: ignore[attr-defined]
    postings = list(rows.filter(seller=seller, at__lt=ends_at).order_by("sequence"))
    if not postings:
        return None
    counter.last += 1
    counter.save(update_fields=["last"])
    net, tax = amounts(postings)
    invoice = Invoice.objects.create(
        market=market, serial=counter.last, number=f"{market.code.upper()}-{counter.last:06d}", seller=seller,
        seller_name=seller.name, seller_email=seller.email, month=month, starts_at=starts_at, ends_at=ends_at,
        currency=market.currency, net_cents=net, tax_cents=tax, total_cents=net + tax, issued_at=at,
        due_on=market.day(at + limits.INVOICE_DUE),
    )  # fmt: skip
    InvoiceLine.objects.bulk_create(
        [InvoiceLine(posting=posting, invoice=invoice) for posting in postings], batch_size=5_000
    )
    recording.record(facts.invoice_issued(invoice, at=at))
    tell(invoice, at=at)
    return invoice


def tell(invoice: Invoice, *, at: dt.datetime) -> None:
    """The mail to the seller, with the change it tells of. Invoices are kept in English, as their lines are."""
    page = reverse("stores:invoice", args=[invoice.seller.code, invoice.number])
    messages.write(
        key=f"invoice:{invoice.number}",
        name="invoice_issued",
        to=invoice.seller_email,
        subject=_("Invoice %(number)s for %(month)s")
        % {"number": invoice.number, "month": f"{invoice.month:%Y-%m}"},
        text=_(
            "Your invoice %(number)s comes to %(total)s, due on %(day)s.\n\nEvery line, PDF and CSV: %(url)s\n"
        )
        % {
            "number": invoice.number,
            "total": format_cents(invoice.total_cents, invoice.currency),
            "day": invoice.due_on.isoformat(),
            "url": f"{settings.BASE_URL}{page}",
        },
        about=f"seller:{invoice.seller.code}",
        at=at,
    )


def amounts(postings: Iterable[SellerPosting]) -> tuple[int, int]:
    """Before tax, and tax, in cents."""
    net = tax = 0
    for posting in postings:
        if posting.kind == TAX:
            tax += posting.cents
        else:
            net += posting.cents
    return net, tax


@dataclass(frozen=True, slots=True)
class Sum:
    """What one store was charged of one kind."""

    store: str
    kind: str
    lines: int
    cents: int


def lines_of(invoice: Invoice) -> QuerySet[SellerPosting]:
    """In the order of the account."""
    rows = SellerPosting.objects.filter(invoice_line__invoice=invoice)
    return rows.select_related("store").order_by("sequence")


def sums(postings: Sequence[SellerPosting]) -> list[Sum]:
    """By store and kind, tax last; what is of no single store comes after the stores."""
    order = list(billing.KINDS)
    found: dict[tuple[str, str, str], list[int]] = {}
    for line in postings:
        place = (line.store.name, line.store.code) if line.store else ("", "")
        found.setdefault((*place, line.kind), []).append(line.cents)
    ranked = sorted(
        found, key=lambda key: (not key[0], key[:2], order.index(key[2]) if key[2] in order else len(order))
    )
    return [Sum(key[0], key[2], len(found[key]), sum(found[key])) for key in ranked]
