"""A driver is at a stop: a counter, a door, or a counter to bring something back to."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from deliveries import completion, custody, facts, moves
from deliveries.evidence import Evidence, refuse_if_stale
from deliveries.models import Order, Stop
from drivers.models import Driver
from retaildelivery.outbox import recording

# What an order becomes when its driver is at the stop, from which state, and the fact that tells it.
AT: dict[str, tuple[str, str, str]] = {
    Stop.Kind.PICKUP: (Order.Status.ASSIGNED, Order.Status.AT_PICKUP, "order.at_pickup"),
    Stop.Kind.DROPOFF: (Order.Status.EN_ROUTE, Order.Status.AT_DROPOFF, "order.at_dropoff"),
}


@transaction.atomic(durable=True)
def arrive(*, driver: Driver, stop_code: str, evidence: Evidence, at: dt.datetime) -> Stop:
    """The driver says they are there. A repeat changes nothing.

    Raises StopNotYours, WrongMoment, StopClosed, EventTooOld.
    """
    refuse_if_stale(evidence, at=at)
    stop = custody.stop_of(driver, stop_code)
    if stop.arrived_at is not None:
        # Said before: also by a phone that was without signal and says it again when all is done.
        return stop
    custody.refuse_unless_open(stop)
    _leave_other_door(stop, at=at)
    note(stop, custody.orders_at(stop), driver=driver, evidence=evidence, at=at)
    return stop


def note(
    stop: Stop, orders: list[Order], *, driver: Driver, evidence: Evidence | None, at: dt.datetime
) -> None:
    """Mark the arrival at a stop (locked with its orders) unless it is marked; whoever scans there has arrived."""
    if stop.status != Stop.Status.PLANNED:
        return
    off_by_m = evidence.off_by_m(stop.point) if evidence else None
    moves.move_stop(stop, Stop.Status.ARRIVED, at, arrived_off_by_m=off_by_m)
    actor = facts.of_driver(driver)
    recording.record(
        facts.stop_changed("stop.arrived", stop, at=at, actor=actor, driver=driver, off_by_m=off_by_m)
    )
    if stop.kind in AT:
        before, after, fact = AT[stop.kind]
        there = [order for order in orders if order.status == before]
        if there:
            moves.move_orders(there, after)
            facts.tell_all(fact, there, at=at, actor=actor, driver=driver)
    completion.retime(stop.manifest, at=at)


def _leave_other_door(stop: Stop, *, at: dt.datetime) -> None:
    """A driver at one door is at no other: one left without an outcome is still to be done."""
    if stop.kind != Stop.Kind.DROPOFF:
        return
    others = stop.manifest.stops.filter(kind=Stop.Kind.DROPOFF, status=Stop.Status.ARRIVED)
    for other in others.exclude(pk=stop.pk):
        moves.move_stop(other, Stop.Status.PLANNED, at, arrived_at=None, arrived_off_by_m=None)
        left = [order for order in custody.orders_at(other) if order.status == Order.Status.AT_DROPOFF]
        if left:
            moves.move_orders(left, Order.Status.EN_ROUTE)
