"""One order from the counter to the door, and one back, through the verbs."""

from deliveries.models import Manifest, Order, Parcel, Stop
from retaildelivery.testing.afternoon import NOW, facts_of, stops_of


def test_an_order_goes_from_the_counter_to_the_door(afternoon):
    order = afternoon.place()

    manifest = afternoon.on_route(order)
    [door] = stops_of(manifest, Stop.Kind.DROPOFF)
    afternoon.deliver(door)

    order = Order.objects.get()
    assert (order.status, order.delivered_at) == ("delivered", NOW)
    assert [(p.status, p.custodian) for p in order.parcels.all()] == [("delivered", "recipient")] * 2
    assert Manifest.objects.get().status == "completed"
    assert facts_of(order) == [
        "order.placed",
        "order.planned",
        "order.assigned",
        "order.at_pickup",
        "order.picked_up",
        "order.en_route",
        "order.at_dropoff",
        "order.delivered",
    ]


def test_an_order_nobody_takes_comes_back_to_its_store(afternoon):
    order = afternoon.place()
    manifest = afternoon.on_route(order)
    [door] = stops_of(manifest, Stop.Kind.DROPOFF)

    afternoon.fail(door)
    [back] = stops_of(manifest, Stop.Kind.RETURN)
    assert Manifest.objects.get().status == "returning"
    for parcel in Parcel.objects.all():
        afternoon.scan(back, parcel)
    assert Order.objects.get().status == "returning"
    afternoon.hand_over(back)

    order = Order.objects.get()
    assert (order.status, order.returned_at, order.failed_at) == ("returned", NOW, NOW)
    assert [(p.status, p.custodian) for p in order.parcels.all()] == [("returned", "store")] * 2
    assert Manifest.objects.get().status == "completed"
    assert facts_of(order)[-4:] == [
        "order.at_dropoff",
        "order.attempt_failed",
        "order.returning",
        "order.returned",
    ]
