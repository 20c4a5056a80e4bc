"""The recipient's page: a link is all they need, so the link is the secret."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable
from typing import Any

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from deliveries import posting, timeline, tracking
from deliveries.drafts import DraftInvalid
from deliveries.models import Order
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox import worlds
from stores.models import Sandbox

STEPS = ("placed", "assigned", "picked_up", "en_route", "delivered")
# How far along each state is, by the steps above.
REACHED = {
    "placed": 0, "planned": 0, "assigned": 1, "at_pickup": 1, "picked_up": 2, "en_route": 3, "at_dropoff": 3,
    "delivered": 4,
}  # fmt: skip


def in_its_world(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """The page of an order of a sandbox works as every other, inside that sandbox."""

    @functools.wraps(view)
    def shown(request: HttpRequest, token: str) -> HttpResponseBase:
        world = Order.everywhere.filter(tracking_token=token).values_list("world", flat=True).first()
        with worlds.entered(world or worlds.LIVE):
            return view(request, token)

    return shown


def now_of(order: Order) -> dt.datetime:
    """By the clock of the order's world."""
    at = timezone.now()
    sandbox = None if order.live_mode else Sandbox.objects.filter(pk=order.world).first()
    return at if sandbox is None else sandbox.clock(at)


@never_cache
@require_GET
@in_its_world
def page(request: HttpRequest, token: str) -> HttpResponse:
    return order_page(request, by(token))


def by(token: str) -> Order:
    orders = Order.objects.select_related("store__mall__market", "store__seller").prefetch_related("parcels")
    return get_object_or_404(orders, tracking_token=token)


def order_page(
    request: HttpRequest,
    order: Order,
    *,
    refusal: Refused | None = None,
    note: str | None = None,
    status: int = 200,
) -> HttpResponse:
    now = now_of(order)
    journey = tracking.journey(order, at=now)
    context = {
        "order": order,
        "zone": order.store.mall.zone,
        "journey": journey,
        "map": map_of(order, journey),
        "steps": [
            (step, place <= REACHED.get(order.status, -1), place == REACHED.get(order.status, -1))
            for place, step in enumerate(STEPS)
        ],
        "timeline": timeline.entries(order, names=timeline.FOR_RECIPIENT),
        "proof": tracking.proof_of(order),
        "shows_pin": order.requires_pin and order.status not in (*Order.ENDED, Order.Status.RETURNING),
        "takes_note": not order.has_ended and order.status != Order.Status.RETURNING,
        "note": order.recipient_note if note is None else note,
        "late": order.is_late(now),
        "refusal": refusal,
    }
    answer = render(request, "deliveries/tracking.html", context, status=status)
    # The address of this page shows a PIN to whoever has it: it must not leak to what the page links to.
    answer["Referrer-Policy"] = "no-referrer"
    answer["X-Robots-Tag"] = "noindex, nofollow"
    return answer


def map_of(order: Order, journey: tracking.Journey) -> dict[str, Any] | None:
    """The door, and the driver while they are on the way."""
    door = order.point
    if door is None or journey.position is None:
        return None
    seen = journey.position
    return {
        "center": [door.lat, door.lng],
        "zoom": 13,
        "fit": True,
        "markers": [
            {"lat": door.lat, "lng": door.lng, "kind": "home", "title": order.address_line1, "id": "door"},
            {"lat": seen.lat, "lng": seen.lng, "kind": "driver", "title": journey.driver, "id": "driver"},
        ],
    }


@require_POST
@in_its_world
def instruct(request: HttpRequest, token: str) -> HttpResponse:
    """The recipient says how to find the door."""
    order = by(token)
    note = request.POST.get("note", "")
    try:
        posting.instruct(token=token, note=note, at=now_of(order))
    except DraftInvalid as invalid:
        return order_page(request, order, refusal=invalid, note=note, status=422)
    except Refused as refusal:
        return order_page(request, by(token), refusal=refusal, note=note, status=409)
    return redirect("deliveries:tracking", token=token)


@never_cache
@require_GET
@in_its_world
def photo(request: HttpRequest, token: str) -> FileResponse:
    """The photo of the parcel at the recipient's own door."""
    proof = tracking.proof_of(by(token))
    if proof is None or not proof.photo:
        raise Http404
    return FileResponse(proof.photo.open("rb"))
