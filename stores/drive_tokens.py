"""The tokens of Drive-shaped clients: a JWT that the caller signs itself, HS256, `dd-ver: DD-JWT-V1`."""

from __future__ import annotations

import base64
import datetime as dt
from typing import Any

import jwt

from stores import limits, sealing
from stores.authentication import ApiKeyAuthentication
from stores.models import ApiKey

VERSION = "DD-JWT-V1"
AUDIENCE = "doordash"


def developer_id(key: ApiKey) -> str:
    """What the caller puts as `iss`: whose key it is."""
    return key.seller.code


def key_of(token: str, *, at: dt.datetime) -> ApiKey | None:
    """The live key that signed this token for the present; None for every other token."""
    try:
        header = jwt.get_unverified_header(token)
        named = jwt.decode(token, options={"verify_signature": False})
        # The client's own library puts `kid` among the claims, other people's where the RFC has it.
        kid = named.get("kid", header.get("kid"))
        if header.get("dd-ver") != VERSION or not isinstance(kid, str) or not kid.isprintable():
            return None
        key = ApiKey.objects.live(at).filter(prefix=kid).select_related("seller", "signing").first()  # type: ignore[attr-defined]
        if key is None or not hasattr(key, "signing"):
            return None
        claims = jwt.decode(
            token,
            _secret(key),
            algorithms=["HS256"],
            audience=AUDIENCE,
            issuer=developer_id(key),
            # The time is checked below: by the clock of the request, and with an upper bound.
            options={"require": ["exp"], "verify_exp": False, "verify_iat": False, "verify_nbf": False},
        )
    except jwt.InvalidTokenError:
        return None
    found: ApiKey = key
    return found if _lives(claims, at) else None


def _lives(claims: dict[str, Any], at: dt.datetime) -> bool:
    ends = claims["exp"]
    if not isinstance(ends, int | float) or isinstance(ends, bool):
        return False
    return 0 < ends - at.timestamp() <= limits.DRIVE_TOKEN.total_seconds()


def _secret(key: ApiKey) -> bytes:
    text = sealing.unseal(key.signing.sealed)  # type: ignore[attr-defined]
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class DriveTokenAuthentication(ApiKeyAuthentication):
    """`Authorization: Bearer <JWT>`."""

    def shown(self, secret: str, *, at: dt.datetime) -> tuple[ApiKey | None, frozenset[str] | None]:
        return key_of(secret, at=at), None
