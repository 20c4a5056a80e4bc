"""The counter: drivers collecting, and parcels coming back. Works by keyboard and with a hand scanner."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import F, Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from deliveries import loading, returning
from deliveries.evidence import Evidence
from deliveries.models import Consignment, Manifest, Stop
from deliveries.store_forms import DriverCodeForm, ParcelCodeForm
from retaildelivery.lib import codes
from retaildelivery.lib.refusals import Refused
from stores.models import Store


def stops_at(request: HttpRequest, kinds: list[str]) -> QuerySet[Stop]:
    """Stops at the counters of this person's stores on manifests that a driver is working."""
    live = Consignment.objects.live().select_related("order").prefetch_related("order__parcels")
    return (
        Stop.objects.open()
        .filter(
            store__in=Store.objects.visible_to(request.user),
            kind__in=kinds,
            manifest__status__in=Manifest.UNDERWAY,
        )
        .select_related("store__mall__market", "manifest__driver__user", "handover")
        .prefetch_related(Prefetch("pickups", queryset=live), Prefetch("returns", queryset=live))
        .order_by("eta_at", "id")
    )


@login_required
@require_GET
def counter(request: HttpRequest) -> HttpResponse:
    """Who comes for what, and the field for the driver's code."""
    return counter_page(request, DriverCodeForm())


def counter_page(
    request: HttpRequest, form: DriverCodeForm, *, refusal: Refused | None = None, status: int = 200
) -> HttpResponse:
    stops = list(stops_at(request, [Stop.Kind.PICKUP]))
    here = at_the_mall(stops)
    context = {
        "form": form,
        "here": here,
        "later": [stop for stop in stops if stop not in here],
        "refusal": refusal,
        "at": timezone.now(),
    }
    return render(request, "deliveries/store_counter.html", context, status=status)


def at_the_mall(stops: list[Stop]) -> list[Stop]:
    """The pickups whose driver is in the mall to load their trip. Who comes back for another is there once they have
    been at a first counter."""
    loads = [
        stop
        for stop in stops
        if stop.manifest.status == Manifest.Status.LOADING and stop.trip == stop.manifest.trip
    ]
    back = [stop.manifest_id for stop in loads if stop.manifest.is_back_to_load]
    seen: set[int] = set()
    if back:
        reached = Stop.objects.filter(manifest__in=back, trip=F("manifest__trip"), arrived_at__isnull=False)
        seen = set(reached.values_list("manifest_id", flat=True))
    return [stop for stop in loads if not stop.manifest.is_back_to_load or stop.manifest_id in seen]


@login_required
@require_POST
def confirm(request: HttpRequest) -> HttpResponse:
    """Staff have read the driver's code: their half of the handover."""
    form = DriverCodeForm(request.POST)
    if not form.is_valid():
        return counter_page(request, form, status=422)
    try:
        handover = loading.confirm_handover(
            stop_code=request.POST.get("stop") or None,
            stores=Store.objects.visible_to(request.user),
            driver_code=form.cleaned_data["driver_code"],
            user=request.user,
            key_prefix="",
            at=timezone.now(),
        )
    except Refused as refusal:
        return counter_page(request, form, refusal=refusal, status=409)
    messages.success(request, _("That is the right driver. Now each parcel is scanned on their phone."))
    return redirect("deliveries:store_stop", code=handover.stop.code)


@login_required
@require_GET
def stop(request: HttpRequest, code: str) -> HttpResponse:
    """One handover as it happens: which parcels have passed, which are still on the counter."""
    found = get_object_or_404(
        Stop.objects.filter(store__in=Store.objects.visible_to(request.user)).select_related(
            "store__mall__market", "manifest__driver__user", "handover"
        ),
        code=codes.normalise(code),
    )
    return stop_page(request, found)


def stop_page(
    request: HttpRequest, found: Stop, *, refusal: Refused | None = None, status: int = 200
) -> HttpResponse:
    orders = (
        Consignment.objects.filter(Q(pickup=found) | Q(return_stop=found))
        .select_related("order")
        .prefetch_related("order__parcels")
        .order_by("id")
    )
    scans = found.scans.select_related("parcel").order_by("-at", "-id")[:12]
    context = {
        "stop": found, "consignments": orders, "scans": scans, "refusal": refusal,
        "handover": getattr(found, "handover", None), "form": ParcelCodeForm(), "zone": found.store.mall.zone,
    }  # fmt: skip
    return render(request, "deliveries/store_stop.html", context, status=status)


@login_required
@require_GET
def returns(request: HttpRequest) -> HttpResponse:
    """What is on its way back to these stores."""
    context = {"stops": stops_at(request, [Stop.Kind.RETURN]), "form": DriverCodeForm(), "at": timezone.now()}
    return render(request, "deliveries/store_returns.html", context)


@login_required
@require_POST
def return_scan(request: HttpRequest, code: str) -> HttpResponse:
    """Staff scan a parcel that a driver has brought back."""
    found = get_object_or_404(
        Stop.objects.filter(store__in=Store.objects.visible_to(request.user), kind=Stop.Kind.RETURN),
        code=code,
    )
    form = ParcelCodeForm(request.POST)
    if not form.is_valid():
        return stop_page(request, found, status=422)
    now = timezone.now()
    try:
        returning.scan_by_staff(
            stop_code=found.code,
            stores=Store.objects.visible_to(request.user),
            user=request.user,
            entered=form.cleaned_data["code"],
            method=form.cleaned_data["method"] or "wedge",
            evidence=Evidence(client_event_id=codes.new_token(16), device_at=now),
            at=now,
        )
    except Refused as refusal:
        return stop_page(request, found, refusal=refusal, status=409)
    return redirect("deliveries:store_stop", code=found.code)
