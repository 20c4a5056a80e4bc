"""When the planner runs, and one run of it: a row holds the mall, the plan is made outside any transaction,
and what comes out is published in one."""

from __future__ import annotations

import datetime as dt
import traceback

from django.db import transaction
from django.db.models import QuerySet

from deliveries.models import Order
from offers import facts, limits
from offers.models import PlanRun
from offers.planning import inputs, planner, publish, urgency
from offers.planning.afternoon import Plan
from offers.planning.inputs import Snapshot
from offers.planning.publish import Proposal
from retaildelivery.outbox import dispatch, recording
from retaildelivery.outbox.models import Fact
from stores.models import Mall

TASK = "offers.tasks.plan"
TASK_NOW = "offers.tasks.plan_now"


def consider(*, fact: Fact, at: dt.datetime) -> None:
    """Reaction to an order that waits: plan its mall at once if that is due already; else the sweep does,
    soon."""
    codes = [subject.removeprefix("mall:") for subject in fact.subjects if subject.startswith("mall:")]
    for mall in Mall.objects.filter(code__in=codes, active=True):
        if is_due(mall, at=at):
            send(mall.code)


def send_now(mall_code: str) -> bool:
    """A dispatcher's "plan now". False when no worker can be asked."""
    return dispatch.send(TASK_NOW, queue="planning", mall_code=mall_code)


def send(mall_code: str) -> None:
    """Hand a wave to a worker once the running transaction commits."""
    transaction.on_commit(lambda: dispatch.send(TASK, queue="planning", mall_code=mall_code), robust=True)


def due_malls(at: dt.datetime) -> list[str]:
    """Codes of the malls where a wave is due now."""
    return [mall.code for mall in Mall.objects.filter(active=True).order_by("code") if is_due(mall, at=at)]


def is_due(mall: Mall, *, at: dt.datetime) -> bool:
    """Orders posted since the last wave have waited `limits.WAVE_WAIT` for company or are many enough; or the
    last wave left some and is `limits.WAVE_EVERY` old."""
    last = (
        PlanRun.objects.filter(mall=mall)
        .order_by("-started_at", "-pk")
        .values_list("started_at", "ended_at")
        .first()
    )
    started_at, ended_at = last or (None, None)
    if started_at is not None and ended_at is None:
        # At work; taken over by the next wave when it has died.
        return at - started_at >= limits.PLAN_LOCK and _orders(mall, at=at).exists()
    if started_at is None or at - started_at >= limits.WAVE_EVERY:
        return _orders(mall, at=at - limits.WAVE_WAIT).exists() or _many(mall, at=at)
    # What is placed while a wave has its snapshot is new to the next.
    fresh = _orders(mall, at=at).filter(placed_at__gte=started_at)
    waited = fresh.filter(placed_at__lte=at - limits.WAVE_WAIT)
    return waited.exists() or fresh[: limits.WAVE_ORDERS].count() >= limits.WAVE_ORDERS


def _orders(mall: Mall, *, at: dt.datetime) -> QuerySet[Order]:
    """Orders posted by then which a wave would look at."""
    near = at + limits.PLAN_AHEAD
    waiting: QuerySet[Order] = Order.objects.waiting().at_mall(mall.pk)  # type: ignore[attr-defined]
    return waiting.filter(placed_at__lte=at, ready_at__lte=near, window__startswith__lte=near)


def _many(mall: Mall, *, at: dt.datetime) -> bool:
    return bool(_orders(mall, at=at)[: limits.WAVE_ORDERS].count() >= limits.WAVE_ORDERS)


def run(*, mall_code: str, at: dt.datetime, everything: bool = False) -> PlanRun | None:
    """Plan the waiting orders of a mall and offer the blocks. None when another wave is at work there, or
    took over.

    With `everything` (a dispatcher's "plan now") no order waits for company. A failure is kept with the run
    and raised. Raises Mall.DoesNotExist, terms.NoPayPolicy, publish.PlanRejected.
    """
    begun = begin(mall_code=mall_code, at=at)
    if begun is None:
        return None
    try:
        proposals = propose(mall_code=mall_code, at=at, seed=begun.pk, everything=everything)
        seen = sum(len(proposal.snapshot.afternoon.orders) for proposal in proposals)
        PlanRun.objects.filter(pk=begun.pk, ended_at=None).update(orders_seen=seen)
        return publish.publish(run_id=begun.pk, proposals=proposals, at=at)
    except Exception:
        fail(run_id=begun.pk, failure=traceback.format_exc(), at=at)
        raise


@transaction.atomic(durable=True)
def begin(*, mall_code: str, at: dt.datetime) -> PlanRun | None:
    """Take the mall for a wave: one row without an end per mall is all the database allows. A wave older than
    `limits.PLAN_LOCK` has died and is taken over."""
    mall = Mall.objects.get(code=mall_code)
    PlanRun.objects.filter(mall=mall, ended_at=None, started_at__lte=at - limits.PLAN_LOCK).update(
        ended_at=at, failure="taken over: it did not end in time"
    )
    if PlanRun.objects.filter(mall=mall, ended_at=None).exists():
        return None
    row = PlanRun(mall=mall, started_at=at)
    PlanRun.objects.bulk_create([row], ignore_conflicts=True)
    return PlanRun.objects.filter(mall=mall, ended_at=None, started_at=at).first()


def propose(*, mall_code: str, at: dt.datetime, seed: int, everything: bool = False) -> list[Proposal]:
    """Plans for a mall's waiting orders, one per kind of car; nothing is written. No transaction may be open:
    this takes seconds."""
    mall = Mall.objects.select_related("market").get(code=mall_code)
    orders = inputs.waiting(mall, at=at)
    found = inputs.snapshots(mall, orders, at=at, everything=everything) if orders else []
    return [
        Proposal(each, think(each, seed=seed, seconds=seconds_for(len(each.afternoon.orders)) / len(found)))
        for each in found
    ]


def think(snapshot: Snapshot, *, seed: int, seconds: float, iterations: int | None = None) -> Plan:
    """The plan of one snapshot, in which what is urgent does not wait; with `iterations` the same each time."""
    afternoon = snapshot.afternoon
    asked = urgency.nothing_waits(afternoon) if snapshot.urgent else afternoon
    plan = planner.plan(asked, seconds=seconds, seed=seed, iterations=iterations)
    return urgency.trim(afternoon, plan, snapshot.urgent) if snapshot.urgent else plan


def seconds_for(orders: int) -> float:
    """Few orders are packed in no time; a worker's seconds are for the large afternoons."""
    return min(float(limits.PLAN_SECONDS), limits.PLAN_SECONDS_EACH * orders)


@transaction.atomic(durable=True)
def fail(*, run_id: int, failure: str, at: dt.datetime) -> None:
    """End a run that broke, with its reason; the orders are looked at again by the next wave."""
    run = PlanRun.objects.select_related("mall").filter(pk=run_id, ended_at=None).first()
    if run is None:
        return
    run.ended_at, run.failure = at, failure[-limits.FAILURE_TEXT :]
    run.save(update_fields=["ended_at", "failure"])
    recording.record(facts.plan_ran(run, at=at))
