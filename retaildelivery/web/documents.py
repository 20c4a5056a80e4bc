"""The OpenAPI document completed, and made into pages that anybody can read."""

from __future__ import annotations

import functools
import json
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.views.decorators.http import require_safe
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator

from retaildelivery.web import error_codes, errors, limits, linking, strictness
from retaildelivery.web.error_codes import prose

Json = dict[str, Any]
NOTHING: Json = {}

# The generator looks its extensions up at first use, and two threads that do so at once end one of them with an error.
MAKING = threading.Lock()

METHODS = ("get", "post", "put", "patch", "delete")
WRITES = ("post", "put", "patch")
DEPTH = 4  # levels of fields a page shows; the document itself has them all

PROBLEM: Json = {
    "type": "object",
    "description": "Every error (RFC 9457). Branch on `code`, which is listed at /api/errors/; show `message`.",
    "properties": {
        "type": {"type": "string", "description": "Where the code is explained."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "message": {"type": "string"},
        "field_errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "field": {"type": "string", "description": "Its path, such as parcels[0].grams."},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
                "required": ["field", "code", "message"],
            },
        },
        "reason": {"type": "string", "description": "A finer code, or empty."},
        "request_id": {"type": "string", "description": "Say it when you ask for help."},
        "retryable": {"type": "boolean", "description": "The same request may succeed later."},
    },
}
PROBLEM["required"] = list(PROBLEM["properties"])

ANSWERS = {
    "400": "A field is missing, malformed or unknown.",
    "401": "No key, or one that is unknown, expired or revoked.",
    "403": "The key or the person may not do this.",
    "404": "There is no such thing, or it is somebody else's.",
    "409": "The present state does not allow it.",
    "413": "The body is too large.",
    "415": "The body is not application/json.",
    "422": "The rules of the trade do not allow it.",
    "429": "Too many requests; see Retry-After.",
    "503": "Too many are at this at once; see Retry-After.",
}
IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Makes a retry harmless: the same key and body get the same answer.",
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": limits.IDEMPOTENCY_KEY_LENGTH,
        "pattern": "^[!-~]+$",
    },
}
HEADERS = {
    "X-Request-Id": "Say it when you ask for help.",
    "RateLimit-Limit": "Requests a minute.",
    "RateLimit-Remaining": "How many of them are left.",
    "RateLimit-Reset": "Seconds until they are all there again.",
}


# By operation: a body and an answer of each status, as a test saw them (retaildelivery/testing/calls.py).
EXAMPLES = Path(__file__).with_name("examples.json")
# What JSON and a page cannot show; and errors, whose examples are made from their codes.
WITHOUT_EXAMPLE = {"application/pdf", "image/*", "text/calendar", "application/zip", errors.MEDIA_TYPE}


@functools.cache
def examples() -> Json:
    found: Json = json.loads(EXAMPLES.read_text())
    return found


class SellerKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Named, not imported: the class is in an app above."""

    target_class = "stores.authentication.ApiKeyAuthentication"
    name = "sellerKey"

    def get_security_definition(self, auto_schema: Any) -> Json:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "sk_live_…"}


class DriverTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "drivers.authentication.DriverTokenAuthentication"
    name = "driverToken"

    def get_security_definition(self, auto_schema: Any) -> Json:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "dt_…"}


def complete(result: Json, generator: Any, request: Any, public: bool) -> Json:
    """Postprocessing hook of the document: what every operation has in common."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {}).update({"Problem": PROBLEM, "Anything": strictness.ANYTHING})
    components["headers"] = {
        name: {"description": text, "schema": {"type": "string"}} for name, text in HEADERS.items()
    }
    listed = error_codes.by_operation()
    components["examples"] = {
        code: {"value": error_codes.example(code)}
        for code in sorted({c for each in listed.values() for c in each})
    }
    shared = components["responses"] = _shared(listed)
    for _path, method, operation in _operations(result):
        for state, codes in error_codes.by_status(listed.get(operation["operationId"], ())).items():
            name = _named(state, codes)
            refusal = {"$ref": f"#/components/responses/{name}"} if name in shared else _problem(state, codes)
            operation["responses"].setdefault(state, refusal)
        for answer in operation["responses"].values():
            if "$ref" not in answer:
                answer.setdefault("headers", {}).update(_headers())
        if method in WRITES:
            operation.setdefault("parameters", []).append(IDEMPOTENCY)
        strictness.demand(result, operation)
        _exemplify(operation, examples().get(operation["operationId"], NOTHING))
    linking.link(result)
    return result


def _shared(listed: dict[str, list[str]]) -> Json:
    """The errors that several operations answer alike, each under one name."""
    times = Counter(
        (state, tuple(codes))
        for each in listed.values()
        for state, codes in error_codes.by_status(each).items()
    )
    return {
        _named(state, codes): _problem(state, codes)
        for (state, codes), number in sorted(times.items())
        if number > 1 and len(codes) <= FEW
    }


FEW = 4  # codes that one name can hold


def _named(state: str, codes: Sequence[str]) -> str:
    return f"Problem{state}_{'_or_'.join(codes)}"


def _problem(state: str, codes: Sequence[str]) -> Json:
    """An error as it is documented: its codes, and a body of each."""
    schema = {"$ref": "#/components/schemas/Problem", "properties": {"code": {"enum": list(codes)}}}
    shown = {code: {"$ref": f"#/components/examples/{code}"} for code in codes}
    return {
        "description": f"{ANSWERS[state]} Codes: {', '.join(f'`{code}`' for code in codes)}.",
        "headers": _headers(),
        "content": {errors.MEDIA_TYPE: {"schema": schema, "examples": shown}},
    }


def _exemplify(operation: Json, kept: Json) -> None:
    bodies = operation.get("requestBody", NOTHING).get("content", {})
    for kind, example in kept.get("request", {}).items():
        bodies[kind]["example"] = example
    for state, example in kept.get("responses", {}).items():
        for answer in operation["responses"][state].get("content", {}).values():
            answer["example"] = example


def _headers() -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in HEADERS}


def _operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                yield path, method, methods[method]


# -- Pages -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """One field of a body, a query or an answer."""

    name: str
    kind: str
    required: bool
    text: SafeString
    level: int


@dataclass(frozen=True, slots=True)
class Answer:
    status: str
    text: str
    media_type: str
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as the page shows it."""

    key: str
    method: str
    address: str
    path: SafeString
    title: SafeString
    text: list[SafeString]
    who: str
    parameters: list[Row]
    body: list[Row]
    answers: list[Answer]
    refusals: list[tuple[str, list[str]]]


@dataclass(slots=True)
class Chapter:
    title: str
    operations: list[Operation] = field(default_factory=list)

    @property
    def key(self) -> str:
        return self.title.lower().replace(" ", "-")


def chapters() -> tuple[Chapter, ...]:
    """The document as chapters of operations, in the language of whoever asks."""
    return _chapters(get_language() or "")


@functools.cache
def _chapters(_language: str) -> tuple[Chapter, ...]:
    """Made once for each language: it changes only with the code."""
    with MAKING:
        document = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    found: dict[str, Chapter] = {}
    for path, method, operation in _operations(document):
        title = operation.get("tags", ["Other"])[0].replace("_", " ").replace("-", " ")
        title = title[:1].upper() + title[1:]
        found.setdefault(title, Chapter(title)).operations.append(_shown(document, path, method, operation))
    return tuple(sorted(found.values(), key=lambda chapter: ORDER.get(chapter.title, len(ORDER))))


# As an order lives; what drivers' apps call comes last.
ORDER = {
    title: place
    for place, title in enumerate(
        (
            "Stores",
            "Before an order",
            "Orders",
            "Following",
            "At the counter",
            "Events",
            "Webhooks",
            "Invoices",
        )
    )
}
WHO = {"sellerKey": "sk_live_…", "driverToken": "dt_…", "cookieAuth": "session"}


def _shown(document: Json, path: str, method: str, operation: Json) -> Operation:
    first, _gap, rest = str(operation.get("description", "")).partition("\n\n")
    schemes = [name for scheme in operation.get("security", []) for name in scheme]
    parameters = [
        row
        for parameter in operation.get("parameters", [])
        if parameter["in"] != "header"
        for row in _of_parameter(document, parameter)
    ]
    content = operation.get("requestBody", {}).get("content", {})
    body = next(iter(content.values()), NOTHING).get("schema", {})
    answers = []
    for state, answer in sorted(operation["responses"].items()):
        if state in ANSWERS:
            continue
        media_type, inner = next(iter(answer.get("content", {}).items()), ("", NOTHING))
        rows = list(_rows(document, inner.get("schema", {})))
        answers.append(Answer(state, answer.get("description", ""), media_type, rows))
    return Operation(
        key=operation["operationId"],
        method=method.upper(),
        address=path,
        # A long path may break after each slash.
        path=mark_safe(escape(path).replace("/", "/<wbr>")),  # noqa: S308 -- escaped
        title=prose(first),
        text=[prose(part) for part in rest.split("\n\n") if part.strip()],
        who=" / ".join(WHO.get(name, name) for name in schemes),
        parameters=parameters,
        body=list(_rows(document, body)),
        answers=answers,
        refusals=list(error_codes.by_status(error_codes.by_operation()[operation["operationId"]]).items()),
    )


def _resolved(document: Json, schema: Json) -> Json:
    """The schema itself, where it is a reference or wraps one."""
    for key in ("allOf", "oneOf", "anyOf"):
        inner = [
            part
            for part in schema.get(key, [])
            if part.keys() & {"$ref", "type"} and part.get("type") != "null"
        ]
        if inner:
            return {**_resolved(document, inner[0]), **{k: v for k, v in schema.items() if k != key}}
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        found = _resolved(document, document["components"]["schemas"][name])
        return {**found, **{k: v for k, v in schema.items() if k != "$ref"}}
    return schema


def _of_parameter(document: Json, parameter: Json) -> list[Row]:
    """One row; or one for each of the names that an object is taken apart into."""
    if parameter.get("explode"):
        return list(_rows(document, parameter["schema"]))
    return [_row(parameter["name"], parameter["schema"], parameter.get("required", False), parameter, 0)]


def _rows(document: Json, schema: Json, path: str = "", level: int = 0) -> Iterator[Row]:
    schema = _resolved(document, schema)
    if schema.get("type") == "array":
        yield from _rows(document, schema.get("items", {}), f"{path}[]", level)
        return
    for name, given in schema.get("properties", {}).items():
        inner = _resolved(document, given)
        full = f"{path}.{name}" if path else name
        yield _row(full, inner, name in schema.get("required", []), inner, level)
        if level < DEPTH:
            yield from _rows(document, inner, full, level + 1)


def _row(name: str, schema: Json, required: bool, described: Json, level: int) -> Row:
    return Row(name, _kind(schema), required, prose(str(described.get("description", ""))), level)


BOUNDS = (("minimum", "≥ {}"), ("maximum", "≤ {}"), ("maxLength", "≤ {} characters"), ("maxItems", "≤ {}"))


def _kind(schema: Json) -> str:
    kinds = schema.get("type", "object")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    words = " or ".join(kinds)
    if schema.get("format"):
        words += f" ({schema['format']})"
    if schema.get("enum"):
        words = " | ".join(str(value) for value in schema["enum"] if value is not None)
    limits_ = [text.format(schema[key]) for key, text in BOUNDS if key in schema]
    return ", ".join([words, *limits_])


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """The API, explained: made from the same document as programs read."""
    return render(request, "web/api_docs.html", {"chapters": chapters()})


@require_safe
def codes(request: HttpRequest) -> HttpResponse:
    """Every code that an error of the API may carry: what it means, what to do, and which operations answer it."""
    addresses = {
        each.key: f"{each.method} {each.address}" for chapter in chapters() for each in chapter.operations
    }
    ours, elsewhere = error_codes.rows(addresses)
    return render(request, "web/api_errors.html", {"codes": ours, "elsewhere": elsewhere})
