"""What the API reads and writes, field by field: exact types, no guessing."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

# RFC 3339 with seconds and offset; Python's own reader takes far more than that.
RFC_3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)

# For the `conditions` of what reads a position: both coordinates, or neither.
BOTH_COORDINATES: dict[str, Any] = {
    "anyOf": [
        {
            "required": ["latitude", "longitude"],
            "properties": {"latitude": {"type": "number"}, "longitude": {"type": "number"}},
        },
        {"properties": {"latitude": {"type": "null"}, "longitude": {"type": "null"}}},
    ]
}


class Input(serializers.Serializer[Any]):
    """A body or a query that is read. A field that it does not know is refused by name: a misspelt option
    that is silently dropped shows only at the customer's door."""

    # What the document says beside the fields, in the words of JSON Schema; `validate` sees to it.
    conditions: ClassVar[dict[str, Any]] = {}

    def to_internal_value(self, data: Any) -> Any:
        unknown: dict[str, list[str]] = {}
        if isinstance(data, Mapping):
            unknown = {
                str(name): [serializers.ErrorDetail(_("There is no such field."), code="unknown_field")]
                for name in data
                if name not in self.fields
            }
        try:
            value = super().to_internal_value(data)
        except ValidationError as error:
            if isinstance(error.detail, dict):
                raise ValidationError({**error.detail, **unknown}) from error
            raise
        if unknown:
            raise ValidationError(unknown)
        return value


class Output(serializers.Serializer[Any]):
    """An answer, as documented."""


class Described:
    """A field with `described`: what the document says of it beside what it shows by itself, in the words of JSON
    Schema, when a rule further in sees to it."""

    def __init__(self, *, described: dict[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.described = described or {}


class Text(Described, serializers.CharField):
    """A string and nothing that could be taken for one; without spaces around it, which count as long as they are
    there."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid")
        if self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return str(super().to_internal_value(data))


class WholeNumber(Described, serializers.IntegerField):
    """A whole JSON number; not `"12"`, not `12.5`, not `true`. `12.0` is 12, as JSON Schema has it."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, float) and data.is_integer():
            return int(data)
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return data


class QueryNumber(serializers.IntegerField):
    """A whole number as it stands in a query."""

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, str) or not re.fullmatch(r"\d{1,9}", data, re.ASCII):
            self.fail("invalid")
        return int(data)


class QueryDecimal(serializers.FloatField):
    """A number as it stands in a query or a form; never NaN or infinite."""

    def to_internal_value(self, data: Any) -> float:
        if not isinstance(data, str) or not re.fullmatch(
            r"-?\d{1,7}(\.\d{1,20})?([Ee][+-]?\d{1,3})?", data, re.ASCII
        ):
            self.fail("invalid")
        return float(data)


class Number(serializers.FloatField):
    """A JSON number; not a string of one."""

    def to_internal_value(self, data: Any) -> float:
        if not isinstance(data, int | float) or isinstance(data, bool):
            self.fail("invalid")
        try:
            return float(data)
        except OverflowError:
            self.fail("invalid")


class Flag(Described, serializers.BooleanField):
    """`true` or `false`."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


EARLIEST, LATEST = dt.datetime.min.replace(tzinfo=dt.UTC), dt.datetime.max.replace(tzinfo=dt.UTC)


class Moment(serializers.DateTimeField):
    """RFC 3339 with an offset: a time without one means another moment to each reader."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": _("Write a time as in 2026-11-23T14:00:00-08:00, with seconds and an offset."),
    }

    def to_internal_value(self, value: Any) -> dt.datetime:
        if not isinstance(value, str) or not RFC_3339.fullmatch(value):
            self.fail("invalid")
        try:
            moment = dt.datetime.fromisoformat(value.upper())
        except ValueError:
            self.fail("invalid")
        try:
            return moment.astimezone(dt.UTC)
        except OverflowError:
            # Beyond the calendar once it is reckoned in UTC: as far away as there is.
            return EARLIEST if moment.year == dt.MINYEAR else LATEST


class Choice(serializers.ChoiceField):
    """One of a list of words."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return super().to_internal_value(data)


class Money(Output):
    """An amount in whole cents of its currency."""

    cents = serializers.IntegerField()
    currency = serializers.CharField(help_text="ISO 4217.")


@extend_schema_field({"type": "object", "additionalProperties": True})
class Document(serializers.JSONField):
    """A JSON object whose shape depends on what it is about."""
