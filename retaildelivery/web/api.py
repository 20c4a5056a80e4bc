"""The base of every API view: who asks, how much they may ask, and that a retry is harmless."""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from retaildelivery.web import idempotency, limits, throttling
from retaildelivery.web.errors import RETRY_AFTER
from retaildelivery.web.fields import Input
from retaildelivery.web.parsers import StrictJSONParser
from retaildelivery.web.reading import reader
from retaildelivery.web.renderers import CompactJSON


def may_differ(response: Response) -> bool:
    """Whether the same request may be answered otherwise later, so that this answer is not to be kept."""
    retryable = isinstance(response.data, dict) and response.data.get("retryable") is True
    return response.status_code in RETRY_AFTER or (
        response.status_code >= HTTPStatus.BAD_REQUEST and retryable
    )


class AlwaysTheFirst(BaseContentNegotiation):
    """Whatever the Accept header says, the answer is what the document says; never HTML."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        given = (request.content_type or "").split(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == given), None)

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


class ApiView(APIView):
    """Reads strict JSON, answers JSON; counts requests; honours Idempotency-Key on POST, PUT and PATCH.

    Subclasses set `authentication_classes` and `permission_classes`. What an authentication puts on
    ``request.auth`` may carry `caller` (whose budget and keys) and `requests_per_minute`. `inherited` is true for
    a retry whose first try died without an answer: a view whose verb is not harmless to repeat looks first.
    """

    parser_classes: ClassVar[Any] = [StrictJSONParser]
    renderer_classes: ClassVar[Any] = [CompactJSON]
    content_negotiation_class: ClassVar[Any] = AlwaysTheFirst
    http_method_names: ClassVar[list[str]] = ["get", "head", "post", "put", "patch", "delete"]
    format_kwarg: str | None = None

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """As Django REST framework's, with the answer to a retried write taken from the first one."""
        self.args, self.kwargs = args, kwargs
        asked = self.request = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        self.budget: throttling.Budget | None = None
        self.inherited = False
        try:
            self.initial(asked, *args, **kwargs)
            response = self.answer(asked, *args, **kwargs)
        except Exception as refusal:  # noqa: BLE001 -- handle_exception raises again what nobody expected
            response = self.handle_exception(refusal)
        self.response = self.finalize_response(asked, response, *args, **kwargs)
        return self.response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Who asks; whether they have asked too much; whether they may ask this."""
        renderer, media_type = self.perform_content_negotiation(request)
        request.accepted_renderer, request.accepted_media_type = renderer, media_type
        self.perform_authentication(request)
        self.check_throttles(request)
        self.check_permissions(request)

    def answer(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        method = (request.method or "").upper()
        handler = getattr(self, method.lower(), None) if method.lower() in self.http_method_names else None
        if handler is None:
            raise exceptions.MethodNotAllowed(method)
        key = self.key_of(request)
        # Uploads carry a client event id of their own, and are too large to be read twice.
        uploads = (request.content_type or "").startswith("multipart/")
        if key is None or uploads or method not in idempotency.WRITES:
            return handler(request, *args, **kwargs)
        return self.answer_once(handler, key, request, *args, **kwargs)

    def key_of(self, request: Request) -> str | None:
        """Against doing a thing twice."""
        return request.headers.get("Idempotency-Key")

    def keeps(self, response: Response) -> bool:
        """Whether a retry gets this very answer."""
        return not may_differ(response)

    def answer_once(self, handler: Any, key: str, request: Request, *args: Any, **kwargs: Any) -> Any:
        """Run the handler and keep its answer, or give the answer that was kept."""
        ticket = idempotency.begin(
            scope=throttling.caller_of(request),
            key=key,
            digest=idempotency.digest(
                method=request.method or "", path=request.get_full_path(), body=request.body
            ),
            at=timezone.now(),
        )
        if ticket.answer is not None:
            kept = HttpResponse(
                ticket.answer.body, status=ticket.answer.status, content_type=ticket.answer.content_type
            )
            kept["Idempotent-Replayed"] = "true"
            return kept
        self.inherited = ticket.inherited
        try:
            response = handler(request, *args, **kwargs)
        except Exception as refusal:  # noqa: BLE001 -- handle_exception raises again what nobody expected
            try:
                response = self.handle_exception(refusal)
            except Exception:
                idempotency.forget(ticket)
                raise
        if not isinstance(response, Response) or not self.keeps(response):
            idempotency.forget(ticket)
        else:
            content_type = response.content_type or CompactJSON.media_type
            body = "" if response.data is None else CompactJSON().render(response.data).decode()
            idempotency.keep(ticket, idempotency.Answer(response.status_code, content_type, body))
        return response

    def check_throttles(self, request: Request) -> None:
        known = request.user is not None and request.user.is_authenticated
        limit = getattr(request.auth, "requests_per_minute", None) or (
            settings.API_REQUESTS_PER_MINUTE if known else limits.REQUESTS_UNKNOWN
        )
        self.budget = throttling.count(request, throttling.caller_of(request), limit=limit)
        if self.budget.spent:
            self.throttled(request, self.budget.reset)

    def handle_exception(self, exc: Exception) -> Response:
        if self.budget is None and not isinstance(exc, exceptions.Throttled):
            self.budget = throttling.take(
                f"address:{throttling.address_of(self.request)}",
                limit=limits.REQUESTS_UNKNOWN,
                now=time.time(),
            )
            if self.budget.spent:
                exc = exceptions.Throttled(wait=self.budget.reset)
        return super().handle_exception(exc)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        if self.budget is not None:
            for name, value in self.budget.headers.items():
                response[name] = value
        response.setdefault("Cache-Control", "no-store")
        return response


class NoBody(Input):
    """Nothing to say: an empty body, or `{}`."""


class NoQuery(Input):
    """No query."""


def body(request: Request, serializer: type[Serializer[Any]]) -> Any:
    """The request's body as this serializer reads it. Raises ValidationError naming every bad field."""
    return _checked(reader(serializer), request.data)


def query(request: Request, serializer: type[Serializer[Any]]) -> Any:
    """The query string as this serializer reads it; a name given twice is refused."""
    twice = [name for name, values in request.query_params.lists() if len(values) > 1]
    if twice:
        raise exceptions.ValidationError({twice[0]: ["Give it once."]}, code="duplicate_field")
    return _checked(reader(serializer), request.query_params.dict())


def _checked(read: Callable[[Any], Any], given: Any) -> Any:
    if given is None:
        # What a field says of a null speaks of a field, and here there is none.
        raise exceptions.ValidationError(
            {"non_field_errors": [_("The body must be a JSON object.")]}, code="null"
        )
    return read(given)
