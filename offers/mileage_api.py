"""The driver's API of the mileage log."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from drivers.api import DriverView
from offers import logbook
from offers.models import Mileage
from offers.money_api import CSV, TAGS, YEAR, refuse_unless_year, sent
from retaildelivery.web import api
from retaildelivery.web.fields import Output
from stores.webhooks.events import moment


class MileageEntryOut(Output):
    date = serializers.DateField()
    block = serializers.CharField()
    started_at = serializers.DateTimeField(help_text="Check-in at the mall.")
    ended_at = serializers.DateTimeField(help_text="The last stop.")
    start = serializers.CharField(help_text="The mall and its address.")
    to = serializers.CharField(help_text="How many doors, their post codes, and whether back to the mall.")
    purpose = serializers.CharField()
    miles = serializers.DecimalField(max_digits=7, decimal_places=1)
    back_miles = serializers.DecimalField(
        max_digits=7, decimal_places=1, help_text="Of those, from the last door back to the mall, estimated."
    )
    miles_from = serializers.ChoiceField(
        choices=Mileage.Source.choices, help_text="Whose word the miles follow."
    )
    irs_cents_per_mile = serializers.DecimalField(max_digits=5, decimal_places=2)
    deduction_cents = serializers.IntegerField(help_text="Miles as written times the rate, a half cent up.")


class MileageLogOut(Output):
    year = serializers.IntegerField()
    miles = serializers.DecimalField(max_digits=8, decimal_places=1, help_text="The sum of the entries.")
    deduction_cents = serializers.IntegerField(help_text="The sum of the entries.")
    entries = MileageEntryOut(many=True, help_text="Newest first; all of the year.")


def entry_json(entry: logbook.Entry) -> dict[str, Any]:
    return {
        "date": entry.row.day.isoformat(),
        "block": entry.block,
        "started_at": moment(entry.row.started_at),
        "ended_at": moment(entry.row.ended_at),
        "start": entry.start,
        "to": entry.to,
        "purpose": entry.purpose,
        "miles": str(entry.miles),
        "back_miles": str(entry.back_miles),
        "miles_from": entry.row.source,
        "irs_cents_per_mile": f"{entry.rate:.2f}",
        "deduction_cents": entry.deduction_cents,
    }


class MileageLogView(DriverView):
    @extend_schema(operation_id="driver_mileage_log", responses=MileageLogOut, parameters=[YEAR], tags=TAGS)
    def get(self, request: Request, year: int) -> Response:
        """Your business miles of a year, what they come to at the rate of the IRS, and where each figure is from."""
        api.query(request, api.NoQuery)
        refuse_unless_year(year)
        log = logbook.of_year(self.driver, year)
        return Response(
            {
                "year": year,
                "miles": str(log.miles),
                "deduction_cents": log.deduction_cents,
                "entries": [entry_json(each) for each in log.entries],
            }
        )


class MileageLogCsvView(DriverView):
    @extend_schema(
        operation_id="driver_mileage_log_csv",
        responses={(200, "text/csv"): OpenApiTypes.STR},
        parameters=[YEAR],
        tags=TAGS,
    )
    def get(self, request: Request, year: int) -> HttpResponse:
        """The same as CSV, with the total at the end."""
        api.query(request, api.NoQuery)
        refuse_unless_year(year)
        log = logbook.of_year(self.driver, year)
        return sent(logbook.csv(log), CSV, f"mileage-{self.driver.code}-{year}.csv")
