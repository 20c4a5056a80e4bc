"""Send notices to phones: sealed for the browser (RFC 8291), signed by us (RFC 8292), tried again by the table; the
e-mail goes when no phone could be reached."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Greatest
from py_vapid import Vapid02
from pywebpush import WebPusher

from drivers import limits, locks, notifying
from drivers.models import Notice, Push, PushSubscription
from retaildelivery.web import guard, posting
from retaildelivery.web.posting import Bounds, Outcome

GONE = (404, 410)
# What a push service will not take however often it is sent: a malformed or too large one, or a foreign key.
HOPELESS = (400, 401, 403, 413)
VAPID_LASTS = dt.timedelta(hours=12)  # half of what RFC 8292 allows, for clocks that differ


def send(*, push_id: int, at: dt.datetime) -> bool:
    """Try one push, if it is due; True when its push service took it. Sent outside any transaction.

    A sender that dies before it has noted the outcome leaves it to the sweep. Then the phone may get it twice, and
    shows it once: the tag is the same.
    """
    push = _take(push_id=push_id, at=at)
    if push is None:
        return False
    outcome = _post(push, at)
    _note(push=push, outcome=outcome, at=at)
    return outcome.is_success


@transaction.atomic(durable=True)
def _take(*, push_id: int, at: dt.datetime) -> Push | None:
    push = locks.push_to_send(push_id)
    if push is None or push.next_attempt_at > at:
        return None
    if push.subscription is None or push.notice.expires_at <= at:
        _give_up(push, error="phone_removed" if push.subscription is None else "expired", at=at)
        return None
    push.attempts += 1
    push.next_attempt_at = at + limits.PUSH_LEASE
    push.save(update_fields=["attempts", "next_attempt_at"])
    return push


def _post(push: Push, at: dt.datetime) -> Outcome:
    assert push.subscription is not None, "A push without a phone is given up."
    try:
        target = guard.resolve(push.subscription.endpoint, private=settings.PUSH_ALLOW_PRIVATE)
    except guard.AddressRefused as refusal:
        return Outcome(None, refusal.failure, "", 0.0)
    return posting.post(
        target,
        body=sealed(push.subscription, payload(push.notice)),
        headers=headers(push.notice, push.subscription.endpoint, at=at),
        bounds=Bounds(
            connect=limits.PUSH_CONNECT.total_seconds(),
            total=limits.PUSH_TIMEOUT.total_seconds(),
            answer_bytes=limits.PUSH_ANSWER_BYTES,
        ),
    )


def payload(notice: Notice) -> bytes:
    """What the service worker reads (`sw.js`): translated already, and small."""
    shown = {
        "title": notice.subject,
        "body": notice.brief,
        "url": notice.path,
        "tag": notice.about or notice.key,
        "lang": notice.driver.user.locale,
        "at": notice.created_at.astimezone(dt.UTC).isoformat(),
    }
    return json.dumps(shown, ensure_ascii=False).encode()


def sealed(subscription: PushSubscription, body: bytes) -> bytes:
    keys = {"p256dh": subscription.p256dh, "auth": subscription.auth}
    found = WebPusher({"endpoint": subscription.endpoint, "keys": keys}).encode(body, "aes128gcm")["body"]
    assert isinstance(found, bytes), "What is sealed is bytes."
    return found


def headers(notice: Notice, endpoint: str, *, at: dt.datetime) -> dict[str, str]:
    """Who sends, how long it is news, and which earlier one it takes the place of on a phone that is off."""
    parts = urlsplit(endpoint)
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "sub": settings.VAPID_SUBJECT,
        "exp": int((at + VAPID_LASTS).timestamp()),
    }
    signed = Vapid02.from_string(settings.VAPID_PRIVATE_KEY).sign(claims)
    topic = base64.urlsafe_b64encode(hashlib.sha256((notice.about or notice.key).encode()).digest())
    return {
        **{str(name): str(value) for name, value in signed.items()},
        "Content-Type": "application/octet-stream",
        "Content-Encoding": "aes128gcm",
        "TTL": str(max(0, int((notice.expires_at - at).total_seconds()))),
        "Topic": topic[:32].decode(),
        "Urgency": "high",
    }


@transaction.atomic(durable=True)
def _note(*, push: Push, outcome: Outcome, at: dt.datetime) -> None:
    mine = Push.objects.open().filter(pk=push.pk)  # type: ignore[attr-defined]
    if outcome.is_success:
        mine.update(sent_at=at, last_status=outcome.status, last_error="")
        PushSubscription.objects.filter(pushes=push).update(last_used_at=Greatest("last_used_at", at))
        return
    error = outcome.failure or f"status_{outcome.status}"
    mine.update(last_status=outcome.status, last_error=error)
    if outcome.status in GONE:
        PushSubscription.objects.filter(pushes=push).delete()
    if outcome.status in (*GONE, *HOPELESS) or push.attempts > len(limits.PUSH_RETRIES):
        _give_up(push, error=error, at=at)
    else:
        mine.update(next_attempt_at=at + limits.PUSH_RETRIES[push.attempts - 1])


def _give_up(push: Push, *, error: str, at: dt.datetime) -> None:
    """This phone is not reached. When none was, the notice goes by e-mail, if it is still news."""
    notice = locks.notice(push.notice_id)
    given = Push.objects.open().filter(pk=push.pk)  # type: ignore[attr-defined]
    if not given.update(given_up_at=at, last_error=error):
        return
    reached = notice.pushes.filter(given_up_at=None).exists()
    if notice.by_email and not reached and notice.expires_at > at:
        notifying.mail(notice, at=at)


def overdue(*, at: dt.datetime) -> list[int]:
    """Pushes to send now, oldest first, a batch of them."""
    due = Push.objects.due(at).order_by("next_attempt_at", "pk")  # type: ignore[attr-defined]
    return list(due.values_list("pk", flat=True)[: limits.PUSH_BATCH])
