"""A driver asks for a toll, or for a way that nobody planned, to be paid."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from drivers.access import driver_required
from drivers.models import Driver
from offers import extras
from offers.drive_forms import TollForm, TripForm
from offers.models import Block
from retaildelivery.lib import money
from retaildelivery.lib.refusals import Refused

CONFLICT, UNPROCESSABLE = 409, 422


@driver_required
@require_http_methods(["GET", "POST"])
def toll(request: HttpRequest, driver: Driver, code: str) -> HttpResponse:
    form = TollForm(request.POST or None, request.FILES or None)

    def ask() -> None:
        given = form.cleaned_data
        cents = money.cents(given.pop("amount"))
        extras.ask_toll(block_code=code, driver=driver, cents=cents, at=timezone.now(), **given)

    return _asked(request, form, {"driver": driver, "code": code, "kind": "toll"}, ask)


@driver_required
@require_http_methods(["GET", "POST"])
def trip(request: HttpRequest, driver: Driver, code: str) -> HttpResponse:
    form = TripForm(request.POST or None)

    def ask() -> None:
        extras.ask_trip(block_code=code, driver=driver, at=timezone.now(), **form.cleaned_data)

    return _asked(request, form, {"driver": driver, "code": code, "kind": "trip"}, ask)


def _asked(
    request: HttpRequest, form: forms.Form, context: dict[str, Any], ask: Callable[[], None]
) -> HttpResponse:
    context["form"] = form
    if not form.is_valid():
        status = UNPROCESSABLE if form.is_bound else 200
        return render(request, "offers/driver_extra.html", context, status=status)
    try:
        ask()
    except Block.DoesNotExist as error:
        raise Http404 from error
    except Refused as refusal:
        return render(request, "offers/driver_extra.html", context | {"refusal": refusal}, status=CONFLICT)
    messages.success(request, _("Sent. A person looks at it; what is granted is a line of this block."))
    return redirect("offers:driver_block_pay", context["code"])
