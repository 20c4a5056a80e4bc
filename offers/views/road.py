"""Pages of what happens to a block on the way: its driver cannot go on, another takes over, a part is split off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from deliveries import reordering
from deliveries.models import Handover
from drivers.access import acts_on, driver_required
from drivers.models import Driver
from offers import aborting, relieving, splitting
from offers.models import Block, Claim
from offers.road_forms import EndingForm, HandoverForm
from offers.views import drive, ops
from retaildelivery.accounts.permissions import operations_required
from retaildelivery.lib.geo import Point
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import Actor
from retaildelivery.web.errors import STATUS

UNPROCESSABLE, CONFLICT = 422, 409


@driver_required
@require_http_methods(["GET", "POST"])
def route(request: HttpRequest, driver: Driver, code: str) -> HttpResponse:
    """The order of the stops still to come: one up, one down, the proposal, or no to it."""
    held = drive.held_claim(driver, code)
    manifest = held.block.manifest
    if manifest is None:
        raise Http404
    manifest.mall, manifest.driver = held.block.mall, driver
    if request.method == "GET":
        return route_page(request, driver, held)
    own = {"driver": driver, "manifest_code": manifest.code, "at": timezone.now()}
    try:
        if "keep" in request.POST:
            reordering.keep(shown=request.POST.getlist("stops"), **own)
            messages.info(request, _("You keep your order."))
            return redirect("offers:driver_block_detail", code)
        changed = reordering.reorder(stop_codes=wanted_order(request), **own)
    except Refused as refusal:
        return route_page(request, driver, held, refusal=refusal, status=STATUS.get(refusal.code, CONFLICT))
    if changed.warnings:
        messages.warning(request, _("Your order is kept. Some promises would be broken by it."))
    else:
        messages.success(request, _("Your order is kept."))
    return redirect("offers:driver_route", code)


def wanted_order(request: HttpRequest) -> list[str]:
    """The codes as sent, with the one that was pressed moved by one place."""
    codes = request.POST.getlist("stops")
    way, _colon, code = request.POST.get("move", "").partition(":")
    if code in codes:
        at = codes.index(code)
        to = max(0, at - 1) if way == "up" else at + 1
        codes.insert(to, codes.pop(at))
    return codes


def route_page(
    request: HttpRequest,
    driver: Driver,
    held: Claim,
    *,
    refusal: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "driver": driver,
        "held": held.block,
        "zone": held.block.mall.zone,
        "outlook": reordering.outlook(held.block.manifest, at=timezone.now()),
        "may_change": held.block.manifest.status in reordering.OPEN_TO_CHANGE,
        "refusal": refusal,
    }
    return render(request, "offers/driver_route.html", context, status=status)


@driver_required
@acts_on("offers:driver_block_detail")
def ending(request: HttpRequest, driver: Driver, code: str) -> HttpResponse:
    """I cannot go on."""
    held = drive.held_claim(driver, code)
    form = EndingForm(request.POST)
    if not form.is_valid():
        return drive.block_page(request, driver, held, status=UNPROCESSABLE, ending_form=form)
    given = form.cleaned_data
    here = given["lat"] is not None and given["lng"] is not None
    try:
        aborting.abort(
            block_code=code,
            driver_id=driver.pk,
            reason=given["reason"],
            note=given["note"],
            point=Point(given["lat"], given["lng"]) if here else None,
            at=timezone.now(),
        )
    except Refused as refusal:
        return refused(request, driver, held, refusal, ending_form=form)
    messages.success(request, _("The block is over. Stay safe; the parcels are taken care of."))
    return redirect("offers:driver_block")


@driver_required
@acts_on("offers:driver_block_detail")
def handover(request: HttpRequest, driver: Driver, code: str) -> HttpResponse:
    """The giver's half of a handover on the way."""
    held = drive.held_claim(driver, code)
    form = HandoverForm(request.POST)
    if not form.is_valid():
        return drive.block_page(request, driver, held, status=UNPROCESSABLE, handover_form=form)
    try:
        relieving.confirm(
            block_code=code,
            driver_id=driver.pk,
            driver_code=form.cleaned_data["driver_code"],
            at=timezone.now(),
        )
    except Refused as refusal:
        return refused(request, driver, held, refusal, handover_form=form)
    messages.success(request, _("Confirmed. Each parcel they scan is theirs now."))
    return redirect("offers:driver_block")


def refused(request: HttpRequest, driver: Driver, held: Any, refusal: Refused, **more: Any) -> HttpResponse:
    status = STATUS.get(refusal.code, CONFLICT)
    return drive.block_page(request, driver, held, status=status, refusal=refusal, **more)


def by_operations(request: HttpRequest) -> Actor:
    return Actor(kind=Fact.Actor.OPERATIONS, name=str(request.user), source="ops page")


def change(
    request: HttpRequest, code: str, verb: Callable[..., Block | Handover], done: str, **given: Any
) -> HttpResponse:
    """One change of a block by operations: done, it is said on the block's page; refused, the page says why. `done`
    may name the block that comes of it."""
    get_object_or_404(Block, code=code)
    try:
        made = verb(block_code=code, actor=by_operations(request), at=timezone.now(), **given)
    except Refused as refusal:
        status = STATUS.get(refusal.code, CONFLICT)
        return ops.block_page(request, code, ops.WithdrawForm(), refusal=refusal, status=status)
    messages.success(request, done % {"code": made.code} if isinstance(made, Block) else done)
    return redirect("offers:ops_block", code=code)


@operations_required
@require_POST
def split(request: HttpRequest, code: str) -> HttpResponse:
    done = _("Block %(code)s is on offer with what was split off.")
    return change(request, code, splitting.split, done, stop_codes=request.POST.getlist("stops"))


@operations_required
@require_POST
def hand_over(request: HttpRequest, code: str) -> HttpResponse:
    done = _("Block %(code)s is on offer to take over.")
    return change(request, code, relieving.hand_over_rest, done, stop_codes=request.POST.getlist("stops"))


@operations_required
@require_POST
def abort(request: HttpRequest, code: str) -> HttpResponse:
    form = EndingForm(request.POST)
    if not form.is_valid():
        return ops.block_page(request, code, ops.WithdrawForm(), status=UNPROCESSABLE, ending_form=form)
    done, given = _("Block %(code)s is broken off."), form.cleaned_data
    return change(
        request, code, aborting.abort_by_operations, done, reason=given["reason"], note=given["note"]
    )


@operations_required
@require_POST
def confirm_handover(request: HttpRequest, code: str) -> HttpResponse:
    done = _("The handover is confirmed.")
    return change(request, code, relieving.confirm_by_operations, done, user=request.user)
