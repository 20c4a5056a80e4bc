"""A price that is held, and the order that is posted from it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import threading
from decimal import Decimal
from typing import Any

import pytest

from deliveries import charging, fees, posting, quoting
from deliveries.fees import FeeKind
from deliveries.models import FeePolicy, Order, Quote
from retaildelivery.lib.geo import Point
from retaildelivery.outbox.models import Fact
from retaildelivery.testing.afternoon import HOUR, MINUTE, NOW, TOLD_BY_STAFF, good_draft, nothing_changes
from retaildelivery.testing.racing import at_once
from retaildelivery.testing.sellers import SellerClient, Trade, order_body
from stores.models import StoreHours


def quoted(store, **changes):
    return quoting.quote(store=store, draft=good_draft(**changes), at=NOW)


def accept(quote, draft=None, *, at=NOW, scope=None):
    return quoting.accept(
        quote_code=quote.code,
        scope=Quote.objects.all() if scope is None else scope,
        draft=draft,
        actor=TOLD_BY_STAFF,
        at=at,
    )


# -- Asking


def test_a_quote_holds_the_price_of_the_day_with_its_lines_for_fifteen_minutes(afternoon):
    quote = quoted(afternoon.bookshop)

    assert (quote.fee_cents, quote.distance_m, quote.fee_policy) == (1_099, 6_217, afternoon.policy)
    assert [(line["kind"], line["cents"]) for line in quote.lines] == [("base", 899), ("size", 200)]
    assert (quote.created_at, quote.expires_at, quote.used_at) == (NOW, NOW + 15 * MINUTE, None)
    assert quote.pickup_at < quote.dropoff_at
    assert quote.dropoff_at == NOW + 2 * HOUR


def test_who_receives_it_may_be_left_for_the_order(afternoon):
    quote = quoted(afternoon.bookshop, recipient_name="", recipient_phone="")

    assert (quoting.draft_of(quote).recipient_name, quote.fee_cents) == ("", 1_099)


def test_a_quote_for_a_door_that_nobody_knows_is_refused(afternoon):
    with nothing_changes(), pytest.raises(quoting.LocationUnknown):
        quoted(afternoon.bookshop, line1="1 Nowhere", point=None)
    assert not Quote.objects.exists()


def test_a_window_that_nobody_can_keep_is_refused_with_the_earliest_time(afternoon):
    with pytest.raises(quoting.CannotDeliver) as refusal:
        quoted(afternoon.bookshop, window_start=NOW, window_end=NOW + 31 * MINUTE)

    assert [(e.field, e.code) for e in refusal.value.errors] == [("window.end", "out_of_reach")]
    assert not Quote.objects.exists()


def test_a_store_that_is_closed_until_the_window_has_ended_is_a_reason(afternoon):
    for day in range(7):
        StoreHours.objects.create(
            store=afternoon.bookshop, weekday=day, opens=dt.time(20), closes=dt.time(21)
        )

    with pytest.raises(quoting.CannotDeliver) as refusal:
        quoted(afternoon.bookshop)

    assert refusal.value.reason == "store_closed"


def test_a_tax_is_a_line_of_its_own_on_everything_before_it(afternoon):
    FeePolicy.objects.update(tax_name="Nevada sales tax", tax_percent=Decimal("8.375"))

    quote = quoted(afternoon.bookshop)

    assert quote.lines[-1] | {"rule": ""} == {
        "kind": "tax",
        "cents": 92,
        "text": "Nevada sales tax, 8.375 %",
        "rule": "",
    }
    assert quote.fee_cents == 1_099 + 92


def test_cancelling_and_returning_are_shares_before_tax_with_the_tax_on_them(afternoon):
    FeePolicy.objects.update(tax_name="Tax", tax_percent=Decimal(10))
    order = Order.objects.select_related("fee_policy").get(pk=afternoon.place().pk)

    assert [(line.kind, line.cents) for line in charging.returning(order)] == [
        (FeeKind.RETURN, 659),
        (FeeKind.TAX, 66),
    ]
    assert fees.total_cents(charging.cancelling(order, status="assigned")) == 330 + 33


# -- Taking it up


def test_an_order_from_a_quote_has_the_price_that_was_held_whatever_the_list_says_now(afternoon):
    quote = quoted(afternoon.bookshop)
    FeePolicy.objects.create(
        code="dearer",
        market=afternoon.fashion_show.market,
        base_cents=9_900,
        base_distance_m=1,
        mile_cents=900,
        valid_from=NOW.date(),
    )

    order = accept(quote, at=NOW + 14 * MINUTE)

    order = Order.objects.get(pk=order.pk)
    assert (order.fee_cents, order.fee_policy, order.quote) == (1_099, afternoon.policy, quote)
    assert Quote.objects.get().used_at == NOW + 14 * MINUTE
    assert Fact.objects.get(name="order.placed").data["order"]["quote"] == quote.code


def test_a_quote_expires_on_the_dot(afternoon):
    quote = quoted(afternoon.bookshop)

    with nothing_changes(), pytest.raises(quoting.QuoteExpired):
        accept(quote, at=quote.expires_at)

    assert Quote.objects.get().used_at is None


def test_a_quote_is_used_once_and_the_second_is_told_by_which_order(afternoon):
    quote = quoted(afternoon.bookshop)
    first = accept(quote)

    with nothing_changes(), pytest.raises(quoting.QuoteUsed) as refusal:
        accept(quote)

    assert refusal.value.reason == first.code


def test_the_same_external_id_again_is_the_first_order_and_no_second_use(afternoon):
    quote = quoted(afternoon.bookshop, external_id="A-1")
    first = accept(quote)

    assert accept(quote).pk == first.pk


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"line1": "9 Elsewhere St"}, "dropoff.line1"),
        ({"point": Point(36.2, -115.2)}, "dropoff"),
        ({"window_start": NOW + 3 * HOUR}, "window.start"),
        ({"window_end": NOW + 5 * HOUR}, "window.end"),
        ({"parcels": good_draft().parcels[:1]}, "parcels"),
    ],
)
def test_what_the_price_hangs_on_must_be_as_quoted(afternoon, changes: dict[str, Any], field: str):
    quote = quoted(afternoon.bookshop)

    with nothing_changes(), pytest.raises(quoting.QuoteMismatch) as refusal:
        accept(quote, good_draft(**changes))

    assert (refusal.value.field, Quote.objects.get().used_at) == (field, None)


def test_what_the_price_does_not_hang_on_may_be_otherwise(afternoon):
    quote = quoted(afternoon.bookshop)

    order = accept(quote, good_draft(tip_cents=500, recipient_name="Ana Ruiz", requires_pin=True))

    assert (order.tip_cents, order.recipient_name, order.requires_pin) == (500, "Ana Ruiz", True)


def test_another_sellers_quote_is_not_found(afternoon):
    quote = quoted(afternoon.bookshop)

    with nothing_changes(), pytest.raises(quoting.QuoteNotFound):
        accept(quote, scope=Quote.objects.none())


def race(afternoon, buyers: int = 8):
    quote = quoted(afternoon.bookshop)
    return at_once(*[lambda: accept(quote)] * buyers)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_of_eight_who_take_up_a_quote_at_once_one_has_it(afternoon):
    outcomes = race(afternoon)

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Order"] + ["QuoteUsed"] * 7
    assert Order.objects.count() == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_without_its_lock_a_quote_is_taken_up_by_several_and_only_the_constraint_stands(
    afternoon, monkeypatch
):
    everybody_has_looked = threading.Barrier(8)

    def unlocked(pk):
        found = Quote.objects.get(pk=pk)
        everybody_has_looked.wait(20)
        return found

    monkeypatch.setattr("deliveries.locks.quote", unlocked)

    outcomes = race(afternoon)

    assert "IntegrityError" in {type(outcome).__name__ for outcome in outcomes}
    assert Order.objects.count() == 1


# -- Over the API


def quote_body(trade: Trade) -> dict[str, Any]:
    body = order_body(trade.store)
    return {name: body[name] for name in ("store", "window", "dropoff", "parcels")}


def test_a_quote_over_the_api_and_the_order_that_leaves_out_what_it_says(
    northwind: SellerClient, trade: Trade
) -> None:
    quote = northwind.post("quotes", quote_body(trade))
    assert quote.status_code == 201, quote.content
    shown = quote.json()
    assert shown["fee"] == {"cents": 1_099, "currency": "USD"}
    assert shown["tax"] == {"cents": 0, "currency": "USD"}
    assert shown["lines"][0]["text"] == "Delivery up to 5 miles"
    assert (shown["used_at"], shown["order"]) == (None, None)

    recipient = {"name": "Rosa Quintero", "phone": "+1 702 555 0148"}
    order = northwind.post("orders", {"quote": shown["code"], "recipient": recipient})

    assert order.status_code == 201, order.content
    assert (order.json()["quote"], order.json()["fee"]["cents"]) == (shown["code"], 1_099)
    assert northwind.get(f"quotes/{shown['code'].lower()}").json()["order"] == order.json()["code"]


def test_the_refusals_of_a_quote_have_codes_of_their_own(northwind: SellerClient, trade: Trade) -> None:
    code = northwind.post("quotes", quote_body(trade)).json()["code"]
    recipient = {"name": "Rosa Quintero", "phone": "+1 702 555 0148"}
    dropoff = quote_body(trade)["dropoff"] | {"postal_code": "89109"}

    mismatch = northwind.post("orders", {"quote": code, "recipient": recipient, "dropoff": dropoff})
    elsewhere = northwind.post(
        "orders", {"quote": code, "recipient": recipient, "store": trade.second_store.code}
    )
    first = northwind.post("orders", {"quote": code, "recipient": recipient})
    used = northwind.post("orders", {"quote": code, "recipient": recipient})
    past = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    Quote.objects.update(created_at=past, expires_at=past + HOUR, used_at=None)
    Order.objects.update(quote=None)
    expired = northwind.post("orders", {"quote": code, "recipient": recipient})

    assert (mismatch.status_code, mismatch.json()["code"], mismatch.json()["reason"]) == (
        422, "quote_mismatch", "dropoff.postal_code",
    )  # fmt: skip
    assert (elsewhere.json()["code"], elsewhere.json()["reason"]) == ("quote_mismatch", "store")
    assert (used.status_code, used.json()["code"], used.json()["reason"]) == (
        409, "quote_used", first.json()["code"],
    )  # fmt: skip
    assert (expired.status_code, expired.json()["code"]) == (409, "quote_expired")


def test_another_sellers_quote_is_as_if_it_did_not_exist(
    northwind: SellerClient, southgate: SellerClient, trade: Trade
) -> None:
    code = northwind.post("quotes", quote_body(trade)).json()["code"]
    recipient = {"name": "Rosa Quintero", "phone": "+1 702 555 0148"}

    assert southgate.get(f"quotes/{code}").status_code == 404
    stolen = southgate.post("orders", {"quote": code, "recipient": recipient})
    assert (stolen.status_code, stolen.json()["code"]) == (404, "quote_not_found")


def test_without_a_quote_an_order_still_needs_it_all(northwind: SellerClient, trade: Trade) -> None:
    answer = northwind.post("orders", {"store": trade.store.code})

    assert answer.status_code == 400
    assert {(e["field"], e["code"]) for e in answer.json()["field_errors"]} == {
        (name, "required") for name in ("window", "recipient", "dropoff", "parcels")
    }


def test_serviceability_says_when_and_of_what_the_fee_consists(northwind: SellerClient, trade: Trade) -> None:
    body = quote_body(trade)

    answer = northwind.post("serviceability", body).json()

    assert (answer["serviceable"], answer["reasons"]) == (True, [])
    assert [line["kind"] for line in answer["lines"]] == ["base", "size"]
    assert answer["pickup_at"] < answer["dropoff_at"]
    assert not Quote.objects.exists()


def test_a_draft_survives_being_kept(afternoon):
    quote = quoted(afternoon.bookshop, external_id="A-9", tip_cents=300, minimum_age=21)

    kept = quoting.draft_of(Quote.objects.get(pk=quote.pk))

    expected = good_draft(external_id="A-9", tip_cents=300, minimum_age=21, recipient_phone="+17025550148")
    assert kept == dataclasses.replace(expected, address=kept.address)
    assert kept.address.point == expected.address.point
    assert posting.digest_of(kept, afternoon.bookshop) == posting.digest_of(expected, afternoon.bookshop)
