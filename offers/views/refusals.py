"""A store asks to see a driver no more; operations decide."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from drivers.models import Driver
from offers import limits, refusing
from offers.models import StoreBlockade
from retaildelivery.accounts.permissions import operations_required
from retaildelivery.lib.refusals import Refused
from stores import team
from stores.models import Store

UNPROCESSABLE, CONFLICT = 422, 409


class AskForm(forms.Form):
    """Only drivers who were at the counter lately can be named."""

    driver = forms.ChoiceField(label=gettext_lazy("Driver"))
    reason = forms.CharField(
        label=gettext_lazy("What happened"),
        max_length=200,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Operations read it and decide. The driver does not see who asked."),
    )

    def __init__(self, *args: object, visitors: list[Driver], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["driver"].choices = [  # type: ignore[attr-defined]
            (driver.code, f"{driver.user.name or driver.code} · {driver.code}") for driver in visitors
        ]


@login_required
@require_http_methods(["GET", "POST"])
def of_store(request: HttpRequest, code: str) -> HttpResponse:
    """What this store has asked for, and the form to ask. A manager's page."""
    store = get_object_or_404(
        Store.objects.visible_to(request.user).select_related("mall__market", "seller"), code=code
    )
    if not team.manages(request.user, store.seller):
        raise PermissionDenied
    at = timezone.now()
    visitors = refusing.visitors(store, at=at)
    form = AskForm(request.POST if request.method == "POST" else None, visitors=visitors)
    state, refusal = 200, None
    if request.method == "POST":
        state = UNPROCESSABLE
        if form.is_valid():
            try:
                refusing.ask(
                    store=store,
                    driver_code=form.cleaned_data["driver"],
                    reason=form.cleaned_data["reason"],
                    by=request.user,
                    at=at,
                )
            except Refused as refused:
                state, refusal = CONFLICT, refused
            else:
                messages.success(request, _("Operations have your request and will decide."))
                return redirect("offers:store_refusals", code)
    rows = StoreBlockade.objects.filter(store=store).select_related("driver__user", "asked_by")
    context = {
        "store": store,
        "form": form,
        "visitors": visitors,
        "rows": rows.order_by("-asked_at", "-pk")[: limits.BOARD_ROWS],
        "refusal": refusal,
    }
    return render(request, "offers/store_refusals.html", context, status=state)


@operations_required
@require_GET
def for_operations(request: HttpRequest) -> HttpResponse:
    """What stores ask, oldest first, and what is in force."""
    rows = StoreBlockade.objects.select_related("store__mall", "driver__user", "asked_by", "granted_by")
    context = {
        "open": rows.open().order_by("asked_at", "pk")[: limits.BOARD_ROWS],  # type: ignore[attr-defined]
        "in_force": rows.in_force().order_by("-granted_at", "-pk")[: limits.BOARD_ROWS],  # type: ignore[attr-defined]
    }
    return render(request, "offers/ops_refusals.html", context)


@operations_required
@require_POST
def grant(request: HttpRequest, code: str) -> HttpResponse:
    get_object_or_404(StoreBlockade, code=code)
    try:
        refusing.grant(code=code, by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("Granted: blocks that collect there are refused to the driver."))
    return redirect("offers:ops_refusals")


@operations_required
@require_POST
def end(request: HttpRequest, code: str) -> HttpResponse:
    get_object_or_404(StoreBlockade, code=code)
    try:
        refusing.end(code=code, reason=request.POST.get("reason", ""), by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("Ended. The record stays."))
    return redirect("offers:ops_refusals")
