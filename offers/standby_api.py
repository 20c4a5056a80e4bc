"""The driver's API of standing by and of the calendar."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from deliveries.snapshots import moment
from drivers.api import DriverView
from offers import calendars, limits, standby
from offers.driver_serializers import WindowOut
from offers.models import StandBy
from retaildelivery.web import api
from retaildelivery.web.fields import Input, Moment, Output, Text
from stores.models import Mall

TAGS = ["Driver"]


class StandByIn(Input):
    mall = Text(max_length=40)
    start = Moment()
    end = Moment(help_text="At most ten hours after the start.")


class StandByOut(Output):
    code = serializers.CharField()
    mall = serializers.CharField()
    on = serializers.DateField(help_text="The mall's local day.")
    window = WindowOut()
    left_at = serializers.DateTimeField(allow_null=True)


class StandBysOut(Output):
    results = StandByOut(many=True)


class CalendarOut(Output):
    url = serializers.CharField(help_text="Secret: whoever has it can read when and where you work.")


def stand_by_json(row: StandBy) -> dict[str, Any]:
    return {
        "code": row.code,
        "mall": row.mall.code,
        "on": row.on,
        "window": {"start": moment(row.window.lower), "end": moment(row.window.upper)},
        "left_at": moment(row.left_at),
    }


class StandBysView(DriverView):
    @extend_schema(operation_id="driver_list_stand_bys", responses=StandBysOut, tags=TAGS)
    def get(self, request: Request) -> Response:
        """Where you stand by from now on, soonest first."""
        api.query(request, api.NoQuery)
        rows = StandBy.objects.live().filter(driver=self.driver, window__endswith__gt=timezone.now())  # type: ignore[attr-defined]
        ordered = rows.select_related("mall").order_by("window__startswith", "pk")[: limits.FEED]
        return Response({"results": [stand_by_json(row) for row in ordered]})

    @extend_schema(operation_id="driver_stand_by", request=StandByIn, responses=StandByOut, tags=TAGS)
    def post(self, request: Request) -> Response:
        """Stand by at a mall for some hours: you are asked first when somebody drops out. It binds you to nothing.

        Asked first is who has claimed fewer blocks of late, then who stands better, then who joined earlier; the
        reserves of a draw come before. The same hours again give the same answer.
        """
        given = api.body(request, StandByIn)
        malls = Mall.objects.filter(active=True, market__code=self.driver.market_code)
        mall = get_object_or_404(malls.select_related("market"), code=given["mall"])
        row = standby.join(
            mall=mall, driver_id=self.driver.pk, start=given["start"], end=given["end"], at=timezone.now()
        )
        row.mall = mall
        return Response(stand_by_json(row))


class StandByView(DriverView):
    @extend_schema(operation_id="driver_leave_stand_by", responses={200: StandByOut}, tags=TAGS)
    def delete(self, request: Request, code: str) -> Response:
        """You no longer stand by there. A repeat is harmless."""
        get_object_or_404(StandBy.objects.filter(driver=self.driver), code=code)
        return Response(stand_by_json(standby.leave(code=code, driver_id=self.driver.pk, at=timezone.now())))


class CalendarView(DriverView):
    @extend_schema(operation_id="driver_new_calendar", request=api.NoBody, responses=CalendarOut, tags=TAGS)
    def post(self, request: Request) -> Response:
        """A new secret address of your calendar (iCalendar); the one before answers no more."""
        api.body(request, api.NoBody)
        feed = calendars.rotate(driver_id=self.driver.pk, at=timezone.now())
        return Response({"url": settings.BASE_URL + reverse("offers:calendar_feed", args=[feed.token])})

    @extend_schema(operation_id="driver_end_calendar", responses={204: None}, tags=TAGS)
    def delete(self, request: Request) -> Response:
        """The calendar's address answers no more."""
        calendars.switch_off(driver_id=self.driver.pk)
        return Response(status=204)
