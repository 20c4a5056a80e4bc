"""To how many drivers a block was shown, counted without slowing their feed down.

Showing sets the driver's bit in Redis, one trip for a whole feed; a sweep carries what is new into the database.
If Redis is emptied, those are lost who looked since the last sweep and never look again; if it is away, nobody is
counted meanwhile. A driver is counted once for each block, at however many prices they saw it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import cast

import redis
import structlog
from django.conf import settings
from django.db import transaction

from offers import limits, locks
from offers.models import Block, Offer
from retaildelivery.redisline import ThreadsOwn

log = structlog.get_logger(__name__)

_MARKED = "offers:seen:marked"
_COUNTER = "offers:seen:counter"
_LASTS_S = int(limits.SEEN_LASTS.total_seconds())
# What is marked gets a number that only grows, so that who carries it over takes no later mark away with it.
_NOTE = """
local number = false
for i = 3, #KEYS do
  if redis.call('SETBIT', KEYS[i], ARGV[1], 1) == 0 then
    number = number or redis.call('INCR', KEYS[2])
    redis.call('ZADD', KEYS[1], number, KEYS[i])
  end
  redis.call('EXPIRE', KEYS[i], ARGV[2])
end
"""


class _Store:
    """The connection of this process; one that failed is left alone for a moment, so that no feed waits for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._client: redis.Redis | None = None
        self._away_until = 0.0

    @property
    def client(self) -> redis.Redis:
        with self._lock:
            if self._client is None:
                self._client = ThreadsOwn.from_url(
                    settings.REDIS_URL, socket_connect_timeout=0.5, socket_timeout=0.5
                )
            return self._client

    def note(self, keys: list[str], driver_id: int) -> None:
        if time.monotonic() < self._away_until:
            return
        try:
            self.client.eval(_NOTE, len(keys) + 2, _MARKED, _COUNTER, *keys, driver_id, _LASTS_S)
        except redis.RedisError as failure:
            self._away_until = time.monotonic() + limits.SEEN_PAUSE.total_seconds()
            log.warning("offers.seen_not_noted", reason=str(failure))


_store = _Store()


def shown(offers: Iterable[Offer], *, to: int) -> None:
    """These offers were sent to the screen of the driver with this key. Costs one trip to Redis and no SQL;
    never fails."""
    keys = [_key(offer.block.code) for offer in offers if offer.status == Offer.Status.OPEN]
    if keys:
        _store.note(keys, to)


def flush() -> int:
    """Carry what is new into the database; returns how many blocks have a larger audience now. Harmless to repeat and
    to run twice at once. Raises RedisError when Redis is away."""
    marked = cast("list[tuple[bytes, float]]", _store.client.zrange(_MARKED, 0, -1, withscores=True))
    if not marked:
        return 0
    keys = [key.decode() for key, _number in marked]
    known = dict(Block.objects.filter(code__in=map(_code, keys)).values_list("code", "pk"))
    grown = 0
    for start in range(0, len(keys), limits.SWEEP_BATCH):
        some = keys[start : start + limits.SWEEP_BATCH]
        bits = cast("list[bytes | None]", _store.client.mget(some))
        for key, seen in zip(some, bits, strict=True):
            if seen and _code(key) in known:
                grown += keep(block_id=known[_code(key)], seen=seen)
    _store.client.zremrangebyscore(_MARKED, "-inf", marked[-1][1])
    return grown


@transaction.atomic(durable=True)
def keep(*, block_id: int, seen: bytes) -> bool:
    """Add the drivers of these bits to a block's audience; False when all of them were in it."""
    audience = locks.audience(block_id)
    if not audience.join(seen):
        return False
    audience.save(update_fields=["drivers", "count"])
    return True


def _key(block_code: str) -> str:
    return f"offers:seen:block:{block_code}"


def _code(key: str) -> str:
    return key.rpartition(":")[2]
