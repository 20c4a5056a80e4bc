"""The part of the seller API that is about orders: post, follow, change, take back."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from typing import Any, ClassVar

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import DateTimeField, ExpressionWrapper, F
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.authentication import get_authorization_header
from rest_framework.request import Request
from rest_framework.response import Response

from deliveries import geocoding, limits, posting, promising, quoting, recognising, revising, slots
from deliveries.api import regulars
from deliveries.api import seller_answers as answers
from deliveries.api import seller_serializers as shapes
from deliveries.api.asking_serializers import OrdersQuery
from deliveries.api.sandbox_serializers import instructions_of
from deliveries.drafts import OrderDraft
from deliveries.models import Order, Quote, SlotHold
from deliveries.models.order import OrderQuerySet
from deliveries.models.quote import QuoteQuerySet
from deliveries.sandbox import playing
from deliveries.snapshots import order_snapshot, read, with_all
from retaildelivery.lib import codes
from retaildelivery.lib.geo import Point
from retaildelivery.lib.refusals import Refused
from retaildelivery.prepared import Given, Prepared
from retaildelivery.web import api, errors, paging
from retaildelivery.web.limits import IDEMPOTENCY_KEPT
from stores.api import HANDOVER, READ, WRITE, SellerView
from stores.authentication import SellerSystem, TestKeysOnly
from stores.models import Store

__all__ = ["HANDOVER", "READ", "WRITE", "OrderBase", "orders_of", "store_of"]

# As in the index order_search.
SEARCHED = SearchVector("code", "external_id", "recipient_name", "address_line1", config="simple")


FILTERS = {
    "status": "status__in",
    "external_id": "external_id",
    "external_ids": "external_id__in",
    "placed_from": "placed_at__gte",
    "placed_before": "placed_at__lt",
    "window_from": "window__endswith__gt",
    "window_before": "window__startswith__lt",
}


def orders_of(system: SellerSystem) -> OrderQuerySet:
    """The orders that this key reaches."""
    own: OrderQuerySet = Order.objects.filter(external_scope=system.seller.pk)  # type: ignore[assignment]
    return own if system.key.store_id is None else own.filter(store=system.key.store_id)


# What orders are listed by, newest first; and the same for words that few of them have.
PLACED = F("placed_at")
PLACED_BY_NO_INDEX = ExpressionWrapper(PLACED + dt.timedelta(0), output_field=DateTimeField())


def containing(orders: OrderQuerySet, text: str) -> tuple[OrderQuerySet, Any]:
    """Those of the orders that have all of these words, and what to list them by.

    Frequent words are soon found by going through the orders from the newest on, rare ones by the index of words.
    PostgreSQL's statistics tell the two apart; left to choose, it would go through a million orders for a rare one,
    which it takes for likelier than it is. Listed by what no index is in the order of, it has no such choice.
    """
    found = orders.alias(words=SEARCHED).filter(words=SearchQuery(text, config="simple"))
    expected = json.loads(found.order_by().values("pk").explain(format="json"))[0]["Plan"]["Plan Rows"]
    return found, PLACED if expected > limits.WORDS_FREQUENT else PLACED_BY_NO_INDEX


def quotes_of(system: SellerSystem) -> QuoteQuerySet:
    """The quotes that this key reaches."""
    own: QuoteQuerySet = Quote.objects.filter(seller_scope=system.seller.pk)  # type: ignore[assignment]
    return own if system.key.store_id is None else own.filter(store=system.key.store_id)


_STORE = Prepared(
    lambda: Store.objects.filter(code=Given("code"), seller=Given("seller")).select_related(
        "seller", "mall__market"
    )
)


class StoreNeeded(Refused):
    code = "store_needed"
    sentence = _("Name the store: this key reaches several.")


def store_of(system: SellerSystem, code: str | None) -> Store:
    """The store that is named, or the only one that the key reaches. Somebody else's is 404, as if it did not exist.
    Raises StoreNeeded."""
    if code is None:
        reached = list(system.stores.select_related("seller", "mall__market")[:2])
        if not reached:
            raise Http404
        if len(reached) > 1:
            raise StoreNeeded(field="store")
        return reached[0]
    found = _STORE.one(code=codes.normalise(code), seller=system.seller.pk)
    if found is None or system.key.store_id not in {None, found.pk}:
        raise Http404(errors.named("store"))
    return found


def located(draft: OrderDraft) -> OrderDraft:
    """The draft with the place of its door, as far as anybody knows it. May ask a geocoder."""
    if draft.address.point is not None:
        return draft
    found = geocoding.locate(draft.address)
    if found is None:
        return draft
    return dataclasses.replace(
        draft, address=dataclasses.replace(draft.address, point=found.point, located_by=found.source)
    )


def located_changes(changes: dict[str, Any]) -> dict[str, Any]:
    """The changes with the place of a new address, as far as anybody knows it. May ask a geocoder."""
    address = changes.get("address")
    if address is None or address.point is not None:
        return changes
    place = geocoding.locate(address)
    if place is None:
        return changes
    return changes | {"address": dataclasses.replace(address, point=place.point, located_by=place.source)}


def refuse_robots_if_live(system: SellerSystem, given: dict[str, Any]) -> None:
    """Raises TestKeysOnly where a live key asks for a robot courier."""
    if "sandbox" in given and system.sandbox is None:
        raise TestKeysOnly(field="sandbox")


def rehearse(system: SellerSystem, order: Order, given: dict[str, Any]) -> None:
    """Have a robot courier do with the order what the body says, if it says so."""
    if "sandbox" in given:
        playing.instruct(order=order, at=system.now, **instructions_of(given["sandbox"]))


class OrderBase(SellerView):
    """One order of the seller's, by its code however it is typed."""

    @property
    def orders(self) -> OrderQuerySet:
        return orders_of(self.system)

    def code_of(self, code: str) -> str:
        """The code of an order that this key reaches. Raises Http404."""
        wanted = codes.normalise(code)
        if not self.orders.filter(code=wanted).exists():
            raise Http404
        return wanted

    def order(self, code: str) -> Order:
        found: Order = get_object_or_404(with_all(self.orders), code=codes.normalise(code))
        return found

    def narrowed(self, asked: dict[str, Any]) -> OrderQuerySet:
        """The orders that a query of a list asks for; they are listed by `newest`."""
        found, newest = self.orders, PLACED
        for name, lookup in FILTERS.items():
            if name in asked:
                found = found.filter(**{lookup: asked[name]})
        if "codes" in asked:
            found = found.filter(code__in=[codes.normalise(code) for code in asked["codes"]])
        if "store" in asked:
            found = found.filter(store=store_of(self.system, asked["store"]))
        if "window_before" in asked:
            # What an index can end at: no window is wider.
            before = min(asked["window_before"], limits.LAST_MOMENT)
            found = found.filter(window__endswith__lt=before + limits.PROMISE_MOST)
        if "text" in asked:
            found, newest = containing(found, asked["text"])
        return found.annotate(newest=newest)

    def shown(self, code: str) -> Response:
        return Response(order_snapshot(self.order(code)))


class OrdersView(OrderBase):
    scopes: ClassVar[dict[str, str]] = {"GET": READ, "POST": WRITE}

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """A system that posts one order after another is not looked up for each."""
        quick = regulars.post(request, methods=self.allowed_methods) if request.method == "POST" else None
        return super().dispatch(request, *args, **kwargs) if quick is None else quick

    @extend_schema(
        operation_id="list_orders",
        parameters=[OrdersQuery],
        responses=answers.OrderPage,
        tags=["Orders"],
    )
    def get(self, request: Request) -> Response:
        """Your orders, newest first, as narrow as you ask for them."""
        asked = api.query(request, OrdersQuery)
        page = paging.newest_first(self.narrowed(asked).only("code"), asked, by="newest")
        orders = read([order.pk for order in page.rows])
        return Response({"results": [order_snapshot(order) for order in orders], "next": page.next})

    @extend_schema(
        operation_id="post_order",
        request=shapes.OrderIn,
        responses={201: answers.OrderOut, 200: answers.OrderOut},
        tags=["Orders"],
    )
    def post(self, request: Request) -> Response:
        """Post an order. 201; or 200 with the order of before, when `external_id` and all else are the same.

        Everything that is wrong is named at once in `field_errors`. When nobody knows where the door is, the
        order waits with `needs_location` until its place is given. The same `external_id` with other contents
        is 409 `external_id_taken`; `reason` is the code of the first order.

        With `quote` the price is the one that was held, and what the quote says may be left out. 409
        `quote_expired`; 409 `quote_used`, where `reason` is the order's code; 422 `quote_mismatch`, where
        `reason` is the field that is otherwise than quoted. So with `promise`, the token of one. With
        `slot_hold` the order gets the window and the price of the place that was held.
        """
        given = api.body(request, shapes.OrderIn)
        refuse_robots_if_live(self.system, given)
        if "quote" in given or "promise" in given:
            order = self.from_quote(given)
        elif "slot_hold" in given:
            order = self.into_slot(given)
        else:
            store = store_of(self.system, given.get("store"))
            draft = shapes.draft_of(given)
            lost = self.posted_by_the_dead(draft, store) if self.inherited else None
            if lost is not None:
                return Response(order_snapshot(lost), status=status.HTTP_201_CREATED)
            order = posting.post(
                store=store, draft=located(draft), actor=self.system.actor, at=self.system.now
            )
            self.remember(store)
        rehearse(self.system, order, given)
        before = order.was_posted_before  # type: ignore[attr-defined]
        return Response(
            order_snapshot(order), status=status.HTTP_200_OK if before else status.HTTP_201_CREATED
        )

    def remember(self, store: Store) -> None:
        """Who posts with a live key of their own may be a regular."""
        system, words = self.system, get_authorization_header(self.request).split()
        if system.sandbox is None and system.narrowed is None and len(words) == 2:
            recognising.remember(words[1].decode("latin-1"), store, at=system.now)

    def from_quote(self, given: dict[str, Any]) -> Order:
        quotes = quotes_of(self.system)
        code = given["quote"] if "quote" in given else promising.read(given["promise"])["quote"]
        quote = quoting.find(quotes, code)
        if given.get("store") and codes.normalise(given["store"]) != quote.store.code:
            raise quoting.QuoteMismatch(field="store", reason="store")
        draft = shapes.draft_of(given, base=quoting.draft_of(quote))
        if self.inherited:
            lost = self.posted_by_the_dead(draft, quote.store)
            if lost is not None:
                lost.was_posted_before = False  # type: ignore[attr-defined]
                return lost
        return quoting.accept(
            quote_code=quote.code, scope=quotes, draft=draft, actor=self.system.actor, at=self.system.now
        )

    def into_slot(self, given: dict[str, Any]) -> Order:
        holds = SlotHold.objects.filter(store__in=self.system.stores)
        held = slots.find(holds, given["slot_hold"])
        if given.get("store") and codes.normalise(given["store"]) != held.store.code:
            raise quoting.QuoteMismatch(field="store", reason="store")
        return quoting.post_into_slot(
            hold_code=held.code,
            scope=holds,
            draft=located(shapes.draft_of(given)),
            actor=self.system.actor,
            at=self.system.now,
        )

    def posted_by_the_dead(self, draft: OrderDraft, store: Store) -> Order | None:
        """The very order of this request, when the first try died between its commit and its answer."""
        return (
            with_all(self.orders)
            .filter(
                store=store,
                request_digest=posting.digest_of(draft, store),
                placed_at__gt=self.system.now - IDEMPOTENCY_KEPT,
            )
            .order_by("-pk")
            .first()
        )


class OrderView(OrderBase):
    scopes: ClassVar[dict[str, str]] = {"GET": READ, "PATCH": WRITE}

    @extend_schema(operation_id="get_order", responses=answers.OrderOut, tags=["Orders"])
    def get(self, request: Request, code: str) -> Response:
        """One order as it is now."""
        return self.shown(code)

    @extend_schema(
        operation_id="change_order",
        request=shapes.RevisionIn,
        responses=answers.OrderOut,
        tags=["Orders"],
    )
    def patch(self, request: Request, code: str) -> Response:
        """Change an order: recipient and instructions until it has ended; barcodes of its `parcels` until the driver
        has them; window, address, `ready_at`, value, `requirements` and `undeliverable` only while it is `placed`.
        Otherwise 409 `order_not_changeable`; `reason` is the state."""
        wanted = self.code_of(code)
        changes = located_changes(shapes.changes_of(api.body(request, shapes.RevisionIn)))
        if not changes:
            return self.shown(wanted)
        order = revising.revise(
            order_code=wanted,
            scope=self.orders,
            changes=changes,
            actor=self.system.actor,
            at=self.system.now,
        )
        return Response(order_snapshot(order))


class CancellationView(OrderBase):
    scopes: ClassVar[dict[str, str]] = {"PUT": WRITE}

    @extend_schema(
        operation_id="cancel_order",
        request=shapes.CancellationIn,
        responses=answers.OrderOut,
        tags=["Orders"],
    )
    def put(self, request: Request, code: str) -> Response:
        """Take an order back while the store holds every parcel of it. A repeat changes nothing.

        Once custody has passed: 409 `cancel_not_allowed`; `reason` says how far it has come."""
        wanted = self.code_of(code)
        given = api.body(request, shapes.CancellationIn)
        order = posting.cancel(
            order_code=wanted,
            scope=self.orders,
            reason=given["reason"],
            note=given["note"],
            actor=self.system.actor,
            at=self.system.now,
        )
        return Response(order_snapshot(order))


class ReadyView(OrderBase):
    scopes: ClassVar[dict[str, str]] = {"PUT": WRITE}

    @extend_schema(
        operation_id="mark_order_ready", request=api.NoBody, responses=answers.OrderOut, tags=["Orders"]
    )
    def put(self, request: Request, code: str) -> Response:
        """The parcels are packed and at the counter. A repeat changes nothing."""
        wanted = self.code_of(code)
        api.body(request, api.NoBody)
        order = posting.mark_ready(
            order_code=wanted, scope=self.orders, actor=self.system.actor, at=self.system.now
        )
        return Response(order_snapshot(order))


class LocationView(OrderBase):
    scopes: ClassVar[dict[str, str]] = {"PUT": WRITE}

    @extend_schema(
        operation_id="locate_order",
        request=shapes.LocationIn,
        responses=answers.OrderOut,
        tags=["Orders"],
    )
    def put(self, request: Request, code: str) -> Response:
        """Say where the door is, when `needs_location` or when the place is wrong."""
        wanted = self.code_of(code)
        given = api.body(request, shapes.LocationIn)
        order = posting.locate(
            order_code=wanted,
            scope=self.orders,
            point=Point(given["latitude"], given["longitude"]),
            actor=self.system.actor,
            at=self.system.now,
        )
        return Response(order_snapshot(order))


class TipView(OrderBase):
    scopes: ClassVar[dict[str, str]] = {"PUT": WRITE}

    @extend_schema(
        operation_id="tip_order", request=shapes.TipIn, responses=answers.OrderOut, tags=["Orders"]
    )
    def put(self, request: Request, code: str) -> Response:
        """Set the driver's tip: freely while the store holds the order, only upwards after that, once after the
        delivery (409 `tip_already_changed` from then on).

        All of it goes to the driver."""
        wanted = self.code_of(code)
        given = api.body(request, shapes.TipIn)
        order = revising.tip(
            order_code=wanted,
            scope=self.orders,
            cents=given["cents"],
            actor=self.system.actor,
            at=self.system.now,
        )
        return Response(order_snapshot(order))
