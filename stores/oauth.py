"""OAuth 2.0 for sellers' systems that expect it: a key is exchanged for a token that lasts an hour (RFC 6749, 4.4).

The client id is the key's prefix and the client secret the key itself, so there is nothing more to keep, rotate or
revoke: a token is a signed name of the key and the scopes asked for, and dies with the key. The library `oauthlib`
reads the request and words its errors.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core import signing
from oauthlib.oauth2 import BackendApplicationServer, RequestValidator

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

    def __init__(self, *, address: str, at: dt.datetime) -> None:
        self._address, self._at = address, at

    def authenticate_client(self, request: Any, *_args: Any, **_named: Any) -> bool:
        found = keys.find(request.client_secret or "", at=self._at)
        if found is None or found.prefix != request.client_id or not keys.admits(found, self._address):
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


def answer(*, url: str, form: str, address: str, at: dt.datetime) -> tuple[dict[str, str], str, int]:
    """Headers, body and status for a request for a token; `form` is its body with client id and secret in it."""
    server = BackendApplicationServer(
        _Validator(address=address, at=at),
        token_generator=lambda request, refresh_token=False: token_of(request.key, list(request.scopes)),
        token_expires_in=int(limits.TOKEN_LASTS.total_seconds()),
    )
    headers, body, status = server.create_token_response(url, "POST", form, {})
    return headers, body, status
