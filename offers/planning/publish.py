"""From a plan to offered blocks, in one transaction that looks again at everything the plan was made from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from deliveries import locks as delivery_locks
from deliveries.models import Order
from offers import drafting, facts, limits, locks, offering
from offers.models import Block, PlanRun
from offers.planning import alone, filling, inputs, judge, opened, routes
from offers.planning.afternoon import LEFT_SENTENCES, LeftOver, LeftReason, Plan, PlannedBlock
from offers.planning.inputs import SECOND, Snapshot
from retaildelivery.lib.refusals import Refused
from retaildelivery.lib.windows import Window
from retaildelivery.outbox import recording
from stores.models import Mall


class PlanRejected(Refused):
    code = "plan_rejected"
    sentence = _("The judge rejects the plan: %(rules)s.")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A plan with what it was made from."""

    snapshot: Snapshot
    plan: Plan


def check(proposal: Proposal) -> None:
    """Raises PlanRejected, naming every rule the plan breaks."""
    broken = judge.verdict(proposal.snapshot.afternoon, proposal.plan)
    if broken:
        raise PlanRejected(rules=", ".join(sorted({violation.rule for violation in broken})))


def say(left: LeftOver, snapshot: Snapshot) -> dict[str, Any]:
    """Why an order was left, as a run keeps it: the reason's code, its numbers, and the sentence in
    English; of one that waits because that is cheaper also until when."""
    params = dict(left.params)
    said = {
        "order": left.order,
        "reason": str(left.reason),
        "params": params,
        "text": LEFT_SENTENCES[left.reason] % params,
    }
    if left.reason == LeftReason.CHEAPER_TO_WAIT:
        said["until"] = snapshot.next_at.isoformat()
    return said


@transaction.atomic(durable=True)
def publish(*, run_id: int, proposal: Proposal | None, at: dt.datetime) -> PlanRun | None:
    """Fill blocks and offer new ones as a wave has planned it, and end its run; None when another wave has taken over
    meanwhile.

    An order that was cancelled, changed or planned since the snapshot falls out of its block; a block that is there
    already and has changed since is not touched. Raises PlanRejected.
    """
    if proposal is not None:
        check(proposal)
    run = locks.wave(run_id)
    if run is None:
        return None
    run.ended_at = at
    if proposal is not None:
        _carry_out(run, proposal, at=at)
    run.save(
        update_fields=[
            "ended_at", "blocks_made", "filled", "orders_planned", "orders_joined", "cost_cents", "alone_cents",
            "left", "engine", "notes",
        ]
    )  # fmt: skip
    recording.record(facts.plan_ran(run, at=at))
    return run


def _carry_out(run: PlanRun, proposal: Proposal, *, at: dt.datetime) -> None:
    """Write the plan, and what came of it into the run."""
    snapshot, plan = proposal.snapshot, proposal.plan
    afternoon = snapshot.afternoon
    fills = {block.opened: block for block in opened.filled(afternoon, plan)}
    filling.lock(sorted(fills))
    orders = _unchanged(proposal)
    left = [say(each, snapshot) for each in plan.left]
    for code, planned in fills.items():
        added = opened.added(afternoon, planned)
        joined = filling.fill(run.mall, snapshot.opened[code], planned, orders, snapshot, at=at)
        run.orders_joined += len(joined)
        if joined:
            run.filled.append({"block": code, "added": joined})
        else:
            waiting = (LeftOver(each, LeftReason.BLOCK_CHANGED) for each in added if _waits(each, orders))
            left += [say(each, snapshot) for each in waiting]
    made = []
    for planned in opened.made(plan):
        still = {code: orders[code] for code in planned.orders if _waits(code, orders)}
        if still:
            made.append(_offer(run.mall, planned, still, snapshot, at=at))
    Block.objects.filter(pk__in=[block.pk for block in made]).update(plan_run=run)
    run.blocks_made = len(made)
    run.orders_planned = run.orders_joined + sum(block.orders_count for block in made)
    run.cost_cents = opened.cost_cents(afternoon, plan)
    run.alone_cents = alone.alone_cents(afternoon, plan)
    run.left = left
    run.engine = plan.engine
    run.notes = list(dict.fromkeys((*afternoon.notes, *plan.notes)))


def _waits(code: str, orders: Mapping[str, Order]) -> bool:
    return code in orders and orders[code].status == Order.Status.PLACED


def _unchanged(proposal: Proposal) -> dict[str, Order]:
    """The orders of the blocks that are made or filled, locked all at once, as far as they are still exactly what the
    plan was made for."""
    snapshot = proposal.snapshot
    touched = [*opened.made(proposal.plan), *opened.filled(snapshot.afternoon, proposal.plan)]
    codes = [code for block in touched for code in block.orders]
    delivery_locks.be_patient()
    pks = Order.objects.filter(code__in=codes).values_list("pk", flat=True)
    return {
        order.code: order
        for order in delivery_locks.orders(pks)
        if order.latitude is not None and inputs.unchanged(order, snapshot)
    }


def _offer(
    mall: Mall, planned: PlannedBlock, orders: Mapping[str, Order], snapshot: Snapshot, *, at: dt.datetime
) -> Block:
    block = drafting.draft(
        mall=mall,
        window=window_of(planned, snapshot),
        stops=routes.stops_of(mall, planned, orders, snapshot),
        distance_m=planned.metres,
        at_least_cents=inputs.reached_cents(orders.values(), at=at),
        at=at,
    )
    offering.publish(block=block, at=at)
    return block


def window_of(planned: PlannedBlock, snapshot: Snapshot) -> Window:
    """The block's window; the start of a new one is moved back to a round minute where readiness and the way allow
    it."""
    there = next((each for each in snapshot.afternoon.open_blocks if each.code == planned.opened), None)
    if there is not None:
        return Window(snapshot.moment(there.start), snapshot.moment(there.start + there.length_s))
    start, length = snapshot.moment(planned.start), planned.length_s * SECOND
    earlier = inputs.round_start(start - limits.START_ROUND + SECOND)
    first = planned.trips[0].orders
    ready = max(row.ready for row in snapshot.afternoon.orders if row.code in first)
    soonest = snapshot.moment(max(ready, snapshot.afternoon.now))
    if soonest <= earlier and earlier + length >= snapshot.moment(planned.finish):
        start = earlier
    return Window(start, start + length)
