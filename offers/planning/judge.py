"""The judge: may this plan be published? Written without the planner's own cost and search, on purpose."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from offers.planning.afternoon import Afternoon, Plan, PlannedBlock, WaitingOrder


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


def verdict(afternoon: Afternoon, plan: Plan) -> tuple[Violation, ...]:
    """Every rule the plan breaks; an empty tuple lets it pass."""
    found = list(_each_order_once(afternoon, plan))
    if any(violation.rule == "unknown_order" for violation in found):
        return tuple(found)
    numbers = {order.code: n for n, order in enumerate(afternoon.orders, 1)}
    for index, block in enumerate(plan.blocks):
        visits = [_Visit(afternoon.orders[numbers[code] - 1], numbers[code]) for code in block.orders]
        if not visits:
            found.append(Violation("empty_block", index, "no orders"))
            continue
        found += [Violation(rule, index, text) for rule, text in _load(afternoon, block, visits)]
        found += [Violation(rule, index, text) for rule, text in _way(afternoon, block, visits)]
        found += [Violation(rule, index, text) for rule, text in _price(afternoon, block)]
    cents = sum(block.cost_cents for block in plan.blocks) + len(plan.left) * afternoon.defer_cents
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


def _load(afternoon: Afternoon, block: PlannedBlock, visits: list[_Visit]) -> Iterator[tuple[str, str]]:
    litres = sum(visit.order.litres for visit in visits)
    grams = sum(visit.order.grams for visit in visits)
    parcels = sum(visit.order.parcels for visit in visits)
    if litres > afternoon.litres:
        yield "too_big", f"{litres} of {afternoon.litres} litres"
    if grams > afternoon.grams:
        yield "too_heavy", f"{grams} of {afternoon.grams} grams"
    if (block.litres, block.grams, block.parcels) != (litres, grams, parcels):
        yield "wrong_load", f"is {litres} litres, {grams} grams, {parcels} parcels"
    if afternoon.max_orders is not None and len(visits) > afternoon.max_orders:
        yield "too_many_orders", f"{len(visits)} of {afternoon.max_orders}"
    if sorted(block.stores) != sorted({visit.order.store for visit in visits}):
        yield "wrong_stores", ", ".join(block.stores)
    ready = max(visit.order.ready for visit in visits)
    if block.start < ready:
        yield "not_ready", f"starts at {block.start}, ready at {ready}"
    if block.start < afternoon.now:
        yield "starts_in_the_past", f"starts at {block.start}, now is {afternoon.now}"
    if block.start > max(ready, afternoon.now) + afternoon.start_slack_s:
        yield "starts_too_late", f"starts at {block.start}, ready at {ready}"
    loading = afternoon.dwell.store_s * len(block.stores) + afternoon.dwell.load_parcel_s * parcels
    if block.depart != block.start + loading:
        yield "wrong_departure", f"said {block.depart}, is {block.start + loading}"


def _way(afternoon: Afternoon, block: PlannedBlock, visits: list[_Visit]) -> Iterator[tuple[str, str]]:
    dwell, before = afternoon.dwell, None
    now, at, metres, late = block.depart, 0, 0, 0
    moments: dict[str, tuple[int, int, int]] = {}
    for visit in visits:
        order = visit.order
        arrive = now + afternoon.seconds[at][visit.number]
        metres += afternoon.metres[at][visit.number]
        serve = max(arrive, order.early)
        over = max(0, serve - order.due)
        if over > afternoon.late_max_s:
            yield "too_late", f"{order.code} by {over} seconds"
        late += over
        again = before is not None and before.point.rounded() == order.point.rounded()
        now = serve + (dwell.same_door_s if again else dwell.stop_s) + dwell.stop_parcel_s * order.parcels
        moments[order.code] = (arrive, serve, now)
        before, at = order, visit.number
    finish = now + afternoon.seconds[at][0]
    metres += afternoon.metres[at][0]
    for stop in block.stops:
        first, last = moments[stop.orders[0]], moments[stop.orders[-1]]
        if (stop.arrive, stop.serve, stop.leave) != (first[0], first[1], last[2]):
            yield "wrong_moment", f"at {stop.orders[0]}: is {first[0]}, {first[1]}, {last[2]}"
    if (block.finish, block.metres, block.late_s) != (finish, metres, late):
        yield "wrong_way", f"is {metres} metres, {late} seconds late, back at {finish}"
    if finish > afternoon.close:
        yield "back_after_close", f"back at {finish}, closed at {afternoon.close}"
    if finish - block.start > block.length_s:
        yield "too_long", f"{finish - block.start} of {block.length_s} seconds"
    if afternoon.max_metres is not None and metres > afternoon.max_metres:
        yield "too_far", f"{metres} of {afternoon.max_metres} metres"


def _price(afternoon: Afternoon, block: PlannedBlock) -> Iterator[tuple[str, str]]:
    pay = {length.length_s: length.pay_cents for length in afternoon.lengths}.get(block.length_s)
    if pay is None:
        yield "length_not_sold", f"{block.length_s} seconds"
        return
    lines = {
        "pay": pay,
        "travel": round(block.metres / 1000 * afternoon.km_cents),
        "lateness": round(block.late_s / 60 * afternoon.late_cents_min),
    }
    if len(block.lines) != len(lines) or {line.kind: line.cents for line in block.lines} != lines:
        yield "wrong_price", f"is {lines}"
