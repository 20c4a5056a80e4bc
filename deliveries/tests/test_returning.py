"""The way back: the same two halves as on the way out."""

import pytest

from deliveries import closing, custody, loading, returning
from deliveries.models import Incident, Manifest, Order, Parcel, Stop
from retaildelivery.lib.geo import Point
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import Actor
from retaildelivery.testing.afternoon import NOW, evidence, nothing_changes, stops_of
from stores.models import Store

OLIVE = Actor(kind=Fact.Actor.OPERATIONS, name="Olive Tan")


@pytest.fixture
def order(afternoon):
    return afternoon.place()


@pytest.fixture
def back(afternoon, order):
    manifest = afternoon.on_route(order)
    afternoon.fail(stops_of(manifest, Stop.Kind.DROPOFF)[0])
    return stops_of(manifest, Stop.Kind.RETURN)[0]


def staff_scan(afternoon, stop, entered, *, stores=None, event=""):
    return returning.scan_by_staff(
        stop_code=stop.code,
        stores=Store.objects.filter(pk=afternoon.bookshop.pk) if stores is None else stores,
        user=afternoon.sam,
        entered=entered,
        method="wedge",
        evidence=evidence(event),
        at=NOW,
    )


def states():
    order = Order.objects.get()
    return order.status, sorted({(p.status, p.custodian) for p in order.parcels.all()})


def test_staff_scans_alone_bring_nothing_back(afternoon, order, back):
    for parcel in order.parcels.all():
        staff_scan(afternoon, back, parcel.code)

    assert states() == ("returning", [("return_due", "driver")])


def test_staff_scans_and_the_drivers_code_bring_it_back(afternoon, order, back):
    for parcel in order.parcels.all():
        staff_scan(afternoon, back, parcel.code)

    afternoon.hand_over(back)

    back.refresh_from_db()
    assert states() == ("returned", [("returned", "store")])
    assert (back.status, Manifest.objects.get().status) == ("done", "completed")


def test_after_the_code_each_scan_brings_its_parcel_back(afternoon, order, back):
    first, second = order.parcels.order_by("number")
    afternoon.hand_over(back)

    staff_scan(afternoon, back, first.code)
    assert states() == ("returning", [("return_due", "driver"), ("returned", "store")])
    assert Manifest.objects.get().status == "returning"
    afternoon.scan(back, second)

    assert states() == ("returned", [("returned", "store")])


def test_another_store_cannot_take_it(afternoon, order, back):
    with nothing_changes(), pytest.raises(custody.StopNotYours):
        staff_scan(
            afternoon,
            back,
            order.parcels.first().code,
            stores=Store.objects.filter(pk=afternoon.shoes.pk),
        )


def test_a_parcel_that_is_not_due_here_is_refused_and_kept(afternoon, back):
    other = afternoon.place(afternoon.shoes)

    with pytest.raises(loading.WrongStop):
        staff_scan(afternoon, back, other.parcels.first().code)

    assert back.scans.get().outcome == "wrong_stop"


def test_a_store_can_be_come_back_to_twice(afternoon):
    near, far = afternoon.place(), afternoon.place(point=Point(36.15, -115.2))
    manifest = afternoon.on_route(near, far)
    first, second = stops_of(manifest, Stop.Kind.DROPOFF)
    afternoon.fail(first)
    [back] = stops_of(manifest, Stop.Kind.RETURN)
    afternoon.hand_over(back)
    for parcel in near.parcels.all():
        afternoon.scan(back, parcel)
    assert Manifest.objects.get().status == "on_route"

    afternoon.fail(second)

    done, again = stops_of(manifest, Stop.Kind.RETURN)
    assert (done.status, again.status) == ("done", "planned")
    assert Manifest.objects.get().status == "returning"


def test_operations_turn_a_route_round(afternoon):
    near, far = afternoon.place(), afternoon.place(point=Point(36.15, -115.2))
    manifest = afternoon.on_route(near, far)
    first, _second = stops_of(manifest, Stop.Kind.DROPOFF)
    afternoon.deliver(first)

    returning.turn_round(manifest_code=manifest.code, reason="breakdown", actor=OLIVE, at=NOW)
    with nothing_changes():
        returning.turn_round(manifest_code=manifest.code, reason="breakdown", actor=OLIVE, at=NOW)

    far.refresh_from_db()
    assert (far.status, far.failed_at) == ("returning", None)
    assert Manifest.objects.get().status == "returning"
    assert [stop.status for stop in stops_of(manifest, Stop.Kind.DROPOFF)] == ["done", "skipped"]
    assert Fact.objects.get(name="order.returning").data["reason"] == "breakdown"


def test_a_route_that_has_not_begun_is_not_turned_round(afternoon, order):
    manifest = afternoon.loading(order)

    with nothing_changes(), pytest.raises(custody.WrongMoment):
        returning.turn_round(manifest_code=manifest.code, reason="breakdown", actor=OLIVE, at=NOW)


def test_operations_write_off_what_a_driver_lost(afternoon, order):
    manifest = afternoon.on_route(order)

    returning.lose(order_code=order.code, note="stolen from the car", actor=OLIVE, at=NOW)

    order.refresh_from_db()
    assert (order.status, order.lost_at) == ("lost", NOW)
    assert {(p.status, p.custodian) for p in Parcel.objects.all()} == {("lost", "nobody")}
    assert Incident.objects.get().kind == "lost"
    manifest.refresh_from_db()
    assert manifest.status == "completed"


def test_what_is_at_the_store_is_not_lost_by_a_driver(afternoon, order):
    with nothing_changes(), pytest.raises(closing.OrderNotHere):
        returning.lose(order_code=order.code, note="", actor=OLIVE, at=NOW)
