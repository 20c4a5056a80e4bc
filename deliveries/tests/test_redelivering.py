"""Trying again what came back, and what acting on an order would cost."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from deliveries import actions, posting, redelivering, revising
from deliveries.drafts import DraftInvalid, ItemDraft
from deliveries.models import Order, Stop
from deliveries.snapshots import with_all
from retaildelivery.lib.geo import Point
from retaildelivery.outbox.models import Fact
from retaildelivery.testing.afternoon import HOUR, MINUTE, NOW, TOLD_BY_STAFF, nothing_changes, stops_of
from retaildelivery.testing.racing import at_once
from retaildelivery.testing.sellers import SellerClient
from stores import keys
from stores.models import ApiKey


def returned(afternoon, **changes) -> Order:
    order = afternoon.place(**changes)
    manifest = afternoon.on_route(order)
    afternoon.fail(stops_of(manifest, Stop.Kind.DROPOFF)[0])
    [back] = stops_of(manifest, Stop.Kind.RETURN)
    afternoon.hand_over(back)
    for parcel in order.parcels.all():
        afternoon.scan(back, parcel)
    return Order.objects.get(pk=order.pk)


def again(order, **changes):
    window = {"window_start": NOW + 5 * HOUR, "window_end": NOW + 7 * HOUR}
    return redelivering.redeliver(
        order_code=order.code,
        scope=Order.objects.all(),
        changes=window | changes,
        actor=TOLD_BY_STAFF,
        at=NOW,
    )


def test_what_came_back_is_tried_again_as_a_new_order_that_names_the_first(afternoon):
    first = returned(afternoon, external_id="A-1", tip_cents=300, items=(ItemDraft(name="Lamp"),))
    assert first.status == "returned"

    order = again(first, instructions="Ring twice")

    order = Order.objects.get(pk=order.pk)
    assert (order.redelivery_of, order.status, order.external_id) == (first, "placed", "")
    assert (order.recipient_name, order.instructions, order.tip_cents) == ("Rosa Quintero", "Ring twice", 0)
    assert [item["name"] for item in order.items] == ["Lamp"]
    assert (order.window.lower, order.fee_cents, order.parcels.count()) == (NOW + 5 * HOUR, 1_099, 2)
    told = Fact.objects.filter(name="order.placed").order_by("-pk")[0]
    assert told.data["order"]["redelivery_of"] == first.code


def test_only_what_came_back_is_tried_again(afternoon):
    order = afternoon.place()

    with nothing_changes(), pytest.raises(redelivering.RedeliveryNotAllowed) as refusal:
        again(order)

    assert refusal.value.reason == "placed"


def test_it_is_tried_once_at_a_time_and_again_after_a_cancellation(afternoon):
    first = returned(afternoon)
    second = again(first)
    with nothing_changes(), pytest.raises(redelivering.AlreadyRedelivered) as refusal:
        again(first)
    assert refusal.value.reason == second.code
    posting.cancel(
        order_code=second.code,
        scope=Order.objects.all(),
        reason="other",
        note="",
        actor=TOLD_BY_STAFF,
        at=NOW,
    )

    assert again(first).pk != second.pk


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_of_four_who_try_it_again_at_once_one_does(afternoon):
    first = returned(afternoon)

    outcomes = at_once(*[lambda: again(first)] * 4)

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["AlreadyRedelivered"] * 3 + ["Order"]
    assert Order.objects.filter(redelivery_of=first).count() == 1


# -- Prices before


def prices(order, *, at=NOW, door=None):
    fresh = with_all(Order.objects.filter(pk=order.pk)).get()
    return {each.name: each for each in actions.of(fresh, at=at, door=door)}


def test_cancelling_is_free_while_the_order_waits_and_says_what_it_may_cost_soon(afternoon):
    order = afternoon.place()

    cancel = prices(order)["cancel"]

    assert (cancel.allowed, cancel.cents, cancel.later_cents, cancel.until) == (True, 0, 0, None)


def test_with_a_driver_coming_the_price_stands_until_they_are_at_the_counter(afternoon):
    order = afternoon.place()
    manifest = afternoon.loading(order)
    [pickup] = stops_of(manifest, Stop.Kind.PICKUP)

    early, late = prices(order)["cancel"], prices(order, at=pickup.eta_at - MINUTE)["cancel"]

    assert (early.cents, early.until, early.later_cents) == (330, pickup.eta_at, 330)
    assert (late.cents, late.later_cents) == (330, 659)


def test_once_picked_up_it_cannot_be_cancelled_and_the_way_back_has_a_price(afternoon):
    order = afternoon.place()
    afternoon.on_route(order)

    told = prices(order)

    assert (told["cancel"].allowed, told["cancel"].reason) == (False, "picked_up")
    assert (told["return"].cents, told["return"].reason) == (659, "only_when_undeliverable")
    assert not told["retime"].allowed


def test_what_came_back_has_a_price_for_another_try(afternoon):
    assert prices(returned(afternoon))["redeliver"].cents == 1_099


def test_another_address_costs_the_difference(afternoon):
    order = afternoon.place()

    assert prices(order)["change_address"].cents is None
    assert prices(order, door=Point(36.24, -115.1723))["change_address"].cents == 720
    assert prices(order, door=Point(40.0, -115.0))["change_address"].reason == "not_serviceable"


# -- PINs


@pytest.mark.parametrize(("kind", "own", "expected"), [("phone", "", "0148"), ("own", "4711", "4711")])
def test_a_pin_is_of_the_kind_that_was_asked_for(afternoon, kind: str, own: str, expected: str):
    order = afternoon.place(requires_pin=True, pin_kind=kind, own_pin=own)

    assert Order.objects.get(pk=order.pk).pin == expected
    assert expected not in str(Fact.objects.get(name="order.placed").data["order"]["requirements"])


@pytest.mark.parametrize(
    ("kind", "own", "code"), [("own", "12", "invalid"), ("own", "", "invalid"), ("random", "1234", "not_own")]
)
def test_a_pin_that_is_none_is_refused(afternoon, kind: str, own: str, code: str):
    with nothing_changes(), pytest.raises(DraftInvalid) as refusal:
        afternoon.place(requires_pin=True, pin_kind=kind, own_pin=own)

    assert refusal.value.errors[0].code == code


# -- Tips


def test_after_the_delivery_the_tip_is_changed_once(afternoon):
    order = afternoon.place()
    manifest = afternoon.on_route(order)
    afternoon.deliver(stops_of(manifest, Stop.Kind.DROPOFF)[0])

    def tip(cents):
        return revising.tip(
            order_code=order.code, scope=Order.objects.all(), cents=cents, actor=TOLD_BY_STAFF, at=NOW
        )

    tip(500)
    assert tip(500).tip_cents == 500
    with nothing_changes(), pytest.raises(posting.TipAlreadyChanged):
        tip(700)


# -- At the store's door


@pytest.fixture
def clerk(afternoon) -> Client:
    client = Client()
    client.force_login(afternoon.sam, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def test_the_store_tries_it_again_from_the_orders_page(afternoon, clerk):
    first = returned(afternoon)
    page = reverse("deliveries:store_order", args=[first.code])
    assert "Try it again" in clerk.get(page).content.decode()
    soon = timezone.localtime(timezone.now() + HOUR, afternoon.fashion_show.zone)
    window = {
        "window_start": f"{soon:%Y-%m-%dT%H:%M}",
        "window_end": f"{soon + 2 * HOUR:%Y-%m-%dT%H:%M}",
    }

    answer = clerk.post(reverse("deliveries:store_order_again", args=[first.code]), window)

    order = Order.objects.get(redelivery_of=first)
    assert (answer.status_code, answer["Location"]) == (302, f"/store/orders/{order.code}/")
    assert order.window.lower == soon.replace(second=0, microsecond=0)
    twice = clerk.post(reverse("deliveries:store_order_again", args=[first.code]), window)
    assert (twice.status_code, Order.objects.filter(redelivery_of=first).count()) == (409, 1)


def test_by_the_api_it_is_tried_again_once(afternoon):
    first = returned(afternoon)
    issued = keys.issue(
        seller=first.store.seller,
        name="till",
        scopes=[ApiKey.Scope.ORDERS_WRITE],
        actor=TOLD_BY_STAFF,
        at=NOW,
    )
    client = SellerClient(issued.secret)
    soon = timezone.now()
    body = {
        "window": {"start": (soon + HOUR).isoformat(), "end": (soon + 3 * HOUR).isoformat()},
        "instructions": "Ring twice",
    }

    made = client.post(f"orders/{first.code}/redelivery", body)
    twice = client.post(f"orders/{first.code}/redelivery", body)

    assert (made.status_code, made.json()["redelivery_of"]) == (201, first.code), made.content
    assert (twice.status_code, twice.json()["code"]) == (409, "already_redelivered")
    assert twice.json()["reason"] == made.json()["code"]


def test_the_store_takes_the_proof_away_and_strangers_do_not(afternoon, clerk):
    first = returned(afternoon)

    assert clerk.get(reverse("deliveries:store_order_proof", args=[first.code])).content[:5] == b"%PDF-"
    strange = Client()
    strange.force_login(afternoon.mia, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert strange.get(reverse("deliveries:store_order_proof", args=[first.code])).status_code == 404


def test_the_price_of_cancelling_is_told_before_it_is_done(afternoon, clerk):
    order = afternoon.place()
    page = reverse("deliveries:store_order", args=[order.code])
    assert "It costs nothing now." in clerk.get(page).content.decode()
    afternoon.loading(order)

    assert "It costs $3.30 now." in clerk.get(page).content.decode()
