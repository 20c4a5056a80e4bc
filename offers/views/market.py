"""How the search for an order's driver goes: what its store sees of the market."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from deliveries.models import Order
from offers import market


@login_required
@require_GET
def of_order(request: HttpRequest, code: str) -> HttpResponse:
    """A page of its own, or the card that the order's page loads."""
    orders = Order.objects.visible_to(request.user).select_related("store__mall__market")
    order = get_object_or_404(orders, code=code)
    search = market.of(order, at=timezone.now())
    template = "offers/store_market.html#card" if request.htmx else "offers/store_market.html"
    context = {"order": order, "search": search, "zone": order.store.mall.zone}
    return render(request, template, context)
