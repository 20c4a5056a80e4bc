"""The driver's API of hours: what is used, and when they free up."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from drivers import clocks
from drivers.api import DriverView
from offers import driver_serializers as shapes
from offers import hours
from retaildelivery.web import api


class HoursView(DriverView):
    @extend_schema(operation_id="driver_hours", responses=shapes.HoursOut, tags=["Driver"])
    def get(self, request: Request) -> Response:
        """Hours used and free, day by day, this week and the next. Days are those of your market's clock."""
        api.query(request, api.NoQuery)
        zone = clocks.zone_of(self.driver)
        weeks = hours.of(self.driver, zone=zone, at=timezone.now(), weeks=2)
        return Response({"time_zone": str(zone), "weeks": [shapes.week_json(week) for week in weeks]})
