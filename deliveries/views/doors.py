"""The driver's pages of a stop: the counter of a store, a door, a return."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from deliveries import (
    countersigning,
    doors,
    failing,
    incidents,
    itinerary,
    limits,
    loading,
    positions,
    requirements,
)
from deliveries.door_forms import (
    AttemptForm,
    CounterProofForm,
    EvidenceForm,
    PositionForm,
    ProofForm,
    ReportForm,
    ScanForm,
)
from deliveries.doors import ProofDraft
from deliveries.evidence import Evidence
from deliveries.models import ProofOfDelivery, Scan, Stop
from drivers.access import acts_on, driver_required
from drivers.models import Driver
from drivers.tracking import Ping
from retaildelivery.lib.refusals import Refused
from retaildelivery.web.errors import STATUS

UNPROCESSABLE, CONFLICT = 422, 409
TEMPLATES = {
    Stop.Kind.PICKUP: "deliveries/driver_pickup.html",
    Stop.Kind.DROPOFF: "deliveries/driver_door.html",
    Stop.Kind.RETURN: "deliveries/driver_return.html",
    Stop.Kind.MEETING: "deliveries/driver_meeting.html",
}


def own_stop(driver: Driver, code: str, *, at: dt.datetime) -> Stop:
    """This driver's stop, or 404. A recipient's door is no longer shown two days after the work is done."""
    stop: Stop = get_object_or_404(itinerary.stops_of(driver), code=code)
    manifest = stop.manifest
    ended = manifest.completed_at or manifest.aborted_at
    if ended is not None and ended < at - limits.LATE_EVENT:
        raise Http404
    return stop


@driver_required
@require_GET
def stop(request: HttpRequest, driver: Driver, code: str) -> HttpResponse:
    found = own_stop(driver, code, at=timezone.now())
    return shown(request, driver, found)


def shown(
    request: HttpRequest, driver: Driver, found: Stop, *, status: int = 200, **more: Any
) -> HttpResponse:
    """The page of a stop, with whatever the last press came to."""
    each = itinerary.call(found)
    chosen = chosen_drops(each, more.pop("order", None) or request.GET.get("order", ""))
    context = {
        "driver": driver,
        "stop": found,
        "call": each,
        "mall": found.manifest.mall,
        "photos": photos_of(found),
        "open_drops": [drop for drop in each.drops if drop.is_open],
        "chosen": chosen,
        "wanted": wanted(chosen),
        "report_form": ReportForm(stop_kind=found.kind, parcels=parcels_of(each)),
        "proof_form": ProofForm(initial={"left_at": requirements.IN_HAND}),
        "attempt_form": AttemptForm(),
        "counter_form": CounterProofForm(),
        "etag": etag_of(each),
        **more,
    }
    need = context["wanted"]
    context["proof_form"].offer_places(person=need["person"], signature=need["signature"])
    # Only a poll is answered so: a page kept by the browser would bring back an event id that was used.
    if status == 200 and request.htmx and request.headers.get("If-None-Match") == context["etag"]:
        return HttpResponse(status=304, headers={"ETag": context["etag"]})
    response = render(request, TEMPLATES[Stop.Kind(found.kind)], context, status=status)
    response["ETag"] = context["etag"]
    response["Cache-Control"] = "private, no-store"
    return response


def photos_of(found: Stop) -> list[str]:
    """Codes of the orders whose photo at this door can be seen."""
    if found.kind != Stop.Kind.DROPOFF:
        return []
    taken = ProofOfDelivery.objects.filter(stop=found).exclude(photo="")
    return list(taken.values_list("order__code", flat=True))


def parcels_of(each: itinerary.Call) -> list[tuple[str, str]]:
    """The parcels of a stop as choices."""
    return [(parcel.code, f"{parcel.code} ({parcel.get_status_display()})") for parcel in each.parcels]


def etag_of(each: itinerary.Call) -> str:
    """Changes with everything the polled part of the page shows."""
    state = [each.stop.code, each.stop.status, str(each.confirmed)]
    state += [f"{p.code}:{p.status}:{p.barcodes}" for p in each.parcels]
    state += [f"{drop.order.code}:{drop.order.status}:{sorted(drop.scanned)}" for drop in each.drops]
    return f'"{hashlib.sha256("|".join(state).encode()).hexdigest()[:24]}"'


def chosen_drops(each: itinerary.Call, code: str) -> list[itinerary.Drop]:
    """Which orders the forms of a door are about: the one asked for, else all that may be done at once.

    A PIN is one order's own, so orders with a PIN are done one by one.
    """
    waiting = [drop for drop in each.drops if drop.is_open]
    named = [drop for drop in waiting if drop.order.code == code]
    if named:
        return named
    if any(drop.order.requires_pin for drop in waiting):
        return waiting[:1]
    return waiting


def wanted(drops: list[itinerary.Drop]) -> dict[str, Any]:
    """What the door must give for these orders together."""
    orders = [drop.order for drop in drops]
    ages = [order.minimum_age for order in orders if order.minimum_age]
    in_person = any(order.requires_pin or order.minimum_age for order in orders)
    need: dict[str, Any] = {
        "person": in_person,
        "photo": any(order.requires_photo for order in orders),
        "signature": any(order.requires_signature for order in orders),
        "pin": any(order.requires_pin for order in orders),
        "minimum_age": max(ages, default=None),
        "unread": [parcel for drop in drops for parcel in drop.unread],
        "pin_is_locked": any(drop.pin_is_locked for drop in drops),
        "pin_tries_left": min((drop.pin_tries_left for drop in drops), default=limits.PIN_TRIES),
        "order": drops[0].order.code if len(drops) == 1 else "",
    }
    return need


def evidence_of(form: EvidenceForm, *, at: dt.datetime, of: str = "") -> Evidence:
    """What the phone says with a press. `of` is what the press was about: a page that came back by the Back
    button sends an event id once more, and another parcel with it is another event."""
    given = form.evidence(of)
    return Evidence(**given | {"device_at": given["device_at"] or at})


def refused(request: HttpRequest, driver: Driver, found: Stop, refusal: Refused, **more: Any) -> HttpResponse:
    status = STATUS.get(refusal.code, CONFLICT)
    return shown(request, driver, found, status=status, refusal=refusal, **more)


@driver_required
@acts_on("deliveries:driver_stop")
def arrival(request: HttpRequest, driver: Driver, code: str) -> HttpResponse:
    """I am here: at the counter or at the door."""
    at = timezone.now()
    found = own_stop(driver, code, at=at)
    form = EvidenceForm(request.POST)
    if not form.is_valid():
        return shown(request, driver, found, status=UNPROCESSABLE, form=form)
    arrive = doors.arrive if found.kind == Stop.Kind.DROPOFF else loading.arrive_at_store
    try:
        arrive(driver=driver, stop_code=code, evidence=evidence_of(form, at=at), at=at)
    except Refused as refusal:
        return refused(request, driver, found, refusal)
    return redirect("deliveries:driver_stop", code)


@driver_required
@acts_on("deliveries:driver_stop")
def scan(request: HttpRequest, driver: Driver, code: str) -> HttpResponse:
    """A parcel's label, read at a pickup or at a return."""
    at = timezone.now()
    found = own_stop(driver, code, at=at)
    form = ScanForm(request.POST)
    if not form.is_valid():
        return shown(request, driver, found, status=UNPROCESSABLE, form=form)
    given = form.cleaned_data
    try:
        read = loading.scan(
            driver=driver,
            stop_code=code,
            entered=given["code"],
            method=given["method"],
            evidence=evidence_of(form, at=at, of=given["code"]),
            at=at,
        )
    except Refused as refusal:
        return refused(request, driver, found, refusal, entered=given["code"])
    if read.outcome == Scan.Outcome.ALREADY:
        messages.info(request, _("%(code)s was scanned before.") % {"code": given["code"].upper()})
    return redirect("deliveries:driver_stop", code)


@driver_required
@acts_on("deliveries:driver_stop")
def report(request: HttpRequest, driver: Driver, code: str) -> HttpResponse:
    """A parcel is missing, damaged or too much for the car."""
    at = timezone.now()
    found = own_stop(driver, code, at=at)
    form = ReportForm(request.POST, stop_kind=found.kind, parcels=parcels_of(itinerary.call(found)))
    if not form.is_valid():
        return shown(request, driver, found, status=UNPROCESSABLE, report_form=form)
    given = form.cleaned_data
    try:
        incidents.report(
            driver=driver,
            stop_code=code,
            parcel_code=given["parcel"],
            kind=given["kind"],
            note=given["note"],
            evidence=evidence_of(form, at=at, of=f"{given['kind']}{given['parcel']}"),
            at=at,
        )
    except Refused as refusal:
        return refused(request, driver, found, refusal, report_form=form)
    messages.success(request, _("Noted. What is not your fault never counts against you."))
    return redirect("deliveries:driver_stop", code)


@driver_required
@acts_on("deliveries:driver_stop")
def proof(request: HttpRequest, driver: Driver, code: str) -> HttpResponse:
    """Delivered: with everything the door asks for."""
    at = timezone.now()
    found = own_stop(driver, code, at=at)
    form = ProofForm(request.POST, request.FILES)
    order = request.POST.get("order", "")
    if not form.is_valid():
        return shown(request, driver, found, status=UNPROCESSABLE, proof_form=form, order=order)
    try:
        doors.prove(
            driver=driver,
            stop_code=code,
            order_code=form.cleaned_data["order"],
            proof=ProofDraft(**form.proof()),
            evidence=evidence_of(form, at=at),
            at=at,
        )
    except Refused as refusal:
        return refused(request, driver, found, refusal, proof_form=form, order=order)
    messages.success(request, _("Delivered."))
    return onward(found)


@driver_required
@acts_on("deliveries:driver_stop")
def counter_proof(request: HttpRequest, driver: Driver, code: str) -> HttpResponse:
    """A photo or a signature at a counter."""
    at = timezone.now()
    found = own_stop(driver, code, at=at)
    form = CounterProofForm(request.POST, request.FILES)
    if not form.is_valid():
        return shown(request, driver, found, status=UNPROCESSABLE, counter_form=form)
    try:
        countersigning.keep(
            driver=driver, stop_code=code, **form.proof(), evidence=evidence_of(form, at=at), at=at
        )
    except Refused as refusal:
        return refused(request, driver, found, refusal, counter_form=form)
    messages.success(request, _("Kept."))
    return redirect("deliveries:driver_stop", code)


@driver_required
@acts_on("deliveries:driver_stop")
def attempt(request: HttpRequest, driver: Driver, code: str) -> HttpResponse:
    """The door did not work: why, and the parcels go back to the store."""
    at = timezone.now()
    found = own_stop(driver, code, at=at)
    form = AttemptForm(request.POST, request.FILES)
    order = request.POST.get("order", "")
    if not form.is_valid():
        return shown(request, driver, found, status=UNPROCESSABLE, attempt_form=form, order=order)
    given = form.cleaned_data
    try:
        failing.fail(
            driver=driver,
            stop_code=code,
            order_code=given["order"],
            reason=given["reason"],
            note=given["note"],
            photo=given["door_photo"],
            evidence=evidence_of(form, at=at),
            at=at,
        )
    except Refused as refusal:
        return refused(request, driver, found, refusal, attempt_form=form, order=order)
    messages.info(request, _("Noted. The parcels go back to the store; the return is on your list."))
    return onward(found)


def onward(found: Stop) -> HttpResponse:
    """Stay while something at this door is open, else on to the list."""
    left = Stop.objects.open().filter(pk=found.pk).exists()
    return redirect("deliveries:driver_stop", found.code) if left else redirect("offers:driver_block")


@driver_required
@require_POST
def position(request: HttpRequest, driver: Driver) -> HttpResponse:
    """Where the phone is. Anything not usable is dropped without a word: nobody waits for the answer."""
    at = timezone.now()
    form = PositionForm(request.POST)
    if not form.is_valid():
        return HttpResponse(status=UNPROCESSABLE)
    given = form.cleaned_data
    ping = Ping(
        latitude=given["lat"],
        longitude=given["lng"],
        accuracy_m=None if given["accuracy_m"] is None else round(min(given["accuracy_m"], 100_000)),
        device_at=given["device_at"] or at,
    )
    if itinerary.is_at_work(driver):
        positions.report(driver=driver, pings=[ping], at=at)
    return HttpResponse(status=204)


@driver_required
@require_GET
def photo(request: HttpRequest, driver: Driver, code: str, order: str, what: str) -> FileResponse:
    """The driver's own proof: the photo or the signature, for as long as the stop is shown."""
    found = own_stop(driver, code, at=timezone.now())
    proof = get_object_or_404(ProofOfDelivery.objects.filter(stop=found, driver=driver), order__code=order)
    file = proof.photo if what == "photo" else proof.signature
    if not file:
        raise Http404
    response = FileResponse(file.open("rb"), filename=f"{order}-{what}{file.name[file.name.rfind('.') :]}")
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
