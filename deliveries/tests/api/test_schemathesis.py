"""Whatever schemathesis makes of the document: the API answers as documented and never breaks.

All its checks, on cases of three kinds: the edges of what each operation reads (its coverage phase), what it makes up
(fuzzing), and what follows from what (the links of the document). Few of each; docs/api.md says how to run many more.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import hypothesis
import pytest
import schemathesis
from django.conf import settings as django_settings
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.utils import timezone, translation
from drf_spectacular.generators import SchemaGenerator
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.stateful import run_state_machine_as_test

from drivers import tokens
from offers.tests import making
from retaildelivery.testing.afternoon import make_driver
from retaildelivery.testing.sellers import SellerClient, Trade, order_body
from retaildelivery.web import limits
from retaildelivery.wsgi import application
from stores.models import WebhookEndpoint, WebhookMessage

EDGES = 3  # right ones, and as many wrong ones, of each operation
APART = 2  # neighbours are much alike
MADE_UP = 1
WALKS = 10  # along the links of the document
STEPS = 10


def load(*parts: str) -> Any:
    """The document for schemathesis; or that of some paths only, by how they begin."""
    with translation.override("en"):
        document = SchemaGenerator().get_schema(request=None, public=True)
    paths = document["paths"]
    if parts:
        document["paths"] = paths = {path: paths[path] for path in paths if path.startswith(parts)}
    kept = {operation["operationId"] for methods in paths.values() for operation in methods.values()}
    for methods in paths.values():
        for operation in methods.values():
            for answer in operation["responses"].values():
                links = answer.get("links", {})
                for name in [name for name, link in links.items() if link["operationId"] not in kept]:
                    del links[name]
    config = SchemathesisConfig.from_path(
        Path(django_settings.BASE_DIR) / "retaildelivery/testing/schemathesis.toml"
    )
    schema = schemathesis.openapi.from_dict(document, config=config)
    schema.app = application
    return schema


SCHEMA = load()
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]


@pytest.fixture(autouse=True)
def _asked_often_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each operation is tried without a key, which is to be 401 and not 429."""
    monkeypatch.setattr(limits, "REQUESTS_UNKNOWN", 1_000_000)


@pytest.fixture
def _connection_kept(db: None) -> Iterator[None]:
    """As Django's own test client does: the end of a request must not close the test's connection."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def codes(northwind: SellerClient, trade: Trade, settings: Any) -> dict[str, str]:
    """Codes that exist, by the name of the path's parameter and what stands before it."""
    settings.API_REQUESTS_PER_MINUTE = 1_000_000
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


@pytest.fixture
def answers_as_documented(
    trade: Trade, codes: dict[str, str], _connection_kept: None
) -> Callable[[Any, bool], None]:
    """Sends a case, about something that exists if asked to, and holds the answer against every check."""

    def hold(case: Any, real: bool) -> None:
        path = case.operation.path
        existing = codes.get(path.split("/")[3])
        fits = case.meta is None or not case.meta.is_negative_at(ParameterLocation.PATH)
        if real and fits and existing and "code" in case.path_parameters:
            case.path_parameters["code"] = existing
        key = codes["token"] if "/driver/" in path else trade.secret
        case.call_and_validate(headers={"Authorization": f"Bearer {key}"})

    return hold


def test_every_check_of_schemathesis_is_on_but_where_the_configuration_says_why() -> None:
    load_all_checks()
    off = [
        (operation.label, check.__name__)
        for operation in OPERATIONS
        for check in CHECKS.get_all()
        if not SCHEMA.config.checks_config_for(operation=operation).get_by_name(name=check.__name__).enabled
    ]
    assert off == [("GET /api/v1/driver/blocks/{code}/relief", "use_after_free")]


def edges_of(operation: Any) -> Iterator[Any]:
    """Cases of the coverage phase, right ones and wrong ones; without making all that there are."""
    for mode in GenerationMode:
        cases = SCHEMA.iter_coverage_cases(
            operation,
            generation_modes=[mode],
            generation_config=SCHEMA.config.generation_for(operation=operation, phase="coverage"),
        )
        yield from itertools.islice(cases, 0, EDGES * APART, APART)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_an_operation_answers_as_documented(
    answers_as_documented: Callable[[Any, bool], None], operation: Any
) -> None:
    for number, case in enumerate(edges_of(operation)):
        answers_as_documented(case, number % 2 == 0)

    @hypothesis.settings(
        max_examples=MADE_UP,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate],
    )
    @hypothesis.given(
        case=hypothesis.strategies.one_of(
            [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]
        ),
        real=hypothesis.strategies.booleans(),
    )
    def made_up(case: Any, real: bool) -> None:
        answers_as_documented(case, real)

    made_up()


def test_an_address_takes_the_methods_of_the_document_and_names_them(northwind: SellerClient) -> None:
    ways: dict[str, set[str]] = {}
    for operation in OPERATIONS:
        ways.setdefault(operation.path, set()).add(operation.method.upper())
    for path, documented in ways.items():
        address = re.sub(r"\{\w+\}", "2026", path.removeprefix("/api/v1/"))
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - documented:
            answer = northwind.request(method, address)
            assert answer.status_code in {401, 403, 405}, (method, path)
            allowed = {each.strip() for each in answer.headers.get("Allow", "").split(",")}
            assert answer.status_code != 405 or allowed - {"HEAD"} == documented, (method, path, allowed)


# -- What follows from what --------------------------------------------------------------------------------------------


class Walk:
    """The part of a walk that is the same for both sides: the key, and all checks with what went before."""

    secret: ClassVar[str]

    def get_call_kwargs(self, case: Any) -> dict[str, Any]:
        return {"headers": {"Authorization": f"Bearer {self.secret}"}}

    def validate_response(self: Any, response: Any, case: Any, **kwargs: Any) -> None:
        seen.add((case.operation.label, response.status_code))
        case.validate_response(
            response, headers=kwargs["headers"], transport_kwargs=kwargs, recorder=self.recorder
        )


seen: set[tuple[str, int]] = set()


def followed() -> bool:
    """Whether something was found by a code that an answer had named."""
    return any("{code}" in label and status < 300 for label, status in seen)


# What is asked with a body whose times, doors and stores are good at the moment, unless a link says otherwise.
ASKED_WELL = {
    "post_order": ("store", "window", "recipient", "dropoff", "parcels"),
    "make_quote": ("store", "window", "dropoff", "parcels"),
    "make_promise": ("store", "window", "dropoff", "parcels"),
}


def walk(side: type, schema: Any) -> None:
    seen.clear()
    machine = type("Machine", (side, schema.as_state_machine()), {})
    run_state_machine_as_test(
        machine,
        settings=hypothesis.settings(
            max_examples=WALKS,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(hypothesis.HealthCheck),
            phases=[hypothesis.Phase.generate],
        ),
    )


@pytest.mark.usefixtures("_connection_kept")
def test_what_follows_from_what_a_seller_did(trade: Trade) -> None:
    class Selling(Walk):
        secret = trade.secret

        def before_call(self, case: Any) -> None:
            name = case.operation.definition.raw["operationId"]
            body = case.body
            if name in ASKED_WELL and isinstance(body, dict):
                linked = {each: body[each] for each in ("quote", "promise", "slot_hold") if each in body}
                good = order_body(trade.store)
                wanted = ["recipient"] if linked.keys() & {"quote", "promise"} else ASKED_WELL[name]
                case.body = {**{each: good[each] for each in wanted}, **linked}

    walk(Selling, load("/api/v1/orders", "/api/v1/quotes", "/api/v1/slot", "/api/v1/webhook-endpoints"))

    assert followed(), seen
    assert ("POST /api/v1/orders", 201) in seen


@pytest.mark.usefixtures("_connection_kept")
def test_what_follows_from_what_a_driver_did(time_machine: Any) -> None:
    time_machine.move_to(making.AT, tick=False)
    ada = making.driver("Ada")
    making.on_the_way(ada)
    _token, phone = tokens.issue(driver=ada, name="phone", at=making.AT)

    class Driving(Walk):
        secret = phone

    walk(Driving, load("/api/v1/driver/blocks", "/api/v1/driver/stops"))

    assert followed(), seen
