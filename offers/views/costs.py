"""The driver's page of what driving costs them."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from drivers import clocks, costing
from drivers.access import driver_required
from drivers.models import Driver
from offers import reckoning
from offers.cost_forms import CostForm
from stores.models import Mall

UNPROCESSABLE = 422


@driver_required
@require_http_methods(["GET", "POST"])
def costs(request: HttpRequest, driver: Driver) -> HttpResponse:
    """By whose figures what is left is reckoned, from what, and from where."""
    at = timezone.now()
    found, today = costing.of(driver), clocks.day_of(driver, at)
    form = CostForm(
        request.POST if request.method == "POST" else None, initial=CostForm.initial_of(found.profile)
    )
    if request.method == "POST" and form.is_valid():
        reckoning.keep(driver_id=driver.pk, at=at, **form.kept)
        messages.success(request, _("Saved. Every offer shows it from now on."))
        return redirect("offers:driver_costs")
    context = {
        "driver": driver,
        "form": form,
        "irs": found.irs(today),
        "mall": Mall.objects.filter(market__code=driver.market_code).order_by("pk").first(),
        "cents": found.cents_a_mile(today),
    }
    response = render(
        request, "offers/driver_costs.html", context, status=UNPROCESSABLE if form.errors else 200
    )
    response["Cache-Control"] = "private, no-store"
    return response
