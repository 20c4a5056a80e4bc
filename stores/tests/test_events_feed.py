"""The feed of events: nothing twice, nothing missed, whatever order transactions end in."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from retaildelivery.outbox import recording
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import Happening
from retaildelivery.testing.sellers import SellerClient, Trade, make_trade, order_body


@pytest.fixture(autouse=True)
def _patience(settings: Any) -> None:
    """Waiting is asking again and again."""
    settings.API_REQUESTS_PER_MINUTE = 1_000_000


def happening(trade: Trade, name: str) -> Happening:
    return Happening(
        name=name,
        at=timezone.now(),
        subjects=[f"seller:{trade.seller.code}"],
        seller_code=trade.seller.code,
    )


def settle(client: SellerClient, count: int) -> None:
    """Wait until so many events are to be seen. Any transaction on the server that is older than an event holds it
    back, also one of another test beside this one."""
    end = time.monotonic() + 60
    while len(client.get("events?limit=200").json()["results"]) < count:
        assert time.monotonic() < end, "The events were never shown."
        time.sleep(0.05)


def read_all(client: SellerClient, *, limit: int, after: str = "") -> list[str]:
    """Every event's name from `after` to the end, page by page."""
    names: list[str] = []
    page = client.get(f"events?limit={limit}" + (f"&after={after}" if after else "")).json()
    while page["results"]:
        names += [event["type"] for event in page["results"]]
        page = client.get(f"events?limit={limit}&after={page['next']}").json()
    return names


@pytest.mark.django_db(transaction=True)
def test_a_page_ends_where_the_next_begins() -> None:
    trade = make_trade()
    client = SellerClient(trade.secret)
    for number in range(7):
        with transaction.atomic():
            recording.record(happening(trade, f"order.n{number}"))
    settle(client, 7)

    assert read_all(client, limit=3) == [f"order.n{number}" for number in range(7)]
    last = client.get("events?limit=7").json()["next"]
    assert client.get(f"events?after={last}").json() == {"results": [], "next": last}


@pytest.mark.django_db(transaction=True)
def test_an_event_whose_transaction_ends_late_is_not_missed() -> None:
    trade = make_trade()
    client = SellerClient(trade.secret)
    written, finish = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            recording.record(happening(trade, "order.slow"))
            written.set()
            finish.wait(10)
        connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    written.wait(10)
    with transaction.atomic():
        recording.record(happening(trade, "order.fast"))
    # The fast one was recorded later and committed first. To show it now would be to miss the slow one.
    during = client.get("events").json()
    finish.set()
    thread.join()
    settle(client, 2)

    assert during == {"results": [], "next": None}
    assert read_all(client, limit=1) == ["order.slow", "order.fast"]


@pytest.mark.django_db(transaction=True)
def test_many_writers_and_a_reader_who_never_misses_one() -> None:
    trade = make_trade()
    client = SellerClient(trade.secret)
    seen: list[str] = []
    after = ""

    def write(writer: int) -> None:
        for number in range(20):
            with transaction.atomic():
                recording.record(happening(trade, f"order.w{writer}n{number}"))
        connection.close()

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(5)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        page = client.get("events?limit=10" + (f"&after={after}" if after else "")).json()
        seen += [event["type"] for event in page["results"]]
        after = page["next"] or after
    settle(client, 100)
    seen += read_all(client, limit=200, after=after)

    assert len(seen) == len(set(seen)) == 100


@pytest.mark.django_db(transaction=True)
def test_the_feed_and_the_order_tell_the_same() -> None:
    trade = make_trade()
    client = SellerClient(trade.secret)
    order = client.post("orders", order_body(trade.store)).json()
    settle(client, 1)

    event = client.get("events").json()["results"][0]

    assert event["data"]["order"] == order
    assert (event["type"], event["sequence"], event["live_mode"]) == ("order.placed", 1, True)


@pytest.mark.parametrize("after", ["evt_nosuch", "1", "K7QX4M2P"])
def test_an_event_that_is_not_in_the_feed_is_refused(northwind: SellerClient, after: str) -> None:
    answer = northwind.get(f"events?after={after}")
    assert (answer.status_code, answer.json()["code"]) == (404, "event_not_found")


def test_another_sellers_event_is_no_place_in_the_feed(
    northwind: SellerClient, southgate: SellerClient, trade: Trade
) -> None:
    northwind.post("orders", order_body(trade.store))
    code = Fact.objects.get(name="order.placed").code
    assert southgate.get(f"events?after={code}").status_code == 404
