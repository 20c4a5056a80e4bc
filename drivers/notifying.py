"""The one place through which a driver is told something: on their phones, by e-mail when there are none.

Written in the transaction of what it tells; phones are reached afterwards (`pushing`)."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import connection, transaction

from drivers import limits
from drivers.models import Driver, Notice, Push, PushSubscription
from retaildelivery.lib import vapid
from retaildelivery.outbox import dispatch, messages

TASK = "drivers.tasks.push"


def public_key() -> str:
    """What a browser subscribes with; empty where nobody is notified on a phone."""
    return vapid.public_key(settings.VAPID_PRIVATE_KEY) if settings.VAPID_PRIVATE_KEY else ""


def notify(
    *,
    driver: Driver,
    key: str,
    name: str,
    subject: str,
    brief: str,
    text: str,
    at: dt.datetime,
    html: str = "",
    path: str = "/drive/",
    about: str = "",
    until: dt.datetime | None = None,
    by_push: bool = True,
    by_email: bool = True,
) -> Notice | None:
    """Tell a driver, in the caller's transaction; None when the same thing was told before (same key).

    `until` is when it is no news any more. The driver comes with the person.
    """
    assert connection.in_atomic_block, "A notice is written with the change it tells of."
    assert path.startswith("/"), "A notice opens a page of ours."
    brief = " ".join(brief.split())
    if len(brief) > limits.BRIEF_LENGTH:
        brief = brief[: limits.BRIEF_LENGTH - 1].rsplit(" ", 1)[0] + "…"
    notice, new = Notice.objects.get_or_create(
        key=key,
        defaults={
            "driver": driver,
            "name": name,
            "subject": " ".join(subject.split())[:200],
            "brief": brief,
            "text": text,
            "html": html,
            "path": path,
            "about": about,
            "by_email": by_email,
            "created_at": at,
            "expires_at": until or at + limits.NOTICE_LASTS,
        },
    )
    if not new:
        return None
    phones = PushSubscription.objects.filter(driver=driver) if by_push and public_key() else []
    pushes = Push.objects.bulk_create(
        [Push(notice=notice, subscription=phone, next_attempt_at=at) for phone in phones]
    )
    if pushes:
        transaction.on_commit(lambda: hand_over([push.pk for push in pushes]), robust=True)
    elif by_email:
        mail(notice, at=at)
    return notice


def hand_over(push_ids: list[int]) -> None:
    for push_id in push_ids:
        dispatch.send(TASK, queue="notices", push_id=push_id)


def mail(notice: Notice, *, at: dt.datetime) -> None:
    """Write it as e-mail, once, if there is an address."""
    address = notice.driver.user.email
    if address:
        messages.write(
            key=notice.key,
            name=notice.name,
            to=address,
            subject=notice.subject,
            text=notice.text,
            html=notice.html,
            about=notice.about,
            at=at,
        )
