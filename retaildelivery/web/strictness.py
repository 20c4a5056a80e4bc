"""What is read, in the document: exactly as strict as it is read.

A body that fits the document is not refused for its form, and one that does not fit is refused: the tests of
`deliveries/tests/api/test_schemathesis.py` hold both, with bodies that are made from the document.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.plumbing import force_instance
from rest_framework.serializers import CharField, ListField, ListSerializer

Json = dict[str, Any]

# NUL cannot be stored; of a text that must not be empty something is left when the spaces around it are gone.
STORABLE = r"^[^\u0000]*$"
FILLED = r"^[^\u0000]*[^\s\u0000][^\u0000]*$"

# Any JSON that is read, for what is judged part by part.
ANYTHING: Json = {
    "description": "Any JSON without NUL.",
    "anyOf": [
        {"type": ["number", "boolean", "null"]},
        {"type": "string", "pattern": STORABLE},
        {"type": "array", "items": {"$ref": "#/components/schemas/Anything"}},
        {
            "type": "object",
            "propertyNames": {"pattern": STORABLE},
            "additionalProperties": {"$ref": "#/components/schemas/Anything"},
        },
    ],
}


class InputExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """No field but those that are named; lists as long as they may be; and the `conditions` of the class."""

    target_class = "retaildelivery.web.fields.Input"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> Json:
        reader = force_instance(self.target)  # type: ignore[no-untyped-call]
        schema: Json = auto_schema._map_serializer(reader, direction, bypass_extensions=True)  # noqa: SLF001
        if not reader.fields:
            return schema
        if type(reader).__doc__ is None:
            schema.pop("description", None)
        for name, field in reader.fields.items():
            schema["properties"][name].update(_said_of(field))
            if isinstance(field, ListField):
                schema["properties"][name]["items"].update(_said_of(field.child))
        return {**schema, "additionalProperties": False, **reader.conditions}


def demand(document: Json, operation: Json) -> None:
    """Say that there must be a body where an empty one is not read."""
    body = operation.get("requestBody", {})
    for content in body.get("content", {}).values():
        name = content["schema"].get("$ref", "").rsplit("/", 1)[-1]
        schema = document["components"]["schemas"].get(name, {})
        if schema.get("minProperties") or {"required"} & _keys(schema):
            body["required"] = True


def _keys(schema: Json) -> set[str]:
    """The words of a schema itself, and those that all its alternatives have."""
    alternatives = [set(part) for part in schema.get("anyOf", [])]
    return set(schema) | (set.intersection(*alternatives) if alternatives else set())


def _said_of(field: Any) -> Json:
    """What is said of a field beside what it shows by itself."""
    if isinstance(field, ListSerializer):
        least = field.min_length or (0 if field.allow_empty else 1)
        bounds = {"minItems": least, "maxItems": field.max_length}
        return {name: bound for name, bound in bounds.items() if bound}
    described: Json = getattr(field, "described", {})
    if isinstance(field, CharField) and not described:
        return {"pattern": STORABLE if field.allow_blank else FILLED}
    return described
