"""The driver's API of stops.

Every write is idempotent by `client_event_id` and may arrive late, with the phone's own time in `device_at`;
the server's clock decides.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from deliveries import countersigning, doors, failing, incidents, itinerary, loading, positions
from deliveries.api import driver_serializers as shapes
from deliveries.doors import ProofDraft
from deliveries.models import Stop
from drivers.api import DriverView
from drivers.tracking import Ping
from retaildelivery.web import api
from retaildelivery.web.parsers import StrictJSONParser

TAGS = ["Driver"]


class StopView(DriverView):
    def found(self, code: str) -> Stop:
        """The driver's own stop, or 404."""
        found: Stop = get_object_or_404(itinerary.stops_of(self.driver), code=code)
        return found

    def shown(self, code: str) -> dict[str, Any]:
        """The stop as it is now."""
        return itinerary.stop_json(itinerary.call(self.found(code)))


class WithPicture(StopView):
    """Reads JSON, or a form that carries the picture as a file."""

    parser_classes: ClassVar[Any] = [StrictJSONParser, MultiPartParser]

    def given(self, request: Request, by_json: Any, by_form: Any) -> dict[str, Any]:
        is_form = (request.content_type or "").startswith("multipart/")
        given: dict[str, Any] = api.body(request, by_form if is_form else by_json)
        return given


class OneStopView(StopView):
    @extend_schema(operation_id="driver_get_stop", responses=shapes.StopOut, tags=TAGS)
    def get(self, request: Request, code: str) -> Response:
        """One stop of yours, with its parcels and what it asks for."""
        api.query(request, api.NoQuery)
        return Response(self.shown(code))


class ArrivalView(StopView):
    @extend_schema(
        operation_id="driver_arrive", request=shapes.ArrivalIn, responses=shapes.StopOut, tags=TAGS
    )
    def put(self, request: Request, code: str) -> Response:
        """You are at the counter or at the door."""
        given, at = api.body(request, shapes.ArrivalIn), timezone.now()
        stop = self.found(code)
        arrive = doors.arrive if stop.kind == Stop.Kind.DROPOFF else loading.arrive_at_store
        arrive(driver=self.driver, stop_code=code, evidence=shapes.evidence(given, at=at), at=at)
        return Response(self.shown(code))


class ScansView(StopView):
    @extend_schema(operation_id="driver_scan", request=shapes.ScanIn, responses=shapes.ScanOut, tags=TAGS)
    def post(self, request: Request, code: str) -> Response:
        """A parcel's label, read at a counter (your half of the handover) or at the door."""
        given, at = api.body(request, shapes.ScanIn), timezone.now()
        self.found(code)
        read = loading.scan(
            driver=self.driver,
            stop_code=code,
            entered=given["code"],
            method=given["method"],
            evidence=shapes.evidence(given, at=at),
            at=at,
        )
        parcel = read.parcel.code if read.parcel else None
        return Response({"outcome": read.outcome, "parcel": parcel, "stop": self.shown(code)})


class ProofView(WithPicture):
    @extend_schema(
        operation_id="driver_prove",
        request={"application/json": shapes.ProofIn, "multipart/form-data": shapes.ProofUpload},
        responses=shapes.StopOut,
        tags=TAGS,
    )
    def put(self, request: Request, code: str) -> Response:
        """Delivered: with everything the door asks for."""
        given, at = self.given(request, shapes.ProofIn, shapes.ProofUpload), timezone.now()
        self.found(code)
        doors.prove(
            driver=self.driver,
            stop_code=code,
            order_code=given["order"],
            proof=ProofDraft(
                left_at=given["left_at"],
                photo=shapes.picture(given.get("photo")),
                signature=shapes.picture(given.get("signature")),
                signed_by=given["signed_by"],
                signer_relationship=given["signer_relationship"],
                pin=given["pin"],
                age_checked=given["age_checked"],
                note=given["note"],
            ),
            evidence=shapes.evidence(given, at=at),
            at=at,
        )
        return Response(self.shown(code))


class CounterProofView(WithPicture):
    @extend_schema(
        operation_id="driver_prove_counter",
        request={"application/json": shapes.CounterProofIn, "multipart/form-data": shapes.CounterProofUpload},
        responses=shapes.StopOut,
        tags=TAGS,
    )
    def put(self, request: Request, code: str) -> Response:
        """A photo of what passed over a store's counter, or the signature of its staff, where an order asks for it."""
        given = self.given(request, shapes.CounterProofIn, shapes.CounterProofUpload)
        at = timezone.now()
        self.found(code)
        countersigning.keep(
            driver=self.driver,
            stop_code=code,
            photo=shapes.picture(given.get("photo")),
            signature=shapes.picture(given.get("signature")),
            signed_by=given["signed_by"],
            evidence=shapes.evidence(given, at=at),
            at=at,
        )
        return Response(self.shown(code))


class AttemptsView(WithPicture):
    @extend_schema(
        operation_id="driver_attempt",
        request={"application/json": shapes.AttemptIn, "multipart/form-data": shapes.AttemptUpload},
        responses=shapes.StopOut,
        tags=TAGS,
    )
    def post(self, request: Request, code: str) -> Response:
        """It could not be delivered, and why. The parcels go back to their store."""
        given, at = self.given(request, shapes.AttemptIn, shapes.AttemptUpload), timezone.now()
        self.found(code)
        failing.fail(
            driver=self.driver,
            stop_code=code,
            order_code=given["order"],
            reason=given["reason"],
            note=given["note"],
            photo=shapes.picture(given.get("photo")),
            evidence=shapes.evidence(given, at=at),
            at=at,
        )
        return Response(self.shown(code))


class IncidentsView(WithPicture):
    @extend_schema(
        operation_id="driver_report",
        request={"application/json": shapes.IncidentIn, "multipart/form-data": shapes.IncidentUpload},
        responses=shapes.StopOut,
        tags=TAGS,
    )
    def post(self, request: Request, code: str) -> Response:
        """A parcel is missing, damaged or too much; a store is not ready; something else went wrong."""
        given, at = self.given(request, shapes.IncidentIn, shapes.IncidentUpload), timezone.now()
        self.found(code)
        incidents.report(
            driver=self.driver,
            stop_code=code,
            parcel_code=given["parcel"],
            kind=given["kind"],
            note=given["note"],
            photo=shapes.picture(given.get("photo")),
            evidence=shapes.evidence(given, at=at),
            at=at,
        )
        return Response(self.shown(code))


class PositionsView(DriverView):
    @extend_schema(
        operation_id="driver_report_positions",
        request=shapes.PositionsIn,
        responses={202: shapes.PositionsOut},
        tags=TAGS,
    )
    def post(self, request: Request) -> Response:
        """Where the phone was while a block is at work; kept 30 days. Outside a block nothing is kept."""
        given, at = api.body(request, shapes.PositionsIn), timezone.now()
        pings = [
            Ping(
                latitude=row["latitude"],
                longitude=row["longitude"],
                accuracy_m=None if row.get("accuracy_m") is None else round(row["accuracy_m"]),
                device_at=row["device_at"],
            )
            for row in given["positions"]
        ]
        if itinerary.is_at_work(self.driver):
            positions.report(driver=self.driver, pings=pings, at=at)
        return Response({"received": len(pings)}, status=202)
