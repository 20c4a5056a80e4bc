"""A block that was published ahead and got no orders: unclaimed it is withdrawn, claimed it is stood down and paid in
full. So is any block whose driver waits at the mall and nothing is there to collect."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Q

from deliveries.models import Consignment
from offers import facts, freshness, limits, locks, moves, offering, settlement
from offers.models import Block, Claim
from offers.planning import cutoffs
from retaildelivery.outbox import recording, sweeping
from retaildelivery.outbox.recording import SYSTEM

NO_ORDERS = "no_orders"
STOOD_DOWN = "stood_down"
DAY = dt.timedelta(days=1)


def last_call(block: Block) -> dt.datetime:
    """When a block that was published ahead and is still empty is given up.

    At a mall with cutoffs that is when the wave of the last one before the start has had its time; elsewhere, and
    for a block published after that cutoff, `limits.LAST_CALL` before the start.
    """
    ends_at = block.starts_at - limits.LAST_CALL
    times = cutoffs.times_of(block.mall)
    if not times:
        return ends_at
    cutoff = cutoffs.last(times, block.mall.zone, at=ends_at)
    published_late = block.published_at is not None and block.published_at >= cutoff
    return ends_at if published_late else min(ends_at, cutoff + limits.CUTOFF_GRACE)


def due_at(block: Block) -> dt.datetime | None:
    """When this block ends for want of orders; None when it has some, or is not of those that do."""
    if block.orders_count:
        return None
    if block.status == Block.Status.CHECKED_IN:
        on_it = Consignment.objects.live().filter(manifest=block.manifest_id)  # type: ignore[attr-defined]
        if block.manifest_id is not None and on_it.exists():
            return None
        return block.starts_at + limits.STAND_DOWN_AFTER
    ahead = block.origin == Block.Origin.SCHEDULED
    return (
        last_call(block) if ahead and block.status in {Block.Status.OFFERED, Block.Status.CLAIMED} else None
    )


def candidates(*, at: dt.datetime) -> list[int]:
    """Blocks without orders which may be due, soonest first, a batch of them."""
    waiting = Q(
        status__in=[Block.Status.OFFERED, Block.Status.CLAIMED],
        origin=Block.Origin.SCHEDULED,
        # No cutoff is more than a day before the start that it is the last of.
        window__startswith__lte=at + DAY + limits.LAST_CALL,
    )
    at_the_mall = Q(status=Block.Status.CHECKED_IN, window__startswith__lte=at - limits.STAND_DOWN_AFTER)
    rows = Block.objects.filter(waiting | at_the_mall, orders_count=0).order_by("window__startswith", "pk")
    return list(rows.values_list("pk", flat=True)[: limits.SWEEP_BATCH])


def sweep(*, at: dt.datetime) -> int:
    """End every empty block whose time is over; returns how many this sweep ended."""
    return sweeping.each(candidates(at=at), lambda key: end(block_id=key, at=at), of="empty blocks", at=at)


@transaction.atomic(durable=True)
def end(*, block_id: int, at: dt.datetime) -> bool:
    """End one block for want of orders. False when there is nothing (more) to do: a wave that fills it holds the same
    lock, so either it came first and the block has orders, or it finds the block ended."""
    block = locks.block_unless_busy(block_id)
    if block is None:
        return False
    due = due_at(block)
    if due is None or at < due:
        return False
    claim = (
        Claim.objects.live().select_related("driver__user", "offer").filter(block=block).first()  # type: ignore[attr-defined]
    )
    if claim is None:
        offering.give_up(block=block, to=Block.Status.WITHDRAWN, reason=NO_ORDERS, at=at)
        recording.record(
            facts.block_withdrawn(block, at=at, actor=SYSTEM, reason=NO_ORDERS, driver=None, paid_cents=0)
        )
        return True
    claim.block = block
    moves.end_claim(claim, Claim.Ending.STOOD_DOWN, at=at, reason=STOOD_DOWN)
    offering.give_up(block=block, to=Block.Status.WITHDRAWN, reason=STOOD_DOWN, at=at)
    lines, total_cents = settlement.pay_stood_down(claim, at=at)
    recording.record(
        facts.block_stood_down(block, at=at, driver=claim.driver, lines=lines, total_cents=total_cents)
    )
    freshness.touch_driver(claim.driver_id)
    return True
