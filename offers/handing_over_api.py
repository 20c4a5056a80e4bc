"""The driver's API of running late and of handing a block over."""

from __future__ import annotations

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from drivers.api import DriverView
from offers import driver_serializers as shapes
from offers import feed, handing_over, lateness, limits
from offers.api import OneBlockView
from offers.models import HandOver
from retaildelivery.web import api

TAGS = ["Driver"]


class LateView(OneBlockView):
    @extend_schema(
        operation_id="driver_running_late", request=shapes.LateIn, responses=shapes.BlockOut, tags=TAGS
    )
    def put(self, request: Request, code: str) -> Response:
        """You will be late, and when you will be there. Said by 5 minutes after the start, it weighs half."""
        given = api.body(request, shapes.LateIn)
        self.found(code)
        lateness.tell(block_code=code, driver_id=self.driver.pk, eta_at=given["eta_at"], at=timezone.now())
        return self.answer_of(code)


class BlockHandOverView(OneBlockView):
    @extend_schema(
        operation_id="driver_propose_hand_over",
        request=shapes.HandOverIn,
        responses=shapes.HandOverOut,
        tags=TAGS,
    )
    def put(self, request: Request, code: str) -> Response:
        """Ask another driver to take the block over. It stays yours until they accept; it counts against nobody."""
        given = api.body(request, shapes.HandOverIn)
        self.found(code)
        made = handing_over.propose(
            block_code=code, driver_id=self.driver.pk, receiver_code=given["driver"], at=timezone.now()
        )
        return Response(shapes.hand_over_json(feed.hand_overs_of(self.driver).get(pk=made.pk)))

    @extend_schema(operation_id="driver_take_hand_over_back", responses={200: shapes.BlockOut}, tags=TAGS)
    def delete(self, request: Request, code: str) -> Response:
        """You keep the block after all."""
        self.found(code)
        asked = get_object_or_404(
            HandOver.objects.filter(claim__driver=self.driver, claim__block__code=code, ended_at=None)
        )
        handing_over.take_back(code=asked.code, driver_id=self.driver.pk, at=timezone.now())
        return self.answer_of(code)


class HandOversView(DriverView):
    @extend_schema(operation_id="driver_list_hand_overs", responses=shapes.HandOversOut, tags=TAGS)
    def get(self, request: Request) -> Response:
        """What you have proposed and what is proposed to you, newest first."""
        api.query(request, api.NoQuery)
        rows = feed.hand_overs_of(self.driver)[: limits.FEED]
        return Response({"results": [shapes.hand_over_json(row) for row in rows]})


class AcceptanceView(DriverView):
    @extend_schema(
        operation_id="driver_accept_hand_over", request=api.NoBody, responses=shapes.HandOverOut, tags=TAGS
    )
    def put(self, request: Request, code: str) -> Response:
        """Take the block over at its locked pay. Refused as a claim would be when you may not have it."""
        api.body(request, api.NoBody)
        asked = get_object_or_404(HandOver.objects.filter(receiver=self.driver), code=code)
        handing_over.accept(code=asked.code, driver_id=self.driver.pk, at=timezone.now())
        return Response(shapes.hand_over_json(feed.hand_overs_of(self.driver).get(pk=asked.pk)))


class RefusalView(DriverView):
    @extend_schema(
        operation_id="driver_decline_hand_over", request=api.NoBody, responses=shapes.HandOverOut, tags=TAGS
    )
    def put(self, request: Request, code: str) -> Response:
        """No, thank you. It never counts against you."""
        api.body(request, api.NoBody)
        asked = get_object_or_404(HandOver.objects.filter(receiver=self.driver), code=code)
        handing_over.decline(code=asked.code, driver_id=self.driver.pk, at=timezone.now())
        return Response(shapes.hand_over_json(feed.hand_overs_of(self.driver).get(pk=asked.pk)))
