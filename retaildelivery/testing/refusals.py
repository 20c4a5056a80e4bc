"""Every answer that a test sees is held against the document: an error against the codes that it lists for the
operation, any other against the statuses."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.http.response import HttpResponseBase

from retaildelivery.testing.calls import route_of
from retaildelivery.web import error_codes
from retaildelivery.web.api import ApiView

HOME = re.compile(r"^/api/v1/")
# An address that does not take a method has no operation; a test that breaks something on purpose gets a 500.
OF_NO_OPERATION = {"method_not_allowed", *error_codes.EVERYWHERE}


# What the lines of the agreed document are about that says which statuses there are.
LINE = re.compile(
    r"  (?P<path>/\S+):|    (?P<method>get|post|put|patch|delete):|        '(?P<status>\d{3})':"
)


@functools.cache
def statuses() -> dict[str, set[int]]:
    """Statuses by method and path, read from the lines of docs/openapi.yaml: the whole of it takes seconds to read."""
    found: dict[str, set[int]] = {}
    path = key = ""
    paths, _components = (Path(settings.BASE_DIR) / "docs/openapi.yaml").read_text().split("\ncomponents:\n")
    for line in filter(None, map(LINE.fullmatch, paths.splitlines())):
        path = line["path"] or path
        key = f"{line['method']} {path}" if line["method"] else key
        if line["status"]:
            found.setdefault(key, set()).add(int(line["status"]))
    return found


class Watch:
    """What was answered, and is not listed."""

    def __init__(self) -> None:
        self.unlisted: list[str] = []
        self.names: dict[str, str] = {}

    def look(self, http: Any, response: HttpResponseBase) -> None:
        if http.resolver_match is None or not HOME.match(http.path):
            return
        method = "get" if http.method == "HEAD" else str(http.method).lower()
        key = f"{method} {route_of(http)}"
        if response.status_code < 400:
            if response.status_code not in statuses().get(key, {response.status_code}):
                self.unlisted.append(f"{key}: {response.status_code}")
            return
        data = getattr(response, "data", None)
        code = data.get("code") if isinstance(data, dict) else None
        if code is None or code in OF_NO_OPERATION:
            return
        operation = self.operation(key)
        if operation is not None and code not in error_codes.by_operation()[operation]:
            self.unlisted.append(f"{operation}: {code}")

    def operation(self, key: str) -> str | None:
        if not self.names:
            self.names = error_codes.operations()
        return self.names.get(key)


watch = Watch()


@pytest.fixture(autouse=True)
def _refusals_are_listed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    dispatch = ApiView.dispatch

    def looked_at(view: Any, http: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = dispatch(view, http, *args, **kwargs)
        watch.look(http, response)
        return response

    monkeypatch.setattr(ApiView, "dispatch", looked_at)
    yield
    unlisted, watch.unlisted = watch.unlisted, []
    assert unlisted == [], (
        "Answers that their operations do not list (web/refusing.py, docs/openapi.yaml): "
        + "; ".join(unlisted)
    )
