"""The driver's account: lines that are added once, never change, and hang together as a chain.

The database numbers a line and hashes it with the one before (see the migration that chains postings), so that
this module, a script and a person with SQL all add to the same chain.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from django.db import connection
from django.db.models import QuerySet, Sum

from drivers.models import Driver, DriverPosting

FORM = "retail-delivery account 1"


@dataclass(frozen=True, slots=True)
class Line:
    """A line before it is a row; positive is earned. `params` are what its cents were computed from.

    The key says what is paid for, such as ``block:BX7K2M:base``: the database lets only one in.
    """

    key: str
    kind: str
    cents: int
    text: str
    rule: str
    subject: str
    params: Mapping[str, str] = field(default_factory=dict)


def post(
    *,
    key: str,
    driver: Driver,
    kind: str,
    cents: int,
    text: str,
    rule: str,
    subject: str,
    at: dt.datetime,
    params: Mapping[str, str] | None = None,
) -> bool:
    """Add a line in the caller's transaction. False when the key was posted before."""
    line = Line(key, kind, cents, text, rule, subject, params or {})
    return post_all(driver=driver, lines=[line], at=at) == 1


def post_all(*, driver: Driver, lines: Sequence[Line], at: dt.datetime) -> int:
    """Add these lines in their order, in one round trip; those posted before stay as they are. How many are
    new."""
    return post_many([(driver.pk, line) for line in lines], at=at)


def post_many(lines: Sequence[tuple[int, Line]], *, at: dt.datetime) -> int:
    """`post_all` for several drivers by their keys, whose accounts are locked in ascending order."""
    assert connection.in_atomic_block, "A posting is made with what it pays for."
    if not lines:
        return 0
    row = "(%s, %s, %s, %s, %s, %s, %s, %s, %s, 0, '', '')"
    values: list[Any] = []
    for driver_id, line in sorted(lines, key=itemgetter(0)):
        values += [line.key, driver_id, line.kind, line.cents, line.text[:200], line.rule[:60], line.subject]
        values += [at, json.dumps(dict(line.params))]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO drivers_driverposting "  # noqa: S608 -- only placeholders are repeated
            "(key, driver_id, kind, cents, text, rule, subject, at, params, sequence, previous, digest) "
            f"VALUES {', '.join([row] * len(lines))} ON CONFLICT (key) DO NOTHING",
            values,
        )
        return int(cursor.rowcount)


def balance(driver: Driver) -> int:
    """What the driver has earned and not been paid out, in cents."""
    return DriverPosting.objects.filter(driver=driver).aggregate(cents=Sum("cents"))["cents"] or 0


_BALANCE_NOW = """
SELECT coalesce(s.closing_cents, 0) + coalesce((
    SELECT sum(cents) FROM drivers_driverposting
    WHERE driver_id = %(driver)s AND sequence > coalesce(s.last, 0)
), 0)
FROM (SELECT 1) one
LEFT JOIN (
    SELECT last, closing_cents FROM drivers_statement WHERE driver_id = %(driver)s ORDER BY first DESC LIMIT 1
) s ON true
"""


def balance_now(driver: Driver) -> int:
    """`balance`, by the newest statement and the lines since: years of them are not added up for a page."""
    with connection.cursor() as cursor:
        cursor.execute(_BALANCE_NOW, {"driver": driver.pk})
        return int(cursor.fetchone()[0])


def lines_of(driver: Driver) -> QuerySet[DriverPosting]:
    """Every line, oldest first: the order of the chain."""
    return DriverPosting.objects.filter(driver=driver).order_by("sequence")


def export(
    driver: Driver, *, at: dt.datetime, rules: Mapping[str, Mapping[str, str]] | None = None
) -> dict[str, Any]:
    """The whole account as the document that `verify_pay.py` reads. `rules` are the rows of law that its floors name,
    by their codes."""
    lines = [exported(line) for line in lines_of(driver).iterator(chunk_size=2000)]
    return {
        "form": FORM,
        "driver": driver.code,
        "exported_at": stamp(at),
        "balance_cents": sum(line["cents"] for line in lines),
        "rules": {code: dict(rule) for code, rule in (rules or {}).items()},
        "lines": lines,
    }


def exported(line: DriverPosting) -> dict[str, Any]:
    """One line with everything that its hash covers."""
    return {
        "sequence": line.sequence,
        "key": line.key,
        "kind": line.kind,
        "cents": line.cents,
        "text": line.text,
        "rule": line.rule,
        "subject": line.subject,
        "at": stamp(line.at),
        "params": line.params,
        "previous": line.previous,
        "digest": line.digest,
    }


def stamp(moment: dt.datetime) -> str:
    """A moment as the chain writes it: UTC to the microsecond."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
