"""The driver's API of what is paid beside the plan: tolls and ways that nobody planned, and missions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from deliveries.api.driver_serializers import picture
from deliveries.snapshots import moment
from drivers.api import DriverView
from offers import extras, limits, missions, paydays
from offers.api import OneBlockView
from offers.models import Block, Extra
from retaildelivery.web import api, paging
from retaildelivery.web.fields import Input, Output, Text, WholeNumber
from retaildelivery.web.parsers import StrictJSONParser

TAGS = ["Driver"]


class TollIn(Input):
    what = Text(max_length=80, help_text="Which road or bridge.")
    cents = WholeNumber(min_value=1, max_value=limits.TOLL_CENTS)
    receipt = Text(help_text="Photo: base64 or a data URL, JPEG, PNG or WebP; larger ones as a form.")


class TollUpload(Input):
    """The same as a form, with the photo as a file."""

    what = serializers.CharField(max_length=80)
    cents = serializers.IntegerField(min_value=1, max_value=limits.TOLL_CENTS)
    receipt = serializers.FileField()


class ExtraTripIn(Input):
    what = Text(max_length=80, help_text="Why the way was needed.")
    minutes = WholeNumber(min_value=1, max_value=240)
    miles = serializers.DecimalField(
        max_digits=4, decimal_places=1, min_value=Decimal(0), max_value=Decimal(200)
    )


class ExtraOut(Output):
    code = serializers.CharField()
    block = serializers.CharField()
    kind = serializers.ChoiceField(choices=Extra.Kind.choices)
    what = serializers.CharField()
    cents = serializers.IntegerField(help_text="Of a toll.")
    minutes = serializers.IntegerField(help_text="Of a way.")
    miles = serializers.DecimalField(max_digits=6, decimal_places=1, help_text="Of a way.")
    asked_at = serializers.DateTimeField()
    granted_at = serializers.DateTimeField(allow_null=True, help_text="It is a line of the block since then.")
    declined_at = serializers.DateTimeField(allow_null=True)
    declined_reason = serializers.CharField(allow_blank=True)


class ExtraPage(Output):
    results = ExtraOut(many=True)
    next = serializers.CharField(allow_null=True)


def extra_json(row: Extra) -> dict[str, Any]:
    return {
        "code": row.code,
        "block": row.block.code,
        "kind": row.kind,
        "what": row.what,
        "cents": row.cents,
        "minutes": row.minutes,
        "miles": str(row.miles),
        "asked_at": moment(row.asked_at),
        "granted_at": moment(row.granted_at),
        "declined_at": moment(row.declined_at),
        "declined_reason": row.declined_reason,
    }


class ExtrasBase(OneBlockView):
    @property
    def mine(self) -> QuerySet[Extra]:
        return Extra.objects.filter(driver=self.driver).select_related("block")

    def made(self, row: Extra) -> Response:
        return Response(extra_json(self.mine.get(pk=row.pk)), status=status.HTTP_201_CREATED)


class ExtrasView(ExtrasBase):
    @extend_schema(
        operation_id="driver_extras", parameters=[paging.PageQuery], responses=ExtraPage, tags=TAGS
    )
    def get(self, request: Request) -> Response:
        """What you asked to be paid beside the plan of your blocks, newest first, and what became of it."""
        page = paging.newest_first(self.mine, api.query(request, paging.PageQuery))
        return Response({"results": [extra_json(row) for row in page.rows], "next": page.next})


class ExtraView(ExtrasBase):
    @extend_schema(operation_id="driver_extra", responses=ExtraOut, tags=TAGS)
    def get(self, request: Request, code: str) -> Response:
        """One of them."""
        api.query(request, api.NoQuery)
        return Response(extra_json(get_object_or_404(self.mine, code=code)))


class TollsView(ExtrasBase):
    parser_classes: ClassVar[Any] = [StrictJSONParser, MultiPartParser]  # type: ignore[misc]

    @extend_schema(
        operation_id="driver_ask_toll",
        request={"application/json": TollIn, "multipart/form-data": TollUpload},
        responses={201: ExtraOut},
        tags=TAGS,
    )
    def post(self, request: Request, code: str) -> Response:
        """Ask for a toll that you paid, with a photo of its receipt, from check-in until a week after the block."""
        is_form = (request.content_type or "").startswith("multipart/")
        given = api.body(request, TollUpload if is_form else TollIn)
        receipt = picture(given.pop("receipt"))
        assert receipt is not None, "The field may not be empty."
        try:
            made = extras.ask_toll(
                block_code=code, driver=self.driver, receipt=receipt, at=timezone.now(), **given
            )
        except Block.DoesNotExist as error:
            raise Http404 from error
        return self.made(made)


class ExtraTripsView(ExtrasBase):
    @extend_schema(
        operation_id="driver_ask_extra_trip", request=ExtraTripIn, responses={201: ExtraOut}, tags=TAGS
    )
    def post(self, request: Request, code: str) -> Response:
        """Ask for a way that nobody planned, such as to a wrong address."""
        given = api.body(request, ExtraTripIn)
        try:
            made = extras.ask_trip(block_code=code, driver=self.driver, at=timezone.now(), **given)
        except Block.DoesNotExist as error:
            raise Http404 from error
        return self.made(made)


class MissionOut(Output):
    code = serializers.CharField()
    name = serializers.CharField()
    mall = serializers.CharField()
    cents = serializers.IntegerField(help_text="Paid with the block that fulfils it, once a week.")
    blocks = serializers.IntegerField(help_text="How many it asks for, begun in the week at this mall.")
    done = serializers.IntegerField()
    left = serializers.IntegerField()


class MissionsOut(Output):
    results = MissionOut(many=True)


class MissionsView(DriverView):
    @extend_schema(operation_id="driver_missions", responses=MissionsOut, tags=TAGS)
    def get(self, request: Request) -> Response:
        """This week's missions of your market, and how far you are."""
        api.query(request, api.NoQuery)
        zone = paydays.zone_of(self.driver.market_code)
        found = missions.progress(self.driver, zone=zone, at=timezone.now())
        return Response({"results": [mission_json(each) for each in found]})


def mission_json(each: missions.Progress) -> dict[str, Any]:
    return {
        "code": each.mission.code,
        "name": each.mission.name,
        "mall": each.mission.mall.code,
        "cents": each.mission.cents,
        "blocks": each.mission.blocks,
        "done": each.done,
        "left": each.left,
    }
