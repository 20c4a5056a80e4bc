"""Phones that take notices for their driver."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import re
from typing import ClassVar

from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from drivers import limits, locks, notifying
from drivers.models import Driver, PushSubscription
from retaildelivery.lib.refusals import Refused
from retaildelivery.web import guard

AUTH_BYTES = 16
BASE64URL = re.compile(r"[A-Za-z0-9_-]+=*")


class PushUnavailable(Refused):
    code: ClassVar[str] = "push_unavailable"
    sentence: ClassVar[object] = _("This server does not notify phones. You are told by e-mail.")


class EndpointRefused(Refused):
    code: ClassVar[str] = "push_endpoint_refused"
    sentence: ClassVar[object] = _("This address of a push service cannot be used: %(why)s.")


class PushKeysRefused(Refused):
    code: ClassVar[str] = "push_keys_refused"
    sentence: ClassVar[object] = _("These are not the keys of a browser's subscription.")


@transaction.atomic(durable=True)
def subscribe(
    *, driver_id: int, endpoint: str, p256dh: str, auth: str, user_agent: str, at: dt.datetime
) -> PushSubscription:
    """Notify this phone from now on. A repeat changes the keys; a phone of another driver is theirs no longer.

    Of too many phones the one that was reached longest ago ends. Raises PushUnavailable, EndpointRefused,
    PushKeysRefused.
    """
    if not notifying.public_key():
        raise PushUnavailable
    try:
        guard.read(endpoint, private=settings.PUSH_ALLOW_PRIVATE)
    except guard.AddressRefused as refusal:
        raise EndpointRefused(field="endpoint", reason=refusal.failure, why=refusal.failure) from refusal
    _refuse_bad_keys(p256dh, auth)
    driver = locks.driver(driver_id)
    made, _new = PushSubscription.objects.update_or_create(
        endpoint=endpoint,
        defaults={
            "driver": driver,
            "p256dh": p256dh.rstrip("="),
            "auth": auth.rstrip("="),
            "user_agent": user_agent[:200],
        },
        create_defaults={
            "driver": driver,
            "p256dh": p256dh.rstrip("="),
            "auth": auth.rstrip("="),
            "user_agent": user_agent[:200],
            "created_at": at,
        },
    )
    others = PushSubscription.objects.filter(driver=driver).exclude(pk=made.pk)
    newest = others.order_by(F("last_used_at").desc(nulls_last=True), "-created_at", "-pk")
    spare = list(newest.values_list("pk", flat=True)[limits.PHONES - 1 :])
    PushSubscription.objects.filter(pk__in=spare).delete()
    return made


def _refuse_bad_keys(p256dh: str, auth: str) -> None:
    for field, text in (("keys.p256dh", p256dh), ("keys.auth", auth)):
        try:
            if not BASE64URL.fullmatch(text):
                raise ValueError(text)
            raw = base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
            if field == "keys.p256dh":
                ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)
            elif len(raw) != AUTH_BYTES:
                raise ValueError(text)
        except (ValueError, binascii.Error) as error:
            raise PushKeysRefused(field=field) from error


def unsubscribe(*, driver: Driver, endpoint: str) -> bool:
    """Notify this phone no more. False when it was not notified; a repeat changes nothing."""
    deleted, _each = PushSubscription.objects.filter(driver=driver, endpoint=endpoint).delete()
    return bool(deleted)


def remove(*, driver: Driver, code: str) -> bool:
    """The same by the phone's code, from another device."""
    deleted, _each = PushSubscription.objects.filter(driver=driver, code=code).delete()
    return bool(deleted)
