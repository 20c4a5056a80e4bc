"""Which view answered what and how long it took, for `/metrics`.

The names are django-prometheus's, so that its dashboards work. Its own middleware keeps twelve further counts, which
nobody asked for and which took a third of the time that all middleware takes.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django_prometheus.conf import NAMESPACE, PROMETHEUS_LATENCY_BUCKETS
from prometheus_client import Counter, Histogram

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_answers = Counter(
    "django_http_responses_total_by_status_view_method",
    "Count of responses by status, view, method.",
    ["status", "view", "method"],
    namespace=NAMESPACE,
)
_seconds = Histogram(
    "django_http_requests_latency_seconds_by_view_method",
    "Histogram of request processing time, with all middleware, labelled by view.",
    ["view", "method"],
    buckets=PROMETHEUS_LATENCY_BUCKETS,
    namespace=NAMESPACE,
)


class Measured:
    """Outermost, so that it counts what the caller waits for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        # Looking a label up costs more than counting: as many as there are views, methods and statuses.
        self._found: dict[tuple[int, str, str], tuple[Counter, Histogram]] = {}

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        answer = self.get_response(request)
        match = request.resolver_match
        view = (match.view_name if match is not None else None) or "<unnamed view>"
        key = answer.status_code, view, request.method if request.method in _METHODS else "<invalid method>"
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = _answers.labels(*key), _seconds.labels(*key[1:])
        found[0].inc()
        found[1].observe(time.perf_counter() - started)
        return answer
