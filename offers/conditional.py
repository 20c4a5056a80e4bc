"""A feed that has not changed is answered 304 without touching the database.

What an answer was made from (whose it is, by which credential, at which version) is kept in the cache under
its ETag for as long as a version lives. A request that brings the ETag and the same credential, while the
version is still the same, has seen everything there is. A revoked token learns nothing but that, and for a
minute at most.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.translation import get_language
from redis.exceptions import RedisError
from rest_framework.request import Request

from drivers.models import Driver
from offers import freshness, limits
from retaildelivery.lib import codes
from retaildelivery.web import throttling

log = structlog.get_logger(__name__)

_seen: OrderedDict[str, Known] = OrderedDict()
_LASTS_S = int(limits.FEED_VERSION_LASTS.total_seconds())


@dataclass(frozen=True, slots=True)
class Known:
    """What an ETag stands for."""

    driver_id: int
    user_id: int
    market_code: str
    credential: str
    version: str


def credential_of(request: HttpRequest | Request, kind: str) -> str:
    """A digest of what the request proves itself by, its language, and which representation is asked for."""
    secret = request.headers.get("Authorization") or request.COOKIES.get(settings.SESSION_COOKIE_NAME) or ""
    if not secret:
        return ""
    return hashlib.sha256(f"{kind}\n{get_language()}\n{secret}".encode()).hexdigest()


def unchanged(request: HttpRequest, *, kind: str) -> Known | None:
    """What is known of the ETag in the request, if nothing has changed since; else None."""
    known = _known(request, kind=kind)
    if known is None:
        return None
    now = freshness.version(market_code=known.market_code, driver_id=known.driver_id)
    return known if now and now == known.version else None


def polled(request: HttpRequest, *, kind: str) -> throttling.Budget | None:
    """`unchanged` for an app that polls, with its request counted in the same trip to Redis: the budget when nothing
    has changed and it is not spent, else None, and the long way counts for itself."""
    known = _known(request, kind=kind)
    if known is None:
        return None
    keys = freshness.keys(market_code=known.market_code, driver_id=known.driver_id)
    limit = settings.API_REQUESTS_PER_MINUTE
    try:
        budget, words = throttling.take_and_read(
            f"user:{known.user_id}", limit=limit, now=time.time(), keys=keys
        )
    except RedisError as failure:
        log.warning("offers.cache_away", reason=str(failure))
        return None
    now = freshness.version_in(words)
    return budget if now and now == known.version and not budget.spent else None


def _known(request: HttpRequest, *, kind: str) -> Known | None:
    etag, credential = request.headers.get("If-None-Match", ""), credential_of(request, kind)
    if not etag or not credential or len(etag) > 64:
        return None
    key = _key(etag)
    known = _seen.get(key)
    if known is None:
        try:
            known = cache.get(key)
        except RedisError as failure:
            log.warning("offers.cache_away", reason=str(failure))
        if known is None:
            return None
        _note_seen(key, known)
    return known if known.credential == credential else None


def _note_seen(key: str, known: Known) -> None:
    """What an ETag stands for never changes, so a process may remember it; the words say whether it is fresh."""
    _seen[key] = known
    while len(_seen) > limits.ETAGS_SEEN:
        with contextlib.suppress(KeyError):
            _seen.popitem(last=False)


def etag(request: HttpRequest | Request, driver: Driver, *, kind: str, version: str) -> str:
    """A new ETag for an answer made from what `version` stood for when it was taken; "" without a version."""
    credential = credential_of(request, kind)
    if not version or not credential:
        return ""
    tag = f'"{codes.new_code(length=24)}"'
    known = Known(driver.pk, driver.user_id, driver.market_code, credential, version)
    try:
        cache.set(_key(tag), known, timeout=_LASTS_S)
    except RedisError as failure:
        log.warning("offers.cache_away", reason=str(failure))
        return ""
    return tag


def _key(tag: str) -> str:
    return f"offers:etag:{hashlib.sha256(tag.encode()).hexdigest()[:32]}"
