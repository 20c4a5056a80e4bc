"""Invoices over the seller API."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from retaildelivery.web import api, paging
from retaildelivery.web.fields import Output
from stores import billing, invoice_files, invoicing
from stores.api import SellerView
from stores.authentication import WholeSellerOnly
from stores.models import ApiKey, Invoice
from stores.webhooks import events


class InvoiceOut(Output):
    number = serializers.CharField(help_text="Counted without gaps within the market.")
    market = serializers.CharField(help_text="Code of the market.")
    month = serializers.DateField(help_text="Its first day.")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(help_text="The first moment after the month, by the market's clocks.")
    currency = serializers.CharField(help_text="ISO 4217.")
    net_cents = serializers.IntegerField(help_text="Before tax.")
    tax_cents = serializers.IntegerField()
    total_cents = serializers.IntegerField(help_text="Below nothing it is a credit note.")
    issued_at = serializers.DateTimeField()
    due_on = serializers.DateField()


class InvoiceSum(Output):
    store = serializers.CharField(allow_blank=True, help_text="Name of the store; empty for all of them.")
    kind = serializers.CharField(
        help_text="base, distance, size, slot, return, cancellation, wait, tip, adjustment, tax."
    )
    name = serializers.CharField(help_text="The kind in words.")
    lines = serializers.IntegerField()
    cents = serializers.IntegerField()


class InvoiceLineOut(Output):
    number = serializers.IntegerField(help_text="Of the line in your account.")
    key = serializers.CharField(help_text="What it charges for; no other line has it.")
    at = serializers.DateTimeField()
    store = serializers.CharField(allow_null=True, help_text="Code of the store.")
    kind = serializers.CharField()
    text = serializers.CharField()
    rule = serializers.CharField(allow_blank=True, help_text="The row of terms it was computed from.")
    subject = serializers.CharField(help_text="Such as order:K7QX4M2P.")
    cents = serializers.IntegerField()


class InvoiceWithLines(InvoiceOut):
    sums = InvoiceSum(many=True)
    lines = InvoiceLineOut(many=True)


class InvoicePage(Output):
    results = InvoiceOut(many=True)
    next = serializers.CharField(allow_null=True)


def told(invoice: Invoice) -> dict[str, Any]:
    return {
        "number": invoice.number,
        "market": invoice.market.code,
        "month": invoice.month.isoformat(),
        "starts_at": events.moment(invoice.starts_at),
        "ends_at": events.moment(invoice.ends_at),
        "currency": invoice.currency,
        "net_cents": invoice.net_cents,
        "tax_cents": invoice.tax_cents,
        "total_cents": invoice.total_cents,
        "issued_at": events.moment(invoice.issued_at),
        "due_on": invoice.due_on.isoformat(),
    }


def told_with_lines(invoice: Invoice) -> dict[str, Any]:
    lines = list(invoicing.lines_of(invoice))
    return {
        **told(invoice),
        "sums": [
            {"store": each.store, "kind": each.kind, "name": billing.named(each.kind), "lines": each.lines,
             "cents": each.cents}
            for each in invoicing.sums(lines)
        ],
        "lines": [
            {"number": line.sequence, "key": line.key, "at": events.moment(line.at),
             "store": line.store.code if line.store else None, "kind": line.kind, "text": line.text,
             "rule": line.rule, "subject": line.subject, "cents": line.cents}
            for line in lines
        ],
    }  # fmt: skip


class InvoiceBase(SellerView):
    """An invoice is of all the seller's stores in a market, so a key of one store may not read it."""

    scopes: ClassVar[dict[str, str]] = {"GET": ApiKey.Scope.BILLING}

    def check_permissions(self, request: Request) -> None:
        super().check_permissions(request)
        if self.system.store is not None:
            raise WholeSellerOnly

    @property
    def reach(self) -> QuerySet[Invoice]:
        # A sandbox costs nothing, so it has no invoices.
        own = Invoice.objects.none() if self.system.sandbox else Invoice.objects.all()
        return own.filter(seller=self.system.seller).select_related("market", "seller")

    def invoice(self, number: str) -> Invoice:
        api.query(self.request, api.NoQuery)
        return get_object_or_404(self.reach, number=number)


class InvoicesView(InvoiceBase):
    @extend_schema(
        operation_id="list_invoices", parameters=[paging.PageQuery], responses=InvoicePage, tags=["Invoices"]
    )
    def get(self, request: Request) -> Response:
        """Your invoices, newest first: one for each month and market with a line."""
        page = paging.newest_first(self.reach, api.query(request, paging.PageQuery), field="number")
        return Response({"results": [told(row) for row in page.rows], "next": page.next})


class InvoiceView(InvoiceBase):
    @extend_schema(operation_id="get_invoice", responses=InvoiceWithLines, tags=["Invoices"])
    def get(self, request: Request, number: str) -> Response:
        """One invoice with its sums by store and kind, and every line of the account that is on it."""
        return Response(told_with_lines(self.invoice(number)))


class InvoicePdfView(InvoiceBase):
    @extend_schema(
        operation_id="get_invoice_pdf",
        responses={(200, "application/pdf"): OpenApiTypes.BINARY},
        tags=["Invoices"],
    )
    def get(self, request: Request, number: str) -> HttpResponse:
        """The invoice for your books."""
        invoice = self.invoice(number)
        answer = HttpResponse(invoice_files.as_pdf(invoice), content_type="application/pdf")
        answer["Content-Disposition"] = f'inline; filename="{invoice.number}.pdf"'
        return answer


class InvoiceCsvView(InvoiceBase):
    @extend_schema(
        operation_id="get_invoice_csv", responses={(200, "text/csv"): OpenApiTypes.STR}, tags=["Invoices"]
    )
    def get(self, request: Request, number: str) -> HttpResponse:
        """Its lines as CSV."""
        invoice = self.invoice(number)
        answer = HttpResponse(invoice_files.as_csv(invoice), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{invoice.number}.csv"'
        return answer
