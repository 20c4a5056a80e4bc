"""Whatever schemathesis makes of the document: the API answers as documented and never breaks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.utils import timezone, translation
from drf_spectacular.generators import SchemaGenerator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from drivers import tokens
from retaildelivery.testing.afternoon import make_driver
from retaildelivery.testing.sellers import SellerClient, Trade, order_body
from retaildelivery.wsgi import application
from stores.models import WebhookEndpoint, WebhookMessage

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def load() -> Any:
    with translation.override("en"):
        document = SchemaGenerator().get_schema(request=None, public=True)
    return schemathesis.openapi.from_dict(document)


SCHEMA = load()
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]


@pytest.fixture
def _connection_kept(codes: dict[str, str]) -> Iterator[None]:
    """As Django's own test client does: the end of a request must not close the test's connection.

    After `codes`, since that client connects the signals again."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def codes(northwind: SellerClient, trade: Trade) -> dict[str, str]:
    """Codes that exist, by the name of the path's parameter and what stands before it."""
    order = northwind.post("orders", order_body(trade.store)).json()["code"]
    at = timezone.now()
    endpoint = WebhookEndpoint.objects.create(
        seller=trade.seller,
        url="https://127.0.0.1/",
        secret="whsec_" + "A" * 44,
        created_at=at,
    )
    WebhookMessage.objects.create(
        code="evt_1",
        endpoint=endpoint,
        event_type="order.placed",
        body="{}",
        created_at=at,
        next_attempt_at=at,
    )
    _token, secret = tokens.issue(driver=make_driver("Ada Nwosu"), name="phone", at=at)
    return {"orders": order, "webhook-endpoints": endpoint.code, "token": secret}


@pytest.mark.usefixtures("_connection_kept")
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_an_operation_answers_as_documented(
    operation: Any, trade: Trade, codes: dict[str, str], settings: Any
) -> None:
    settings.API_REQUESTS_PER_MINUTE = 1_000_000
    secret = codes["token"] if "/driver/" in operation.path else trade.secret
    existing = codes.get(operation.path.split("/")[3])

    @hypothesis.settings(
        max_examples=6,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    )
    @hypothesis.given(case=operation.as_strategy(), real=hypothesis.strategies.booleans())
    def answers_as_documented(case: Any, real: bool) -> None:
        if real and existing and "code" in case.path_parameters:
            case.path_parameters["code"] = existing
        if real and isinstance(case.body, dict) and "store" in case.body:
            case.body["store"] = trade.store.code
        response = case.call(app=application, headers={"Authorization": f"Bearer {secret}"})
        case.validate_response(response, checks=CHECKS)

    answers_as_documented()
