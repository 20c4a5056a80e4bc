"""Many orders in one request."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from deliveries import bulk
from deliveries.bulk import Row
from deliveries.models import KnownAddress, Order, Parcel
from retaildelivery.outbox.models import Fact, Reaction
from retaildelivery.testing.afternoon import NOW, TOLD_BY_STAFF, good_draft, nothing_changes
from retaildelivery.testing.racing import at_once
from retaildelivery.testing.sellers import SellerClient, Trade, make_trade, nothing_happened, order_body


def many(trade: Trade, count: int) -> dict[str, Any]:
    return {"orders": [order_body(trade.store, external_id=f"B-{n}") for n in range(count)]}


def post_all(store, drafts):
    return bulk.post_all(rows=[Row(store, draft) for draft in drafts], actor=TOLD_BY_STAFF, at=NOW)


def test_every_row_has_an_outcome_of_its_own(northwind: SellerClient, trade: Trade) -> None:
    body = many(trade, 5)
    first = northwind.post("orders", body["orders"][0]).json()["code"]
    body["orders"][1]["parcels"][0]["grams"] = 0
    body["orders"][2]["colour"] = "red"
    body["orders"][3]["store"] = trade.rival_store.code

    answer = northwind.post("orders/bulk", body)

    assert answer.status_code == 200, answer.content
    shown = answer.json()
    assert (shown["created"], shown["existing"], shown["refused"]) == (1, 1, 3)
    rows = shown["results"]
    assert [(row["row"], row["external_id"], row["outcome"], row["code"]) for row in rows] == [
        (0, "B-0", "existing", ""),
        (1, "B-1", "refused", "validation_error"),
        (2, "B-2", "refused", "validation_error"),
        (3, "B-3", "refused", "not_found"),
        (4, "B-4", "created", ""),
    ]
    assert rows[0]["order"] == first
    assert rows[1]["field_errors"][0]["field"] == "parcels[0].grams"
    assert rows[2]["field_errors"][0] | {"message": ""} == {
        "field": "colour",
        "code": "unknown_field",
        "message": "",
    }
    assert [error["field"] for error in rows[3]["field_errors"]] == ["store"]
    made = Order.objects.get(external_id="B-4")
    assert (rows[4]["order"], made.fee_cents, made.sequence) == (made.code, 1_099, 1)
    assert Parcel.objects.filter(order=made).count() == 2
    fact = Fact.objects.get(name="order.placed", subjects__contains=[f"order:{made.code}"])
    assert fact.data["order"]["external_id"] == "B-4"
    assert Reaction.objects.filter(fact=fact).count() == 2


def test_a_repeat_posts_nothing_twice(northwind: SellerClient, trade: Trade) -> None:
    first = northwind.post("orders/bulk", many(trade, 3)).json()

    with nothing_changes():
        again = northwind.post("orders/bulk", {"orders": [_as_posted(trade, first, n) for n in range(3)]})

    assert again.json()["refused"] == 3
    assert {row["code"] for row in again.json()["results"]} == {"external_id_taken"}
    assert [row["reason"] for row in again.json()["results"]] == [row["order"] for row in first["results"]]


def _as_posted(trade: Trade, first: dict[str, Any], number: int) -> dict[str, Any]:
    return order_body(trade.store, external_id=f"B-{number}", instructions="Another door")


def test_the_same_rows_again_are_the_same_orders(afternoon):
    drafts = [good_draft(external_id=f"B-{n}") for n in range(3)]
    first = post_all(afternoon.bookshop, drafts)

    with nothing_changes():
        again = post_all(afternoon.bookshop, drafts)

    assert [outcome.code for outcome in again] == [outcome.code for outcome in first]
    assert [outcome.is_new for outcome in again] == [False] * 3


def test_a_number_that_comes_twice_with_the_same_contents_is_one_order(afternoon):
    one, two = post_all(afternoon.bookshop, [good_draft(external_id="B-1")] * 2)

    assert (one.is_new, two.is_new, one.code == two.code) == (True, False, True)
    assert Order.objects.count() == 1


def test_a_row_without_a_number_could_not_be_repeated_and_is_refused(
    northwind: SellerClient, trade: Trade
) -> None:
    answer = northwind.post("orders/bulk", {"orders": [order_body(trade.store)]}).json()

    assert answer["results"][0]["field_errors"][0]["field"] == "external_id"
    assert nothing_happened()


def test_more_than_a_thousand_are_refused_whole(northwind: SellerClient, trade: Trade) -> None:
    answer = northwind.post("orders/bulk", {"orders": [{}] * 1_001})

    assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")


def test_doors_that_we_know_are_found_in_one_query(afternoon, django_assert_max_num_queries):
    KnownAddress.objects.create(
        key="2212 alta dr|89107", latitude="36.167300", longitude="-115.178700", source="pin"
    )
    drafts = [good_draft(external_id=f"B-{n}", point=None) for n in range(20)]
    rows = [Row(afternoon.bookshop, draft) for draft in drafts]

    with django_assert_max_num_queries(12):
        bulk.post_all(rows=bulk.known_places(rows), actor=TOLD_BY_STAFF, at=NOW)

    assert Order.objects.filter(located_by="geocoder", fee_cents=1_099).count() == 20


def test_a_bad_window_is_refused_by_its_row_and_field(afternoon):
    good, late = post_all(
        afternoon.bookshop,
        [good_draft(external_id="1"), good_draft(external_id="2", window_end=NOW - dt.timedelta(hours=1))],
    )

    assert good.is_new
    assert [error.code for error in late.refusal.errors] == ["reversed"]


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_who_send_the_same_rows_at_once_have_the_same_orders():
    trade = make_trade()
    drafts = [good_draft(external_id=f"B-{n}") for n in range(10)]

    one, two = at_once(*[lambda: post_all(trade.store, drafts)] * 2)

    assert [outcome.code for outcome in one] == [outcome.code for outcome in two]
    assert {outcome.is_new for outcome in one} != {outcome.is_new for outcome in two}
    assert Order.objects.count() == 10
    assert Fact.objects.filter(name="order.placed").count() == 10
