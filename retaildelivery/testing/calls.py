"""What the tests' own calls of the API were: examples for the document are taken from them.

    UPDATE_API_EXAMPLES=1 pytest stores deliveries offers drivers -m "not slow"

adds an example where the document has none, or one that is no longer valid; the others stay as they are.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any

import pytest
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from retaildelivery.testing import examples
from retaildelivery.web.api import ApiView

UPDATE = "UPDATE_API_EXAMPLES"
SHOWN = 2  # entries of a list in an answer
RICH = 3500  # characters: the fullest answer that is not longer than this is the example
FILES = {"text/csv", "application/zpl"}
LINES = 4  # of a file
SECRET = re.compile(r"\b(whsec_|sk_live_|sk_test_|dt_)[\w+/=-]{8,}")
TRACKED = re.compile(r"/t/[\w-]+/")
LOOPBACK = re.compile(r"http://(127\.0\.0\.1|localhost|testserver)(:\d+)?")
# Calls that are made to be strange are no examples.
STRANGE = re.compile(r"schemathesis|bad_input|hypothesis|races|test_quickstart|_browser")


def trimmed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: trimmed(each) for name, each in value.items()}
    if isinstance(value, list):
        return [trimmed(each) for each in value[:SHOWN]]
    return plain(value)


def plain(value: Any) -> Any:
    """As it may be shown: no secret, no address of a test's own machine."""
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, str):
        value = SECRET.sub(lambda found: found[1] + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", value)
        value = TRACKED.sub("/t/TOKEN/", value)
        return LOOPBACK.sub("https://hooks.example.com", value)
    return value


def asked(request: HttpRequest, view: Any) -> Any:
    """The request's body, with the name of a file in the place of its bytes."""
    data = getattr(view.request, "_full_data", None)
    if not data or not isinstance(data, dict):
        return None
    if hasattr(data, "lists"):
        data = {name: data[name] for name in data}
    return {name: value if not hasattr(value, "read") else "(bytes)" for name, value in data.items()}


def answered(response: HttpResponseBase) -> Any:
    kind = response.get("Content-Type", "").split(";")[0]
    if kind in FILES:
        if response.streaming:
            parts = [bytes(part) for part in response]
            response.streaming_content = parts
            content = b"".join(parts)
        else:
            content = response.content
        return "\n".join(content.decode("utf-8-sig").splitlines()[:LINES]) + "\n"
    if response.streaming or getattr(response, "data", None) is None:
        return None
    response.render()
    return json.loads(response.content)


class Recorder:
    """Calls that went well, by operation and status; each a pair of what was asked and what was answered."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, tuple[Any, Any]]] = {}

    def note(self, key: str, status: int, asked: Any, answer: Any) -> None:
        kept = self.found.setdefault(key, {})
        new = (plain(asked), trimmed(answer))
        old = kept.get(str(status))
        if old is None or self.worth(new) > self.worth(old):
            kept[str(status)] = new

    def worth(self, pair: tuple[Any, Any]) -> tuple[bool, int]:
        length = len(json.dumps(pair))
        return (length <= RICH, length if length <= RICH else -length)


recorder = Recorder()


def route_of(request: HttpRequest) -> str:
    assert request.resolver_match is not None
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", request.resolver_match.route)


@pytest.fixture(autouse=True)
def _calls_are_noted(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if not os.environ.get(UPDATE) or STRANGE.search(request.node.nodeid):
        return
    dispatch = ApiView.dispatch

    def noting(view: Any, http: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = dispatch(view, http, *args, **kwargs)
        if response.status_code < 300 and http.resolver_match is not None:
            key = f"{(http.method or '').lower()} {route_of(http)}"
            recorder.note(key, response.status_code, asked(http, view), answered(response))
        return response

    monkeypatch.setattr(ApiView, "dispatch", noting)


def pytest_sessionfinish() -> None:
    if os.environ.get(UPDATE) and recorder.found:
        examples.keep(recorder.found)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if os.environ.get(UPDATE):
        terminalreporter.section("operations without an example")
        for name, what in examples.wanted().items():
            terminalreporter.line(f"{name}: {', '.join(what)}")
