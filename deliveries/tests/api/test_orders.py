"""Posting and changing orders over the seller API."""

from __future__ import annotations

from typing import Any

import pytest

from deliveries.models import Order, Parcel
from retaildelivery.outbox.models import Fact
from retaildelivery.testing.sellers import SellerClient, Trade, make_trade, order_body


def test_an_order_is_posted_with_its_parcels_its_price_and_a_fact(
    northwind: SellerClient, trade: Trade
) -> None:
    answer = northwind.post("orders", order_body(trade.store, external_id="N-1"))

    assert answer.status_code == 201, answer.content
    shown = answer.json()
    order = Order.objects.get(code=shown["code"])
    assert shown["status"] == "placed"
    assert shown["store"] == trade.store.code
    assert shown["recipient"] == {
        "name": "Rosa Quintero",
        "phone": "+17025550148",
        "email": "rosa@example.com",
    }
    assert [parcel["size"] for parcel in shown["parcels"]] == ["small", "large"]
    assert Parcel.objects.filter(order=order).count() == 2
    assert shown["fee"] == {"cents": 899 + 200, "currency": "USD"}
    assert shown["sequence"] == 1
    fact = Fact.objects.get(name="order.placed")
    assert fact.seller_code == trade.seller.code
    assert fact.actor_kind == "seller"
    assert fact.data["order"]["code"] == order.code


# Outside the test's own transaction, since inside it BEGIN and COMMIT, which count too, would be savepoints.
@pytest.mark.django_db(transaction=True)
def test_posting_needs_at_most_twelve_queries(django_assert_max_num_queries: Any) -> None:
    trade = make_trade()
    client = SellerClient(trade.secret)
    body = order_body(trade.store, external_id="N-2")
    with django_assert_max_num_queries(12):
        answer = client.post("orders", body)
    assert answer.status_code == 201
