"""How much each caller may ask per minute, counted in Redis; without Redis each process counts for itself."""

from __future__ import annotations

import contextlib
import ipaddress
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redis
import structlog
from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

from retaildelivery.redisline import ThreadsOwn
from retaildelivery.web import limits

log = structlog.get_logger(__name__)

PERIOD = int(limits.BUDGET_PERIOD.total_seconds())


@dataclass(frozen=True, slots=True)
class Budget:
    """What a caller has left: `limit` requests a period, `remaining` of them, `reset` seconds to the next."""

    limit: int
    remaining: int
    reset: int
    spent: bool

    @property
    def headers(self) -> dict[str, str]:
        """Both spellings: the IETF draft's, and the older one that clients of other services look for."""
        limit, remaining = str(self.limit), str(self.remaining)
        return {
            "RateLimit-Limit": limit,
            "RateLimit-Remaining": remaining,
            "RateLimit-Reset": str(self.reset),
            "X-RateLimit-Limit": limit,
            "X-RateLimit-Remaining": remaining,
        }


# One command where a client would send three, each of which costs it as much as this.
_COUNT = """
local used = redis.call('INCR', KEYS[1])
if used == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return {used, #KEYS > 1 and redis.call('MGET', unpack(KEYS, 2)) or {}}
"""


class _Counters:
    """Counts of the running period. Redis is shared by all processes; when it is away the counts of this
    process stand in, so that a lost cache neither locks callers out nor opens the door wide."""

    def __init__(self) -> None:
        self._script: Any = None
        self._away_until = 0.0
        self._lock = threading.Lock()
        self._period = 0
        self._local: dict[str, int] = {}

    def add(self, caller: str, period: int) -> int:
        if time.monotonic() >= self._away_until:
            try:
                return self._in_redis(f"budget:{caller}:{period}")
            except redis.RedisError as error:
                self._away_until = time.monotonic() + limits.REDIS_PAUSE.total_seconds()
                log.warning("throttling.redis_away", reason=str(error))
        return self._here(caller, period)

    def _in_redis(self, key: str) -> int:
        return int(self._count()(keys=[key], args=[PERIOD * 2])[0])

    def add_and_read(self, caller: str, period: int, keys: Sequence[str]) -> tuple[int, list[bytes | None]]:
        """Count one and read these keys in the same trip. Raises RedisError."""
        used, values = self._count()(keys=[f"budget:{caller}:{period}", *keys], args=[PERIOD * 2])
        return int(used), values

    def _count(self) -> Any:
        if self._script is None:
            client = ThreadsOwn.from_url(settings.REDIS_URL, socket_connect_timeout=0.5, socket_timeout=0.5)
            self._script = client.register_script(_COUNT)
        return self._script

    def _here(self, caller: str, period: int) -> int:
        with self._lock:
            if period != self._period:
                self._period, self._local = period, {}
            self._local[caller] = self._local.get(caller, 0) + 1
            return self._local[caller]


counters = _Counters()


def take(caller: str, *, limit: int, now: float) -> Budget:
    """Count one request of this caller; `now` is seconds since the epoch."""
    period, passed = divmod(int(now), PERIOD)
    used = counters.add(caller, period)
    return Budget(limit=limit, remaining=max(0, limit - used), reset=PERIOD - passed, spent=used > limit)


def take_and_read(
    caller: str, *, limit: int, now: float, keys: Sequence[str]
) -> tuple[Budget, list[bytes | None]]:
    """`take`, and what Redis holds under these keys, in one trip. Raises RedisError when Redis is away."""
    period, passed = divmod(int(now), PERIOD)
    used, values = counters.add_and_read(caller, period, keys)
    return Budget(limit, max(0, limit - used), PERIOD - passed, used > limit), values


def address_of(request: HttpRequest | Request) -> str:
    """Where the request came from; behind a proxy of ours, what that proxy says (the last of the chain)."""
    address = str(request.META.get("REMOTE_ADDR", ""))
    if settings.SECURE_PROXY_SSL_HEADER:
        chain = str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",")
        with contextlib.suppress(ValueError):
            address = str(ipaddress.ip_address(chain[-1].strip()))
    return address


def caller_of(request: Request) -> str:
    """Whose budget a request spends, and whose idempotency keys it may use.

    An authentication may put an object with a `caller` text on ``request.auth``; else it is the person who
    is signed in, else the address.
    """
    caller = getattr(request.auth, "caller", "")
    if caller:
        return str(caller)
    user: Any = request.user
    if user is not None and user.is_authenticated:
        return f"user:{user.pk}"
    return f"address:{address_of(request)}"
