"""The planner: an afternoon's waiting orders in, blocks to offer and orders left with their reasons out.

`plan` is the only way in. A greedy plan stands within milliseconds; an engine in a child process proposes
another for part of the time; the improvement search on the exact cost takes the better of them from there.
What comes out is never worse than the greedy plan and never costs more time than was given.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from offers.planning import anneal, compiling, cost, engine, rooms, search, writing
from offers.planning.afternoon import Afternoon, Plan
from offers.planning.numbered import Route, one_by_one

Blocks = tuple[tuple[int, ...], ...]

# The engine's part of the time, and the least that is worth it: its process takes half a second to start.
ENGINE_SHARE = 0.1
ENGINE_LEAST_S = 0.9
# Below this many seconds all of them belong to the search.
ENGINE_FROM_S = 3.0
# The fewest orders that are worth a process where there is more than one size of car: fewer are packed at once.
ENGINE_ORDERS = 10
# What placing order by order has at least, however long was waited for the compiled search.
ONE_BY_ONE_S = 0.5
# With a budget of iterations, one of the engine's for so many of ours: about the same time.
ENGINE_EACH = 10
# Seconds of plain Python between looks whether the compiled search is ready; the most a plan by number of rounds
# waits for it; the share of its seconds another plan waits that needs it; the least worth searching for.
PART_S, COMPILED_IN_S, COMPILED_SHARE, LEAST_S = 0.5, 300.0, 0.5, 0.01


COMPILING = compiling.Warming(anneal.compile_all)


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
    COMPILING.begin()
    if not afternoon.plain:
        return _special(
            afternoon, seconds=seconds, seed=seed, iterations=iterations, propose=propose, begin=begin
        )
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
    found, rounds = _improved(world, best, seed=seed, until=begin + seconds, iterations=iterations)
    if total(world, found) < total(world, best):
        best = found
    best = doors_together(world, best)
    return writing.written(
        afternoon,
        world.tab,
        [Route(seq) for seq in best],
        engine_used=used,
        rounds=rounds,
        notes=tuple(notes),
    )


def _improved(
    world: search.World, best: Blocks, *, seed: int, until: float, iterations: int | None
) -> tuple[Blocks, int]:
    """The search from these blocks: compiled if that is ready, by plain Python as long as it is not."""
    rounds = 0
    if not _compiled(iterations):
        while iterations is not None or until > time.perf_counter():
            left_s = until - time.perf_counter()
            part_s = min(left_s, PART_S) if compiling.AVAILABLE else left_s
            found = search.improve(world, best, seed=seed + rounds, seconds=part_s, iterations=iterations)
            best, rounds = found.blocks, rounds + found.rounds
            if iterations is not None or _compiled(None):
                break
    left_s = until - time.perf_counter()
    if not world.possible or not _compiled(None) or (rounds and iterations is not None) or left_s < LEAST_S:
        return best, rounds
    start = [Route(seq) for seq in best]
    made = anneal.Annealing(world.afternoon, world.tab).improve(
        start, seed=seed, seconds=until - time.perf_counter(), iterations=iterations
    )
    return tuple(route.seq for route in made.routes), rounds + made.rounds


def _compiled(iterations: int | None) -> bool:
    """Whether the compiled search may be used. With a number of rounds it is waited for, since the same number
    has to give the same plan."""
    return compiling.AVAILABLE and COMPILING.done(wait_s=COMPILED_IN_S if iterations is not None else 0)


def _special(
    afternoon: Afternoon,
    *,
    seconds: float,
    seed: int,
    iterations: int | None,
    propose: Engine | None,
    begin: float,
) -> Plan:
    """A plan with several sizes of car, open blocks and what else only the compiled search knows.

    Before it is compiled, what a person would do: each order in turn where it costs least.
    """
    tab = cost.tables(afternoon)
    numbers = {order.code: number for number, order in enumerate(afternoon.orders, 1)}
    start = [
        Route(cost.seq_of(block, numbers), 0, number) for number, block in enumerate(afternoon.open_blocks)
    ]
    wait_s = COMPILED_IN_S if iterations is not None else seconds * COMPILED_SHARE
    used, notes = "greedy", afternoon.notes
    if compiling.AVAILABLE and COMPILING.done(wait_s=wait_s):
        proposed: Sequence[Route] = ()
        if propose is not None and (iterations or seconds >= ENGINE_FROM_S):
            proposed, trouble = _proposed(propose, afternoon, tab, seconds, seed, iterations)
            notes = (*notes, trouble) if trouble else notes
        left_s = seconds - (time.perf_counter() - begin)
        found = anneal.Annealing(afternoon, tab).improve(
            start, seed=seed, seconds=left_s, iterations=iterations, first=True, proposed=proposed
        )
        routes, rounds = found.routes, found.rounds
        used = "pyvrp" if found.from_proposal else used
    else:
        until = max(begin + seconds, time.perf_counter() + ONE_BY_ONE_S)
        routes, rounds = one_by_one(afternoon, tab, start, until=until), 0
    return writing.written(afternoon, tab, routes, engine_used=used, rounds=rounds, notes=notes)


def _proposed(
    propose: Engine,
    afternoon: Afternoon,
    tab: cost.Tables,
    seconds: float,
    seed: int,
    iterations: int | None,
) -> tuple[list[Route], str | None]:
    """What the engine, which knows one size of car and no open blocks, makes of the orders that are on none; as far as
    the exact rules allow it, each block in the cheapest car there still is."""
    free = [number for number in range(1, len(afternoon.orders) + 1) if not tab.fixed[number]]
    codes = [afternoon.orders[number - 1].code for number in free]
    largest = max(afternoon.sizes, key=lambda size: (size.count is None, size.litres, size.grams))
    plain = replace(
        rooms.only(afternoon, codes),
        cars=(),
        litres=largest.litres,
        grams=largest.grams,
        apart=(),
        shuts=(),
        max_trips=1,
    )
    if len(free) < ENGINE_ORDERS:
        return [], None
    proposal = propose(
        plain,
        seconds=max(seconds * ENGINE_SHARE, ENGINE_LEAST_S) if iterations is None else seconds,
        seed=seed,
        iterations=None if iterations is None else max(1, iterations // ENGINE_EACH),
    )
    price, routes, seen, used = cost.Pricing(afternoon, tab), [], set[int](), [0] * len(afternoon.sizes)
    for each in proposal.routes:
        seq = tuple(free[i - 1] for i in each if 0 < i <= len(free))
        for car, size in enumerate(afternoon.sizes):
            fits = size.count is None or used[car] < size.count
            if seq and fits and seen.isdisjoint(seq) and len(set(seq)) == len(seq) and price(seq, car):
                routes.append(Route(seq, car))
                seen.update(seq)
                used[car] += 1
                break
    return routes, proposal.trouble


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
