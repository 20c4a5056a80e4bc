"""The driver's pages of offers and blocks: see, claim, release, check in, depart, and what it paid."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from deliveries import itinerary
from deliveries.models import Manifest, Stop
from drivers import access, applying, clocks, costing
from drivers.access import acts_on, driver_required
from drivers.forms import ApplyForm
from drivers.models import Driver
from offers import (
    attendance,
    audience,
    claiming,
    conditional,
    declining,
    eligibility,
    feed,
    hours,
    limits,
    places,
    reckoning,
)
from offers.drive_forms import CheckInForm, DeclineForm, LateForm
from offers.models import Block, Claim, Decline, HandOver, Offer
from offers.views import reliefs
from retaildelivery.lib import geo
from retaildelivery.lib.geo import Point
from retaildelivery.lib.refusals import Refused
from retaildelivery.web import polling
from retaildelivery.web.errors import STATUS
from stores.models import Market

UNPROCESSABLE, CONFLICT = 422, 409
TRIP_DIGITS = 4
TO_LOAD = {Stop.Kind.PICKUP, Stop.Kind.MEETING}
# Rough places of doors, before the block is one's own: two decimals are about a kilometre.
ROUGH = 2


@login_required
@require_http_methods(["GET", "POST"])
def apply(request: HttpRequest) -> HttpResponse:
    """Become a driver: who, where and with which car."""
    if access.driver_of(request.user) is not None:
        return redirect("drivers:home")
    at = timezone.now()
    form = ApplyForm(
        request.POST if request.method == "POST" else None,
        initial={"name": request.user.name, "phone": request.user.phone},
        markets=list(Market.objects.order_by("name").values_list("code", "name")),
        today=at.date(),
    )
    if request.method == "GET":
        return render(request, "drivers/apply.html", {"form": form})
    if not form.is_valid():
        return render(request, "drivers/apply.html", {"form": form}, status=UNPROCESSABLE)
    try:
        applying.apply(user=request.user, at=at, **form.cleaned_data)
    except Refused as refusal:
        return render(request, "drivers/apply.html", {"form": form, "refusal": refusal}, status=CONFLICT)
    messages.success(request, _("Welcome. Now hand in your papers."))
    return redirect("drivers:status")


@require_GET
def offers(request: HttpRequest) -> HttpResponse:
    """The open offers. A page that polls and has seen everything is answered before anybody is looked up."""
    # Only a poll: whoever opens the page anew may have a message waiting.
    if request.htmx and conditional.unchanged(request, kind="page"):
        return HttpResponse(status=304, headers={"ETag": request.headers["If-None-Match"]})
    return offers_for_driver(request)


@driver_required
def offers_for_driver(request: HttpRequest, driver: Driver) -> HttpResponse:
    return offers_page(request, driver)


def offers_page(
    request: HttpRequest, driver: Driver, *, refusal: Refused | None = None, status: int = 200
) -> HttpResponse:
    at = timezone.now()
    version = feed.version(driver)
    # What is theirs to confirm comes before all else, since it waits only for minutes.
    cards = sorted(feed.offers(driver, at=at), key=lambda card: card.place.state != places.State.ASKED)
    audience.shown((card.offer for card in cards), to=driver.pk)
    claims = feed.claims_about(driver, at=at)
    claim = feed.current_of(claims)
    near = cards[0].block if cards else claim.block if claim else None
    zone = near.mall.zone if near else clocks.zone_of(driver)
    held = [
        window
        for each in claims
        for window in eligibility.held_as(
            each.window.lower, each.window.upper, each.ended_at, each.block.code
        )
    ]
    weeks = hours.weeks_of((each.window for each in held), zone=zone, at=at)
    etag = conditional.etag(request, driver, kind="page", version=version)
    context = {
        "driver": driver,
        "cards": [ticket(card, at=at) for card in cards],
        # Nothing stands before it but what it is.
        "confirming": bool(cards) and cards[0].place.state == places.State.ASKED,
        "held": claim.block if claim else None,
        "week": weeks[0],
        "today": at.astimezone(zone).date(),
        "days": weeks[0].from_day(at.astimezone(zone).date()),
        "asked": list(
            HandOver.objects.open_at(at)  # type: ignore[attr-defined]
            .filter(receiver=driver)
            .select_related("claim__block__mall__market", "claim__driver__user")
        ),
        "declined": Decline.objects.filter(driver=driver, block__status=Block.Status.OFFERED).count(),
        "refusal": refusal,
        "etag": etag,
    }
    response = render(request, "offers/driver_offers.html", context, status=status)
    if etag and status == 200:
        response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    return response


def ticket(card: feed.Card, *, at: dt.datetime) -> dict[str, Any]:
    """A card with what the template cannot work out: the ladder's moments."""
    return {
        "card": card,
        "offer": card.offer,
        "net": card.net,
        "refusal": card.refusals[0] if card.refusals else None,
        "more_refusals": card.refusals[1:],
        "ladder": ladder_of(card.offer),
        "is_open": card.offer.status == Offer.Status.OPEN,
        "place": card.place,
        "step": step_of(card, at=at),
    }


def step_of(card: feed.Card, *, at: dt.datetime) -> str:
    """What the driver can do with the offer now: claim, confirm, enter, leave, wait for the draw, or nothing."""
    offer, state = card.offer, card.place.state
    if offer.status != Offer.Status.OPEN:
        return ""
    if state == places.State.ASKED:
        return "confirm"
    if offer.mode == Offer.Mode.FIRST_COME:
        return "claim" if at < offer.closes_at else ""
    if offer.mode == Offer.Mode.RESERVED:
        return ""
    if at < offer.closes_at and not card.place.is_drawn:
        return "leave" if state == places.State.ENTERED else "enter"
    return "wait" if state in {places.State.ENTERED, places.State.RESERVE} else ""


def ladder_of(offer: Offer) -> list[dict[str, Any]]:
    return [
        {"at": dt.datetime.fromisoformat(step["at"]), "hourly_cents": step["hourly_cents"]}
        for step in offer.ladder
    ]


@require_GET
def offer(request: HttpRequest, code: str) -> HttpResponse:
    """One offer, which keeps itself true while somebody waits for its draw."""
    if request.htmx and conditional.unchanged(request, kind=f"offer {code}"):
        return HttpResponse(status=304, headers={"ETag": request.headers["If-None-Match"]})
    return offer_for_driver(request, code=code)


@driver_required
def offer_for_driver(request: HttpRequest, driver: Driver, code: str) -> HttpResponse:
    found = get_object_or_404(feed.visible_offers(driver), code=code)
    return offer_page(request, driver, found)


def offer_page(
    request: HttpRequest,
    driver: Driver,
    found: Offer,
    *,
    refusal: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    stops = itinerary.stops_in_outline(found.block.manifest_id)
    towns = Counter(stop.town for stop in stops if stop.kind == Stop.Kind.DROPOFF)
    at = timezone.now()
    version = feed.version(driver)
    audience.shown([found], to=driver.pk)
    etag = conditional.etag(request, driver, kind=f"offer {found.code}", version=version)
    context = {
        "driver": driver,
        "etag": etag,
        "is_mine": feed.live_claims(driver).filter(block=found.block).exists(),
        "now_open": feed.open_offers(driver, at=at).filter(block=found.block).exclude(pk=found.pk).first(),
        "ticket": ticket(feed.card(driver, found, at=at), at=at),
        "decline_form": DeclineForm(),
        "meet_m": meet_m(found.block, stops),
        "pickups": list(dict.fromkeys(stop.store for stop in stops if stop.kind == Stop.Kind.PICKUP)),
        # Enough to decide by, not enough to find anybody.
        "towns": sorted(towns.items()),
        **moments_of(found.block, at=at),
        "map_data": rough_map(found.block, stops),
        "refusal": refusal,
    }
    response = render(request, "offers/driver_offer.html", context, status=status)
    if etag and status == 200:
        response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    return response


def meet_m(block: Block, stops: list[Stop]) -> int | None:
    """How far from the mall another driver waits to hand over; None for a block that starts at the mall."""
    place = next((stop.point for stop in stops if stop.kind == Stop.Kind.MEETING), None)
    return None if place is None else geo.road_m(block.mall.point, place)


def rough_map(block: Block, stops: list[Stop]) -> dict[str, Any]:
    """The mall, and circles about which the doors lie."""
    mall = block.mall
    doors = {
        (round(stop.point.lat, ROUGH), round(stop.point.lng, ROUGH))
        for stop in stops
        if stop.kind == Stop.Kind.DROPOFF
    }
    meetings = {
        (round(stop.point.lat, ROUGH), round(stop.point.lng, ROUGH))
        for stop in stops
        if stop.kind == Stop.Kind.MEETING
    }
    return {
        "center": [mall.point.lat, mall.point.lng],
        "zoom": 11,
        "fit": True,
        "markers": [{"lat": mall.point.lat, "lng": mall.point.lng, "kind": "mall", "title": mall.name}],
        "circles": [
            {"lat": lat, "lng": lng, "radius_m": 800, "tone": "info", "title": _("about here")}
            for lat, lng in sorted(doors)
        ]
        + [
            {"lat": lat, "lng": lng, "radius_m": 800, "tone": "go", "title": _("you meet about here")}
            for lat, lng in sorted(meetings)
        ],
    }


@driver_required
@acts_on("offers:driver_offer")
def claim(request: HttpRequest, driver: Driver, code: str) -> HttpResponse:
    """Take the block. Who comes second reads why, on the list as it is now."""
    found = get_object_or_404(feed.visible_offers(driver), code=code)
    try:
        claimed = claiming.claim(offer_code=found.code, driver_id=driver.pk, at=timezone.now())
    except Refused as refusal:
        return offers_page(request, driver, refusal=refusal, status=STATUS.get(refusal.code, CONFLICT))
    messages.success(request, _("The block is yours."))
    return redirect("offers:driver_block_detail", claimed.block.code)


@driver_required
@acts_on("offers:driver_offer")
def decline(request: HttpRequest, driver: Driver, code: str) -> HttpResponse:
    found = get_object_or_404(feed.visible_offers(driver), code=code)
    form = DeclineForm(request.POST)
    if not form.is_valid():
        return offer_page(request, driver, found, status=UNPROCESSABLE)
    declining.decline(
        offer_code=found.code, driver_id=driver.pk, reason=form.cleaned_data["reason"], at=timezone.now()
    )
    messages.info(request, _("It is not shown to you again. That never counts against you."))
    return redirect("offers:driver_offers")


@driver_required
@require_GET
def block(request: HttpRequest, driver: Driver) -> HttpResponse:
    """Today's work."""
    current = feed.current_claim(driver)
    if current is None:
        return render(request, "offers/driver_no_block.html", {"driver": driver})
    return block_page(request, driver, current)


@driver_required
@require_GET
def block_detail(request: HttpRequest, driver: Driver, code: str) -> HttpResponse:
    """A block that is held; one that was held shows what it paid."""
    held = feed.live_claims(driver).filter(block__code=code).first()
    if held is not None:
        return block_page(request, driver, held)
    if not feed.claims_of(driver).filter(block__code=code).exists():
        raise Http404
    return redirect("offers:driver_block_pay", code)


def block_page(
    request: HttpRequest, driver: Driver, held: Claim, *, status: int = 200, **more: Any
) -> HttpResponse:
    at = timezone.now()
    found = held.block
    manifest: Manifest | None = found.manifest
    calls: list[itinerary.Call] = []
    if manifest is not None:
        manifest.mall = found.mall
        calls = itinerary.calls(manifest)
    open_calls = [call for call in calls if call.is_open]
    relief = reliefs.for_driver(held)
    trips = itinerary.in_trips(calls, found.mall)
    loading = found.status == Block.Status.CHECKED_IN or (manifest is not None and manifest.is_back_to_load)
    trip = next((each for each in trips if manifest is not None and each.number == manifest.trip), None)
    open_pickups = sum(call.stop.kind in TO_LOAD and call.is_open for call in trip.calls) if trip else 0
    context = {
        "driver": driver,
        "claim": held,
        "held": found,
        "mall": found.mall,
        "zone": found.mall.zone,
        "manifest": manifest,
        "stops": calls,
        "trips": trips,
        "trip": trip,
        "is_driving_back": manifest is not None
        and manifest.is_back_to_load
        and trip is not None
        and not trip.has_begun,
        "done": len(calls) - len(open_calls),
        "next_call": next_of(open_calls, leaving=relief["leaving"]),
        "open_pickups": open_pickups,
        "may_depart": loading,
        "promise_at_risk": any(
            drop.is_open and call.stop.eta_at >= drop.order.window.upper
            for call in open_calls
            if call.stop.kind == Stop.Kind.DROPOFF
            for drop in call.drops
        ),
        "depart_is_next": loading and not open_pickups,
        "badge_needed": loading or any(call.stop.kind == Stop.Kind.RETURN for call in open_calls),
        "share_position": found.status in {Block.Status.CHECKED_IN, Block.Status.WORKING},
        "map_data": itinerary.map_of(calls, manifest=manifest) if manifest else None,
        "mall_navigation": itinerary.navigation(found.mall),
        "check_in_form": CheckInForm(),
        "late_form": LateForm(),
        "net": reckoning.estimate(costing.of(driver), found, pay_cents=held.pay_cents),
        "others": [other.block for other in feed.live_claims(driver) if other.pk != held.pk],
        **moments_of(found, at=at),
        **reliefs.for_taker(found),
        **relief,
        **more,
    }
    # Who waits for another driver has a part of it asked for again and again.
    page = "offers/driver_block.html#relief" if request.htmx and status == 200 else "offers/driver_block.html"
    return polling.answer(request, render(request, page, context, status=status))


def next_of(open_calls: list[itinerary.Call], *, leaving: set[int]) -> itinerary.Call | None:
    """Where the driver goes now: to where they are, or on, past what another driver comes to take over."""
    staying = [
        each for each in open_calls if each.stop.pk not in leaving or each.stop.status == Stop.Status.ARRIVED
    ]
    return staying[0] if staying else None


def moments_of(block: Block, *, at: dt.datetime) -> dict[str, Any]:
    """When what is possible: check-in, and release without consequence."""
    opens = block.starts_at - limits.CHECK_IN_BEFORE
    release_until = block.starts_at - limits.RELEASE_UNTIL
    return {
        "check_in_from": opens,
        "check_in_until": block.starts_at + limits.CHECK_IN_LATE,
        "is_late": block.status == Block.Status.CLAIMED and at > block.starts_at + limits.CHECK_IN_LATE,
        "no_show_at": block.starts_at + limits.NO_SHOW_AFTER,
        "is_too_late": block.status == Block.Status.CLAIMED and at >= block.starts_at + limits.NO_SHOW_AFTER,
        "late_points": -limits.LATE_CHECK_IN_POINTS,
        "late_told_points": -limits.LATE_TOLD_POINTS,
        "check_in_open": opens <= at < block.starts_at + limits.NO_SHOW_AFTER,
        "may_tell_late": block.status == Block.Status.CLAIMED
        and block.starts_at - limits.RELEASE_UNTIL <= at <= block.starts_at + limits.CHECK_IN_LATE,
        "may_hand_over": block.status == Block.Status.CLAIMED and at < block.starts_at,
        "release_until": release_until,
        "release_is_early": at <= release_until,
        "forfeit_points": -limits.FORFEIT_POINTS,
        "no_show_points": -limits.NO_SHOW_POINTS,
    }


def held_claim(driver: Driver, code: str) -> Claim:
    """The driver's live claim of this block, or 404."""
    return get_object_or_404(feed.live_claims(driver), block__code=code)


@driver_required
@require_http_methods(["GET", "POST"])
def release(request: HttpRequest, driver: Driver, code: str) -> HttpResponse:
    """Give the block back: first what that means, then doing it."""
    held = held_claim(driver, code)
    at = timezone.now()
    context = {"driver": driver, "held": held.block, **moments_of(held.block, at=at)}
    if request.method == "GET":
        return render(request, "offers/driver_release.html", context)
    if "early" in request.POST and not context["release_is_early"]:
        # Nobody forfeits by a page that still promised that nothing happens.
        return render(request, "offers/driver_release.html", context | {"was_early": True}, status=CONFLICT)
    try:
        ended = claiming.release(block_code=code, driver_id=driver.pk, at=at)
    except Refused as refusal:
        return render(request, "offers/driver_release.html", context | {"refusal": refusal}, status=CONFLICT)
    if ended.ending == Claim.Ending.FORFEITED:
        messages.warning(request, _("Released. It was late, so it counts against your standing."))
    else:
        messages.success(request, _("Released in time. It does not count against you."))
    return redirect("offers:driver_offers")


@driver_required
@acts_on("offers:driver_block_detail")
def check_in(request: HttpRequest, driver: Driver, code: str) -> HttpResponse:
    held = held_claim(driver, code)
    form = CheckInForm(request.POST)
    if not form.is_valid():
        return block_page(request, driver, held, status=UNPROCESSABLE, check_in_form=form, desk_needed=True)
    given = form.cleaned_data
    here = given["lat"] is not None and given["lng"] is not None
    try:
        attendance.check_in(
            block_code=code,
            driver_id=driver.pk,
            point=Point(given["lat"], given["lng"]) if here else None,
            accuracy_m=given["accuracy_m"] if here else None,
            desk_code=given["desk_code"],
            at=timezone.now(),
        )
    except Refused as refusal:
        status = STATUS.get(refusal.code, CONFLICT)
        more = {"refusal": refusal, "desk_needed": True, "check_in_form": form}
        return block_page(request, driver, held, status=status, **more)
    if held.block.is_relief:
        messages.success(request, _("You are checked in. Scan what you take over."))
    else:
        messages.success(request, _("You are checked in. Go to the first store."))
    return redirect("offers:driver_block_detail", code)


@driver_required
@acts_on("offers:driver_block_detail")
def departure(request: HttpRequest, driver: Driver, code: str) -> HttpResponse:
    held = held_claim(driver, code)
    trip = request.POST.get("trip", "")
    try:
        attendance.depart(
            block_code=code,
            driver_id=driver.pk,
            trip=int(trip) if trip.isdecimal() and len(trip) < TRIP_DIGITS else None,
            at=timezone.now(),
        )
    except Refused as refusal:
        return block_page(request, driver, held, status=STATUS.get(refusal.code, CONFLICT), refusal=refusal)
    messages.success(request, _("On your way."))
    return redirect("offers:driver_block_detail", code)


@driver_required
@require_GET
def manifest(request: HttpRequest, driver: Driver, code: str) -> HttpResponse:
    """Every stop in words, for a phone that keeps nothing else."""
    held = held_claim(driver, code)
    calls = itinerary.calls(held.block.manifest) if held.block.manifest else []
    return render(
        request,
        "offers/driver_manifest.html",
        {"driver": driver, "held": held.block, "trips": itinerary.in_trips(calls, held.block.mall)},
    )
