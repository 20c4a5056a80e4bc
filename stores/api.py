"""The part of the seller API that knows no orders: stores, malls, the feed of events, webhook endpoints."""

from __future__ import annotations

import contextlib
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox import worlds
from retaildelivery.outbox.models import Fact
from retaildelivery.web import api, paging
from retaildelivery.web.api import ApiView
from stores import audit, sandboxes, serializers
from stores.authentication import ApiKeyAuthentication, HasScope, SellerSystem, WholeSellerOnly
from stores.models import ApiKey, Mall, WebhookEndpoint, WebhookMessage
from stores.webhooks import endpoints, events, replaying, verifying

READ, WRITE = ApiKey.Scope.ORDERS_READ, ApiKey.Scope.ORDERS_WRITE
WEBHOOKS, HANDOVER = ApiKey.Scope.WEBHOOKS, ApiKey.Scope.HANDOVER


WRITES = ("POST", "PUT", "PATCH", "DELETE")


class EventUnknown(Refused):
    code = "event_not_found"
    sentence = _("There is no such event in this feed.")


class SellerView(ApiView):
    """For a seller's systems: by API key, with the scope that the view names for the method."""

    authentication_classes: ClassVar[Any] = [ApiKeyAuthentication]
    permission_classes: ClassVar[Any] = [HasScope]
    scopes: ClassVar[dict[str, str]] = {}
    # Whether codes that it draws in a sandbox follow from the sandbox's seed.
    rehearsed: ClassVar[bool] = True

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """As every view of the API; with a test key in the world of its sandbox."""
        with contextlib.ExitStack() as self.world:
            return super().dispatch(request, *args, **kwargs)

    def answer(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        # A door that goes by the store in its address has no key, and is of the live world.
        sandbox = request.auth.sandbox if isinstance(request.auth, SellerSystem) else None
        if sandbox is not None:
            writes = self.rehearsed and request.method in WRITES
            self.world.enter_context((sandboxes.writing if writes else sandboxes.reading)(sandbox))
        return super().answer(request, *args, **kwargs)

    @property
    def system(self) -> SellerSystem:
        found = self.request.auth
        assert isinstance(found, SellerSystem)
        return found


class MallsView(SellerView):
    scopes: ClassVar[dict[str, str]] = {"GET": READ}

    @extend_schema(operation_id="list_malls", responses=serializers.MallPage, tags=["Stores"])
    def get(self, request: Request) -> Response:
        """The malls where you have a store."""
        api.query(request, api.NoQuery)
        found = Mall.objects.filter(pk__in=self.system.stores.values("mall")).select_related("market")
        return Response({"results": [serializers.mall(row) for row in found.order_by("code")], "next": None})


class StoresView(SellerView):
    scopes: ClassVar[dict[str, str]] = {"GET": READ}

    @extend_schema(
        operation_id="list_stores",
        parameters=[paging.PageQuery],
        responses=serializers.StorePage,
        tags=["Stores"],
    )
    def get(self, request: Request) -> Response:
        """Your stores, newest first."""
        asked = api.query(request, paging.PageQuery)
        page = paging.newest_first(self.system.stores.select_related("mall"), asked)
        return Response({"results": [serializers.store(row) for row in page.rows], "next": page.next})


class EventsView(SellerView):
    scopes: ClassVar[dict[str, str]] = {"GET": READ}

    @extend_schema(
        operation_id="list_events",
        parameters=[serializers.EventQuery],
        responses=serializers.EventPage,
        tags=["Events"],
    )
    def get(self, request: Request) -> Response:
        """All that happened, oldest first and without gaps: ask again with `after=` the last id you have.

        The same events as the webhooks carry. An event appears here once nothing can come before it any more,
        within moments of its happening.
        """
        asked = api.query(request, serializers.EventQuery)
        feed = Fact.objects.filter(seller_code=self.system.seller.code)
        if self.system.store is not None:
            feed = feed.about(f"store:{self.system.store.code}")  # type: ignore[attr-defined]
        after = asked.get("after")
        if after:
            last = feed.filter(code=after).values_list("transaction", "pk").first()
            if last is None:
                raise EventUnknown(field="after")
            feed = feed.after(*last)
        found = list(feed.settled().oldest_first()[: asked["limit"]])
        return Response(
            {
                "results": [events.event(fact) for fact in found],
                "next": found[-1].code if found else (after or None),
            }
        )


class AuditView(SellerView):
    scopes: ClassVar[dict[str, str]] = {"GET": ApiKey.Scope.AUDIT}

    @extend_schema(
        operation_id="list_audit_log",
        parameters=[serializers.AuditQuery],
        responses=serializers.AuditPage,
        tags=["Events"],
    )
    def get(self, request: Request) -> Response:
        """Every change of yours, newest first: who, what, when, and from where."""
        asked = api.query(request, serializers.AuditQuery)
        if self.system.store is not None:
            raise WholeSellerOnly
        found = audit.between(
            audit.of(self.system.seller), since=asked.get("since"), until=asked.get("until")
        )
        page = paging.newest_first(found, asked)
        return Response({"results": [serializers.audit_entry(fact) for fact in page.rows], "next": page.next})


# -- Webhook endpoints --------------------------------------------------------------------------------------


class EndpointBase(SellerView):
    """Endpoints hear of all the seller's stores, so a key of one store may not touch them. A sandbox has its own,
    which outlive its resets."""

    rehearsed = False

    def check_permissions(self, request: Request) -> None:
        super().check_permissions(request)
        if self.system.store is not None:
            raise WholeSellerOnly

    @property
    def reach(self) -> QuerySet[WebhookEndpoint]:
        return WebhookEndpoint.objects.live().filter(seller=self.system.seller, world=worlds.current())  # type: ignore[attr-defined]


class EndpointsView(EndpointBase):
    scopes: ClassVar[dict[str, str]] = {"GET": WEBHOOKS, "POST": WEBHOOKS}

    @extend_schema(
        operation_id="list_webhook_endpoints",
        parameters=[paging.PageQuery],
        responses=serializers.EndpointPage,
        tags=["Webhooks"],
    )
    def get(self, request: Request) -> Response:
        """Your webhook endpoints, newest first."""
        page = paging.newest_first(self.reach, api.query(request, paging.PageQuery))
        return Response({"results": [serializers.endpoint(row) for row in page.rows], "next": page.next})

    @extend_schema(
        operation_id="add_webhook_endpoint",
        request=serializers.EndpointIn,
        responses={201: serializers.EndpointWithSecret},
        tags=["Webhooks"],
    )
    def post(self, request: Request) -> Response:
        """Have events sent to a URL of yours. The answer holds the secret that signs them."""
        endpoint = endpoints.add(
            seller=self.system.seller,
            actor=self.system.actor,
            at=timezone.now(),
            **api.body(request, serializers.EndpointIn),
        )
        shown = {**serializers.endpoint(endpoint), "secret": endpoint.secret}
        return Response(shown, status=status.HTTP_201_CREATED)


class EndpointView(EndpointBase):
    scopes: ClassVar[dict[str, str]] = {"GET": WEBHOOKS, "PATCH": WEBHOOKS, "DELETE": WEBHOOKS}

    @extend_schema(operation_id="get_webhook_endpoint", responses=serializers.EndpointOut, tags=["Webhooks"])
    def get(self, request: Request, code: str) -> Response:
        """One endpoint, and whether it is failing."""
        return Response(serializers.endpoint(get_object_or_404(self.reach, code=code)))

    @extend_schema(
        operation_id="change_webhook_endpoint",
        request=serializers.EndpointChange,
        responses=serializers.EndpointOut,
        tags=["Webhooks"],
    )
    def patch(self, request: Request, code: str) -> Response:
        """Change what is given; `enabled: true` switches an endpoint on again."""
        get_object_or_404(self.reach, code=code)
        changes = api.body(request, serializers.EndpointChange)
        endpoint = endpoints.change(
            code=code, scope=self.reach, actor=self.system.actor, at=timezone.now(), **changes
        )
        return Response(serializers.endpoint(endpoint))

    @extend_schema(operation_id="remove_webhook_endpoint", responses={204: None}, tags=["Webhooks"])
    def delete(self, request: Request, code: str) -> Response:
        """Stop sending to it for good."""
        get_object_or_404(self.reach, code=code)
        endpoints.remove(code=code, scope=self.reach, actor=self.system.actor, at=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class SecretView(EndpointBase):
    scopes: ClassVar[dict[str, str]] = {"POST": WEBHOOKS}

    @extend_schema(
        operation_id="rotate_webhook_secret",
        request=api.NoBody,
        responses=serializers.EndpointWithSecret,
        tags=["Webhooks"],
    )
    def post(self, request: Request, code: str) -> Response:
        """A new secret. For 24 hours messages carry two signatures, by the new one and the old one."""
        api.body(request, api.NoBody)
        get_object_or_404(self.reach, code=code)
        endpoint = endpoints.rotate_secret(
            code=code, scope=self.reach, actor=self.system.actor, at=timezone.now()
        )
        return Response({**serializers.endpoint(endpoint), "secret": endpoint.secret})


class TestView(EndpointBase):
    scopes: ClassVar[dict[str, str]] = {"POST": WEBHOOKS}

    @extend_schema(
        operation_id="test_webhook_endpoint",
        request=api.NoBody,
        responses=serializers.MessageOut,
        tags=["Webhooks"],
    )
    def post(self, request: Request, code: str) -> Response:
        """Send an `endpoint.test` event now, and see what came back."""
        api.body(request, api.NoBody)
        get_object_or_404(self.reach, code=code)
        message, _attempt = endpoints.test(code=code, scope=self.reach, at=timezone.now())
        return Response(serializers.message(message))


class MessagesView(EndpointBase):
    scopes: ClassVar[dict[str, str]] = {"GET": WEBHOOKS}

    @extend_schema(
        operation_id="list_webhook_messages",
        parameters=[paging.PageQuery],
        responses=serializers.MessagePage,
        tags=["Webhooks"],
    )
    def get(self, request: Request, code: str) -> Response:
        """What was sent to an endpoint in the last 30 days, newest first, with every attempt."""
        endpoint = get_object_or_404(self.reach, code=code)
        rows = WebhookMessage.objects.filter(endpoint=endpoint).prefetch_related("tries")
        page = paging.newest_first(rows, api.query(request, paging.PageQuery))
        return Response({"results": [serializers.message(row) for row in page.rows], "next": page.next})


class ReplayView(EndpointBase):
    scopes: ClassVar[dict[str, str]] = {"POST": WEBHOOKS}

    @extend_schema(
        operation_id="replay_webhook_message",
        request=api.NoBody,
        responses={202: serializers.MessageOut},
        parameters=[OpenApiParameter("message", str, OpenApiParameter.PATH)],
        tags=["Webhooks"],
    )
    def post(self, request: Request, code: str, message: str) -> Response:
        """Send a message again, unchanged and under the same webhook-id."""
        api.body(request, api.NoBody)
        endpoint = get_object_or_404(self.reach, code=code)
        get_object_or_404(WebhookMessage.objects.filter(endpoint=endpoint), code=message)
        again = replaying.replay(code=code, message_code=message, scope=self.reach, at=timezone.now())
        return Response(serializers.message(again), status=status.HTTP_202_ACCEPTED)


class ReplayAllView(EndpointBase):
    scopes: ClassVar[dict[str, str]] = {"POST": WEBHOOKS}

    @extend_schema(
        operation_id="replay_webhook_messages",
        request=serializers.ReplayIn,
        responses={202: serializers.ReplayOut},
        tags=["Webhooks"],
    )
    def post(self, request: Request, code: str) -> Response:
        """Send all messages of a stretch of time again, each unchanged and under its own webhook-id."""
        get_object_or_404(self.reach, code=code)
        now = timezone.now()
        asked = {"until": now, **api.body(request, serializers.ReplayIn)}
        number = replaying.replay_all(code=code, scope=self.reach, actor=self.system.actor, at=now, **asked)
        return Response({"messages": number}, status=status.HTTP_202_ACCEPTED)


class VerifyView(EndpointBase):
    scopes: ClassVar[dict[str, str]] = {"POST": WEBHOOKS}

    @extend_schema(
        operation_id="verify_webhook_endpoint",
        request=api.NoBody,
        responses=serializers.EndpointOut,
        tags=["Webhooks"],
    )
    def post(self, request: Request, code: str) -> Response:
        """Show that the endpoint is yours: we send `GET <url>?check=<text>`, answer 200 with that text."""
        api.body(request, api.NoBody)
        get_object_or_404(self.reach, code=code)
        endpoint = verifying.verify(code=code, scope=self.reach, actor=self.system.actor, at=timezone.now())
        return Response(serializers.endpoint(endpoint))
