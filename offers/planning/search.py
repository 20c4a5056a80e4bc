"""Improvement search on the exact cost: take strings of neighbouring orders out of some blocks, put each back
where it costs least, keep what is better and, while cooling, some of what is slightly worse.

The removal is that of slack induction by string removals (Christiaens, Vanden Berghe: Transportation Science
54(2), 2020); what is insertion cost here is money by `cost.block_cost`. Blocks are values kept by their
sequence, each with the best insertion of every order tried on it, so that a round costs little more than the
blocks it changed.
"""

import math
import time
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from random import Random

from offers.planning import cost
from offers.planning.afternoon import Afternoon

INFINITE = 1e18
# Blocks remembered before the memory is emptied: about 150 MB at most.
REMEMBERED = 60_000
# Orders taken out in a round, on average, and at most from one block.
MEAN_REMOVED = 6
LONGEST_STRING = 10
# Some rounds take so much more; the fewer the orders, the more rounds (one in five of 40): with few blocks only
# a broad round can do with one block less, with many it mostly costs time.
BROADER, BROAD_ORDERS = 2.5, 8
# Chances: of taking a whole block as well; of neighbours in time rather than on the map; of leaving a gap in a
# string; of the gap growing; of opening a new block though it costs more at first; of passing over a block.
WHOLE, TIMELY, GAP, WIDER, OPEN, BLINK = 0.1, 0.5, 0.5, 0.5, 0.1, 0.02
# The first temperature as a share of the shortest block's pay, by how much it falls, rounds between looks at
# the clock.
HOT, COOLING = 0.1, 40
LOOK_EVERY = 8
# With more orders than this the first plan is tried in one way only, for its half second.
GREEDY_ONCE = 300
# Neighbours looked at around an order.
NEIGHBOURS = 100
# Ways of sorting what is put back: shuffled as often as the first number, then by litres (largest first), far
# first, near first, due first, ready first.
SHUFFLED, SORTED = 4, (0, 0, 0, 1, 2, 3, 4)
# Seconds apart in readiness and promise that count like one second of way.
APART_PER_WAY = 6


class Block:
    """A costed sequence of order numbers, with what bounds the cost of putting one more order into it.

    `departs` are the moments of leaving the mall and each stop at the earliest start, `waits` the seconds waited
    for promises to open up to then. `before` and `behind` say, per position, by how many seconds the start may
    move before a stop ahead of it, or one from it on (or the closing of the mall), is too late; `idle` is the
    later start at which there are no waits.
    """

    __slots__ = (
        "active", "before", "behind", "cents", "departs", "earliest", "grams", "idle", "inserts", "late_cents",
        "litres", "metres", "seq", "stores", "waits",
    )  # fmt: skip

    def __init__(self, seq: tuple[int, ...], costed: cost.Costed, world: "World") -> None:
        tab = world.tab
        self.seq = seq
        self.cents = costed.cents
        self.metres = costed.metres
        self.active = costed.active_s
        self.earliest = costed.earliest
        self.late_cents = costed.late_first * world.late_rate
        self.litres = sum([tab.litres[i] for i in seq])
        self.grams = sum([tab.grams[i] for i in seq])
        self.stores = {tab.store[i] for i in seq}
        self.inserts: dict[int, tuple[float, int]] = {}
        now = costed.earliest + world.store_s * len(self.stores) + sum([tab.load[i] for i in seq])
        waited = at = 0
        self.departs, self.waits, slack = [now], [0], []
        for i in seq:
            now += tab.seconds[at][i]
            wait = tab.early[i] - now
            if wait > 0:
                waited += wait
                now += wait
            slack.append(tab.due[i] - now + waited)
            now += tab.service[at][i]
            self.departs.append(now)
            self.waits.append(waited)
            at = i
        slack.append(world.afternoon.close - now - tab.seconds[at][0] + waited)
        self.before = [cost.NO_LIMIT, *accumulate(slack[:-1], min)]
        self.behind = list(accumulate(reversed(slack), min))[::-1]
        self.idle = -(-waited // cost.START_STEP_S) * cost.START_STEP_S
        if self.idle > world.afternoon.start_slack_s:
            self.idle = cost.NO_LIMIT


class World:
    """The afternoon prepared for the search: tables, memory of blocks, neighbours of each order."""

    def __init__(self, afternoon: Afternoon) -> None:
        self.afternoon = afternoon
        self.tab = cost.tables(afternoon)
        self.cost = cost.block_cost(afternoon, self.tab)
        self.store_s = afternoon.dwell.store_s
        self.late_rate = afternoon.late_cents_min / 60
        self.km_rate = afternoon.km_cents / 1000
        self.limits = [length.length_s for length in afternoon.lengths]
        self.pays = [length.pay_cents for length in afternoon.lengths]
        self.max_orders, self.max_metres = cost.bounds(afternoon)
        self.memory: dict[tuple[int, ...], Block | None] = {}
        self.singles = [None, *(self.block((i,)) for i in range(1, len(afternoon.orders) + 1))]
        # Who waits too long for a promise alone may still be taken by a block that starts later for others.
        alone = cost.block_cost(replace(afternoon, start_slack_s=cost.NO_LIMIT), self.tab)
        self.possible = [i for i, single in enumerate(self.singles) if single or (i and alone((i,)))]

    def block(self, seq: tuple[int, ...]) -> Block | None:
        """The block of this sequence; None when it is not legal."""
        memory = self.memory
        if seq in memory:
            return memory[seq]
        costed = self.cost(seq)
        made = None if costed is None else Block(seq, costed, self)
        if len(memory) >= REMEMBERED:
            memory.clear()
        memory[seq] = made
        return made

    def insertion(self, block: Block, order: int) -> tuple[float, int]:
        """(extra cents, position) of the cheapest place for the order in the block.

        (INFINITE, -1) when there is none, or none as cheap as a block of its own. Positions that
        delay nobody into lateness have an exact price at once; the others get a lower bound and are costed
        from the lowest bound up, until no bound is below the best price.
        """
        afternoon, tab, seq, single = self.afternoon, self.tab, block.seq, self.singles[order]
        if (
            block.litres + tab.litres[order] > afternoon.litres
            or block.grams + tab.grams[order] > afternoon.grams
            or len(seq) >= self.max_orders
        ):
            return INFINITE, -1
        lead = tab.load[order] + (0 if tab.store[order] in block.stores else self.store_s)
        lead += max(0, tab.ready[order] - block.earliest)
        # Somebody would be too late wherever it went: those already there, or it though it came first.
        if lead - block.behind[0] > afternoon.late_max_s:
            return INFINITE, -1
        if block.departs[0] + lead + tab.seconds[0][order] - tab.due[order] > afternoon.late_max_s:
            return INFINITE, -1
        best, place, bounds = self._positions(block, order)
        if single is not None:
            best = min(best, block.cents + single.cents + 1)
        bounds.sort()
        for bound, position in bounds:
            if bound >= best:
                break
            costed = self.cost((*seq[:position], order, *seq[position:]))
            if costed is not None and costed.cents < best:
                best, place = costed.cents, position
        return (best - block.cents, place) if place >= 0 else (INFINITE, -1)

    def _positions(self, block: Block, order: int) -> tuple[float, int, list[tuple[float, int]]]:
        """(best exact cost, its position, bounds with their positions) of the block with the order in it.

        A delay of the start reaches a position less the waits before it. At the earliest start that gives the
        moment at the new door and the least lateness of the others, hence a bound. At a start without waits
        the block lasts as long as its work, so that nobody late there means an exact price.
        """
        tab, limits, pays, late_rate = self.tab, self.limits, self.pays, self.late_rate
        longest, late_max, max_metres = limits[-1], self.afternoon.late_max_s, self.max_metres
        seconds, metres, service, km_rate = tab.seconds, tab.metres, tab.service, self.km_rate
        out_s, out_m, due, early = seconds[order], metres[order], tab.due[order], tab.early[order]
        loading = tab.load[order] + (0 if tab.store[order] in block.stores else self.store_s)
        ready, idle = tab.ready[order] - block.earliest, block.idle
        lead = loading + (ready if ready > 0 else 0)
        calm = (
            lead if not idle else loading + (max(ready, idle + cost.START_STEP_S - 1) if ready > 0 else idle)
        )
        active, length = block.active + loading, block.metres
        before, behind, waits, base_late = block.before, block.behind, block.waits, block.late_cents
        found: list[tuple[float, int]] = []
        best, place, at, last, departs = INFINITE, -1, 0, len(block.seq), block.departs
        for position, to in enumerate((*block.seq, 0)):
            detour = (
                seconds[at][order] + out_s[to] - seconds[at][to]
                + service[at][order] + service[order][to] - service[at][to]
            )  # fmt: skip
            leave = departs[position] + seconds[at][order] - waits[position]
            arrive = leave + max(lead, waits[position])
            late = arrive - due
            if late <= late_max and active + detour <= longest:
                pay = pays[bisect_left(limits, active + detour)]
                driven = length + metres[at][order] + out_m[to] - metres[at][to]
                slack = behind[position] - detour
                if position < last:
                    # What is saved at the next door, when it is this order's too, is saved after the arrival there.
                    to_spare = tab.due[to] - departs[position + 1] + waits[position + 1] + service[order][to]
                    slack = min(to_spare, behind[position + 1]) - detour
                if (
                    calm <= slack
                    and calm <= before[position]
                    and early <= leave + calm <= due
                    and driven <= max_metres
                ):
                    exact = pay + round(driven / 1000 * self.afternoon.km_cents)
                    if exact < best:
                        best, place = exact, position
                else:
                    delay = arrive - leave + (early - arrive if early > arrive else 0)
                    over = max(lead - before[position], delay - slack, 0)
                    if over <= late_max:
                        bound = pay + driven * km_rate - 1 + max(base_late, over * late_rate)
                        found.append((bound + late * late_rate if late > 0 else bound, position))
            at = to
        return best, place, found


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to: sequences by block, cost with what is left, and rounds made."""

    blocks: tuple[tuple[int, ...], ...]
    cents: int
    rounds: int


class Search:
    """One run from one starting plan. `blocks` is a dictionary for its order and its quick removal."""

    def __init__(self, world: World, start: Iterable[Sequence[int]], random: Random) -> None:
        self.world = world
        self.random = random
        self.defer = world.afternoon.defer_cents
        self.hopeless = len(world.singles) - 1 - len(world.possible)
        self.blocks: dict[Block, None] = {}
        self.home: list[Block | None] = []
        self.left: list[int] = []
        self.cents = 0
        self.take(start)
        self.best = tuple(block.seq for block in self.blocks)
        self.best_cents = self.cents
        self.sorts = self._sorts()
        self.near = self._neighbours()

    def take(self, plan: Iterable[Sequence[int]]) -> None:
        """Go on from this plan."""
        world = self.world
        blocks = [world.block(tuple(seq)) for seq in plan]
        self.blocks = {block: None for block in blocks if block is not None}
        self.home = [None] * len(world.singles)
        for block in self.blocks:
            for i in block.seq:
                self.home[i] = block
        self.left = [i for i in world.possible if self.home[i] is None]
        self.cents = self.total(self.blocks, self.left)

    def total(self, blocks: Iterable[Block], left: Sequence[int]) -> int:
        """Cost of these blocks and of what waits."""
        return sum([block.cents for block in blocks]) + self.defer * (len(left) + self.hopeless)

    def _sorts(self) -> list[list[float]]:
        tab = self.world.tab
        far = [float(x) for x in tab.seconds[0]]
        return [
            [-float(x) for x in tab.litres],
            [-x for x in far],
            far,
            [float(x) for x in tab.due],
            [float(x) for x in tab.ready],
        ]

    def _neighbours(self) -> list[list[list[int]]]:
        """Two lists per order: by the way alone, and by the way and how far apart they are ready and due."""
        tab, possible = self.world.tab, self.world.possible
        near: list[list[list[int]]] = [[], []]
        for i in range(len(self.world.singles)):
            row = tab.seconds[i]
            near[0].append(sorted(possible, key=row.__getitem__)[:NEIGHBOURS])
            ready, due = tab.ready[i], tab.due[i]
            apart = [
                way + (abs(r - ready) + abs(d - due)) / APART_PER_WAY
                for way, r, d in zip(row, tab.ready, tab.due, strict=True)
            ]
            near[1].append(sorted(possible, key=apart.__getitem__)[:NEIGHBOURS])
        return near

    def ruin(self) -> dict[Block, set[int]]:
        """Orders to take out, by block: strings around a random order, sometimes a whole block with them."""
        random, blocks = self.random.random, self.blocks
        if not blocks:
            return {}
        seed = self.world.possible[int(random() * len(self.world.possible))]
        mean = sum([len(block.seq) for block in blocks]) / len(blocks)
        longest = min(LONGEST_STRING, mean)
        removed = MEAN_REMOVED * (BROADER if random() * len(self.near[0]) < BROAD_ORDERS else 1)
        strings = int(1 + random() * max(0.0, 4 * removed / (1 + longest) - 1))
        taken: dict[Block, set[int]] = {}
        if random() < WHOLE:
            whole = self.home[seed]
            if whole is not None:
                taken[whole] = set(whole.seq)
        for near in self.near[random() < TIMELY][seed]:
            if len(taken) >= strings:
                break
            block = self.home[near]
            if block is None or block in taken:
                continue
            size = len(block.seq)
            length = int(1 + random() * min(size, longest))
            keep = 0
            if length > 1 and random() < GAP:
                keep = 1
                while length + keep < size and random() < WIDER:
                    keep += 1
                keep = min(keep, size - length)
            here = block.seq.index(near)
            first = max(0, here - int(random() * (length + keep)))
            first = min(first, size - length - keep)
            span = block.seq[first : first + length + keep]
            if keep:
                gap = int(random() * (len(span) - keep + 1))
                span = span[:gap] + span[gap + keep :]
            taken[block] = set(span)
        return taken

    def recreate(self, blocks: dict[Block, None], pool: list[int]) -> list[int]:
        """Put the pool's orders back one by one where they cost least; returns those without a place."""
        random = self.random.random
        choice = int(random() * (SHUFFLED + len(SORTED)))
        if choice < SHUFFLED:
            self.random.shuffle(pool)
        else:
            pool.sort(key=self.sorts[SORTED[choice - SHUFFLED]].__getitem__)
        # Opened for one order a block never pays; its room only shows when others may follow into it.
        if pool and random() < OPEN and self.open(blocks, pool[0]):
            del pool[0]
        return [order for order in pool if not self.put(blocks, order, blink=BLINK)]

    def open(self, blocks: dict[Block, None], order: int) -> bool:
        """A new block with this order alone; False when it is not legal."""
        single = self.world.singles[order]
        if single is not None:
            blocks[single] = None
        return single is not None

    def put(self, blocks: dict[Block, None], order: int, *, blink: float, credit: float = 0) -> bool:
        """The order into the block where it costs least, or into one of its own; False when nothing is legal.

        A block is passed over with the chance `blink`. `credit` cents of a new block are left to those who
        may join it later.
        """
        world, random = self.world, self.random.random
        best, place, into = INFINITE, -1, None
        for block in blocks:
            offer = block.inserts.get(order)
            if offer is None:
                offer = block.inserts[order] = world.insertion(block, order)
            if offer[0] < best and random() >= blink:
                best, place, into = offer[0], offer[1], block
        single = world.singles[order]
        if into is None or (single is not None and single.cents - credit < best):
            return self.open(blocks, order)
        made = world.block((*into.seq[:place], order, *into.seq[place:]))
        assert made is not None
        del blocks[into]
        blocks[made] = None
        return True

    def drop(self, blocks: dict[Block, None]) -> list[int]:
        """Take out what costs more than waiting: whole blocks first, then single orders; returns them."""
        world, defer = self.world, self.defer
        left: list[int] = []
        for fresh in [b for b in blocks if b not in self.blocks]:
            block = fresh
            if block.cents >= defer * len(block.seq):
                del blocks[block]
                left += block.seq
                continue
            spare = block.cents - world.pays[0]
            while spare > defer and len(block.seq) > 1:
                shorter = [world.block(block.seq[:k] + block.seq[k + 1 :]) for k in range(len(block.seq))]
                best = min((s for s in shorter if s is not None), key=lambda s: s.cents, default=None)
                if best is None or block.cents - best.cents <= defer:
                    break
                left += set(block.seq) - set(best.seq)
                del blocks[block]
                blocks[best] = None
                block = best
                spare = block.cents - world.pays[0]
        return left

    def round(self, temperature: float) -> None:
        """One ruin and recreate, kept or not."""
        world = self.world
        taken = self.ruin()
        blocks = self.blocks.copy()
        pool = self.left.copy()
        for block, orders in taken.items():
            del blocks[block]
            rest = tuple([i for i in block.seq if i not in orders])
            smaller = world.block(rest) if rest else None
            if smaller is None:
                pool += block.seq
            else:
                blocks[smaller] = None
                pool += [i for i in block.seq if i in orders]
        left = self.recreate(blocks, pool)
        left += self.drop(blocks)
        cents = self.total(blocks, left)
        if cents < self.cents - temperature * math.log(1 - self.random.random()):
            for i in left:
                self.home[i] = None
            for block in blocks:
                if block not in self.blocks:
                    for i in block.seq:
                        self.home[i] = block
            self.blocks, self.left, self.cents = blocks, left, cents
            if cents < self.best_cents:
                self.best_cents = cents
                self.best = tuple(block.seq for block in blocks)


def greedy(world: World) -> tuple[tuple[int, ...], ...]:
    """A first valid plan: the best of a few insertions in one go, without anything left to chance."""
    tab, mall = world.tab, world.afternoon.mall
    points = [mall, *(order.point for order in world.afternoon.orders)]
    round_mall = [math.atan2(point.lat - mall.lat, point.lng - mall.lng) for point in points]
    middle = [float(ready + due) for ready, due in zip(tab.ready, tab.due, strict=True)]
    tries = [(round_mall, 0.75), (round_mall, 0.6), (middle, 0.75), (round_mall, 0.0)]
    plans = []
    for key, credit in tries[: 1 if len(world.possible) > GREEDY_ONCE else None]:
        search = Search(world, (), Random(0))  # noqa: S311
        blocks: dict[Block, None] = {}
        left = [
            order
            for order in sorted(world.possible, key=key.__getitem__)
            if not search.put(blocks, order, blink=0, credit=credit * world.pays[0])
        ]
        left += search.drop(blocks)
        plans.append((search.total(blocks, left), tuple(block.seq for block in blocks)))
    return min(plans)[1]


def improve(
    world: World, start: Iterable[Sequence[int]], *, seed: int, seconds: float, iterations: int | None
) -> Found:
    """Search from `start` until `iterations` rounds or, without a number of them, `seconds` have gone."""
    search = Search(world, start, Random(seed))  # noqa: S311 - repeatable by its seed, which is the point
    hot = HOT * max(world.pays[0], 1)
    rounds, begin, done = 0, time.perf_counter(), 0.0
    while world.possible and done < 1:
        if iterations is not None:
            done = rounds / iterations if iterations else 1.0
        elif rounds % LOOK_EVERY == 0:
            done = (time.perf_counter() - begin) / seconds if seconds > 0 else 1.0
        if done < 1:
            search.round(hot / COOLING**done)
            rounds += 1
    return Found(search.best, search.best_cents, rounds)
