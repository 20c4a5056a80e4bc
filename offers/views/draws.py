"""A draw for everybody to see: what was promised, how it came out, and whether the two fit. And a driver's way into
it and out of it."""

from __future__ import annotations

from pathlib import Path

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from drivers.access import acts_on, driver_of, driver_required
from drivers.models import Driver
from offers import drawing, feed, limits, lottery, verification
from offers.models import Draw
from offers.views import drive
from retaildelivery.lib.refusals import Refused
from retaildelivery.web.errors import STATUS


def found(code: str) -> Draw:
    draw = verification.find(code.upper())
    if draw is None:
        raise Http404
    return draw


@require_GET
def result(request: HttpRequest, code: str) -> HttpResponse:
    """The public page. Names nobody: an entrant finds themselves by the name that the draw gave them."""
    draw = found(code)
    published = verification.document(draw)
    rows = published.get("entrants", [])
    driver = driver_of(request.user)
    mine = verification.entrant_of(draw, driver)
    context = {
        "draw": draw,
        "offer": draw.offer,
        "zone": draw.offer.block.mall.zone,
        "published": published,
        "page": Paginator(rows, limits.DRAW_ROWS).get_page(request.GET.get("page")),
        "entrants": len(rows),
        "faults": verification.check(draw, published) if draw.drawn_at else [],
        "mine": mine,
        "sees_offer": driver is not None and driver.market_code == draw.offer.block.mall.market.code,
        "my_row": next((row for row in rows if mine and row["entrant"] == mine), None),
    }
    return render(request, "offers/draw.html", context)


@require_GET
def export(request: HttpRequest, code: str) -> JsonResponse:
    """The same as a document that `python offers/lottery.py` checks."""
    return JsonResponse(verification.document(found(code)), json_dumps_params={"indent": 1})


@require_GET
def script(request: HttpRequest) -> FileResponse:
    """What checks that document without this system: one file, nothing but the standard library."""
    return FileResponse(
        Path(lottery.__file__).open("rb"),
        as_attachment=True,
        filename="lottery.py",
        content_type="text/x-python",
    )


@driver_required
@acts_on("offers:driver_offer")
def enter(request: HttpRequest, driver: Driver, code: str) -> HttpResponse:
    offer = get_object_or_404(feed.visible_offers(driver), code=code)
    try:
        drawing.enter(offer=offer, driver=driver, at=timezone.now())
    except Refused as refusal:
        return drive.offer_page(request, driver, offer, refusal=refusal, status=STATUS.get(refusal.code, 409))
    messages.success(request, _("You are in the draw. When you entered makes no difference."))
    return redirect("offers:driver_offer", code)


@driver_required
@acts_on("offers:driver_offer")
def leave(request: HttpRequest, driver: Driver, code: str) -> HttpResponse:
    offer = get_object_or_404(feed.visible_offers(driver), code=code)
    try:
        drawing.leave(offer=offer, driver=driver, at=timezone.now())
    except Refused as refusal:
        return drive.offer_page(request, driver, offer, refusal=refusal, status=STATUS.get(refusal.code, 409))
    messages.info(request, _("You are out of the draw. It does not count against you."))
    return redirect("offers:driver_offers")
