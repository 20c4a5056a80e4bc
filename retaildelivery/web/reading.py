"""Reads a document by functions that are made once from a serializer's fields, which costs a quarter of what the
serializer takes. Only what is right at first sight is read that way; for anything else the serializer itself is asked,
so that what it takes, what it refuses and in which words is told in one place.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

from django.core import validators as django_validators
from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.fields import Field, empty
from rest_framework.serializers import ListSerializer, Serializer
from rest_framework.validators import ProhibitSurrogateCharactersValidator

from retaildelivery.web.fields import Choice, Flag, Input, Number, Text, WholeNumber

Read = Callable[[Any], Any]

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_OF_TEXTS = (
    django_validators.MaxLengthValidator,
    django_validators.ProhibitNullCharactersValidator,
    ProhibitSurrogateCharactersValidator,
)
_OF_NUMBERS = (django_validators.MinValueValidator, django_validators.MaxValueValidator)


class Unclear(Exception):
    """At first sight this is not as it should be."""


@functools.cache
def reader(serializer: type[Serializer[Any]]) -> Read:
    """What gives for a document just what ``serializer(data=document)`` would, or raises its ValidationError. One
    instance reads for all: making one copies every field, and `run_validation` keeps nothing of what it reads."""
    slow = serializer()
    quick = _of_document(slow)

    def read(document: Any) -> Any:
        try:
            return quick(document)
        except (Unclear, ValidationError, DjangoValidationError):
            return slow.run_validation(document)

    return read


def _of_field(field: Field[Any, Any, Any, Any]) -> Read:
    make = _of_document if isinstance(field, Input) else _MAKERS.get(type(field))
    read = (make(field) if make is not None else None) or field.run_validation
    return (lambda given: None if given is None else read(given)) if field.allow_null else read


def _of_document(serializer: Serializer[Any]) -> Read:
    if not _is_usual(serializer):
        return serializer.run_validation
    fields = serializer.fields
    parts = [(name, _of_field(field), field.default) for name, field in fields.items()]
    needed = {name for name, field in fields.items() if field.required}
    methods = [(name, getattr(serializer, f"validate_{name}", None)) for name in fields]
    checks = [(name, check) for name, check in methods if check is not None]

    def read(document: Any) -> Any:
        if type(document) is not dict or not needed <= document.keys() <= fields.keys():
            raise Unclear
        found: dict[str, Any] = {}
        for name, read_part, default in parts:
            if name in document:
                found[name] = read_part(document[name])
            elif default is not empty:
                found[name] = default
        for name, check in checks:
            if name in found:
                found[name] = check(found[name])
        return serializer.validate(found)

    return read


def _is_usual(serializer: Serializer[Any]) -> bool:
    """Whether it reads as every Input does, a field of its own for each name."""
    kind = type(serializer)
    own = (
        kind.to_internal_value is not Input.to_internal_value
        or kind.run_validation is not Serializer.run_validation
    )
    return (
        not own
        and not serializer.validators
        and all(
            field.source == name
            and not field.read_only
            and (field.default is empty or not callable(field.default))
            for name, field in serializer.fields.items()
        )
    )


def _of_list(field: ListSerializer[Any]) -> Read | None:
    if field.validators or field.min_length is not None:
        return None
    read_one, least = _of_field(field.child), 0 if field.allow_empty else 1
    most = field.max_length

    def read(given: Any) -> list[Any]:
        if type(given) is not list or len(given) < least or (most is not None and len(given) > most):
            raise Unclear
        return [read_one(each) for each in given]

    return read


def _of_text(field: Text) -> Read | None:
    if not field.trim_whitespace or field.min_length or not _all(field, _OF_TEXTS):
        return None
    most, may_be_blank = field.max_length, field.allow_blank

    def read(given: Any) -> str:
        if type(given) is not str or (most is not None and len(given) > most) or _UNSTORABLE.search(given):
            raise Unclear
        text = given.strip()
        if not text and not may_be_blank:
            raise Unclear
        return text

    return read


def _of_number(kind: type) -> Callable[[Any], Read | None]:
    def make(field: Any) -> Read | None:
        least, most = field.min_value, field.max_value

        def read(given: Any) -> Any:
            if type(given) is not kind or (least is not None and given < least):
                raise Unclear
            if most is not None and given > most:
                raise Unclear
            return given

        return read if _all(field, _OF_NUMBERS) else None

    return make


def _of_choice(field: Choice) -> Read | None:
    known: dict[str, Any] = field.choice_strings_to_values

    def read(given: Any) -> Any:
        if type(given) is not str or given not in known:
            raise Unclear
        return known[given]

    return None if field.validators else read


def _of_flag(field: Flag) -> Read | None:
    def read(given: Any) -> bool:
        if type(given) is not bool:
            raise Unclear
        return given

    return None if field.validators else read


def _all(field: Field[Any, Any, Any, Any], kinds: tuple[type, ...]) -> bool:
    return all(type(validator) in kinds for validator in field.validators)


_MAKERS: dict[type, Callable[[Any], Read | None]] = {
    Text: _of_text,
    WholeNumber: _of_number(int),
    Number: _of_number(float),
    Choice: _of_choice,
    Flag: _of_flag,
    serializers.ListSerializer: _of_list,
}
