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
from dataclasses import dataclass
from random import Random

from offers.planning import cost
from offers.planning.afternoon import Afternoon

INFINITE = 1e18
# Blocks remembered before the memory is emptied: about 300 MB at most.
REMEMBERED = 150_000
MEAN_REMOVED = 10
LONGEST_STRING = 10
BLINK = 0.02


class Block:
    """A costed sequence of order numbers, and where each other order would best go into it."""

    __slots__ = (
        "active", "cents", "departs", "earliest", "grams", "inserts", "late_cents", "litres", "metres", "seq",
        "stores", "straight",
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
        departs, at = [now], 0
        for i in seq:
            now = max(now + tab.seconds[at][i], tab.early[i]) + tab.service[at][i]
            departs.append(now)
            at = i
        self.departs = departs
        # Without any wait every delay is passed on in full, which makes bounds on lateness sharper.
        self.straight = now + tab.seconds[at][0] - costed.earliest == costed.active_s


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
        self.possible = [i for i, single in enumerate(self.singles) if single is not None]

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
        """(extra cents, position) of the cheapest place for the order in the block, or (INFINITE, -1).

        Each position gets a lower bound from its detour and from its own lateness; exact costs are worked out
        from the lowest bound up until no bound is below the best cost found.
        """
        afternoon, tab, seq = self.afternoon, self.tab, block.seq
        if (
            block.litres + tab.litres[order] > afternoon.litres
            or block.grams + tab.grams[order] > afternoon.grams
            or len(seq) >= self.max_orders
        ):
            return INFINITE, -1
        bounds = self._bounds(block, order)
        bounds.sort()
        best, place = INFINITE, -1
        for bound, position in bounds:
            if bound >= best:
                break
            costed = self.cost((*seq[:position], order, *seq[position:]))
            if costed is not None and costed.cents < best:
                best, place = costed.cents, position
        return (best - block.cents, place) if place >= 0 else (INFINITE, -1)

    def _bounds(self, block: Block, order: int) -> list[tuple[float, int]]:
        tab, limits, pays = self.tab, self.limits, self.pays
        longest, late_max = limits[-1], self.afternoon.late_max_s
        km_rate, late_rate = self.km_rate, self.late_rate
        seconds, metres = tab.seconds, tab.metres
        out_s, out_m, due, base_late = seconds[order], metres[order], tab.due[order], block.late_cents
        loading = tab.load[order] + (0 if tab.store[order] in block.stores else self.store_s)
        ready = max(0, tab.ready[order] - block.earliest)
        shift = loading + ready if block.straight else 0
        active, length = block.active + loading, block.metres
        found: list[tuple[float, int]] = []
        at = 0
        for position, (departs, to) in enumerate(zip(block.departs, (*block.seq, 0), strict=True)):
            out = seconds[at][order]
            late = departs + shift + out - due
            if late <= late_max:
                work = active + out + tab.service[at][order] + out_s[to] - seconds[at][to]
                if work <= longest:
                    driven = length + metres[at][order] + out_m[to] - metres[at][to]
                    bound = pays[bisect_left(limits, work)] + driven * km_rate + base_late - 1
                    found.append((bound + late * late_rate if late > 0 else bound, position))
            at = to
        return found


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
        self.blocks: dict[Block, None] = {}
        self.home: list[Block | None] = [None] * (len(world.afternoon.orders) + 1)
        for seq in start:
            block = world.block(tuple(seq))
            if block is not None:
                self.blocks[block] = None
                for i in seq:
                    self.home[i] = block
        self.left = [i for i in world.possible if self.home[i] is None]
        self.hopeless = len(world.singles) - 1 - len(world.possible)
        self.cents = self.total(self.blocks, self.left)
        self.best = tuple(block.seq for block in self.blocks)
        self.best_cents = self.cents
        self.sorts = self._sorts()
        self.near = self._neighbours()

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
            near[0].append(sorted(possible, key=row.__getitem__)[:100])
            ready, due = tab.ready[i], tab.due[i]
            apart = [
                way + (abs(r - ready) + abs(d - due)) / 6
                for way, r, d in zip(row, tab.ready, tab.due, strict=True)
            ]
            near[1].append(sorted(possible, key=apart.__getitem__)[:100])
        return near

    def ruin(self) -> dict[Block, set[int]]:
        """Orders to take out, by block: strings around a random order, sometimes a whole block with them."""
        random, blocks = self.random.random, self.blocks
        if not blocks:
            return {}
        seed = self.world.possible[int(random() * len(self.world.possible))]
        mean = sum([len(block.seq) for block in blocks]) / len(blocks)
        longest = min(LONGEST_STRING, mean)
        strings = int(1 + random() * (4 * MEAN_REMOVED / (1 + longest) - 1))
        taken: dict[Block, set[int]] = {}
        if random() < 0.1:
            whole = self.home[seed]
            if whole is not None:
                taken[whole] = set(whole.seq)
        for near in self.near[random() < 0.5][seed]:
            if len(taken) >= strings:
                break
            block = self.home[near]
            if block is None or block in taken:
                continue
            size = len(block.seq)
            length = int(1 + random() * min(size, longest))
            keep = 0
            if length > 1 and random() < 0.5:
                keep = 1
                while length + keep < size and random() > 0.5:
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
        """Put the pool's orders back one by one where they cost least; returns those that fit nowhere."""
        world, random = self.world, self.random.random
        choice = int(random() * 11)
        if choice < 4:
            self.random.shuffle(pool)
        else:
            pool.sort(key=self.sorts[(0, 0, 0, 1, 2, 3, 4)[choice - 4]].__getitem__)
        left = []
        for order in pool:
            best, place, into = INFINITE, -1, None
            for block in blocks:
                offer = block.inserts.get(order)
                if offer is None:
                    offer = block.inserts[order] = world.insertion(block, order)
                if offer[0] < best and random() > BLINK:
                    best, place, into = offer[0], offer[1], block
            single = world.singles[order]
            if into is not None and (single is None or best <= single.cents):
                del blocks[into]
                made = world.block((*into.seq[:place], order, *into.seq[place:]))
                assert made is not None
                blocks[made] = None
            elif single is not None:
                blocks[single] = None
            else:
                left.append(order)
        return left

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
    """A first valid plan: orders by readiness, each where it costs least, then what costs too much goes."""
    search = Search(world, (), Random(0))  # noqa: S311
    blocks: dict[Block, None] = {}
    pool = sorted(world.possible, key=lambda i: (world.tab.ready[i], world.tab.due[i]))
    for order in pool:
        best, place, into = INFINITE, -1, None
        for block in blocks:
            extra, position = world.insertion(block, order)
            if extra < best:
                best, place, into = extra, position, block
        single = world.singles[order]
        assert single is not None
        if into is not None and best <= single.cents:
            made = world.block((*into.seq[:place], order, *into.seq[place:]))
            assert made is not None
            del blocks[into]
            blocks[made] = None
        else:
            blocks[single] = None
    search.drop(blocks)
    return tuple(block.seq for block in blocks)


def improve(
    world: World, start: Iterable[Sequence[int]], *, seed: int, seconds: float, iterations: int | None,
    hot: float = 400.0, cold: float = 4.0,
) -> Found:  # fmt: skip
    """Search from `start` until `iterations` rounds or, without a number of them, `seconds` have gone."""
    search = Search(world, start, Random(seed))  # noqa: S311 - repeatable by its seed, which is the point
    rounds, begin, done = 0, time.perf_counter(), 0.0
    while world.possible and done < 1:
        if iterations is not None:
            done = rounds / iterations if iterations else 1.0
        elif rounds % 8 == 0:
            done = (time.perf_counter() - begin) / seconds if seconds > 0 else 1.0
        if done >= 1:
            break
        search.round(hot * (cold / hot) ** done)
        rounds += 1
    return Found(search.best, search.best_cents, rounds)
