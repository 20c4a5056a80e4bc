"""The one page of OAuth: a key goes in, a token comes out."""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import unquote_plus

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from retaildelivery.web import throttling
from stores import limits, oauth

SPENT = '{"error": "temporarily_unavailable", "error_description": "Too many requests."}'


@csrf_exempt
@require_POST
def token(request: HttpRequest) -> HttpResponse:
    """`grant_type=client_credentials` in, an access token out; client id and secret by HTTP Basic or in the body."""
    return answered(request, request.POST.copy())


def answered(request: HttpRequest, given: QueryDict) -> HttpResponse:
    """The answer to a request for a token, with `given` for what its body says."""
    at, address = timezone.now(), throttling.address_of(request)
    budget = throttling.take(f"oauth:{address}", limit=limits.TOKENS_PER_MINUTE, now=at.timestamp())
    if budget.spent:
        headers, body, status = {"Retry-After": str(budget.reset)}, SPENT, 429
    else:
        _take_basic(request.headers.get("Authorization", ""), given)
        headers, body, status = oauth.answer(
            url=request.build_absolute_uri(), form=given.urlencode(), address=address, at=at
        )
    said = {"Content-Type": "application/json", **headers, "Cache-Control": "no-store"}
    return HttpResponse(body, status=status, headers=said)


def _take_basic(header: str, given: Any) -> None:
    """Client id and secret as RFC 6749 section 2.3.1 lets clients send them."""
    scheme, _space, value = header.partition(" ")
    if scheme.lower() != "basic":
        return
    try:
        client_id, _colon, client_secret = base64.b64decode(value).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return
    given["client_id"], given["client_secret"] = unquote_plus(client_id), unquote_plus(client_secret)
