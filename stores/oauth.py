"""OAuth 2.0 for sellers' systems that expect it: a key is exchanged for a token that lasts an hour (RFC 6749, 4.4).

The client id is the key's prefix and the client secret the key itself, so there is nothing more to keep, rotate or
revoke: a token is a signed name of the key and the scopes asked for, and dies with the key. The library `oauthlib`
reads the request and words its errors.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import unquote_plus

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from oauthlib.oauth2 import BackendApplicationServer, RequestValidator

from retaildelivery.web import throttling
from stores import keys, limits
from stores.models import ApiKey

PREFIX = "oat_"
SALT = "stores.oauth.access"


def token_of(key: ApiKey, scopes: list[str]) -> str:
    """A token for these of the key's scopes, from now on."""
    return PREFIX + signing.dumps({"key": key.prefix, "scopes": sorted(scopes)}, salt=SALT, compress=True)


def read(token: str) -> tuple[str, frozenset[str]] | None:
    """The prefix of its key, and its scopes; None when it is not one of ours, or too old."""
    try:
        said = signing.loads(token.removeprefix(PREFIX), salt=SALT, max_age=limits.TOKEN_LASTS)
    except signing.BadSignature:
        return None
    return said["key"], frozenset(said["scopes"])


class _Validator(RequestValidator):  # type: ignore[misc]
    """Who the client is, and what it may ask for."""

    def authenticate_client(self, request: Any, *_args: Any, **_named: Any) -> bool:
        found = keys.find(request.client_secret or "", at=timezone.now())
        if found is None or found.prefix != request.client_id:
            return False
        if not keys.admits(found, request.headers["X-Client-Address"]):
            return False
        request.client = request.key = found
        found.client_id = found.prefix  # type: ignore[attr-defined]
        return True

    def validate_grant_type(self, _client_id: Any, grant_type: str, *_args: Any, **_named: Any) -> bool:
        return grant_type == "client_credentials"

    def get_default_scopes(self, _client_id: Any, request: Any, *_args: Any, **_named: Any) -> list[str]:
        return list(request.key.scopes)

    def validate_scopes(
        self, _client_id: Any, scopes: list[str], _client: Any, request: Any, *_args: Any, **_named: Any
    ) -> bool:
        return set(scopes) <= set(request.key.scopes)

    def save_bearer_token(self, *_args: Any, **_named: Any) -> None:
        """Nothing is kept: the token carries its own proof."""


_server = BackendApplicationServer(
    _Validator(),
    token_generator=lambda request, refresh_token=False: token_of(request.key, list(request.scopes)),
    token_expires_in=int(limits.TOKEN_LASTS.total_seconds()),
)


@csrf_exempt
@require_POST
def token(request: HttpRequest) -> HttpResponse:
    """`grant_type=client_credentials` in, an access token out; client id and secret by HTTP Basic or in the body."""
    address = throttling.address_of(request)
    budget = throttling.take(
        f"oauth:{address}", limit=limits.TOKENS_PER_MINUTE, now=timezone.now().timestamp()
    )
    if budget.spent:
        return HttpResponse(
            '{"error": "temporarily_unavailable", "error_description": "Too many requests."}',
            status=429,
            content_type="application/json",
            headers={"Retry-After": str(budget.reset), "Cache-Control": "no-store"},
        )
    headers = {"Authorization": request.headers.get("Authorization", ""), "X-Client-Address": address}
    given = request.POST.copy()
    if not headers["Authorization"]:
        del headers["Authorization"]
    else:
        _take_basic(headers["Authorization"], given)
    said, body, status = _server.create_token_response(
        request.build_absolute_uri(), "POST", given.urlencode(), headers
    )
    return HttpResponse(body, status=status, headers={**said, "Cache-Control": "no-store"})


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
