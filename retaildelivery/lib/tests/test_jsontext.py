"""JSON as it is written."""

from __future__ import annotations

import datetime as dt
import json
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retaildelivery.lib import jsontext


class Colour(StrEnum):
    RED = "red"


WHOLE = st.integers(-(2**80), 2**80)
LEAVES = st.none() | st.booleans() | WHOLE | st.floats(allow_nan=False, allow_infinity=False) | st.text()
DOCUMENTS = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5)
)


@given(DOCUMENTS)
def test_what_is_written_reads_as_what_it_was(document: Any) -> None:
    assert json.loads(jsontext.dumps(document)) == document


@given(st.dictionaries(st.text(), LEAVES))
def test_sorted_documents_do_not_depend_on_the_order_of_their_names(document: dict[str, Any]) -> None:
    turned = dict(reversed(document.items()))
    assert jsontext.dumps(document, sort_keys=True) == jsontext.dumps(turned, sort_keys=True)


def test_it_is_compact_and_every_script_is_itself() -> None:
    assert jsontext.dumps({"name": "Zoë 花", "n": [1, None]}) == '{"name":"Zoë 花","n":[1,null]}'.encode()


def test_a_member_of_an_enumeration_is_its_text() -> None:
    assert jsontext.dumps({"colour": Colour.RED}) == b'{"colour":"red"}'


def test_what_json_cannot_say_is_asked_for() -> None:
    at = dt.datetime(2026, 11, 27, 9, tzinfo=dt.UTC)
    assert jsontext.dumps([at, 10**30], default=lambda value: value.isoformat()) == (
        b'["2026-11-27T09:00:00+00:00",1000000000000000000000000000000]'
    )
    with pytest.raises(TypeError):
        jsontext.dumps([at])


def test_half_a_character_is_written_as_a_question() -> None:
    assert jsontext.dumps("a\ud800b") == b'"a?b"'
