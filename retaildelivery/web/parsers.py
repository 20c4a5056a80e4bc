"""Reading JSON strictly: what two readers could take in two ways is refused, naming the place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer

from retaildelivery.web import limits

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class MalformedJSON(ParseError):
    default_code = "malformed_json"


class BodyTooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "body_too_large"


class _DuplicateKey(ValueError):
    """The same name twice in one object: readers disagree about which counts (RFC 8259, section 4)."""


class StrictJSONParser(BaseParser):
    """UTF-8 JSON without duplicate keys, NaN, lone surrogates, NUL, endless numbers or deep nesting."""

    media_type = "application/json"
    renderer_class = JSONRenderer

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        raw = stream.read(limits.BODY_BYTES + 1)
        if len(raw) > limits.BODY_BYTES:
            raise BodyTooLarge(_("The body is larger than %(most)d bytes.") % {"most": limits.BODY_BYTES})
        return read(raw)


def read(raw: bytes) -> Any:
    """The document in these bytes. Raises MalformedJSON, or ValidationError naming a bad string."""
    try:
        document = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_without_duplicates,
            parse_constant=_refuse_constant,
            parse_int=_whole,
            parse_float=_decimal,
        )
    except _DuplicateKey as error:
        raise ValidationError(
            {str(error): [_("This field is given twice.")]}, code="duplicate_field"
        ) from error
    except RecursionError as error:
        raise MalformedJSON(_("The JSON is nested too deeply.")) from error
    except ValueError as error:
        raise MalformedJSON(_("The body is not valid JSON: %(error)s") % {"error": error}) from error
    for path, depth, text in _texts(document):
        if depth > limits.JSON_DEPTH:
            raise MalformedJSON(_("The JSON is nested too deeply."))
        if _UNSTORABLE.search(text):
            shown = path.encode("ascii", "backslashreplace").decode()
            raise ValidationError(
                {shown: [_("This text holds characters that cannot be stored.")]}, code="unstorable_text"
            )
    return document


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _DuplicateKey(name.encode("ascii", "backslashreplace").decode())
        found[name] = value
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number of JSON")


def _whole(digits: str) -> int:
    if len(digits) > limits.JSON_DIGITS:
        raise ValueError("a number has too many digits")
    return int(digits)


def _decimal(digits: str) -> float:
    number = float(digits)
    if len(digits) > limits.JSON_DIGITS or number in {float("inf"), float("-inf")}:
        raise ValueError("a number is out of range")
    return number


def _texts(document: Any) -> Iterator[tuple[str, int, str]]:
    """Every string and every name in the document, as (path, depth, text); without recursion, as depth is
    the caller's to choose."""
    waiting: list[tuple[str, int, Any]] = [("", 0, document)]
    while waiting:
        path, depth, value = waiting.pop()
        if isinstance(value, str):
            yield path, depth, value
        elif depth > limits.JSON_DEPTH:
            yield path, depth, ""
        elif isinstance(value, dict):
            for name, inner in value.items():
                yield path, depth, name
                waiting.append((f"{path}.{name}".lstrip("."), depth + 1, inner))
        elif isinstance(value, list):
            waiting.extend((f"{path}[{place}]", depth + 1, inner) for place, inner in enumerate(value))
