"""One person, one entry: accounts that share a document's number, a phone or a bank account are found and shown to
operations.

What makes two accounts alike is a list of sources, each giving (value, detail, driver). A shared bank account may be
that of a couple: it is for a person to look at, and takes nothing from anybody.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from drivers import facts, limits, sealing
from drivers.models import Document, Driver, Likeness, PayoutAccount
from retaildelivery.accounts.models import User
from retaildelivery.outbox import alerting, recording

# What the accounts share, what to tell of it, and whose it is.
Shared = tuple[str, str, int]
Source = Callable[[], Iterable[Shared]]


def by_document() -> Iterable[Shared]:
    """Numbers of current papers, as they would be read aloud: letters and digits only."""
    rows = Document.objects.current().filter(rejected_at=None)  # type: ignore[attr-defined]
    for kind, number, driver_id in rows.values_list("kind", "number", "driver_id").iterator():
        plain = "".join(sign for sign in number.upper() if sign.isalnum())
        if plain:
            yield f"{kind}:{plain}", kind, driver_id


def by_phone() -> Iterable[Shared]:
    rows = Driver.objects.exclude(user__phone="")
    for phone, driver_id in rows.values_list("user__phone", "pk").iterator():
        yield phone, "", driver_id


def by_payout_account() -> Iterable[Shared]:
    """Accounts in use, by the digests of their numbers; those that have none by the present key get one first."""
    in_use = PayoutAccount.objects.filter(replaced_at=None)
    for row in in_use.exclude(number_digest__startswith=sealing.digests_by()).iterator():
        numbers = f"{sealing.unseal(row.routing_sealed)}:{sealing.unseal(row.number_sealed)}"
        PayoutAccount.objects.filter(pk=row.pk).update(number_digest=sealing.digest(numbers))
    yield from (
        (digest, "", pk) for digest, pk in in_use.values_list("number_digest", "driver_id").iterator()
    )


SOURCES: dict[str, Source] = {
    Likeness.Kind.DOCUMENT: by_document,
    Likeness.Kind.PHONE: by_phone,
    Likeness.Kind.PAYOUT_ACCOUNT: by_payout_account,
}


def sweep(*, at: dt.datetime) -> int:
    """Note every pair that is alike and not noted yet; returns how many are new. A settled pair stays settled."""
    return sum(note(kind, first, second, detail, at=at) for kind, first, second, detail in _pairs())


def _pairs() -> Iterable[tuple[str, int, int, str]]:
    for kind, source in SOURCES.items():
        owners: dict[tuple[str, str], set[int]] = defaultdict(set)
        for value, detail, driver_id in source():
            owners[value, detail].add(driver_id)
        known = set(Likeness.objects.filter(kind=kind).values_list("first_id", "second_id", "detail"))
        for (_value, detail), drivers in owners.items():
            pairs = itertools.combinations(sorted(drivers)[: limits.ALIKE], 2)
            for first, second in pairs:
                if (first, second, detail) not in known:
                    yield kind, first, second, detail


@transaction.atomic(durable=True)
def note(kind: str, first: int, second: int, detail: str, *, at: dt.datetime) -> bool:
    """Record one pair once, whoever else sweeps, and tell operations."""
    row, new = Likeness.objects.get_or_create(
        kind=kind, first_id=first, second_id=second, detail=detail, defaults={"found_at": at}
    )
    if new:
        recording.record(facts.likeness_found(row, at=at))
        _alert(row, at=at)
    return new


def _alert(row: Likeness, *, at: dt.datetime) -> None:
    def written() -> tuple[str, str]:
        subject = _("Two drivers may be one person: %(first)s and %(second)s") % {
            "first": row.first.code,
            "second": row.second.code,
        }
        text = _("What they share: %(what)s. Nothing is taken from either until you decide.\n\n%(url)s\n") % {
            "what": row.what,
            "url": f"{settings.BASE_URL}/ops/drivers/",
        }
        return subject, text

    alerting.tell_operations(
        key=f"likeness:{row.pk}",
        name="likeness_found",
        about=f"driver:{row.second.code}",
        written=written,
        at=at,
    )


@transaction.atomic(durable=True)
def settle(*, likeness: Likeness, by: User, at: dt.datetime) -> None:
    """A person has looked at it. Settling twice keeps the first time."""
    settled = Likeness.objects.filter(pk=likeness.pk, settled_at=None).update(settled_at=at, settled_by=by)
    if settled:
        recording.record(facts.likeness_settled(likeness, at=at, by=by))
