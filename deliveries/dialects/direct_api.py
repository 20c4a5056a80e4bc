"""The Uber-Direct-shaped door: tokens, quotes, deliveries of one customer, proof."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from rest_framework.request import Request
from rest_framework.response import Response

from deliveries import drafts, filling, limits, posting, proof_pdf, quoting, revising
from deliveries.api.seller import located, located_changes, orders_of, quotes_of
from deliveries.dialects.base_api import DoorView, Foreign, Json, Said, maybe, new_of, refuse_fixed, timed
from deliveries.dialects.direct import answers, changes, errors, robots, shapes
from deliveries.drafts import OrderDraft
from deliveries.models import Order, ProofOfDelivery
from deliveries.models.order import OrderQuerySet
from deliveries.sandbox import playing
from deliveries.snapshots import with_all
from retaildelivery.lib import codes
from retaildelivery.lib.refusals import Refused
from retaildelivery.web import api, fields, idempotency
from retaildelivery.web import errors as ours
from stores.api import READ, WRITE
from stores.models import Store
from stores.views import oauth

ONGOING = "ongoing"
SCOPES = {"eats.deliveries", "direct.organizations"}


class CustomerNotFound(Refused):
    code = "customer_not_found"
    sentence = _("This is not the customer of the key, which is %(code)s: the seller's code.")


class TipTooHigh(Refused):
    code = "tip_too_high"
    sentence = _("A tip is at most $%(most)d.")


class NoTipNow(Refused):
    code = "no_tip_now"
    sentence = _("The delivery is %(status)s; its tip can no longer be set so.")


class NothingKept(Refused):
    code = "nothing_kept"
    sentence = _("There is no %(kind)s of this door: it was not delivered, or none was asked for.")


@csrf_exempt
def token(request: HttpRequest) -> HttpResponse:
    """A key for a token, as `/oauth/token` does it, with the scopes of the service in place of ours."""
    if not settings.DOOR_DIRECT:
        return ours.not_found(request, Http404())
    if request.method != "POST":
        return JsonResponse({"error": "invalid_request"}, status=405, headers={"Allow": "POST"})
    given = told(request)
    asked = " ".join(given.pop("scope", [])).split()
    if not set(asked) <= SCOPES:
        return JsonResponse(
            {"error": "invalid_scope", "error_description": " ".join(sorted(SCOPES))}, status=400
        )
    answer = oauth.answered(request, given)
    if answer.status_code == 200:
        said = json.loads(answer.content) | {"scope": " ".join(asked) or "eats.deliveries"}
        answer.content = json.dumps(said).encode()
    return answer


def told(request: HttpRequest) -> QueryDict:
    """What a request for a token says: as a form, as OAuth has it, or as an object of texts, as some clients do."""
    if request.content_type != "application/json":
        return request.POST.copy()
    given = QueryDict(mutable=True)
    try:
        said = json.loads(request.body)
    except (ValueError, RecursionError):
        return given
    for name, value in said.items() if isinstance(said, dict) else ():
        if isinstance(value, str) and drafts.is_printable(value):
            given[name] = value
    return given


class DirectView(DoorView):
    """`customer_id` in the path is the seller's code."""

    door: ClassVar[str] = "DOOR_DIRECT"

    def check_permissions(self, request: Request) -> None:
        super().check_permissions(request)
        if codes.normalise(self.kwargs["customer_id"]) != self.system.seller.code:
            raise CustomerNotFound(code=self.system.seller.code)

    def translated(self, problem: Json) -> tuple[int, Json]:
        return errors.translated(problem)

    @property
    def orders(self) -> OrderQuerySet:
        return orders_of(self.system)

    def code_of(self, delivery_id: str) -> str:
        """Our code of their delivery. Raises Http404."""
        wanted = codes.normalise(answers.code_of(delivery_id))
        if not self.orders.filter(code=wanted).exists():
            raise Http404
        return wanted

    def shown(self, code: str) -> Response:
        order = with_all(self.orders).get(code=code)
        proof = ProofOfDelivery.objects.filter(order=order).first()
        return Response(answers.delivery(order, at=self.system.now, proof=proof))


class QuotesView(DirectView):
    scopes: ClassVar[dict[str, str]] = {"POST": WRITE}

    def post(self, request: Request, customer_id: str) -> Response:
        """What it costs and by when; held until `expires`."""
        given, at = api.body(request, shapes.QuoteIn), self.system.now
        store = shapes.store_of(self.system, given)
        draft = dataclasses.replace(located(shapes.draft_of(given, at=at)), recipient_phone="")
        made = quoting.quote(store=store, draft=timed(draft, self.orders, store, at=at), at=at)
        return Response(answers.quote(made))


FILTERS = sorted({*answers.STATES.values(), ONGOING})


class ListIn(Foreign):
    limit = fields.QueryNumber(required=False, default=20, min_value=1, max_value=100)
    offset = fields.QueryNumber(required=False, default=0, min_value=0, max_value=limits.EXPORT_ROWS)
    # Their document writes it so.
    Offset = fields.QueryNumber(required=False, min_value=0, max_value=limits.EXPORT_ROWS)
    status = maybe(fields.Choice, choices=FILTERS)
    filter = maybe(fields.Choice, choices=FILTERS)
    external_store_id = Said()
    start_dt = maybe(fields.Moment)
    end_dt = maybe(fields.Moment)


class DeliveriesView(DirectView):
    scopes: ClassVar[dict[str, str]] = {"GET": READ, "POST": WRITE}

    def key_of(self, request: Request) -> str | None:
        """Theirs stands in the body, and may be any text; it works as ours in the header."""
        given = super().key_of(request)
        if given is not None or request.method != "POST":
            return given
        # Read whole before it is parsed, so that it can be compared with that of the first request.
        assert request.body is not None
        key = request.data.get("idempotency_key") if isinstance(request.data, dict) else None
        if not key:
            return None
        if not isinstance(key, str):
            raise idempotency.KeyMalformed(field="idempotency_key")
        if idempotency.KEY.fullmatch(key):
            return key
        return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()

    def keeps(self, response: Response) -> bool:
        """Their key is that of a delivery: where none came of it, it is free for a better try."""
        ours = "Idempotency-Key" in self.request.headers
        return super().keeps(response) and (ours or response.status_code < 400)

    def answer_once(self, handler: Any, key: str, request: Request, *args: Any, **kwargs: Any) -> Any:
        """Whoever takes a key again for something else is told of the first delivery."""
        try:
            return super().answer_once(handler, key, request, *args, **kwargs)
        except idempotency.KeyReused as reused:
            first = json.loads(reused.answered or "{}").get("id") or ""
            reused.reason = answers.code_of(first)
            raise

    def get(self, request: Request, customer_id: str) -> Response:
        """Deliveries, newest first, by state and time."""
        asked = api.query(request, ListIn)
        found = self.orders
        state = asked.get("status") or asked.get("filter")
        if state:
            known = [word for word, theirs in answers.STATES.items() if theirs == state]
            found = found.open() if state == ONGOING else found.filter(status__in=known)
        if asked.get("external_store_id"):
            found = found.filter(store__code=codes.normalise(asked["external_store_id"]))
        if asked.get("start_dt"):
            found = found.filter(placed_at__gte=asked["start_dt"])
        if asked.get("end_dt"):
            found = found.filter(placed_at__lt=asked["end_dt"])
        first, size = asked.get("Offset", asked["offset"]), asked["limit"]
        rows = list(with_all(found).order_by("-placed_at", "-pk")[first : first + size + 1])
        proofs = {proof.order_id: proof for proof in ProofOfDelivery.objects.filter(order__in=rows)}
        shown = [
            answers.delivery(order, at=self.system.now, proof=proofs.get(order.pk)) for order in rows[:size]
        ]
        path = reverse("dialects:direct_deliveries", kwargs={"customer_id": customer_id})
        query = {name: value for name, value in request.query_params.items() if name.lower() != "offset"}
        further = urlencode({**query, "offset": first + size})
        return Response(
            {
                "object": "list",
                "url": path,
                "data": shown,
                "total_count": found.count(),
                "next_href": f"{path}?{further}" if len(rows) > size else "",
            }
        )

    def post(self, request: Request, customer_id: str) -> Response:
        """Post a delivery, from a quote or at the price of now."""
        given = api.body(request, shapes.CreateIn)
        store = shapes.store_of(self.system, given)
        draft = located(shapes.draft_of(given, at=self.system.now))
        try:
            order = self.posted(draft, store, given.get("quote_id", ""))
        except (posting.ExternalIdTaken, quoting.QuoteUsed) as taken:
            if draft.window_start is not None and isinstance(taken, posting.ExternalIdTaken):
                raise
            # Two first tries at once: the one that won has committed, so now its window counts, and a repeat finds
            # its order by the number.
            order = self.posted(draft, store, given.get("quote_id", ""))
        self.rehearse(order, given)
        return self.shown(order.code)

    def rehearse(self, order: Order, given: Json) -> None:
        """Their robot courier, where a test key asks for it; with a live key it says nothing, as with them."""
        asked = (given.get("test_specifications") or {}).get("robo_courier_specification")
        if asked and self.system.sandbox is not None:
            script = robots.script_of(asked, placed_at=order.placed_at)
            playing.instruct(order=order, courier="", script=script, at=self.system.now)

    def posted(self, draft: OrderDraft, store: Store, quote_id: str) -> Order:
        at, actor = self.system.now, self.system.actor
        if not quote_id:
            return posting.post(
                store=store, draft=timed(draft, self.orders, store, at=at), actor=actor, at=at
            )
        quotes = quotes_of(self.system)
        quote = quoting.find(quotes, quote_id.removeprefix("dqt_"))
        if quote.store_id != store.pk:
            raise quoting.QuoteMismatch(field="store", reason="store")
        quoted = quoting.draft_of(quote)
        if draft.window_start is None:
            draft = dataclasses.replace(draft, window_start=quoted.window_start, window_end=quoted.window_end)
        draft = dataclasses.replace(draft, parcels=shapes.fitted(draft.parcels, quoted.parcels))
        return quoting.accept(quote_code=quote.code, scope=quotes, draft=draft, actor=actor, at=at)


class DeliveryView(DirectView):
    scopes: ClassVar[dict[str, str]] = {"GET": READ, "POST": WRITE}

    def get(self, request: Request, customer_id: str, delivery_id: str) -> Response:
        """A delivery as it is now."""
        return self.shown(self.code_of(delivery_id))

    def post(self, request: Request, customer_id: str, delivery_id: str) -> Response:
        """Change what its state still lets change. What is as it was is no change."""
        code = self.code_of(delivery_id)
        given, at = api.body(request, shapes.UpdateIn), self.system.now
        order = with_all(self.orders).get(code=code)
        known = answers.delivery(order, at=at, proof=None)
        said = {name: known[name] for name in ("external_id", "quote_id", "tip")}
        refuse_fixed(given, shapes.FIXED, known=said | {"external_store_id": order.store.code})
        before = filling.draft_of(order)
        wanted = changes.changes_of(given, before, known=known, at=at)
        barcodes = {name: wanted.pop(name) for name in ("barcodes",) if name in wanted}
        self.revise(code, new_of(located_changes(wanted), order) | barcodes, given.get("tip_by_customer"))
        return self.shown(code)

    def revise(self, code: str, wanted: Json, tip_cents: int | None) -> None:
        """Both or neither."""
        if tip_cents is not None and tip_cents > limits.TIP_CENTS:
            raise TipTooHigh(field="tip_by_customer", most=limits.TIP_CENTS // 100)
        if not wanted and tip_cents is None:
            return
        try:
            revising.revise_and_tip(
                order_code=code,
                scope=self.orders,
                changes=wanted,
                tip_cents=tip_cents,
                actor=self.system.actor,
                at=self.system.now,
            )
        except posting.TipAlreadyChanged as again:
            raise posting.TipAlreadyChanged(field="tip_by_customer") from again
        except posting.OrderNotChangeable as late:
            if late.field != "tip_cents":
                raise
            raise NoTipNow(
                field="tip_by_customer", reason=late.reason, status=late.params["status"]
            ) from late


class CancelView(DirectView):
    scopes: ClassVar[dict[str, str]] = {"POST": WRITE}

    def post(self, request: Request, customer_id: str, delivery_id: str) -> Response:
        """Take a delivery back while the store holds it; a repeat changes nothing."""
        code = self.code_of(delivery_id)
        posting.cancel(
            order_code=code,
            scope=self.orders,
            reason=Order.CancelReason.OTHER,
            note="",
            actor=self.system.actor,
            at=self.system.now,
        )
        return self.shown(code)


class ProofView(DirectView):
    scopes: ClassVar[dict[str, str]] = {"POST": READ}

    def post(self, request: Request, customer_id: str, delivery_id: str) -> Response:
        """The picture or signature of the door, or else everything in one signed PDF, in base64."""
        code = self.code_of(delivery_id)
        given = api.body(request, shapes.ProofIn)
        order = with_all(self.orders).get(code=code)
        field = {"picture": "photo", "signature": "signature"}.get(given.get("type") or "")
        if field is None or given["waypoint"] != "dropoff":
            url = str(request.build_absolute_uri(reverse("deliveries:verify_proof")))
            content = proof_pdf.signed_pdf(order, verify_url=url, at=self.system.now)
        else:
            proof = ProofOfDelivery.objects.filter(order=order).first()
            file = getattr(proof, field) if proof else None
            if not file:
                raise NothingKept(field="type", kind=given["type"])
            with file.open("rb") as opened:
                content = opened.read()
        return Response({"document": base64.b64encode(content).decode()})
