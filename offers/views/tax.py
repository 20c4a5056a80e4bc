"""Form 1099-NEC for operations: who was paid what in a year, and the files for filing."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from drivers import pay_files, taxforms
from offers import limits, paydays
from retaildelivery.accounts.permissions import operations_required
from stores.models import Market


@operations_required
@require_GET
def year(request: HttpRequest, year: int | None = None) -> HttpResponse:
    """A market's year; the last whole one unless another is asked for."""
    markets = Market.objects.order_by("name")
    market = (
        get_object_or_404(markets, code=request.GET["market"]) if "market" in request.GET else markets.first()
    )
    now = timezone.now()
    this_year = now.astimezone(paydays.zone_of(market.code if market else "")).year
    shown = this_year - 1 if year is None else year
    if not taxforms.is_year(shown):
        raise Http404
    forms = taxforms.forms(shown, market_code=market.code) if market else []
    due = [form for form in forms if form.due]
    context = {
        "year": shown,
        "years": [this_year, this_year - 1, this_year - 2],
        "market": market,
        "markets": markets,
        "page": Paginator(forms, limits.TAX_PAGE).get_page(request.GET.get("page")),
        "due_count": len(due),
        "missing": [form for form in due if form.incomplete],
        "due_cents": sum(form.paid.box1_cents for form in due),
        "threshold_cents": taxforms.threshold(shown),
        "threshold_known": shown <= taxforms.LAST_KNOWN,
        "parts": range(1, -(-len(due) // taxforms.FORMS_PER_FILE) + 1),
        "notes": pay_files.counted(),
    }
    return render(request, "offers/ops_tax.html", context)


@operations_required
@require_GET
def year_file(request: HttpRequest, market: str, year: int, part: int) -> HttpResponse:
    """The forms that are due, a hundred to a file, in the tax office's columns."""
    found = get_object_or_404(Market, code=market)
    if not taxforms.is_year(year):
        raise Http404
    due = [form for form in taxforms.forms(year, market_code=found.code) if form.due]
    rows = due[(part - 1) * taxforms.FORMS_PER_FILE : part * taxforms.FORMS_PER_FILE]
    if not rows:
        raise Http404
    state = "-incomplete" if any(form.incomplete for form in rows) else ""
    return _sent(taxforms.file_of(rows, year), f"1099-nec-{found.code}-{year}-{part}{state}.csv")


@operations_required
@require_GET
def missing_file(request: HttpRequest, market: str, year: int) -> HttpResponse:
    """Whose Form W-9 is missing for the forms of this year."""
    found = get_object_or_404(Market, code=market)
    if not taxforms.is_year(year):
        raise Http404
    forms = taxforms.forms(year, market_code=found.code)
    return _sent(taxforms.missing_of(forms), f"w9-missing-{found.code}-{year}.csv")


def _sent(content: str, name: str) -> HttpResponse:
    answer = HttpResponse(content, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "no-store"
    return answer
