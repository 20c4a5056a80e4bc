"""What a delivery costs line by line, from the first: other services' clients read a number there."""

from __future__ import annotations

from deliveries import charging
from deliveries.models import Order
from deliveries.snapshots import parcels_of


def lines_of(order: Order) -> list[tuple[str, int]]:
    """Kinds and cents; until somebody knows where the door is, those of the nearest one. None without prices."""
    policy, metres = order.fee_policy, order.distance_m
    if policy is None or metres is None:
        policy, metres = charging.policy_for(order.store, at=order.placed_at), 0
    if policy is None:
        return []
    sizes = [parcel.size for parcel in parcels_of(order)]
    lines = charging.delivery_lines(policy, distance_m=metres, sizes=sizes, slot_cents=order.slot_cents)
    return [(str(line.kind), line.cents) for line in lines]


def total_of(order: Order) -> int | None:
    """The fee, in cents, as `lines_of` has it."""
    if order.fee_cents is not None:
        return order.fee_cents
    lines = lines_of(order)
    return sum(cents for _kind, cents in lines) if lines else None
