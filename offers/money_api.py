"""The driver's API of money: statements, the year, the account to check, the bank, disputes; all that the pages do."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from drivers import costing, disputing, pay_files, payouts, taxforms, taxpaying
from drivers.api import DriverView
from drivers.models import W9, Dispute, DriverPosting, PayoutAccount, Statement
from offers import evidence, paydays, reckoning, terms
from offers import money_serializers as shapes
from retaildelivery.web import api, paging

TAGS = ["Driver"]
PDF, CSV = "application/pdf", "text/csv; charset=utf-8"
YEAR = OpenApiParameter("year", int, OpenApiParameter.PATH)


def sent(content: bytes | str, kind: str, name: str) -> HttpResponse:
    """A file to keep; nothing about money stays in a cache."""
    answer = HttpResponse(content, content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "no-store"
    return answer


class StatementsView(DriverView):
    @extend_schema(
        operation_id="driver_statements",
        parameters=[paging.PageQuery],
        responses=shapes.StatementPage,
        tags=TAGS,
    )
    def get(self, request: Request) -> Response:
        """Your weekly statements, newest first."""
        page = paging.newest_first(self.driver.statements.all(), api.query(request, paging.PageQuery))
        return Response({"results": [shapes.statement_json(row) for row in page.rows], "next": page.next})


class StatementBase(DriverView):
    def statement(self, code: str) -> Statement:
        api.query(self.request, api.NoQuery)
        return get_object_or_404(self.driver.statements.select_related("driver__user"), code=code)


class StatementView(StatementBase):
    @extend_schema(operation_id="driver_statement", responses=shapes.StatementWithLines, tags=TAGS)
    def get(self, request: Request, code: str) -> Response:
        """One week from gross to net, with every line as the chain of your account has it."""
        found = self.statement(code)
        left = reckoning.between(costing.of(self.driver), start=found.starts_at, end=found.ends_at)
        return Response(shapes.statement_with_lines(found, left))


class StatementPdfView(StatementBase):
    @extend_schema(
        operation_id="driver_statement_pdf", responses={(200, PDF): OpenApiTypes.BINARY}, tags=TAGS
    )
    def get(self, request: Request, code: str) -> HttpResponse:
        """The same for your papers."""
        found = self.statement(code)
        zone = paydays.zone_of(found.market_code)
        return sent(pay_files.statement_pdf(found, zone), PDF, f"{found.code}.pdf")


class StatementCsvView(StatementBase):
    @extend_schema(
        operation_id="driver_statement_csv", responses={(200, "text/csv"): OpenApiTypes.STR}, tags=TAGS
    )
    def get(self, request: Request, code: str) -> HttpResponse:
        """Its lines as CSV."""
        found = self.statement(code)
        return sent(pay_files.statement_csv(found), CSV, f"{found.code}.csv")


def refuse_unless_year(year: int) -> None:
    """Raises Http404."""
    if not taxforms.is_year(year):
        raise Http404


class TaxYearView(DriverView):
    @extend_schema(operation_id="driver_tax_year", responses=shapes.TaxYearOut, parameters=[YEAR], tags=TAGS)
    def get(self, request: Request, year: int) -> Response:
        """What you were paid in a year: box 1 of Form 1099-NEC, and what is not in it."""
        api.query(request, api.NoQuery)
        refuse_unless_year(year)
        return Response(shapes.tax_year_json(taxforms.of_driver(self.driver, year), year))


class TaxYearPdfView(DriverView):
    @extend_schema(
        operation_id="driver_tax_year_pdf",
        responses={(200, PDF): OpenApiTypes.BINARY},
        parameters=[YEAR],
        tags=TAGS,
    )
    def get(self, request: Request, year: int) -> HttpResponse:
        """Your copy of the year."""
        api.query(request, api.NoQuery)
        refuse_unless_year(year)
        return sent(pay_files.year_pdf(self.driver, year), PDF, f"{self.driver.code}-{year}.pdf")


class TaxDetailsView(DriverView):
    @extend_schema(operation_id="driver_tax_details", responses=shapes.TaxDetailsOut, tags=TAGS)
    def get(self, request: Request) -> Response:
        """Your Form W-9 in force; the number by its last four digits. 404 while there is none."""
        api.query(request, api.NoQuery)
        rows = W9.objects.filter(driver=self.driver, replaced_at=None)
        return Response(shapes.tax_details_json(get_object_or_404(rows)))

    @extend_schema(
        operation_id="driver_certify_tax_details",
        request=shapes.TaxDetailsIn,
        responses=shapes.TaxDetailsOut,
        tags=TAGS,
    )
    def put(self, request: Request) -> Response:
        """Certify these details under penalties of perjury: the number is your correct taxpayer identification number,
        you are not subject to backup withholding unless `backup_withholding` says so, and you are a U.S. person. They
        replace those before, which are kept."""
        given = api.body(request, shapes.TaxDetailsIn)
        if not given.pop("certified"):
            raise taxpaying.NotCertified(field="certified")
        made = taxpaying.certify(driver=self.driver, details=taxpaying.Details(**given), at=timezone.now())
        return Response(shapes.tax_details_json(made))


class AccountExportView(DriverView):
    @extend_schema(operation_id="driver_account_export", responses=shapes.AccountOut, tags=TAGS)
    def get(self, request: Request) -> Response:
        """Your whole account, line by line, as verify_pay.py reads it: the chain, the terms and the rows of law."""
        api.query(request, api.NoQuery)
        answer = Response(terms.account_of(self.driver, at=timezone.now()))
        answer["Cache-Control"] = "no-store"
        return answer


class PayoutAccountView(DriverView):
    @extend_schema(operation_id="driver_payout_account", responses=shapes.PayoutAccountOut, tags=TAGS)
    def get(self, request: Request) -> Response:
        """Where your pay goes; numbers by their last four digits. 404 while there is none."""
        api.query(request, api.NoQuery)
        rows = PayoutAccount.objects.filter(driver=self.driver, replaced_at=None)
        return Response(shapes.payout_account_json(get_object_or_404(rows)))

    @extend_schema(
        operation_id="driver_use_payout_account",
        request=shapes.PayoutAccountIn,
        responses=shapes.PayoutAccountOut,
        tags=TAGS,
    )
    def put(self, request: Request) -> Response:
        """Pay to this bank account from now on. Numbers are kept encrypted and never shown again."""
        given = api.body(request, shapes.PayoutAccountIn)
        used = payouts.use_account(driver=self.driver, at=timezone.now(), **given)
        return Response(shapes.payout_account_json(used))


class DisputesBase(DriverView):
    @property
    def mine(self) -> QuerySet[Dispute]:
        return Dispute.objects.filter(driver=self.driver).select_related("posting", "decided_by")


class DisputesView(DisputesBase):
    @extend_schema(
        operation_id="driver_disputes",
        parameters=[paging.PageQuery],
        responses=shapes.DisputePage,
        tags=TAGS,
    )
    def get(self, request: Request) -> Response:
        """Your disputes, newest first, with the answers."""
        page = paging.newest_first(self.mine, api.query(request, paging.PageQuery))
        return Response({"results": [shapes.dispute_json(row) for row in page.rows], "next": page.next})

    @extend_schema(
        operation_id="driver_dispute_line",
        request=shapes.DisputeIn,
        responses={201: shapes.DisputeOut},
        tags=TAGS,
    )
    def post(self, request: Request) -> Response:
        """Object to a line of your account. What the system knows is put with it; a person answers in 72 hours."""
        given = api.body(request, shapes.DisputeIn)
        lines = DriverPosting.objects.filter(driver=self.driver)
        line = get_object_or_404(lines, sequence=given["line"])
        made = disputing.open_dispute(
            driver=self.driver,
            posting=line,
            reason=given["reason"],
            text=given["text"],
            evidence=evidence.of_subject(self.driver, line.subject),
            at=timezone.now(),
        )
        return Response(shapes.dispute_json(made), status=status.HTTP_201_CREATED)


class DisputeView(DisputesBase):
    @extend_schema(operation_id="driver_dispute", responses=shapes.DisputeOut, tags=TAGS)
    def get(self, request: Request, code: str) -> Response:
        """One dispute, and how it was decided."""
        api.query(request, api.NoQuery)
        return Response(shapes.dispute_json(get_object_or_404(self.mine, code=code)))


class DisputeWithdrawalView(DisputesBase):
    @extend_schema(
        operation_id="driver_withdraw_dispute",
        request=api.NoBody,
        responses=shapes.DisputeOut,
        tags=TAGS,
    )
    def put(self, request: Request, code: str) -> Response:
        """Take it back. A repeat is harmless."""
        api.body(request, api.NoBody)
        found = get_object_or_404(self.mine, code=code)
        if found.status != Dispute.Status.WITHDRAWN:
            disputing.withdraw(code=code, driver=self.driver, at=timezone.now())
        return Response(shapes.dispute_json(get_object_or_404(self.mine, code=code)))
