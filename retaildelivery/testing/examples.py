"""Examples of the API's document: whether they are true, and how new ones are kept."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import translation
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator
from rest_framework.exceptions import ValidationError
from rest_framework.serializers import Serializer

from retaildelivery.web import documents

Json = dict[str, Any]
FORMS = "multipart/form-data"
WRITES = ("POST", "PUT", "PATCH")


@functools.cache
def document() -> Json:
    """The document as it is made."""
    with translation.override("en"):
        made: Json = SchemaGenerator().get_schema(request=None, public=True)
    plain: Json = json.loads(json.dumps(made))
    return plain


def operations() -> Iterator[tuple[str, Json]]:
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


@functools.cache
def readers() -> dict[str, dict[str, type[Serializer[Any]]]]:
    """The serializers that read the bodies, by operation and media type."""
    generator = SchemaGenerator()
    generator._initialise_endpoints()  # noqa: SLF001 -- as its own command does
    found: dict[str, dict[str, type[Serializer[Any]]]] = {}
    for path, regex, method, view in generator._get_paths_and_endpoints():  # noqa: SLF001
        schema = view.schema
        schema.path, schema.path_regex, schema.path_prefix = path, regex, ""
        schema.method, schema.registry = method, generator.registry
        if method in WRITES:
            given = schema.get_request_serializer()
            by_type = given if isinstance(given, dict) else {"application/json": given}
            found[schema.get_operation_id()] = {
                kind: each if isinstance(each, type) else type(each) for kind, each in by_type.items()
            }
    return found


def faults(schema: Json, example: Any) -> list[str]:
    """What of the example is not as the schema of the document has it."""
    whole = {**schema, "components": document()["components"]}
    return [
        f"{fault.json_path}: {fault.message}" for fault in Draft202012Validator(whole).iter_errors(example)
    ]


def unreadable(operation: str, kind: str, example: Any) -> list[str]:
    """What the serializer that reads such bodies says against the example."""
    reader = readers()[operation].get(kind)
    if reader is None:
        return [f"no serializer reads {kind}"]
    if kind == FORMS:
        example = {
            name: SimpleUploadedFile("photo.jpg", b"bytes") if value == "(bytes)" else value
            for name, value in example.items()
        }
    try:
        reader().run_validation(example)
    except ValidationError as error:
        return [str(error.detail)]
    return []


def kind_of(operation: Json, example: Any) -> str:
    """The media type of a body: a form when a file is in it, else the first that is documented."""
    kinds = list(operation["requestBody"]["content"])
    return FORMS if FORMS in kinds and "(bytes)" in example.values() else kinds[0]


def wrong(operation: Json, kept: Json) -> list[str]:
    """What speaks against the examples of an operation."""
    said: list[str] = []
    body = operation.get("requestBody", {}).get("content", {})
    for kind, example in kept.get("request", {}).items():
        if kind not in body:
            said.append(f"there is no body of {kind}")
            continue
        said += [f"request: {each}" for each in faults(body[kind]["schema"], example)]
        said += [f"request: {each}" for each in unreadable(operation["operationId"], kind, example)]
    for status, example in kept.get("responses", {}).items():
        content = operation["responses"].get(status, {}).get("content", {})
        if not content:
            said.append(f"there is no answer {status}")
            continue
        [answer] = content.values()
        said += [f"{status}: {each}" for each in faults(answer["schema"], example)]
    return said


def missing(operation: Json, kept: Json) -> list[str]:
    """What an operation has no example of."""
    said = []
    if operation.get("requestBody") and not kept.get("request"):
        said.append("request")
    for status, answer in operation["responses"].items():
        kinds = set(answer.get("content", {})) - documents.WITHOUT_EXAMPLE
        if kinds and status not in kept.get("responses", {}):
            said.append(status)
    return said


def keep(found: dict[str, dict[str, tuple[Any, Any]]]) -> None:
    """Write down what the document has no valid example of yet."""
    kept = dict(documents.examples())
    for key, operation in operations():
        name, calls = operation["operationId"], found.get(key, {})
        entry = kept.get(name, {})
        if wrong(operation, entry):
            entry = {}
        for status, (asked, answer) in sorted(calls.items()):
            if operation.get("requestBody") and asked and not entry.get("request"):
                new = {"request": {kind_of(operation, asked): asked}}
                entry = entry if wrong(operation, new) else {**entry, **new}
            if answer is not None and status not in entry.get("responses", {}):
                new = {"responses": {**entry.get("responses", {}), status: answer}}
                entry = entry if wrong(operation, new) else {**entry, **new}
        if entry:
            kept[name] = entry
    ordered = {operation["operationId"]: None for _key, operation in operations()}
    documents.EXAMPLES.write_text(
        json.dumps({name: kept[name] for name in ordered if name in kept}, indent=1, ensure_ascii=False)
        + "\n"
    )
    documents.examples.cache_clear()


def wanted() -> dict[str, list[str]]:
    """What there is no example of yet, by operation."""
    kept = documents.examples()
    found = {
        operation["operationId"]: missing(operation, kept.get(operation["operationId"], {}))
        for _key, operation in operations()
    }
    return {name: what for name, what in found.items() if what}
