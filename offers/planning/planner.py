"""The planner: an afternoon's waiting orders in, blocks to offer and orders left with their reasons out.

`plan` is the only way in. A greedy plan stands within milliseconds; an engine in a child process proposes
another for part of the time; the improvement search on the exact cost takes the better of them from there.
What comes out is never worse than the greedy plan and never costs more time than was given.
"""

import time
from collections.abc import Iterable, Sequence
from typing import Protocol

from offers.planning import cost, engine, reasons, search
from offers.planning.afternoon import Afternoon, Plan

Blocks = tuple[tuple[int, ...], ...]

# The engine's part of the time, and the least that is worth it: its process takes half a second to start.
ENGINE_SHARE = 0.25
ENGINE_LEAST_S = 0.9
# Below this many seconds all of them belong to the search.
ENGINE_FROM_S = 1.5
# With a budget of iterations, one of the engine's for so many of ours: about the same time.
ENGINE_EACH = 10


class Engine(Protocol):
    """Whoever proposes a first plan; `engine.propose` in earnest, a function of its own in a test."""

    def __call__(
        self, afternoon: Afternoon, *, seconds: float, seed: int, iterations: int | None
    ) -> engine.Proposal: ...


def plan(
    afternoon: Afternoon,
    *,
    seconds: float,
    seed: int,
    iterations: int | None = None,
    propose: Engine | None = engine.propose,
) -> Plan:
    """The cheapest plan found in `seconds`; with `iterations`, the same plan each time for the same seed.

    With `iterations` the clock only bounds the engine's process. `propose=None` plans without an engine.
    """
    begin = time.perf_counter()
    world = search.World(afternoon)
    best, used, notes = search.greedy(world), "greedy", list(afternoon.notes)
    if propose is not None and len(world.possible) > 1 and (iterations or seconds >= ENGINE_FROM_S):
        proposal = propose(
            afternoon,
            seconds=max(seconds * ENGINE_SHARE, ENGINE_LEAST_S) if iterations is None else seconds,
            seed=seed,
            iterations=None if iterations is None else max(1, iterations // ENGINE_EACH),
        )
        if proposal.trouble:
            notes.append(proposal.trouble)
        legal = legal_part(world, proposal.routes)
        if total(world, legal) < total(world, best):
            best, used = legal, "pyvrp"
    left_s = seconds - (time.perf_counter() - begin)
    found = search.improve(world, best, seed=seed, seconds=left_s, iterations=iterations)
    if found.cents < total(world, best):
        best = found.blocks
    best = doors_together(world, best)
    return written(world, best, engine_used=used, rounds=found.rounds, notes=tuple(notes))


def total(world: search.World, blocks: Iterable[Sequence[int]]) -> int:
    """The cost of a plan of legal blocks, with all that waits."""
    cents, waiting = 0, len(world.afternoon.orders)
    for seq in blocks:
        block = world.block(tuple(seq))
        assert block is not None
        cents += block.cents
        waiting -= len(seq)
    return cents + waiting * world.afternoon.defer_cents


def legal_part(world: search.World, routes: Iterable[Sequence[int]]) -> Blocks:
    """The proposed routes that the exact rules allow; the search places the orders of the others."""
    seen: set[int] = set()
    kept = []
    for route in routes:
        seq = tuple(route)
        known = all(0 < i < len(world.singles) for i in seq)
        if seq and known and len(set(seq)) == len(seq) and seen.isdisjoint(seq) and world.block(seq):
            seen.update(seq)
            kept.append(seq)
    return tuple(kept)


def doors_together(world: search.World, blocks: Blocks) -> Blocks:
    """Orders for one door into one visit where that costs nothing: nobody likes two rings an hour apart."""
    doors: dict[object, list[int]] = {}
    for seq in blocks:
        for i in seq:
            doors.setdefault(world.afternoon.orders[i - 1].point.rounded(), []).append(i)
    for first, *others in doors.values():
        for other in others:
            blocks = _beside(world, blocks, first, other)
    return blocks


def _beside(world: search.World, blocks: Blocks, first: int, other: int) -> Blocks:
    """The blocks with `other` moved right behind `first`, if that is legal and no dearer."""
    target = next(seq for seq in blocks if first in seq)
    source = next(seq for seq in blocks if other in seq)
    rest = tuple(i for i in source if i != other)
    into = rest if target == source else target
    place = into.index(first) + 1
    joined = (*into[:place], other, *into[place:])
    if joined == target:
        return blocks
    moved = (*(seq for seq in blocks if seq not in (target, source)), joined)
    if target != source and rest:
        moved += (rest,)
    if all(world.block(seq) for seq in moved) and total(world, moved) <= total(world, blocks):
        return moved
    return blocks


def written(
    world: search.World, blocks: Blocks, *, engine_used: str, rounds: int, notes: tuple[str, ...]
) -> Plan:
    """The plan in the caller's words: codes, moments, lines of cost, reasons."""
    afternoon = world.afternoon
    planned = []
    for seq in blocks:
        costed = world.cost(seq)
        assert costed is not None
        planned.append(cost.schedule(afternoon, world.tab, seq, costed))
    taken = {i for seq in blocks for i in seq}
    waiting = [i for i in range(1, len(afternoon.orders) + 1) if i not in taken]
    return Plan(
        blocks=tuple(sorted(planned, key=lambda block: (block.start, block.orders))),
        left=reasons.left_overs(afternoon, waiting, blocks),
        cost_cents=total(world, blocks),
        engine=engine_used,
        rounds=rounds,
        notes=notes,
    )
