"""Where a market's money is, month by month, for operations."""

from __future__ import annotations

import datetime as dt

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from offers import balance
from retaildelivery.accounts.permissions import operations_required
from stores.models import Market


@operations_required
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """This month of the first market."""
    market = Market.objects.order_by("name", "pk").first()
    if market is None:
        raise Http404
    today = market.day(timezone.now())
    return redirect("offers:ops_balance", market.code, today.year, today.month)


@operations_required
@require_GET
def month(request: HttpRequest, market: str, year: int, month: int) -> HttpResponse:
    found = get_object_or_404(Market, code=market)
    try:
        first = dt.date(year, month, 1)
        before, after = (first - dt.timedelta(days=1)).replace(day=1), first + dt.timedelta(days=31)
    except (ValueError, OverflowError) as error:
        raise Http404 from error
    this_month = timezone.now().astimezone(found.zone).date().replace(day=1)
    context = {
        "market": found,
        "markets": Market.objects.order_by("name"),
        "first": first,
        "before": before,
        "after": after if first < this_month else None,
        "balance": balance.of(found, balance.month(found, first)),
    }
    return render(request, "offers/ops_balance.html", context)
