"""The phones and apps on which a driver is notified."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from drivers import limits, notifying, subscribing
from drivers.api import DriverView
from drivers.models import PushSubscription
from retaildelivery.web import api
from retaildelivery.web.fields import Input, Output, Text


class PushKeysIn(Input):
    p256dh = Text(max_length=100, help_text="The browser's public key, base64url.")
    auth = Text(max_length=40, help_text="The shared secret, base64url.")


class PushSubscriptionIn(Input):
    endpoint = Text(max_length=limits.ENDPOINT_LENGTH, help_text="Where its push service takes messages.")
    keys = PushKeysIn()


class EndpointQuery(Input):
    endpoint = Text(max_length=limits.ENDPOINT_LENGTH, help_text="Of the phone to notify no more.")


class PushSubscriptionOut(Output):
    code = serializers.CharField()
    endpoint = serializers.CharField()
    user_agent = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(
        allow_null=True, help_text="When its push service last took a notice."
    )


class PushSubscriptionsOut(Output):
    public_key = serializers.CharField(
        allow_blank=True,
        help_text="`applicationServerKey` to subscribe with; empty where phones are not notified.",
    )
    results = PushSubscriptionOut(many=True)


class PushSubscriptionsView(DriverView):
    @extend_schema(operation_id="driver_push_subscriptions", responses=PushSubscriptionsOut, tags=["Driver"])
    def get(self, request: Request) -> Response:
        """The phones on which you are notified, and the key to subscribe another with."""
        api.query(request, api.NoQuery)
        phones = PushSubscription.objects.filter(driver=self.driver).order_by("created_at", "pk")
        return Response(PushSubscriptionsOut({"public_key": notifying.public_key(), "results": phones}).data)

    @extend_schema(
        operation_id="driver_push_subscribe",
        request=PushSubscriptionIn,
        responses=PushSubscriptionOut,
        tags=["Driver"],
    )
    def put(self, request: Request) -> Response:
        """Notify this phone from now on, as its browser's PushSubscription says. A repeat is harmless.

        A phone is one driver's: another's subscription of the same endpoint ends. Of more than five the one that was
        reached longest ago ends.
        """
        asked = api.body(request, PushSubscriptionIn)
        made = subscribing.subscribe(
            driver_id=self.driver.pk,
            endpoint=asked["endpoint"],
            p256dh=asked["keys"]["p256dh"],
            auth=asked["keys"]["auth"],
            user_agent=request.headers.get("User-Agent", ""),
            at=timezone.now(),
        )
        return Response(PushSubscriptionOut(made).data)

    @extend_schema(
        operation_id="driver_push_unsubscribe",
        parameters=[EndpointQuery],
        responses={204: None},
        tags=["Driver"],
    )
    def delete(self, request: Request) -> Response:
        """Notify this phone no more; you are told by e-mail again when it was the last one. A repeat is harmless."""
        asked = api.query(request, EndpointQuery)
        subscribing.unsubscribe(driver=self.driver, endpoint=asked["endpoint"])
        return Response(status=status.HTTP_204_NO_CONTENT)
