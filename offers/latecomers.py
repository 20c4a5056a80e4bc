"""Who comes too late to a block is told so without touching the database.

In a race almost everybody loses, and whoever loses must cost next to nothing. An offer that was awarded never opens
again, so that it may be kept in the cache that it is gone, and to whom. Whose token a request carries is kept there
too, for as long as an app waits between two looks at its feed. Without the cache, or with an Idempotency-Key, a
request goes the long way and gets the same answer. A revoked token learns nothing but that a block is taken.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from redis.exceptions import RedisError
from rest_framework.request import Request

from drivers import tokens
from drivers.authentication import bearer
from drivers.models import Driver, DriverToken
from offers import limits
from offers.models import Offer
from retaildelivery import rediscache
from retaildelivery.lib.refusals import Refused
from retaildelivery.web import errors, throttling

log = structlog.get_logger(__name__)

_WAIT_S = limits.CLAIM_TURN.total_seconds()
_LOOK_S = 0.003  # about what a claim's last statements take


@dataclass(frozen=True, slots=True)
class Gone:
    """An offer that somebody has."""

    driver_id: int
    market_code: str


@dataclass(frozen=True, slots=True)
class Known:
    """Whose token it is."""

    user_id: int
    driver_id: int
    market_code: str


def note_gone(offer: Offer, *, driver_id: int) -> None:
    """Once the running transaction commits, others read that it is taken."""
    gone = Gone(driver_id, offer.block.mall.market.code)
    rediscache.put_after_commit(_offer(offer.code), gone, timeout=int(limits.GONE_KEPT.total_seconds()))


def note_known(request: Request, driver: Driver) -> None:
    """This request's token was checked just now."""
    if isinstance(request.auth, DriverToken):
        keep_known(bearer(request), driver)


def keep_known(secret: str, driver: Driver) -> None:
    known = Known(driver.user_id, driver.pk, driver.market_code)
    _keep(_token(secret), known, limits.TOKEN_KNOWN.total_seconds())


def answer(request: HttpRequest, offer_code: str, taken: Refused) -> HttpResponse | None:
    """The refusal, for a driver whose token is known and an offer that another has; else None."""
    secret = bearer(request)
    if not secret or "Idempotency-Key" in request.headers:
        return None
    offer_key, token_key = _offer(offer_code), _token(secret)
    try:
        found = cache.get_many([offer_key, token_key])
    except RedisError as failure:
        log.warning("offers.cache_away", reason=str(failure))
        return None
    gone, known = found.get(offer_key), found.get(token_key)
    if gone is None or known is None:
        return None
    if gone.driver_id == known.driver_id or gone.market_code != known.market_code:
        return None
    limit = settings.API_REQUESTS_PER_MINUTE
    budget = throttling.take(f"user:{known.user_id}", limit=limit, now=time.time())
    if budget.spent:
        return None
    refused = errors.refusal(request, taken)
    for name, value in (budget.headers | {"Cache-Control": "no-store"}).items():
        refused[name] = value
    return refused


@contextlib.contextmanager
def one_at_a_time(offer_code: str) -> Iterator[bool]:
    """Of those who claim the same offer in the same moment one goes ahead; the others wait here, where waiting costs
    nothing, instead of each holding a transaction that waits for the block. True for who has waited.

    Only saves work: who has waited long enough goes ahead all the same, and the database decides.
    """
    key, mine, until = f"offers:claiming:{offer_code}", False, time.monotonic() + _WAIT_S
    waited = False
    try:
        while not (mine := bool(cache.add(key, 1, timeout=1))) and time.monotonic() < until:
            waited = True
            time.sleep(_LOOK_S)
    except RedisError as failure:
        log.warning("offers.cache_away", reason=str(failure))
    try:
        yield waited
    finally:
        if mine:
            with contextlib.suppress(RedisError):
                cache.delete(key)


def _keep(key: str, value: Gone | Known, seconds: float) -> None:
    try:
        cache.set(key, value, timeout=int(seconds))
    except RedisError as failure:
        log.warning("offers.cache_away", reason=str(failure))


def _offer(code: str) -> str:
    return f"offers:gone:{code}"


def _token(secret: str) -> str:
    return f"offers:known:{tokens.digest_of(secret)}"
