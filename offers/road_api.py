"""The driver's API of what happens to a block on the way."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from offers import aborting, relieving
from offers import driver_serializers as shapes
from offers.api import TAGS, OneBlockView
from offers.road_forms import REASONS
from retaildelivery.lib.geo import Point
from retaildelivery.web import api
from retaildelivery.web.fields import Choice, Input, Number, Text


class EndingIn(Input):
    """Why you cannot go on, and where you are if the phone knows."""

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


class HandoverIn(Input):
    driver_code = Text(max_length=12, help_text="Shown by the driver who takes over.")
    client_event_id = Text(max_length=64, required=False, allow_blank=True, default="")


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
        operation_id="driver_confirm_handover", request=HandoverIn, responses=shapes.BlockOut, tags=TAGS
    )
    def put(self, request: Request, code: str) -> Response:
        """Confirm the driver who takes your parcels over: your half. Each parcel is theirs with their scan of it."""
        given = api.body(request, HandoverIn)
        self.found(code)
        relieving.confirm(
            block_code=code, driver_id=self.driver.pk, driver_code=given["driver_code"], at=timezone.now()
        )
        return self.answer_of(code)
