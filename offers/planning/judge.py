"""The judge: may this plan be published? Written without the planner's own cost and search, on purpose."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from offers.planning.afternoon import Afternoon, LeftReason, OpenBlock, Plan, PlannedBlock, WaitingOrder


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken rule: `rule` is a stable code, `block` the number in the plan (None: the plan as a whole)."""

    rule: str
    block: int | None
    detail: str


@dataclass(frozen=True, slots=True)
class _Visit:
    order: WaitingOrder
    number: int


@dataclass(frozen=True, slots=True)
class _Rules:
    """What binds one block. What an open block held before may stay, though it breaks a rule by itself."""

    afternoon: Afternoon
    block: PlannedBlock
    opened: OpenBlock | None
    visits: list[_Visit]

    @property
    def held(self) -> tuple[str, ...]:
        return self.opened.orders if self.opened else ()

    def ready(self, trip: list["_Visit"]) -> int:
        """When these, of the first trip, can be loaded. What an open block held is waited for no longer than anything
        may be."""
        moments = [
            min(visit.order.ready, self.opened.packed_by)
            if self.opened and visit.order.code in self.held
            else visit.order.ready
            for visit in trip
        ]
        return max(moments, default=self.block.start)

    @property
    def begin(self) -> int:
        """When the loading of what was there before would begin."""
        assert self.opened is not None
        return max(self.opened.start, self.ready(self.bare[0])) if self.held else self.opened.start

    @property
    def bare(self) -> list[list[_Visit]]:
        """The visits of what was there before, trip by trip."""
        if self.opened is None:
            return [[]]
        visits = {visit.order.code: visit for visit in self.visits}
        return [[visits[code] for code in trip if code in visits] for trip in self.opened.trips]

    @property
    def room(self) -> tuple[int, int]:
        """Litres and grams of the car."""
        if self.opened:
            return (
                max(self.opened.litres, *(sum(visit.order.litres for visit in trip) for trip in self.bare)),
                max(self.opened.grams, *(sum(visit.order.grams for visit in trip) for trip in self.bare)),
            )
        size = next((size for size in self.afternoon.sizes if size.code == self.block.car), None)
        return (size.litres, size.grams) if size else (-1, -1)

    @property
    def trips(self) -> list[list[_Visit]]:
        """The visits between one loading and the next."""
        cuts = [0, *(reload.after for reload in self.block.reloads), len(self.visits)]
        return [self.visits[a:b] for a, b in pairwise(cuts)]


@dataclass(slots=True)
class _Walk:
    """What driving a block comes to, moment by moment."""

    moments: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    loads: list[tuple[int, int, int]] = field(default_factory=list)
    finish: int = 0
    metres: int = 0
    late: int = 0


def verdict(afternoon: Afternoon, plan: Plan) -> tuple[Violation, ...]:
    """Every rule the plan breaks; an empty tuple lets it pass."""
    found = list(_each_order_once(afternoon, plan))
    if any(violation.rule == "unknown_order" for violation in found):
        return tuple(found)
    numbers = {order.code: n for n, order in enumerate(afternoon.orders, 1)}
    opened = {block.code: block for block in afternoon.open_blocks}
    for index, block in enumerate(plan.blocks):
        visits = [_Visit(afternoon.orders[numbers[code] - 1], numbers[code]) for code in block.orders]
        if not visits and block.opened not in opened:
            found.append(Violation("empty_block", index, "no orders"))
            continue
        rules = _Rules(afternoon, block, opened.get(block.opened), visits)
        broken = (*_load(rules), *_way(rules), *_company(rules), *_price(rules))
        found += [Violation(rule, index, text) for rule, text in broken]
    found += _whole_plan(afternoon, plan)
    waits = {order.code: afternoon.wait_of(order) for order in afternoon.orders}
    cents = sum(block.cost_cents for block in plan.blocks) + sum(waits[each.order] for each in plan.left)
    if cents != plan.cost_cents:
        found.append(Violation("wrong_total", None, f"said {plan.cost_cents}, is {cents}"))
    return tuple(found)


def _each_order_once(afternoon: Afternoon, plan: Plan) -> Iterator[Violation]:
    known = {order.code for order in afternoon.orders}
    planned = Counter(code for block in plan.blocks for code in block.orders)
    left = Counter(each.order for each in plan.left)
    for code, times in planned.items():
        if times > 1:
            yield Violation("order_twice", None, code)
        if code in left:
            yield Violation("planned_and_left", None, code)
    for code, times in left.items():
        if times > 1:
            yield Violation("left_twice", None, code)
    for code in (planned | left).keys() - known:
        yield Violation("unknown_order", None, code)
    for code in known - planned.keys() - left.keys():
        yield Violation("order_forgotten", None, code)


def _whole_plan(afternoon: Afternoon, plan: Plan) -> Iterator[Violation]:
    """What no block shows alone: cars, open blocks, and who may not be left."""
    used = Counter(block.car for block in plan.blocks if not block.opened)
    for size in afternoon.sizes:
        if size.count is not None and used[size.code] > size.count:
            yield Violation("too_many_cars", None, f"{used[size.code]} of {size.count} {size.code}")
    filled = Counter(block.opened for block in plan.blocks if block.opened)
    known = {block.code for block in afternoon.open_blocks}
    if filled != Counter(known):
        yield Violation("open_blocks_changed", None, ", ".join(sorted(set(filled) ^ known)) or "one twice")
    orders = {order.code: order for order in afternoon.orders}
    for each in plan.left:
        if each.reason == LeftReason.CHEAPER_TO_WAIT and not orders[each.order].may_wait:
            yield Violation("left_though_it_may_not_wait", None, each.order)


def _load(rules: _Rules) -> Iterator[tuple[str, str]]:  # noqa: C901, PLR0912 - rules, one after another
    afternoon, block, visits = rules.afternoon, rules.block, rules.visits
    most_litres, most_grams = rules.room
    for trip in rules.trips:
        litres, grams = sum(v.order.litres for v in trip), sum(v.order.grams for v in trip)
        if litres > most_litres:
            yield "too_big", f"{litres} of {most_litres} litres"
        if grams > most_grams:
            yield "too_heavy", f"{grams} of {most_grams} grams"
    total = tuple(sum(getattr(v.order, name) for v in visits) for name in ("litres", "grams", "parcels"))
    if (block.litres, block.grams, block.parcels) != total:
        yield "wrong_load", "is {} litres, {} grams, {} parcels".format(*total)
    if afternoon.max_orders is not None and len(visits) > max(afternoon.max_orders, len(rules.held)):
        yield "too_many_orders", f"{len(visits)} of {afternoon.max_orders}"
    most = max(1, afternoon.max_trips, len(rules.opened.trips) if rules.opened else 1)
    if len(block.reloads) >= most:
        yield "too_many_trips", f"{len(block.reloads) + 1} of {most}"
    for stores, trip in zip((block.stores, *(r.stores for r in block.reloads)), rules.trips, strict=True):
        if sorted(stores) != sorted({visit.order.store for visit in trip}):
            yield "wrong_stores", ", ".join(stores)
    new = [visit.order for visit in rules.trips[0] if visit.order.code not in rules.held]
    ready = max((order.ready for order in new), default=block.start)
    if block.start < ready or (rules.opened and ready > rules.opened.packed_by):
        yield "not_ready", f"starts at {block.start}, ready at {ready}"
    if rules.opened:
        begin = max(rules.opened.start, rules.ready(rules.trips[0])) if visits else rules.opened.start
        if block.start != begin:
            yield "open_block_moved", f"starts at {block.start}, would at {begin}"
        return
    if block.start < afternoon.now:
        yield "starts_in_the_past", f"starts at {block.start}, now is {afternoon.now}"
    if block.start > max(ready, afternoon.now) + afternoon.start_slack_s:
        yield "starts_too_late", f"starts at {block.start}, ready at {ready}"


def _walk(rules: _Rules, visits: list[list[_Visit]], begin: int) -> _Walk:
    """Load and drive, trip after trip, from this moment on."""
    afternoon, dwell, walk = rules.afternoon, rules.afternoon.dwell, _Walk()
    now = begin
    for number, trip in enumerate(visits):
        arrive_mall = now
        if number:
            now = max([now, *(visit.order.ready for visit in trip)])
        begin = now
        now += dwell.store_s * len({visit.order.store for visit in trip})
        now += dwell.load_parcel_s * sum(visit.order.parcels for visit in trip)
        walk.loads.append((arrive_mall, begin, now))
        at, before = 0, None
        for visit in trip:
            order = visit.order
            arrive = now + afternoon.seconds[at][visit.number]
            walk.metres += afternoon.metres[at][visit.number]
            serve = max(arrive, order.early)
            walk.late += max(0, serve - order.due)
            again = before is not None and before.point.rounded() == order.point.rounded()
            now = serve + (dwell.same_door_s if again else dwell.stop_s) + dwell.stop_parcel_s * order.parcels
            walk.moments[order.code] = (arrive, serve, now)
            before, at = order, visit.number
        now += afternoon.seconds[at][0]
        walk.metres += afternoon.metres[at][0]
    walk.finish = now
    return walk


def _way(rules: _Rules) -> Iterator[tuple[str, str]]:  # noqa: C901, PLR0912 - rules, one after another
    afternoon, block = rules.afternoon, rules.block
    walk = _walk(rules, rules.trips, block.start)
    bare = _walk(rules, rules.bare, rules.begin if rules.opened else block.start)
    said = [block.depart, *(reload.depart for reload in block.reloads)]
    if said != [load[2] for load in walk.loads]:
        yield "wrong_departure", f"said {said}, is {[load[2] for load in walk.loads]}"
    if [(reload.arrive, reload.begin) for reload in block.reloads] != [load[:2] for load in walk.loads[1:]]:
        yield "wrong_reload", f"is {walk.loads[1:]}"
    for visit in rules.visits:
        code = visit.order.code
        last = visit.order.due + afternoon.late_max_s
        if code in rules.held:
            last = max(visit.order.due, bare.moments[code][1])
        if walk.moments[code][1] > last:
            yield "too_late", f"{code} by {walk.moments[code][1] - visit.order.due} seconds"
    shuts = dict(afternoon.shuts)
    for trip, load in zip(rules.trips, walk.loads, strict=True):
        new = [visit.order for visit in trip if visit.order.code not in rules.held]
        if any(load[2] > shuts.get(order.store, load[2]) for order in new):
            yield "store_shut", f"loaded at {load[2]}"
    for stop in block.stops:
        first, last_one = walk.moments[stop.orders[0]], walk.moments[stop.orders[-1]]
        if (stop.arrive, stop.serve, stop.leave) != (first[0], first[1], last_one[2]):
            yield "wrong_moment", f"at {stop.orders[0]}: is {first[0]}, {first[1]}, {last_one[2]}"
    if (block.finish, block.metres, block.late_s) != (walk.finish, walk.metres, walk.late):
        yield "wrong_way", f"is {walk.metres} metres, {walk.late} seconds late, back at {walk.finish}"
    begins = rules.opened.start if rules.opened else block.start
    allowed = bare.finish if rules.held else begins
    if walk.finish > max(afternoon.close, allowed):
        yield "back_after_close", f"back at {walk.finish}, closed at {afternoon.close}"
    if rules.visits and walk.finish > max(begins + block.length_s, allowed):
        yield "too_long", f"{walk.finish - block.start} of {block.length_s} seconds"
    if afternoon.max_metres is not None and walk.metres > max(afternoon.max_metres, bare.metres):
        yield "too_far", f"{walk.metres} of {afternoon.max_metres} metres"


def _company(rules: _Rules) -> Iterator[tuple[str, str]]:
    """What an open block held stays in its turn; kinds keep apart; one door is one visit."""
    afternoon, codes = rules.afternoon, [visit.order.code for visit in rules.visits]
    if rules.opened:
        still = [tuple(v.order.code for v in trip if v.order.code in rules.held) for trip in rules.trips]
        if tuple(filter(None, still)) != tuple(filter(None, rules.opened.trips)):
            yield "open_block_changed", f"held {', '.join(rules.held)}"
    for number, one in enumerate(rules.visits):
        for two in rules.visits[number + 1 :]:
            pair = (one.order.kind, two.order.kind)
            both_held = one.order.code in rules.held and two.order.code in rules.held
            if not both_held and (pair in afternoon.apart or pair[::-1] in afternoon.apart):
                yield "may_not_share_a_car", f"{one.order.code}, {two.order.code}"
    if afternoon.one_visit and not rules.opened:
        for trip in rules.trips:
            doors = [visit.order.point.rounded() for visit in trip]
            visits = [door for n, door in enumerate(doors) if n == 0 or doors[n - 1] != door]
            if len(visits) != len(set(visits)):
                yield "one_door_twice", ", ".join(codes)


def _price(rules: _Rules) -> Iterator[tuple[str, str]]:
    afternoon, block = rules.afternoon, rules.block
    pay = {length.length_s: length.pay_cents for length in afternoon.lengths}.get(block.length_s)
    if rules.opened:
        pay = 0 if block.length_s == rules.opened.length_s else None
    if pay is None:
        yield "length_not_sold", f"{block.length_s} seconds"
        return
    extra = {size.code: size.extra_cents for size in afternoon.sizes}
    lines = {
        "pay": pay + (0 if rules.opened else extra.get(block.car, 0)),
        "travel": round(block.metres / 1000 * afternoon.km_cents),
        "lateness": round(block.late_s / 60 * afternoon.late_cents_min),
    }
    if len(block.lines) != len(lines) or {line.kind: line.cents for line in block.lines} != lines:
        yield "wrong_price", f"is {lines}"
