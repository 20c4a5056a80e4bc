"""Booking a delivery slot: free places, holds, orders, and never one too many."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core import signing
from django.db import IntegrityError, transaction

from deliveries import keeping, posting, promising, quoting, slots
from deliveries.models import Order, Quote, Slot, SlotHold, SlotRule
from retaildelivery.testing.afternoon import HOUR, MINUTE, NOW, TOLD_BY_STAFF, good_draft
from retaildelivery.testing.racing import at_once
from retaildelivery.testing.sellers import SellerClient, Trade, make_trade, order_body

TUESDAY = dt.date(2026, 11, 24)  # NOW is ten in the morning of it


def rule(mall, **changes: Any) -> SlotRule:
    terms = {
        "mall": mall,
        "weekdays": [0, 1, 2, 3, 4, 5, 6],
        "starts": dt.time(14),
        "ends": dt.time(16),
        "capacity": 2,
        "price_cents": 250,
        "valid_from": dt.date(2026, 1, 1),
    }
    return SlotRule.objects.create(**terms | changes)


def code_of(made: SlotRule, day: dt.date = TUESDAY) -> str:
    return f"{made.code}.{day}"


def hold(afternoon, made, *, at=NOW, day=TUESDAY):
    return slots.hold(slot_code=code_of(made, day), store=afternoon.bookshop, at=at)


def into(held, *, at=NOW, **changes):
    return quoting.post_into_slot(
        hold_code=held.code,
        scope=SlotHold.objects.all(),
        draft=good_draft(**changes),
        actor=TOLD_BY_STAFF,
        at=at,
    )


def taken() -> int:
    return Slot.objects.get().taken


def test_a_days_slots_are_by_the_malls_clock_with_cutoff_price_and_room(afternoon):
    made = rule(afternoon.fashion_show)
    rule(afternoon.fashion_show, weekdays=[5, 6])
    rule(afternoon.fashion_show, store=afternoon.shoes)
    rule(afternoon.chandler)

    [slot] = slots.of_day(store=afternoon.bookshop, day=TUESDAY, at=NOW)

    assert (slot.code, slot.left, slot.price_cents) == (code_of(made), 2, 250)
    assert (slot.start, slot.end) == (NOW + 4 * HOUR, NOW + 6 * HOUR)
    assert slot.closes_at == NOW + 3 * HOUR
    assert slot.may_be_booked(NOW + 3 * HOUR - MINUTE)
    assert not slot.may_be_booked(NOW + 3 * HOUR)


def test_a_place_is_held_then_confirmed_by_an_order_that_gets_window_and_price(afternoon):
    held = hold(afternoon, rule(afternoon.fashion_show))

    order = into(held)

    order = Order.objects.get(pk=order.pk)
    assert (order.window.lower, order.window.upper) == (NOW + 4 * HOUR, NOW + 6 * HOUR)
    assert (order.slot_cents, order.fee_cents) == (250, 1_099 + 250)
    held.refresh_from_db()
    assert (held.order, held.confirmed_at, taken()) == (order, NOW, 1)


def test_a_full_slot_refuses_and_a_place_given_back_is_free_again(afternoon):
    made = rule(afternoon.fashion_show)
    first, _second = hold(afternoon, made), hold(afternoon, made)
    with pytest.raises(slots.SlotFull):
        hold(afternoon, made)

    for _time in range(2):
        slots.revoke(code=first.code, scope=SlotHold.objects.all(), at=NOW)

    assert taken() == 1
    hold(afternoon, made)
    assert taken() == 2


def test_a_hold_ends_on_the_dot_and_its_place_goes_to_the_next_without_any_sweep(afternoon):
    made = rule(afternoon.fashion_show, capacity=1)
    held = hold(afternoon, made)
    with pytest.raises(slots.SlotFull):
        hold(afternoon, made, at=held.expires_at - MINUTE)

    hold(afternoon, made, at=held.expires_at)

    with pytest.raises(slots.HoldExpired):
        into(held, at=held.expires_at)
    assert (taken(), Order.objects.count()) == (1, 0)


def test_the_sweep_gives_back_what_ran_out_once(afternoon):
    made = rule(afternoon.fashion_show)
    into(hold(afternoon, made))
    hold(afternoon, made)

    assert [slots.expire(at=NOW + HOUR), slots.expire(at=NOW + HOUR)] == [1, 0]
    assert taken() == 1


def test_a_cancelled_order_gives_its_place_back(afternoon):
    order = into(hold(afternoon, rule(afternoon.fashion_show)))

    for _time in range(2):
        posting.cancel(
            order_code=order.code,
            scope=Order.objects.all(),
            reason="other",
            note="",
            actor=TOLD_BY_STAFF,
            at=NOW,
        )

    assert taken() == 0


def test_a_place_is_for_one_order(afternoon):
    held = hold(afternoon, rule(afternoon.fashion_show))
    first = into(held)

    with pytest.raises(slots.HoldUsed) as refusal:
        into(held)

    assert (refusal.value.reason, Order.objects.count()) == (first.code, 1)
    with pytest.raises(slots.HoldUsed):
        slots.revoke(code=held.code, scope=SlotHold.objects.all(), at=NOW)


@pytest.mark.parametrize(
    ("at", "day", "refusal"),
    [
        (NOW + 3 * HOUR, TUESDAY, slots.SlotClosed),
        (NOW, TUESDAY + dt.timedelta(days=4), slots.SlotTooEarly),
        (NOW, dt.date(2025, 1, 1), slots.SlotUnknown),
    ],
)
def test_a_slot_is_booked_between_its_opening_and_its_cutoff(afternoon, at, day, refusal):
    made = rule(afternoon.fashion_show)

    with pytest.raises(refusal):
        hold(afternoon, made, at=at, day=day)

    assert not SlotHold.objects.exists()


@pytest.mark.parametrize("nonsense", ["", "L234567", "L234567.2026-13-99", "x.2026-11-24"])
def test_nonsense_is_no_slot(afternoon, nonsense: str):
    with pytest.raises(slots.SlotUnknown):
        slots.hold(slot_code=nonsense, store=afternoon.bookshop, at=NOW)


def test_the_night_the_clock_goes_back_is_an_hour_longer(afternoon):
    made = rule(afternoon.fashion_show, starts=dt.time(0), ends=dt.time(4))

    [slot] = slots.of_day(store=afternoon.bookshop, day=dt.date(2026, 11, 1), at=NOW)

    assert slot.code == code_of(made, dt.date(2026, 11, 1))
    assert slot.end.astimezone(dt.UTC) - slot.start.astimezone(dt.UTC) == 5 * HOUR


def test_less_room_than_is_taken_throws_nobody_out(afternoon):
    made = rule(afternoon.fashion_show)
    hold(afternoon, made), hold(afternoon, made)
    SlotRule.objects.update(capacity=1)

    with pytest.raises(slots.SlotFull):
        hold(afternoon, made)
    assert taken() == 2


def test_the_database_does_not_oversell(afternoon):
    hold(afternoon, rule(afternoon.fashion_show))

    with pytest.raises(IntegrityError, match="a_slot_is_never_oversold"), transaction.atomic():
        Slot.objects.update(taken=3)


# -- Fifty buyers


def fifty_buyers():
    trade = make_trade()
    made = rule(trade.mall, capacity=7)
    return at_once(*[lambda: slots.hold(slot_code=code_of(made), store=trade.store, at=NOW)] * 50)


def names(outcomes) -> list[str]:
    return [type(outcome).__name__ for outcome in outcomes]


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_fifty_buyers_at_once_get_exactly_the_places_there_are():
    outcomes = names(fifty_buyers())

    assert (outcomes.count("SlotHold"), outcomes.count("SlotFull")) == (7, 43)
    assert (taken(), SlotHold.objects.count()) == (7, 7)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_without_the_slots_lock_fifty_buyers_get_more_places_than_are_counted(monkeypatch):
    monkeypatch.setattr(
        "deliveries.locks.slot", lambda rule, day: Slot.objects.select_related("rule").get(rule=rule, day=day)
    )

    fifty_buyers()

    assert SlotHold.objects.count() > taken()


# -- Promises


def promised(afternoon, **more):
    changes = {"recipient_name": "", "recipient_phone": ""}
    return promising.promise(
        store=afternoon.bookshop,
        draft=good_draft(**changes | more),
        slot_code=more.pop("slot_code", ""),
        at=NOW,
    )


def redeem(token, draft=None, *, at=NOW):
    return promising.redeem(token=token, scope=Quote.objects.all(), draft=draft, actor=TOLD_BY_STAFF, at=at)


def test_a_promise_is_price_slot_and_window_in_one_signed_value(afternoon):
    made = rule(afternoon.fashion_show, price_cents=0)

    promise = promised(afternoon, window_start=None, window_end=None)

    said = promising.read(promise.token)
    assert (said["cents"], said["slot"], said["store"]) == (1_099, code_of(made), afternoon.bookshop.code)
    assert (said["start"], said["end"]) == ("2026-11-24T22:00:00.000Z", "2026-11-25T00:00:00.000Z")
    assert taken() == 1
    order = redeem(promise.token, good_draft(window_start=NOW + 4 * HOUR, window_end=NOW + 6 * HOUR))
    assert (order.quote, order.slot_hold.slot.taken) == (promise.quote, 1)


def test_without_slots_a_promise_is_the_first_window_that_a_driver_can_keep(afternoon):
    promise = promised(afternoon, window_start=None, window_end=None)

    said = quoting.draft_of(promise.quote)
    assert (said.window_start, said.window_end) == (NOW + HOUR, NOW + 3 * HOUR)


def test_a_promise_that_was_changed_is_none(afternoon):
    token = promised(afternoon).token
    forged = signing.dumps({"quote": "Q23456789"}, salt="another")

    for wrong in (token[:-1] + ("A" if token[-1] != "A" else "B"), forged, "", "ünïcode"):
        with pytest.raises(promising.PromiseInvalid):
            redeem(wrong)
    assert not Order.objects.exists()


def test_promises_are_reported_kept_or_broken_by_store(afternoon):
    orders = [redeem(promised(afternoon).token, good_draft(external_id=str(n))) for n in range(5)]
    promised(afternoon)
    late, kept, void = orders[0], orders[1], orders[2]
    manifest = afternoon.on_route(kept, late)
    doors = manifest.stops.filter(kind="dropoff").order_by("position")
    afternoon.deliver(doors[0])
    Order.objects.filter(pk=late.pk).update(delivered_at=late.window.upper)
    posting.cancel(
        order_code=void.code, scope=Order.objects.all(), reason="other", note="", actor=TOLD_BY_STAFF, at=NOW
    )

    def told(at):
        [row] = keeping.report(
            stores=type(afternoon.bookshop).objects.all(), since=NOW, before=NOW + MINUTE, at=at
        )
        return (row.made, row.redeemed, row.open, row.kept, row.broken, row.void, row.kept_percent)

    assert told(NOW) == (6, 5, 2, 1, 1, 1, 50)
    assert told(NOW + 5 * HOUR) == (6, 5, 0, 1, 3, 1, 25)


# -- Over the API


def test_slots_are_listed_held_used_and_given_back_over_the_api(
    northwind: SellerClient, trade: Trade
) -> None:
    rule(trade.mall, starts=dt.time(2), ends=dt.time(23, 30))
    tomorrow = dt.datetime.now(trade.mall.zone).date() + dt.timedelta(days=1)

    [slot] = northwind.get(f"slots?mall={trade.mall.code}&date={tomorrow}").json()["results"]
    assert (slot["bookable"], slot["left"], slot["price"]["cents"]) == (True, 2, 250)

    held = northwind.post("slot-holds", {"store": trade.store.code, "slot": slot["slot"]})
    assert (held.status_code, held.json()["state"]) == (201, "held")
    body = order_body(trade.store, slot_hold=held.json()["code"])
    del body["window"]
    order = northwind.post("orders", body)
    assert order.status_code == 201, order.content
    assert order.json()["window"] == held.json()["window"]
    shown = northwind.get(f"slot-holds/{held.json()['code']}").json()
    assert (shown["state"], shown["order"]) == ("confirmed", order.json()["code"])

    other = northwind.post("slot-holds", {"store": trade.store.code, "slot": slot["slot"]}).json()["code"]
    full = northwind.post("slot-holds", {"store": trade.store.code, "slot": slot["slot"]})
    assert (full.status_code, full.json()["code"]) == (409, "slot_full")
    assert [northwind.delete(f"slot-holds/{other}").status_code for _time in range(2)] == [204, 204]
    assert northwind.get(f"slot-holds/{other}").status_code == 404


def test_a_promise_is_made_redeemed_and_reported_over_the_api(northwind: SellerClient, trade: Trade) -> None:
    body = order_body(trade.store)
    asked = {name: body[name] for name in ("store", "window", "dropoff", "parcels")}

    made = northwind.post("promises", asked)
    assert (made.status_code, made.json()["slot"]) == (201, None)
    order = northwind.post("orders", {"promise": made.json()["token"], "recipient": body["recipient"]})
    again = northwind.post("orders", {"promise": made.json()["token"], "recipient": body["recipient"]})

    assert (order.status_code, order.json()["quote"]) == (201, made.json()["code"])
    assert (again.json()["code"], again.json()["reason"]) == ("quote_used", order.json()["code"])
    [row] = northwind.get("promises/report").json()["results"]
    assert (row["store"], row["made"], row["redeemed"], row["open"]) == (trade.store.code, 1, 1, 1)


def test_another_sellers_place_is_as_if_it_did_not_exist(
    northwind: SellerClient, southgate: SellerClient, trade: Trade
) -> None:
    rule(trade.mall, starts=dt.time(2), ends=dt.time(23, 30))
    tomorrow = dt.datetime.now(trade.mall.zone).date() + dt.timedelta(days=1)
    [slot] = northwind.get(f"slots?mall={trade.mall.code}&date={tomorrow}").json()["results"]
    held = northwind.post("slot-holds", {"store": trade.store.code, "slot": slot["slot"]}).json()["code"]

    assert southgate.get(f"slot-holds/{held}").status_code == 404
    assert southgate.delete(f"slot-holds/{held}").status_code == 404
    assert SlotHold.objects.get().released_at is None
