"""Middleware of pages, which a call of the API by a key or token passes by: it has no session, no messages and nothing
that a browser would run, and the time of looking for them was a third of a short answer."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponseBase
from whitenoise.middleware import WhiteNoiseMiddleware

from retaildelivery.web.policy import ContentSecurityPolicy

DOORS = ("/api/v1/", "/drive/v2/", "/v1/customers/", "/oauth/v2/", "/shopify/")


def is_call(request: HttpRequest) -> bool:
    """Whether a system asks, and no browser: at a door for systems, by a bearer's key or token, or without any cookie.
    A page of ours that calls the API does so by its session."""
    meta = request.META
    by_key = meta.get("HTTP_AUTHORIZATION", "").startswith("Bearer ")
    return request.path_info.startswith(DOORS) and (by_key or "HTTP_COOKIE" not in meta)


class _ForBrowsers:
    """Before a middleware: leaves calls alone."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        answer: HttpResponseBase = (
            self.get_response(request) if is_call(request) else super().__call__(request)  # type: ignore[misc]
        )
        return answer


class StaticFiles(_ForBrowsers, WhiteNoiseMiddleware): ...


class Policy(_ForBrowsers, ContentSecurityPolicy): ...


class Sessions(_ForBrowsers, SessionMiddleware): ...


class Authentication(_ForBrowsers, AuthenticationMiddleware): ...


class Messages(_ForBrowsers, MessageMiddleware): ...
