"""Write a message with what caused it; send it afterwards, outside any transaction."""

from __future__ import annotations

import datetime as dt

from django.core.mail import EmailMultiAlternatives
from django.db import connection, transaction

from retaildelivery.outbox import dispatch, limits, locks
from retaildelivery.outbox.models import Message


def write(
    *,
    key: str,
    name: str,
    to: str,
    subject: str,
    text: str,
    at: dt.datetime,
    html: str = "",
    about: str = "",
    kind: str = Message.Kind.NOTICE,
) -> Message | None:
    """Queue a message in the caller's transaction; None when the same thing was told before (same key)."""
    assert connection.in_atomic_block, "A message is written with the change it tells of."
    rows = Message.objects.bulk_create(
        [
            Message(
                key=key,
                name=name,
                to=to,
                subject=" ".join(subject.split())[:200],
                text=text,
                html=html,
                about=about,
                kind=kind,
                created_at=at,
                next_attempt_at=at,
            )
        ],
        ignore_conflicts=True,
    )
    message = Message.objects.filter(key=key).first()
    if message is None or message.code != rows[0].code:
        return None
    # A sandbox's is kept to be looked at: no sender sees it, and the database refuses that it was sent.
    if message.live_mode:
        transaction.on_commit(lambda: dispatch.message(message_id=message.pk), robust=True)
    return message


def deliver(*, message_id: int, at: dt.datetime) -> bool:
    """Send one message and note the outcome. True when it was sent by this call."""
    message = _take(message_id=message_id, at=at)
    if message is None:
        return False
    mail = EmailMultiAlternatives(
        message.subject, message.text, to=[message.to], headers={"X-Message-Code": message.code}
    )
    if message.html:
        mail.attach_alternative(message.html, "text/html")
    try:
        mail.send()
    except (
        OSError,
        ValueError,
    ) as failure:  # smtplib's errors are OSErrors; an unusable address is a ValueError
        _failed(message=message, error=str(failure), at=at)
        return False
    Message.objects.filter(pk=message.pk, sent_at=None).update(sent_at=at, last_error="")
    return True


@transaction.atomic(durable=True)
def _take(*, message_id: int, at: dt.datetime) -> Message | None:
    message = locks.message_to_send(message_id)
    if message is None or message.next_attempt_at > at:
        return None
    # Until the outcome is noted nobody else takes it; a sender that dies leaves it to the sweep.
    message.attempts += 1
    message.next_attempt_at = at + limits.MESSAGE_CLAIM
    message.save(update_fields=["attempts", "next_attempt_at"])
    return message


def _failed(*, message: Message, error: str, at: dt.datetime) -> None:
    if message.attempts > len(limits.MESSAGE_RETRIES):
        Message.objects.filter(pk=message.pk).update(given_up_at=at, last_error=error[: limits.ERROR_TEXT])
        return
    wait = limits.MESSAGE_RETRIES[message.attempts - 1]
    Message.objects.filter(pk=message.pk).update(
        next_attempt_at=at + wait, last_error=error[: limits.ERROR_TEXT]
    )


def overdue(*, at: dt.datetime) -> list[int]:
    """Messages to send now, oldest first, a batch of them."""
    return list(
        Message.objects.due(at)
        .order_by("next_attempt_at", "id")
        .values_list("pk", flat=True)[: limits.SWEEP_BATCH]
    )
