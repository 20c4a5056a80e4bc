"""A thousand orders in one request."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from deliveries import bulk
from deliveries.api import seller_answers as answers
from deliveries.api import seller_serializers as shapes
from deliveries.api.seller import StoreNeeded, orders_of, refuse_robots_if_live, rehearse, store_of
from deliveries.bulk import Outcome, Row
from deliveries.snapshots import tracking_page, with_all
from retaildelivery.web import api, errors
from stores.api import WRITE, SellerView
from stores.authentication import TestKeysOnly
from stores.models import Store

Json = dict[str, Any]


class BulkView(SellerView):
    scopes: ClassVar[dict[str, str]] = {"POST": WRITE}

    @extend_schema(
        operation_id="post_orders",
        request=shapes.BulkDocument,
        responses=answers.BulkOut,
        tags=["Orders"],
    )
    def post(self, request: Request) -> Response:
        """Post up to 1,000 orders. Each row has an outcome of its own: `created`, `existing` (posted before, the
        same) or `refused`, with the `code`, `message` and `field_errors` that `POST /orders` would answer.

        Every row needs an `external_id`, so the whole request may be repeated and posts nothing twice. Doors
        without coordinates are looked up among the addresses we know; others wait with `needs_location`.
        """
        given = api.body(request, shapes.BulkIn)["orders"]
        stores: dict[str | None, Store] = {}
        read = [self.read(row, stores) for row in given]
        rows = [row for row in read if isinstance(row, Row)]
        outcomes = bulk.post_all(rows=bulk.known_places(rows), actor=self.system.actor, at=self.system.now)
        found = dict(zip((n for n, row in enumerate(read) if isinstance(row, Row)), outcomes, strict=True))
        self.rehearse(given, found)
        results = [
            self.outcome(number, row.draft.external_id, found[number])
            if isinstance(row, Row)
            else {**_blank(number, raw), "outcome": "refused", **_problem(row)}
            for number, (raw, row) in enumerate(zip(given, read, strict=True))
        ]
        told = [result["outcome"] for result in results]
        counts = {name: told.count(name) for name in ("created", "existing", "refused")}
        return Response({**counts, "results": results})

    def rehearse(self, given: list[Any], found: dict[int, Outcome]) -> None:
        """Have robot couriers do what the rows of a sandbox say; a row that was posted before keeps its robot."""
        wanted = {found[n].code: raw for n, raw in enumerate(given) if n in found and raw.get("sandbox")}
        for order in with_all(orders_of(self.system).filter(code__in=wanted.keys() - {""})):
            read = api.reader(shapes.BulkOrderIn)(wanted[order.code])
            rehearse(self.system, order, read)

    def read(
        self, raw: Any, stores: dict[str | None, Store]
    ) -> Row | ValidationError | Http404 | StoreNeeded | TestKeysOnly:
        """The row as a draft, or what is wrong with it. A store is looked up once."""
        try:
            given = api.reader(shapes.BulkOrderIn)(raw)
            refuse_robots_if_live(self.system, given)
            wanted = given.get("store")
            if wanted not in stores:
                stores[wanted] = store_of(self.system, wanted)
        except (ValidationError, Http404, StoreNeeded, TestKeysOnly) as wrong:
            return wrong
        return Row(stores[wanted], shapes.draft_of(given))

    def outcome(self, number: int, external_id: str, outcome: Outcome) -> Json:
        shown = _blank(number, {"external_id": external_id})
        if outcome.refusal is not None:
            return {**shown, "outcome": "refused", **_problem(outcome.refusal)}
        return {
            **shown,
            "outcome": "created" if outcome.is_new else "existing",
            "order": outcome.code,
            "tracking_url": tracking_page(outcome.tracking_token),
        }


def _blank(number: int, raw: Any) -> Json:
    said = raw.get("external_id") if isinstance(raw, dict) else ""
    return {
        "row": number,
        "external_id": said if isinstance(said, str) else "",
        "outcome": "",
        "order": None,
        "tracking_url": None,
        "code": "",
        "message": "",
        "reason": "",
        "field_errors": [],
    }


def _problem(wrong: Exception) -> Json:
    answer = errors.handle(wrong, {})
    assert answer is not None
    return {name: answer.data[name] for name in ("code", "message", "reason", "field_errors")}
