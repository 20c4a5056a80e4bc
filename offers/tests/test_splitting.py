"""A block in two before it is loaded: what goes, what stays, what the driver keeps."""

import pytest

from deliveries import loading
from deliveries.manifests import CustodyBegun
from deliveries.models import Consignment, Order, Parcel, Stop
from offers import freezing, splitting
from offers.models import Block, Claim
from offers.tests import making
from offers.tests.making import AT, MINUTE, START
from retaildelivery.accounts.models import User
from retaildelivery.lib.geo import Point
from retaildelivery.outbox.models import Message
from retaildelivery.outbox.recording import SYSTEM

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    return making.driver("Ada")


@pytest.fixture
def block(ada):
    """Ada has four orders of two stores; the last two are of the second."""
    mall = making.mall()
    one, two = making.store(mall), making.store(mall, "Quill & Co")
    orders = [
        making.order(store, point=Point(36.15 + n / 100, -115.2))
        for n, store in enumerate([one, one, two, two])
    ]
    return making.claimed(making.block(orders), ada)


def split(block, doors, *, at=AT + MINUTE):
    return splitting.split(
        block_code=block.code, stop_codes=[door.code for door in doors], actor=SYSTEM, at=at
    )


def test_the_tail_is_a_block_of_its_own_and_the_driver_keeps_hours_and_pay(block, ada):
    claim = Claim.objects.get()

    made = split(block, making.doors_of(block)[2:])
    making.relay_all(at=AT + MINUTE)

    block.refresh_from_db()
    assert (block.status, block.orders_count, block.stores_count) == ("claimed", 2, 1)
    assert (made.status, made.orders_count, made.stores_count) == ("offered", 2, 1)
    assert made.hourly_cents >= block.hourly_cents
    assert made.starts_at == block.starts_at
    now = Claim.objects.get()
    assert (now.pay_cents, now.window) == (claim.pay_cents, claim.window)
    kinds = [stop.kind for stop in made.manifest.stops.in_order()]
    assert kinds == ["pickup", "dropoff", "dropoff"]
    assert sorted(Order.objects.values_list("status", flat=True)) == [
        "assigned",
        "assigned",
        "planned",
        "planned",
    ]
    assert Consignment.objects.live().count() == 4
    mail = Message.objects.get(name="block_split")
    assert mail.to == ada.user.email
    assert "2 orders go to another driver" in mail.text


def test_a_door_whose_parcels_are_loaded_cannot_be_split_off(block, ada):
    making.check_in(block, ada, at=START)
    counter = Stop.objects.filter(kind="pickup", manifest=block.manifest_id).order_by("position")[0]
    door = making.doors_of(block)[0]
    parcel = Parcel.objects.get(order__consignments__dropoff=door)
    loading.arrive_at_store(driver=ada, stop_code=counter.code, evidence=making.evidence(START), at=START)
    loading.scan(
        driver=ada,
        stop_code=counter.code,
        entered=parcel.code,
        method="typed",
        evidence=making.evidence(START),
        at=START,
    )
    making.hand_over(counter, ada, at=START)

    with pytest.raises(CustodyBegun):
        split(block, [door], at=START + MINUTE)
    assert Block.objects.count() == 1
    made = split(block, making.doors_of(block)[1:2], at=START + MINUTE)

    assert made.starts_at == START + 15 * MINUTE
    assert Parcel.objects.get(driver=ada) == parcel


@pytest.mark.parametrize("doors", [slice(0, 0), slice(0, 4)])
def test_none_or_all_of_the_doors_is_no_split(block, doors):
    with pytest.raises(splitting.SplitsNothing):
        split(block, making.doors_of(block)[doors])

    assert (Block.objects.count(), Consignment.objects.live().count()) == (1, 4)


def test_a_frozen_block_and_one_on_the_road_are_not_split(block, ada):
    boss = User.objects.create(email="ops@example.com", name="Ops")
    freezing.freeze(block_code=block.code, reason="VIP", by=boss, at=AT)
    with pytest.raises(freezing.BlockFrozen):
        split(block, making.doors_of(block)[2:])
    making.check_in(block, ada, at=START)
    making.collect(block, ada, arrive=START, handover=START)
    making.depart(block, ada, at=START)

    with pytest.raises(splitting.NotSplittable):
        split(block, making.doors_of(block)[2:], at=START + MINUTE)

    assert Block.objects.count() == 1
