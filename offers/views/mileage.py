"""The driver's mileage log, to read and to take along."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from drivers import taxforms
from drivers.access import driver_required
from drivers.models import Driver
from offers import limits, logbook, paydays


@driver_required
@require_GET
def log(request: HttpRequest, driver: Driver) -> HttpResponse:
    """A year of business miles, what they come to at the tax office's rate, and where each figure is from."""
    today = timezone.now().astimezone(paydays.zone_of(driver.market_code)).date()
    asked = request.GET.get("year", "")
    found = logbook.of_year(driver, year_or_404(int(asked) if asked.isdecimal() else today.year))
    context = {
        "driver": driver,
        "log": found,
        "years": logbook.years(driver, today=today),
        "page": Paginator(found.entries, limits.LOG_PAGE).get_page(request.GET.get("page")),
    }
    response = render(request, "offers/driver_mileage.html", context)
    response["Cache-Control"] = "private, no-store"
    return response


@driver_required
@require_GET
def log_file(request: HttpRequest, driver: Driver, year: int) -> HttpResponse:
    """The same as CSV."""
    found = logbook.of_year(driver, year_or_404(year))
    answer = HttpResponse(logbook.csv(found), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="mileage-{driver.code}-{year}.csv"'
    answer["Cache-Control"] = "no-store"
    return answer


def year_or_404(year: int) -> int:
    """Raises Http404."""
    if not taxforms.is_year(year):
        raise Http404
    return year
