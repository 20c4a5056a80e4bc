"""The driver's API of what happens to a block on the way."""

from __future__ import annotations

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from deliveries import itinerary, reordering
from deliveries.models import Manifest, Stop
from deliveries.reordering import Call, Outlook
from deliveries.snapshots import moment
from offers import aborting, asking_relief, feed, relieving
from offers import driver_serializers as shapes
from offers.api import TAGS, OneBlockView
from offers.models import ReliefRequest
from offers.road_forms import REASONS
from retaildelivery.lib.geo import Point
from retaildelivery.web import api
from retaildelivery.web.fields import BOTH_COORDINATES, Choice, Input, Number, Output, Text


class EndingIn(Input):
    """Why you cannot go on, and where you are if the phone knows."""

    conditions = BOTH_COORDINATES

    reason = Choice(choices=REASONS)
    note = Text(max_length=300, required=False, allow_blank=True, default="")
    latitude = Number(required=False, allow_null=True, min_value=-90, max_value=90)
    longitude = Number(required=False, allow_null=True, min_value=-180, max_value=180)
    client_event_id = Text(max_length=64, required=False, allow_blank=True, default="")

    def validate(self, attrs: shapes.Json) -> shapes.Json:
        if (attrs.get("latitude") is None) != (attrs.get("longitude") is None):
            missing = "longitude" if attrs.get("longitude") is None else "latitude"
            raise serializers.ValidationError({missing: "Give both coordinates or none."}, code="required")
        return attrs


class TakeoverIn(Input):
    driver_code = Text(max_length=12, help_text="Shown by the driver who takes over.")
    client_event_id = Text(max_length=64, required=False, allow_blank=True, default="")


class RouteIn(Input):
    stops = serializers.ListField(
        child=serializers.CharField(max_length=12),
        min_length=1,
        max_length=60,
        help_text="Codes of every door of the present trip, and every return, still to come, in the order in which you "
        "will visit them. What comes back at the loading of a later trip is not among them.",
    )
    client_event_id = Text(max_length=64, required=False, allow_blank=True, default="")


class RouteStopOut(Output):
    code = serializers.CharField()
    kind = serializers.ChoiceField(choices=Stop.Kind.choices)
    address = serializers.CharField()
    reached_at = serializers.DateTimeField(help_text="When you are there, in this order.")
    due_at = serializers.DateTimeField(allow_null=True, help_text="End of the promise; null for a return.")
    late_minutes = serializers.IntegerField()


class ProposalOut(Output):
    stops = RouteStopOut(many=True)
    keeps = serializers.IntegerField(help_text="Promises kept that would be broken.")
    late_minutes = serializers.IntegerField(help_text="Less lateness in all.")
    minutes = serializers.IntegerField(help_text="Sooner done.")


class RouteOut(Output):
    stops = RouteStopOut(many=True)
    warnings = RouteStopOut(
        many=True, help_text="Stops whose promise is broken in this order; never a refusal."
    )
    proposal = ProposalOut(
        allow_null=True, help_text="A better order: PUT its codes to accept, or keep yours."
    )


class ReliefIn(Input):
    stops = serializers.ListField(
        child=serializers.CharField(max_length=12),
        max_length=60,
        required=False,
        default=list,
        help_text="Codes of the doors and returns that another should take over; none means all that are left.",
    )
    note = Text(max_length=300, required=False, allow_blank=True, default="")
    client_event_id = Text(max_length=64, required=False, allow_blank=True, default="")


class ReliefStopOut(RouteStopOut):
    proposed = serializers.BooleanField(help_text="Its promise would break as things stand.")


class ReliefRequestOut(Output):
    code = serializers.CharField()
    stops = serializers.ListField(child=serializers.CharField())
    note = serializers.CharField(allow_blank=True)
    asked_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    ending = serializers.ChoiceField(choices=ReliefRequest.Ending.choices, allow_blank=True)
    answer = serializers.CharField(allow_blank=True, help_text="What operations say to it.")


class ReliefOut(Output):
    stops = ReliefStopOut(many=True, help_text="What could be handed over, in the order of your visits.")
    request = ReliefRequestOut(allow_null=True, help_text="What you asked for last, and how it ended.")


def route_json(outlook: Outlook) -> shapes.Json:
    better = outlook.proposal
    return {
        "stops": [_call_json(call) for call in outlook.calls],
        "warnings": [_call_json(call) for call in outlook.warnings],
        "proposal": None
        if better is None
        else {
            "stops": [_call_json(call) for call in better.calls],
            "keeps": better.keeps,
            "late_minutes": better.late_minutes,
            "minutes": better.minutes,
        },
    }


def _call_json(call: Call) -> shapes.Json:
    return {
        "code": call.stop.code,
        "kind": call.stop.kind,
        "address": call.stop.place,
        "reached_at": moment(call.reached_at),
        "due_at": moment(call.visit.due_at),
        "late_minutes": call.late_minutes,
    }


class OwnRouteView(OneBlockView):
    def own(self, code: str) -> Manifest:
        """The manifest of a block that the driver holds, or 404."""
        held = get_object_or_404(feed.live_claims(self.driver), block__code=code)
        found: Manifest = get_object_or_404(
            itinerary.manifests_of(self.driver).select_related("driver"), pk=held.block.manifest_id
        )
        return found


class RouteView(OwnRouteView):
    @extend_schema(operation_id="driver_route", responses=RouteOut, tags=TAGS)
    def get(self, request: Request, code: str) -> Response:
        """The stops of the present trip still to come with when you reach each, which promises would break, and a
        better order if there is one."""
        api.query(request, api.NoQuery)
        return Response(route_json(reordering.outlook(self.own(code), at=timezone.now())))

    @extend_schema(operation_id="driver_reorder", request=RouteIn, responses=RouteOut, tags=TAGS)
    def put(self, request: Request, code: str) -> Response:
        """Visit the stops of the present trip still to come in your own order. It is yours to choose: a promise that
        breaks by it is a warning. The stop at which you are stays first. A repeat is harmless."""
        given = api.body(request, RouteIn)
        changed = reordering.reorder(
            driver=self.driver,
            manifest_code=self.own(code).code,
            stop_codes=given["stops"],
            at=timezone.now(),
        )
        return Response(route_json(changed))


class KeptRouteView(OwnRouteView):
    @extend_schema(operation_id="driver_keep_route", request=RouteIn, responses=RouteOut, tags=TAGS)
    def put(self, request: Request, code: str) -> Response:
        """Keep your order though the proposal, whose codes you send, is better: it is not proposed again until facts
        make it save more. When the proposal has changed by now, you get the new one. A repeat is harmless."""
        given = api.body(request, RouteIn)
        kept = reordering.keep(
            driver=self.driver,
            manifest_code=self.own(code).code,
            shown=given["stops"],
            at=timezone.now(),
        )
        return Response(route_json(kept))


def relief_json(choices: list[asking_relief.Choice], asked: ReliefRequest | None) -> shapes.Json:
    return {
        "stops": [{**_call_json(each.call), "proposed": each.proposed} for each in choices],
        "request": None
        if asked is None
        else {
            "code": asked.code,
            "stops": sorted(stop.code for stop in asked.stops.all()),
            "note": asked.note,
            "asked_at": moment(asked.asked_at),
            "ended_at": moment(asked.ended_at),
            "ending": asked.ending,
            "answer": asked.answer,
        },
    }


class ReliefView(OneBlockView):
    def now(self, code: str) -> Response:
        held = get_object_or_404(feed.live_claims(self.driver), block__code=code)
        held.driver = self.driver
        choices = asking_relief.choices(held, at=timezone.now())
        return Response(relief_json(choices, asking_relief.newest(held)))

    @extend_schema(operation_id="driver_relief", responses=ReliefOut, tags=TAGS)
    def get(self, request: Request, code: str) -> Response:
        """Which stops another driver could take over, those proposed whose promise would break, and what you have
        asked for."""
        api.query(request, api.NoQuery)
        return self.now(code)

    @extend_schema(operation_id="driver_ask_relief", request=ReliefIn, responses=ReliefOut, tags=TAGS)
    def put(self, request: Request, code: str) -> Response:
        """Ask operations that another driver takes stops over. They stay yours until the handover; pay and standing
        stay as they are. The same again is harmless; other stops take the place of those asked for before."""
        given = api.body(request, ReliefIn)
        self.found(code)
        asking_relief.ask(
            block_code=code,
            driver_id=self.driver.pk,
            stop_codes=given["stops"],
            note=given["note"],
            at=timezone.now(),
        )
        return self.now(code)

    @extend_schema(operation_id="driver_take_relief_back", responses={200: ReliefOut}, tags=TAGS)
    def delete(self, request: Request, code: str) -> Response:
        """You keep the stops after all. Nothing asked for is nothing to do."""
        self.found(code)
        asking_relief.take_back(block_code=code, driver_id=self.driver.pk, at=timezone.now())
        return self.now(code)


class EndingView(OneBlockView):
    @extend_schema(operation_id="driver_end_block", request=EndingIn, responses=shapes.BlockOut, tags=TAGS)
    def put(self, request: Request, code: str) -> Response:
        """You cannot go on: breakdown, crash, illness, danger. What you hold is offered to another driver where you
        are; you are paid for the time so far and until the handover. A repeat is harmless."""
        given = api.body(request, EndingIn)
        self.found(code)
        here = given.get("latitude") is not None
        aborting.abort(
            block_code=code,
            driver_id=self.driver.pk,
            reason=given["reason"],
            note=given["note"],
            point=Point(given["latitude"], given["longitude"]) if here else None,
            at=timezone.now(),
        )
        return self.answer_of(code)


class HandoverView(OneBlockView):
    @extend_schema(
        operation_id="driver_confirm_handover", request=TakeoverIn, responses=shapes.BlockOut, tags=TAGS
    )
    def put(self, request: Request, code: str) -> Response:
        """Confirm the driver who takes your parcels over: your half. Each parcel is theirs with their scan of it."""
        given = api.body(request, TakeoverIn)
        self.found(code)
        relieving.confirm(
            block_code=code, driver_id=self.driver.pk, driver_code=given["driver_code"], at=timezone.now()
        )
        return self.answer_of(code)
