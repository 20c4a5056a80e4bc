"""What every request gets: an id that is in its answer, its log lines and its errors."""

from __future__ import annotations

import re
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

from retaildelivery.lib import codes

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
