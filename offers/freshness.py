"""Whether a feed has changed, without asking the database: a word in the cache that every change replaces.

A word is replaced after the commit, so a reader who takes the word first and the rows second never keeps rows
that are older than the word says. A word lives a minute: should a process die between commit and replacement,
or the cache be emptied, feeds are read anew within that time.
"""

from __future__ import annotations

import pickle
from collections.abc import Collection, Sequence

import structlog
from django.core.cache import cache
from redis.exceptions import RedisError

from drivers import freshness

log = structlog.get_logger(__name__)


def _market(code: str) -> str:
    return f"offers:fresh:market:{code}"


def touch(market_code: str) -> None:
    """Offers of this market have changed, once the running transaction commits."""
    freshness.replace(_market(market_code))


def touch_driver(driver_id: int) -> None:
    """This driver's own view has changed, once the running transaction commits."""
    freshness.touch(driver_id)


def touch_all(*, market_codes: Collection[str], driver_ids: Collection[int]) -> None:
    """`touch` and `touch_driver` for many, in one trip."""
    for key in [*map(_market, market_codes), *map(freshness.key, driver_ids)]:
        freshness.replace(key)


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
    keys = [_market(market_code), freshness.key(driver_id)]
    try:
        words = cache.get_many(keys)
        if len(words) < len(keys):
            words = cache.get_many_or_set(  # type: ignore[attr-defined]
                {key: freshness.new_word() for key in keys}, timeout=freshness.LASTS_S
            )
    except RedisError as failure:
        log.warning("offers.cache_away", reason=str(failure))
        return ""
    return "-".join(str(words[key]) for key in keys)


def market_word(version: str) -> str:
    """The part of a version that is the market's; "" of ""."""
    return version.partition("-")[0]


def driver_word(version: str) -> str:
    """The part of a version that is the driver's; "" of ""."""
    return version.partition("-")[2]
