"""From a plan to offered blocks, in one transaction that looks again at everything the plan was made from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from deliveries import locks as delivery_locks
from deliveries.models import Order
from offers import drafting, facts, limits, locks, offering
from offers.models import Block, PlanRun
from offers.planning import alone, filling, inputs, judge, routes
from offers.planning.afternoon import LEFT_SENTENCES, LeftOver, Plan, PlannedBlock
from offers.planning.filling import Into
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
    """A plan with what it was made from; with `into` it is of one block that is there already."""

    snapshot: Snapshot
    plan: Plan
    into: Into | None = None


def check(proposal: Proposal) -> None:
    """Raises PlanRejected, naming every rule the plan breaks."""
    broken = judge.verdict(proposal.snapshot.afternoon, proposal.plan)
    if broken:
        raise PlanRejected(rules=", ".join(sorted({violation.rule for violation in broken})))


def say(left: LeftOver) -> dict[str, Any]:
    """Why an order was left, as a run keeps it: the reason's code, its numbers, and the sentence in
    English."""
    params = dict(left.params)
    return {
        "order": left.order,
        "reason": str(left.reason),
        "params": params,
        "text": LEFT_SENTENCES[left.reason] % params,
    }


@transaction.atomic(durable=True)
def publish(*, run_id: int, proposals: Sequence[Proposal], at: dt.datetime) -> PlanRun | None:
    """Offer the blocks of a wave and end its run; None when another wave has taken over meanwhile.

    An order that was cancelled, changed or planned since the snapshot falls out of its block. Raises
    PlanRejected.
    """
    for proposal in proposals:
        check(proposal)
    run = locks.wave(run_id)
    if run is None:
        return None
    joins = [each for each in proposals if each.into is not None]
    plans = [each for each in proposals if each.into is None]
    filling.lock([each.into for each in joins if each.into is not None])
    joined = sum(
        filling.fill(run.mall, each.into, each.plan.blocks[0], _still_waiting(each), each.snapshot, at=at)
        for each in joins
        if each.into is not None
    )
    made: list[Block] = []
    left: list[dict[str, Any]] = []
    for proposal in plans:
        left += [say(each) for each in proposal.plan.left]
        still = _still_waiting(proposal)
        for planned in proposal.plan.blocks:
            orders = {code: still[code] for code in planned.orders if code in still}
            if orders:
                made.append(_offer(run.mall, planned, orders, proposal.snapshot, at=at))
    run.ended_at = at
    run.blocks_made = len(made)
    run.orders_joined = joined
    run.orders_planned = joined + sum(block.orders_count for block in made)
    run.cost_cents = sum(proposal.plan.cost_cents for proposal in plans)
    run.alone_cents = sum(alone.alone_cents(each.snapshot.afternoon, each.plan) for each in plans)
    run.left = left
    run.engine = ", ".join(dict.fromkeys(proposal.plan.engine for proposal in proposals))
    # What is known of the travel times holds for orders that only joined a block, too.
    said = [(*each.snapshot.afternoon.notes, *each.plan.notes) for each in proposals]
    run.notes = list(dict.fromkeys(note for notes in said for note in notes))
    run.save(
        update_fields=[
            "ended_at", "blocks_made", "orders_planned", "orders_joined", "cost_cents", "alone_cents", "left",
            "engine", "notes",
        ]
    )  # fmt: skip
    Block.objects.filter(pk__in=[block.pk for block in made]).update(plan_run=run)
    recording.record(facts.plan_ran(run, at=at))
    return run


def _still_waiting(proposal: Proposal) -> dict[str, Order]:
    """The planned orders, locked, that are still exactly what the plan was made for."""
    snapshot = proposal.snapshot
    codes = [code for block in proposal.plan.blocks for code in block.orders]
    delivery_locks.be_patient()
    pks = Order.objects.filter(code__in=codes).values_list("pk", flat=True)
    planned = {row.code: row for row in snapshot.afternoon.orders}
    return {
        order.code: order
        for order in delivery_locks.orders(pks)
        if order.status == Order.Status.PLACED
        and order.latitude is not None
        and inputs.as_waiting(inputs.candidate(order), snapshot.epoch) == planned[order.code]
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
    """The block's window; its start is moved back to a round minute where readiness and the way allow it."""
    start, length = snapshot.moment(planned.start), planned.length_s * SECOND
    earlier = inputs.round_start(start - limits.START_ROUND + SECOND)
    ready = max(row.ready for row in snapshot.afternoon.orders if row.code in planned.orders)
    soonest = snapshot.moment(max(ready, snapshot.afternoon.now))
    if soonest <= earlier and earlier + length >= snapshot.moment(planned.finish):
        start = earlier
    return Window(start, start + length)
