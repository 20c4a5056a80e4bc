"""Requests for relief, endings and splits against themselves, a delivery, a scan and a cancellation: in real threads,
and what happens without the referee."""

import threading

import pytest

from deliveries import loading, relief
from deliveries.models import Consignment, Order, Parcel, Stop
from deliveries.posting import CancelNotAllowed, cancel
from offers import aborting, asking_relief, relieving, splitting
from offers.models import Block, Claim, ReliefRequest
from offers.tests import making
from offers.tests.making import HOUR, MINUTE, START
from offers.tests.races.test_road_races import abort, one_place_each, scan
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox.recording import SYSTEM

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]

NOW = START + HOUR


@pytest.fixture
def ada():
    return making.driver("Ada")


@pytest.fixture
def loading_block(ada):
    return making.of_three_doors(ada)


@pytest.fixture
def block(loading_block, ada):
    making.collect(loading_block, ada, arrive=START, handover=START)
    making.depart(loading_block, ada, at=START)
    return loading_block


def asked(block, ada, *doors):
    return asking_relief.ask(
        block_code=block.code,
        driver_id=ada.pk,
        stop_codes=[door.code for door in doors],
        note="",
        at=NOW,
    )


def grant(request):
    return lambda: asking_relief.grant(code=request.code, actor=SYSTEM, at=NOW)


def decline(request):
    return lambda: asking_relief.decline(code=request.code, answer="", actor=SYSTEM, at=NOW)


def taken_over_twice():
    """How many stops are taken over by more than one block."""
    taken = list(Stop.objects.filter(relieves__isnull=False).values_list("relieves", flat=True))
    return len(taken) - len(set(taken))


def all_together(monkeypatch, module, name, parties):
    """From here on whoever calls this goes on only once so many have: what they read is what all of them read."""
    met, real = threading.Barrier(parties), getattr(module, name)

    def meeting(*given, **more):
        found = real(*given, **more)
        met.wait(timeout=20)
        return found

    monkeypatch.setattr(module, name, meeting)


def unlocked(code):
    return Block.objects.select_related("mall__market", "manifest", "policy").get(code=code)


# -- Grants --------------------------------------------------------------------------------------------------


def test_of_several_grants_at_once_one_makes_a_relief_and_all_see_it(block, ada):
    request = asked(block, ada, *making.doors_of(block)[1:])

    results = making.at_once(*[grant(request)] * 4)

    assert {each.pk for each in results} == {relieving.reliefs_of(block).get().pk}
    assert taken_over_twice() == 0
    assert len(making.facts_named("block.relief_granted")) == 1


def test_without_the_lock_and_the_look_two_grants_send_two_drivers(block, ada, monkeypatch):
    """The control."""
    request = asked(block, ada, *making.doors_of(block)[1:])
    monkeypatch.setattr(asking_relief.locks, "block", unlocked)
    monkeypatch.setattr(relieving, "refuse_if_under_way", lambda *given: None)
    all_together(monkeypatch, asking_relief, "_locked", 2)

    making.at_once(*[grant(request)] * 2)

    assert relieving.reliefs_of(block).count() == 2
    assert taken_over_twice() == 2


def test_a_grant_against_a_refusal_and_the_driver_taking_it_back_has_one_ending(block, ada):
    request = asked(block, ada)

    results = making.at_once(
        grant(request),
        decline(request),
        lambda: asking_relief.take_back(block_code=block.code, driver_id=ada.pk, at=NOW),
    )

    request.refresh_from_db()
    assert (request.relief is not None) == (request.ending == "granted") == isinstance(results[0], Block)
    assert relieving.reliefs_of(block).count() == (request.ending == "granted")
    endings = [f"block.relief_{ending}" for ending in ReliefRequest.Ending.values]
    assert sum(len(making.facts_named(name)) for name in endings) == 1


@pytest.mark.parametrize("round_", range(2))
def test_a_grant_against_the_delivery_of_its_stop_takes_over_nothing_that_is_gone(block, ada, round_):
    first, second, _third = making.doors_of(block)
    request = asked(block, ada, first, second)

    made, delivered = making.at_once(grant(request), lambda: making.deliver(first, ada, at=NOW))

    assert isinstance(made, Block)
    assert delivered is None
    order = Order.objects.get(consignments__dropoff=first)
    assert order.status == "delivered"
    taken = {door.relieves_id for door in making.doors_of(made)}
    # The delivery may also have come second; then its stop is skipped when the relief leaves.
    assert second.pk in taken
    assert Parcel.objects.filter(driver=ada).count() == 2
    one_place_each()


def test_without_the_look_at_what_is_carried_another_driver_is_sent_for_what_is_delivered(
    block, ada, monkeypatch
):
    """The control: what was read before the lock is not what is there under it."""
    first = making.doors_of(block)[0]
    request = asked(block, ada, first)
    read = relieving.stops_left(block)
    held = relief.held_at([first])
    making.deliver(first, ada, at=NOW)
    monkeypatch.setattr(relieving, "stops_left", lambda block: read)
    with pytest.raises(relief.NothingToTakeOver):
        grant(request)()

    monkeypatch.setattr(relief, "held_at", lambda stops: held)
    made = grant(request)()

    assert [door.relieves for door in making.doors_of(made)] == [first]


def test_without_the_look_two_dispatchers_hand_the_same_stops_over_twice(block, monkeypatch):
    """The control of what `test_road_races` shows to be refused."""
    monkeypatch.setattr(relieving, "refuse_if_under_way", lambda *given: None)

    left = [stop.code for stop in relieving.stops_left(block)]

    making.at_once(
        *[lambda: relieving.hand_over_rest(block_code=block.code, stop_codes=left, actor=SYSTEM, at=NOW)] * 2
    )

    assert taken_over_twice() == 3


# -- Endings -------------------------------------------------------------------------------------------------


def test_without_the_locks_two_taps_end_a_block_twice_and_ask_two_drivers(block, ada, monkeypatch):
    """The control of two taps at once."""

    def held(*, block_code, driver_id):
        found = Claim.objects.select_related("driver__user", "offer").get(block__code=block_code)
        found.block = unlocked(block_code)
        return found

    monkeypatch.setattr(aborting.holding, "held", held)
    all_together(monkeypatch, aborting.holding, "held", 2)

    making.at_once(*[lambda: abort(block, ada)] * 2)

    assert relieving.reliefs_of(block).count() == 2
    assert len(making.facts_named("block.aborted")) == 2


@pytest.mark.parametrize("round_", range(2))
def test_an_ending_against_the_drivers_own_scan_leaves_each_parcel_with_whom_it_is(
    loading_block, ada, round_
):
    counter = Stop.objects.get(kind="pickup")
    parcel = Parcel.objects.order_by("pk")[0]
    loading.arrive_at_store(driver=ada, stop_code=counter.code, evidence=making.evidence(START), at=START)
    making.hand_over(counter, ada, at=START)

    ended, scanned = making.at_once(
        lambda: abort(loading_block, ada), lambda: scan(counter, parcel, ada, START + MINUTE)
    )

    assert isinstance(ended, Block)
    parcel.refresh_from_db()
    in_the_car = not isinstance(scanned, Refused)
    assert parcel.custodian == ("driver" if in_the_car else "store")
    assert relieving.reliefs_of(loading_block).count() == in_the_car
    assert Order.objects.filter(status="placed").count() == 3 - in_the_car
    one_place_each()


@pytest.mark.parametrize("round_", range(2))
def test_an_ending_against_the_cancelling_of_an_order_loses_no_parcel(block, ada, round_):
    order = Order.objects.order_by("pk")[0]

    ended, refused = making.at_once(lambda: abort(block, ada), lambda: cancelled(order))

    assert isinstance(ended, Block)
    assert isinstance(refused, CancelNotAllowed)
    assert Parcel.objects.filter(driver=ada).count() == 3
    one_place_each()


def cancelled(order):
    return cancel(
        order_code=order.code,
        scope=Order.objects.all(),
        reason="out_of_stock",
        note="",
        actor=SYSTEM,
        at=NOW,
    )


# -- Splits --------------------------------------------------------------------------------------------------


def split(block, door):
    return lambda: splitting.split(
        block_code=block.code, stop_codes=[door.code], actor=SYSTEM, at=START + MINUTE
    )


def test_of_two_splits_at_once_of_one_door_one_makes_a_block(loading_block):
    door = making.doors_of(loading_block)[2]

    results = making.at_once(*[split(loading_block, door)] * 3)

    assert sum(isinstance(each, Block) for each in results) == 1
    assert sum(isinstance(each, splitting.SplitsNothing) for each in results) == 2
    assert Block.objects.count() == 2
    one_place_each()


def test_without_the_locks_of_a_split_the_database_lets_no_order_into_two_blocks(loading_block, monkeypatch):
    """The control: two have read the same door, and the last referee stops the second."""
    door = making.doors_of(loading_block)[2]
    monkeypatch.setattr(splitting.locks, "block", unlocked)
    monkeypatch.setattr(splitting.delivery_locks, "manifest", lambda pk: None)
    all_together(monkeypatch, splitting.rescuing, "moved", 2)

    results = making.at_once(*[split(loading_block, door)] * 2)

    assert any(isinstance(each, Exception) and not isinstance(each, Refused) for each in results)
    assert Consignment.objects.live().filter(dropoff__kind="dropoff").count() == 3


@pytest.mark.parametrize("round_", range(2))
def test_a_split_against_the_cancelling_of_its_order_leaves_it_cancelled_and_nowhere(loading_block, round_):
    door = making.doors_of(loading_block)[2]
    order = Order.objects.get(consignments__dropoff=door)

    made, ended = making.at_once(split(loading_block, door), lambda: cancelled(order))

    order.refresh_from_db()
    assert isinstance(ended, Order)
    assert order.status == "cancelled"
    assert not Consignment.objects.live().filter(order=order).exists()
    assert isinstance(made, Block | Refused)
    rest = Order.objects.exclude(pk=order.pk)
    assert Consignment.objects.live().filter(order__in=rest).count() == 2
