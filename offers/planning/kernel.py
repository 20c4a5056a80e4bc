"""The improvement search as one compiled loop: ruin and recreate on the exact cost, some hundred thousand rounds
in the seconds that plain Python needs for thousands.

What it does is what `search` does and explains; what a block costs is what `cost.block_cost` says, to the cent,
with more kinds of block: cars of several sizes, open blocks, several trips (a 0 in a sequence is a return to
the mall). All is whole numbers in arrays, and everything compiled stands in this one file, since the compiled
code is kept on disk until the file changes. `numba` compiles it; `anneal` makes the arrays and watches the clock.
"""

from typing import Any, NamedTuple

import numpy as np

from offers.planning.compiling import compiled

# An array of numbers; numba knows of which.
Numbers = Any

INFINITE = 1 << 40
MINUTE = 60
# What is known of a block: columns of `State.facts`.
(CENTS, METRES, ACTIVE, EARLIEST, LATE, LITRES, GRAMS, IDLE, CAR, OPENED, TRIPS, KINDS, SHUT, FRESH, SIZE, START,
 COLUMNS) = range(17)  # fmt: skip
# What `price` says besides: columns of its answer.
(A_CENTS, A_LENGTH, A_START, A_LATE, A_METRES, A_ACTIVE, A_EARLIEST, A_LATE_FIRST, A_COLUMNS) = range(9)
# Counters of `State.count`.
ALIVE, FREE, NOW, NOW_ALIVE, RETIRED, BEST, FLAT, POOL, ROUNDS, COUNTERS = range(10)


class World(NamedTuple):
    """What a search reads: tables by order number (0 is the mall), lengths, cars, open blocks, rules."""

    seconds: Numbers
    metres: Numbers
    service: Numbers
    store: Numbers
    load: Numbers
    ready: Numbers
    packed: Numbers
    early: Numbers
    due: Numbers
    last: Numbers
    shut: Numbers
    litres: Numbers
    grams: Numbers
    wait: Numbers
    kind: Numbers
    apart: Numbers
    door: Numbers
    fixed: Numbers
    possible: Numbers
    numbers: Numbers
    singles: Numbers
    near: Numbers
    sorts: Numbers
    limits: Numbers
    pays: Numbers
    cars: Numbers
    opened: Numbers
    stores: int
    store_s: int
    close: int
    slack_s: int
    max_orders: int
    max_metres: int
    km_cents: int
    late_cents: int
    max_trips: int
    one_visit: int


class State(NamedTuple):
    """What a search writes: blocks by slot, who is where, the plan now and the best one."""

    seq: Numbers
    facts: Numbers
    departs: Numbers
    waits: Numbers
    before: Numbers
    behind: Numbers
    carried: Numbers
    extra: Numbers
    place: Numbers
    free: Numbers
    alive: Numbers
    fresh: Numbers
    retired: Numbers
    home: Numbers
    gone: Numbers
    pool: Numbers
    used: Numbers
    best: Numbers
    count: Numbers
    random: Numbers
    trips: Numbers
    marks: Numbers
    answer: Numbers
    buffer: Numbers
    bounds: Numbers


@compiled
def copy(source: Numbers, first: int, into: Numbers, at: int, size: int) -> None:
    """`size` numbers of `source` from `first` on, into `into` from `at` on."""
    for k in range(size):
        into[at + k] = source[first + k]


@compiled
def fill(into: Numbers, value: int) -> None:
    """The same number all over."""
    for k in range(len(into)):
        into[k] = value


@compiled
def chance(s: State) -> float:
    """A number from 0 to below 1 (splitmix64): the same in each process for the same seed."""
    s.random[0] += np.uint64(0x9E3779B97F4A7C15)
    x = s.random[0]
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    x ^= x >> np.uint64(31)
    return float(x >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@compiled
def cents_of(amount: int, per: float, rate: int) -> int:
    """Half to even, as `round` does it."""
    return int(np.rint(amount / per * rate))


@compiled
def drive(w: World, s: State, seq: Numbers, size: int, now: int) -> tuple[int, int]:
    """(moment back at the mall, late seconds) for a block that starts to load at `now`; (-1, 0): too late."""
    late = at = trip = 0
    now += s.trips[0, 0]
    if now > s.trips[0, 2]:
        return -1, 0
    for k in range(size):
        i = seq[k]
        now += w.seconds[at, i]
        if i == 0:
            trip += 1
            now = max(now, s.trips[trip, 1]) + s.trips[trip, 0]
            if now > s.trips[trip, 2]:
                return -1, 0
        else:
            now = max(now, w.early[i])
            if now > w.due[i]:
                if now > w.last[i]:
                    return -1, 0
                late += now - w.due[i]
            now += w.service[at, i]
        at = i
    return now + w.seconds[at, 0], late


@compiled
def trips_of(w: World, s: State, seq: Numbers, size: int, car: int, opened: int) -> int:
    """Loading, readiness and shutting hour of each trip into `s.trips`; seconds of loading, or -1: not legal."""
    cap_litres = w.cars[car, 0] if opened < 0 else w.opened[opened, 2]
    cap_grams = w.cars[car, 1] if opened < 0 else w.opened[opened, 3]
    trip = litres = grams = load = stores = kinds = aparts = orders = total = 0
    ready, shut = -INFINITE, INFINITE
    packed = w.ready if opened < 0 else w.packed
    s.marks[w.stores] += 1
    for k in range(size + 1):
        i = seq[k] if k < size else 0
        if i:
            litres += w.litres[i]
            grams += w.grams[i]
            if litres > cap_litres or grams > cap_grams or kinds & w.apart[i] or aparts & w.kind[i]:
                return -1
            kinds |= w.kind[i]
            aparts |= w.apart[i]
            load += w.load[i]
            orders += 1
            ready, shut = max(ready, packed[i]), min(shut, w.shut[i])
            if s.marks[w.store[i]] != s.marks[w.stores]:
                s.marks[w.store[i]] = s.marks[w.stores]
                stores += 1
            continue
        load += stores * w.store_s
        s.trips[trip, 0], s.trips[trip, 1], s.trips[trip, 2] = load, ready, shut
        total += load
        trip += 1
        litres = grams = load = stores = 0
        ready, shut = -INFINITE, INFINITE
        s.marks[w.stores] += 1
    if orders > w.max_orders and (opened < 0 or orders > w.opened[opened, 6]):
        return -1
    return total


@compiled
def price(w: World, s: State, seq: Numbers, size: int, car: int, opened: int) -> int:
    """Cents of a block, INFINITE when no start is legal; `s.answer` says the rest."""
    loading = trips_of(w, s, seq, size, car, opened)
    if loading < 0:
        return INFINITE
    metres, active, at = 0, loading, 0
    for k in range(size):
        i = seq[k]
        metres += w.metres[at, i]
        active += w.seconds[at, i]
        if i:
            active += w.service[at, i]
        at = i
    metres += w.metres[at, 0]
    active += w.seconds[at, 0]
    travel = cents_of(metres, 1000.0, w.km_cents)
    a = s.answer
    a[A_METRES], a[A_ACTIVE] = metres, active
    if opened >= 0:
        start = w.opened[opened, 0]
        if size and (s.trips[0, 1] > w.opened[opened, 7] or metres > max(w.max_metres, w.opened[opened, 5])):
            return INFINITE
        start = max(start, s.trips[0, 1])
        back, late = drive(w, s, seq, size, start)
        if back < 0 or back > w.opened[opened, 4]:
            return INFINITE
        a[A_LENGTH], a[A_START], a[A_LATE], a[A_EARLIEST], a[A_LATE_FIRST] = 0, start, late, start, late
        return travel + cents_of(late, 60.0, w.late_cents)
    kinds = len(w.limits)
    if active > w.limits[kinds - 1] or metres > w.max_metres:
        return INFINITE
    earliest = s.trips[0, 1]
    back, late = drive(w, s, seq, size, earliest)
    if back < 0 or back > w.close:
        return INFINITE
    a[A_EARLIEST], a[A_LATE_FIRST] = earliest, late
    travel += w.cars[car, 2]
    finish, tried, best = back, 0, INFINITE
    for length in range(kinds - 1, -1, -1):
        if w.limits[length] < active:
            break
        delay = max(0, -((earliest + w.limits[length] - finish) // MINUTE)) * MINUTE
        if delay > w.slack_s:
            break
        if delay != tried:
            tried = delay
            back, late = drive(w, s, seq, size, earliest + delay)
            if back < 0 or back > w.close:
                break
        cents = w.pays[length] + travel + cents_of(late, 60.0, w.late_cents)
        if cents < best:
            best = cents
            a[A_LENGTH], a[A_START], a[A_LATE] = length, earliest + delay, late
    return best


@compiled
def know(w: World, s: State, slot: int) -> bool:
    """Price the sequence in the slot and note what bounds the cost of one more order; False: not legal."""
    seq, size, f = s.seq[slot], s.facts[slot, SIZE], s.facts[slot]
    cents = price(w, s, seq, size, f[CAR], f[OPENED])
    if cents >= INFINITE:
        return False
    a = s.answer
    f[CENTS], f[METRES], f[ACTIVE], f[EARLIEST], f[LATE] = (
        cents,
        a[A_METRES],
        a[A_ACTIVE],
        a[A_EARLIEST],
        a[A_LATE_FIRST],
    )
    f[LITRES] = f[GRAMS] = f[TRIPS] = f[KINDS] = 0
    f[START], f[SHUT] = a[A_START], s.trips[0, 2]
    fill(s.carried[slot], 0)
    now, waited, at = a[A_EARLIEST] + s.trips[0, 0], 0, 0
    s.departs[slot, 0], s.waits[slot, 0] = now, 0
    slack = s.bounds
    for k in range(size):
        i = seq[k]
        s.home[i] = slot
        f[LITRES] += w.litres[i]
        f[GRAMS] += w.grams[i]
        f[KINDS] |= w.kind[i]
        f[TRIPS] += i == 0
        s.carried[slot, w.store[i]] += 1
        now += w.seconds[at, i]
        wait = w.early[i] - now
        if wait > 0:
            waited += wait
            now += wait
        slack[k] = w.due[i] - now + waited
        now += w.service[at, i]
        s.departs[slot, k + 1], s.waits[slot, k + 1] = now, waited
        at = i
    slack[size] = w.close - now - w.seconds[at, 0] + waited
    s.before[slot, 0] = least = INFINITE
    for k in range(size):
        least = min(least, slack[k])
        s.before[slot, k + 1] = least
    least = INFINITE
    for k in range(size, -1, -1):
        least = min(least, slack[k])
        s.behind[slot, k] = least
    f[IDLE] = -(-waited // MINUTE) * MINUTE
    if f[IDLE] > w.slack_s:
        f[IDLE] = INFINITE
    fill(s.place[slot], -2)
    return True


@compiled
def parted(w: World, seq: Numbers, size: int, order: int, position: int) -> bool:
    """Whether an order put there would come between two for one door."""
    if position == 0 or position >= size:
        return False
    door = w.door[seq[position]]
    return door == w.door[seq[position - 1]] and door != w.door[order]


@compiled
def car_for(w: World, s: State, litres: int, grams: int, least: int) -> int:
    """The cheapest size of car from `least` on that holds this and is not spoken for; -1 when there is none."""
    for car in range(least, len(w.cars)):
        if (
            litres <= w.cars[car, 0]
            and grams <= w.cars[car, 1]
            and (car == least or s.used[car] < w.cars[car, 3])
        ):
            return car
    return -1


@compiled
def with_order(s: State, slot: int, order: int, position: int) -> int:
    """The slot's sequence with the order at the position into `s.buffer`; its size. One behind the end is a trip
    of its own at the end, two behind a trip before the others."""
    size, seq, into = s.facts[slot, SIZE], s.seq[slot], s.buffer
    if position == size + 1:
        copy(seq, 0, into, 0, size)
        into[size], into[size + 1] = 0, order
        return size + 2
    if position == size + 2:
        into[0], into[1] = order, 0
        copy(seq, 0, into, 2, size)
        return size + 2
    copy(seq, 0, into, 0, position)
    into[position] = order
    copy(seq, position, into, position + 1, size - position)
    return size + 1


@compiled
def car_with(w: World, s: State, slot: int, order: int) -> int:
    """The size of car the slot needs with the order as well, trips apart; -1: none. An open block keeps its."""
    f = s.facts[slot]
    if f[OPENED] >= 0 or f[TRIPS] > 0:
        return f[CAR]
    return car_for(w, s, f[LITRES] + w.litres[order], f[GRAMS] + w.grams[order], f[CAR])


@compiled
def insertion(w: World, s: State, slot: int, order: int) -> None:
    """The least extra cents and its position into `s.extra` and `s.place` (INFINITE, -1: none)."""
    f, seq, size = s.facts[slot], s.seq[slot], s.facts[slot, SIZE]
    s.extra[slot, order], s.place[slot, order] = INFINITE, -1
    if size + 3 > s.seq.shape[1] or (f[KINDS] & w.apart[order]):
        return
    best, place = f[CENTS] + INFINITE, -1
    if w.singles[order] >= 0:
        best = f[CENTS] + w.singles[order] + 1
    car = car_with(w, s, slot, order)
    plain = f[OPENED] < 0 and f[TRIPS] == 0
    if plain and car == f[CAR] and not (f[SIZE] >= w.max_orders):
        best, place = quick(w, s, slot, order, best)
    elif car >= 0:
        for position in range(size + 1):
            if not (w.one_visit and parted(w, seq, size, order, position)):
                cents = price(w, s, s.buffer, with_order(s, slot, order, position), car, f[OPENED])
                if cents < best:
                    best, place = cents, position
    if f[OPENED] < 0 and f[TRIPS] + 1 < w.max_trips:
        for position in range(size + 1, size + 3):
            cents = price(w, s, s.buffer, with_order(s, slot, order, position), f[CAR], -1)
            if cents < best:
                best, place = cents, position
    if place >= 0:
        s.extra[slot, order], s.place[slot, order] = best - f[CENTS], place


@compiled
def quick(w: World, s: State, slot: int, order: int, best: int) -> tuple[int, int]:
    """(cents, position) of the best insertion into a block of one trip, below `best`; position -1: none.

    A delay of the start reaches a position less the waits before it. At the earliest start that gives the moment
    at the new door and the least lateness of the others, hence a bound. At a start without waits the block lasts
    as long as its work, so that nobody late there means an exact price.
    """
    f, seq, size, kinds = s.facts[slot], s.seq[slot], s.facts[slot, SIZE], len(w.limits)
    late_max = w.last[order] - w.due[order]
    loading = w.load[order] + (0 if s.carried[slot, w.store[order]] else w.store_s)
    ready, shut = w.ready[order] - f[EARLIEST], min(f[SHUT], w.shut[order])
    lead = loading + max(0, ready)
    if lead - s.behind[slot, 0] > late_max or s.departs[slot, 0] + lead > shut:
        return best, -1
    if s.departs[slot, 0] + lead + w.seconds[0, order] - w.due[order] > late_max:
        return best, -1
    calm = lead if not f[IDLE] else loading + (max(ready, f[IDLE] + MINUTE - 1) if ready > 0 else f[IDLE])
    base_late, car_cents = f[LATE] * (w.late_cents / 60.0), w.cars[f[CAR], 2]
    place, at, bounds, early = -1, 0, s.bounds, w.early[order]
    for position in range(size + 1):
        to = seq[position] if position < size else 0
        bounds[position] = INFINITE
        detour = w.seconds[at, order] + w.seconds[order, to] - w.seconds[at, to]
        detour += w.service[at, order] + w.service[order, to] - w.service[at, to]
        leave = s.departs[slot, position] + w.seconds[at, order] - s.waits[slot, position]
        arrive = leave + max(lead, s.waits[slot, position])
        late, active = arrive - w.due[order], f[ACTIVE] + loading + detour
        driven = f[METRES] + w.metres[at, order] + w.metres[order, to] - w.metres[at, to]
        at = to
        if late > late_max or active > w.limits[kinds - 1] or driven > w.max_metres:
            continue
        if w.one_visit and parted(w, seq, size, order, position):
            continue
        length = 0
        while w.limits[length] < active:
            length += 1
        pay, slack = w.pays[length] + car_cents, s.behind[slot, position] - detour
        if position < size:
            # What is saved at the next door, when it is this order's too, is saved after the arrival there.
            to_spare = w.due[to] - s.departs[slot, position + 1] + s.waits[slot, position + 1]
            slack = min(to_spare + w.service[order, to], s.behind[slot, position + 1]) - detour
        if (
            calm <= slack and calm <= s.before[slot, position] and early <= leave + calm <= w.due[order]
            and s.departs[slot, 0] + calm <= shut
        ):  # fmt: skip
            exact = pay + cents_of(driven, 1000.0, w.km_cents)
            if exact < best:
                best, place = exact, position
        else:
            delay = arrive - leave + max(0, early - arrive)
            over = max(lead - s.before[slot, position], delay - slack, 0)
            if over <= late_max:
                bound = pay + driven / 1000.0 * w.km_cents - 1 + max(base_late, over * (w.late_cents / 60.0))
                bounds[position] = int(bound + max(0, late) * (w.late_cents / 60.0))
    while True:
        least = 0
        for position in range(1, size + 1):
            if bounds[position] < bounds[least]:
                least = position
        if bounds[least] >= best:
            return best, place
        bounds[least] = INFINITE
        cents = price(w, s, s.buffer, with_order(s, slot, order, least), f[CAR], -1)
        if cents < best:
            best, place = cents, least
