"""The answer to a write is kept under the caller's Idempotency-Key, so that a retry gets the same answer.

PostgreSQL keeps it: a retry after a time-out must find the answer even when Redis was emptied in between.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from dataclasses import dataclass

from django.db import connection
from django.utils.translation import gettext_lazy as _

from retaildelivery.lib.refusals import Refused
from retaildelivery.web import limits
from retaildelivery.web.models import IdempotentRequest

KEY = re.compile(rf"[\x21-\x7e]{{1,{limits.IDEMPOTENCY_KEY_LENGTH}}}")
WRITES = frozenset({"POST", "PUT", "PATCH"})


class KeyMalformed(Refused):
    code = "idempotency_key_malformed"
    sentence = _("An Idempotency-Key is 1 to 255 printable ASCII characters without spaces.")


class KeyReused(Refused):
    code = "idempotency_key_reused"
    sentence = _("This Idempotency-Key was used for another request. Take a new one.")
    answered = ""  # the body of the answer that the first request got


class InFlight(Refused):
    code = "request_in_flight"
    sentence = _("The first request with this Idempotency-Key is still at work. Try again.")
    retryable = True


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    content_type: str
    body: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """The right to answer one request: `answer` is set when that was done before. `inherited` says that whoever
    held the key died without an answer, perhaps after the work was done."""

    pk: int
    taken_at: dt.datetime
    answer: Answer | None = None
    inherited: bool = False


def digest(*, method: str, path: str, body: bytes) -> str:
    """What makes two requests the same one."""
    return hashlib.sha256(b"\n".join([method.encode(), path.encode(), body])).hexdigest()


# One statement: take the key if it is new, if it has aged out, or if whoever held it died without an answer.
TAKE = """
INSERT INTO web_idempotentrequest AS held (scope, key, digest, created_at, status, content_type, body)
VALUES (%(scope)s, %(key)s, %(digest)s, %(at)s, NULL, '', '')
ON CONFLICT (scope, key) DO UPDATE
SET digest = excluded.digest, created_at = excluded.created_at, status = NULL, content_type = '', body = ''
WHERE held.created_at < %(aged)s
   OR (held.status IS NULL AND held.created_at < %(died)s AND held.digest = excluded.digest)
RETURNING id, xmax <> 0
"""


def begin(*, scope: str, key: str, digest: str, at: dt.datetime) -> Ticket:
    """Take the key for this request, or get the answer that was given before.

    Raises KeyMalformed, KeyReused (another request had it), InFlight (the same request is being answered).
    """
    if not KEY.fullmatch(key):
        raise KeyMalformed
    with connection.cursor() as cursor:
        cursor.execute(
            TAKE,
            {
                "scope": scope,
                "key": key,
                "digest": digest,
                "at": at,
                "aged": at - limits.IDEMPOTENCY_KEPT,
                "died": at - limits.IDEMPOTENCY_LEASE,
            },
        )
        taken = cursor.fetchone()
    if taken:
        return Ticket(taken[0], at, inherited=taken[1])
    held = IdempotentRequest.objects.filter(scope=scope, key=key).first()
    if held is None:
        raise InFlight
    if held.digest != digest:
        reused = KeyReused()
        reused.answered = held.body
        raise reused
    if held.status is None:
        raise InFlight
    return Ticket(held.pk, at, Answer(held.status, held.content_type, held.body))


def keep(ticket: Ticket, answer: Answer) -> None:
    """Note the answer for the retries to come; one too long to keep leaves the key as if it were new."""
    if len(answer.body) > limits.IDEMPOTENCY_BODY:
        forget(ticket)
        return
    IdempotentRequest.objects.filter(pk=ticket.pk, created_at=ticket.taken_at).update(
        status=answer.status, content_type=answer.content_type, body=answer.body
    )


def forget(ticket: Ticket) -> None:
    """Nothing was done: a retry starts afresh."""
    IdempotentRequest.objects.filter(pk=ticket.pk, created_at=ticket.taken_at, status=None).delete()


def sweep(*, at: dt.datetime) -> int:
    """Delete what nobody will ask for again; how many."""
    deleted, _per_model = IdempotentRequest.objects.filter(
        created_at__lt=at - limits.IDEMPOTENCY_KEPT
    ).delete()
    return deleted
