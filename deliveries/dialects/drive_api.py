"""The Drive-shaped door: quotes, and deliveries by the caller's own number."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any, ClassVar

from django.db.models.fields.json import KT
from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from deliveries import posting, quoting, revising
from deliveries.api.seller import located, located_changes, orders_of, quotes_of
from deliveries.dialects.base_api import DoorView, Json, new_of, timed
from deliveries.dialects.drive import answers, changes, errors, shapes
from deliveries.drafts import OrderDraft
from deliveries.models import Order, Quote
from deliveries.models.order import OrderQuerySet
from deliveries.snapshots import with_all
from retaildelivery.web import api
from stores.api import READ, WRITE
from stores.drive_tokens import DriveTokenAuthentication
from stores.models import Store


class DriveView(DoorView):
    door: ClassVar[str] = "DOOR_DRIVE"
    authentication_classes: ClassVar[Any] = [DriveTokenAuthentication]  # type: ignore[misc]

    def translated(self, problem: Json) -> tuple[int, Json]:
        return errors.translated(
            problem,
            flat=errors.is_flat(self.request.headers.get("User-Agent", "")),
            external_id=self.kwargs.get("external_id", ""),
        )

    @property
    def orders(self) -> OrderQuerySet:
        return orders_of(self.system)

    def code_of(self, external_id: str) -> str:
        """Our code of their delivery. Raises Http404."""
        found = self.orders.filter(external_id=external_id).values_list("code", flat=True).first()
        if not external_id or found is None:
            raise Http404
        return found

    def quoted(self, external_id: str) -> Quote | None:
        """The last quote under their number."""
        asked = quotes_of(self.system).annotate(number=KT("said__external_id")).filter(number=external_id)
        return asked.select_related("store__seller", "store__mall__market").order_by("-pk").first()

    def shown(self, code: str, *, status: int = 200) -> Response:
        order = with_all(self.orders).select_related("fee_policy").get(code=code)
        return Response(answers.delivery(order, at=self.system.now), status=status)


class QuotesView(DriveView):
    scopes: ClassVar[dict[str, str]] = {"POST": WRITE}

    def post(self, request: Request) -> Response:
        """What it costs and by when; held until `expires_at`."""
        given, at = api.body(request, shapes.QuoteIn), self.system.now
        taken = self.orders.filter(external_id=given["external_delivery_id"]).values_list("code", flat=True)
        if first := taken.first():
            raise posting.ExternalIdTaken(field="external_id", reason=first, first=first)
        store = shapes.store_of(self.system, given)
        draft = located(shapes.draft_of(given))
        if not draft.recipient_phone:
            # Nobody who can be called yet: the number is said when the quote is accepted.
            aside = {**(draft.aside or {}), "recipient": draft.recipient_name}
            draft = dataclasses.replace(draft, recipient_name="", aside=aside)
        made = quoting.quote(store=store, draft=timed(draft, self.orders, store, at=at), at=at)
        return Response(answers.quote(made))


class AcceptView(DriveView):
    scopes: ClassVar[dict[str, str]] = {"POST": WRITE}

    def post(self, request: Request, external_id: str) -> Response:
        """Post the delivery that was quoted, at the price that was held; a repeat gives the same one."""
        given = api.body(request, shapes.AcceptIn) if request.data else {}
        found = self.quoted(external_id)
        if found is None:
            raise Http404
        draft = accepted(quoting.draft_of(found), given)
        try:
            order = self.accept(found, draft)
        except quoting.QuoteUsed:
            # Two at once: the one that won has committed, so a repeat finds its order by the number.
            order = self.accept(found, draft)
        return self.shown(order.code)

    def accept(self, quote: Quote, draft: OrderDraft) -> Order:
        return quoting.accept(
            quote_code=quote.code,
            scope=quotes_of(self.system),
            draft=draft,
            actor=self.system.actor,
            at=self.system.now,
        )


def accepted(draft: OrderDraft, given: Json) -> OrderDraft:
    phone, tip = given.get("dropoff_phone_number"), given.get("tip")
    return dataclasses.replace(
        draft,
        recipient_name=draft.recipient_name or (draft.aside or {}).get("recipient") or shapes.NOBODY,
        recipient_phone=phone or draft.recipient_phone,
        tip_cents=draft.tip_cents if tip is None else tip,
    )


class DeliveriesView(DriveView):
    scopes: ClassVar[dict[str, str]] = {"POST": WRITE}

    def post(self, request: Request) -> Response:
        """Post a delivery. The same number with the same contents gives the first one."""
        given, at = api.body(request, shapes.CreateIn), self.system.now
        store = shapes.store_of(self.system, given)
        asked = located(shapes.draft_of(given))
        try:
            order = self.posted(asked, store, at)
        except posting.ExternalIdTaken:
            if asked.window_start is not None:
                raise
            # Two first tries at once may have found two windows; now there is the window of the one that won.
            order = self.posted(asked, store, at)
        return self.shown(order.code)

    def posted(self, asked: OrderDraft, store: Store, at: dt.datetime) -> Order:
        draft = timed(asked, self.orders, store, at=at)
        return posting.post(store=store, draft=draft, actor=self.system.actor, at=at)


class DeliveryView(DriveView):
    scopes: ClassVar[dict[str, str]] = {"GET": READ, "PATCH": WRITE}

    def get(self, request: Request, external_id: str) -> Response:
        """A delivery as it is now, or the quote under this number."""
        if not self.orders.filter(external_id=external_id).exists():
            found = self.quoted(external_id)
            if found is None:
                raise Http404
            return Response(answers.quote(found))
        return self.shown(self.code_of(external_id))

    def patch(self, request: Request, external_id: str) -> Response:
        """Change what its state still lets change. What is as it was is no change."""
        code = self.code_of(external_id)
        given, at = api.body(request, shapes.UpdateIn), self.system.now
        order = with_all(self.orders).get(code=code)
        wanted = new_of(located_changes(changes.changes_of(given, order, self.system)), order)
        if wanted or given.get("tip") is not None:
            revising.revise_and_tip(
                order_code=code,
                scope=self.orders,
                changes=wanted,
                tip_cents=given.get("tip"),
                actor=self.system.actor,
                at=at,
            )
        return self.shown(code)


class CancelView(DriveView):
    scopes: ClassVar[dict[str, str]] = {"PUT": WRITE}

    def put(self, request: Request, external_id: str) -> Response:
        """Take a delivery back while the store holds it. The body, if any, says nothing; clients label an empty one
        as a form."""
        code = self.code_of(external_id)
        posting.cancel(
            order_code=code,
            scope=self.orders,
            reason=Order.CancelReason.OTHER,
            note="",
            actor=self.system.actor,
            at=self.system.now,
        )
        return self.shown(code)
