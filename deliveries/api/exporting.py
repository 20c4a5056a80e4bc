"""A seller's orders as CSV, row by row as they come from the database."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any, ClassVar

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from deliveries import limits
from deliveries.api.asking_serializers import OrdersFilter
from deliveries.api.seller import OrderBase
from deliveries.models import Order
from deliveries.snapshots import moment
from retaildelivery.web import api
from stores.api import READ

COLUMNS = (
    "code", "external_id", "status", "store", "placed_at", "ready_at", "window_start", "window_end",
    "recipient_name", "recipient_phone", "line1", "line2", "city", "region", "postal_code", "fee_cents",
    "tip_cents", "distance_m", "picked_up_at", "delivered_at", "cancelled_at", "cancel_reason", "returned_at",
)  # fmt: skip


class Line:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def harmless(text: str) -> str:
    """A spreadsheet takes what begins so for a formula: https://owasp.org/www-community/attacks/CSV_Injection"""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def row(order: Order) -> list[Any]:
    texts = (order.address_line1, order.address_line2, order.city, order.region, order.postal_code)
    return [
        order.code,
        harmless(order.external_id),
        order.status,
        order.store.code,
        moment(order.placed_at),
        moment(order.ready_at),
        moment(order.window.lower),
        moment(order.window.upper),
        harmless(order.recipient_name),
        harmless(order.recipient_phone),
        *(harmless(text) for text in texts),
        order.fee_cents,
        order.tip_cents,
        order.distance_m,
        *(moment(at) for at in (order.picked_up_at, order.delivered_at, order.cancelled_at)),
        order.cancel_reason,
        moment(order.returned_at),
    ]


class OrdersCsvView(OrderBase):
    scopes: ClassVar[dict[str, str]] = {"GET": READ}

    @extend_schema(
        operation_id="export_orders",
        parameters=[OrdersFilter],
        responses={(200, "text/csv"): OpenApiTypes.STR},
        tags=["Orders"],
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """The same orders as the list, as CSV, newest first, up to 10,000: narrow it by `placed_from` for more."""
        asked = api.query(request, OrdersFilter)
        found = self.narrowed(asked).select_related("store").order_by("-newest", "-pk")[: limits.EXPORT_ROWS]
        answer = StreamingHttpResponse(self.lines(found), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = 'attachment; filename="orders.csv"'
        return answer

    def lines(self, orders: Any) -> Iterator[str]:
        writer = csv.writer(Line())
        yield writer.writerow(COLUMNS)
        for order in orders.iterator(chunk_size=500):
            yield writer.writerow(row(order))
