"""A driver's Form W-9: entered once, kept sealed, shown by its last four digits."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from drivers import taxpaying
from drivers.access import driver_required
from drivers.models import Driver
from offers import paydays
from offers.tax_forms import W9Form
from retaildelivery.lib.refusals import Refused

UNPROCESSABLE = 422


@driver_required
@require_http_methods(["GET", "POST"])
def w9(request: HttpRequest, driver: Driver) -> HttpResponse:
    """Tax details, certified under penalty of perjury as the form of the tax office has it."""
    current = taxpaying.current(driver)
    form = W9Form(request.POST) if request.method == "POST" else W9Form(initial=_known(driver, current))
    context: dict[str, Any] = {
        "driver": driver,
        "form": form,
        "current": current,
        "zone": paydays.zone_of(driver.market_code),
    }
    if request.method == "GET":
        return render(request, "offers/driver_w9.html", context)
    if not form.is_valid():
        return render(request, "offers/driver_w9.html", context, status=UNPROCESSABLE)
    try:
        taxpaying.certify(driver=driver, details=form.details, at=timezone.now())
    except Refused as refusal:
        return render(request, "offers/driver_w9.html", context | {"refusal": refusal}, status=UNPROCESSABLE)
    messages.success(request, _("Certified. Your yearly form goes by these details."))
    return redirect("offers:driver_w9")


def _known(driver: Driver, current: Any) -> dict[str, Any]:
    """What the form begins with; never the number."""
    if current is None:
        return {"name": driver.user.name}
    names = ("name", "business_name", "classification", "street", "city", "region", "postal_code", "tin_kind")
    return {name: getattr(current, name) for name in names}
