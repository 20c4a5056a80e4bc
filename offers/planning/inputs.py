"""From waiting orders to the planner's afternoon: queries in, frozen values out."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from django.db.models import Prefetch

from deliveries.models import Consignment, Order, Stop
from drivers.models import Vehicle
from offers import limits, terms
from offers.models import Block, Claim
from offers.planning import cutoffs, fleet
from offers.planning import rules as planrules
from offers.planning.afternoon import Afternoon, BlockLength, Dwell, WaitingOrder
from offers.planning.rooms import Room
from offers.planning.travel import sources
from retaildelivery.lib import money
from retaildelivery.lib.geo import Point
from retaildelivery.lib.windows import Window, day_window
from stores import hours
from stores.models import Mall

SECOND = dt.timedelta(seconds=1)
DWELL = Dwell()
# No car is slower on average, so that a wave is asked for early rather than late.
WAY_MINUTES_KM = 3.2
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Candidate:
    """An order that waits to be planned, or waited at a moment of the past."""

    code: str
    point: Point
    store: str
    placed_at: dt.datetime
    ready_at: dt.datetime
    opens_at: dt.datetime
    due_at: dt.datetime
    litres: int
    grams: int
    parcels: int
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one plan is made from: the afternoon, its epoch, when the next plan is made of what it leaves, and the
    blocks by code that may take some of the orders."""

    epoch: dt.datetime
    afternoon: Afternoon
    next_at: dt.datetime
    opened: Mapping[str, OpenBlock] = field(default_factory=dict)

    @property
    def planned(self) -> dict[str, WaitingOrder]:
        """The orders by code."""
        return {row.code: row for row in self.afternoon.orders}

    def moment(self, seconds: int) -> dt.datetime:
        return self.epoch + seconds * SECOND


def waiting(mall: Mall, *, at: dt.datetime, placed_by: dt.datetime | None = None) -> list[Candidate]:
    """Orders a wave at this mall looks at: those whose promise has come near enough, soonest due first. With a
    cutoff none that was posted after it."""
    found = Order.objects.waiting().at_mall(mall.pk)  # type: ignore[attr-defined]
    if placed_by is not None:
        found = found.filter(placed_at__lte=placed_by)
    orders = (
        found.filter(ready_at__lte=at + limits.PLAN_AHEAD, window__startswith__lte=at + limits.PLAN_AHEAD)
        .select_related("store")
        .prefetch_related("parcels")
        .order_by("window__endswith", "pk")[: limits.PLAN_ORDERS]
    )
    return [candidate(order) for order in orders]


def candidate(order: Order) -> Candidate:
    """The order as a wave reads it now."""
    point = order.point
    assert point is not None, "Only located orders are planned."
    parcels = list(order.parcels.all())
    return Candidate(
        code=order.code,
        point=point,
        store=order.store.code,
        placed_at=order.placed_at,
        ready_at=order.ready_at,
        opens_at=order.window.lower,
        due_at=order.window.upper,
        litres=sum(parcel.litres for parcel in parcels),
        grams=sum(parcel.grams for parcel in parcels),
        parcels=len(parcels),
        kind=planrules.kind_of(minimum_age=order.minimum_age, goods=order.store.goods),
    )


@dataclass(frozen=True, slots=True)
class OpenBlock:
    """A block that may take late orders, as a wave sees it: who has it, and what is on it."""

    room: Room
    claim_id: int | None
    on_it: tuple[Candidate, ...]


def open_blocks(mall: Mall, *, at: dt.datetime) -> list[OpenBlock]:
    """Offered and claimed blocks that have not begun and that nobody has frozen, soonest first."""
    blocks = (
        Block.objects.unfrozen()  # type: ignore[attr-defined]
        .filter(mall=mall, status__in=[Block.Status.OFFERED, Block.Status.CLAIMED])
        .exclude(manifest__stops__kind=Stop.Kind.MEETING)
        .filter(window__startswith__gt=at, window__startswith__lte=at + limits.PLAN_AHEAD)
        .select_related("policy")
        .prefetch_related(Prefetch("claims", Claim.objects.live().select_related("vehicle")))  # type: ignore[attr-defined]
        .order_by("window__startswith", "pk")
    )
    rows = list(blocks)
    epoch = epoch_of(mall, at)
    on_them = _on_manifests([block.manifest_id for block in rows if block.manifest_id])
    return [open_block(block, on_them[block.manifest_id or 0], epoch) for block in rows]


def with_room(blocks: Sequence[OpenBlock]) -> list[OpenBlock]:
    """Those that could take one more order, the soonest `limits.PLAN_OPEN_BLOCKS` of them."""
    found = [each for each in blocks if _has_room(each)]
    return found[: limits.PLAN_OPEN_BLOCKS]


def _has_room(block: OpenBlock) -> bool:
    room, on_it = block.room, {each.code: each for each in block.on_it}
    if room.max_orders is not None and len(room.orders) >= room.max_orders:
        return False
    return any(
        sum(on_it[code].litres for code in trip) < room.litres
        and sum(on_it[code].grams for code in trip) < room.grams
        for trip in room.trips
    )


def _on_manifests(manifests: Sequence[int]) -> defaultdict[int, list[tuple[int, Candidate]]]:
    """What is on each manifest, each with its trip, in the order of visit."""
    found: defaultdict[int, list[tuple[int, Candidate]]] = defaultdict(list)
    places = (
        Consignment.objects.live()  # type: ignore[attr-defined]
        .filter(manifest__in=manifests)
        .select_related("order__store", "dropoff")
        .prefetch_related("order__parcels")
        .order_by("manifest_id", "dropoff__trip", "dropoff__position", "dropoff_id", "pk")
    )
    for place in places:
        found[place.manifest_id].append((place.dropoff.trip, candidate(place.order)))
    return found


def open_block(block: Block, placed: Sequence[tuple[int, Candidate]], epoch: dt.datetime) -> OpenBlock:
    """The block with what is placed on it, each with its trip, in the car of the first of its prefetched `claims`."""
    on_it = tuple(each for _trip, each in placed)
    steps = enumerate(pairwise(trip for trip, _each in placed), start=1)
    claim = next(iter(block.claims.all()), None)
    litres, grams = (
        (claim.vehicle.litres, claim.vehicle.grams)
        if claim is not None
        else Vehicle.CAPACITY[Vehicle.Kind(block.vehicle_kind)]
    )
    start = (block.starts_at - epoch) // SECOND
    room = Room(
        code=block.code,
        start=start,
        end=(block.ends_at - epoch) // SECOND,
        ready_by=start + limits.JOIN_READY // SECOND,
        litres=litres,
        grams=grams,
        orders=tuple(each.code for each in on_it),
        max_orders=block.policy.max_orders,
        car=block.vehicle_kind,
        reloads=tuple(number for number, (before, then) in steps if before != then),
    )
    return OpenBlock(room, claim.pk if claim else None, on_it)


def epoch_of(mall: Mall, at: dt.datetime) -> dt.datetime:
    """The local midnight before the moment, from which the planner counts."""
    return day_window(at.astimezone(mall.zone).date(), mall.zone).start


def snapshot(
    mall: Mall,
    orders: Sequence[Candidate],
    *,
    at: dt.datetime,
    everything: bool,
    opened: Sequence[OpenBlock] = (),
) -> Snapshot:
    """One afternoon of these waiting orders and of the blocks that may take some of them, with every kind of car.

    With `everything` no order may be left for a later wave that a block can hold. Raises terms.NoPayPolicy.
    """
    epoch, zone = epoch_of(mall, at), mall.zone
    open_at = hours.next_openings(mall, at=at)
    next_at = next_wave(mall, at=at)
    candidates = [*orders, *(each for block in opened for each in block.on_it)]
    rows = [_opening(as_waiting(each, epoch), open_at, epoch) for each in candidates]
    roads = sources.of_market(mall.market, at=at)
    matrix = roads.matrix([mall.point, *(row.point for row in rows)], hour=at.astimezone(zone).hour)
    shuts = {code: (window.end - epoch) // SECOND for code, window in open_at.items()}
    company = not cutoffs.times_of(mall)
    for number, order in enumerate(orders):
        must = everything or (company and has_waited(order, at=at))
        must = must or is_urgent(
            rows[number],
            matrix.seconds[0][number + 1],
            now=(next_at - epoch) // SECOND,
            shuts=shuts.get(order.store),
        )
        rows[number] = dataclasses.replace(rows[number], may_wait=not must)
    soon = any(not row.may_wait for row in rows[: len(orders)]) or any(each.ready_at <= at for each in orders)
    start = round_start(at + (limits.LEAD_SHORT if soon else limits.LEAD))
    day = start.astimezone(zone).date()
    rules = planrules.on(mall.market, day)
    cars = fleet.cars(mall.market, rules, Window(start, start + limits.BLOCK_LENGTHS[-1]))
    afternoon = Afternoon(
        mall=mall.point,
        now=(start - epoch) // SECOND,
        close=max(row.due for row in rows) + DAY_S,
        orders=tuple(rows),
        lengths=lengths(mall, start, at=at),
        seconds=matrix.seconds,
        metres=matrix.metres,
        litres=max(car.litres for car in cars),
        grams=max(car.grams for car in cars),
        dwell=DWELL,
        km_cents=rules.km_cents,
        late_cents_min=rules.late_cents,
        late_max_s=limits.PLAN_LATE_MAX // SECOND,
        defer_cents=rules.wait_cents,
        max_orders=terms.policy_on(mall.market, day).max_orders,
        max_metres=rules.max_metres,
        notes=matrix.notes,
        cars=cars,
        open_blocks=tuple(block.room.opened for block in opened),
        apart=rules.apart,
        one_visit=rules.one_visit,
        max_trips=rules.max_trips,
        shuts=tuple(sorted(shuts.items())),
    )
    return Snapshot(epoch, afternoon, next_at, {block.room.code: block for block in opened})


def _opening(row: WaitingOrder, open_at: Mapping[str, Window], epoch: dt.datetime) -> WaitingOrder:
    """The order, not before its store opens."""
    window = open_at.get(row.store)
    opens = row.ready if window is None else (round_start(window.start) - epoch) // SECOND
    return dataclasses.replace(row, ready=max(row.ready, opens))


def next_wave(mall: Mall, *, at: dt.datetime) -> dt.datetime:
    """When what is left now is planned again: at the mall's next cutoff, or in the next round."""
    times = cutoffs.times_of(mall)
    return cutoffs.next_after(times, mall.zone, at=at) if times else at + limits.WAVE_EVERY


def unchanged(order: Order, snapshot: Snapshot) -> bool:
    """Whether the order is what was planned, or that and packed sooner."""
    now = as_waiting(candidate(order), snapshot.epoch)
    then = snapshot.planned[order.code]
    same = dataclasses.replace(now, ready=then.ready) == then and now.kind == then.kind
    return same and now.ready <= then.ready


def as_waiting(order: Candidate, epoch: dt.datetime) -> WaitingOrder:
    """The order as the planner reads it; compared again when the plan is published."""
    return WaitingOrder(
        code=order.code,
        point=order.point,
        store=order.store,
        ready=(round_start(order.ready_at) - epoch) // SECOND,
        early=(order.opens_at - epoch) // SECOND,
        due=(order.due_at - epoch) // SECOND,
        litres=order.litres,
        grams=order.grams,
        parcels=order.parcels,
        kind=order.kind,
    )


def has_waited(order: Candidate, *, at: dt.datetime) -> bool:
    """Whether it has waited long enough for company: posted `limits.COMPANY_WAIT` ago, and packed by the time a
    driver can be there."""
    return at - order.placed_at >= limits.COMPANY_WAIT and order.ready_at <= at + limits.LEAD_SHORT


def is_urgent(row: WaitingOrder, way_s: int, *, now: int, shuts: int | None = None) -> bool:
    """Whether a wave at `now` would come too late for the promise: loading, the way, the lead and the time it takes
    to find a driver no longer fit before it, or the store shuts before it is loaded."""
    loading = DWELL.store_s + DWELL.load_parcel_s * row.parcels
    ahead = (limits.LEAD_SHORT + limits.URGENT_MARGIN) // SECOND
    loaded = max(now + ahead, row.ready) + loading
    return loaded + way_s >= row.due or (shuts is not None and loaded > shuts)


def cannot_wait(
    *, due_at: dt.datetime, ready_at: dt.datetime, distance_m: int | None, at: dt.datetime
) -> bool:
    """`is_urgent` without a matrix: the way is the road distance told when the order was posted, at the estimate."""
    way = dt.timedelta(minutes=WAY_MINUTES_KM * ((distance_m or 0) / 1000))
    loading = (DWELL.store_s + DWELL.load_parcel_s) * SECOND
    return max(at + limits.LEAD_SHORT + limits.URGENT_MARGIN, ready_at) + loading + way >= due_at


def lengths(mall: Mall, start: dt.datetime, *, at: dt.datetime) -> tuple[BlockLength, ...]:
    """Lengths in which blocks are sold, at the rate of the soonest start."""
    sold = []
    for length in limits.BLOCK_LENGTHS:
        window = Window(start, start + length)
        policy = terms.policy_on(mall.market, start.astimezone(mall.zone).date())
        rate = terms.base_cents(policy, terms.kind_of(mall, window, at=at))
        sold.append(BlockLength(length // SECOND, money.round_cents(money.for_time(rate, length))))
    return tuple(sold)


def round_start(moment: dt.datetime) -> dt.datetime:
    """The first round minute at or after the moment."""
    epoch = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
    past = (moment - epoch) % limits.START_ROUND
    return moment + (limits.START_ROUND - past if past else dt.timedelta(0))


def reached_cents(orders: Iterable[Order], *, at: dt.datetime) -> int:
    """The highest hourly rate at which a block with any of these orders lately found nobody; 0 when none
    did."""
    lately = Block.objects.filter(
        manifest__consignments__order__in=[order.pk for order in orders],
        status__in=[Block.Status.EXPIRED, Block.Status.NO_SHOW],
        ended_at__gte=at - limits.PRICE_MEMORY,
    )
    return lately.order_by("-hourly_cents").values_list("hourly_cents", flat=True).first() or 0
