"""Delivery slots and promises over the seller API."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from deliveries import keeping, limits, promising, slots
from deliveries.api import before
from deliveries.api import booking_serializers as shapes
from deliveries.api.seller import located, store_of
from deliveries.api.seller_serializers import draft_of
from deliveries.models import SlotHold
from deliveries.slots import Bookable
from deliveries.snapshots import moment
from retaildelivery.lib import codes
from retaildelivery.web import api, errors
from stores.api import READ, WRITE, SellerView
from stores.authentication import SellerSystem
from stores.models import Store

Json = dict[str, Any]


def slot_shown(slot: Bookable, currency: str, at: dt.datetime) -> Json:
    return {
        "slot": slot.code,
        "window": {"start": moment(slot.start), "end": moment(slot.end)},
        "bookable": slot.may_be_booked(at),
        "opens_on": slot.opens_on.isoformat(),
        "closes_at": moment(slot.closes_at),
        "capacity": slot.capacity,
        "left": slot.left,
        "price": {"cents": slot.price_cents, "currency": currency},
    }


class SlotsView(SellerView):
    scopes: ClassVar[dict[str, str]] = {"GET": READ}

    @extend_schema(
        operation_id="list_slots",
        parameters=[shapes.SlotsQuery],
        responses=shapes.SlotPage,
        tags=["Before an order"],
    )
    def get(self, request: Request) -> Response:
        """The delivery slots of a day, by their start: their window, price, cut-off and how many places are left.

        Name a `store`, or a `mall` where you have one. Without a `date`: today, by the mall's clock; at most 31 days
        back or ahead, else 400 with `in_past` or `too_far_ahead` of `date`.
        """
        asked = api.query(request, shapes.SlotsQuery)
        store = self.asked_store(asked)
        at = self.system.now
        day = asked.get("date") or at.astimezone(store.mall.zone).date()
        found = slots.listed(store=store, day=day, at=at)
        currency = store.mall.market.currency
        return Response({"results": [slot_shown(slot, currency, at) for slot in found], "next": None})

    def asked_store(self, asked: Json) -> Store:
        if "mall" not in asked:
            return store_of(self.system, asked.get("store"))
        stores = self.system.stores.select_related("seller", "mall__market").filter(mall__code=asked["mall"])
        if "store" in asked:
            stores = stores.filter(code=codes.normalise(asked["store"]))
        found = stores.order_by("pk").first()
        if found is None:
            raise Http404(errors.named("store" if "store" in asked else "mall"))
        return found


def holds_of(system: SellerSystem) -> QuerySet[SlotHold]:
    return SlotHold.objects.filter(store__in=system.stores)


def hold_shown(held: SlotHold, at: dt.datetime) -> Json:
    window = held.slot.window
    state = "confirmed" if held.confirmed_at is not None else "held" if at < held.expires_at else "expired"
    return {
        "code": held.code,
        "slot": held.slot.code,
        "store": held.store.code,
        "state": state,
        "window": {"start": moment(window.lower), "end": moment(window.upper)},
        "price": {"cents": held.price_cents, "currency": held.store.mall.market.currency},
        "expires_at": moment(held.expires_at),
        "order": held.order.code if held.order else None,
    }


class HoldsView(SellerView):
    scopes: ClassVar[dict[str, str]] = {"POST": WRITE}

    @extend_schema(
        operation_id="hold_slot",
        request=shapes.HoldIn,
        responses={201: shapes.HoldOut},
        tags=["Before an order"],
    )
    def post(self, request: Request) -> Response:
        """Hold a place in a slot for 15 minutes. `POST /orders` with its code as `slot_hold` confirms it.

        409 `slot_full`, `slot_closed` (past the cut-off), `slot_not_open_yet`; 404 `slot_unknown`. A slot is never
        oversold, however many ask at once.
        """
        given = api.body(request, shapes.HoldIn)
        store = store_of(self.system, given.get("store"))
        at = self.system.now
        return Response(
            hold_shown(slots.hold(slot_code=given["slot"], store=store, at=at), at),
            status=status.HTTP_201_CREATED,
        )


class HoldView(SellerView):
    scopes: ClassVar[dict[str, str]] = {"GET": READ, "DELETE": WRITE}

    @extend_schema(operation_id="get_slot_hold", responses=shapes.HoldOut, tags=["Before an order"])
    def get(self, request: Request, code: str) -> Response:
        """A place in a slot: held, expired, or confirmed by an order. Once released it is 404."""
        holds = holds_of(self.system).filter(released_at=None)
        holds = holds.select_related("slot__rule", "store__mall__market", "order")
        return Response(hold_shown(get_object_or_404(holds, code=codes.normalise(code)), self.system.now))

    @extend_schema(operation_id="release_slot_hold", responses={204: None}, tags=["Before an order"])
    def delete(self, request: Request, code: str) -> Response:
        """Give a held place back. A repeat changes nothing; 409 `hold_used` once an order has it."""
        slots.revoke(code=code, scope=holds_of(self.system), at=self.system.now)
        return Response(status=status.HTTP_204_NO_CONTENT)


class PromisesView(SellerView):
    scopes: ClassVar[dict[str, str]] = {"POST": WRITE}

    @extend_schema(
        operation_id="make_promise",
        request=shapes.PromiseIn,
        responses={201: shapes.PromiseOut},
        tags=["Before an order"],
    )
    def post(self, request: Request) -> Response:
        """A promise to show at the checkout: price, slot and window in one signed `token`.

        `POST /orders` with it as `promise` redeems it, once, until `expires_at`. Name a `slot` or a `window`, or
        neither: then it is the first slot that is free, or the first window that can be kept.
        `GET /promises/report` says how promises were kept.
        """
        given = api.body(request, shapes.PromiseIn)
        store = store_of(self.system, given.get("store"))
        made = promising.promise(
            store=store,
            draft=located(draft_of(given)),
            slot_code=given.get("slot", ""),
            at=self.system.now,
        )
        slot = made.quote.hold.slot.code if made.quote.hold else None
        shown = {"token": made.token, "slot": slot, **before.shown(made.quote)}
        return Response(shown, status=status.HTTP_201_CREATED)


def broken_shown(each: keeping.Broken) -> Json:
    order = each.order
    return {
        "order": order.code,
        "external_id": order.external_id,
        "status": order.status,
        "promised_until": moment(order.window.upper),
        "delivered_at": moment(order.delivered_at),
        "minutes_late": each.minutes_late,
        "cause": each.cause,
    }


class PromiseReportView(SellerView):
    scopes: ClassVar[dict[str, str]] = {"GET": READ}

    @extend_schema(
        operation_id="get_promise_report",
        parameters=[shapes.ReportQuery],
        responses=shapes.PromiseReport,
        tags=["Following"],
    )
    def get(self, request: Request) -> Response:
        """How promises were kept, by store: at the door before the end of the window is kept; late, or not at
        all, is broken. `void` are those whose order you took back. The last 30 days, unless said.

        Of the newest 200 that were broken, `broken_orders` says by how many minutes and why."""
        asked = api.query(request, shapes.ReportQuery)
        at = self.system.now
        until = asked.get("before", at)
        since = asked.get("from") or max(until, limits.FIRST_MOMENT) - limits.REPORT_USUAL
        asked_of = {"stores": self.system.stores, "since": since, "before": until, "at": at}
        rows = keeping.report(**asked_of)
        broken: dict[int, list[Json]] = {}
        for each in keeping.broken(**asked_of):
            broken.setdefault(each.order.store_id, []).append(broken_shown(each))
        results = [
            {
                "store": row.store.code,
                "made": row.made,
                "redeemed": row.redeemed,
                "open": row.open,
                "kept": row.kept,
                "broken": row.broken,
                "void": row.void,
                "kept_percent": row.kept_percent,
                "broken_orders": broken.get(row.store.pk, []),
            }
            for row in rows
        ]
        return Response({"from": moment(since), "before": moment(until), "results": results})
