"""An invoice to take along: PDF for the books, CSV for the computer. The same rows as the page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from reportlab.platypus import Flowable, KeepTogether, Spacer

from retaildelivery.lib import pdf
from retaildelivery.lib.money import format_cents
from retaildelivery.lib.spreadsheets import csv_of
from stores import billing, invoicing, limits
from stores.models import Invoice, SellerPosting

COLUMNS = (
    "invoice", "number", "at", "store", "kind", "what", "rule", "subject", "key", "cents", "currency",
)  # fmt: skip


def stamp(moment: dt.datetime) -> str:
    """A moment as the chain of the account writes it: UTC to the microsecond."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def as_csv(invoice: Invoice) -> str:
    """A row for each line of the account."""
    return csv_of(
        COLUMNS,
        (
            (invoice.number, line.sequence, stamp(line.at), line.store.name if line.store else "", line.kind,
             line.text, line.rule, line.subject, line.key, line.cents, invoice.currency)
            for line in invoicing.lines_of(invoice)
        ),
    )  # fmt: skip


def as_pdf(invoice: Invoice) -> bytes:
    """By store and kind, totals, then line by line; what is too long for a document is in the CSV."""
    lines = list(invoicing.lines_of(invoice))
    title = f"{heading(invoice)} {invoice.number}"
    story = [*_head(invoice, title), *_sums(invoice, lines), *_lines(invoice, lines)]
    return pdf.document(title, story, foot=f"{settings.COMPANY['name']} · {title}")


def heading(invoice: Invoice) -> str:
    """What the document is: below nothing it gives back."""
    return str(_("Credit note") if invoice.total_cents < 0 else _("Invoice"))


def company() -> str:
    """The issuer as on an envelope, with what the books of the receiver need."""
    given = settings.COMPANY
    place = " ".join(filter(None, (given["region"], given["postal_code"])))
    town = ", ".join(filter(None, (given["city"], place)))
    tax = _("Tax ID %(id)s") % {"id": given["tax_id"]} if given["tax_id"] else ""
    return "\n".join(
        filter(None, (given["name"], given["street"], town, given["phone"], given["email"], tax))
    )


def _head(invoice: Invoice, title: str) -> Iterator[Flowable]:
    yield pdf.text(title, pdf.TITLE)
    yield Spacer(1, 8)
    zone = invoice.market.zone
    month = date_format(invoice.month, "F Y")
    rows = [
        [_("From"), company()],
        [_("To"), f"{invoice.seller_name}\n{invoice.seller_email}\n{invoice.seller.code}"],
        [_("Market"), invoice.market.name],
        [_("Month"), _("%(month)s, by the clocks of %(zone)s") % {"month": month, "zone": zone.key}],
        [_("Issued"), date_format(invoice.issued_at.astimezone(zone), "DATE_FORMAT")],
        [_("Due"), date_format(invoice.due_on, "DATE_FORMAT")],
    ]
    yield pdf.sheet(("", ""), rows, (0.2, 0.8), amounts=())


def _sums(invoice: Invoice, lines: list[SellerPosting]) -> Iterator[Flowable]:
    def money(cents: int) -> str:
        return format_cents(cents, invoice.currency)

    rows: list[list[object]] = [
        [each.store or _("All stores"), billing.named(each.kind), each.lines, money(each.cents)]
        for each in invoicing.sums(lines)
    ]
    rows += [
        ["", _("Before tax"), "", money(invoice.net_cents)],
        ["", _("Tax"), "", money(invoice.tax_cents)],
        ["", _("Total"), "", money(invoice.total_cents)],
    ]
    yield pdf.text(_("By store"), pdf.HEAD)
    head = (_("Store"), _("What for"), _("Lines"), _("Amount"))
    yield pdf.sheet(head, rows, (0.34, 0.36, 0.1, 0.2), amounts=(2, 3), totals=3)


def _lines(invoice: Invoice, lines: list[SellerPosting]) -> Iterator[Flowable]:
    zone = invoice.market.zone
    rows = [
        [
            f"{line.at.astimezone(zone):%Y-%m-%d %H:%M}",
            line.subject.partition(":")[2] or line.subject,
            line.text,
            format_cents(line.cents, invoice.currency),
        ]
        for line in lines[: limits.INVOICE_PDF_LINES]
    ]
    head = (_("When"), _("Subject"), _("What for"), _("Amount"))
    yield pdf.text(_("Line by line"), pdf.HEAD)
    yield pdf.sheet(head, rows, (0.2, 0.17, 0.47, 0.16))
    said = [_("A line whose day lies before the month was posted after that month's invoice.")]
    if len(lines) > limits.INVOICE_PDF_LINES:
        said.append(
            _("The first %(shown)d of %(all)d lines; the CSV of this invoice has all.")
            % {"shown": limits.INVOICE_PDF_LINES, "all": len(lines)}
        )
    yield KeepTogether([Spacer(1, 8), *(pdf.text(each, pdf.NOTE) for each in said)])
