"""How promises were kept: the page of the store's door, its file, and what the API says of the broken ones."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import Any

import pytest
import time_machine
from django.test import Client

from deliveries import keeping, posting, promising
from deliveries.models import Attempt, Order, Quote, Stop
from deliveries.tests.test_store_pages import signed_in
from retaildelivery.testing.afternoon import HOUR, MINUTE, NOW, TOLD_BY_STAFF, Afternoon, good_draft
from retaildelivery.testing.sellers import SellerClient, Trade, order_body

pytestmark = pytest.mark.django_db
LATER = NOW + 6 * HOUR
QUERIES = 12


def promised(afternoon: Afternoon, external_id: str = "") -> Any:
    return promising.promise(
        store=afternoon.bookshop, draft=good_draft(external_id=external_id), slot_code="", at=NOW
    )


def ordered(afternoon: Afternoon, external_id: str) -> Order:
    return promising.redeem(
        token=promised(afternoon).token,
        scope=Quote.objects.all(),
        draft=good_draft(external_id=external_id),
        actor=TOLD_BY_STAFF,
        at=NOW,
    )


@pytest.fixture
def day(afternoon: Afternoon) -> dict[str, Order]:
    """One promise kept, one late by 12 and a half minutes, one taken back, one not ordered."""
    orders = {name: ordered(afternoon, name) for name in ("KEPT", "LATE", "VOID")}
    promised(afternoon)
    manifest = afternoon.on_route(orders["KEPT"], orders["LATE"])
    afternoon.deliver(manifest.stops.filter(kind="dropoff").order_by("position")[0])
    end = orders["LATE"].window.upper
    Order.objects.filter(pk=orders["LATE"].pk).update(
        status="delivered", delivered_at=end + dt.timedelta(minutes=12, seconds=30)
    )
    posting.cancel(
        order_code=orders["VOID"].code,
        scope=Order.objects.all(),
        reason="other",
        note="",
        actor=TOLD_BY_STAFF,
        at=NOW,
    )
    return orders


def page(afternoon: Afternoon, query: str = "", client: Client | None = None, at: dt.datetime = LATER) -> Any:
    with time_machine.travel(at, tick=False):
        return (client or signed_in(afternoon.sam)).get(f"/store/promises/{query}")


def test_the_page_says_how_many_promises_were_kept_and_which_were_not(afternoon, day):
    answer = page(afternoon)
    text = answer.content.decode()

    [row] = answer.context["rows"]
    assert (row.made, row.redeemed, row.kept, row.broken, row.void, row.kept_percent) == (4, 3, 1, 1, 1, 50)
    [broken] = answer.context["broken"]
    assert (broken.order, broken.minutes_late) == (day["LATE"], 13)
    assert f"/store/orders/{day['LATE'].code}/" in text
    assert f"/store/orders/{day['KEPT'].code}/" not in text
    assert "the way took longer" in text


def test_a_period_without_promises_says_so_and_has_no_file(afternoon):
    text = page(afternoon).content.decode()

    assert "No promises in these days" in text
    assert "promises.csv" not in text


def test_the_period_is_counted_in_days_of_the_mall(afternoon, day):
    before = page(
        afternoon, f"?since={NOW.date() - dt.timedelta(days=9)}&until={NOW.date() - dt.timedelta(days=2)}"
    )
    then = page(afternoon, f"?since={NOW.date() - dt.timedelta(days=1)}&until={NOW.date()}")
    reversed_ = page(afternoon, f"?since={NOW.date()}&until={NOW.date() - dt.timedelta(days=1)}")

    assert before.context["rows"] == []
    assert [row.made for row in then.context["rows"]] == [4]
    assert (reversed_.status_code, "Not before the first day." in reversed_.content.decode()) == (422, True)


def test_staff_of_another_store_see_none_of_it(afternoon, day):
    other = signed_in(afternoon.mia)

    assert page(afternoon, client=other).context["rows"] == []
    assert page(afternoon, f"?store={afternoon.bookshop.code}", client=other).status_code == 422


def test_the_page_asks_the_database_a_bounded_number_of_times(afternoon, day, django_assert_max_num_queries):
    client = signed_in(afternoon.sam)
    with time_machine.travel(LATER, tick=False), django_assert_max_num_queries(QUERIES):
        assert client.get("/store/promises/").status_code == 200


def test_the_file_has_a_line_for_every_promise_and_what_became_of_it(afternoon, day):
    with time_machine.travel(LATER, tick=False):
        answer = signed_in(afternoon.sam).get("/store/promises.csv")
        text = b"".join(answer.streaming_content).decode()
    lines = list(csv.DictReader(io.StringIO(text)))

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    told = {line["external_id"]: (line["outcome"], line["minutes_late"], line["cause"]) for line in lines}
    assert told == {
        "KEPT": ("kept", "", ""),
        "LATE": ("broken", "13", "on_the_road"),
        "VOID": ("void", "", ""),
        "": ("unused", "", ""),
    }
    assert {line["store"] for line in lines} == {afternoon.bookshop.code}
    assert all(line["window_end"] > line["window_start"] for line in lines)


def test_why_a_promise_was_broken_is_the_last_thing_that_can_explain_it(afternoon, day):
    late = Order.objects.get(pk=day["LATE"].pk)
    place = late.consignments.get()
    stop = place.pickup
    end = late.window.upper

    def why() -> str:
        [found] = keeping.broken(
            stores=type(afternoon.bookshop).objects.all(), since=NOW, before=NOW + MINUTE, at=LATER
        )
        return found.cause

    Stop.objects.filter(pk=stop.pk).update(arrived_at=end - HOUR)
    Order.objects.filter(pk=late.pk).update(picked_up_at=end - 49 * MINUTE)
    assert why() == "store_wait"
    Stop.objects.filter(pk=stop.pk).update(arrived_at=end + MINUTE)
    assert why() == "no_driver"
    Attempt.objects.create(
        order=late, stop=place.dropoff, driver=afternoon.ada, reason="nobody_home", client_event_id="a-1",
        device_at=end, at=end,
    )  # fmt: skip
    assert why() == "nobody_home"


def test_the_api_names_the_broken_orders_with_their_minutes_and_cause(
    northwind: SellerClient, trade: Trade
) -> None:
    body = order_body(trade.store)
    asked = {name: body[name] for name in ("store", "window", "dropoff", "parcels")}
    token = northwind.post("promises", asked).json()["token"]
    order = northwind.post("orders", {"promise": token, "recipient": body["recipient"]}).json()
    found = Order.objects.get(code=order["code"])
    late = found.window.upper + dt.timedelta(minutes=5)
    Order.objects.update(status="delivered", picked_up_at=late, delivered_at=late)

    [row] = northwind.get("promises/report").json()["results"]

    assert (row["broken"], row["kept_percent"]) == (1, 0)
    [broken] = row["broken_orders"]
    assert (broken["order"], broken["minutes_late"], broken["cause"]) == (order["code"], 5, "no_driver")
