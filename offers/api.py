"""The driver's API of offers and blocks: all that the portal does."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from deliveries import itinerary
from deliveries.api.driver_serializers import ManifestOut
from drivers import costing, ledger
from drivers.api import DriverView
from offers import (
    attendance,
    audience,
    claiming,
    conditional,
    declining,
    drawing,
    entering,
    feed,
    latecomers,
    listing,
    openings,
    own,
    places,
    recent,
)
from offers import driver_serializers as shapes
from offers.models import Block, Claim, Offer
from retaildelivery.lib.geo import Point
from retaildelivery.web import api, paging

TAGS = ["Driver"]
ETAG = OpenApiParameter("If-None-Match", location="header", description="The ETag of the answer before.")


class OffersView(DriverView):
    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """An app that polls and has seen everything is answered before anybody is looked up: no SQL."""
        poll = conditional.polled(request, kind="api") if request.method == "GET" else None
        if poll is None:
            return super().dispatch(request, *args, **kwargs)
        at = timezone.now()
        market = feed.market_at(poll.asker.market_code, version=poll.version, at=at)
        tag = conditional.tag_of(poll.credential, feed.seen(market, version=poll.version))
        known = {"ETag": tag, "Cache-Control": "private, no-cache"} | poll.budget.headers
        if request.headers["If-None-Match"] == tag:
            return HttpResponse(status=304, headers=known)
        text = self.text_for(poll, market, at=at) if not request.META["QUERY_STRING"] else None
        if text is None:
            return super().dispatch(request, *args, **kwargs)
        kind = {"Content-Type": "application/json", "Allow": ", ".join(self.allowed_methods)}
        return HttpResponse(text, headers=kind | known)

    def text_for(self, poll: conditional.Poll, market: openings.Market, *, at: dt.datetime) -> bytes | None:
        """The whole feed of who was read lately, as `get` gives it; None when they have to be read anew."""
        asker, own, sheet = poll.asker, poll.asker.own, poll.asker.sheet
        drawn = (draw.pk for draw in market.draws.values() if draw.drawn_at is not None)
        if own is None or sheet is None or not own.serves(held_in=market.held_in, drawn=drawn):
            return None
        text, offers = listing.written(own, market, sheet, at=at)
        new = [offer for offer in offers if offer.block_id not in asker.shown]
        audience.shown(new, to=asker.driver_id)
        asker.shown.update(offer.block_id for offer in new)
        return text

    @extend_schema(
        operation_id="driver_list_offers", parameters=[ETAG], responses=shapes.OffersOut, tags=TAGS
    )
    def get(self, request: Request) -> HttpResponse:
        """Offers open now in your market, soonest first. Send the ETag back: 304 while nothing changed."""
        api.query(request, api.NoQuery)
        driver = self.driver
        version = feed.version(driver)
        latecomers.note_known(request, driver)
        at = timezone.now()
        market = feed.market_at(driver.market_code, version=version, at=at)
        theirs = own.read(driver, market.offers, at=at)
        text, offers = listing.written(theirs, market, listing.sheet_of(theirs), at=at)
        response = HttpResponse(text, content_type="application/json")
        audience.shown(offers, to=driver.pk)
        seen = feed.seen(market, version=version)
        etag = conditional.etag(
            request, driver, kind="api", version=version, seen=seen, own=theirs, shown=offers
        )
        if etag:
            response["ETag"] = etag
            response["Cache-Control"] = "private, no-cache"
        return response


class OneOfferView(DriverView):
    def found(self, code: str) -> Offer:
        """An offer of the driver's market, or 404."""
        found = feed.visible_offer(self.driver, code)
        if found is None:
            raise Http404
        return found


class OfferView(OneOfferView):
    @extend_schema(operation_id="driver_get_offer", responses=shapes.OfferOut, tags=TAGS)
    def get(self, request: Request, code: str) -> Response:
        """One offer, open or over."""
        api.query(request, api.NoQuery)
        card = feed.card(self.driver, self.found(code), at=timezone.now())
        audience.shown([card.offer], to=self.driver.pk)
        return Response(shapes.offer_json(card))


class WhyView(OneOfferView):
    @extend_schema(operation_id="driver_why_not", responses=shapes.WhyOut, tags=TAGS)
    def get(self, request: Request, code: str) -> Response:
        """Every reason why you may not have it now (none means that you may), and how you stand in its draw."""
        api.query(request, api.NoQuery)
        at = timezone.now()
        card = feed.card(self.driver, self.found(code), at=at)
        closed = claiming.closed_to(card.offer, driver_id=self.driver.pk, at=at)
        refusals = [shapes.refusal_json(each) for each in (closed, *card.refusals) if each is not None]
        return Response(
            {
                "eligible": not refusals,
                "refusals": refusals,
                "entered": card.place.state not in {places.State.NOT_ENTERED, places.State.LEFT},
                "place": shapes.place_json(card.place),
                "draw": shapes.draw_json(card.offer, card.place.draw),
            }
        )


class EntryView(OneOfferView):
    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """In the rush of a draw's first seconds most are known: one statement, and nobody is looked up."""
        made = (
            entering.quickly(request, kwargs["code"], at=timezone.now()) if request.method == "PUT" else None
        )
        if made is None:
            return super().dispatch(request, *args, **kwargs)
        text = listing.encoded(self.shape_of(made.offer, made.place))
        kind = {"Content-Type": "application/json", "Allow": ", ".join(self.allowed_methods)}
        return HttpResponse(text, headers=kind | {"Cache-Control": "no-store"} | made.headers)

    def shape_of(self, offer: Offer, place: places.Place) -> dict[str, Any]:
        return {
            "offer": offer.code,
            "draw": shapes.draw_json(offer, place.draw),
            "place": shapes.place_json(place),
        }

    def answer_of(self, offer: Offer, place: places.Place) -> Response:
        return Response(self.shape_of(offer, place))

    @extend_schema(
        operation_id="driver_enter_draw", request=shapes.EntryIn, responses=shapes.EntryOut, tags=TAGS
    )
    def put(self, request: Request, code: str) -> Response:
        """Take part in the offer's draw. When you enter has no effect on the result; a repeat is harmless."""
        api.body(request, shapes.EntryIn)
        # In the rush of its first seconds one offer is read by thousands; whether it is open is asked when writing.
        read = recent.read(code, market_code=self.driver.market_code)
        offer = read.offer if read else self.found(code)
        place = drawing.enter(offer=offer, driver=self.driver, at=timezone.now())
        recent.keep(offer)
        return self.answer_of(offer, place)

    @extend_schema(operation_id="driver_leave_draw", responses={200: shapes.EntryOut}, tags=TAGS)
    def delete(self, request: Request, code: str) -> Response:
        """Take your entry back, also as a reserve, or as who is asked. It never counts against you."""
        offer = self.found(code)
        drawing.leave(offer=offer, driver=self.driver, at=timezone.now())
        return self.answer_of(offer, places.of(self.driver, [offer])[offer.pk])


class ClaimView(OneOfferView):
    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Who comes too late is answered before anybody is looked up: no SQL."""
        if request.method != "PUT":
            return super().dispatch(request, *args, **kwargs)
        code, taken = kwargs["code"], claiming.BlockTaken()
        if late := latecomers.answer(request, code, taken):
            return late
        with latecomers.one_at_a_time(code) as waited:
            late = latecomers.answer(request, code, taken) if waited else None
            return late or super().dispatch(request, *args, **kwargs)

    @extend_schema(operation_id="driver_claim", request=shapes.ClaimIn, responses=shapes.BlockOut, tags=TAGS)
    def put(self, request: Request, code: str) -> Response:
        """Claim the block, or confirm it when its draw asks you. Exactly one driver can have it; a repeat by the
        winner gives the same answer."""
        api.body(request, shapes.ClaimIn)
        latecomers.note_known(request, self.driver)
        offer = self.found(code)
        made = claiming.claim_offer(offer=offer, driver_id=self.driver.pk, at=timezone.now())
        return Response(shapes.block_json(made, costing.of(self.driver)))


class DeclineView(OneOfferView):
    @extend_schema(operation_id="driver_decline", request=shapes.DeclineIn, responses={204: None}, tags=TAGS)
    def put(self, request: Request, code: str) -> Response:
        """Not for me: the block is no longer shown, and if its draw asks you, the next one is asked. It never counts
        against you."""
        given = api.body(request, shapes.DeclineIn)
        offer = self.found(code)
        declining.decline(
            offer_code=offer.code, driver_id=self.driver.pk, reason=given["reason"], at=timezone.now()
        )
        return Response(status=204)


class BlocksView(DriverView):
    @extend_schema(
        operation_id="driver_list_blocks",
        parameters=[paging.PageQuery],
        responses=shapes.BlockPage,
        tags=TAGS,
    )
    def get(self, request: Request) -> Response:
        """Blocks that you hold or have held, newest first."""
        asked = api.query(request, paging.PageQuery)
        claims = feed.claims_of(self.driver)
        page = paging.newest_first(Block.objects.filter(pk__in=claims.values("block")), asked)
        latest = {claim.block_id: claim for claim in claims.filter(block__in=page.rows).order_by("pk")}
        costs = costing.of(self.driver)
        results = [shapes.block_json(latest[row.pk], costs) for row in page.rows]
        return Response({"results": results, "next": page.next})


class OneBlockView(DriverView):
    def found(self, code: str) -> Claim:
        """The driver's newest claim of this block, live or ended, or 404."""
        claim = feed.claims_of(self.driver).filter(block__code=code).order_by("-pk")[:1]
        found: Claim = get_object_or_404(claim)
        return found

    def answer_of(self, code: str) -> Response:
        return Response(shapes.block_json(self.found(code), costing.of(self.driver)))


class BlockView(OneBlockView):
    @extend_schema(operation_id="driver_get_block", responses=shapes.BlockOut, tags=TAGS)
    def get(self, request: Request, code: str) -> Response:
        """One block that you hold or have held."""
        api.query(request, api.NoQuery)
        return self.answer_of(code)


class BlockClaimView(OneBlockView):
    @extend_schema(operation_id="driver_release", responses={200: shapes.BlockOut}, tags=TAGS)
    def delete(self, request: Request, code: str) -> Response:
        """Give the block back: without consequence until `release_free_until`, as a forfeit afterwards."""
        self.found(code)
        claiming.release(block_code=code, driver_id=self.driver.pk, at=timezone.now())
        return self.answer_of(code)


class CheckInView(OneBlockView):
    @extend_schema(
        operation_id="driver_check_in", request=shapes.CheckInIn, responses=shapes.BlockOut, tags=TAGS
    )
    def put(self, request: Request, code: str) -> Response:
        """You are at the mall: by position inside its circle, or by the desk's code. A repeat is harmless."""
        given = api.body(request, shapes.CheckInIn)
        self.found(code)
        here = given.get("latitude") is not None
        accuracy = given.get("accuracy_m")
        attendance.check_in(
            block_code=code,
            driver_id=self.driver.pk,
            point=Point(given["latitude"], given["longitude"]) if here else None,
            accuracy_m=round(accuracy) if here and accuracy is not None else None,
            desk_code=given["desk_code"],
            at=timezone.now(),
        )
        return self.answer_of(code)


class DepartureView(OneBlockView):
    @extend_schema(
        operation_id="driver_depart", request=shapes.DepartureIn, responses=shapes.BlockOut, tags=TAGS
    )
    def put(self, request: Request, code: str) -> Response:
        """You leave the mall with what is loaded for the present trip. A repeat is harmless."""
        given = api.body(request, shapes.DepartureIn)
        self.found(code)
        attendance.depart(block_code=code, driver_id=self.driver.pk, trip=given["trip"], at=timezone.now())
        return self.answer_of(code)


class ManifestView(OneBlockView):
    @extend_schema(operation_id="driver_manifest", responses=ManifestOut, tags=TAGS)
    def get(self, request: Request, code: str) -> Response:
        """The stops of a block you hold, trip by trip and in order, with the parcels and what each door asks for. After
        the last door of a trip you go back to the mall and load the next; then you depart again."""
        api.query(request, api.NoQuery)
        held: Claim = get_object_or_404(feed.live_claims(self.driver), block__code=code)
        manifest = get_object_or_404(itinerary.manifests_of(self.driver), pk=held.block.manifest_id)
        return Response(itinerary.manifest_json(manifest, itinerary.calls(manifest)))


class EarningsView(DriverView):
    @extend_schema(
        operation_id="driver_earnings",
        parameters=[paging.PageQuery],
        responses=shapes.EarningsOut,
        tags=TAGS,
    )
    def get(self, request: Request) -> Response:
        """Your balance, and your paid blocks, newest first, with every line and the rule it was computed from."""
        query = api.query(request, paging.PageQuery)
        limit, cursor = query["limit"], query.get("cursor") or ""
        if cursor and not feed.claims_of(self.driver).filter(block__code=cursor).exists():
            raise paging.UnknownCursor(field="cursor")
        found = feed.earnings(self.driver, limit=limit + 1, after=cursor)
        settled, more = found[:limit], len(found) > limit
        currency = settled[0].claim.block.mall.market.currency if settled else "USD"
        costs = costing.of(self.driver)
        return Response(
            {
                "balance": {"cents": ledger.balance_now(self.driver), "currency": currency},
                "results": [shapes.paid_json(row, costs) for row in settled],
                "next": settled[-1].claim.block.code if more else None,
            }
        )
