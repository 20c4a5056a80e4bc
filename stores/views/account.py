"""What a seller owes, line by line, and the invoices of each month."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from stores import billing, invoice_files, invoicing, limits
from stores.models import Invoice, Seller, SellerPosting
from stores.views.settings import manager_required

FORMS = {
    "pdf": (invoice_files.as_pdf, "application/pdf"),
    "csv": (invoice_files.as_csv, "text/csv; charset=utf-8"),
}


@manager_required
@require_GET
def account(request: HttpRequest, seller: Seller) -> HttpResponse:
    """The lines of the account, newest first, what they come to, and the latest invoices."""
    page = Paginator(billing.statement(seller), limits.STATEMENT_PAGE).get_page(request.GET.get("page"))
    for line in page:
        line.order_code, line.block_code = _order_of(line), _block_of(line)
        line.zone = line.store.mall.zone if line.store else line.market.zone
        line.invoice = line.invoice_line.invoice if hasattr(line, "invoice_line") else None
    context = {
        "seller": seller,
        "page": page,
        "balance_cents": billing.balance(seller),
        "open_cents": billing.not_invoiced(seller),
        "invoices": _of(seller)[:3],
    }
    return render(request, "stores/account.html", context)


def _block_of(line: SellerPosting) -> str:
    """The block a line is for, if it is for one."""
    noun, _colon, code = line.subject.partition(":")
    return code if noun == "block" else ""


def _order_of(line: SellerPosting) -> str:
    """The order a line is for, if it is for one."""
    noun, _colon, code = line.subject.partition(":")
    return code if noun == "order" else ""


def _of(seller: Seller) -> QuerySet[Invoice]:
    return Invoice.objects.filter(seller=seller).select_related("market").order_by("-month", "-pk")


@manager_required
@require_GET
def invoices(request: HttpRequest, seller: Seller) -> HttpResponse:
    """Every invoice of the seller, newest month first."""
    page = Paginator(_of(seller), limits.INVOICES_PAGE).get_page(request.GET.get("page"))
    return render(request, "stores/invoices.html", {"seller": seller, "page": page})


@manager_required
@require_GET
def invoice(request: HttpRequest, seller: Seller, number: str) -> HttpResponse:
    """One invoice: by store and kind, then line by line."""
    found = get_object_or_404(_of(seller), number=number)
    lines = list(invoicing.lines_of(found))
    shown = Paginator(lines, limits.STATEMENT_PAGE).get_page(request.GET.get("page"))
    for line in shown:
        line.order_code, line.block_code = _order_of(line), _block_of(line)
    context = {
        "seller": seller,
        "invoice": found,
        "issued_on": found.market.day(found.issued_at),
        "heading": invoice_files.heading(found),
        "zone": found.market.zone,
        "sums": [(each, billing.named(each.kind)) for each in invoicing.sums(lines)],
        "page": shown,
    }
    return render(request, "stores/invoice.html", context)


@manager_required
@require_GET
def invoice_file(request: HttpRequest, seller: Seller, number: str, form: str) -> HttpResponse:
    """The invoice as PDF or CSV."""
    write, kind = FORMS[form]
    answer = HttpResponse(write(get_object_or_404(_of(seller), number=number)), content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{number}.{form}"'
    return answer
