"""Operations: the plan of a mall on a map and in words, planning it again, and keeping a block as it is."""

from __future__ import annotations

import datetime as dt
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from deliveries.models import Order
from offers import board, freezing, plans, rearranging, scenes
from offers.forms import FreezeForm
from offers.models import Block
from offers.planning import waves
from offers.views.ops import market_of
from retaildelivery.accounts.models import User
from retaildelivery.accounts.permissions import operations_required
from retaildelivery.lib.refusals import Refused
from retaildelivery.web import polling
from stores.models import Mall


@operations_required
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The plan of the busiest mall of the market that operations look at."""
    mall = plans.busiest_mall(market_of(request))
    if mall is None:
        return render(request, "offers/ops_plan_none.html")
    return redirect("offers:ops_plan", mall=mall.code)


@operations_required
@require_GET
def plan(request: HttpRequest, mall: str) -> HttpResponse:
    return plan_page(request, mall, FreezeForm())


def plan_page(
    request: HttpRequest, code: str, form: FreezeForm, *, refusal: Refused | None = None, status: int = 200
) -> HttpResponse:
    mall = get_object_or_404(Mall.objects.select_related("market"), code=code, active=True)
    now = timezone.now()
    runs, waiting = plans.runs_of(mall), plans.waiting_at(mall)
    newest = runs[0] if runs else None
    laid = plans.of_mall(mall, newest, at=now)
    progress = progress_of(request, mall, at=now)
    context = {
        "mall": mall,
        "zone": mall.zone,
        "progress": progress,
        "malls": board.malls(mall.market),
        "laid": laid,
        "map": scenes.plan(mall, laid, waiting),
        "compared": plans.compared(runs),
        "runs": [(run, plans.per_order(run), plans.noted(run)) for run in runs],
        "newest": newest,
        "notes": plans.noted(newest) if newest else [],
        "left": plans.left_of(newest, waiting, mall),
        "form": form,
        "refusal": refusal,
    }
    page = "offers/ops_plan.html#plan" if request.htmx and status == 200 else "offers/ops_plan.html"
    return polling.answer(request, render(request, page, context, status=status))


def progress_of(request: HttpRequest, mall: Mall, *, at: dt.datetime) -> plans.Progress | None:
    """Of the wave that this page waits for, by the moment in its address; None when it waits for none."""
    try:
        asked_at = dt.datetime.fromisoformat(request.GET.get("asked", ""))
    except ValueError:
        return None
    return plans.progress(mall, asked_at=asked_at, at=at) if asked_at.tzinfo else None


@operations_required
@require_POST
def again(request: HttpRequest, mall: str) -> HttpResponse:
    """Plan what waits at this mall now. The wave runs in a worker; the page waits for it and shows what came of it."""
    found = get_object_or_404(Mall, code=mall, active=True)
    path = reverse("offers:ops_plan", args=[found.code])
    since = plans.asked_at(found, at=timezone.now())
    if waves.send_now(found.code):
        return redirect(f"{path}?{urlencode({'asked': since.isoformat()})}")
    messages.error(request, _("No worker can be reached. Orders are planned as soon as one is back."))
    return redirect(path)


@operations_required
@require_http_methods(["GET", "POST"])
def move(request: HttpRequest, mall: str, order: str) -> HttpResponse:
    """Which block could take an order, at what price and with what verdict; saved by POST."""
    found = get_object_or_404(Mall.objects.select_related("market"), code=mall, active=True)
    given = request.POST if request.method == "POST" else request.GET
    moved = get_object_or_404(Order.objects.at_mall(found.pk).select_related("store"), code=order)  # type: ignore[attr-defined]
    now = timezone.now()
    refusal: Refused | None = None
    outlook = None
    try:
        outlook = rearranging.look(mall=found, order=moved, at=now)
        if request.method == "POST":
            assert isinstance(request.user, User)
            block = rearranging.move(
                outlook=outlook,
                to_code=given.get("to", ""),
                seen=given.get("seen", ""),
                by=request.user,
                at=now,
            )
            messages.success(
                request,
                _("Order %(order)s is in block %(block)s.") % {"order": moved.code, "block": block.code},
            )
            return redirect(f"{reverse('offers:ops_plan', args=[found.code])}#block-{block.code}")
        if given.get("to") and not outlook.is_in(given["to"]):
            # A block that has closed since its door was drawn is named, not left out in silence.
            outlook.option(given["to"])
    except Refused as reason:
        refusal = reason
    choices = plans.choices(outlook, given.get("to", "")) if outlook else []
    context = {
        "mall": found,
        "zone": found.zone,
        "order": moved,
        "outlook": outlook,
        "choices": choices,
        "chosen": next((choice for choice in choices if choice.is_chosen), None),
        "refusal": refusal,
    }
    refused = refusal is not None and request.method == "POST"
    return render(request, "offers/ops_plan_move.html", context, status=409 if refused else 200)


@operations_required
@require_POST
def freeze(request: HttpRequest, code: str) -> HttpResponse:
    block = get_object_or_404(Block.objects.select_related("mall"), code=code)
    form = FreezeForm(request.POST)
    assert isinstance(request.user, User)
    if not form.is_valid():
        return plan_page(request, block.mall.code, form, status=422)
    try:
        freezing.freeze(
            block_code=code, reason=form.cleaned_data["reason"], by=request.user, at=timezone.now()
        )
    except Refused as refusal:
        return plan_page(request, block.mall.code, form, refusal=refusal, status=409)
    messages.success(request, _("Block %(code)s is frozen: plans leave it as it is.") % {"code": code})
    return redirect(f"{reverse('offers:ops_plan', args=[block.mall.code])}#block-{code}")


@operations_required
@require_POST
def unfreeze(request: HttpRequest, code: str) -> HttpResponse:
    block = get_object_or_404(Block.objects.select_related("mall"), code=code)
    assert isinstance(request.user, User)
    freezing.unfreeze(block_code=code, by=request.user, at=timezone.now())
    messages.success(request, _("Block %(code)s is no longer frozen.") % {"code": code})
    return redirect(f"{reverse('offers:ops_plan', args=[block.mall.code])}#block-{code}")
