"""A word in the cache that stands for how one driver is: it is replaced after each change of theirs, and ends by itself
within `limits.WORD_LASTS`. Who keeps what was read of a driver asks by it whether that is still so."""

from __future__ import annotations

from drivers import limits
from retaildelivery import rediscache
from retaildelivery.lib import codes

LASTS_S = int(limits.WORD_LASTS.total_seconds())


def key(driver_id: int) -> str:
    """Under which name the cache holds the word."""
    return f"drivers:fresh:{driver_id}"


def touch(driver_id: int) -> None:
    """This driver has changed, once the running transaction commits."""
    replace(key(driver_id))


def new_word() -> str:
    return codes.new_code(length=12)


def replace(name: str, *, lasts_s: int = LASTS_S) -> None:
    """A new word under this name, once the running transaction commits. If the cache is away, the old one ends by
    itself in so many seconds at most."""
    rediscache.put_after_commit(name, new_word(), timeout=lasts_s)
