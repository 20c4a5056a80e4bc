"""A write that is retried under its Idempotency-Key is done once and answered the same."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from deliveries import posting
from deliveries.models import Order
from retaildelivery.testing.sellers import SellerClient, Trade, make_trade, order_body
from retaildelivery.web import idempotency, limits
from retaildelivery.web.models import IdempotentRequest


def test_a_retry_gets_the_first_answer_and_says_so(northwind: SellerClient, trade: Trade) -> None:
    body = order_body(trade.store)
    first = northwind.post("orders", body, Idempotency_Key="k1")

    again = northwind.post("orders", body, Idempotency_Key="k1")

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again["Idempotent-Replayed"] == "true"
    assert again["Content-Type"] == first["Content-Type"]
    assert "Idempotent-Replayed" not in first
    assert "RateLimit-Remaining" in again
    assert Order.objects.count() == 1


def test_an_error_is_replayed_as_it_was(northwind: SellerClient, trade: Trade) -> None:
    body = order_body(trade.store, undeliverable="burn")
    first = northwind.post("orders", body, Idempotency_Key="k1")
    again = northwind.post("orders", body, Idempotency_Key="k1")
    assert (first.status_code, again.status_code) == (400, 400)
    assert again.content == first.content
    assert again["Content-Type"] == "application/problem+json"


def test_the_key_with_another_body_or_path_is_refused(northwind: SellerClient, trade: Trade) -> None:
    body = order_body(trade.store)
    code = northwind.post("orders", body, Idempotency_Key="k1").json()["code"]

    other_body = northwind.post("orders", body | {"instructions": "Ring"}, Idempotency_Key="k1")
    other_path = northwind.put(f"orders/{code}/ready", Idempotency_Key="k1")

    assert {answer.status_code for answer in (other_body, other_path)} == {409}
    assert {answer.json()["code"] for answer in (other_body, other_path)} == {"idempotency_key_reused"}
    assert Order.objects.count() == 1


def test_keys_of_two_sellers_do_not_meet(
    northwind: SellerClient, southgate: SellerClient, trade: Trade
) -> None:
    northwind.post("orders", order_body(trade.store), Idempotency_Key="k1")
    answer = southgate.post("orders", order_body(trade.rival_store), Idempotency_Key="k1")
    assert answer.status_code == 201
    assert Order.objects.count() == 2


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "schlüssel", "\x7f"])
def test_a_key_that_is_none_is_refused(northwind: SellerClient, trade: Trade, key: str) -> None:
    answer = northwind.post("orders", order_body(trade.store), Idempotency_Key=key)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_malformed")
    assert not Order.objects.exists()


def test_a_process_that_died_before_it_answered_leaves_one_order(
    northwind: SellerClient, trade: Trade, monkeypatch: Any
) -> None:
    body = order_body(trade.store)
    # Killed after the order was committed, before the answer was kept.
    with monkeypatch.context() as dying:
        dying.setattr(idempotency, "keep", _killed)
        with pytest.raises(SystemExit):
            northwind.post("orders", body, Idempotency_Key="k1")
    assert Order.objects.count() == 1

    early = northwind.post("orders", body, Idempotency_Key="k1")
    IdempotentRequest.objects.update(created_at=timezone.now() - limits.IDEMPOTENCY_LEASE)
    late = northwind.post("orders", body, Idempotency_Key="k1")

    assert (early.status_code, early.json()["code"]) == (409, "request_in_flight")
    assert early.json()["retryable"] is True
    again = northwind.post("orders", body, Idempotency_Key="k1")
    assert late.status_code == 201
    assert late.json()["code"] == again.json()["code"] == Order.objects.get().code
    assert again["Idempotent-Replayed"] == "true"


def test_a_process_that_died_before_it_did_anything_is_followed_by_the_first_order(
    northwind: SellerClient, trade: Trade, monkeypatch: Any
) -> None:
    body = order_body(trade.store)
    with monkeypatch.context() as dying:
        dying.setattr(posting, "post", _killed)
        with pytest.raises(SystemExit):
            northwind.post("orders", body, Idempotency_Key="k1")
    IdempotentRequest.objects.update(created_at=timezone.now() - limits.IDEMPOTENCY_LEASE)

    late = northwind.post("orders", body, Idempotency_Key="k1")

    assert late.status_code == 201
    assert Order.objects.count() == 1


def _killed(*_given: object, **_named: object) -> None:
    raise SystemExit


def test_what_broke_on_our_side_may_be_tried_again(
    northwind: SellerClient, trade: Trade, monkeypatch: Any
) -> None:
    body = order_body(trade.store)

    def broken(**_arguments: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as breaking:
        breaking.setattr(posting, "post", broken)
        first = northwind.post("orders", body, Idempotency_Key="k1")
    again = northwind.post("orders", body, Idempotency_Key="k1")

    assert (first.status_code, first.json()["code"]) == (500, "server_error")
    assert again.status_code == 201
    assert "Idempotent-Replayed" not in again


def test_a_refusal_that_may_pass_is_not_kept(northwind: SellerClient, trade: Trade, monkeypatch: Any) -> None:
    body = order_body(trade.store)

    def busy(**_arguments: object) -> None:
        raise posting.Busy

    with monkeypatch.context() as refusing:
        refusing.setattr(posting, "post", busy)
        first = northwind.post("orders", body, Idempotency_Key="k1")
    again = northwind.post("orders", body, Idempotency_Key="k1")

    assert (first.status_code, first.json()["retryable"]) == (503, True)
    assert first["Retry-After"] == "2"
    assert again.status_code == 201


def test_a_key_is_forgotten_after_two_days(northwind: SellerClient, trade: Trade) -> None:
    northwind.post("orders", order_body(trade.store), Idempotency_Key="k1")
    at = timezone.now() + limits.IDEMPOTENCY_KEPT + dt.timedelta(seconds=1)
    assert idempotency.sweep(at=at) == 1
    assert idempotency.sweep(at=at) == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
def test_twenty_retries_at_once_are_one_order() -> None:
    trade = make_trade()
    body = order_body(trade.store)
    barrier = threading.Barrier(20)
    answers: list[Any] = []

    def post() -> None:
        client = SellerClient(trade.secret)
        barrier.wait()
        answers.append(client.post("orders", body, Idempotency_Key="k1"))
        connection.close()

    threads = [threading.Thread(target=post) for _number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    made = [answer for answer in answers if answer.status_code == 201]
    waiting = [answer for answer in answers if answer.status_code == 409]
    assert len(made) + len(waiting) == 20
    assert len({answer.json()["code"] for answer in made}) == 1
    assert {answer.json()["code"] for answer in waiting} <= {"request_in_flight"}
    assert Order.objects.count() == 1
