"""The driver's own pages: the front door, papers, car, standing, devices and the code for the counter."""

from __future__ import annotations

import datetime as dt
import hashlib
import mimetypes
from typing import Any

import segno
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Prefetch
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from drivers import access, appealing, applying, badge, clocks, ledger, limits, profiles, subscribing, tokens
from drivers.access import driver_required
from drivers.forms import AppealForm, DocumentForm, PreferencesForm, TokenForm, VehicleForm
from drivers.models import Appeal, Document, Driver, DriverToken, StandingEvent
from retaildelivery.lib.refusals import Refused

UNPROCESSABLE, CONFLICT = 422, 409
STANDING_SHOWN = 50


@login_required
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Where a driver lands: to the offers, or to what is still missing before there are any."""
    driver = access.driver_of(request.user)
    if driver is None:
        return redirect("offers:driver_apply")
    if driver.status == Driver.Status.APPROVED:
        return redirect("offers:driver_offers")
    return redirect("drivers:status")


@driver_required
@require_GET
def status(request: HttpRequest, driver: Driver) -> HttpResponse:
    papers = papers_of(driver, today=clocks.day_of(driver, timezone.now()))
    context = {
        "driver": driver,
        "papers": papers,
        "missing": [paper for paper in papers if paper["needed"]],
        "vehicle": driver.vehicles.in_use().first(),
    }
    return render(request, "drivers/status.html", context)


def papers_of(driver: Driver, *, today: dt.date) -> list[dict[str, Any]]:
    """Each paper a driver must have, what became of it, and whether something is to be done."""
    current = {document.kind: document for document in driver.documents.current()}
    papers = []
    for kind in Document.REQUIRED:
        document = current.get(kind)
        state = state_of(document, today=today)
        papers.append(
            {
                "kind": kind,
                "label": Document.Kind(kind).label,
                "document": document,
                "state": state,
                "needed": state in {"missing", "rejected", "expired"},
                "soon": document is not None
                and state in {"accepted", "submitted"}
                and document.expires_on < today + limits.EXPIRES_SOON,
            }
        )
    return papers


def state_of(document: Document | None, *, today: dt.date) -> str:
    if document is None:
        return "missing"
    if document.rejected_at is not None:
        return "rejected"
    if document.expires_on < today:
        return "expired"
    return "accepted" if document.verified_at is not None else "submitted"


@driver_required
@require_http_methods(["GET", "POST"])
def document(request: HttpRequest, driver: Driver, kind: str) -> HttpResponse:
    """Hand in one paper, or a newer one in its place."""
    if kind not in Document.REQUIRED:
        raise Http404
    form = DocumentForm(
        request.POST or None, request.FILES or None, today=clocks.day_of(driver, timezone.now())
    )
    context = {"driver": driver, "form": form, "kind": kind, "label": Document.Kind(kind).label}
    if request.method == "GET":
        context["document"] = driver.documents.current().filter(kind=kind).first()
        return render(request, "drivers/document.html", context)
    if not form.is_valid():
        return render(request, "drivers/document.html", context, status=UNPROCESSABLE)
    try:
        applying.submit_document(driver_code=driver.code, kind=kind, at=timezone.now(), **form.cleaned_data)
    except Refused as refusal:
        return render(request, "drivers/document.html", context | {"refusal": refusal}, status=CONFLICT)
    messages.success(request, _("Your paper was handed in. A person will look at it."))
    return redirect("drivers:status" if driver.status == Driver.Status.APPLIED else "drivers:profile")


@driver_required
@require_GET
@never_cache
def document_file(request: HttpRequest, driver: Driver, kind: str) -> FileResponse:
    """The driver's own paper, as handed in."""
    paper = get_object_or_404(driver.documents.current(), kind=kind)
    return sent_file(paper)


def sent_file(paper: Document) -> FileResponse:
    if not paper.file:
        raise Http404
    name = f"{paper.kind}{paper.file.name[paper.file.name.rfind('.') :]}"
    response = FileResponse(paper.file.open("rb"), content_type=mimetypes.guess_type(name)[0], filename=name)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@driver_required
@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest, driver: Driver) -> HttpResponse:
    """Car, papers, language; and on to standing, costs and devices."""
    given = {
        "name": driver.user.name,
        "phone": driver.user.phone,
        "locale": driver.user.locale,
    }
    form = PreferencesForm(request.POST if request.method == "POST" else None, initial=given)
    if request.method == "POST" and form.is_valid():
        profiles.prefer(driver_code=driver.code, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("drivers:profile")
    context = {
        "driver": driver,
        "form": form,
        "vehicle": driver.vehicles.in_use().first(),
        "papers": papers_of(driver, today=clocks.day_of(driver, timezone.now())),
        "devices": driver.tokens.filter(revoked_at=None).count(),
        "balance_cents": ledger.balance_now(driver),
    }
    return render(request, "drivers/profile.html", context, status=UNPROCESSABLE if form.errors else 200)


@driver_required
@require_http_methods(["GET", "POST"])
def vehicle(request: HttpRequest, driver: Driver) -> HttpResponse:
    """Drive with another car from now on."""
    form = VehicleForm(
        request.POST if request.method == "POST" else None, today=clocks.day_of(driver, timezone.now())
    )
    context = {"driver": driver, "form": form}
    if request.method == "GET":
        return render(request, "drivers/vehicle.html", context)
    if not form.is_valid():
        return render(request, "drivers/vehicle.html", context, status=UNPROCESSABLE)
    try:
        applying.change_vehicle(driver_code=driver.code, at=timezone.now(), **form.cleaned_data)
    except Refused as refusal:
        return render(request, "drivers/vehicle.html", context | {"refusal": refusal}, status=CONFLICT)
    messages.success(request, _("Your car was changed."))
    return redirect("drivers:profile")


@driver_required
@require_GET
def standing(request: HttpRequest, driver: Driver) -> HttpResponse:
    """Every event that counts, its cause, who was at fault, until when it counts, and what became of an appeal."""
    at, zone = timezone.now(), clocks.zone_of(driver)
    events = driver.standing_events.order_by("-at", "-id").prefetch_related(
        Prefetch("appeals", Appeal.objects.select_related("decided_by").order_by("round"))
    )[:STANDING_SHOWN]
    context = {
        "driver": driver,
        "zone": zone,
        "rows": [standing_row(event, zone=zone, at=at) for event in events],
        "points": profiles.standing(driver=driver, at=at),
    }
    return render(request, "drivers/standing.html", context)


def standing_row(event: StandingEvent, *, zone: dt.tzinfo, at: dt.datetime) -> dict[str, Any]:
    appeals = list(event.appeals.all())
    return {
        "event": event,
        "counts": event.counts(at) and event.points != 0,
        "counts_until": event.decays_at.astimezone(zone).date(),
        "block_code": event.block_code,
        "appeals": appeals,
        "may_appeal": appealing.may_appeal(event, appeals, zone=zone, at=at),
    }


@driver_required
@require_http_methods(["GET", "POST"])
def appeal(request: HttpRequest, driver: Driver, key: str) -> HttpResponse:
    """Contest one event: what it is, what happens next, and the words."""
    events = driver.standing_events.prefetch_related(
        Prefetch("appeals", Appeal.objects.select_related("decided_by").order_by("round"))
    )
    event = get_object_or_404(events, key=key)
    form = AppealForm(request.POST if request.method == "POST" else None)
    at, zone = timezone.now(), clocks.zone_of(driver)
    row = standing_row(event, zone=zone, at=at)
    context: dict[str, Any] = {"driver": driver, "form": form, "zone": zone, **row}
    if request.method != "POST":
        return render(request, "drivers/appeal.html", context)
    if not form.is_valid():
        return render(request, "drivers/appeal.html", context, status=UNPROCESSABLE)
    try:
        made = appealing.appeal(driver=driver, event_key=event.key, text=form.cleaned_data["text"], at=at)
    except Refused as refusal:
        return render(request, "drivers/appeal.html", context | {"refusal": refusal}, status=CONFLICT)
    messages.success(
        request, _("Appeal %(code)s is filed. The event does not count meanwhile.") % {"code": made.code}
    )
    return redirect("drivers:standing")


@driver_required
@require_http_methods(["GET", "POST"])
def devices(request: HttpRequest, driver: Driver) -> HttpResponse:
    """Tokens of apps and devices. A new one is shown once, in the answer to its making."""
    form = TokenForm(request.POST if request.method == "POST" else None)
    context: dict[str, Any] = {"driver": driver, "form": form}
    state = 200
    if request.method == "POST" and form.is_valid():
        try:
            token, secret = tokens.issue(driver=driver, name=form.cleaned_data["name"], at=timezone.now())
            context |= {"issued": token, "secret": secret, "form": TokenForm()}
        except Refused as refusal:
            context["refusal"], state = refusal, CONFLICT
    elif request.method == "POST":
        state = UNPROCESSABLE
    context["tokens"] = driver.tokens.filter(revoked_at=None).order_by("-created_at", "-id")
    response = render(request, "drivers/devices.html", context, status=state)
    response["Cache-Control"] = "no-store"
    return response


@driver_required
@require_POST
def revoke(request: HttpRequest, driver: Driver, prefix: str) -> HttpResponse:
    token = get_object_or_404(DriverToken.objects.filter(driver=driver), prefix=prefix)
    tokens.revoke(token=token, at=timezone.now())
    messages.success(request, _("The device was signed out."))
    return redirect("drivers:devices")


@driver_required
@require_POST
def remove_phone(request: HttpRequest, driver: Driver, code: str) -> HttpResponse:
    """A phone that is lost or was given away is notified no more."""
    if subscribing.remove(driver=driver, code=code):
        messages.success(request, _("This phone is notified no more."))
    return redirect("offers:driver_wishes")


@driver_required
@require_GET
def show_badge(request: HttpRequest, driver: Driver) -> HttpResponse:
    """The rotating code that staff read at the counter, as digits and as a QR code."""
    shown = badge_of(driver, at=timezone.now())
    seen = hashlib.sha256(":".join([driver.code, shown["code"]]).encode()).hexdigest()[:24]
    etag = f'"{seen}"'
    if request.headers.get("If-None-Match") == etag:
        return HttpResponse(status=304, headers={"ETag": etag})
    response = render(request, "drivers/badge.html", {"driver": driver, "badge": shown})
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    return response


def badge_of(driver: Driver, *, at: dt.datetime) -> dict[str, Any]:
    """The code that holds now, until when, and its picture: {code, until, qr}."""
    code = badge.code(driver.badge_secret, at)
    qr = segno.make_qr(code, error="m").svg_data_uri(scale=8, border=2)
    return {"code": code, "until": profiles.badge_until(at), "qr": qr}
