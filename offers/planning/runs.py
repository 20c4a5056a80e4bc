"""Whole searches of `rounds`, as far as they are compiled: what `anneal` calls."""

import math

from offers.planning.compiling import compiled
from offers.planning.kernel import (
    ALIVE,
    BEST,
    CAR,
    CENTS,
    FLAT,
    FREE,
    FRESH,
    NOW,
    OPENED,
    POOL,
    RETIRED,
    ROUNDS,
    SIZE,
    TRIPS,
    Numbers,
    State,
    World,
    chance,
    copy,
    fill,
    know,
)
from offers.planning.rounds import (
    BLINK,
    JOIN,
    OPEN,
    arrange,
    begin_round,
    drop,
    fall_out,
    join_in,
    new_slot,
    open_block,
    put,
    ruin,
)


@compiled
def join_two(w: World, s: State) -> None:
    """Make two blocks one with a trip each, if that is legal; what was in them is then in neither alone."""
    n = s.count[ALIVE]
    one, two = int(chance(s) * n), int(chance(s) * n)
    a, b = s.fresh[one], s.fresh[two]
    size = s.facts[a, SIZE] + 1 + s.facts[b, SIZE]
    trips = s.facts[a, TRIPS] + s.facts[b, TRIPS] + 2
    if one == two or s.facts[a, OPENED] >= 0 or s.facts[b, OPENED] >= 0:
        return
    if trips > w.max_trips or size + 3 > s.seq.shape[1]:
        return
    first = s.facts[a, SIZE]
    made = new_slot(s, size, max(s.facts[a, CAR], s.facts[b, CAR]), -1)
    copy(s.seq[a], 0, s.seq[made], 0, first)
    s.seq[made, first] = 0
    copy(s.seq[b], 0, s.seq[made], first + 1, size - first - 1)
    if know(w, s, made):
        fall_out(s, max(one, two))
        fall_out(s, min(one, two))
        join_in(s, made)
    else:
        s.free[s.count[FREE]] = made
        s.count[FREE] += 1


@compiled
def cents_now(w: World, s: State) -> int:
    """What the plan of the round costs with what waits."""
    cents = 0
    for k in range(s.count[ALIVE]):
        cents += s.facts[s.fresh[k], CENTS]
    for i in range(1, len(w.wait)):
        if s.home[i] < 0:
            cents += w.wait[i]
    return cents


@compiled
def keep(s: State) -> None:
    """The plan of the round becomes the plan."""
    for k in range(s.count[RETIRED]):
        s.free[s.count[FREE]] = s.retired[k]
        s.count[FREE] += 1
    s.count[NOW] = s.count[ALIVE]
    for k in range(s.count[ALIVE]):
        s.alive[k] = s.fresh[k]
        s.facts[s.fresh[k], FRESH] = 0


@compiled
def undo(s: State) -> None:
    """Back to the plan before the round."""
    for k in range(s.count[ALIVE]):
        slot = s.fresh[k]
        if s.facts[slot, FRESH]:
            for p in range(s.facts[slot, SIZE]):
                s.home[s.seq[slot, p]] = -1
            s.free[s.count[FREE]] = slot
            s.count[FREE] += 1
    for k in range(s.count[RETIRED]):
        for p in range(s.facts[s.retired[k], SIZE]):
            s.home[s.seq[s.retired[k], p]] = s.retired[k]


@compiled
def save(s: State, cents: int) -> None:
    """The plan is the best one yet: size, car and open block of each block before its sequence."""
    at = 0
    for k in range(s.count[NOW]):
        slot = s.alive[k]
        size = s.facts[slot, SIZE]
        s.best[at], s.best[at + 1], s.best[at + 2] = size, s.facts[slot, CAR], s.facts[slot, OPENED]
        copy(s.seq[slot], 0, s.best, at + 3, size)
        at += 3 + size
    s.count[FLAT], s.count[BEST] = at, cents


@compiled
def load(w: World, s: State, flat: Numbers) -> int:
    """Begin from this plan, written as `save` writes it; returns its cost. Blocks that are not legal are left out."""
    slots = len(s.free)
    for k in range(slots):
        s.free[k] = slots - 1 - k
    s.count[FREE], s.count[NOW] = slots, 0
    fill(s.home, -1)
    begin_round(w, s)
    s.count[POOL] = at = 0
    while at < len(flat):
        size = flat[at]
        slot = new_slot(s, size, flat[at + 1], flat[at + 2])
        copy(flat, at + 3, s.seq[slot], 0, size)
        at += 3 + size
        if know(w, s, slot):
            join_in(s, slot)
        else:
            s.free[s.count[FREE]] = slot
            s.count[FREE] += 1
    cents = cents_now(w, s)
    keep(s)
    return cents


@compiled
def one_round(w: World, s: State, now: int, temperature: float) -> int:
    """One ruin and recreate, kept or not; the cost of the plan after it."""
    begin_round(w, s)
    if w.max_trips > 1 and s.count[ALIVE] > 1 and chance(s) < JOIN:
        join_two(w, s)
    else:
        ruin(w, s)
    recreate(w, s, BLINK)
    drop(w, s)
    cents = cents_now(w, s)
    if cents < now - temperature * math.log(1 - chance(s)):
        keep(s)
        if cents < s.count[BEST]:
            save(s, cents)
        return cents
    undo(s)
    return now


@compiled
def recreate(w: World, s: State, blink: float) -> None:
    """Put the pool's orders back, one by one."""
    arrange(w, s)
    first = 0
    if s.count[POOL] and chance(s) < OPEN and not w.one_visit and open_block(w, s, s.pool[0]):
        first = 1
    for k in range(first, s.count[POOL]):
        put(w, s, s.pool[k], blink, 0)


@compiled
def run(w: World, s: State, flat: Numbers, rounds: int, now: int, temperature: float) -> int:
    """So many rounds; with `now` below zero from the plan `flat`. Returns the cost of the plan it stands at."""
    if now < 0:
        now = load(w, s, flat)
        if now < s.count[BEST]:
            save(s, now)
    for _ in range(rounds):
        now = one_round(w, s, now, temperature)
    s.count[ROUNDS] += rounds
    return now


@compiled
def build(w: World, s: State, flat: Numbers, key: int, credit: int) -> int:
    """A first plan: from `flat` (the open blocks), every order in turn of a key where it costs least."""
    load(w, s, flat)
    begin_round(w, s)
    rank = w.sorts[key]
    for k in range(1, s.count[POOL]):
        i, j = s.pool[k], k
        while j > 0 and rank[s.pool[j - 1]] > rank[i]:
            s.pool[j] = s.pool[j - 1]
            j -= 1
        s.pool[j] = i
    for k in range(s.count[POOL]):
        put(w, s, s.pool[k], 0.0, credit)
    drop(w, s)
    cents = cents_now(w, s)
    keep(s)
    if cents < s.count[BEST]:
        save(s, cents)
    return cents
