"""Charges for waiting: the store contests one, operations say who was at fault."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from offers import evidence
from offers.forms import ContestForm, FaultForm
from retaildelivery.accounts.permissions import operations_required
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import Actor
from stores import contesting
from stores.models import Contest, Seller, SellerPosting
from stores.views.settings import manager_required

CONFLICT, UNPROCESSABLE = 409, 422


def _charges(seller_code: str) -> Any:
    rows = SellerPosting.objects.filter(seller__code=seller_code, kind=contesting.WAIT, store__isnull=False)
    return rows.select_related("seller", "store__mall__market").prefetch_related("contests__decided_by")


def _page(charge: SellerPosting, *, at: dt.datetime) -> dict[str, Any]:
    """What both sides see: the charge, what the system knows, and what was said about it."""
    contests = sorted(charge.contests.all(), key=lambda each: -each.pk)
    pending = next((each for each in contests if each.status == Contest.Status.OPEN), None)
    known = contests[0].evidence if contests else evidence.of_wait(charge)
    assert charge.store is not None, "Only charges of a store are here."
    return {
        "charge": charge,
        "zone": charge.store.mall.zone,
        "contests": contests,
        "pending": pending,
        "known": evidence.read(known),
        "block_code": charge.subject.partition(":")[2],
        "at": at,
    }


@manager_required
@require_http_methods(["GET", "POST"])
def of_store(request: HttpRequest, seller: Seller, sequence: int) -> HttpResponse:
    """One charge for waiting with all that is known of it; a manager may contest it."""
    charge = get_object_or_404(_charges(seller.code), sequence=sequence)
    at = timezone.now()
    form = ContestForm(request.POST if request.method == "POST" else None)
    context = {**_page(charge, at=at), "seller": seller, "form": form, "free": contesting.free(charge, at=at)}
    if request.method == "GET":
        return render(request, "offers/store_charge.html", context)
    if not form.is_valid():
        return render(request, "offers/store_charge.html", context, status=UNPROCESSABLE)
    try:
        contesting.contest(
            posting=charge, evidence=evidence.of_wait(charge), actor=_actor(request), by=request.user, at=at,
            **form.cleaned_data,
        )  # fmt: skip
    except Refused as refusal:
        return render(request, "offers/store_charge.html", context | {"refusal": refusal}, status=CONFLICT)
    messages.success(request, _("Contested. A person answers within 72 hours, with reasons."))
    return redirect("offers:store_charge", seller.code, sequence)


def _actor(request: HttpRequest) -> Actor:
    return Actor(kind=Fact.Actor.STAFF, name=str(request.user))


@manager_required
@require_POST
def withdraw(request: HttpRequest, seller: Seller, code: str) -> HttpResponse:
    """Take it back."""
    rows = Contest.objects.filter(posting__seller=seller).exclude(reason=Contest.Reason.REVIEW)
    found = get_object_or_404(rows.select_related("posting"), code=code)
    try:
        contesting.withdraw(code=code, actor=_actor(request), at=timezone.now())
        messages.success(request, _("Taken back. You can contest it again."))
    except Refused as refusal:
        messages.error(request, refusal.message)
    return redirect("offers:store_charge", seller.code, found.posting.sequence)


@operations_required
@require_http_methods(["GET", "POST"])
def for_operations(request: HttpRequest, seller: str, sequence: int) -> HttpResponse:
    """One charge for waiting, and who was at fault, by whoever is signed in."""
    charge = get_object_or_404(_charges(seller), sequence=sequence)
    at = timezone.now()
    context = _page(charge, at=at)
    form = FaultForm(request.POST if request.method == "POST" else None)
    settled = any(each.decided_by_id for each in context["contests"])
    context |= {"form": form, "open": context["pending"] is not None or not settled}
    if request.method == "GET":
        return render(request, "offers/ops_wait.html", context)
    if not form.is_valid():
        return render(request, "offers/ops_wait.html", context, status=UNPROCESSABLE)
    try:
        _decide(charge, context["pending"], form.cleaned_data, by=request.user, at=at)
    except Refused as refusal:
        return render(request, "offers/ops_wait.html", context | {"refusal": refusal}, status=CONFLICT)
    messages.success(request, _("Decided. The store reads your reasons."))
    return redirect("offers:ops_disputes")


def _decide(
    charge: SellerPosting, pending: Contest | None, given: dict[str, str], *, by: Any, at: dt.datetime
) -> None:
    if pending is not None:
        contesting.decide(code=pending.code, by=by, at=at, **given)
    else:
        contesting.review(posting=charge, evidence=evidence.of_wait(charge), by=by, at=at, **given)
