"""The counter's form for a new order: a place in a slot is held while it is open, and what was bought is listed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.test import Client

from deliveries.models import Order, Slot, SlotHold, SlotRule
from deliveries.tests.test_store_pages import ANSWERS, signed_in
from retaildelivery.testing.afternoon import NOW, Afternoon

pytestmark = pytest.mark.django_db
FORM = "/store/orders/new/"
PART = "/store/orders/new/slot/"
QUERIES = 12


@pytest.fixture
def sam(afternoon: Afternoon) -> Any:
    with time_machine.travel(NOW, tick=False):
        yield signed_in(afternoon.sam)


@pytest.fixture
def rule(afternoon: Afternoon) -> SlotRule:
    return SlotRule.objects.create(
        mall=afternoon.fashion_show,
        weekdays=list(range(7)),
        starts=dt.time(18),
        ends=dt.time(20),
        capacity=2,
        price_cents=250,
        valid_from=dt.date(2026, 1, 1),
    )


def day_of(afternoon: Afternoon) -> dt.date:
    return NOW.astimezone(afternoon.fashion_show.zone).date()


def slot_of(afternoon: Afternoon, rule: SlotRule) -> str:
    return f"{rule.code}.{day_of(afternoon)}"


def typed(afternoon: Afternoon, **changes: str) -> dict[str, str]:
    return {**ANSWERS, "store": afternoon.bookshop.code, **changes}


def held_by(client: Client, afternoon: Afternoon, rule: SlotRule, **more: str) -> SlotHold:
    answer = client.post(PART, typed(afternoon, hold_slot=slot_of(afternoon, rule), **more))
    assert answer.status_code == 200, answer.content
    found = SlotHold.objects.filter(released_at=None, order=None).order_by("-pk").first()
    assert found is not None
    assert f'name="slot_hold" value="{found.code}"' in answer.content.decode()
    return found


def taken() -> int:
    return Slot.objects.get().taken


def test_the_form_lists_the_slots_with_the_places_left(afternoon, rule, sam) -> None:
    page = sam.get(FORM).content.decode()

    assert slot_of(afternoon, rule) in page
    assert "2 places left" in page
    assert "+$2.50" in page
    assert SlotHold.objects.count() == 0


def test_a_mall_without_slots_has_no_list_of_them(afternoon, sam) -> None:
    page = sam.get(FORM).content.decode()

    assert "Delivery slot" not in page
    assert 'name="window_start"' in page


def test_a_held_place_is_confirmed_by_posting_and_its_window_is_the_promise(afternoon, rule, sam) -> None:
    held = held_by(sam, afternoon, rule)

    answer = sam.post(FORM, typed(afternoon, slot_hold=held.code, window_start="", window_end=""))

    order = Order.objects.get()
    assert answer.status_code == 302
    assert order.window == held.slot.window
    assert (order.slot_cents, order.slot_hold.code) == (250, held.code)
    page = sam.get(answer["Location"]).content.decode()
    assert "Delivery slot" in page
    assert "1 of 2 places taken" in page


def test_another_choice_gives_the_first_place_back(afternoon, rule, sam) -> None:
    first = held_by(sam, afternoon, rule)
    second = held_by(sam, afternoon, rule, slot_hold=first.code)

    first.refresh_from_db()
    assert first.released_at is not None
    assert second.pk != first.pk
    assert taken() == 1


@pytest.mark.parametrize(
    ("path", "button"), [(PART, "release_slot"), (FORM, "release_slot"), (FORM, "give_up")]
)
def test_whoever_gives_up_gives_the_place_back_and_posts_nothing(afternoon, rule, sam, path, button) -> None:
    held = held_by(sam, afternoon, rule)

    answer = sam.post(path, typed(afternoon, slot_hold=held.code, **{button: "1"}))

    assert answer.status_code in {200, 302}
    assert taken() == 0
    assert not Order.objects.exists()


def test_a_place_at_another_store_is_given_back_when_the_store_is_changed(afternoon, rule, sam) -> None:
    held = held_by(sam, afternoon, rule)
    second = type(afternoon.bookshop).objects.create(
        seller=afternoon.bookshop.seller, mall=afternoon.chandler, name="Nova Books Chandler"
    )

    page = sam.post(PART, typed(afternoon, slot_hold=held.code) | {"store": second.code}).content.decode()

    assert "slot_hold" not in page
    assert taken() == 0


def test_a_place_that_ran_out_posts_nothing_and_says_so(afternoon, rule, sam) -> None:
    held = held_by(sam, afternoon, rule)

    with time_machine.travel(NOW + dt.timedelta(minutes=16), tick=False):
        answer = sam.post(FORM, typed(afternoon, slot_hold=held.code))
        page = answer.content.decode()

    assert answer.status_code == 409
    assert "held for a while only" in page
    assert slot_of(afternoon, rule) in page
    assert not Order.objects.exists()


def test_a_slot_that_is_booked_up_offers_no_button_and_refuses(afternoon, rule, sam) -> None:
    for _time in range(2):
        held_by(sam, afternoon, rule)

    page = sam.get(FORM).content.decode()
    refused = sam.post(PART, typed(afternoon, hold_slot=slot_of(afternoon, rule)))

    assert "booked up" in page
    assert f'value="{slot_of(afternoon, rule)}"' not in page
    assert (refused.status_code, taken()) == (409, 2)
    assert "This slot is booked up." in refused.content.decode()


def test_nobody_holds_or_gives_back_at_a_store_that_is_not_theirs(afternoon, rule, sam) -> None:
    held = held_by(sam, afternoon, rule)
    stranger = signed_in(afternoon.mia)

    stranger.post(PART, typed(afternoon, slot_hold=held.code, release_slot="1"))
    stranger.post(PART, typed(afternoon, hold_slot=slot_of(afternoon, rule)))

    held.refresh_from_db()
    assert held.released_at is None
    assert set(SlotHold.objects.filter(store=afternoon.bookshop)) == {held}


def test_a_wrong_field_keeps_the_place_that_is_held(afternoon, rule, sam) -> None:
    held = held_by(sam, afternoon, rule)

    answer = sam.post(FORM, typed(afternoon, slot_hold=held.code, recipient_phone="no", window_start=""))

    assert answer.status_code == 422
    assert f'name="slot_hold" value="{held.code}"' in answer.content.decode()
    assert taken() == 1


def test_the_form_asks_the_database_a_bounded_number_of_times(
    afternoon, rule, sam, django_assert_max_num_queries
) -> None:
    with django_assert_max_num_queries(QUERIES):
        assert sam.get(FORM).status_code == 200


# -- What was bought


ITEMS = {
    "items-TOTAL_FORMS": "3",
    "items-INITIAL_FORMS": "0",
    "items-0-name": "Atlas of the world",
    "items-0-quantity": "1",
    "items-0-price": "49.90",
    "items-1-name": "",
    "items-1-quantity": "1",
    "items-1-price": "",
    "items-2-name": "Bookmark",
    "items-2-quantity": "3",
    "items-2-price": "",
}


def test_what_was_bought_is_on_the_order_and_its_page(afternoon, sam) -> None:
    answer = sam.post(FORM, typed(afternoon, **ITEMS))
    order = Order.objects.get()

    assert [(i["name"], i["quantity"], i["price_cents"]) for i in order.items] == [
        ("Atlas of the world", 1, 4990),
        ("Bookmark", 3, None),
    ]
    page = sam.get(answer["Location"]).content.decode()
    assert "Atlas of the world" in page
    assert "$49.90" in page


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"items-0-quantity": "0"}, "greater than or equal to 1"),
        ({"items-0-name": "", "items-0-quantity": "2"}, "required"),
        ({"items-0-price": "-1"}, "greater than or equal to 0"),
        ({"items-2-name": "Book\u202emark"}, "cannot be printed"),
    ],
)
def test_a_wrong_item_is_named_and_nothing_is_posted(afternoon, sam, changes, said) -> None:
    answer = sam.post(FORM, typed(afternoon, **ITEMS | changes))

    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Order.objects.exists()


def test_one_more_item_keeps_what_was_typed_and_posts_nothing(afternoon, sam) -> None:
    first = sam.post(FORM, typed(afternoon, add_item="1")).content.decode()
    fourth = sam.post(FORM, typed(afternoon, add_item="1", **ITEMS)).content.decode()

    assert 'name="items-0-name"' in first
    assert 'name="items-3-name"' in fourth
    assert 'value="Atlas of the world"' in fourth
    assert not Order.objects.exists()


def test_a_form_that_is_not_posted_yet_is_not_told_what_it_lacks(afternoon, rule, sam) -> None:
    blank = typed(afternoon, recipient_name="", line1="")

    for button in ({"add_item": "1"}, {"add_parcel": "1"}, {"hold_slot": slot_of(afternoon, rule)}):
        page = sam.post(FORM, blank | button).content.decode()
        assert "This field is required." not in page
        assert 'value="702 555 0148"' in page
    assert 'name="items-0-quantity" value="1"' in sam.post(FORM, blank | {"add_item": "1"}).content.decode()
