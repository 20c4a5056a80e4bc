"""Pages on which a driver asks that another takes stops over, and on which operations answer."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from drivers.access import acts_on, driver_required
from drivers.models import Driver
from offers import asking_relief
from offers.models import Claim, ReliefRequest
from offers.road_forms import ReliefForm
from offers.views import drive, road
from retaildelivery.accounts.permissions import operations_required
from retaildelivery.lib.refusals import Refused
from retaildelivery.web.errors import STATUS


@driver_required
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest, driver: Driver, code: str) -> HttpResponse:
    """Which stops another driver should take over; those whose promise would break are chosen beforehand."""
    held = drive.held_claim(driver, code)
    if request.method == "GET":
        return relief_page(request, driver, held)
    form = ReliefForm(request.POST)
    if not form.is_valid():
        return relief_page(request, driver, held, form=form, status=road.UNPROCESSABLE)
    try:
        asking_relief.ask(
            block_code=code,
            driver_id=driver.pk,
            stop_codes=form.stops,
            note=form.cleaned_data["note"],
            at=timezone.now(),
        )
    except Refused as refusal:
        status = STATUS.get(refusal.code, road.CONFLICT)
        return relief_page(request, driver, held, form=form, refusal=refusal, status=status)
    messages.success(request, _("Operations have your request. Drive on until they answer."))
    return redirect("offers:driver_block_detail", code)


def relief_page(
    request: HttpRequest,
    driver: Driver,
    held: Claim,
    *,
    form: ReliefForm | None = None,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    held.driver = driver
    choices = asking_relief.choices(held, at=timezone.now())
    context = {
        "driver": driver,
        "held": held.block,
        "zone": held.block.mall.zone,
        "choices": choices,
        "chosen": form.stops if form else [each.call.stop.code for each in choices if each.proposed],
        "proposes": any(each.proposed for each in choices),
        "form": form or ReliefForm(),
        **more,
    }
    return render(request, "offers/driver_relief.html", context, status=status)


@driver_required
@acts_on("offers:driver_block_detail")
def take_back(request: HttpRequest, driver: Driver, code: str) -> HttpResponse:
    drive.held_claim(driver, code)
    asking_relief.take_back(block_code=code, driver_id=driver.pk, at=timezone.now())
    messages.info(request, _("You keep these stops."))
    return redirect("offers:driver_block_detail", code)


@operations_required
@require_POST
def answer(request: HttpRequest, code: str) -> HttpResponse:
    """Grant or decline with one press, on the board or on the block's page."""
    asked = get_object_or_404(ReliefRequest.objects.select_related("claim__block"), code=code)
    actor, at = road.by_operations(request), timezone.now()
    try:
        if "decline" in request.POST:
            words = request.POST.get("answer", "")
            asking_relief.decline(code=code, answer=words, actor=actor, at=at)
            messages.info(request, _("Declined. The driver is told."))
        else:
            made = asking_relief.grant(code=code, actor=actor, at=at)
            messages.success(request, _("Block %(code)s is on offer to take over.") % {"code": made.code})
    except Refused as refusal:
        messages.error(request, refusal.message)
    if "board" in request.POST:
        return redirect("offers:board")
    return redirect("offers:ops_block", asked.claim.block.code)
