"""The store's door: today's board, the orders, and following one."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from deliveries import charging, fees, limits, posting, timeline, tracking
from deliveries.models import Order, Parcel
from deliveries.store_forms import AgainForm, CancelForm, PlaceForm, StoreOrderFilter
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import Actor
from retaildelivery.web import throttling
from stores.models import Store


def staff_of(request: HttpRequest) -> Actor:
    source = f"store page {throttling.address_of(request)}"
    return Actor(kind=Fact.Actor.STAFF, name=str(request.user), source=source)


def visible(request: HttpRequest) -> QuerySet[Order]:
    return Order.objects.visible_to(request.user).select_related("store__mall__market", "store__seller")


@login_required
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """What needs a hand now, then what is under way."""
    stores = Store.objects.visible_to(request.user).select_related("mall__market")
    if not stores:
        return render(request, "deliveries/store_nobody.html", status=403)
    now = timezone.now()
    orders = visible(request).open()
    counts = orders.aggregate(
        waiting=Count("pk", filter=Q(status__in=["placed", "planned"])),
        at_counter=Count("pk", filter=Q(status__in=["assigned", "at_pickup"])),
        on_the_way=Count("pk", filter=Q(status__in=["picked_up", "en_route", "at_dropoff"])),
        coming_back=Count("pk", filter=Q(status="returning")),
        no_place=Count("pk", filter=Q(status="placed", latitude=None)),
        late=Count("pk", filter=Q(window__endswith__lte=now)),
    )
    shown = orders.annotate(pieces=Count("parcels")).order_by("window", "id")[: limits.PAGE]
    context = {"stores": stores, "counts": counts, "orders": shown, "at": now}
    return render(request, "deliveries/store_home.html", context)


@login_required
@require_GET
def orders(request: HttpRequest) -> HttpResponse:
    form = StoreOrderFilter(request.GET or None)
    found = visible(request).annotate(pieces=Count("parcels"))
    if form.is_valid():
        found = form.narrow(found)
    page = Paginator(found.order_by("-placed_at", "-id"), limits.PAGE).get_page(request.GET.get("page"))
    template = "deliveries/store_orders.html#rows" if request.htmx else "deliveries/store_orders.html"
    return render(request, template, {"form": form, "page": page, "at": timezone.now()})


@login_required
@require_GET
def order(request: HttpRequest, code: str) -> HttpResponse:
    orders = visible(request).select_related("slot_hold__slot").prefetch_related("parcels", "attempts")
    found = get_object_or_404(orders, code=code)
    return order_page(request, found)


def asked_for(order: Order) -> list[tuple[str, list[str]]]:
    """What the order asks for on each leg, in words; a leg that asks for nothing is left out."""
    photo, signature = _("photo"), _("signature")
    legs = (
        (
            _("At the door"),
            (
                (order.requires_photo, photo),
                (order.requires_pin, _("PIN")),
                (order.requires_signature, signature),
                (order.requires_barcodes, _("labels read")),
                (order.minimum_age, f"{order.minimum_age}+"),
            ),
        ),
        (_("When collected"), ((order.pickup_photo, photo), (order.pickup_signature, signature))),
        (_("When brought back"), ((order.return_photo, photo), (order.return_signature, signature))),
    )
    found = [(leg, [word for asked, word in words if asked]) for leg, words in legs]
    return [(leg, words) for leg, words in found if words]


def order_page(
    request: HttpRequest, order: Order, *, place: PlaceForm | None = None, cancel: CancelForm | None = None,
    again: AgainForm | None = None,
    refusal: Refused | None = None, status: int = 200,
) -> HttpResponse:  # fmt: skip
    context = {
        "order": order,
        "zone": order.store.mall.zone,
        "legs": asked_for(order),
        "slot": getattr(order, "slot_hold", None),
        "timeline": timeline.entries(order),
        "journey": tracking.journey(order, at=timezone.now()),
        "proof": tracking.proof_of(order),
        "attempts": order.attempts.select_related("driver__user").order_by("at", "pk"),
        "place": place or PlaceForm(),
        "cancel": cancel or CancelForm(),
        "cancel_cents": fees.total_cents(charging.cancelling(order, status=order.status))
        if order.status in Order.BEFORE_CUSTODY
        else None,
        "again": again or AgainForm(zone=order.store.mall.zone)
        if order.status == Order.Status.RETURNED
        else None,
        "may_cancel": order.status in Order.BEFORE_CUSTODY,
        "may_be_ready": order.status in Order.BEFORE_CUSTODY
        and any(p.status == Parcel.Status.EXPECTED for p in order.parcels.all()),
        "refusal": refusal,
    }
    return render(request, "deliveries/store_order.html", context, status=status)


@login_required
@require_POST
def order_location(request: HttpRequest, code: str) -> HttpResponse:
    order = get_object_or_404(visible(request), code=code)
    form = PlaceForm(request.POST)
    if not form.is_valid():
        return order_page(request, order, place=form, status=422)
    try:
        posting.locate(
            order_code=order.code,
            scope=visible(request),
            point=form.point,
            actor=staff_of(request),
            at=timezone.now(),
        )
    except Refused as refusal:
        return order_page(request, order, refusal=refusal, status=409)
    messages.success(request, _("The door is on the map. The order goes into the next plan."))
    return redirect("deliveries:store_order", code=order.code)


@login_required
@require_POST
def order_cancel(request: HttpRequest, code: str) -> HttpResponse:
    order = get_object_or_404(visible(request), code=code)
    form = CancelForm(request.POST)
    if not form.is_valid():
        return order_page(request, order, cancel=form, status=422)
    try:
        posting.cancel(
            order_code=order.code, scope=visible(request), reason=form.cleaned_data["reason"],
            note=form.cleaned_data["note"], actor=staff_of(request), at=timezone.now(),
        )  # fmt: skip
    except Refused as refusal:
        return order_page(
            request, get_object_or_404(visible(request), code=code), refusal=refusal, status=409
        )
    messages.success(request, _("Order %(code)s is cancelled.") % {"code": order.code})
    return redirect("deliveries:store_order", code=order.code)


@login_required
@require_POST
def order_ready(request: HttpRequest, code: str) -> HttpResponse:
    order = get_object_or_404(visible(request), code=code)
    try:
        posting.mark_ready(
            order_code=order.code, scope=visible(request), actor=staff_of(request), at=timezone.now()
        )
    except Refused as refusal:
        return order_page(request, order, refusal=refusal, status=409)
    messages.success(request, _("Order %(code)s is packed.") % {"code": order.code})
    return redirect("deliveries:store_order", code=order.code)


@login_required
@require_GET
def order_photo(request: HttpRequest, code: str, which: str) -> FileResponse:
    """The photo or the signature of the proof, for those who may see the order."""
    order = get_object_or_404(visible(request), code=code)
    proof = tracking.proof_of(order)
    file = getattr(proof, which, None) if proof and which in {"photo", "signature"} else None
    if not file:
        raise Http404
    return FileResponse(file.open("rb"))


@login_required
@require_GET
def attempt_photo(request: HttpRequest, code: str, number: int) -> FileResponse:
    """The photo of the order's first, second, … failed attempt, for those who may see the order."""
    order = get_object_or_404(visible(request), code=code)
    attempts = order.attempts.order_by("at", "pk")[number - 1 : number] if number > 0 else []
    photo = next((attempt.photo for attempt in attempts if attempt.photo), None)
    if photo is None:
        raise Http404
    return FileResponse(photo.open("rb"))
