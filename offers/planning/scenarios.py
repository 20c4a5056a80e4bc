"""A mall's afternoon planned as it is and as it might be, without writing anything: for the command line."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from offers.planning import inputs, past, publish, waves, whatif
from offers.planning.afternoon import PlannedBlock
from offers.planning.inputs import Snapshot
from offers.planning.publish import Proposal
from offers.planning.whatif import Change, Sum
from retaildelivery.lib import money
from stores.models import Mall

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scenario:
    """The plans of one set of terms, one per kind of car, and what they come to."""

    change: Change
    proposals: tuple[Proposal, ...]
    sum: Sum
    took_s: float


def compare(
    *,
    mall: Mall,
    at: dt.datetime,
    earlier: bool,
    changes: Sequence[Change],
    everything: bool,
    seed: int,
    seconds: float | None,
    iterations: int | None,
) -> list[Scenario]:
    """One plan per change, all of the same orders: those that wait now, or waited at `at` when that is `earlier`.

    Raises terms.NoPayPolicy, publish.PlanRejected.
    """
    orders = past.waited(mall, at=at) if earlier else inputs.waiting(mall, at=at)
    found = inputs.snapshots(mall, orders, at=at, everything=everything) if orders else []
    return [_scenario(found, change, seed=seed, seconds=seconds, iterations=iterations) for change in changes]


def _scenario(
    found: Sequence[Snapshot], change: Change, *, seed: int, seconds: float | None, iterations: int | None
) -> Scenario:
    begun = time.monotonic()
    proposals = []
    for each in found:
        snapshot = dataclasses.replace(each, afternoon=whatif.changed(each.afternoon, change))
        budget = seconds or waves.seconds_for(len(snapshot.afternoon.orders))
        plan = waves.think(snapshot, seed=seed, seconds=budget / len(found), iterations=iterations)
        proposal = Proposal(snapshot, plan)
        publish.check(proposal)
        proposals.append(proposal)
    return Scenario(
        change=change,
        proposals=tuple(proposals),
        sum=whatif.summed((each.snapshot.afternoon, each.plan) for each in proposals),
        took_s=time.monotonic() - begun,
    )


# -- In words ----------------------------------------------------------------------------------------------


def as_text(scenario: Scenario, *, mall: Mall) -> list[str]:
    """Block by block with its stops, then what is left and why."""
    lines = []
    for proposal in scenario.proposals:
        for block in proposal.plan.blocks:
            lines += _block_lines(block, proposal.snapshot, mall)
    for proposal in scenario.proposals:
        lines += [f"  left {each.order}: {publish.say(each)['text']}" for each in proposal.plan.left]
        lines += [f"  note: {note}" for note in proposal.plan.notes]
    return lines or ["  no order waits"]


def _block_lines(block: PlannedBlock, snapshot: Snapshot, mall: Mall) -> list[str]:
    window = publish.window_of(block, snapshot)
    clock = _clock(mall)
    head = (
        f"{clock(window.start)}-{clock(window.end)}  {len(block.orders)} orders, {block.parcels} parcels, "
        f"{len(block.stores)} stores, {block.metres / 1000:.1f} km, "
        f"{money.format_cents(block.cost_cents, mall.market.currency)}, "
        f"{(block.start + block.length_s - block.finish) // 60} min to spare"
    )
    lines = [
        head,
        f"    {clock(snapshot.moment(block.start))} load at {' '.join(block.stores)}",
    ]
    for stop in block.stops:
        late = f"  {-(-stop.late_s // 60)} min late" if stop.late_s else ""
        lines.append(f"    {clock(snapshot.moment(stop.serve))} {' '.join(stop.orders)}{late}")
    return lines


def _clock(mall: Mall) -> Any:
    return lambda moment: moment.astimezone(mall.zone).strftime("%H:%M")


ROWS: tuple[tuple[str, str], ...] = (
    ("orders planned", "planned"),
    ("orders left", "left"),
    ("blocks", "blocks"),
    ("hours paid", "hours"),
    ("kilometres", "km"),
    ("minutes late", "late"),
    ("pay", "pay_cents"),
    ("travel", "travel_cents"),
    ("lateness", "lateness_cents"),
    ("waiting", "waiting_cents"),
    ("cost", "cost_cents"),
    ("each order alone", "alone_cents"),
    ("saved", "saved_cents"),
)


def as_table(scenarios: Sequence[Scenario], *, currency: str) -> list[str]:
    """One column per scenario."""
    columns = [[scenario.change.name, *_cells(scenario.sum, currency)] for scenario in scenarios]
    titles = ["", *(title for title, _name in ROWS)]
    wide = max(map(len, titles))
    widths = [max(map(len, column)) for column in columns]
    return [
        (
            f"{title:<{wide}}  "
            + "  ".join(f"{column[n]:>{width}}" for column, width in zip(columns, widths, strict=True))
        ).rstrip()
        for n, title in enumerate(titles)
    ]


def _cells(numbers: Sum, currency: str) -> list[str]:
    told = {
        "left": str(numbers.orders - numbers.planned),
        "hours": f"{numbers.paid_s / 3600:g}",
        "km": f"{numbers.metres / 1000:.1f}",
        "late": str(-(-numbers.late_s // 60)),
    }
    cells = []
    for _title, name in ROWS:
        if name in told:
            cells.append(told[name])
        elif name.endswith("_cents"):
            cells.append(money.format_cents(getattr(numbers, name), currency))
        else:
            cells.append(str(getattr(numbers, name)))
    return cells


# -- For programs ------------------------------------------------------------------------------------------


def as_json(scenarios: Sequence[Scenario], *, mall: Mall, at: dt.datetime) -> Json:
    """All of it: times RFC 3339 with the mall's offset, money in cents, distances in metres."""
    return {
        "mall": mall.code,
        "at": at.astimezone(mall.zone).isoformat(),
        "currency": mall.market.currency,
        "scenarios": [_scenario_json(each, mall) for each in scenarios],
    }


def _scenario_json(scenario: Scenario, mall: Mall) -> Json:
    change = scenario.change
    plans = [(each.snapshot, each.plan) for each in scenario.proposals]
    return {
        "name": change.name,
        "lengths_hours": None if change.lengths_s is None else [each / 3600 for each in change.lengths_s],
        "hourly_cents": change.hourly_cents,
        "promise_minutes": None if change.promise_s is None else change.promise_s // 60,
        **dataclasses.asdict(scenario.sum),
        "saved_cents": scenario.sum.saved_cents,
        "took_s": round(scenario.took_s, 2),
        "engines": list(dict.fromkeys(plan.engine for _each, plan in plans)),
        "notes": list(dict.fromkeys(note for _each, plan in plans for note in plan.notes)),
        "blocks_planned": [
            _block_json(block, snapshot, mall) for snapshot, plan in plans for block in plan.blocks
        ],
        "left": [publish.say(each) for _snapshot, plan in plans for each in plan.left],
    }


def _block_json(block: PlannedBlock, snapshot: Snapshot, mall: Mall) -> Json:
    window = publish.window_of(block, snapshot)

    def moment(seconds: int) -> str:
        return snapshot.moment(seconds).astimezone(mall.zone).isoformat()

    return {
        "start": window.start.astimezone(mall.zone).isoformat(),
        "end": window.end.astimezone(mall.zone).isoformat(),
        "depart": moment(block.depart),
        "finish": moment(block.finish),
        "orders": list(block.orders),
        "stores": list(block.stores),
        "parcels": block.parcels,
        "litres": block.litres,
        "grams": block.grams,
        "metres": block.metres,
        "late_s": block.late_s,
        "cost_cents": block.cost_cents,
        "lines": {line.kind: line.cents for line in block.lines},
        "stops": [
            {
                "orders": list(stop.orders),
                "arrive": moment(stop.arrive),
                "serve": moment(stop.serve),
                "leave": moment(stop.leave),
                "late_s": stop.late_s,
            }
            for stop in block.stops
        ],
    }
