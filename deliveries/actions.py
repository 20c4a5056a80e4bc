"""What it would cost to act on an order: now, and if one waits a little. Asked before doing it; nothing changes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from deliveries import charging, fees, limits
from deliveries.fees import FeeLine
from deliveries.models import Order, Parcel
from deliveries.snapshots import live_consignment, parcels_of
from retaildelivery.lib.geo import Point, road_m, within

CANCEL, RETURN, REDELIVER, RETIME, CHANGE_ADDRESS = (
    "cancel",
    "return",
    "redeliver",
    "retime",
    "change_address",
)
# What an order may have become by the time one has thought about it.
NEXT = {
    Order.Status.PLACED: Order.Status.PLANNED,
    Order.Status.PLANNED: Order.Status.ASSIGNED,
    Order.Status.ASSIGNED: Order.Status.AT_PICKUP,
}
ON_THE_WAY = {Order.Status.PICKED_UP, Order.Status.EN_ROUTE, Order.Status.AT_DROPOFF}


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that could be done. `cents` None: not known; `later_cents` is the most it costs in five minutes, None
    when it may not be possible then. `until`: the price stands that long, as far as plans tell."""

    name: str
    allowed: bool
    reason: str = ""
    lines: tuple[FeeLine, ...] = ()
    cents: int | None = 0
    until: dt.datetime | None = None
    later_cents: int | None = 0


def of(order: Order, *, at: dt.datetime, door: Point | None = None) -> list[Action]:
    """Every action on this order; `door` is where a changed address would be."""
    return [
        _cancel(order, at),
        _return(order),
        _redeliver(order, at),
        _retime(order),
        _change_address(order, at, door),
    ]


def _cancel(order: Order, at: dt.datetime) -> Action:
    held = any(parcel.custodian != Parcel.Custodian.STORE for parcel in parcels_of(order))
    if order.status not in Order.BEFORE_CUSTODY or held:
        reason = "picked_up" if held and not order.has_ended else order.status
        return Action(CANCEL, allowed=False, reason=reason, cents=None, later_cents=None)
    lines = charging.cancelling(order, status=order.status)
    place = live_consignment(order)
    pickup_at = place.pickup.eta_at if place is not None else None
    soon = at + limits.SOON
    until, later = None, _later(order)
    if order.status == Order.Status.ASSIGNED and pickup_at is not None:
        # The next step is the driver at the counter, and when that is we know.
        until = max(at, pickup_at)
        later = fees.total_cents(lines) if until > soon else later
    elif order.status == Order.Status.AT_PICKUP:
        later = None
    return Action(
        CANCEL,
        allowed=True,
        lines=lines,
        cents=fees.total_cents(lines),
        until=until,
        later_cents=later,
    )


def _later(order: Order) -> int | None:
    following = NEXT.get(Order.Status(order.status))
    if following is None:
        return None
    return fees.total_cents(charging.cancelling(order, status=following))


def _return(order: Order) -> Action:
    """Not asked for but caused: by a door that fails, once a driver has it."""
    lines = charging.returning(order)
    cents = fees.total_cents(lines)
    coming = order.status in ON_THE_WAY
    return Action(
        RETURN,
        allowed=False,
        reason="only_when_undeliverable" if coming else order.status,
        lines=lines if coming else (),
        cents=cents if coming else None,
        later_cents=cents if coming else None,
    )


def _redeliver(order: Order, at: dt.datetime) -> Action:
    if order.status != Order.Status.RETURNED or order.distance_m is None:
        return Action(REDELIVER, allowed=False, reason=order.status, cents=None, later_cents=None)
    lines = _delivery(order, order.distance_m, at)
    cents = fees.total_cents(lines) if lines else None
    return Action(REDELIVER, allowed=True, lines=lines, cents=cents, later_cents=cents)


def _retime(order: Order) -> Action:
    if order.status != Order.Status.PLACED:
        return Action(RETIME, allowed=False, reason=order.status, cents=None, later_cents=None)
    return Action(RETIME, allowed=True)


def _change_address(order: Order, at: dt.datetime, door: Point | None) -> Action:
    """The price is the difference to what the order costs now; it may be negative."""
    if order.status != Order.Status.PLACED:
        return Action(CHANGE_ADDRESS, allowed=False, reason=order.status, cents=None, later_cents=None)
    mall = order.store.mall
    if door is None:
        return Action(CHANGE_ADDRESS, allowed=True, cents=None, later_cents=None)
    if not within(mall.point, mall.delivery_radius_m, door):
        return Action(CHANGE_ADDRESS, allowed=False, reason="not_serviceable", cents=None, later_cents=None)
    lines = _delivery(order, road_m(mall.point, door), at, slot_cents=order.slot_cents)
    cents = fees.total_cents(lines) - (order.fee_cents or 0) if lines else None
    return Action(CHANGE_ADDRESS, allowed=True, lines=lines, cents=cents, later_cents=cents)


def _delivery(order: Order, distance_m: int, at: dt.datetime, *, slot_cents: int = 0) -> tuple[FeeLine, ...]:
    policy = charging.policy_for(order.store, at=at)
    if policy is None:
        return ()
    sizes = [parcel.size for parcel in parcels_of(order)]
    return charging.delivery_lines(policy, distance_m=distance_m, sizes=sizes, slot_cents=slot_cents)
