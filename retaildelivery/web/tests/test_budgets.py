"""How much a caller may ask, and what the headers say of it."""

from __future__ import annotations

import time
from typing import Any

import pytest
import redis
from django.test import Client

from retaildelivery.testing.sellers import SellerClient, Trade, key_for
from retaildelivery.web import limits, throttling


def test_every_answer_says_what_is_left(northwind: SellerClient, trade: Trade, settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 50
    answers = [
        northwind.get("orders"),
        northwind.get("orders/NOSUCH99"),
        northwind.post("orders", {}),
        northwind.delete("orders"),
        SellerClient(key_for(trade.seller, scopes=["handover"])).get("orders"),
    ]
    assert [answer.status_code for answer in answers] == [200, 404, 400, 405, 403]
    assert [answer["RateLimit-Remaining"] for answer in answers] == ["49", "48", "47", "46", "45"]
    assert {answer["RateLimit-Limit"] for answer in answers} == {"50"}
    assert {answer["X-RateLimit-Remaining"] for answer in answers[:1]} == {"49"}
    assert all(0 < int(answer["RateLimit-Reset"]) <= 60 for answer in answers)
    assert all(answer["X-Request-Id"] for answer in answers)


def test_who_asks_too_much_is_told_when_to_come_back(
    northwind: SellerClient, southgate: SellerClient, settings: Any
) -> None:
    settings.API_REQUESTS_PER_MINUTE = 2
    allowed = [northwind.get("stores").status_code for _turn in range(2)]

    refused = northwind.get("stores")

    assert allowed == [200, 200]
    assert (refused.status_code, refused.json()["code"]) == (429, "throttled")
    assert refused.json()["retryable"] is True
    assert 0 < int(refused["Retry-After"]) <= 61
    assert refused["RateLimit-Remaining"] == "0"
    assert southgate.get("stores").status_code == 200


def test_guessing_keys_is_limited_by_address(trade: Trade, monkeypatch: Any) -> None:
    monkeypatch.setattr(limits, "REQUESTS_UNKNOWN", 3)
    guesser = SellerClient("sk_live_" + "A" * 43)
    states = [guesser.get("orders").status_code for _turn in range(5)]
    assert states == [401, 401, 401, 429, 429]
    assert SellerClient(trade.secret).get("orders").status_code == 200


def test_without_redis_each_process_counts_for_itself(
    northwind: SellerClient, settings: Any, monkeypatch: Any
) -> None:
    settings.API_REQUESTS_PER_MINUTE = 3
    counters = throttling._Counters()
    tries = []

    def away(*_keys: str, number: int = 1) -> int:
        tries.append(time.monotonic())
        raise redis.ConnectionError

    monkeypatch.setattr(counters, "_count", away)
    monkeypatch.setattr(throttling, "counters", counters)

    answers = [northwind.get("stores") for _turn in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer["RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]
    # Redis is not asked again at once: its time-out would be paid by every request.
    assert len(tries) == 1


@pytest.mark.django_db
def test_an_address_of_the_api_that_does_not_exist_is_answered_in_json() -> None:
    client = Client(raise_request_exception=False)
    answer = client.get("/api/v1/nothing/here")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "not_found"


def test_the_request_id_is_the_callers_when_it_is_sane(northwind: SellerClient) -> None:
    own = northwind.get("stores", X_Request_Id="till-7:000123")
    wild = northwind.get("stores", X_Request_Id="<script>")
    assert own["X-Request-Id"] == "till-7:000123"
    assert wild["X-Request-Id"].startswith("req_")


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*", ""])
def test_whatever_is_accepted_the_answer_is_json(northwind: SellerClient, accept: str) -> None:
    assert northwind.get("stores", Accept=accept)["Content-Type"] == "application/json"
    assert northwind.get("orders/NOSUCH99", Accept=accept)["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("limit", "processes"), [(1, 1), (7, 2), (21, 2), (150, 1), (260, 1), (500, 2), (1_000, 3)]
)
def test_several_processes_together_allow_just_the_budget(limit: int, processes: int) -> None:
    asked = [throttling._Counters() for _process in range(processes)]
    caller, period = f"seller:{time.monotonic_ns()}", 1

    allowed = sum(
        counters.add(caller, period, limit=limit) <= limit for _turn in range(limit) for counters in asked
    )

    assert allowed == limit


def test_a_caller_of_one_process_sees_the_budget_go_one_by_one_however_it_is_taken() -> None:
    counters, caller = throttling._Counters(), f"seller:{time.monotonic_ns()}"

    used = [counters.add(caller, 1, limit=400) for _turn in range(400)]

    assert used == list(range(1, 401))


def test_who_asks_often_costs_few_trips_to_redis(monkeypatch: Any) -> None:
    counters, caller, trips = throttling._Counters(), f"seller:{time.monotonic_ns()}", []
    count = counters._count
    monkeypatch.setattr(
        counters, "_count", lambda *keys, number=1: trips.append(number) or count(*keys, number=number)
    )

    for _turn in range(limits.TAKEN_SINGLY + 90):
        counters.add(caller, 1, limit=1_000)

    assert trips == [1] * limits.TAKEN_SINGLY + [limits.TAKEN_AT_ONCE] * 9


def test_what_was_taken_does_not_outlive_its_period() -> None:
    counters, caller = throttling._Counters(), f"seller:{time.monotonic_ns()}"
    for _turn in range(limits.TAKEN_SINGLY + 5):
        counters.add(caller, 1, limit=1_000)

    assert counters.add(caller, 2, limit=1_000) == 1


def test_a_redis_that_was_started_anew_is_told_the_script_again() -> None:
    counters, caller = throttling._Counters(), f"seller:{time.monotonic_ns()}"
    counters.add(caller, 1, limit=10)
    assert counters._client is not None
    counters._client.script_flush()

    assert counters.add(caller, 1, limit=10) == 2
