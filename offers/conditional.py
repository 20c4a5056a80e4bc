"""A feed that has not changed is answered 304 without touching the database, and a whole one to who asked lately too.

Who asks by a credential, and what was read of them, is kept in the cache for as long as a word lives. What an answer
was made from is its version: a word of the market and one of the driver. A request with an ETag of the version that is
still the same has seen everything there is; of the API's feed also when the market has another word and the same to
offer. When only the market's word is another, what was read of the driver is still true, and their feed is made of that
and of the market. A revoked token ends both at once, since it replaces the
driver's word; if that is lost, within five minutes.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import structlog
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.translation import get_language
from redis.exceptions import RedisError
from rest_framework.request import Request

from drivers.models import Driver
from offers import freshness, limits
from offers.listing import Sheet, sheet_of
from offers.models import Offer
from offers.own import Own
from retaildelivery.web import throttling

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Asker:
    """Whose credential it is, and what was read of them when their word was this. `shown` are the blocks whose
    audience they have been counted in since, `sheet` what this process has written for drivers like them."""

    driver_id: int
    driver_code: str
    user_id: int
    market_code: str
    word: str
    own: Own | None
    shown: set[int] = field(default_factory=set)
    sheet: Sheet | None = None


@dataclass(frozen=True, slots=True)
class Poll:
    """A request of a known asker, counted, with the version as it is now."""

    asker: Asker
    credential: str
    version: str
    budget: throttling.Budget


# What is kept under a credential is true for as long as its word is, so a process may remember it.
_askers: OrderedDict[str, Asker] = OrderedDict()


def credential_of(request: HttpRequest | Request, kind: str) -> str:
    """A digest of what the request proves itself by, its language, and which representation is asked for."""
    secret = request.headers.get("Authorization") or request.COOKIES.get(settings.SESSION_COOKIE_NAME) or ""
    if not secret:
        return ""
    return hashlib.sha256(f"{kind}\n{get_language()}\n{secret}".encode()).hexdigest()


def unchanged(request: HttpRequest, *, kind: str) -> bool:
    """Whether the request's ETag is that of an answer since which nothing has changed."""
    etag, credential = request.headers.get("If-None-Match", ""), credential_of(request, kind)
    asker = _asker(credential) if etag and credential else None
    if asker is None:
        return False
    now = freshness.version(market_code=asker.market_code, driver_id=asker.driver_id)
    return bool(now) and etag == tag_of(credential, now)


def polled(request: HttpRequest, *, kind: str) -> Poll | None:
    """`known`, for a request that carries an ETag."""
    return known(request, kind=kind) if request.headers.get("If-None-Match") else None


def known(request: HttpRequest, *, kind: str) -> Poll | None:
    """What can be said to an app before anybody is looked up, with its request counted in the same trip to Redis; None
    when it is not known, has changed or has spent its budget, and the long way counts for itself."""
    credential = credential_of(request, kind)
    asker = _asker(credential) if credential else None
    if asker is None:
        return None
    keys = freshness.keys(market_code=asker.market_code, driver_id=asker.driver_id)
    limit = settings.API_REQUESTS_PER_MINUTE
    try:
        budget, words = throttling.take_and_read(
            f"user:{asker.user_id}", limit=limit, now=time.time(), keys=keys
        )
    except RedisError as failure:
        log.warning("offers.cache_away", reason=str(failure))
        return None
    now = freshness.version_in(words)
    if not now or budget.spent:
        return None
    if freshness.driver_word(now) != asker.word:
        # Another process may have read them anew.
        asker = _kept(credential)
        if asker is None or freshness.driver_word(now) != asker.word:
            return None
    return Poll(asker, credential, now, budget)


def etag(
    request: HttpRequest | Request,
    driver: Driver,
    *,
    kind: str,
    version: str,
    seen: str = "",
    own: Own | None = None,
    shown: Iterable[Offer] = (),
) -> str:
    """The ETag of an answer made from what `version` stood for when it was taken, or more narrowly from what is `seen`
    of it; "" without a version. Who got it is kept, with what was read of them and what they were shown."""
    credential = credential_of(request, kind)
    if not version or not credential:
        return ""
    word = freshness.driver_word(version)
    blocks = {offer.block_id for offer in shown}
    asker = Asker(driver.pk, driver.code, driver.user_id, driver.market_code, word, own, blocks)
    try:
        cache.set(_key(credential), asker, timeout=freshness.DRIVER_LASTS_S)
    except RedisError as failure:
        log.warning("offers.cache_away", reason=str(failure))
        return ""
    _remember(credential, asker)
    return tag_of(credential, seen or version)


def tag_of(credential: str, version: str) -> str:
    """The ETag of what this version says to who asks by this credential."""
    digest = hashlib.sha256(f"{credential} {version}".encode()).hexdigest()
    return f'"{digest[:32]}"'


def _asker(credential: str) -> Asker | None:
    return _askers.get(credential) or _kept(credential)


def _kept(credential: str) -> Asker | None:
    try:
        asker: Asker | None = cache.get(_key(credential))
    except RedisError as failure:
        log.warning("offers.cache_away", reason=str(failure))
        return None
    return None if asker is None else _remember(credential, asker)


def _remember(credential: str, read: Asker) -> Asker:
    asker = read if read.own is None else replace(read, sheet=sheet_of(read.own))
    _askers[credential] = asker
    while len(_askers) > limits.ASKERS_KNOWN:
        with contextlib.suppress(KeyError):
            _askers.popitem(last=False)
    return asker


def _key(credential: str) -> str:
    return f"offers:asker:{credential}"
