"""The compiled search from outside: an afternoon as arrays, the clock, and the blocks it comes to."""

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from offers.planning import compiling, cost, kernel, runs
from offers.planning.afternoon import Afternoon, BlockLength, WaitingOrder
from offers.planning.numbered import Route
from retaildelivery.lib.geo import Point

# What leaving an order costs that must not be left: more than any plan.
MUST_CENTS = 10_000_000
NEIGHBOURS = 100
APART_PER_WAY = 6
# The first temperature as a share of the shortest block's pay, and by how much it falls.
HOT, COOLING = 0.1, 40
# Tries within the time: at most so many, for so many orders each second; the last goes on from the best plan, and
# begins at this share of the heat. Rounds that count like a second where rounds are counted.
MOST_TURNS, ORDERS_A_SECOND, LAST_HEAT, ROUNDS_A_SECOND = 7, 50, 0.3, 50_000
# Seconds between looks at the clock, and rounds between looks at their number.
LOOK_S, LOOK_ROUNDS = 0.02, 25
# The longest sequence of one block, for memory's sake; nobody drives so many stops.
LONGEST = 400


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to."""

    routes: tuple[Route, ...]
    rounds: int
    from_proposal: bool = False


class Annealing:
    """One afternoon in arrays, searched from a plan for so long."""

    def __init__(self, afternoon: Afternoon, tab: cost.Tables) -> None:
        self.afternoon = afternoon
        self.world = world_of(afternoon, tab)
        self.state = state_of(afternoon, self.world)

    def improve(
        self,
        start: Iterable[Route],
        *,
        seed: int,
        seconds: float,
        iterations: int | None,
        first: bool = False,
        proposed: Iterable[Route] = (),
    ) -> Found:
        """Search until `iterations` rounds or, without a number of them, `seconds` have gone. With `first`, from
        a plan of its own making, in which only the open blocks of `start` are kept, or from `start` with what is
        `proposed` besides where that is cheaper."""
        begin, state, world = time.perf_counter(), self.state, self.world
        state.random[0] = np.uint64(seed & 0xFFFF_FFFF_FFFF_FFFF)
        state.count[kernel.BEST], state.count[kernel.ROUNDS] = kernel.INFINITE, 0
        flat, others, theirs = flat_of(start), list(proposed), False
        if first:
            for key in (5, 3, 4, 1):
                runs.build(world, state, flat, key, int(0.6 * world.pays[0]))
            if others:
                built = int(state.count[kernel.BEST])
                # A round puts in what the proposal left out, where that is cheaper than its waiting.
                runs.run(world, state, np.concatenate((flat, flat_of(others))), 1, -1, 1.0)
                theirs = int(state.count[kernel.BEST]) < built
            flat = state.best[: state.count[kernel.FLAT]].copy()
        hot, turn, step, now = HOT * max(int(world.pays[0]), 1), -1, LOOK_ROUNDS, -1
        turns = self.turns(seconds if iterations is None else iterations / ROUNDS_A_SECOND)
        done = 0.0
        while len(world.numbers) or now < 0:
            made = int(state.count[kernel.ROUNDS])
            if iterations is not None:
                done = made / iterations if iterations else 1.0
                step = max(1, min(LOOK_ROUNDS, iterations - made))
            else:
                done = (time.perf_counter() - begin) / seconds if seconds > 0 else 1.0
            if now < 0 or (done < 1 and int(done * turns) > turn):
                turn = int(min(done, 0.999) * turns)
                if turn and turn == turns - 1:
                    flat, hot = state.best[: state.count[kernel.FLAT]].copy(), hot * LAST_HEAT
                now = runs.run(world, state, flat, 0, -1, 1.0)
            if done >= 1:
                break
            looked = time.perf_counter()
            now = runs.run(world, state, flat, step, now, hot / COOLING ** (done * turns - turn))
            if iterations is None:
                took = time.perf_counter() - looked
                step = max(1, min(4 * step, int(step * LOOK_S / max(took, 1e-6))))
        return Found(self.routes(), int(state.count[kernel.ROUNDS]), theirs)

    def turns(self, seconds: float) -> int:
        """How often to begin anew: some plans are a trap that no cooling leaves, but each try needs its time."""
        return int(max(1, min(MOST_TURNS, seconds * ORDERS_A_SECOND / max(1, len(self.world.numbers)))))

    def routes(self) -> tuple[Route, ...]:
        """The best plan found."""
        flat, found, at = self.state.best.tolist(), [], 0
        while at < self.state.count[kernel.FLAT]:
            size, car, opened = flat[at : at + 3]
            found.append(Route(tuple(flat[at + 3 : at + 3 + size]), car, opened))
            at += 3 + size
        return tuple(found)


def compile_all(*, aside: bool = True) -> None:
    """Run the search on two orders, so that all of it is compiled, or loaded from where it was kept."""
    if aside and compiling.AVAILABLE:
        compiling.compile_aside()
    compiling.switch_on()
    here = Point(0.0, 0.0)
    orders = tuple(WaitingOrder(code, here, "store", 0, 0, 7200, 1, 1, 1) for code in "ab")
    flat = ((0,) * 3,) * 3
    tiny = Afternoon(here, 0, 7200, orders, (BlockLength(7200, 4000),), flat, flat, 9, 9)
    Annealing(tiny, cost.tables(tiny)).improve((), seed=1, seconds=1, iterations=2, first=True)


def flat_of(routes: Iterable[Route]) -> kernel.Numbers:
    """Routes as the compiled search reads them."""
    numbers: list[int] = []
    for route in routes:
        numbers += [len(route.seq), route.car, route.opened, *route.seq]
    return np.array(numbers, dtype=np.int64)


def _column(values: Sequence[int]) -> kernel.Numbers:
    return np.array(values, dtype=np.int64)


def world_of(afternoon: Afternoon, tab: cost.Tables) -> kernel.World:
    """The tables of the afternoon in arrays, with neighbours and the cost of each order alone."""
    price = cost.Pricing(afternoon, tab)
    alone = [price((i,)) for i in range(1, len(afternoon.orders) + 1)]
    singles = [-1, *(-1 if each is None else each.cents for each in alone)]
    possible = [
        bool(i) and (singles[i] >= 0 or bool(afternoon.open_blocks) or cost.roomy(afternoon, tab, i))
        for i in range(len(singles))
    ]
    must = [0 if order.may_wait else MUST_CENTS for order in afternoon.orders]
    wait = [0, *(afternoon.wait_of(o) + extra for o, extra in zip(afternoon.orders, must, strict=True))]
    max_orders, max_metres = cost.bounds(afternoon)
    cars = [
        (car.litres, car.grams, car.extra_cents, cost.NO_LIMIT if car.count is None else car.count)
        for car in afternoon.sizes
    ]
    numbers = [i for i in range(len(singles)) if possible[i]]
    return kernel.World(
        seconds=np.array(tab.seconds, dtype=np.int64),
        metres=np.array(tab.metres, dtype=np.int64),
        service=np.array(tab.service, dtype=np.int64),
        store=_column(tab.store),
        load=_column(tab.load),
        ready=_column(tab.ready),
        packed=_column(tab.packed),
        early=_column(tab.early),
        due=_column(tab.due),
        last=_column(tab.last),
        shut=_column(tab.shut),
        litres=_column(tab.litres),
        grams=_column(tab.grams),
        wait=_column(wait),
        kind=_column(tab.kind),
        apart=_column(tab.apart),
        door=_column(tab.door),
        fixed=_column(tab.fixed),
        possible=_column([int(each) for each in possible]),
        numbers=_column(numbers),
        singles=_column(singles),
        near=_neighbours(tab, numbers),
        sorts=_sorts(afternoon, tab),
        limits=_column([length.length_s for length in afternoon.lengths]),
        pays=_column([length.pay_cents for length in afternoon.lengths]),
        cars=np.array(cars, dtype=np.int64),
        opened=np.array(tab.opened, dtype=np.int64).reshape(len(tab.opened), 8),
        stores=max(tab.store) + 1,
        store_s=afternoon.dwell.store_s,
        close=afternoon.close,
        slack_s=afternoon.start_slack_s,
        max_orders=max_orders,
        max_metres=max_metres,
        km_cents=afternoon.km_cents,
        late_cents=afternoon.late_cents_min,
        max_trips=max(1, afternoon.max_trips),
        one_visit=int(afternoon.one_visit),
    )


def _neighbours(tab: cost.Tables, numbers: Sequence[int]) -> kernel.Numbers:
    """Per order the nearest by way, and by way and how far apart they are ready and due; -1 fills up."""
    near = np.full((2, len(tab.ready), NEIGHBOURS), -1, dtype=np.int64)
    some = _column(numbers)
    if not numbers:
        return near
    ready, due = _column(tab.ready)[some], _column(tab.due)[some]
    for i in range(len(tab.ready)):
        way = _column(tab.seconds[i])[some]
        apart = way + (abs(ready - tab.ready[i]) + abs(due - tab.due[i])) / APART_PER_WAY
        for kind, distance in enumerate((way, apart)):
            row = some[np.argsort(distance, kind="stable")[:NEIGHBOURS]]
            near[kind, i, : len(row)] = row
    return near


def _sorts(afternoon: Afternoon, tab: cost.Tables) -> kernel.Numbers:
    """Keys to sort by: largest, farthest, nearest, due first, ready first, round the mall."""
    mall = afternoon.mall
    points = [mall, *(order.point for order in afternoon.orders)]
    turn = [round(1e6 * math.atan2(point.lat - mall.lat, point.lng - mall.lng)) for point in points]
    far = tab.seconds[0]
    keys = [[-x for x in tab.litres], [-x for x in far], far, tab.due, tab.ready, turn]
    return np.array(keys, dtype=np.int64)


def state_of(afternoon: Afternoon, world: kernel.World) -> kernel.State:
    """Room for twice as many blocks as there can be: those of the plan, and those of the round being tried."""
    n, open_blocks = len(world.ready), len(afternoon.open_blocks)
    slots = 2 * (n + open_blocks) + 8
    fixed = max((len(block.orders) for block in afternoon.open_blocks), default=0)
    trips = max([world.max_trips, *(len(block.trips) for block in afternoon.open_blocks)])
    longest = max(fixed, min(n, LONGEST)) + trips + 4

    def zeros(*shape: int) -> kernel.Numbers:
        return np.zeros(shape, dtype=np.int64)

    return kernel.State(
        seq=zeros(slots, longest),
        facts=zeros(slots, kernel.COLUMNS),
        departs=zeros(slots, longest + 1),
        waits=zeros(slots, longest + 1),
        before=zeros(slots, longest + 1),
        behind=zeros(slots, longest + 1),
        carried=zeros(slots, world.stores + 1),
        extra=zeros(slots, n),
        place=zeros(slots, n),
        free=zeros(slots),
        alive=zeros(slots),
        fresh=zeros(slots),
        retired=zeros(slots),
        home=zeros(n),
        gone=zeros(n),
        pool=zeros(2 * n),
        used=zeros(len(world.cars)),
        best=zeros(4 * n + (3 + trips) * slots),
        count=zeros(kernel.COUNTERS),
        random=np.zeros(1, dtype=np.uint64),
        trips=zeros(trips + 2, 3),
        marks=zeros(world.stores + 1),
        answer=zeros(kernel.A_COLUMNS),
        buffer=zeros(longest + 4),
        bounds=zeros(longest + 4),
    )
