"""After an order has ended, at the store's door: try it again, and take its proof away."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from deliveries import proof_pdf, redelivering
from deliveries.store_forms import AgainForm
from deliveries.views.store import order_page, staff_of, visible
from retaildelivery.lib.refusals import Refused


@login_required
@require_POST
def again(request: HttpRequest, code: str) -> HttpResponse:
    order = get_object_or_404(visible(request), code=code)
    form = AgainForm(request.POST, zone=order.store.mall.zone)
    if not form.is_valid():
        return order_page(request, order, again=form, status=422)
    try:
        posted = redelivering.redeliver(
            order_code=order.code,
            scope=visible(request),
            changes=form.cleaned_data,
            actor=staff_of(request),
            at=timezone.now(),
            placed_by=request.user,
        )
    except Refused as refusal:
        return order_page(request, order, again=form, refusal=refusal, status=409)
    messages.success(request, _("Order %(code)s tries it again. Print its labels.") % {"code": posted.code})
    return redirect("deliveries:store_order", code=posted.code)


@login_required
@require_GET
def proof(request: HttpRequest, code: str) -> HttpResponse:
    order = get_object_or_404(visible(request), code=code)
    url = request.build_absolute_uri(reverse("deliveries:verify_proof"))
    answer = HttpResponse(
        proof_pdf.signed_pdf(order, verify_url=url, at=timezone.now()), content_type="application/pdf"
    )
    answer["Content-Disposition"] = f'inline; filename="{order.code}-proof.pdf"'
    return answer
