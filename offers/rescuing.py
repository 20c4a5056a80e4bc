"""A rescue: the driver did not come, and the same work is offered once more, sooner and for more."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from deliveries.manifests import DraftStop
from deliveries.models import Order, Stop
from offers import drafting, limits, moves, offering, standby
from offers.models import Block, Claim
from offers.planning import inputs
from retaildelivery.lib.windows import Window


def rescue(*, block: Block, at: dt.datetime) -> Block | None:
    """End the block as a no-show; its stops, moved to the soonest start, become a new block a step above the
    old price. None when some promise could no longer be kept that way: then the orders wait for the next
    wave.

    Inner verb: the block is locked and its claim has ended.
    """
    start = inputs.round_start(at + limits.LEAD_SHORT)
    shift = start - block.starts_at
    stops = moved(block, shift=shift)
    in_time = all(
        stop.planned_at <= order.window.upper + limits.PLAN_LATE_MAX
        for stop in stops
        if stop.kind == Stop.Kind.DROPOFF
        for order in stop.orders
    )
    offering.give_up(block=block, to=Block.Status.NO_SHOW, reason="no_show", at=at)
    if not stops or not in_time:
        return None
    raised = max(block.hourly_cents, block.policy.short_notice_cents) + block.policy.step_cents
    new = drafting.draft(
        mall=block.mall,
        window=Window(start, start + block.length),
        stops=stops,
        distance_m=block.distance_m,
        at_least_cents=max(block.hourly_cents, min(raised, block.policy.cap_cents)),
        at=at,
        origin=block.origin,
    )
    away = Claim.objects.filter(block=block, ending=Claim.Ending.NO_SHOW).values_list("driver_id", flat=True)
    moves.move_block(new, Block.Status.OFFERED, at=at, published_at=at)
    if standby.promote(block=new, at=at, but_not=set(away)) is None:
        offering.first_offer(block=new, at=at)
    return new


def moved(block: Block, *, shift: dt.timedelta) -> Sequence[DraftStop]:
    """The stops of the block's manifest that still have orders, each so much later."""
    if block.manifest is None:
        return []
    on_it = {order.pk: order for order in drafting.orders_on(block)}
    drafts = []
    for stop in block.manifest.stops.exclude(kind=Stop.Kind.RETURN).select_related("store").in_order():
        links = stop.pickups if stop.kind == Stop.Kind.PICKUP else stop.dropoffs
        orders: tuple[Order, ...] = tuple(
            on_it[pk] for pk in links.filter(ended_at=None).values_list("order_id", flat=True)
        )
        if orders:
            drafts.append(
                DraftStop(
                    kind=stop.kind,
                    store=stop.store,
                    point=stop.point,
                    address=stop.address,
                    planned_at=stop.planned_at + shift,
                    service=stop.service,
                    orders=orders,
                    trip=stop.trip,
                )
            )
    return drafts
