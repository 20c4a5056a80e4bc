"""When the planner runs, and one run of it: a row holds the mall, the plan is made outside any transaction,
and what comes out is published in one."""

from __future__ import annotations

import datetime as dt
import traceback
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet

from deliveries.models import Order
from offers import facts, limits
from offers.models import PlanRun
from offers.planning import cutoffs, inputs, opened, planner, publish
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


@dataclass(frozen=True, slots=True)
class Due:
    """Why a wave is due; at a cutoff it takes what was posted by then."""

    cause: str
    placed_by: dt.datetime | None = None


ON_REQUEST = Due(PlanRun.Cause.ASKED)


def is_due(mall: Mall, *, at: dt.datetime) -> bool:
    return due(mall, at=at) is not None


def due(mall: Mall, *, at: dt.datetime) -> Due | None:
    """Why a wave is due at this mall now, if it is.

    A mall with cutoffs waits for the next of them, unless many are waiting or a promise is about to be at risk.
    At any other, orders posted since the last wave have waited `limits.WAVE_WAIT` for company or are many enough, or
    the last wave left some and is `limits.WAVE_EVERY` old.
    """
    last = (
        PlanRun.objects.filter(mall=mall)
        .order_by("-started_at", "-pk")
        .values_list("started_at", "ended_at")
        .first()
    )
    started_at, ended_at = last or (None, None)
    if started_at is not None and ended_at is None:
        # At work; taken over by the next wave when it has died.
        died = at - started_at >= limits.PLAN_LOCK and _orders(mall, at=at).exists()
        return Due(PlanRun.Cause.ROUND) if died else None
    times = cutoffs.times_of(mall)
    if times:
        return _due_between(mall, times, started_at, at=at)
    if started_at is None or at - started_at >= limits.WAVE_EVERY:
        waited = _orders(mall, at=at - limits.WAVE_WAIT).exists()
        return Due(PlanRun.Cause.ROUND) if waited else _enough(_orders(mall, at=at))
    # What is placed while a wave has its snapshot is new to the next.
    fresh = _orders(mall, at=at).filter(placed_at__gte=started_at)
    if fresh.filter(placed_at__lte=at - limits.WAVE_WAIT).exists():
        return Due(PlanRun.Cause.ROUND)
    return _enough(fresh)


def _due_between(
    mall: Mall, times: Sequence[dt.time], started_at: dt.datetime | None, *, at: dt.datetime
) -> Due | None:
    """For a mall with cutoffs."""
    cutoff = cutoffs.last(times, mall.zone, at=at)
    if (started_at is None or started_at < cutoff) and _orders(mall, at=cutoff).exists():
        return Due(PlanRun.Cause.CUTOFF, cutoff)
    fresh = _orders(mall, at=at)
    if started_at is not None:
        fresh = fresh.filter(placed_at__gte=started_at)
    enough = _enough(fresh)
    if enough is not None or (started_at is not None and at - started_at < limits.WAVE_EVERY):
        return enough
    return Due(PlanRun.Cause.RISK) if _at_risk(mall, at=at) else None


def _at_risk(mall: Mall, *, at: dt.datetime) -> bool:
    """Whether some order that waits has no more time than finding a driver, loading and the way take."""
    rows = _orders(mall, at=at).filter(window__endswith__lte=at + limits.PLAN_AHEAD)
    return any(
        inputs.cannot_wait(due_at=window.upper, ready_at=ready_at, distance_m=distance_m, at=at)
        for window, ready_at, distance_m in rows.values_list("window", "ready_at", "distance_m")
    )


def _orders(mall: Mall, *, at: dt.datetime) -> QuerySet[Order]:
    """Orders posted by then which a wave would look at."""
    near = at + limits.PLAN_AHEAD
    waiting: QuerySet[Order] = Order.objects.waiting().at_mall(mall.pk)  # type: ignore[attr-defined]
    return waiting.filter(placed_at__lte=at, ready_at__lte=near, window__startswith__lte=near)


def _enough(orders: QuerySet[Order]) -> Due | None:
    many = orders[: limits.WAVE_ORDERS].count() >= limits.WAVE_ORDERS
    return Due(PlanRun.Cause.ENOUGH) if many else None


def run(*, mall_code: str, at: dt.datetime, everything: bool = False) -> PlanRun | None:
    """Plan the waiting orders of a mall and offer the blocks. None when another wave is at work there, or
    took over.

    With `everything` (a dispatcher's "plan now") no order waits for company. A failure is kept with the run
    and raised. Raises Mall.DoesNotExist, terms.NoPayPolicy, publish.PlanRejected.
    """
    why = ON_REQUEST
    if not everything:
        why = due(Mall.objects.select_related("market").get(code=mall_code), at=at) or why
    begun = begin(mall_code=mall_code, at=at, why=why)
    if begun is None:
        return None
    try:
        proposal = propose(
            mall_code=mall_code, at=at, seed=begun.pk, everything=everything, placed_by=why.placed_by
        )
        seen = _waiting_in(proposal.snapshot) if proposal else 0
        PlanRun.objects.filter(pk=begun.pk, ended_at=None).update(orders_seen=seen)
        return publish.publish(run_id=begun.pk, proposal=proposal, at=at)
    except Exception:
        fail(run_id=begun.pk, failure=traceback.format_exc(), at=at)
        raise


def _waiting_in(snapshot: Snapshot) -> int:
    return len(snapshot.afternoon.orders) - len(opened.held(snapshot.afternoon))


@transaction.atomic(durable=True)
def begin(*, mall_code: str, at: dt.datetime, why: Due = ON_REQUEST) -> PlanRun | None:
    """Take the mall for a wave: one row without an end per mall is all the database allows. A wave older than
    `limits.PLAN_LOCK` has died and is taken over."""
    mall = Mall.objects.get(code=mall_code)
    PlanRun.objects.filter(mall=mall, ended_at=None, started_at__lte=at - limits.PLAN_LOCK).update(
        ended_at=at, failure="taken over: it did not end in time"
    )
    if PlanRun.objects.filter(mall=mall, ended_at=None).exists():
        return None
    row = PlanRun(mall=mall, started_at=at, cause=why.cause, placed_by=why.placed_by)
    PlanRun.objects.bulk_create([row], ignore_conflicts=True)
    return PlanRun.objects.filter(mall=mall, ended_at=None, started_at=at).first()


def propose(
    *,
    mall_code: str,
    at: dt.datetime,
    seed: int,
    everything: bool = False,
    placed_by: dt.datetime | None = None,
) -> Proposal | None:
    """What a wave would do with a mall's waiting orders: one plan of new blocks and of those that are there already
    and have room, whose pay is spent. None when no order waits. Nothing is written.

    No transaction may be open: this takes seconds. Raises terms.NoPayPolicy.
    """
    mall = Mall.objects.select_related("market").get(code=mall_code)
    orders = inputs.waiting(mall, at=at, placed_by=placed_by)
    if not orders:
        return None
    blocks = inputs.with_room(inputs.open_blocks(mall, at=at))
    snapshot = inputs.snapshot(mall, orders, at=at, everything=everything, opened=blocks)
    return Proposal(snapshot, think(snapshot, seed=seed, seconds=seconds_for(len(orders))))


def think(snapshot: Snapshot, *, seed: int, seconds: float, iterations: int | None = None) -> Plan:
    """The plan of one snapshot; with `iterations` the same each time."""
    return planner.plan(snapshot.afternoon, seconds=seconds, seed=seed, iterations=iterations)


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
