"""An order of a system that posts one after another, answered without asking anew who that is: its answer is that of
`POST /orders` in every byte, or none. Whatever is out of the ordinary goes the long way and is answered there."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from rest_framework.exceptions import APIException

from deliveries import posting, recognising
from deliveries.api import seller_serializers as shapes
from deliveries.drafts import OrderDraft
from deliveries.recognising import Regular
from retaildelivery.lib import codes
from retaildelivery.web import errors, parsers, reading, throttling
from retaildelivery.web.limits import BODY_BYTES
from retaildelivery.web.renderers import CompactJSON
from stores import keys
from stores.authentication import SellerSystem
from stores.models import ApiKey

# What a price, a window or a courier comes from that is not the order's own.
_OF_OTHERS = frozenset({"quote", "promise", "slot_hold", "sandbox"})


@dataclass(frozen=True, slots=True)
class _Asked:
    """Whose order it is, who asks, and what they say of it."""

    regular: Regular
    system: SellerSystem
    draft: OrderDraft
    at: dt.datetime


def post(request: HttpRequest, *, methods: list[str]) -> HttpResponse | None:
    """Post the order in the body of a regular's request; None when it has to be done the long way."""
    at = timezone.now()
    regulars = _who(request, at) if _is_plain(request) else {}
    if not regulars:
        return None
    # Before anything of the body is read: it costs nobody more than they may ask.
    budget = throttling.count(request, _system(next(iter(regulars.values())), request).caller)
    asked = None if budget.spent else _asked(request, regulars, at)
    shown = None if asked is None else _posted(asked)
    return None if shown is None else _answer(shown, budget, methods)


def _is_plain(request: HttpRequest) -> bool:
    """By a live key, with JSON of a bearable size, and nothing else to heed."""
    meta = request.META
    length = meta.get("CONTENT_LENGTH") or ""
    return (
        meta.get("HTTP_AUTHORIZATION", "").startswith(f"Bearer {keys.LIVE}")
        and "HTTP_IDEMPOTENCY_KEY" not in meta
        and not meta["QUERY_STRING"]
        and request.content_type == "application/json"
        and length.isdigit()
        and int(length) <= BODY_BYTES
    )


def _who(request: HttpRequest, at: dt.datetime) -> dict[str, Regular]:
    return recognising.recognise(request.META["HTTP_AUTHORIZATION"].removeprefix("Bearer "), at=at)


def _system(regular: Regular, request: HttpRequest) -> SellerSystem:
    return SellerSystem(regular.key, throttling.address_of(request))


def _asked(request: HttpRequest, regulars: dict[str, Regular], at: dt.datetime) -> _Asked | None:
    try:
        given = reading.reader(shapes.OrderIn)(parsers.read(request.body))
    except APIException:
        return None
    regular = regulars.get(codes.normalise(given.get("store") or ""))
    draft = shapes.draft_of(given)
    if regular is None or draft.address.point is None or not _OF_OTHERS.isdisjoint(given):
        return None
    # The key as it was when this store was read: with another store it may have been read earlier.
    system = _system(regular, request)
    may = ApiKey.Scope.ORDERS_WRITE in system.scopes and keys.admits(system.key, system.address)
    return _Asked(regular, system, draft, at) if may else None


def _posted(asked: _Asked) -> dict[str, Any] | None:
    """The order as it is shown; None for one that was not written."""
    regular = asked.regular
    try:
        return posting.post_if(
            regular.is_as_it_was,
            store=regular.store,
            policy=regular.policy,
            terms=regular.terms,
            draft=asked.draft,
            actor=asked.system.actor,
            at=asked.at,
        )
    except posting.OutOfDate:
        recognising.forget(regular)
    except (posting.DraftInvalid, IntegrityError):
        pass
    except OperationalError as failure:
        # Of anything else nobody knows whether it was written.
        if not errors.is_busy(failure):
            raise
    return None


def _answer(shown: dict[str, Any], budget: throttling.Budget, methods: list[str]) -> HttpResponse:
    answer = HttpResponse(CompactJSON().render(shown), status=201, content_type=CompactJSON.media_type)
    answer["Allow"] = ", ".join(methods)
    for name, value in budget.headers.items():
        answer[name] = value
    answer["Cache-Control"] = "no-store"
    return answer
