"""What is due is dealt with one by one, each in a transaction of its own: one that cannot be keeps no other from it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import TypeVar

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction
from django.utils.translation import gettext as _

from retaildelivery.outbox import alerting

log = structlog.get_logger(__name__)

K = TypeVar("K")


def each(due: Iterable[K], work: Callable[[K], int], *, of: str, at: dt.datetime) -> int:
    """Do `work` for each that is due; the sum of what it returned.

    What fails is undone by its own transaction, logged with its cause, and told to operations once. It is due
    again at the next sweep, since it may have been a lock or a constraint of that moment.
    """
    done = 0
    for key in due:
        try:
            done += work(key)
        except SoftTimeLimitExceeded:
            raise
        except Exception as failure:
            log.exception("sweep.failed", sweep=of, key=str(key))
            _tell(of, str(key), failure, at=at)
    return done


@transaction.atomic
def _tell(of: str, key: str, failure: Exception, *, at: dt.datetime) -> None:
    def written() -> tuple[str, str]:
        subject = _("%(sweep)s: one could not be dealt with") % {"sweep": of}
        text = _(
            "The sweep %(sweep)s could not deal with number %(key)s:\n\n%(failure)s\n\n"
            "The others were dealt with, and this one is tried again. This message comes once."
        ) % {"sweep": of, "key": key, "failure": f"{type(failure).__name__}: {failure}"}
        return subject, text

    alerting.tell_operations(
        key=f"sweep:{of}:{key}", name="sweep_failed", about=f"sweep:{of}", written=written, at=at
    )
