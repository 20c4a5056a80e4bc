"""What follows from what, in the document: the links of OpenAPI.

They are read from the document itself. An answer names a code where it is that of a collection (`POST /orders`,
`GET /orders`) or holds a list that bears the collection's name (`stops` of a manifest); every operation below an
address such as `…/orders/{code}` can be asked with it. Only what joins two collections is said here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

NAMES = ("code", "number", "id")  # of what an address is made with
GOOD = ("200", "201", "202")
OF_ANOTHER = {"redelivery": "orders"}  # what is made there, is a member of that collection

# By operation: what its answer makes possible elsewhere, as the body or the query of another.
JOINS: dict[str, dict[str, Json]] = {
    "hold_slot": {"post_order": {"requestBody": {"slot_hold": "$response.body#/code"}}},
    "list_slots": {"hold_slot": {"requestBody": {"slot": "$response.body#/results/0/slot"}}},
    "list_stores": {
        "list_orders": {"parameters": {"query.store": "$response.body#/results/0/code"}},
        "list_slots": {"parameters": {"query.store": "$response.body#/results/0/code"}},
    },
    "list_events": {"list_events": {"parameters": {"query.after": "$response.body#/next"}}},
    "make_promise": {"post_order": {"requestBody": {"promise": "$response.body#/token"}}},
    "make_quote": {"post_order": {"requestBody": {"quote": "$response.body#/code"}}},
}


def link(document: Json) -> None:
    """Add to each good answer the operations that can be asked with what it says."""
    below = _below(document)
    for path, method, operation in _operations(document):
        name = operation["operationId"]
        for state, answer in operation["responses"].items():
            if state not in GOOD:
                continue
            found = {
                target: {"operationId": target, "parameters": parameters}
                for target, parameters in _followers(document, below, path, method, answer)
                if target != name
            }
            for target, said in JOINS.get(name, {}).items():
                found[f"{name}_{target}"] = {"operationId": target, **said}
            if found:
                answer["links"] = dict(sorted(found.items()))


def _operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _below(document: Json) -> dict[str, list[tuple[str, list[str]]]]:
    """By the word before an address's last parameter: operations, with the names of their parameters in order."""
    found: dict[str, list[tuple[str, list[str]]]] = {}
    for path, _method, operation in _operations(document):
        parts = path.split("/")
        named = [place for place, part in enumerate(parts) if part.startswith("{")]
        if named:
            names = [parts[place].partition("}")[0].strip("{") for place in named]
            found.setdefault(_realm(path) + parts[named[-1] - 1], []).append(
                (operation["operationId"], names)
            )
    return found


def _realm(path: str) -> str:
    """Drivers' operations and sellers' take different keys."""
    return "driver:" if "/driver/" in path else "seller:"


def _followers(
    document: Json, below: dict[str, list[tuple[str, list[str]]]], path: str, method: str, answer: Json
) -> Iterator[tuple[str, Json]]:
    """Operations that can be asked with a code which this answer names, and with what."""
    given = [part[1:-1] for part in path.split("/") if part.startswith("{") and part.endswith("}")]
    for collection, pointer, names in _named(document, path, method, answer):
        for target, wanted in below.get(_realm(path) + collection, []):
            *outer, own = wanted
            name = next((name for name in (own, *NAMES) if name in names), None)
            if name is None or not set(outer) <= set(given):
                continue
            passed = {f"path.{each}": f"$request.path.{each}" for each in outer}
            yield target, {**passed, f"path.{own}": f"$response.body#{pointer}/{name}"}


def _named(document: Json, path: str, method: str, answer: Json) -> Iterator[tuple[str, str, set[str]]]:
    """Collections that an answer names members of: the collection, where the first of them stands, and its fields."""
    schema = _schema(document, answer.get("content", {}).get("application/json", {}).get("schema", {}))
    last = path.rsplit("/", 1)[-1]
    last = OF_ANOTHER.get(last, last)
    fields = schema.get("properties", {})
    if method == "post" and not last.startswith("{"):
        yield last, "", set(fields)
    for name, field in fields.items():
        inner = _schema(document, _schema(document, field).get("items", {}))
        if inner.get("properties"):
            yield (last if name == "results" else name), f"/{name}/0", set(inner["properties"])


def _schema(document: Json, schema: Json) -> Json:
    """The schema that is meant, where it is said by name."""
    for part in schema.get("allOf", [schema]):
        if "$ref" in part:
            found: Json = document["components"]["schemas"][part["$ref"].rsplit("/", 1)[1]]
            return found
    return schema
