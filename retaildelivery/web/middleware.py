"""What every request gets: an id that is in its answer, its log lines and its errors; and what none gets past."""

from __future__ import annotations

import re
from collections.abc import Callable

import structlog
from django.http import Http404, HttpRequest, HttpResponse

from retaildelivery.lib import codes
from retaildelivery.web import errors

SANE = re.compile(r"[A-Za-z0-9_.:-]{8,80}")


class RequestIdMiddleware:
    """Takes the caller's X-Request-Id when it is sane, else makes one; answers with it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-Id", "")
        request_id = given if SANE.fullmatch(given) else "req_" + codes.new_code(length=16).lower()
        request.request_id = request_id  # type: ignore[attr-defined]
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
        response["X-Request-Id"] = request_id
        return response


class NoNulInPath:
    """An address with a NUL is of nothing: no column can hold what it names, and the database would break on it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.path_info:
            return errors.not_found(request, Http404())
        return self.get_response(request)
