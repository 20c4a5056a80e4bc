"""What a seller owes, line by line."""

from __future__ import annotations

import datetime as dt

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from stores import billing, limits
from stores.models import Seller
from stores.views.settings import manager_required


@manager_required
@require_GET
def account(request: HttpRequest, seller: Seller) -> HttpResponse:
    """The lines of the account, newest first, and what they come to."""
    page = Paginator(billing.statement(seller), limits.STATEMENT_PAGE).get_page(request.GET.get("page"))
    for line in page:
        noun, _colon, code = line.subject.partition(":")
        line.order_code = code if noun == "order" else ""
        line.zone = line.store.mall.zone if line.store else dt.UTC
    context = {"seller": seller, "page": page, "balance_cents": billing.balance(seller)}
    return render(request, "stores/account.html", context)
