"""Pages of what happens to a block on the way: its driver cannot go on, another takes over, a part is split off."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from drivers.access import acts_on, driver_required
from drivers.models import Driver
from offers import aborting, relieving, splitting
from offers.models import Block
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


@operations_required
@require_POST
def split(request: HttpRequest, code: str) -> HttpResponse:
    get_object_or_404(Block, code=code)
    try:
        made = splitting.split(
            block_code=code,
            stop_codes=request.POST.getlist("stops"),
            actor=by_operations(request),
            at=timezone.now(),
        )
    except Refused as refusal:
        return ops.block_page(request, code, ops.WithdrawForm(), refusal=refusal, status=CONFLICT)
    messages.success(request, _("Block %(code)s is on offer with what was split off.") % {"code": made.code})
    return redirect("offers:ops_block", code=code)


@operations_required
@require_POST
def hand_over(request: HttpRequest, code: str) -> HttpResponse:
    get_object_or_404(Block, code=code)
    try:
        made = relieving.hand_over_rest(
            block_code=code,
            stop_codes=request.POST.getlist("stops"),
            actor=by_operations(request),
            at=timezone.now(),
        )
    except Refused as refusal:
        return ops.block_page(request, code, ops.WithdrawForm(), refusal=refusal, status=CONFLICT)
    messages.success(request, _("Block %(code)s is on offer to take over.") % {"code": made.code})
    return redirect("offers:ops_block", code=code)


@operations_required
@require_POST
def abort(request: HttpRequest, code: str) -> HttpResponse:
    get_object_or_404(Block, code=code)
    form = EndingForm(request.POST)
    if not form.is_valid():
        return ops.block_page(request, code, ops.WithdrawForm(), status=UNPROCESSABLE, ending_form=form)
    try:
        aborting.abort_by_operations(
            block_code=code,
            reason=form.cleaned_data["reason"],
            note=form.cleaned_data["note"],
            actor=by_operations(request),
            at=timezone.now(),
        )
    except Refused as refusal:
        return ops.block_page(request, code, ops.WithdrawForm(), refusal=refusal, status=CONFLICT)
    messages.success(request, _("Block %(code)s is broken off.") % {"code": code})
    return redirect("offers:ops_block", code=code)


@operations_required
@require_POST
def confirm_handover(request: HttpRequest, code: str) -> HttpResponse:
    get_object_or_404(Block, code=code)
    try:
        relieving.confirm_by_operations(
            block_code=code, user=request.user, actor=by_operations(request), at=timezone.now()
        )
    except Refused as refusal:
        return ops.block_page(request, code, ops.WithdrawForm(), refusal=refusal, status=CONFLICT)
    messages.success(request, _("The handover is confirmed."))
    return redirect("offers:ops_block", code=code)
