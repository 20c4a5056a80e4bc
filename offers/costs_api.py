"""The driver's API of what driving costs them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from drivers import clocks, costing
from drivers.api import DriverView
from drivers.models import CostProfile
from offers import reckoning
from retaildelivery.lib.geo import Point
from retaildelivery.web import api
from retaildelivery.web.fields import Choice, Input, Number, Output, WholeNumber

TAGS = ["Driver"]


def figure(*, most: int, **more: Any) -> serializers.DecimalField:
    return serializers.DecimalField(
        max_digits=7, decimal_places=2, min_value=Decimal(0), max_value=Decimal(most), **more
    )


class HomeIn(Input):
    latitude = Number(min_value=-90, max_value=90)
    longitude = Number(min_value=-180, max_value=180)


class CostProfileIn(Input):
    """All of it; what is left out is emptied."""

    basis = Choice(choices=CostProfile.Basis.choices)
    cents_per_mile = figure(most=500, required=False, allow_null=True, help_text="For `flat`.")
    use = figure(
        most=999, required=False, allow_null=True, help_text="For `car`: fuel or electricity, in `unit`."
    )
    unit = Choice(choices=CostProfile.Unit.choices, required=False, allow_blank=True)
    price_cents = figure(
        most=9999,
        required=False,
        allow_null=True,
        help_text="For `car`: of a gallon, a litre or a kWh, after `unit`.",
    )
    upkeep_cents_per_mile = figure(most=500, required=False, help_text="For `car`, beside what it uses.")
    tolls_cents = WholeNumber(min_value=0, max_value=50_000, required=False, help_text="On a usual block.")
    home = HomeIn(
        required=False, allow_null=True, help_text="Kept to three decimals; nobody else ever sees it."
    )

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        found = costing.faults(given)
        if found:
            raise serializers.ValidationError(found, code="required")
        return given


class HomeOut(Output):
    latitude = serializers.FloatField()
    longitude = serializers.FloatField()


class CostProfileOut(Output):
    basis = serializers.ChoiceField(choices=CostProfile.Basis.choices)
    cents_per_mile = figure(most=500, allow_null=True)
    use = figure(most=999, allow_null=True)
    unit = serializers.ChoiceField(choices=CostProfile.Unit.choices, allow_blank=True)
    price_cents = figure(most=9999, allow_null=True)
    upkeep_cents_per_mile = figure(most=500)
    tolls_cents = serializers.IntegerField()
    home = HomeOut(allow_null=True)
    irs_cents_per_mile = figure(most=500, help_text="The rate of the tax office today.")
    counted_cents_per_mile = figure(most=9999, help_text="What a mile counts today, by all this.")


def profile_json(found: costing.Costs, *, today: dt.date) -> dict[str, Any]:
    profile = found.profile
    home = profile.home
    return {
        "basis": profile.basis,
        "cents_per_mile": text(profile.cents_per_mile),
        "use": text(profile.use),
        "unit": profile.unit,
        "price_cents": text(profile.price_cents),
        "upkeep_cents_per_mile": text(profile.upkeep_cents),
        "tolls_cents": profile.tolls_cents,
        "home": None if home is None else {"latitude": home.lat, "longitude": home.lng},
        "irs_cents_per_mile": text(found.irs(today)),
        "counted_cents_per_mile": text(found.cents_a_mile(today)),
    }


def text(figure: Any) -> str | None:
    return None if figure is None else f"{figure:.2f}"


class CostProfileView(DriverView):
    @extend_schema(operation_id="driver_cost_profile", responses=CostProfileOut, tags=TAGS)
    def get(self, request: Request) -> Response:
        """What driving costs you, by your own figures; who has set none reckons with the rate of the IRS."""
        api.query(request, api.NoQuery)
        return Response(
            profile_json(costing.of(self.driver), today=clocks.day_of(self.driver, timezone.now()))
        )

    @extend_schema(
        operation_id="driver_set_cost_profile", request=CostProfileIn, responses=CostProfileOut, tags=TAGS
    )
    def put(self, request: Request) -> Response:
        """Set it anew; every offer shows what is left by it from then on. It never changes what is paid."""
        given = api.body(request, CostProfileIn)
        home = given.get("home")
        reckoning.keep(
            driver_id=self.driver.pk,
            at=timezone.now(),
            basis=given["basis"],
            cents_per_mile=given.get("cents_per_mile"),
            use=given.get("use"),
            unit=given.get("unit", ""),
            price_cents=given.get("price_cents"),
            upkeep_cents=given.get("upkeep_cents_per_mile", 0),
            tolls_cents=given.get("tolls_cents", 0),
            home=Point(home["latitude"], home["longitude"]) if home else None,
        )
        return Response(
            profile_json(costing.of(self.driver), today=clocks.day_of(self.driver, timezone.now()))
        )
