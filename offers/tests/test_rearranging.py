"""An order moved to another block by a person."""

import pytest

from deliveries.models import Consignment, Order
from deliveries.posting import cancel
from offers import freezing, rearranging
from offers.models import Block
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE, START
from retaildelivery.accounts.models import User
from retaildelivery.lib.geo import Point
from retaildelivery.outbox.models import Message
from retaildelivery.outbox.recording import SYSTEM

pytestmark = pytest.mark.django_db

NORTH = Point(36.20, -115.17)
NEAR_NORTH = Point(36.205, -115.17)
SOUTH = Point(36.05, -115.17)


@pytest.fixture
def olga():
    return User.objects.create(email="olga@example.com", name="Olga", is_staff=True)


@pytest.fixture
def store():
    return making.store(making.mall())


@pytest.fixture
def astray(store):
    """An order in the north, planned into a block that goes south."""
    return making.order(store, point=NEAR_NORTH)


@pytest.fixture
def south(store, astray):
    return making.block([making.order(store, point=SOUTH), astray])


@pytest.fixture
def north(store):
    return making.block([making.order(store, point=NORTH)])


def look(order, *, at=AT):
    order.refresh_from_db()
    return rearranging.look(mall=order.store.mall, order=order, at=at)


def move(order, to, olga, *, at=AT, seen=None, outlook=None):
    outlook = outlook or look(order, at=at)
    option = next((each for each in outlook.options if each.code == to.code), None)
    return rearranging.move(
        outlook=outlook,
        to_code=to.code,
        seen=seen if seen is not None else option.seen if option else "",
        by=olga,
        at=at,
    )


def codes_on(block):
    places = Consignment.objects.live().filter(manifest=block.manifest_id)
    return sorted(places.values_list("order__code", flat=True))


def state():
    return (
        sorted(Consignment.objects.values_list("order__code", "manifest", "ending")),
        sorted(Block.objects.values_list("code", "status", "orders_count", "hourly_cents", "distance_m")),
        len(making.facts_named("block.rearranged")),
    )


def test_moving_an_astray_order_is_priced_as_what_it_saves(astray, south, north):
    outlook = look(astray)

    option = outlook.option(north.code)
    assert option.added_cents < -500
    assert option.problems == []
    assert option.added_cents == (
        option.after.cents - option.before.cents + outlook.after.cents - outlook.before.cents
    )
    assert sorted(option.after.orders) == sorted([astray.code, *codes_on(north)])
    assert astray.code not in outlook.after.orders


def test_moved_it_is_on_the_other_block_and_all_else_stays(astray, south, north, olga):
    before = {block.code: (block.window, block.hourly_cents) for block in (south, north)}

    move(astray, north, olga)

    for block in (south, north):
        block.refresh_from_db()
        assert (block.window, block.hourly_cents) == before[block.code]
    assert astray.code in codes_on(north)
    assert astray.code not in codes_on(south)
    assert (south.orders_count, north.orders_count) == (1, 2)
    astray.refresh_from_db()
    assert astray.status == "planned"
    facts = making.facts_named("block.rearranged")
    assert [(fact.data["added"], fact.data["removed"]) for fact in facts] == [
        ([], [astray.code]),
        ([astray.code], []),
    ]
    assert {fact.actor for fact in facts} == {"Olga"}


def test_the_driver_of_a_claimed_block_is_told_and_paid_no_less(astray, south, north, olga):
    ada = making.driver("Ada")
    making.claimed(north, ada)
    paid = north.claims.get().pay_cents

    move(astray, north, olga)
    making.relay_all(at=AT)

    mail = Message.objects.get(name="block_rearranged")
    assert (mail.to, mail.subject) == (ada.user.email, f"Your block {north.code} has changed")
    assert "One more order travels with you." in mail.text
    assert north.claims.get().pay_cents == paid
    astray.refresh_from_db()
    assert astray.status == "assigned"


def test_a_waiting_order_is_put_into_a_block(store, north, olga):
    waiting = making.order(store, point=NEAR_NORTH)

    outlook = look(waiting)
    move(waiting, north, olga, outlook=outlook)

    assert outlook.source is None
    assert waiting.code in codes_on(north)


def test_what_the_judge_rejects_is_shown_with_its_reason_and_not_saved(store, north, olga):
    huge = making.order(store, point=NEAR_NORTH, litres=390)
    before = state()

    option = look(huge).option(north.code)
    with pytest.raises(rearranging.DoesNotFit) as refusal:
        move(huge, north, olga)

    assert option.problems == ["It takes more litres than the car of the block holds."]
    assert "more litres" in refusal.value.message
    assert state() == before


def test_a_door_too_far_for_the_block_is_rejected(store, north, olga):
    far = making.order(store, point=Point(37.9, -115.17))

    assert "The driver would be back after the end of the block." in look(far).option(north.code).problems


def test_the_last_order_of_a_block_stays(north, south, olga, astray):
    only = Order.objects.get(code=codes_on(north)[0])
    before = state()

    with pytest.raises(rearranging.LastOrder):
        move(only, south, olga)

    assert state() == before


def test_a_frozen_block_neither_gives_nor_takes(astray, south, north, olga):
    freezing.freeze(block_code=north.code, reason="full", by=olga, at=AT)

    with pytest.raises(rearranging.BlockClosed):
        move(astray, north, olga)
    freezing.freeze(block_code=south.code, reason="full", by=olga, at=AT)
    with pytest.raises(rearranging.OrderFixed):
        look(astray)


def test_a_block_frozen_after_the_look_takes_nothing(astray, south, north, olga):
    outlook = look(astray)
    freezing.freeze(block_code=north.code, reason="full", by=olga, at=AT)
    before = state()

    with pytest.raises(freezing.BlockFrozen):
        move(astray, north, olga, outlook=outlook)

    assert state() == before


def test_once_its_driver_has_checked_in_a_block_is_closed(astray, south, north, olga):
    ada = making.driver("Ada")
    making.claimed(north, ada)
    outlook = look(astray)
    making.check_in(north, ada, at=START - 5 * MINUTE)
    before = state()

    with pytest.raises(rearranging.BlockClosed):
        move(astray, north, olga, outlook=outlook)

    assert state() == before


def test_a_block_that_should_have_begun_is_closed(astray, south, north):
    with pytest.raises(rearranging.OrderFixed):
        look(astray, at=START)


def test_a_price_seen_before_the_plan_changed_is_looked_at_again(store, astray, south, north, olga):
    seen = look(astray).option(north.code).seen
    move(making.order(store, point=NORTH), north, olga)
    before = state()

    with pytest.raises(rearranging.PlanMovedOn) as refusal:
        move(astray, north, olga, seen=seen)

    assert refusal.value.retryable
    assert state() == before


def test_an_order_cancelled_after_the_look_is_not_moved(astray, south, north, olga):
    outlook = look(astray)
    cancel(
        order_code=astray.code,
        scope=Order.objects.all(),
        reason="out_of_stock",
        note="",
        actor=SYSTEM,
        at=AT,
    )
    before = state()

    with pytest.raises(rearranging.PlanMovedOn):
        move(astray, north, olga, outlook=outlook)

    assert state() == before


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_move_at_once_one_is_told_to_look_again(astray, south, north, olga, store):
    other = making.block([making.order(store, point=NORTH)], start=START + HOUR)
    outlook = look(astray)

    results = making.at_once(
        lambda: move(astray, north, olga, outlook=outlook), lambda: move(astray, other, olga, outlook=outlook)
    )

    refused = [each for each in results if isinstance(each, Exception)]
    assert len(refused) == 1
    assert isinstance(refused[0], rearranging.PlanMovedOn)
    assert Consignment.objects.live().filter(order=astray).count() == 1
    assert len(making.facts_named("block.rearranged")) == 2


def test_a_second_press_of_the_button_changes_nothing(astray, south, north, olga):
    seen = look(astray).option(north.code).seen
    move(astray, north, olga, seen=seen)
    before = state()

    again = move(astray, north, olga, seen=seen)

    assert again == north
    assert state() == before


def test_without_the_second_look_an_order_that_joined_meanwhile_is_thrown_off(
    store, astray, south, north, olga, monkeypatch
):
    """The control of the tests above: what the comparison under the locks is there for."""
    outlook = look(astray)
    joined = making.order(store, point=NORTH)
    move(joined, north, olga)
    monkeypatch.setattr(rearranging, "_refuse_unless_unchanged", lambda *_args, **_more: None)

    move(astray, north, olga, outlook=outlook)

    joined.refresh_from_db()
    assert joined.status == "placed"
