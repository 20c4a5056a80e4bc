"""The end of an order's place, and of a door, on a manifest."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext_lazy as _

from deliveries import completion, custody, facts, moves
from deliveries.custody import StopRefused
from deliveries.models import Order, ProofOfDelivery, Stop
from deliveries.snapshots import live_consignment
from drivers.models import Driver
from retaildelivery.outbox import recording

TO_DELIVER = (Order.Status.EN_ROUTE, Order.Status.AT_DROPOFF)


class OrderNotHere(StopRefused):
    code = "order_not_here"
    sentence = _("This order is not to be delivered at this stop any more.")


def orders_meant(stop: Stop, order_code: str) -> tuple[list[Order], list[Order]]:
    """All orders at the door, and those the driver means. Raises WrongMoment, StopClosed, OrderNotHere."""
    custody.refuse_unless_open(stop)
    everyone = custody.orders_at(stop)
    meant = [
        order
        for order in everyone
        if order.status in TO_DELIVER and (not order_code or order.code == order_code)
    ]
    if stop.kind != Stop.Kind.DROPOFF or not meant:
        raise OrderNotHere(field="order")
    return everyone, meant


def end_place(order: Order, ending: str, *, at: dt.datetime) -> None:
    place = live_consignment(order)
    assert place is not None
    place.ended_at, place.ending = at, ending
    place.save(update_fields=["ended_at", "ending"])
    order.live_consignments = []  # type: ignore[attr-defined]


def end_stop(stop: Stop, *, driver: Driver, at: dt.datetime) -> None:
    """The door is done when nothing is to be delivered there any more; then see whether the manifest goes on."""
    if any(order.status in TO_DELIVER for order in custody.orders_at(stop)):
        completion.retime(stop.manifest, at=at)
        return
    delivered = ProofOfDelivery.objects.filter(stop=stop).exists()
    moves.move_stop(stop, Stop.Status.DONE if delivered else Stop.Status.FAILED, at)
    name = "stop.delivered" if delivered else "stop.failed"
    recording.record(facts.stop_changed(name, stop, at=at, actor=facts.of_driver(driver), driver=driver))
    completion.settle(stop.manifest, at=at)
