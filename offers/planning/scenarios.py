"""A mall's afternoon planned as it is and as it might be, without writing anything: for the command line."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from offers import drafting
from offers.planning import inputs, opened, past, publish, waves, whatif
from offers.planning.afternoon import LeftOver, PlannedBlock
from offers.planning.inputs import Snapshot
from offers.planning.publish import Proposal
from offers.planning.whatif import Change, Sum
from retaildelivery.lib import money
from stores.models import Mall

Json = dict[str, Any]
MINUTE = dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Scenario:
    """The plan of one set of terms, and what it comes to; no plan where no order waits."""

    change: Change
    proposal: Proposal | None
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

    Blocks that may take some of them are those that are open at that moment.

    Raises terms.NoPayPolicy, publish.PlanRejected.
    """
    orders = past.waited(mall, at=at) if earlier else inputs.waiting(mall, at=at)
    if not orders:
        return [Scenario(change, None, whatif.NOTHING, 0.0) for change in changes]
    blocks = past.open_blocks(mall, at=at) if earlier else inputs.open_blocks(mall, at=at)
    room = inputs.with_room(blocks)
    found = inputs.snapshot(mall, orders, at=at, everything=everything, opened=room)
    budget = seconds or waves.seconds_for(len(orders))
    return [_scenario(found, change, seed=seed, seconds=budget, iterations=iterations) for change in changes]


def _scenario(
    found: Snapshot, change: Change, *, seed: int, seconds: float, iterations: int | None
) -> Scenario:
    begun = time.monotonic()
    snapshot = dataclasses.replace(found, afternoon=whatif.changed(found.afternoon, change))
    plan = waves.think(snapshot, seed=seed, seconds=seconds, iterations=iterations)
    proposal = Proposal(snapshot, plan)
    publish.check(proposal)
    return Scenario(
        change=change,
        proposal=proposal,
        sum=whatif.summed(snapshot.afternoon, plan),
        took_s=time.monotonic() - begun,
    )


# -- In words ----------------------------------------------------------------------------------------------


def as_text(scenario: Scenario, *, mall: Mall) -> list[str]:
    """Block by block with its stops, then what is left and why."""
    if scenario.proposal is None:
        return ["  no order waits"]
    snapshot, plan = scenario.proposal.snapshot, scenario.proposal.plan
    lines = []
    for block in _touched(scenario.proposal):
        lines += _block_lines(block, snapshot, mall)
    lines += [f"  left {each.order}: {_left(each, snapshot, mall)}" for each in plan.left]
    lines += [f"  note: {note}" for note in plan.notes]
    return lines


def _touched(proposal: Proposal) -> list[PlannedBlock]:
    """The blocks that are filled, then those that are new."""
    filled = opened.filled(proposal.snapshot.afternoon, proposal.plan)
    return [*filled, *opened.made(proposal.plan)]


def _left(left: LeftOver, snapshot: Snapshot, mall: Mall) -> str:
    said = publish.say(left, snapshot)
    until = f" Next plan: {_clock(mall)(snapshot.next_at)}." if "until" in said else ""
    return f"{said['text']}{until}"


def _block_lines(block: PlannedBlock, snapshot: Snapshot, mall: Mall) -> list[str]:
    window = publish.window_of(block, snapshot)
    clock = _clock(mall)
    joining = len(opened.added(snapshot.afternoon, block))
    car = least(block, snapshot)
    what = f"fills {block.opened} with {joining}: " if block.opened else f"new, {car}: "
    spare = (window.end - snapshot.moment(block.finish)) // MINUTE
    stores = len({store for trip in block.trips for store in trip.stores})
    loads = f"{len(block.trips)} trips, " if len(block.trips) > 1 else ""
    head = (
        f"{clock(window.start)}-{clock(window.end)}  {what}{len(block.orders)} orders, {block.parcels} parcels, "
        f"{stores} stores, {loads}{block.metres / 1000:.1f} km, "
        f"{money.format_cents(block.cost_cents, mall.market.currency)}, {spare} min to spare"
    )
    lines = [head]
    for number, trip in enumerate(block.trips):
        again = "again " if number else ""
        lines.append(f"    {clock(snapshot.moment(trip.begin))} load {again}at {' '.join(trip.stores)}")
        for stop in trip.stops:
            late = f"  {-(-stop.late_s // 60)} min late" if stop.late_s else ""
            lines.append(f"    {clock(snapshot.moment(stop.serve))} {' '.join(stop.orders)}{late}")
    return lines


def least(block: PlannedBlock, snapshot: Snapshot) -> str:
    """The least car that the block needs, for the trip that takes the most."""
    orders = snapshot.planned
    loads = (
        (number, orders[code].litres, orders[code].grams)
        for number, trip in enumerate(block.trips)
        for code in trip.orders
    )
    return drafting.least_car(*drafting.largest(loads))


def _clock(mall: Mall) -> Any:
    return lambda moment: moment.astimezone(mall.zone).strftime("%H:%M")


ROWS: tuple[tuple[str, str], ...] = (
    ("orders planned", "planned"),
    ("orders left", "left"),
    ("orders into blocks there", "joined"),
    ("blocks filled", "filled"),
    ("new blocks", "blocks"),
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
    proposal = scenario.proposal
    plan = proposal.plan if proposal else None
    return {
        "name": change.name,
        "lengths_hours": None if change.lengths_s is None else [each / 3600 for each in change.lengths_s],
        "hourly_cents": change.hourly_cents,
        "promise_minutes": None if change.promise_s is None else change.promise_s // 60,
        "trips": change.trips,
        **dataclasses.asdict(scenario.sum),
        "saved_cents": scenario.sum.saved_cents,
        "took_s": round(scenario.took_s, 2),
        "engines": [plan.engine] if plan else [],
        "notes": list(plan.notes) if plan else [],
        "blocks_planned": [_block_json(block, proposal.snapshot, mall) for block in _touched(proposal)]
        if proposal
        else [],
        "left": [publish.say(each, proposal.snapshot) for each in proposal.plan.left] if proposal else [],
    }


def _block_json(block: PlannedBlock, snapshot: Snapshot, mall: Mall) -> Json:
    window = publish.window_of(block, snapshot)

    def moment(seconds: int) -> str:
        return snapshot.moment(seconds).astimezone(mall.zone).isoformat()

    return {
        "start": window.start.astimezone(mall.zone).isoformat(),
        "end": window.end.astimezone(mall.zone).isoformat(),
        "car": least(block, snapshot),
        "fills": block.opened or None,
        "added": list(opened.added(snapshot.afternoon, block)),
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
        "trips": [
            {
                "load": moment(trip.begin),
                "depart": moment(trip.depart),
                "stores": list(trip.stores),
                "orders": list(trip.orders),
            }
            for trip in block.trips
        ],
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
