"""How much each caller may ask per minute, counted in Redis; without Redis each process counts for itself."""

from __future__ import annotations

import contextlib
import hashlib
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
local used = redis.call('INCRBY', KEYS[1], ARGV[2])
if used == tonumber(ARGV[2]) then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return {used, #KEYS > 1 and redis.call('MGET', unpack(KEYS, 2)) or {}}
"""
_COUNT_SHA = hashlib.sha1(_COUNT.encode()).hexdigest()  # noqa: S324 -- how Redis names scripts


@dataclass(slots=True)
class _Taken:
    """What this process has taken of a caller's budget in the running period: how often it asked, what was taken by
    all after the last time, and how many it still has in hand."""

    asked: int = 0
    by_all: int = 0
    left: int = 0


class _Counters:
    """Counts of the running period. Redis is shared by all processes; when it is away the counts of this
    process stand in, so that a lost cache neither locks callers out nor opens the door wide.

    Of who asks often a process takes several requests at once, as long as the half of the budget is not spent; the
    other half is counted one by one, so that the end of it is where it should be."""

    def __init__(self) -> None:
        self._client: ThreadsOwn | None = None
        self._away_until = 0.0
        self._lock = threading.Lock()
        self._period = 0
        self._local: dict[str, int] = {}
        self._taken: dict[str, _Taken] = {}

    def add(self, caller: str, period: int, *, limit: int) -> int:
        """Count one; how many that makes, as far as this process knows."""
        with self._lock:
            self._turn(period)
            taken = self._taken.setdefault(caller, _Taken())
            if taken.left:
                taken.left -= 1
                return taken.by_all - taken.left
            often = taken.asked >= limits.TAKEN_SINGLY
            number = limits.TAKEN_AT_ONCE if often and taken.by_all < limit // 2 else 1
        if time.monotonic() >= self._away_until:
            try:
                by_all = int(self._count(f"budget:{caller}:{period}", number=number)[0])
            except redis.RedisError as error:
                self._away_until = time.monotonic() + limits.REDIS_PAUSE.total_seconds()
                log.warning("throttling.redis_away", reason=str(error))
            else:
                return self._note(taken, by_all, number)
        return self._here(caller)

    def _note(self, taken: _Taken, by_all: int, number: int) -> int:
        with self._lock:
            taken.asked += 1
            # Another thread may have asked meanwhile.
            taken.by_all = max(taken.by_all, by_all)
            taken.left += number - 1
            return taken.by_all - taken.left

    def add_and_read(self, caller: str, period: int, keys: Sequence[str]) -> tuple[int, list[bytes | None]]:
        """Count one and read these keys in the same trip. Raises RedisError."""
        used, values = self._count(f"budget:{caller}:{period}", *keys)
        return int(used), values

    def _count(self, *keys: str, number: int = 1) -> Any:
        if self._client is None:
            self._client = ThreadsOwn.from_url(
                settings.REDIS_URL, socket_connect_timeout=0.5, socket_timeout=0.5
            )
        given = len(keys), *keys, PERIOD * 2, number
        try:
            return self._client.execute_command("EVALSHA", _COUNT_SHA, *given)
        except redis.exceptions.NoScriptError:
            # A server that was started anew knows none; it keeps what it was sent once.
            return self._client.execute_command("EVAL", _COUNT, *given)

    def _here(self, caller: str) -> int:
        with self._lock:
            self._local[caller] = self._local.get(caller, 0) + 1
            return self._local[caller]

    def _turn(self, period: int) -> None:
        if period != self._period:
            self._period, self._local, self._taken = period, {}, {}


counters = _Counters()


def take(caller: str, *, limit: int, now: float) -> Budget:
    """Count one request of this caller; `now` is seconds since the epoch."""
    period, passed = divmod(int(now), PERIOD)
    used = counters.add(caller, period, limit=limit)
    return Budget(limit=limit, remaining=max(0, limit - used), reset=PERIOD - passed, spent=used > limit)


def count(request: HttpRequest | Request, caller: str, *, limit: int | None = None) -> Budget:
    """`take` for a request, once however many ways of answering it are tried; `limit` is `API_REQUESTS_PER_MINUTE` for
    who is known."""
    counted: Any = getattr(request, "counted", None)
    if counted is None or counted[0] != caller:
        budget = take(caller, limit=limit or settings.API_REQUESTS_PER_MINUTE, now=time.time())
        counted = caller, budget
        request.counted = counted  # type: ignore[union-attr]
    found: Budget = counted[1]
    return found


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
