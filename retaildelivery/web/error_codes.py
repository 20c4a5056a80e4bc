"""The codes of the API's errors: which operation answers which, what each means, and what to do about it."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from drf_spectacular.generators import SchemaGenerator

from retaildelivery.web import errors, refusing
from retaildelivery.web.mends import MENDS

Json = dict[str, Any]

# By operation, as `refusing` reads them from the code; kept, since reading it takes seconds.
KEPT = Path(__file__).with_name("refusals.json")
# What anybody may get anywhere is not listed with each operation.
EVERYWHERE = ("server_error",)


@functools.cache
def by_operation() -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads(KEPT.read_text())
    return found


def registry() -> dict[str, errors.Explained]:
    """Every code, explained in the language of whoever asks."""
    return _registry(get_language() or "")


@functools.cache
def _registry(_language: str) -> dict[str, errors.Explained]:
    return {row.code: row for row in errors.registry()}


def _operations() -> Iterator[tuple[str, str, str, type]]:
    """Name, method, path and view of each operation."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    generator._initialise_endpoints()  # noqa: SLF001 -- as its own command does
    for path, regex, method, view in generator._get_paths_and_endpoints():  # noqa: SLF001
        schema = view.schema
        schema.path, schema.path_regex, schema.path_prefix, schema.method = path, regex, "", method
        if not schema.is_excluded():
            yield schema.get_operation_id(), method.lower(), path, type(view)


def operations() -> dict[str, str]:
    """Names of the operations by method and path, as in `get /api/v1/orders`."""
    return {f"{method} {path}": name for name, method, path, _view in _operations()}


def read() -> dict[str, list[str]]:
    """The codes by operation, read from the code. Takes seconds."""
    every = list(_operations())
    found = refusing.codes_of({name: (view, method) for name, method, _path, view in every})
    for name, _method, path, _view in every:
        # A code in an address that no code can be finds no view at all.
        found[name] = sorted({*found[name], *([refusing.NOT_FOUND] if "{" in path else [])})
    return found


def keep(found: dict[str, list[str]]) -> None:
    lines = [f" {json.dumps(name)}: {json.dumps(found[name])}" for name in found]
    KEPT.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    by_operation.cache_clear()


def by_status(codes: Iterable[str]) -> dict[str, list[str]]:
    """Codes by the status that they come with."""
    found: dict[str, list[str]] = {}
    for code in sorted(codes):
        found.setdefault(str(registry()[code].status), []).append(code)
    return dict(sorted(found.items()))


def example(code: str) -> Json:
    """A body of an error with this code."""
    row = registry()[code]
    body = errors.problem(None, code=code, message=row.sentence, status=row.status, retryable=row.retryable)
    return {**body, "request_id": "req_4kXq9V2mT7bLwZ"}


def prose(text: str) -> SafeString:
    """Text of the document with what stands in backticks as code. Everything else is escaped."""
    parts = text.replace("\n", " ").split("`")
    return mark_safe(  # noqa: S308 -- every part was escaped
        "".join(
            f"<code>{escape(part)}</code>" if n % 2 else str(escape(part)) for n, part in enumerate(parts)
        )
    )


@dataclass(frozen=True, slots=True)
class Row:
    """One code of the page: `operations` answer it, or all that write, or all."""

    code: str
    status: int
    sentence: SafeString
    mend: SafeString
    retryable: bool
    operations: tuple[tuple[str, str], ...]
    widely: bool


# Codes that more operations than this answer are not listed with each of them.
MANY = 12


def rows(addresses: dict[str, str]) -> tuple[list[Row], list[Row]]:
    """The codes of the API, and those that pages and the doors in others' shapes have beside them. `addresses` has
    method and path of each operation."""
    answering: dict[str, list[tuple[str, str]]] = {}
    for operation, codes in by_operation().items():
        for code in codes:
            answering.setdefault(code, []).append((operation, addresses[operation]))
    found: tuple[list[Row], list[Row]] = ([], [])
    for code, row in registry().items():
        who = answering.get(code, [])
        widely = len(who) > MANY or code in EVERYWHERE
        shown = () if widely else tuple(who)
        found[0 if who or code in EVERYWHERE else 1].append(
            Row(
                code,
                row.status,
                prose(row.sentence),
                prose(str(MENDS.get(code, ""))),
                row.retryable,
                shown,
                widely,
            )
        )
    return found
