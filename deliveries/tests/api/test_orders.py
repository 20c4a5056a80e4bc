"""Posting and changing orders over the seller API."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from deliveries.models import Handover, Order, Parcel
from retaildelivery.outbox.models import Fact
from retaildelivery.testing.sellers import SellerClient, Trade, make_trade, nothing_happened, order_body
from stores.models import Store


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


def test_the_same_external_id_and_body_give_the_same_order(northwind: SellerClient, trade: Trade) -> None:
    body = order_body(trade.store, external_id="N-3")
    first = northwind.post("orders", body)

    again = northwind.post("orders", body)

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert Order.objects.count() == 1
    assert Fact.objects.filter(name="order.placed").count() == 1


def test_the_same_external_id_with_another_body_is_refused_with_the_code_of_the_first(
    northwind: SellerClient, trade: Trade
) -> None:
    body = order_body(trade.store, external_id="N-4")
    first = northwind.post("orders", body).json()["code"]

    other = northwind.post("orders", body | {"instructions": "Red door"})

    assert (other.status_code, other.json()["code"]) == (409, "external_id_taken")
    assert other.json()["reason"] == first
    assert first in other.json()["message"]
    assert Order.objects.count() == 1


def test_two_sellers_may_use_the_same_external_id(
    northwind: SellerClient, southgate: SellerClient, trade: Trade
) -> None:
    assert northwind.post("orders", order_body(trade.store, external_id="1")).status_code == 201
    assert southgate.post("orders", order_body(trade.rival_store, external_id="1")).status_code == 201


def fifty_at_once(secret: str, body: dict[str, Any], **headers: str) -> list[Any]:
    """The answers to the same post from fifty threads."""
    barrier = threading.Barrier(50)
    answers: list[Any] = []

    def post() -> None:
        client = SellerClient(secret)
        barrier.wait()
        answers.append(client.post("orders", body, **headers))
        connection.close()

    threads = [threading.Thread(target=post) for _number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
def test_fifty_identical_posts_at_once_under_one_key_are_one_order() -> None:
    trade = make_trade()
    body = order_body(trade.store, external_id="N-5")

    answers = fifty_at_once(trade.secret, body, Idempotency_Key="k1")

    made = [answer for answer in answers if answer.status_code == 201]
    waiting = [answer for answer in answers if answer.status_code != 201]
    assert {(each.status_code, each.json()["code"]) for each in waiting} <= {(409, "request_in_flight")}
    assert {answer.json()["code"] for answer in made} == {Order.objects.get().code}
    assert Fact.objects.filter(name="order.placed").count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
def test_fifty_posts_at_once_that_nothing_holds_together_are_fifty_orders() -> None:
    trade = make_trade()

    answers = fifty_at_once(trade.secret, order_body(trade.store))

    assert {answer.status_code for answer in answers} == {201}
    assert Order.objects.count() == 50


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
def test_fifty_identical_posts_at_once_are_one_order() -> None:
    trade = make_trade()

    answers = fifty_at_once(trade.secret, order_body(trade.store, external_id="N-5"))

    assert sorted({answer.status_code for answer in answers}) == [200, 201]
    assert len({answer.json()["code"] for answer in answers}) == 1
    assert Order.objects.count() == 1
    assert Fact.objects.filter(name="order.placed").count() == 1


def test_an_order_whose_door_nobody_knows_waits_for_its_place(northwind: SellerClient, trade: Trade) -> None:
    body = order_body(trade.store)
    del body["dropoff"]["latitude"], body["dropoff"]["longitude"]
    posted = northwind.post("orders", body).json()
    assert posted["needs_location"] is True
    assert posted["fee"] is None

    placed = northwind.put(f"orders/{posted['code']}/location", {"latitude": 36.1673, "longitude": -115.1787})

    assert placed.json()["needs_location"] is False
    assert placed.json()["fee"] == {"cents": 1099, "currency": "USD"}
    # A door is pinned once: the next order to it is found.
    assert northwind.post("orders", body).json()["needs_location"] is False


def test_a_place_beyond_the_radius_is_refused(northwind: SellerClient, trade: Trade) -> None:
    code = northwind.post("orders", order_body(trade.store)).json()["code"]
    answer = northwind.put(f"orders/{code}/location", {"latitude": 40.7, "longitude": -74.0})
    assert (answer.status_code, answer.json()["code"]) == (422, "not_serviceable")


def test_a_code_is_found_however_it_is_typed(northwind: SellerClient, trade: Trade) -> None:
    code = northwind.post("orders", order_body(trade.store)).json()["code"]
    answer = northwind.get(f"orders/{code[:4].lower()}-{code[4:].lower()}")
    assert answer.json()["code"] == code


def test_recipient_and_window_are_changed_and_the_event_says_what(
    northwind: SellerClient, trade: Trade
) -> None:
    posted = northwind.post("orders", order_body(trade.store)).json()
    later = (timezone.now() + dt.timedelta(hours=6)).isoformat(timespec="seconds")

    changed = northwind.patch(
        f"orders/{posted['code']}",
        {
            "window": {"start": posted["window"]["start"], "end": later},
            "recipient": {"name": "Rosa Q.", "phone": "7025550149"},
            "instructions": "",
        },
    )

    assert changed.status_code == 200, changed.content
    assert changed.json()["recipient"]["phone"] == "+17025550149"
    assert changed.json()["instructions"] == ""
    assert changed.json()["sequence"] == 2
    assert "window_end" in Fact.objects.get(name="order.updated").data["changed"]


def test_what_is_asked_for_at_the_legs_is_changed_while_the_order_waits(
    northwind: SellerClient, trade: Trade
) -> None:
    asked = {"signature": True, "pin": True, "pin_kind": "phone"}
    code = northwind.post("orders", order_body(trade.store, requirements=asked)).json()["code"]

    changed = northwind.patch(
        f"orders/{code}",
        {"requirements": {"signature": False, "minimum_age": 21, "return": {"photo": True}}},
    ).json()["requirements"]
    northwind.patch(f"orders/{code}", {"recipient": {"name": "Rosa Q.", "phone": "7025550149"}})
    order = Order.objects.get()
    northwind.patch(f"orders/{code}", {"requirements": {"pin_kind": "own", "own_pin": "4711"}})

    assert (changed["signature"], changed["minimum_age"], changed["pin_kind"]) == (False, 21, "phone")
    assert changed["return"] == {"photo": True, "signature": False}
    assert order.pin == "0149"
    assert Order.objects.get().pin == "4711"


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"own_pin": "47"}, "requirements.own_pin"),
        ({"own_pin": "4711"}, "requirements.own_pin"),
        ({"minimum_age": 19}, "requirements.minimum_age"),
        ({"photos": True}, "requirements.photos"),
        ({"photo": None}, "requirements.photo"),
    ],
)
def test_requirements_that_cannot_be_are_refused_by_name(
    northwind: SellerClient, trade: Trade, asked: dict[str, Any], named: str
) -> None:
    posted = northwind.post("orders", order_body(trade.store)).json()

    answer = northwind.patch(f"orders/{posted['code']}", {"requirements": asked})

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["field_errors"]] == [named]
    assert northwind.get(f"orders/{posted['code']}").json() == posted


def test_requirements_stand_once_the_order_is_planned(northwind: SellerClient, trade: Trade) -> None:
    code = northwind.post("orders", order_body(trade.store)).json()["code"]
    Order.objects.update(status="planned")

    answer = northwind.patch(f"orders/{code}", {"requirements": {"signature": True}})

    assert (answer.status_code, answer.json()["code"]) == (409, "order_not_changeable")
    assert not Order.objects.get().requires_signature


def test_an_empty_change_is_no_event(northwind: SellerClient, trade: Trade) -> None:
    posted = northwind.post("orders", order_body(trade.store)).json()
    assert northwind.patch(f"orders/{posted['code']}", {}).json() == posted
    assert not Fact.objects.filter(name="order.updated").exists()


def test_a_cancelled_order_is_cancelled_once_and_can_no_longer_be_changed(
    northwind: SellerClient, trade: Trade
) -> None:
    code = northwind.post("orders", order_body(trade.store)).json()["code"]
    first = northwind.put(f"orders/{code}/cancellation", {"reason": "out_of_stock", "note": "Sold"})
    again = northwind.put(f"orders/{code}/cancellation", {"reason": "out_of_stock", "note": "Sold"})
    change = northwind.patch(f"orders/{code}", {"instructions": "Ring"})

    assert first.json()["status"] == "cancelled"
    assert first.json()["cancellation"] == {"by": "seller", "reason": "out_of_stock", "note": "Sold"}
    assert again.json() == first.json()
    assert (change.status_code, change.json()["code"]) == (409, "order_not_changeable")
    assert change.json()["reason"] == "cancelled"
    assert Fact.objects.filter(name="order.cancelled").count() == 1


def test_what_the_driver_holds_cannot_be_cancelled(northwind: SellerClient, trade: Trade) -> None:
    code = northwind.post("orders", order_body(trade.store)).json()["code"]
    Order.objects.filter(code=code).update(status="picked_up", picked_up_at=timezone.now())

    answer = northwind.put(f"orders/{code}/cancellation", {"reason": "other"})

    assert (answer.status_code, answer.json()["code"]) == (409, "cancel_not_allowed")
    assert answer.json()["reason"] == "picked_up"
    assert Order.objects.get(code=code).status == "picked_up"


def test_ready_and_tip(northwind: SellerClient, trade: Trade) -> None:
    code = northwind.post("orders", order_body(trade.store)).json()["code"]

    ready = northwind.put(f"orders/{code}/ready")
    tipped = northwind.put(f"orders/{code}/tip", {"cents": 500})

    assert {parcel["status"] for parcel in ready.json()["parcels"]} == {"ready"}
    assert tipped.json()["tip"] == {"cents": 500, "currency": "USD"}
    assert [fact.name for fact in Fact.objects.filter(name__startswith="order.").oldest_first()] == [
        "order.placed",
        "order.ready",
        "order.tipped",
    ]


def test_the_list_pages_by_cursor_and_filters(northwind: SellerClient, trade: Trade) -> None:
    codes = [
        northwind.post(
            "orders",
            order_body(
                trade.store, external_id=f"N-{n}", recipient={"name": f"Person{n} Lee", "phone": "7025550148"}
            ),
        ).json()["code"]
        for n in range(5)
    ]
    newest = codes[::-1]

    first = northwind.get("orders?limit=2").json()
    second = northwind.get(f"orders?limit=2&cursor={first['next']}").json()
    third = northwind.get(f"orders?limit=2&cursor={second['next']}").json()
    northwind.put(f"orders/{codes[0]}/cancellation", {"reason": "other"})

    def found(query: str) -> list[str]:
        return [row["code"] for row in northwind.get(f"orders?{query}").json()["results"]]

    assert [row["code"] for page in (first, second, third) for row in page["results"]] == newest
    assert third["next"] is None
    assert found("status=cancelled") == [codes[0]]
    assert found("external_id=N-3") == [codes[3]]
    assert found("text=person2") == [codes[2]]
    assert found("text=Lee") == newest
    assert found(f"text={codes[4]}") == [codes[4]]
    assert found(f"store={trade.second_store.code}") == []
    assert found("placed_from=2020-01-01T00:00:00Z") == newest
    assert found("placed_before=2020-01-01T00:00:00Z") == []


def test_the_timeline_tells_who_did_what_and_never_the_pin(northwind: SellerClient, trade: Trade) -> None:
    code = northwind.post("orders", order_body(trade.store, requirements={"pin": True})).json()["code"]
    northwind.put(f"orders/{code}/cancellation", {"reason": "duplicate"})

    answer = northwind.get(f"orders/{code}/timeline")

    entries = answer.json()["results"]
    assert [(row["type"], row["sequence"], row["actor"]) for row in entries] == [
        ("order.placed", 1, {"kind": "seller", "name": "till"}),
        ("order.cancelled", 2, {"kind": "seller", "name": "till"}),
    ]
    assert entries[1]["data"]["reason"] == "duplicate"
    order = Order.objects.get(code=code)
    shown = answer.content + northwind.get(f"orders/{code}").content + northwind.get("events").content
    assert f'"{order.pin}"'.encode() not in shown
    assert b'"pin":true' in shown


def test_labels_are_a_pdf_and_zpl_with_each_parcels_code(northwind: SellerClient, trade: Trade) -> None:
    posted = northwind.post("orders", order_body(trade.store)).json()

    pdf = northwind.get(f"orders/{posted['code']}/labels.pdf")
    zpl = northwind.get(f"orders/{posted['code']}/labels.zpl")

    assert pdf["Content-Type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF-")
    assert zpl.content.count(b"^XA") == 2
    assert all(parcel["code"].encode() in zpl.content for parcel in posted["parcels"])


def test_before_anybody_has_it_there_is_no_courier_and_no_proof(
    northwind: SellerClient, trade: Trade
) -> None:
    code = northwind.post("orders", order_body(trade.store)).json()["code"]
    assert northwind.get(f"orders/{code}/courier").json() == {
        "courier": None,
        "position": None,
        "eta_at": None,
    }
    proof = northwind.get(f"orders/{code}/proof").json()
    assert (proof["order"], proof["status"], proof["delivery"]) == (code, "placed", None)
    assert {parcel["custodian"] for parcel in proof["parcels"]} == {"store"}
    nothing = ("attempts", "handovers", "incidents", "scans")
    assert {name: proof[name] for name in nothing} == {name: [] for name in nothing}
    assert northwind.get(f"orders/{code}/proof/photo").status_code == 404


def test_serviceability_says_yes_with_a_price_or_no_with_reasons(
    northwind: SellerClient, trade: Trade
) -> None:
    door = order_body(trade.store)["dropoff"]
    yes = northwind.post("serviceability", {"store": trade.store.code, "dropoff": door})
    far = northwind.post("serviceability", {"store": trade.store.code, "dropoff": door | {"latitude": 37.9}})

    assert yes.json()["serviceable"] is True
    assert yes.json()["fee"] == {"cents": 899, "currency": "USD"}
    assert far.json()["serviceable"] is False
    assert [reason["code"] for reason in far.json()["reasons"]] == ["not_serviceable"]
    assert nothing_happened()


def test_a_paused_store_takes_no_orders(northwind: SellerClient, trade: Trade) -> None:
    Store.objects.filter(pk=trade.store.pk).update(paused_until=timezone.now() + dt.timedelta(hours=1))
    answer = northwind.post("orders", order_body(trade.store))
    assert answer.status_code == 400
    assert answer.json()["field_errors"][0]["code"] == "store_paused"
    assert nothing_happened()


@pytest.mark.parametrize(
    ("stop", "status", "code"),
    [({}, 422, "wrong_driver_code"), ({"stop": "ZZZZZZZZZ"}, 404, "stop_not_found")],
)
def test_a_driver_code_that_nobody_has_confirms_nothing(
    northwind: SellerClient, stop: dict[str, str], status: int, code: str
) -> None:
    answer = northwind.post("handovers", {"driver_code": "123456", **stop})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Handover.objects.exists()


def test_a_label_that_is_due_nowhere_is_404_at_the_returns_counter(northwind: SellerClient) -> None:
    answer = northwind.post("returns/scans", {"code": "P2345678", "client_event_id": "1"})
    assert answer.status_code == 404
