"""The one shape of an API error (RFC 9457 problem details), made in one place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied
from django.db.utils import OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from rest_framework import exceptions, status
from rest_framework.response import Response

from retaildelivery.lib.refusals import Refused

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"

# Status of each refusal's code; a refusal not named here is a conflict with the present state: 409.
STATUS: dict[str, int] = {
    "unknown_label": 422,
    "wrong_stop": 422,
    "wrong_pin": 422,
    "wrong_driver_code": 422,
    "wrong_desk_code": 422,
    "proof_incomplete": 422,
    "position_needed": 422,
    "outside_geofence": 422,
    "not_serviceable": 422,
    "invalid_window": 422,
    "too_many_tries": 429,
    "busy": 503,
}
RETRY_AFTER = {429: "60", 503: "2"}


def title_of(code: str) -> str:
    return code.replace("_", " ").capitalize()


def problem(
    request: HttpRequest | None,
    *,
    code: str,
    message: str,
    status: int,
    field_errors: list[dict[str, str]] | None = None,
    reason: str = "",
    retryable: bool = False,
) -> dict[str, Any]:
    """The body of an error. `code`, `message`, `field_errors`, `reason` for programs; title and detail by the RFC."""
    return {
        "type": f"/api/errors/#{code}",
        "title": title_of(code),
        "status": status,
        "detail": message,
        "code": code,
        "message": message,
        "field_errors": field_errors or [],
        "reason": reason,
        "request_id": getattr(request, "request_id", ""),
        "retryable": retryable or status in RETRY_AFTER,
    }


def _flatten(detail: Any, path: str = "") -> Iterator[dict[str, str]]:
    if isinstance(detail, Mapping):
        for key, value in detail.items():
            yield from _flatten(value, path if key == "non_field_errors" else f"{path}.{key}".lstrip("."))
    elif isinstance(detail, list):
        for place, value in enumerate(detail):
            nested = isinstance(value, Mapping | list)
            yield from _flatten(value, f"{path}[{place}]" if nested else path)
    else:
        yield {"field": path, "code": str(getattr(detail, "code", "invalid")), "message": str(detail)}


def handle(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Django REST framework's exception handler. Unexpected exceptions go on, to be logged and become a 500."""
    request = context.get("request")
    inner = getattr(request, "_request", request)
    headers: dict[str, str] = {}
    if isinstance(exc, Refused):
        code, message, state = exc.code, exc.message, STATUS.get(exc.code, 409)
        fields = [{"field": exc.field, "code": exc.code, "message": message}] if exc.field else []
        body = problem(
            inner,
            code=code,
            message=message,
            status=state,
            field_errors=fields,
            reason=exc.reason,
            retryable=exc.retryable,
        )
    elif isinstance(exc, exceptions.ValidationError):
        fields = list(_flatten(exc.detail))
        state = status.HTTP_400_BAD_REQUEST
        body = problem(
            inner, code="validation_error", message=summary(fields), status=state, field_errors=fields
        )
    elif isinstance(exc, Http404 | exceptions.NotFound):
        state = status.HTTP_404_NOT_FOUND
        body = problem(
            inner,
            code="not_found",
            message=_("There is no such thing here, or it is not yours."),
            status=state,
        )
    elif isinstance(exc, PermissionDenied):
        state = status.HTTP_403_FORBIDDEN
        body = problem(inner, code="permission_denied", message=_("You may not do this."), status=state)
    elif isinstance(exc, exceptions.APIException):
        state = exc.status_code
        code = str(getattr(exc.detail, "code", exc.default_code))
        body = problem(inner, code=code, message=str(exc.detail), status=state)
        if isinstance(exc, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
            headers["WWW-Authenticate"] = getattr(exc, "auth_header", "Bearer")
        if isinstance(exc, exceptions.Throttled) and exc.wait is not None:
            headers["Retry-After"] = str(int(exc.wait) + 1)
    elif isinstance(exc, OperationalError) and is_busy(exc):
        state = status.HTTP_503_SERVICE_UNAVAILABLE
        body = problem(
            inner,
            code="busy",
            message=_("Too many are at this at once. Try again."),
            status=state,
            retryable=True,
        )
    else:
        return None
    if state in RETRY_AFTER:
        headers.setdefault("Retry-After", RETRY_AFTER[state])
    return Response(body, status=state, headers=headers, content_type=MEDIA_TYPE)


def summary(fields: list[dict[str, str]]) -> str:
    """One sentence that names the first field at fault and how many more there are."""
    if not fields:
        return _("The request is not valid.")
    first = fields[0]
    text = f"{first['field']}: {first['message']}" if first["field"] else first["message"]
    return (
        text
        if len(fields) == 1
        else _("%(first)s (and %(count)d more)") % {"first": text, "count": len(fields) - 1}
    )


def is_busy(exc: OperationalError) -> bool:
    """A lock was not to be had in time, or PostgreSQL chose this transaction to end a deadlock."""
    return getattr(exc.__cause__, "pgcode", None) in {"55P03", "40P01", "57014"}


def wants_json(request: HttpRequest) -> bool:
    return re.match(r"^/api/", request.path) is not None


def not_found(request: HttpRequest) -> JsonResponse:
    body = problem(
        request, code="not_found", message=_("There is no such thing here, or it is not yours."), status=404
    )
    return JsonResponse(body, status=404, content_type=MEDIA_TYPE)


def server_error(request: HttpRequest) -> JsonResponse:
    body = problem(
        request, code="server_error", message=_("Something broke on our side. It was noted."), status=500
    )
    return JsonResponse(body, status=500, content_type=MEDIA_TYPE)
