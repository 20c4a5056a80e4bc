"""Splits, handovers and endings while somebody scans, delivers or does the same."""

import pytest

from deliveries import loading, relief
from deliveries.models import Consignment, Manifest, Order, Parcel, Stop
from deliveries.moves import IllegalMove
from drivers import badge, ledger
from offers import aborting, attendance, relieving, splitting
from offers.models import Block, Claim
from offers.tests import making
from offers.tests.making import HOUR, MINUTE, START
from retaildelivery.outbox.recording import SYSTEM

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]

BROKEN = START + HOUR


@pytest.fixture
def ada():
    return making.driver("Ada")


@pytest.fixture
def ben():
    return making.driver("Ben")


@pytest.fixture
def block(ada):
    return making.of_three_doors(ada)


def on_the_road(block, ada):
    making.collect(block, ada, arrive=START, handover=START)
    making.depart(block, ada, at=START)
    return block


def abort(block, driver):
    return aborting.abort(
        block_code=block.code, driver_id=driver.pk, reason="crash", note="", point=None, at=BROKEN
    )


def scan(stop, parcel, driver, at):
    return loading.scan(
        driver=driver,
        stop_code=stop.code,
        entered=parcel.code,
        method="typed",
        evidence=making.evidence(at),
        at=at,
    )


def one_place_each():
    """No order is in two blocks or in none, and what a driver holds is on that driver's manifest."""
    open_orders = Order.objects.exclude(status__in=["delivered", "placed"])
    assert Consignment.objects.live().count() == open_orders.count()
    for parcel in Parcel.objects.filter(custodian="driver").select_related("order"):
        place = Consignment.objects.live().get(order=parcel.order)
        assert place.manifest.driver_id == parcel.driver_id


@pytest.mark.parametrize("round_", range(3))
def test_a_split_against_a_scan_takes_the_door_or_leaves_the_parcel(block, ada, round_):
    counter = Stop.objects.get(kind="pickup")
    door = making.doors_of(block)[2]
    parcel = Parcel.objects.get(order__consignments__dropoff=door)
    loading.arrive_at_store(driver=ada, stop_code=counter.code, evidence=making.evidence(START), at=START)
    making.hand_over(counter, ada, at=START)

    scanned, made = making.at_once(
        lambda: scan(counter, parcel, ada, START + MINUTE),
        lambda: splitting.split(
            block_code=block.code, stop_codes=[door.code], actor=SYSTEM, at=START + MINUTE
        ),
    )

    parcel.refresh_from_db()
    split_won = isinstance(made, Block)
    assert split_won or isinstance(made, splitting.redrawing.CustodyBegun)
    assert parcel.custodian == ("store" if split_won else "driver")
    assert isinstance(scanned, loading.WrongStop) == split_won
    one_place_each()


def test_even_with_the_refusal_removed_an_order_in_the_car_is_not_planned_elsewhere(block, ada, monkeypatch):
    """The last referee of a split: no order goes from picked up back to placed, whoever forgets to look."""
    counter = Stop.objects.get(kind="pickup")
    door = making.doors_of(block)[2]
    parcel = Parcel.objects.get(order__consignments__dropoff=door)
    loading.arrive_at_store(driver=ada, stop_code=counter.code, evidence=making.evidence(START), at=START)
    making.hand_over(counter, ada, at=START)
    monkeypatch.setattr(splitting.redrawing, "_refuse", lambda *given: None)
    scan(counter, parcel, ada, START + MINUTE)

    with pytest.raises(IllegalMove):
        splitting.split(block_code=block.code, stop_codes=[door.code], actor=SYSTEM, at=START + MINUTE)

    parcel.refresh_from_db()
    assert (parcel.driver, Block.objects.count()) == (ada, 1)


def test_two_taps_at_once_end_a_block_once_and_ask_one_driver(block, ada):
    on_the_road(block, ada)

    results = making.at_once(*(lambda: abort(block, ada) for _ in range(4)))

    assert all(isinstance(each, Block) for each in results)
    assert relieving.reliefs_of(block).count() == 1
    assert len(making.facts_named("block.aborted")) == 1


@pytest.mark.parametrize("round_", range(3))
def test_a_delivery_against_the_ending_counts_and_nothing_is_lost(block, ada, round_):
    on_the_road(block, ada)
    door = making.doors_of(block)[0]

    ended, _delivered = making.at_once(
        lambda: abort(block, ada), lambda: making.deliver(door, ada, at=BROKEN)
    )

    assert isinstance(ended, Block)
    assert Order.objects.filter(status="delivered").count() == 1
    assert Parcel.objects.filter(driver=ada).count() == 2
    one_place_each()


@pytest.mark.parametrize("round_", range(3))
def test_the_two_halves_of_a_handover_on_the_way_at_once_pass_custody_once(block, ada, ben, round_):
    on_the_road(block, ada)
    abort(block, ada)
    relief_block = relieving.reliefs_of(block).get()
    making.claimed(relief_block, ben, at=BROKEN + MINUTE)
    stop = relieving.meeting_of(relief_block)
    now = BROKEN + 20 * MINUTE
    attendance.check_in(
        block_code=relief_block.code, driver_id=ben.pk, point=stop.point, accuracy_m=5, desk_code="", at=now
    )
    parcels = list(Parcel.objects.filter(driver=ada))
    code = badge.code(ben.badge_secret, now)

    results = making.at_once(
        lambda: relieving.confirm(block_code=block.code, driver_id=ada.pk, driver_code=code, at=now),
        lambda: relieving.confirm(block_code=block.code, driver_id=ada.pk, driver_code=code, at=now),
        *(lambda p=p: scan(stop, p, ben, now) for p in parcels),
    )

    assert [each for each in results if isinstance(each, Exception)] == []
    assert Parcel.objects.filter(driver=ben).count() == 3
    assert len(making.facts_named("parcel.handed_over")) == 3
    assert len(making.facts_named("order.reassigned")) == 3
    one_place_each()
    making.relay_all(at=now)
    assert Claim.objects.get(driver=ada).ending == "aborted"
    assert ledger.balance(driver=ada) == round(block.hourly_cents * 80 / 60)
    assert Manifest.objects.get(pk=block.manifest_id).status == "aborted"


def test_two_dispatchers_at_once_hand_over_the_same_stops_once(block, ada):
    on_the_road(block, ada)

    results = making.at_once(
        *(
            lambda: relieving.hand_over_rest(block_code=block.code, stop_codes=[], actor=SYSTEM, at=BROKEN)
            for _ in range(3)
        )
    )

    assert sum(isinstance(each, Block) for each in results) == 1
    assert sum(isinstance(each, relieving.ReliefUnderway) for each in results) == 2
    assert relief.held_at(relieving.stops_left(block))
