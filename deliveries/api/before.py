"""Before an order: can we deliver it, for how much, and a price that holds for a while."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable
from typing import Any, ClassVar

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from deliveries import charging, quoting, serviceability
from deliveries.api import seller_answers as answers
from deliveries.api import seller_serializers as shapes
from deliveries.api.seller import located, quotes_of, store_of
from deliveries.drafts import OrderDraft, ParcelDraft
from deliveries.fees import FeeKind, FeeLine
from deliveries.models import Order, Parcel, Quote
from deliveries.snapshots import moment
from retaildelivery.lib import codes
from retaildelivery.web import api
from stores.api import READ, WRITE, SellerView


def fee_lines(lines: Iterable[FeeLine]) -> list[dict[str, Any]]:
    return [
        {"kind": line.kind, "cents": line.cents, "text": charging.sentence(line), "rule": line.rule}
        for line in lines
    ]


class ServiceabilityView(SellerView):
    scopes: ClassVar[dict[str, str]] = {"POST": READ}

    @extend_schema(
        operation_id="check_serviceability",
        request=shapes.ServiceabilityIn,
        responses=answers.ServiceabilityOut,
        tags=["Before an order"],
    )
    def post(self, request: Request) -> Response:
        """Can we deliver these parcels there, in that window; if not, why not; and what would it cost.

        Nothing is kept, and no price is held: for that, `POST /quotes`. Every reason has a `code`:
        `not_serviceable` (too far), `store_paused`, `store_inactive`, `store_closed`, `out_of_reach` (nobody
        can be there by the end of the window), and those that a body of `POST /orders` may be refused with.
        """
        given = api.body(request, shapes.ServiceabilityIn)
        store = store_of(self.system, given.get("store"))
        at = self.system.now
        draft = located(self.draft(given, at))
        reasons = serviceability.reasons(draft, store=store, at=at)
        price = serviceability.price(draft, store=store, at=at)
        when = None
        if price is not None and not reasons:
            when = serviceability.estimate(draft, store=store, at=at)
        fee = {"cents": price.cents, "currency": store.mall.market.currency} if price else None
        return Response(
            {
                "serviceable": not reasons,
                "reasons": [
                    {"field": error.field, "code": error.code, "message": str(error.message)}
                    for error in reasons
                ],
                "needs_location": draft.address.point is None,
                "distance_m": serviceability.distance(draft, store),
                "fee": fee,
                "lines": fee_lines(price.lines) if price else [],
                "pickup_at": moment(when.pickup_at) if when else None,
                "dropoff_at": moment(when.dropoff_at) if when else None,
            }
        )

    def draft(self, given: dict[str, Any], at: dt.datetime) -> OrderDraft:
        """The question as an order to somebody; what is not asked about is as it would be fine."""
        draft = shapes.draft_of(given)
        if draft.window_start is None:
            draft = dataclasses.replace(draft, window_start=at, window_end=at + dt.timedelta(hours=4))
        parcels = draft.parcels or (ParcelDraft(Parcel.Size.SMALL, 1000),)
        return dataclasses.replace(draft, parcels=parcels, **quoting.SOMEBODY)


def shown(quote: Quote) -> dict[str, Any]:
    currency = quote.store.mall.market.currency
    order = (
        Order.objects.filter(quote=quote).values_list("code", flat=True).first() if quote.used_at else None
    )
    said = quoting.draft_of(quote)
    tax = sum(line["cents"] for line in quote.lines if line["kind"] == FeeKind.TAX)
    return {
        "code": quote.code,
        "store": quote.store.code,
        "created_at": moment(quote.created_at),
        "expires_at": moment(quote.expires_at),
        "window": {"start": moment(said.window_start), "end": moment(said.window_end)},
        "distance_m": quote.distance_m,
        "fee": {"cents": quote.fee_cents, "currency": currency},
        "tax": {"cents": tax, "currency": currency},
        "lines": quote.lines,
        "pickup_at": moment(quote.pickup_at),
        "dropoff_at": moment(quote.dropoff_at),
        "used_at": moment(quote.used_at),
        "order": order,
    }


class QuotesView(SellerView):
    scopes: ClassVar[dict[str, str]] = {"POST": WRITE}

    @extend_schema(
        operation_id="make_quote",
        request=shapes.QuoteIn,
        responses={201: answers.QuoteOut},
        tags=["Before an order"],
    )
    def post(self, request: Request) -> Response:
        """Hold the price of a delivery for 15 minutes: `POST /orders` with its code as `quote` posts it.

        422 `cannot_deliver` names every reason in `field_errors`; 422 `location_unknown` when nobody knows where
        the door is.
        """
        given = api.body(request, shapes.QuoteIn)
        store = store_of(self.system, given.get("store"))
        made = quoting.quote(
            store=store,
            draft=located(shapes.draft_of(given)),
            slot_code=given.get("slot", ""),
            at=self.system.now,
        )
        return Response(shown(made), status=status.HTTP_201_CREATED)


class QuoteView(SellerView):
    scopes: ClassVar[dict[str, str]] = {"GET": READ}

    @extend_schema(operation_id="get_quote", responses=answers.QuoteOut, tags=["Before an order"])
    def get(self, request: Request, code: str) -> Response:
        """A quote: what it held, until when, and the order that was posted from it."""
        quotes = quotes_of(self.system).select_related("store__mall__market")
        return Response(shown(get_object_or_404(quotes, code=codes.normalise(code))))
