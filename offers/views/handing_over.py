"""Pages of a claimed block that another drives, or that begins late."""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from drivers.access import acts_on, driver_required
from drivers.models import Driver
from offers import feed, handing_over, lateness
from offers.drive_forms import HandOverForm, LateForm
from offers.models import HandOver
from offers.views.drive import CONFLICT, UNPROCESSABLE, block_page, held_claim, moments_of
from retaildelivery.lib.refusals import Refused
from retaildelivery.web.errors import STATUS


@driver_required
@acts_on("offers:driver_block_detail")
def late(request: HttpRequest, driver: Driver, code: str) -> HttpResponse:
    """Say that one will be late, in minutes after the start."""
    held = held_claim(driver, code)
    form = LateForm(request.POST)
    if not form.is_valid():
        return block_page(request, driver, held, status=UNPROCESSABLE, late_form=form)
    eta_at = held.block.starts_at + dt.timedelta(minutes=int(form.cleaned_data["minutes"]))
    try:
        lateness.tell(block_code=code, driver_id=driver.pk, eta_at=eta_at, at=timezone.now())
    except Refused as refusal:
        status = STATUS.get(refusal.code, CONFLICT)
        return block_page(request, driver, held, status=status, refusal=refusal)
    messages.success(request, _("The stores know when to expect you. Drive safely."))
    return redirect("offers:driver_block_detail", code)


@driver_required
@require_http_methods(["GET", "POST"])
def propose(request: HttpRequest, driver: Driver, code: str) -> HttpResponse:
    """Name the driver who shall have the block; it stays one's own until they accept."""
    held = held_claim(driver, code)
    at = timezone.now()
    asked = HandOver.objects.open_at(at).filter(claim=held).select_related("receiver__user").first()  # type: ignore[attr-defined]
    form = HandOverForm(request.POST if request.method == "POST" else None)
    context = {"driver": driver, "held": held.block, "claim": held, "form": form, "asked": asked}
    if request.method == "GET":
        return render(request, "offers/driver_hand_over.html", context)
    if not form.is_valid():
        return render(request, "offers/driver_hand_over.html", context, status=UNPROCESSABLE)
    try:
        handing_over.propose(
            block_code=code, driver_id=driver.pk, receiver_code=form.cleaned_data["driver"], at=at
        )
    except Refused as refusal:
        return render(
            request, "offers/driver_hand_over.html", context | {"refusal": refusal}, status=CONFLICT
        )
    messages.success(request, _("They are asked. The block is yours until they accept."))
    return redirect("offers:driver_hand_over", code)


@driver_required
@require_POST
def take_back(request: HttpRequest, driver: Driver, code: str) -> HttpResponse:
    asked = get_object_or_404(
        HandOver.objects.filter(claim__driver=driver).select_related("claim__block"), code=code
    )
    try:
        handing_over.take_back(code=code, driver_id=driver.pk, at=timezone.now())
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.info(request, _("You keep the block."))
    return redirect("offers:driver_block_detail", asked.claim.block.code)


@driver_required
@require_GET
def proposed(request: HttpRequest, driver: Driver, code: str) -> HttpResponse:
    """A block that another driver would give to this one."""
    return proposed_page(request, driver, code)


def proposed_page(
    request: HttpRequest, driver: Driver, code: str, *, refusal: Refused | None = None
) -> HttpResponse:
    asked = get_object_or_404(feed.hand_overs_of(driver).filter(receiver=driver), code=code)
    at = timezone.now()
    context = {
        "driver": driver,
        "asked": asked,
        "held": asked.claim.block,
        "is_open": asked.ended_at is None and asked.expires_at > at and asked.claim.ended_at is None,
        "refusal": refusal,
        **moments_of(asked.claim.block, at=at),
    }
    return render(request, "offers/driver_hand_over_asked.html", context, status=CONFLICT if refusal else 200)


@driver_required
@acts_on("offers:driver_hand_over_asked")
def answer(request: HttpRequest, driver: Driver, code: str) -> HttpResponse:
    asked = get_object_or_404(
        HandOver.objects.filter(receiver=driver).select_related("claim__block"), code=code
    )
    try:
        if "decline" in request.POST:
            handing_over.decline(code=code, driver_id=driver.pk, at=timezone.now())
            messages.info(request, _("Declined. That never counts against you."))
            return redirect("offers:driver_offers")
        handing_over.accept(code=code, driver_id=driver.pk, at=timezone.now())
    except Refused as refusal:
        return proposed_page(request, driver, code, refusal=refusal)
    messages.success(request, _("The block is yours."))
    return redirect("offers:driver_block_detail", asked.claim.block.code)
