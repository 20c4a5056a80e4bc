"""Rounds of ruin and recreate over the blocks of `kernel`, compiled with it. What each does is said in `search`."""

from offers.planning.compiling import compiled
from offers.planning.kernel import (
    ALIVE,
    CAR,
    CENTS,
    FREE,
    FRESH,
    INFINITE,
    NOW,
    OPENED,
    POOL,
    RETIRED,
    SIZE,
    State,
    World,
    car_with,
    chance,
    copy,
    fill,
    insertion,
    know,
    price,
    with_order,
)

MEAN_REMOVED, LONGEST_STRING = 6, 10
BROADER, BROAD_ORDERS = 2.5, 8
WHOLE, TIMELY, GAP, WIDER, OPEN, BLINK = 0.1, 0.5, 0.5, 0.5, 0.1, 0.02
# Share of rounds that try to make two blocks one with two trips, where trips are allowed.
JOIN = 0.1
SHUFFLED, SORTED = 4, 7


@compiled
def new_slot(s: State, size: int, car: int, opened: int) -> int:
    """A free slot, for a sequence that the caller writes."""
    s.count[FREE] -= 1
    slot = s.free[s.count[FREE]]
    s.facts[slot, SIZE], s.facts[slot, CAR], s.facts[slot, OPENED], s.facts[slot, FRESH] = (
        size,
        car,
        opened,
        1,
    )
    return slot


@compiled
def join_in(s: State, slot: int) -> None:
    """The slot is a block of the plan of this round."""
    s.fresh[s.count[ALIVE]] = slot
    s.count[ALIVE] += 1
    if s.facts[slot, OPENED] < 0:
        s.used[s.facts[slot, CAR]] += 1


@compiled
def fall_out(s: State, index: int) -> None:
    """The block at this index leaves the plan of the round: for good when it is of this round."""
    slot = s.fresh[index]
    s.count[ALIVE] -= 1
    s.fresh[index] = s.fresh[s.count[ALIVE]]
    if s.facts[slot, OPENED] < 0:
        s.used[s.facts[slot, CAR]] -= 1
    if s.facts[slot, FRESH]:
        s.free[s.count[FREE]] = slot
        s.count[FREE] += 1
    else:
        s.retired[s.count[RETIRED]] = slot
        s.count[RETIRED] += 1


@compiled
def begin_round(w: World, s: State) -> None:
    """The plan of the round is the plan as it is; the pool is what waits."""
    n = s.count[NOW]
    copy(s.alive, 0, s.fresh, 0, n)
    s.count[ALIVE], s.count[RETIRED], s.count[POOL] = n, 0, 0
    fill(s.used, 0)
    for k in range(n):
        if s.facts[s.alive[k], OPENED] < 0:
            s.used[s.facts[s.alive[k], CAR]] += 1
    for i in range(1, len(w.wait)):
        if w.possible[i] and s.home[i] < 0:
            s.pool[s.count[POOL]] = i
            s.count[POOL] += 1


@compiled
def mark(w: World, s: State, order: int) -> None:
    """Take the order out, and with it those for the same door where they belong together."""
    if not w.fixed[order]:
        s.gone[order] = 1
    if w.one_visit:
        for other in range(1, len(w.door)):
            if w.door[other] == w.door[order] and s.home[other] >= 0 and not w.fixed[other]:
                s.gone[other] = 1


@compiled
def mark_string(w: World, s: State, slot: int, near: int, longest: float) -> None:
    """Mark a string of the block around an order, sometimes with a gap in it."""
    seq, size = s.seq[slot], s.facts[slot, SIZE]
    length = int(1 + chance(s) * min(size, longest))
    keep = 0
    if length > 1 and chance(s) < GAP:
        keep = 1
        while length + keep < size and chance(s) < WIDER:
            keep += 1
        keep = min(keep, size - length)
    here = 0
    while seq[here] != near:
        here += 1
    first = max(0, here - int(chance(s) * (length + keep)))
    first = max(0, min(first, size - length - keep))
    span = min(length + keep, size - first)
    gap = int(chance(s) * (span - keep + 1))
    for k in range(span):
        if seq[first + k] and not (keep and gap <= k < gap + keep):
            mark(w, s, seq[first + k])


@compiled
def ruin(w: World, s: State) -> None:
    """Mark strings around a random order, sometimes a whole block with them, and take them out."""
    n, placed, possible = s.count[NOW], 0, len(w.numbers)
    fill(s.gone, 0)
    for k in range(n):
        placed += s.facts[s.alive[k], SIZE]
    if n and placed:
        seed = w.numbers[int(chance(s) * possible)]
        longest = min(float(LONGEST_STRING), placed / n)
        removed = MEAN_REMOVED * (BROADER if chance(s) * possible < BROAD_ORDERS else 1.0)
        strings = int(1 + chance(s) * max(0.0, 4 * removed / (1 + longest) - 1))
        taken = 0
        if chance(s) < WHOLE and s.home[seed] >= 0:
            whole = s.home[seed]
            for k in range(s.facts[whole, SIZE]):
                if s.seq[whole, k]:
                    mark(w, s, s.seq[whole, k])
            s.facts[whole, FRESH] = 2
            taken = 1
        row = w.near[1 if chance(s) < TIMELY else 0, seed]
        for near in row:
            if taken >= strings or near < 0:
                break
            slot = s.home[near]
            if slot < 0 or s.facts[slot, FRESH] == 2:
                continue
            mark_string(w, s, slot, near, longest)
            s.facts[slot, FRESH] = 2
            taken += 1
    for k in range(n):
        s.facts[s.alive[k], FRESH] = 0
    take_out(w, s)


@compiled
def take_out(w: World, s: State) -> None:
    """Blocks without what is marked, which goes into the pool; a block that is not legal then goes wholly."""
    for index in range(s.count[ALIVE] - 1, -1, -1):
        slot = s.fresh[index]
        size, touched = s.facts[slot, SIZE], False
        for k in range(size):
            touched = touched or (s.seq[slot, k] > 0 and s.gone[s.seq[slot, k]] == 1)
        if not touched:
            continue
        opened = s.facts[slot, OPENED]
        rest = new_slot(s, 0, s.facts[slot, CAR], opened)
        keep_rest(w, s, slot, rest, whole=False)
        fall_out(s, index)
        if s.facts[rest, SIZE] or opened >= 0:
            least_car(w, s, rest)
            if not know(w, s, rest):
                keep_rest(w, s, slot, rest, whole=True)
                know(w, s, rest)
        if s.facts[rest, SIZE] or opened >= 0:
            join_in(s, rest)
        else:
            s.free[s.count[FREE]] = rest
            s.count[FREE] += 1


@compiled
def keep_rest(w: World, s: State, slot: int, rest: int, whole: bool) -> None:
    """Write what stays of the slot into `rest`, the remainder into the pool; with `whole` only what is fixed stays."""
    into, size = s.seq[rest], 0
    for k in range(s.facts[slot, SIZE]):
        i = s.seq[slot, k]
        out = i > 0 and (s.gone[i] == 1 or (whole and not w.fixed[i]))
        if out and s.home[i] >= 0:
            s.home[i] = -1
            s.pool[s.count[POOL]] = i
            s.count[POOL] += 1
        if not out and not (i == 0 and (size == 0 or into[size - 1] == 0)):
            into[size] = i
            size += 1
    if size and into[size - 1] == 0:
        size -= 1
    s.facts[rest, SIZE] = size


@compiled
def least_car(w: World, s: State, slot: int) -> None:
    """The cheapest size of car that holds each trip of the slot and is not spoken for."""
    if s.facts[slot, OPENED] >= 0:
        return
    litres = grams = 0
    most_litres = most_grams = 0
    for k in range(s.facts[slot, SIZE]):
        i = s.seq[slot, k]
        litres, grams = (litres + w.litres[i], grams + w.grams[i]) if i else (0, 0)
        most_litres, most_grams = max(most_litres, litres), max(most_grams, grams)
    for car in range(s.facts[slot, CAR]):
        if most_litres <= w.cars[car, 0] and most_grams <= w.cars[car, 1] and s.used[car] < w.cars[car, 3]:
            s.facts[slot, CAR] = car
            return


@compiled
def arrange(w: World, s: State) -> None:
    """Shuffle the pool, or sort it by one of the keys."""
    n, choice = s.count[POOL], int(chance(s) * (SHUFFLED + SORTED))
    for k in range(n - 1, 0, -1):
        other = int(chance(s) * (k + 1))
        s.pool[k], s.pool[other] = s.pool[other], s.pool[k]
    if choice >= SHUFFLED:
        rank = w.sorts[max(0, choice - SHUFFLED - 2)]
        for k in range(1, n):
            i, j = s.pool[k], k
            while j > 0 and rank[s.pool[j - 1]] > rank[i]:
                s.pool[j] = s.pool[j - 1]
                j -= 1
            s.pool[j] = i


@compiled
def open_block(w: World, s: State, order: int) -> bool:
    """A block with this order alone, in the cheapest car that is left; False: not legal."""
    if w.singles[order] < 0:
        return False
    for car in range(len(w.cars)):
        if (
            w.litres[order] <= w.cars[car, 0]
            and w.grams[order] <= w.cars[car, 1]
            and s.used[car] < w.cars[car, 3]
        ):
            slot = new_slot(s, 1, car, -1)
            s.seq[slot, 0] = order
            if know(w, s, slot):
                join_in(s, slot)
                return True
            s.free[s.count[FREE]] = slot
            s.count[FREE] += 1
            return False
    return False


@compiled
def change(w: World, s: State, index: int, order: int, position: int) -> bool:
    """The block at the index with the order at the position; False (and nothing changed) when not legal."""
    slot = s.fresh[index]
    car = car_with(w, s, slot, order) if position <= s.facts[slot, SIZE] else s.facts[slot, CAR]
    if car < 0:
        return False
    made = new_slot(s, 0, car, s.facts[slot, OPENED])
    size = with_order(s, slot, order, position)
    copy(s.buffer, 0, s.seq[made], 0, size)
    s.facts[made, SIZE] = size
    if not know(w, s, made):
        s.free[s.count[FREE]] = made
        s.count[FREE] += 1
        return False
    fall_out(s, index)
    join_in(s, made)
    return True


@compiled
def beside_twin(w: World, s: State, order: int) -> bool:
    """Put the order next to one for the same door, where that is legal."""
    for index in range(s.count[ALIVE]):
        slot = s.fresh[index]
        size = s.facts[slot, SIZE]
        if size + 3 > s.seq.shape[1]:
            continue
        for k in range(size - 1, -1, -1):
            if s.seq[slot, k] and w.door[s.seq[slot, k]] == w.door[order]:
                if change(w, s, index, order, k + 1) or change(w, s, index, order, k):
                    return True
                break
    return False


@compiled
def put(w: World, s: State, order: int, blink: float, credit: int) -> bool:
    """The order where it costs least, or into a block of its own; False when nothing is legal."""
    if w.one_visit and w.door[order] >= 0 and beside_twin(w, s, order):
        return True
    best, into = INFINITE, -1
    for index in range(s.count[ALIVE]):
        slot = s.fresh[index]
        if s.place[slot, order] == -2:
            insertion(w, s, slot, order)
        if s.extra[slot, order] < best and chance(s) >= blink:
            best, into = s.extra[slot, order], index
    single = w.singles[order]
    if (into < 0 or (single >= 0 and single - credit < best)) and open_block(w, s, order):
        return True
    if into >= 0:
        slot = s.fresh[into]
        return change(w, s, into, order, s.place[slot, order])
    return False


@compiled
def drop(w: World, s: State) -> None:
    """Take out what costs more than waiting: whole blocks first, then single orders."""
    for index in range(s.count[ALIVE] - 1, -1, -1):
        slot = s.fresh[index]
        if not s.facts[slot, FRESH]:
            continue
        fill(s.gone, 0)
        waits, least, fixed = 0, INFINITE, s.facts[slot, OPENED] >= 0
        for k in range(s.facts[slot, SIZE]):
            i = s.seq[slot, k]
            waits += w.wait[i]
            if i and not w.fixed[i]:
                least = min(least, w.wait[i])
        if not fixed and s.facts[slot, CENTS] >= waits:
            for k in range(s.facts[slot, SIZE]):
                s.home[s.seq[slot, k]] = -1
            fall_out(s, index)
        elif s.facts[slot, CENTS] - (0 if fixed else w.pays[0]) > least:
            drop_dearest(w, s, index)


@compiled
def drop_dearest(w: World, s: State, index: int) -> None:
    """Take single orders out of the block while one costs more than its waiting."""
    while True:
        slot = s.fresh[index]
        f, size = s.facts[slot], s.facts[slot, SIZE]
        best, which = 0, -1
        for k in range(size):
            i = s.seq[slot, k]
            if i and not w.fixed[i] and size > 1:
                copy(s.seq[slot], 0, s.buffer, 0, k)
                copy(s.seq[slot], k + 1, s.buffer, k, size - 1 - k)
                bare = (k == 0 or s.seq[slot, k - 1] == 0) and (k == size - 1 or s.seq[slot, k + 1] == 0)
                cents = INFINITE if bare else price(w, s, s.buffer, size - 1, f[CAR], f[OPENED])
                saved = f[CENTS] - cents - w.wait[i]
                if saved > best:
                    best, which = saved, k
        if which < 0:
            return
        s.home[s.seq[slot, which]] = -1
        made = new_slot(s, size - 1, f[CAR], f[OPENED])
        copy(s.seq[slot], 0, s.seq[made], 0, which)
        copy(s.seq[slot], which + 1, s.seq[made], which, size - 1 - which)
        know(w, s, made)
        fall_out(s, index)
        join_in(s, made)
        index = s.count[ALIVE] - 1
