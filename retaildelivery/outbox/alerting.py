"""Mail to operations when a thing waits for a person, each in their own language."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.utils import translation

from retaildelivery.accounts.models import User
from retaildelivery.outbox import limits, messages


def tell_operations(
    *, key: str, name: str, about: str, written: Callable[[], tuple[str, str]], at: dt.datetime
) -> int:
    """Queue one mail for each person of operations, in the caller's transaction; how many are new. `written` gives
    subject and text in the language that is active; the same key tells nobody twice."""
    people = User.objects.filter(is_staff=True, is_active=True).order_by("pk")
    told = 0
    for person in people[: limits.ALERTED]:
        with translation.override(person.locale):
            subject, text = written()
            message = messages.write(
                key=f"{key}:{person.pk}",
                name=name,
                to=person.email,
                subject=subject,
                text=text,
                about=about,
                at=at,
            )
        told += message is not None
    return told
