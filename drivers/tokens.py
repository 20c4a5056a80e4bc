"""Secrets of a driver's devices: shown once, kept as a hash."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import ClassVar

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from drivers import freshness, limits, locks
from drivers.models import Driver, DriverToken
from retaildelivery.lib import codes
from retaildelivery.lib.refusals import Refused
from retaildelivery.prepared import Given, Prepared

PREFIX = "dt_"
PREFIX_LENGTH = 11  # dt_ and eight characters: enough to tell devices apart, too little to guess the rest
# `last_used_at` is for people; a write at every request would be a write at every request.
NOTED_EVERY = dt.timedelta(minutes=5)


class TooManyTokens(Refused):
    code: ClassVar[str] = "too_many_tokens"
    sentence: ClassVar[object] = _("You have %(most)d devices already; sign one out first.")


def digest_of(secret: str) -> str:
    """SHA-256; the secret is 256 random bits, so it needs no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic(durable=True)
def issue(*, driver: Driver, name: str, at: dt.datetime) -> tuple[DriverToken, str]:
    """A new token and its secret, which cannot be shown again. Raises TooManyTokens."""
    driver = locks.driver(driver.pk)
    if driver.tokens.filter(revoked_at=None).count() >= limits.TOKENS_PER_DRIVER:
        raise TooManyTokens(most=limits.TOKENS_PER_DRIVER)
    secret = PREFIX + codes.new_token()
    token = DriverToken.objects.create(
        driver=driver, name=name, prefix=secret[:PREFIX_LENGTH], digest=digest_of(secret), created_at=at
    )
    return token, secret


def revoke(*, token: DriverToken, at: dt.datetime) -> None:
    """The device can no longer act. Revoking twice keeps the first time."""
    DriverToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=at)
    freshness.touch(token.driver_id)


_LIVE = Prepared(
    lambda: DriverToken.objects.select_related("driver__user").filter(digest=Given("digest"), revoked_at=None)
)


def find(secret: str, *, at: dt.datetime) -> DriverToken | None:
    """The live token of this secret, with its driver and person, or None."""
    token = _LIVE.one(digest=digest_of(secret))
    if token is None:
        return None
    if token.last_used_at is None or at - token.last_used_at >= NOTED_EVERY:
        DriverToken.objects.filter(pk=token.pk).update(last_used_at=at)
    return token
