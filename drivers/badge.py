"""The code a driver reads aloud at the counter: six digits that change every minute (RFC 6238). Pure."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac

from drivers import limits

DIGITS = 6


def _step(at: dt.datetime) -> int:
    return int(at.timestamp() // limits.BADGE_STEP.total_seconds())


def _code(secret: str, step: int) -> str:
    digest = hmac.new(secret.encode(), step.to_bytes(8, "big"), hashlib.sha256).digest()
    # The dynamic truncation of RFC 4226, section 5.3.
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def code(secret: str, at: dt.datetime) -> str:
    """The digits that hold at this moment."""
    return _code(secret, _step(at))


def matches(secret: str, entered: str, at: dt.datetime) -> bool:
    """Whether these are the digits of now or of a step before; spaces and dashes do not matter."""
    digits = "".join(sign for sign in entered if sign.isascii() and sign.isdigit())
    if len(digits) != DIGITS:
        return False
    now = _step(at)
    return any(
        hmac.compare_digest(_code(secret, now - back), digits) for back in range(limits.BADGE_SKEW_STEPS + 1)
    )
