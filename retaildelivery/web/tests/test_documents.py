"""The OpenAPI document is complete, is what the code does, and is what was agreed."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.test import Client
from django.urls import get_resolver
from django.utils import translation
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from drf_spectacular.views import SpectacularAPIView

from retaildelivery.lib.refusals import Refused
from retaildelivery.testing import examples
from retaildelivery.web import documents, error_codes, errors, refusing, served
from retaildelivery.web.mends import MENDS

SNAPSHOT = Path(settings.BASE_DIR) / "docs" / "openapi.yaml"


@pytest.fixture(scope="module")
def generated() -> tuple[dict[str, Any], list[str]]:
    """The document, and what its generator had to guess."""
    with translation.override("en"), GENERATOR_STATS.silence():
        GENERATOR_STATS.reset()
        made = SchemaGenerator().get_schema(request=None, public=True)
        guessed = [*GENERATOR_STATS._warn_cache, *GENERATOR_STATS._error_cache]
    return made, guessed


@pytest.fixture(scope="module")
def document(generated: tuple[dict[str, Any], list[str]]) -> dict[str, Any]:
    return generated[0]


def test_nothing_in_the_document_was_guessed(generated: tuple[dict[str, Any], list[str]]) -> None:
    assert generated[1] == []


def test_the_document_is_the_one_that_was_agreed(document: dict[str, Any]) -> None:
    agreed = yaml.safe_load(SNAPSHOT.read_text())
    assert yaml.safe_load(yaml.safe_dump(_plain(document))) == agreed, (
        "The API has changed. If that was meant: manage.py spectacular --file docs/openapi.yaml"
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value if isinstance(value, int | float | bool | None) else str(value)


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    validate_schema(document)


def test_every_address_of_the_api_is_in_the_document(document: dict[str, Any]) -> None:
    paths = {
        re.sub(r"<\w+:(\w+)>", r"{\1}", f"/{prefix.pattern}{route}")
        for prefix in get_resolver().url_patterns
        if str(prefix.pattern) == "api/v1/"
        for route in _routes(prefix)
    }
    assert paths == set(document["paths"])


def _routes(resolver: Any, before: str = "") -> list[str]:
    if not hasattr(resolver, "url_patterns"):
        return [before]
    return [route for inner in resolver.url_patterns for route in _routes(inner, before + str(inner.pattern))]


def test_every_operation_has_words_a_name_and_its_errors(document: dict[str, Any]) -> None:
    names = []
    for methods in document["paths"].values():
        for operation in methods.values():
            names.append(operation["operationId"])
            assert operation.get("description"), operation["operationId"]
            assert {"401", "429", "503"} <= set(operation["responses"])
    assert len(names) == len(set(names))


@pytest.mark.django_db
def test_the_pages_show_every_operation_and_every_code(document: dict[str, Any]) -> None:
    client = Client()
    docs = client.get("/api/docs/")
    codes = client.get("/api/errors/")

    assert docs.status_code == codes.status_code == 200
    for path, methods in document["paths"].items():
        for method in methods:
            assert f"{method.upper()} {path}" in docs.content.decode().replace("<wbr>", "")
    for row in error_codes.registry().values():
        assert f'id="{row.code}"' in codes.content.decode()
    for page in (docs, codes):
        assert "<style" not in page.content.decode()
        assert " style=" not in page.content.decode()
        assert "'unsafe-inline'" not in page["Content-Security-Policy"]


@pytest.mark.django_db
def test_the_document_is_served() -> None:
    answer = Client().get("/api/schema/")
    assert answer.status_code == 200
    assert yaml.safe_load(answer.content)["openapi"] == "3.1.0"


@pytest.mark.django_db
def test_the_document_is_made_once_and_served_in_the_format_that_is_asked_for(monkeypatch) -> None:
    monkeypatch.setattr(served, "_written", {})
    first, as_json = Client().get("/api/schema/"), Client().get("/api/schema/?format=json")
    monkeypatch.setattr(SpectacularAPIView, "_get_schema_response", None)

    again = Client().get("/api/schema/?version=9&lang=es&_=1")

    assert (again.content, again["Content-Type"]) == (first.content, first["Content-Type"])
    assert again["Content-Disposition"] == first["Content-Disposition"]
    assert as_json.json()["openapi"] == "3.1.0"
    assert Client().get("/api/schema/?format=json").content == as_json.content


@pytest.mark.django_db
def test_the_document_is_never_made_by_two_threads_at_once(monkeypatch) -> None:
    monkeypatch.setattr(served, "_written", {})
    at_work, most = [], []

    def made(_generator: Any, request: Any, public: bool) -> dict[str, Any]:
        at_work.append(1)
        time.sleep(0.05)
        most.append(len(at_work))
        at_work.pop()
        return {"openapi": "3.1.0"}

    monkeypatch.setattr(SchemaGenerator, "get_schema", made)
    asking = [lambda: Client().get("/api/schema/")] * 4 + [lambda: documents._chapters.__wrapped__("en")]
    monkeypatch.setattr(documents, "_operations", lambda _document: [])
    with ThreadPoolExecutor(len(asking)) as threads:
        answers = [each.result() for each in [threads.submit(ask) for ask in asking]]

    assert [answer.status_code for answer in answers[:-1]] == [200] * 4
    assert most == [1] * 5


@pytest.mark.django_db
def test_the_pages_speak_the_language_of_each_reader_whoever_came_first() -> None:
    error_codes._registry.cache_clear()
    documents._chapters.cache_clear()
    sentences = {"es": "Otro pedido necesita otra cotización.", "en": "Another order needs another quote."}

    for language, other in (("es", "en"), ("en", "es")):
        reader = {"accept-language": language}
        codes = Client().get("/api/errors/", headers=reader).content.decode()
        docs = Client().get("/api/docs/", headers=reader).content.decode()
        assert sentences[language] in codes
        assert sentences[other] not in codes
        assert ("A field is missing, malformed or unknown;" in codes) == (language == "en")
        assert ("Un campo falta, está mal formado o es desconocido;" in codes) == (language == "es")
        assert f'<html lang="{language}"' in docs


def test_every_code_is_a_stable_word_with_a_sentence() -> None:
    for row in error_codes.registry().values():
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", row.code)
        assert row.sentence
        assert 400 <= row.status < 600


def test_every_example_is_valid_and_read_by_the_code() -> None:
    kept = documents.examples()
    by_name = {operation["operationId"]: operation for _key, operation in examples.operations()}
    assert kept.keys() <= by_name.keys()
    for name, entry in kept.items():
        assert examples.wrong(by_name[name], entry) == [], name
    shown = by_name["post_order"]
    assert shown["requestBody"]["content"]["application/json"]["example"]["recipient"]
    assert shown["responses"]["201"]["content"]["application/json"]["example"]["code"]


def test_an_example_that_is_not_true_is_noticed() -> None:
    [operation] = [each for _key, each in examples.operations() if each["operationId"] == "cancel_order"]
    body = {"request": {"application/json": {"reason": "bored"}}}
    said = examples.wrong(operation, body)
    assert len(said) == 2  # by the schema, and by the serializer
    assert examples.missing(operation, {}) == ["request", "200"]


def test_every_operation_has_its_examples() -> None:
    assert examples.wanted() == {}, (
        "A test that calls it makes one: UPDATE_API_EXAMPLES=1 pytest <that test> (retaildelivery/testing/calls.py)"
    )


def test_the_codes_of_each_operation_are_those_that_its_code_raises() -> None:
    assert error_codes.by_operation() == error_codes.read(), "manage.py spectacular --file docs/openapi.yaml"


def test_every_code_of_an_operation_says_what_to_do() -> None:
    listed = {code for codes in error_codes.by_operation().values() for code in codes}
    assert listed <= MENDS.keys()
    assert MENDS.keys() <= error_codes.registry().keys()


def test_an_operation_documents_its_codes_and_an_example_of_each(document: dict[str, Any]) -> None:
    for name, operation in {op["operationId"]: op for _key, op in examples.operations()}.items():
        shown = {
            code
            for answer in operation["responses"].values()
            for code in _resolved(document, answer)
            .get("content", {})
            .get(errors.MEDIA_TYPE, {})
            .get("examples", {})
        }
        assert shown == set(error_codes.by_operation()[name]), name
    for code, example in document["components"]["examples"].items():
        assert example["value"]["code"] == code
        assert examples.faults({"$ref": "#/components/schemas/Problem"}, example["value"]) == []


def _resolved(document: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    name = answer.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = document["components"]["responses"][name] if name else answer
    return found


class Open(Refused):
    code = "open"


class Closed(Refused):
    code = "closed"


def _lock() -> None:
    raise Open


def _reason(late: bool) -> Refused | None:
    return Closed() if late else None


def _asks() -> bool:
    return _reason(True) is not None


def _refuses() -> None:
    found = _reason(True)
    if found:
        raise found


def _catches() -> None:
    try:
        _lock()
    except Open:
        _refuses()


class Thing:
    @property
    def bolt(self) -> Iterator[None]:
        raise Closed

    def turn(self) -> Thing:
        return self


def _by_its_type(thing: Thing) -> object:
    return thing.turn().bolt


@pytest.mark.parametrize(
    ("function", "codes"),
    [
        (_lock, {"open"}),
        (_asks, set()),
        (_refuses, {"closed"}),
        (_catches, {"closed"}),
        (_by_its_type, {"closed"}),
    ],
)
def test_what_a_function_may_refuse_with_is_read_from_it(function: Any, codes: set[str]) -> None:
    found = refusing.Map()
    found.reach([(function, None)])
    found.settle()
    assert found.codes([(function, None)]) == codes
