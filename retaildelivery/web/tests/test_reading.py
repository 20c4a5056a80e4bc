"""Every body that the API reads is read as its serializer reads it, whatever stands in it."""

import copy
import json

import pytest
from rest_framework.exceptions import ValidationError

from retaildelivery.testing import examples
from retaildelivery.testing.spoiling import replaced
from retaildelivery.web import documents
from retaildelivery.web.reading import reader

JSON = "application/json"
ODD = [
    *(None, True, False, 0, 1, -1, 12.0, 1.5, -0.0, 10**30, float("inf")),
    *("", " ", " a ", "0", "12", "a\0", "\ud800", "😀", "x" * 5_000, "return", "2026-11-24T14:00:00"),
    *("2026-11-24T14:00:00-08:00", [], [None], ["a", "a"], {}, {"cents": 1}, {"no_such": 1}),
]


def places(document, path=()):
    """Every place in a document, the whole of it first."""
    yield path
    inner = {dict: dict.items, list: enumerate}.get(type(document), lambda _leaf: ())
    for name, value in inner(document):
        yield from places(value, (*path, name))


def with_other(document, path, value):
    return replaced(document, path, value) if path else value


def without(document, path):
    changed = copy.deepcopy(document)
    holder = changed
    for name in path[:-1]:
        holder = holder[name]
    del holder[path[-1]]
    return changed


def outcome(read, document):
    try:
        return repr(read(copy.deepcopy(document)))
    except ValidationError as refusal:
        return json.dumps(refusal.get_full_details(), default=str)


def bodies():
    for operation, kinds in examples.readers().items():
        asked = documents.examples().get(operation, {}).get("request", {})
        if JSON in kinds and JSON in asked:
            yield pytest.param(kinds[JSON], asked[JSON], id=operation)


@pytest.mark.parametrize(("serializer", "example"), list(bodies()))
def test_it_reads_and_refuses_what_the_serializer_does(serializer, example):
    quick, slow = reader(serializer), serializer().run_validation

    paths = list(places(example))
    asked = [with_other(example, path, value) for path in paths for value in ODD]
    asked += [without(example, path) for path in paths if path]
    asked += [{**example, "no_such": 1}]

    assert outcome(quick, example) == outcome(slow, example)
    for document in asked:
        assert outcome(quick, document) == outcome(slow, document), document
