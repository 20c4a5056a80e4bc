"""Manifests: drawn up, given to a driver, taken back, given up."""

import pytest
from django.db import transaction

from deliveries import loading, manifests, moves, posting
from deliveries.models import Consignment, Manifest, Order, Stop
from retaildelivery.lib.geo import Point
from retaildelivery.outbox.models import Fact
from retaildelivery.testing.afternoon import (
    HOUR,
    MINUTE,
    NOW,
    TOLD_BY_STAFF,
    evidence,
    facts_of,
    nothing_changes,
    stops_of,
)

ELSEWHERE = Point(36.1500, -115.2000)


def statuses(*orders):
    return [Order.objects.get(pk=order.pk).status for order in orders]


def take_back(manifest):
    with transaction.atomic():
        return manifests.unassign(manifest=manifest, at=NOW)


def give_up(manifest):
    with transaction.atomic():
        return manifests.dissolve(manifest=manifest, at=NOW, reason="nobody took it")


def test_a_manifest_has_its_stops_in_order_and_a_place_for_each_order(afternoon):
    books, shoes, far = (
        afternoon.place(),
        afternoon.place(afternoon.shoes),
        afternoon.place(point=ELSEWHERE),
    )

    manifest = afternoon.plan([books, shoes, far])

    assert [(s.kind, s.position) for s in manifest.stops.order_by("position")] == [
        ("pickup", 0),
        ("pickup", 1),
        ("dropoff", 2),
        ("dropoff", 3),
    ]
    shared = Consignment.objects.get(order=books).dropoff
    assert shared == Consignment.objects.get(order=shoes).dropoff
    assert statuses(books, shoes, far) == ["planned"] * 3
    assert list(Order.objects.waiting()) == []


def test_an_order_that_waits_no_more_cannot_be_planned(afternoon):
    order, gone = afternoon.place(), afternoon.place()
    posting.cancel(
        order_code=gone.code, scope=Order.objects.all(), reason="other", note="", actor=TOLD_BY_STAFF, at=NOW
    )

    with nothing_changes(), pytest.raises(manifests.OrderGone) as refusal:
        afternoon.plan([order, gone])

    assert refusal.value.params == {"order": gone.code}


def test_an_order_cannot_be_planned_twice(afternoon):
    order = afternoon.place()
    afternoon.plan([order])

    with nothing_changes(), pytest.raises(manifests.OrderGone):
        afternoon.plan([order])


def test_an_assigned_manifest_gives_its_orders_to_the_driver_in_few_queries(
    afternoon, django_assert_max_num_queries
):
    orders = [afternoon.place(point=Point(36.15, -115.1 - n / 100)) for n in range(12)]
    manifest = afternoon.plan(orders)

    # 2 for the savepoint, and the same however many orders there are.
    with django_assert_max_num_queries(10):
        afternoon.assign(manifest, afternoon.ada)

    assert statuses(*orders) == ["assigned"] * 12
    facts = Fact.objects.filter(name="order.assigned")
    assert facts.count() == 12
    assert facts[0].data["order"]["courier"] == {
        "first_name": "Ada",
        "vehicle": "green Toyota RAV4",
        "plate": "NV123",
    }
    assert Fact.objects.get(name="manifest.assigned").subjects[-1] == f"driver:{afternoon.ada.code}"


def test_a_manifest_is_assigned_to_one_driver(afternoon):
    manifest = afternoon.assign(afternoon.plan([afternoon.place()]), afternoon.ada)

    with nothing_changes(), pytest.raises(moves.IllegalMove):
        afternoon.assign(manifest, afternoon.ben)


def test_a_manifest_taken_back_can_be_given_to_another_driver(afternoon):
    order = afternoon.place()
    manifest = afternoon.assign(afternoon.plan([order]), afternoon.ada)

    take_back(manifest)
    assert statuses(order) == ["planned"]
    afternoon.assign(manifest, afternoon.ben)

    assert Manifest.objects.get().driver == afternoon.ben
    assert facts_of(order)[1:] == ["order.planned", "order.assigned", "order.replanned", "order.assigned"]


def test_a_manifest_is_not_taken_back_once_staff_have_confirmed_its_driver(afternoon):
    manifest = afternoon.loading(afternoon.place())
    [pickup] = stops_of(manifest, Stop.Kind.PICKUP)
    afternoon.hand_over(pickup)

    with nothing_changes(), pytest.raises(manifests.CustodyBegun):
        take_back(manifest)


def test_an_arrival_is_undone_when_the_manifest_is_taken_back(afternoon):
    manifest = afternoon.loading(afternoon.place())
    [pickup] = stops_of(manifest, Stop.Kind.PICKUP)
    loading.arrive_at_store(driver=afternoon.ada, stop_code=pickup.code, evidence=evidence(), at=NOW)

    take_back(manifest)

    pickup.refresh_from_db()
    assert (pickup.status, pickup.arrived_at) == ("planned", None)


def test_the_orders_of_a_manifest_given_up_wait_again(afternoon):
    order = afternoon.place()
    manifest = afternoon.assign(afternoon.plan([order]), afternoon.ada)

    give_up(manifest)
    with nothing_changes():
        give_up(manifest)

    manifest.refresh_from_db()
    assert (manifest.status, manifest.aborted_reason) == ("aborted", "nobody took it")
    assert {stop.status for stop in manifest.stops.all()} == {"skipped"}
    assert Consignment.objects.get().ending == "replanned"
    assert list(Order.objects.waiting()) == [order]


def test_a_manifest_is_not_given_up_while_its_driver_holds_a_parcel(afternoon):
    manifest = afternoon.on_route(afternoon.place())

    with nothing_changes(), pytest.raises(manifests.CustodyBegun):
        give_up(manifest)


@pytest.mark.django_db(transaction=True)
def test_inner_verbs_demand_a_transaction():
    with pytest.raises(AssertionError, match="inner verb"):
        manifests.open_loading(manifest=Manifest(), at=NOW)


def test_departure_waits_for_every_store(afternoon):
    books, shoes = afternoon.place(), afternoon.place(afternoon.shoes)
    manifest = afternoon.loading(books, shoes)
    first, _second = stops_of(manifest, Stop.Kind.PICKUP)
    for parcel in books.parcels.all():
        afternoon.scan(first, parcel)
    afternoon.hand_over(first)

    with nothing_changes(), pytest.raises(loading.NotLoaded) as refusal:
        afternoon.depart(manifest)

    assert refusal.value.params == {"stores": "Harbor Shoes"}


def test_departure_sends_the_orders_on_their_way_and_times_the_doors_anew(afternoon):
    order = afternoon.place()
    manifest = afternoon.loading(order)
    afternoon.collect(manifest, at=NOW + 2 * HOUR)

    afternoon.depart(manifest, at=NOW + 2 * HOUR + 5 * MINUTE)

    [door] = stops_of(manifest, Stop.Kind.DROPOFF)
    manifest.refresh_from_db()
    assert (manifest.status, manifest.departed_at) == ("on_route", NOW + 2 * HOUR + 5 * MINUTE)
    assert statuses(order) == ["en_route"]
    # Planned 50 minutes after the pickup ends; the pickup ended at 2:00.
    assert door.eta_at == NOW + 2 * HOUR + 50 * MINUTE
    told = Fact.objects.get(name="order.en_route").data["order"]
    assert told["eta_at"] == "2026-11-24T20:50:00.000Z"


def test_a_manifest_whose_orders_are_all_cancelled_is_completed_at_departure(afternoon):
    order = afternoon.place()
    manifest = afternoon.loading(order)
    posting.cancel(
        order_code=order.code, scope=Order.objects.all(), reason="other", note="", actor=TOLD_BY_STAFF, at=NOW
    )

    afternoon.depart(manifest)

    manifest.refresh_from_db()
    assert (manifest.status, manifest.completed_at) == ("completed", NOW)
    assert Fact.objects.get(name="manifest.completed").data["orders"] == {"cancelled": 1}
