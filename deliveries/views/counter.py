"""The counter: drivers collecting, and parcels coming back. Works by keyboard and with a hand scanner."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import F, Prefetch, Q, QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from deliveries import counters, limits, loading, requirements, returning
from deliveries.evidence import Evidence
from deliveries.models import Consignment, CounterProof, Manifest, Parcel, Stop
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
        at_stop = of_mine(request).filter(code=codes.normalise(request.POST.get("stop", ""))).first()
        if at_stop is not None:
            return stop_page(request, at_stop, refusal=refusal, status=409)
        return counter_page(request, form, refusal=refusal, status=409)
    messages.success(request, _("That is the right driver. Now each parcel is scanned on their phone."))
    return redirect("deliveries:store_stop", code=handover.stop.code)


@login_required
@require_GET
def stop(request: HttpRequest, code: str) -> HttpResponse:
    """One handover as it happens: which parcels have passed, which are still on the counter."""
    return stop_page(request, get_object_or_404(of_mine(request), code=codes.normalise(code)))


def of_mine(request: HttpRequest) -> QuerySet[Stop]:
    """Stops at the counters of this person's stores, whatever became of them."""
    stops = Stop.objects.filter(store__in=Store.objects.visible_to(request.user))
    return stops.select_related("store__mall__market", "manifest__driver__user", "handover")


@dataclass(frozen=True, slots=True)
class Asked:
    """A photo or a signature that the orders at this counter ask for, and whether it was kept."""

    name: str
    kept: bool


def asked_at(stop: Stop, orders: list[Consignment], kept: list[CounterProof]) -> list[Asked]:
    wanted = [counters.required(stop.kind, place.order) for place in orders]
    lacking = requirements.missing_at_counter(wanted, counters.shown(kept))
    names = [name for name in ("photo", "signature") if any(getattr(each, name) for each in wanted)]
    return [Asked(name, name not in lacking) for name in names]


def stop_page(
    request: HttpRequest, found: Stop, *, refusal: Refused | None = None, status: int = 200
) -> HttpResponse:
    orders = list(
        Consignment.objects.filter(Q(pickup=found) | Q(return_stop=found))
        .select_related("order")
        .prefetch_related("order__parcels")
        .order_by("id")
    )
    kept = list(found.counter_proofs.order_by("id")[: limits.PAGE])
    parcels = [parcel for place in orders for parcel in place.order.parcels.all()]
    waiting = found.kind == Stop.Kind.RETURN
    scans = found.scans.select_related("parcel").order_by("-at", "-id")[:12]
    context = {
        "stop": found, "consignments": orders, "scans": scans, "refusal": refusal,
        "handover": getattr(found, "handover", None), "form": ParcelCodeForm(), "zone": found.store.mall.zone,
        "asked": asked_at(found, orders, kept), "kept": kept, "parcels": len(parcels),
        "has_barcodes": any(parcel.barcodes for parcel in parcels),
        "passed": sum((parcel.custodian == Parcel.Custodian.STORE) == waiting for parcel in parcels),
    }  # fmt: skip
    return render(request, "deliveries/store_stop.html", context, status=status)


@login_required
@require_GET
def counter_photo(request: HttpRequest, code: str, number: int, which: str) -> FileResponse:
    """The photo or the signature of the first, second, … proof that was kept at this counter."""
    found = get_object_or_404(of_mine(request), code=codes.normalise(code))
    kept = found.counter_proofs.order_by("id")[number - 1 : number] if number > 0 else []
    file = next((getattr(each, which) for each in kept if which in {"photo", "signature"}), None)
    if not file:
        raise Http404
    return FileResponse(file.open("rb"))


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
