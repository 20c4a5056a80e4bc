"""Labels for the counter's printer."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from deliveries import labels
from deliveries.models import Order


@login_required
@require_GET
def order_labels(request: HttpRequest, code: str) -> HttpResponse:
    """The labels of an order, one page a parcel, as one PDF."""
    orders = Order.objects.visible_to(request.user)  # type: ignore[attr-defined]
    order = get_object_or_404(orders, code=code)
    parcels = order.parcels.order_by("number").select_related(
        "order__store__mall__market", "order__store__seller"
    )
    answer = HttpResponse(labels.labels_pdf(list(parcels)), content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="labels-{order.code}.pdf"'
    return answer
