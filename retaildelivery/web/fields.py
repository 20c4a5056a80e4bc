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


class Input(serializers.Serializer[Any]):
    """A body or a query that is read. A field that it does not know is refused by name: a misspelt option
    that is silently dropped shows only at the customer's door."""

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


class Text(serializers.CharField):
    """A string and nothing that could be taken for one; without spaces around it."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class WholeNumber(serializers.IntegerField):
    """A JSON integer; not `"12"`, not `12.0`, not `true`."""

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return data


class QueryNumber(serializers.IntegerField):
    """A whole number as it stands in a query."""

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, str) or not re.fullmatch(r"\d{1,9}", data, re.ASCII):
            self.fail("invalid")
        return int(data)


class QueryDegrees(serializers.FloatField):
    """Decimal degrees as they stand in a query."""

    def to_internal_value(self, data: Any) -> float:
        if not isinstance(data, str) or not re.fullmatch(r"-?\d{1,3}(\.\d{1,15})?", data, re.ASCII):
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


class Flag(serializers.BooleanField):
    """`true` or `false`."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Moment(serializers.DateTimeField):
    """RFC 3339 with an offset: a time without one means another moment to each reader."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": _("Write a time as in 2026-11-23T14:00:00-08:00, with seconds and an offset."),
    }

    def to_internal_value(self, value: Any) -> dt.datetime:
        if not isinstance(value, str) or not RFC_3339.fullmatch(value):
            self.fail("invalid")
        try:
            return dt.datetime.fromisoformat(value.upper()).astimezone(dt.UTC)
        except (ValueError, OverflowError):
            self.fail("invalid")


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
