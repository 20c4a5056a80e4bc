"""Operations: who stands by where and when, and which blocks are about to change hands."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from offers import board, handing_over, standby
from offers.models import HandOver, StandBy
from offers.views.ops import market_of
from retaildelivery.accounts.permissions import operations_required
from retaildelivery.lib.refusals import Refused
from stores.models import Market


@operations_required
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Of the market that operations look at: stand-bys by start, proposals by when they lapse."""
    market, now = market_of(request), timezone.now()
    context = {
        "market": market,
        "markets": Market.objects.order_by("name"),
        "stand_bys": board.stand_bys(market, at=now),
        "hand_overs": board.hand_overs(market, at=now),
        "at": now,
    }
    return render(request, "offers/ops_stand_bys.html", context)


@operations_required
@require_POST
def end_stand_by(request: HttpRequest, code: str) -> HttpResponse:
    found = get_object_or_404(StandBy, code=code)
    standby.end(code=found.code, by=request.user, at=timezone.now())
    messages.success(request, _("Ended. The driver is told by e-mail."))
    return redirect("offers:ops_stand_bys")


@operations_required
@require_POST
def end_hand_over(request: HttpRequest, code: str) -> HttpResponse:
    found = get_object_or_404(HandOver, code=code)
    try:
        handing_over.end(code=found.code, by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("Ended. The block stays with its driver, and both are told by e-mail."))
    return redirect("offers:ops_stand_bys")
