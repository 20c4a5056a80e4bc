"""A word in the cache that stands for how one driver is: it is replaced after each change of theirs, and ends by itself
within `limits.WORD_LASTS`. Who keeps what was read of a driver asks by it whether that is still so."""

from __future__ import annotations

import structlog
from django.core.cache import cache
from django.db import transaction
from redis.exceptions import RedisError

from drivers import limits
from retaildelivery.lib import codes

log = structlog.get_logger(__name__)

LASTS_S = int(limits.WORD_LASTS.total_seconds())


def key(driver_id: int) -> str:
    """Under which name the cache holds the word."""
    return f"drivers:fresh:{driver_id}"


def touch(driver_id: int) -> None:
    """This driver has changed, once the running transaction commits."""
    transaction.on_commit(lambda: replace(key(driver_id)), robust=True)


def new_word() -> str:
    return codes.new_code(length=12)


def replace(*names: str) -> None:
    """Put new words under these names, in one trip."""
    try:
        cache.set_many({name: new_word() for name in names}, timeout=LASTS_S)
    except RedisError as failure:
        # The words end by themselves within the minute.
        log.warning("drivers.cache_away", keys=names, reason=str(failure))
