"""What a driver takes along about money: the statement as PDF, CSV and JSON, and the year as PDF."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from reportlab.platypus import Flowable, Spacer

from drivers import ledger, statements, taxforms
from drivers.models import Driver, Statement
from retaildelivery.lib import pdf
from retaildelivery.lib.money import format_cents
from retaildelivery.lib.spreadsheets import csv_of

CSV_COLUMNS = ("number", "at", "kind", "what", "rule", "subject", "cents")


def statement_json(found: Statement) -> dict[str, Any]:
    """With every field that the chain covers, so that `verify_pay.py` recognises the lines."""
    lines = list(statements.lines_of(found))
    sums = statements.sums(lines)
    return {
        "statement": found.code,
        "from": found.starts_at.isoformat(),
        "until": found.ends_at.isoformat(),
        "opening_cents": found.opening_cents,
        "earned_cents": sums.earned_cents,
        "tips_cents": sums.tips_cents,
        "corrected_cents": sums.corrected_cents,
        "paid_out_cents": sums.paid_out_cents,
        "lines": [ledger.exported(line) for line in lines],
        "closing_cents": found.closing_cents,
    }


def statement_csv(found: Statement) -> str:
    return csv_of(
        CSV_COLUMNS,
        (
            (line.sequence, ledger.stamp(line.at), line.kind, line.text, line.rule, line.subject, line.cents)
            for line in statements.lines_of(found)
        ),
    )


def statement_pdf(found: Statement, zone: ZoneInfo) -> bytes:
    """From gross to net, then line by line with the rule of each."""
    lines = list(statements.lines_of(found))
    sums = statements.sums(lines)
    title = _("Pay statement %(code)s") % {"code": found.code}
    first, last = (
        date_format(each.astimezone(zone), "DATE_FORMAT") for each in (found.starts_at, found.ends_at)
    )
    gross = [
        [_("Carried over"), format_cents(found.opening_cents)],
        [_("Blocks"), format_cents(sums.earned_cents)],
        [_("Tips, all of them"), format_cents(sums.tips_cents)],
        [_("Corrections"), format_cents(sums.corrected_cents)],
        [_("Paid out"), format_cents(sums.paid_out_cents)],
        [_("Balance at the end of the week"), format_cents(found.closing_cents)],
    ]
    rows = [
        [
            f"{line.sequence}",
            f"{line.at.astimezone(zone):%Y-%m-%d %H:%M}",
            f"{line.text}\n{line.subject}{f' · {line.rule}' if line.rule else ''}",
            format_cents(line.cents),
        ]
        for line in lines
    ]
    story: list[Flowable] = [
        pdf.text(title, pdf.TITLE),
        pdf.text(f"{found.driver.user}, {found.driver.code}"),
        pdf.text(
            _("From %(first)s to %(last)s, midnight by the market's clocks") % {"first": first, "last": last}
        ),
        Spacer(1, 8),
        pdf.sheet((_("From gross to net"), ""), gross, (0.7, 0.3), totals=1),
        pdf.text(_("Line by line"), pdf.HEAD),
        pdf.sheet((_("No."), _("When"), _("What for"), _("Amount")), rows, (0.08, 0.2, 0.54, 0.18)),
        Spacer(1, 8),
        pdf.text(
            _(
                "Each line is on one statement and never changed. The account and the script that checks it: Pay."
            ),
            pdf.NOTE,
        ),
    ]
    return pdf.document(title, story, foot=f"{settings.COMPANY['name']} · {title}")


def payer() -> str:
    """Who pays, as on an envelope."""
    given = settings.COMPANY
    place = " ".join(filter(None, (given["region"], given["postal_code"])))
    town = ", ".join(filter(None, (given["city"], place)))
    return "\n".join(filter(None, (given["name"], given["street"], town, given["phone"], given["tax_id"])))


def year_pdf(driver: Driver, year: int) -> bytes:
    """The driver's copy of what Form 1099-NEC says for the year, and what is not in it."""
    paid = taxforms.of_driver(driver, year)
    title = _("Nonemployee compensation %(year)d (Form 1099-NEC)") % {"year": year}
    due = taxforms.is_due(paid, year)
    rows = [
        [_("Payer"), payer()],
        [_("Recipient"), f"{driver.user}\n{_('Account number')}: {driver.code}"],
        [_("Box 1: nonemployee compensation"), format_cents(paid.box1_cents)],
        [_("of which tips"), format_cents(paid.tips_cents)],
        [_("Box 4: federal income tax withheld"), format_cents(0)],
        [
            _("Not in box 1: tolls and allowances for distance given back"),
            format_cents(paid.given_back_cents),
        ],
    ]
    story: list[Flowable] = [
        pdf.text(title, pdf.TITLE),
        Spacer(1, 8),
        pdf.sheet(("", ""), rows, (0.45, 0.55), amounts=()),
        Spacer(1, 8),
        *(pdf.text(each, pdf.NOTE) for each in notes(year, due=due)),
    ]
    return pdf.document(title, story, foot=f"{settings.COMPANY['name']} · {title}")


def notes(year: int, *, due: bool) -> list[str]:
    """What counts and what does not, in sentences."""
    limit = format_cents(taxforms.threshold(year))
    filed = (
        _("A form is filed for %(year)d, since it comes to at least %(limit)s.")
        if due
        else _("No form is filed for %(year)d below %(limit)s; the income is taxable all the same.")
    ) % {"year": year, "limit": limit}
    said = [filed, *counted()]
    if year > taxforms.LAST_KNOWN:
        said.append(_("The amount for %(year)d follows prices and is not known here yet.") % {"year": year})
    return said


def counted() -> list[str]:
    """Which lines count in box 1, and why."""
    return [
        _("Counted by when the banks booked the payout, not by when it was earned. Tips are in box 1."),
        _(
            "Tolls given back and allowances for distance are accounted for block by block and not in box 1 "
            "(irs.gov/instructions/i1099mec, irs.gov/publications/p463): if you deduct miles, leave out what "
            "was given back."
        ),
    ]
