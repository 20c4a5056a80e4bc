"""Whether a feed has changed, without asking the database: a word in the cache that every change replaces.

A word is replaced after the commit, so a reader who takes the word first and the rows second never keeps rows
that are older than the word says. A market's word lives a minute, a driver's five: should a process die between commit
and replacement, or the cache be emptied, feeds are read anew within that time.
"""

from __future__ import annotations

import pickle
from collections.abc import Collection, Sequence

import structlog
from django.core.cache import cache
from redis.exceptions import RedisError

from drivers import freshness
from offers import limits

log = structlog.get_logger(__name__)


DRIVER_LASTS_S = freshness.LASTS_S
_LASTS_S = int(limits.MARKET_WORD_LASTS.total_seconds())


def _market(code: str) -> str:
    return f"offers:fresh:market:{code}"


def touch(market_code: str) -> None:
    """Offers of this market have changed, once the running transaction commits."""
    freshness.replace(_market(market_code), lasts_s=_LASTS_S)


def touch_driver(driver_id: int) -> None:
    """This driver's own view has changed, once the running transaction commits."""
    freshness.touch(driver_id)


def touch_all(*, market_codes: Collection[str], driver_ids: Collection[int]) -> None:
    """`touch` and `touch_driver` for many, in one trip."""
    for code in market_codes:
        touch(code)
    for driver_id in driver_ids:
        touch_driver(driver_id)


def keys(*, market_code: str, driver_id: int) -> list[str]:
    """Under which names Redis holds the words of this driver's feed, for who reads more in the same trip."""
    return [cache.make_key(_market(market_code)), cache.make_key(freshness.key(driver_id))]


def version_in(values: Sequence[bytes | None]) -> str:
    """The word made of what Redis holds under `keys`; "" when one of them is missing."""
    if any(value is None for value in values):
        return ""
    # Written by this process's own cache, as it writes all that is not a number.
    return "-".join(pickle.loads(value) for value in values if value is not None)  # noqa: S301


def version(*, market_code: str, driver_id: int) -> str:
    """The word for this driver's feed, or "" when the cache is away and nothing can be said.

    Take it before reading the rows.
    """
    lasts_s = {_market(market_code): _LASTS_S, freshness.key(driver_id): freshness.LASTS_S}
    try:
        words = cache.get_many(lasts_s)
        if len(words) < len(lasts_s):
            words = cache.get_many_or_set(  # type: ignore[attr-defined]
                {key: (freshness.new_word(), seconds) for key, seconds in lasts_s.items()}
            )
    except RedisError as failure:
        log.warning("offers.cache_away", reason=str(failure))
        return ""
    return "-".join(str(words[key]) for key in lasts_s)


def market_word(version: str) -> str:
    """The part of a version that is the market's; "" of ""."""
    return version.partition("-")[0]


def driver_word(version: str) -> str:
    """The part of a version that is the driver's; "" of ""."""
    return version.partition("-")[2]
