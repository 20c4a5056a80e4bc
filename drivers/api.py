"""What a driver's app asks about the driver; and the base of every view of the driver's API."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request
from rest_framework.response import Response

from drivers import appealing, badge, limits, profiles
from drivers.authentication import DriverTokenAuthentication, IsDriver
from drivers.models import Appeal, Driver, StandingEvent
from retaildelivery.web import api, paging
from retaildelivery.web.api import ApiView
from retaildelivery.web.fields import Input, Output, Text


class DriverTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "drivers.authentication.DriverTokenAuthentication"
    name = "driverToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A token of a driver's device: dt_…"}


class DriverView(ApiView):
    """For a driver's app by its token, or for the portal by its session."""

    authentication_classes: ClassVar[Any] = [DriverTokenAuthentication, SessionAuthentication]
    permission_classes: ClassVar[Any] = [IsDriver]

    @property
    def driver(self) -> Driver:
        found = self.request.driver  # type: ignore[attr-defined]
        assert isinstance(found, Driver)
        return found


class BadgeOut(Output):
    code = serializers.CharField(help_text="Six digits that staff read at the counter.")
    valid_until = serializers.DateTimeField(help_text="Ask again then; staff may enter it a step later.")


class StandingEventOut(Output):
    key = serializers.CharField()
    kind = serializers.ChoiceField(choices=StandingEvent.Kind.choices)
    fault = serializers.ChoiceField(choices=StandingEvent.Fault.choices)
    points = serializers.IntegerField()
    text = serializers.CharField(source="sentence", help_text="What happened and where, in your language.")
    subject = serializers.CharField(help_text="Such as block:BX7K2M.")
    at = serializers.DateTimeField()
    decays_at = serializers.DateTimeField(help_text="From then on it no longer counts.")
    disputed_at = serializers.DateTimeField(
        allow_null=True, help_text="Appealed against: it does not count until that is decided."
    )
    set_aside_at = serializers.DateTimeField(
        allow_null=True, help_text="An appeal was granted: it never counts again."
    )


class StandingOut(Output):
    points = serializers.IntegerField(
        help_text="The sum of the events that count: not decayed, not in dispute, not set aside."
    )
    results = StandingEventOut(many=True)
    next = serializers.CharField(allow_null=True)


class BadgeView(DriverView):
    @extend_schema(operation_id="driver_badge", responses=BadgeOut, tags=["Driver"])
    def get(self, request: Request) -> Response:
        """The rotating code with which staff hand parcels over to you."""
        api.query(request, api.NoQuery)
        at = timezone.now()
        return Response(
            BadgeOut(
                {
                    "code": badge.code(self.driver.badge_secret, at),
                    "valid_until": profiles.badge_until(at),
                }
            ).data
        )


class StandingView(DriverView):
    @extend_schema(
        operation_id="driver_standing",
        parameters=[paging.PageQuery],
        responses=StandingOut,
        tags=["Driver"],
    )
    def get(self, request: Request) -> Response:
        """Every event that counts for or against you, with its cause and who was at fault."""
        asked = api.query(request, paging.PageQuery)
        events = StandingEvent.objects.filter(driver=self.driver)
        page = paging.newest_first(events, asked, field="key")
        points = profiles.standing(driver=self.driver, at=timezone.now())
        return Response(StandingOut({"points": points, "results": page.rows, "next": page.next}).data)


class AppealIn(Input):
    event = Text(max_length=120, help_text="`key` of the event in your standing.")
    text = Text(max_length=limits.APPEAL_TEXT, help_text="What happened, in your words.")


class AppealOut(Output):
    code = serializers.CharField()
    event = serializers.CharField(source="event.key")
    round = serializers.IntegerField(help_text="1, or 2 for the second and last.")
    text = serializers.CharField()
    filed_at = serializers.DateTimeField()
    answer_by = serializers.DateTimeField(help_text="By then a person answers.")
    outcome = serializers.ChoiceField(choices=Appeal.Outcome.choices, allow_blank=True)
    reason = serializers.CharField(allow_blank=True)
    decided_by = serializers.SerializerMethodField(help_text="Who answered.")
    decided_at = serializers.DateTimeField(allow_null=True)

    def get_decided_by(self, appeal: Appeal) -> str:
        return "" if appeal.decided_by is None else appeal.decided_by.name or appeal.decided_by.email


class AppealPage(Output):
    results = AppealOut(many=True)
    next = serializers.CharField(allow_null=True)


class AppealsView(DriverView):
    @extend_schema(
        operation_id="driver_appeals",
        parameters=[paging.PageQuery],
        responses=AppealPage,
        tags=["Driver"],
    )
    def get(self, request: Request) -> Response:
        """Your appeals, newest first, with the answers."""
        mine = Appeal.objects.filter(event__driver=self.driver).select_related("event", "decided_by")
        page = paging.newest_first(mine, api.query(request, paging.PageQuery))
        return Response(AppealPage({"results": page.rows, "next": page.next}).data)

    @extend_schema(
        operation_id="driver_appeal", request=AppealIn, responses={201: AppealOut}, tags=["Driver"]
    )
    def post(self, request: Request) -> Response:
        """Contest an event that counts against you. It stops counting at once; a person answers within 72 hours."""
        asked = api.body(request, AppealIn)
        made = appealing.appeal(
            driver=self.driver, event_key=asked["event"], text=asked["text"], at=timezone.now()
        )
        return Response(AppealOut(made).data, status=status.HTTP_201_CREATED)
