"""Every error that a test sees is held against the codes that the document lists for its operation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.http.response import HttpResponseBase

from retaildelivery.testing.calls import route_of
from retaildelivery.web import error_codes
from retaildelivery.web.api import ApiView

HOME = re.compile(r"^/api/v1/")
# An address that does not take a method has no operation; a test that breaks something on purpose gets a 500.
OF_NO_OPERATION = {"method_not_allowed", *error_codes.EVERYWHERE}


class Watch:
    """What was answered, and is not listed."""

    def __init__(self) -> None:
        self.unlisted: list[str] = []
        self.names: dict[str, str] = {}

    def look(self, http: Any, response: HttpResponseBase) -> None:
        if response.status_code < 400 or http.resolver_match is None or not HOME.match(http.path):
            return
        data = getattr(response, "data", None)
        code = data.get("code") if isinstance(data, dict) else None
        if code is None or code in OF_NO_OPERATION:
            return
        method = "get" if http.method == "HEAD" else str(http.method).lower()
        operation = self.operation(f"{method} {route_of(http)}")
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
    assert unlisted == [], "Codes that their operations do not list (web/refusing.py): " + "; ".join(unlisted)
