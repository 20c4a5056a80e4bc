"""The driver's API of preferences: which offers they want to hear of, when, and how."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from drivers.api import DriverView
from drivers.models import Driver
from offers import limits, wishing
from offers.models import MallPreference, Wish
from retaildelivery.web import api
from retaildelivery.web.fields import Flag, Input, Output, Text, WholeNumber
from stores.models import Mall

HOURS_AND_MINUTES = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)


@extend_schema_field({"type": "string", "pattern": f"^{HOURS_AND_MINUTES.pattern}$"})
class LocalTime(serializers.TimeField):
    """`HH:MM` by the mall's clock."""

    def to_internal_value(self, value: Any) -> dt.time:
        if not isinstance(value, str) or not HOURS_AND_MINUTES.fullmatch(value):
            self.fail("invalid", format="HH:MM")
        return dt.time.fromisoformat(value)

    def to_representation(self, value: Any) -> str:
        return f"{value:%H:%M}"


class StartsIn(Input):
    earliest = LocalTime(help_text="`HH:MM` by the mall's clock.")
    latest = LocalTime(help_text="`HH:MM`, itself included; not before `earliest`.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["latest"] < attrs["earliest"]:
            raise ValidationError(
                {"latest": [ErrorDetail(_("This is before the earliest start."), code="invalid_window")]}
            )
        return attrs


class QuietHoursIn(Input):
    start = LocalTime(help_text="`HH:MM` by the mall's clock; nothing is told from here on,")
    end = LocalTime(help_text="until here. It may be over midnight; equal times are no quiet hours.")


class ChannelsIn(Input):
    push = Flag(help_text="On your phones; see `/driver/push-subscriptions`.")
    email = Flag(help_text="By e-mail; with both, only when no phone can be reached.")


class PreferencesIn(Input):
    malls = serializers.ListField(
        child=Text(max_length=40),
        max_length=limits.PREFERRED_MALLS,
        help_text="Codes; none: all of your market.",
    )
    weekdays = serializers.ListField(
        child=WholeNumber(min_value=0, max_value=6), max_length=7, help_text="0 is Monday; none: every day."
    )
    starts = StartsIn()
    least_hourly_cents = WholeNumber(
        min_value=0, max_value=limits.LEAST_HOURLY_CENTS, help_text="In the currency of your market."
    )
    quiet_hours = QuietHoursIn()
    channels = ChannelsIn(help_text="Both off: you are told of no offers.")


class StartsOut(Output):
    earliest = LocalTime(source="starts_from")
    latest = LocalTime(source="starts_until")


class QuietHoursOut(Output):
    start = LocalTime(source="quiet_from")
    end = LocalTime(source="quiet_until")


class ChannelsOut(Output):
    push = serializers.BooleanField(source="by_push")
    email = serializers.BooleanField(source="by_email")


class PreferencesOut(Output):
    malls = serializers.SerializerMethodField(help_text="Codes; none: all of your market.")
    weekdays = serializers.ListField(child=serializers.IntegerField())
    starts = StartsOut(source="*")
    least_hourly_cents = serializers.IntegerField()
    quiet_hours = QuietHoursOut(source="*")
    channels = ChannelsOut(source="*")

    def get_malls(self, wish: Wish) -> list[str]:
        liked = MallPreference.objects.filter(driver=wish.driver_id)
        return list(liked.order_by("mall__code").values_list("mall__code", flat=True))


def malls_of(driver: Driver, codes: Sequence[str]) -> list[Mall]:
    """The malls of these codes. Raises ValidationError that names each which is not one of the driver's market."""
    found = {
        mall.code: mall
        for mall in Mall.objects.filter(active=True, market__code=driver.market_code, code__in=codes)
    }
    unknown = {
        place: [ErrorDetail(_("There is no such mall in your market."), code="unknown_mall")]
        for place, code in enumerate(codes)
        if code not in found
    }
    if unknown:
        raise ValidationError({"malls": unknown})  # type: ignore[dict-item]
    return list(found.values())


class PreferencesView(DriverView):
    @extend_schema(operation_id="driver_preferences", responses=PreferencesOut, tags=["Driver"])
    def get(self, request: Request) -> Response:
        """Which offers you want to hear of, when, and how. What this answers, `PUT` takes."""
        api.query(request, api.NoQuery)
        kept = Wish.objects.filter(driver=self.driver).first() or Wish(driver=self.driver)
        return Response(PreferencesOut(kept).data)

    @extend_schema(
        operation_id="driver_set_preferences",
        request=PreferencesIn,
        responses=PreferencesOut,
        tags=["Driver"],
    )
    def put(self, request: Request) -> Response:
        """Set all of it anew. You are told once of each block that fits and that you may have; what fits in your quiet
        hours you hear of when they end, if it is then still open."""
        given = api.body(request, PreferencesIn)
        made = wishing.wish(
            driver_id=self.driver.pk,
            malls=malls_of(self.driver, given["malls"]),
            weekdays=given["weekdays"],
            starts_from=given["starts"]["earliest"],
            starts_until=given["starts"]["latest"],
            least_hourly_cents=given["least_hourly_cents"],
            by_email=given["channels"]["email"],
            by_push=given["channels"]["push"],
            quiet_from=given["quiet_hours"]["start"],
            quiet_until=given["quiet_hours"]["end"],
            at=timezone.now(),
        )
        return Response(PreferencesOut(made).data)
