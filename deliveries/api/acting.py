"""What acting on an order would cost, and trying again what came back."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from deliveries import actions, redelivering
from deliveries.actions import Action
from deliveries.api import seller_answers as answers
from deliveries.api.asking_serializers import ActionsQuery, RedeliveryIn
from deliveries.api.before import fee_lines
from deliveries.api.seller import OrderBase, located_changes, refuse_robots_if_live, rehearse
from deliveries.api.seller_serializers import changes_of
from deliveries.snapshots import moment, order_snapshot
from retaildelivery.lib.geo import Point
from retaildelivery.web import api
from stores.api import READ, WRITE

# Written as one, since half of a position is refused.
OF_A_DOOR = OpenApiParameter(
    "door",
    {
        "type": "object",
        "properties": {
            "latitude": {"type": "number", "minimum": -90, "maximum": 90},
            "longitude": {"type": "number", "minimum": -180, "maximum": 180},
        },
        "required": ["latitude", "longitude"],
        "additionalProperties": False,
    },
    style="form",
    explode=True,
    description="`latitude` and `longitude` of another door.",
)


class ActionQuotesView(OrderBase):
    scopes: ClassVar[dict[str, str]] = {"GET": READ}

    @extend_schema(
        operation_id="quote_order_actions",
        parameters=[OF_A_DOOR],
        responses=answers.ActionQuotes,
        tags=["Orders"],
    )
    def get(self, request: Request, code: str) -> Response:
        """What it costs to cancel, return, redeliver, re-time or change the address: now, and in five minutes.

        Nothing changes. With `latitude` and `longitude` the change of address is priced too: the fee is the
        difference to what the order costs now, and may be negative.
        """
        asked = api.query(request, ActionsQuery)
        order = self.order(code)
        at = self.system.now
        door = Point(asked["latitude"], asked["longitude"]) if "latitude" in asked else None
        currency = order.store.mall.market.currency
        return Response(
            {
                "order": order.code,
                "status": order.status,
                "at": moment(at),
                "results": [self.entry(each, currency) for each in actions.of(order, at=at, door=door)],
            }
        )

    def entry(self, action: Action, currency: str) -> dict[str, Any]:
        def money(cents: int | None) -> dict[str, Any] | None:
            return None if cents is None else {"cents": cents, "currency": currency}

        return {
            "action": action.name,
            "allowed": action.allowed,
            "reason": str(action.reason),
            "fee": money(action.cents),
            "lines": fee_lines(action.lines),
            "until": moment(action.until),
            "fee_in_five_minutes": money(action.later_cents),
        }


class RedeliveryView(OrderBase):
    scopes: ClassVar[dict[str, str]] = {"POST": WRITE}

    @extend_schema(
        operation_id="redeliver_order",
        request=RedeliveryIn,
        responses={201: answers.OrderOut},
        tags=["Orders"],
    )
    def post(self, request: Request, code: str) -> Response:
        """Try again what came back to the store: a new order, the same but for what is said here.

        409 `redelivery_not_allowed` unless it is `returned`; 409 `already_redelivered`, where `reason` is the code
        of the order that tries it already.
        """
        wanted = self.code_of(code)
        given = api.body(request, RedeliveryIn)
        refuse_robots_if_live(self.system, given)
        changes = located_changes(changes_of(given)) | {
            "external_id": given["external_id"],
            "ready_at": given.get("ready_at"),
        }
        order = redelivering.redeliver(
            order_code=wanted,
            scope=self.orders,
            changes=changes,
            actor=self.system.actor,
            at=self.system.now,
        )
        rehearse(self.system, order, given)
        return Response(order_snapshot(order), status=status.HTTP_201_CREATED)
