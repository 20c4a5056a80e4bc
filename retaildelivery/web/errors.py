"""The one shape of an API error (RFC 9457 problem details), made in one place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db.utils import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import defaults
from rest_framework import exceptions, status
from rest_framework.response import Response

from retaildelivery.lib.refusals import Refused

_PLACES = re.compile(r"%\(\w+\)[sd]")
MEDIA_TYPE = "application/problem+json"
# Where programs ask and never people: our API, and the doors in other services' shapes (deliveries/dialects).
MACHINES = re.compile(r"/(api/v1|drive/v2|oauth/v2|v1/customers|shopify|pictures)/")

# Status of each refusal's code; a refusal not named here is a conflict with the present state: 409.
STATUS: dict[str, int] = {
    "unknown_label": 422,
    "wrong_stop": 422,
    "wrong_pin": 422,
    "wrong_driver_code": 422,
    "wrong_desk_code": 422,
    "wrong_rescuer_code": 422,
    "stops_differ": 422,
    "stops_not_left": 422,
    "splits_nothing": 422,
    "proof_incomplete": 422,
    "position_needed": 422,
    "outside_geofence": 422,
    "stand_by_hours": 422,
    "stand_by_too_far": 422,
    "stand_by_not_approved": 403,
    "not_late": 422,
    "eta_too_late": 422,
    "receiver_unknown": 422,
    "hand_over_to_yourself": 422,
    "not_serviceable": 422,
    "cannot_deliver": 422,
    "location_unknown": 422,
    "no_prices": 422,
    "quote_mismatch": 422,
    "promise_invalid": 422,
    "quote_not_found": 404,
    "pickup_unknown": 422,
    "customer_not_found": 404,
    "times_wrong": 422,
    "tip_too_high": 400,
    "nothing_kept": 404,
    "slot_unknown": 404,
    "hold_not_found": 404,
    "invalid_window": 422,
    "validation_error": 400,
    "unknown_cursor": 404,
    "event_not_found": 404,
    "event_unknown": 422,
    "url_refused": 422,
    "push_endpoint_refused": 422,
    "push_keys_refused": 422,
    "standing_event_not_found": 404,
    "appeal_text_missing": 422,
    "reason_missing": 422,
    "empty_range": 422,
    "too_many_messages": 422,
    "order_not_found": 404,
    "stop_not_found": 404,
    "driver_not_found": 404,
    "file_too_large": 413,
    "picture_refused": 422,
    "note_invalid": 422,
    "unknown_reason": 422,
    "unknown_kind": 422,
    "parcel_not_here": 422,
    "key_of_one_store": 403,
    "idempotency_key_malformed": 400,
    "test_keys_only": 403,
    "live_keys_only": 403,
    "clock_runs_forward": 422,
    "clock_too_far": 422,
    "clock_out_of_range": 422,
    "scope_missing": 403,
    "address_not_allowed": 403,
    "network_unknown": 422,
    "too_many_networks": 422,
    "too_many_tries": 429,
    "routing_invalid": 422,
    "tin_invalid": 422,
    "tin_of_another_kind": 422,
    "not_certified": 422,
    "account_number_invalid": 422,
    "connected_account_invalid": 422,
    "provider_off": 422,
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
    """The body of an error: title and detail as the RFC has them, the rest for programs."""
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
            if key == "non_field_errors":
                yield from _flatten(value, path)
            elif isinstance(key, int):
                yield from _flatten(value, f"{path}[{key}]")
            else:
                yield from _flatten(value, f"{path}.{key}".lstrip("."))
    elif isinstance(detail, list):
        for place, value in enumerate(detail):
            nested = isinstance(value, Mapping | list)
            yield from _flatten(value, f"{path}[{place}]" if nested else path)
    else:
        yield {"field": path, "code": str(getattr(detail, "code", "invalid")), "message": str(detail)}


def handle(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Django REST framework's exception handler. What nobody expected goes on, is logged, becomes a 500."""
    request = context.get("request")
    inner = getattr(request, "_request", request)
    found = _refused(exc, inner) or _invalid(exc, inner) or _denied(exc, inner) or _generic(exc, inner)
    if found is None:
        return None
    headers: dict[str, str] = {}
    if found["status"] == status.HTTP_401_UNAUTHORIZED:
        headers["WWW-Authenticate"] = getattr(exc, "auth_header", "Bearer")
    if isinstance(exc, exceptions.Throttled) and exc.wait is not None:
        headers["Retry-After"] = str(int(exc.wait) + 1)
    if found["status"] in RETRY_AFTER:
        headers.setdefault("Retry-After", RETRY_AFTER[found["status"]])
    return Response(found, status=found["status"], headers=headers, content_type=MEDIA_TYPE)


def _refused(exc: Exception, request: HttpRequest | None) -> dict[str, Any] | None:
    if not isinstance(exc, Refused):
        return None
    # A refusal may name several fields at once, as the check of an order's draft does.
    many = getattr(exc, "errors", None)
    fields = [{"field": e.field, "code": e.code, "message": str(e.message)} for e in many or ()]
    if not many and exc.field:
        fields = [{"field": exc.field, "code": exc.code, "message": exc.message}]
    return problem(
        request,
        code=exc.code,
        message=summary(fields) if many else exc.message,
        status=STATUS.get(exc.code, status.HTTP_409_CONFLICT),
        field_errors=fields,
        reason=exc.reason,
        retryable=exc.retryable,
    )


def _invalid(exc: Exception, request: HttpRequest | None) -> dict[str, Any] | None:
    if not isinstance(exc, exceptions.ValidationError):
        return None
    fields = list(_flatten(exc.detail))
    return problem(
        request,
        code="validation_error",
        message=summary(fields),
        status=status.HTTP_400_BAD_REQUEST,
        field_errors=fields,
    )


def named(field: str) -> Any:
    """For ``raise Http404(named("store"))``: what is not there was named in this field of a body or query."""
    return {"field": field}


def _denied(exc: Exception, request: HttpRequest | None) -> dict[str, Any] | None:
    if isinstance(exc, Http404 | exceptions.NotFound):
        sentence = _("There is no such thing here, or it is not yours.")
        where = exc.args[0] if exc.args and isinstance(exc.args[0], dict) else {}
        return problem(
            request,
            code="not_found",
            message=sentence,
            status=status.HTTP_404_NOT_FOUND,
            field_errors=[
                {"field": field, "code": "not_found", "message": sentence} for field in where.values()
            ],
        )
    if isinstance(exc, PermissionDenied):
        return problem(
            request,
            code="permission_denied",
            message=_("You may not do this."),
            status=status.HTTP_403_FORBIDDEN,
        )
    return None


def _generic(exc: Exception, request: HttpRequest | None) -> dict[str, Any] | None:
    if isinstance(exc, exceptions.APIException):
        code = str(getattr(exc.detail, "code", exc.default_code))
        return problem(request, code=code, message=str(exc.detail), status=exc.status_code)
    if isinstance(exc, RequestDataTooBig):
        return problem(
            request,
            code="body_too_large",
            message=_("The body is too large."),
            status=status.HTTP_413_REQUEST_ENTITY_TOO_LARGE,
        )
    if isinstance(exc, OperationalError) and is_busy(exc):
        return problem(
            request,
            code="busy",
            message=_("Too many are at this at once. Try again."),
            status=status.HTTP_503_SERVICE_UNAVAILABLE,
            retryable=True,
        )
    return None


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


# What the edge itself says, beside the refusals of the verbs: code, status and the sentence of the page.
OF_THE_EDGE: tuple[tuple[str, int, Any], ...] = (
    (
        "validation_error",
        400,
        gettext_lazy("A field is missing, malformed or unknown; `field_errors` names each."),
    ),
    ("malformed_json", 400, gettext_lazy("The body is not JSON as it can be read in one way only.")),
    ("bad_request", 400, gettext_lazy("The request could not be read.")),
    ("not_authenticated", 401, gettext_lazy("No key came with the request.")),
    ("invalid_key", 401, gettext_lazy("The key is unknown, expired or revoked.")),
    ("invalid_token", 401, gettext_lazy("The driver's token is unknown or was revoked.")),
    ("permission_denied", 403, gettext_lazy("Who asks may not do this.")),
    ("scope_missing", 403, gettext_lazy("The key lacks the scope that this needs.")),
    ("not_found", 404, gettext_lazy("There is no such thing, or it is somebody else's.")),
    ("method_not_allowed", 405, gettext_lazy("This address does not take this method.")),
    ("body_too_large", 413, gettext_lazy("The body is too large.")),
    ("unsupported_media_type", 415, gettext_lazy("Send the body as application/json.")),
    ("throttled", 429, gettext_lazy("Too many requests; `Retry-After` says when to go on.")),
    ("server_error", 500, gettext_lazy("Something broke on our side. It was noted.")),
    ("busy", 503, gettext_lazy("Too many are at this at once; try again.")),
)


@dataclass(frozen=True, slots=True)
class Explained:
    """One code of the registry."""

    code: str
    status: int
    sentence: str
    retryable: bool


def _refusals(kind: type[Refused]) -> Iterator[type[Refused]]:
    for below in kind.__subclasses__():
        yield below
        yield from _refusals(below)


def registry() -> list[Explained]:
    """Every code an error may carry, by name: those of the edge and one per refusal of the verbs."""
    found = {
        kind.code: Explained(
            kind.code,
            STATUS.get(kind.code, 409),
            _PLACES.sub("…", str(kind.sentence)),
            kind.retryable or STATUS.get(kind.code, 409) in RETRY_AFTER,
        )
        for kind in _refusals(Refused)
        # The base of a module's refusals is never raised itself.
        if not (kind.code.endswith("_refused") and kind.__subclasses__())
    }
    for code, state, sentence in OF_THE_EDGE:
        found[code] = Explained(code, state, str(sentence), state in RETRY_AFTER)
    return [found[code] for code in sorted(found)]


def wants_json(request: HttpRequest) -> bool:
    return MACHINES.match(request.path) is not None


def refusal(request: HttpRequest, refused: Refused) -> JsonResponse:
    """A refusal as `handle` answers it, for an edge that is not Django REST framework's."""
    body = _refused(refused, request)
    assert body is not None
    return JsonResponse(body, status=body["status"], content_type=MEDIA_TYPE)


def _as_json(request: HttpRequest, code: str, message: str, state: int) -> JsonResponse:
    body = problem(request, code=code, message=message, status=state)
    return JsonResponse(body, status=state, content_type=MEDIA_TYPE)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """`handler400` of the URLs."""
    if wants_json(request):
        return _as_json(request, "bad_request", _("The request could not be read."), 400)
    return defaults.bad_request(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """`handler403` of the URLs."""
    if wants_json(request):
        return _as_json(request, "permission_denied", _("You may not do this."), 403)
    return defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """`handler404` of the URLs."""
    if wants_json(request):
        return _as_json(request, "not_found", _("There is no such thing here, or it is not yours."), 404)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """`handler500` of the URLs. A view whose clients expect another shape leaves `broken` on the request: it takes
    a problem and gives status and body."""
    translated = getattr(request, "broken", None)
    if translated is not None:
        told = problem(
            request, code="server_error", message=_("Something broke on our side. It was noted."), status=500
        )
        state, body = translated(told)
        return JsonResponse(body, status=state)
    if wants_json(request):
        return _as_json(request, "server_error", _("Something broke on our side. It was noted."), 500)
    return defaults.server_error(request)
