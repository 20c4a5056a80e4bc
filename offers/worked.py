"""What was done in a block, read from its stops and handovers: what pricing takes in."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import pairwise

from deliveries.models import Consignment, Stop
from offers import limits, pricing
from offers.models import Block
from retaildelivery.lib.geo import road_m

ZERO = dt.timedelta(0)


def local_day(block: Block) -> dt.date:
    """The day by which rates are looked up: that of the block's start, at its mall."""
    return block.starts_at.astimezone(block.mall.zone).date()


def stops_of(blocks: Iterable[Block]) -> dict[int, list[Stop]]:
    """The stops of these blocks, by their manifests. One query."""
    found: dict[int, list[Stop]] = {block.manifest_id: [] for block in blocks if block.manifest_id}
    for stop in Stop.objects.filter(manifest__in=found).select_related("store", "handover"):
        found[stop.manifest_id].append(stop)
    return found


def engaged_in(
    block: Block, stops: Sequence[Stop], *, until: dt.datetime, share: Decimal = Decimal(1)
) -> pricing.Engaged:
    """Time and way as laws count them, by place and day of the pickup.

    A block is accepted days ahead, so work begins at check-in. The way is the planned one, or that of its `share`,
    and longer where the stops that were visited, in their order, lie farther (a way back that was not planned).
    """
    assert block.checked_in_at is not None, "Work begins at check-in."
    pickups = [stop for stop in stops if stop.kind == Stop.Kind.PICKUP]
    arrivals = [stop.arrived_at for stop in pickups if stop.arrived_at is not None]
    arrived = max(min(arrivals, default=block.checked_in_at), block.checked_in_at)
    loaded = [moment for stop in pickups if (moment := taken_at(stop)) is not None]
    return pricing.Engaged(
        metres=max(int(block.distance_m * share), visited_m(block, stops)),
        place=block.mall.code,
        day=local_day(block),
        trip=pricing.Trip(
            accepted_at=block.checked_in_at,
            arrived_at=arrived,
            picked_up_at=max(min(loaded, default=arrived), arrived),
            ended_at=until,
        ),
    )


def visited_m(block: Block, stops: Sequence[Stop]) -> int:
    """Road metres from the mall over every door and counter that was reached, in the order they were."""
    reached = [(stop.arrived_at, stop.pk, stop.point) for stop in stops if stop.arrived_at is not None]
    places = [block.mall.point, *(point for _at, _pk, point in sorted(reached, key=lambda each: each[:2]))]
    return sum(road_m(here, there) for here, there in pairwise(places))


def taken_at(stop: Stop) -> dt.datetime | None:
    """When staff handed over at a pickup, or when it ended where nobody did."""
    handover = getattr(stop, "handover", None)
    return handover.at if handover is not None else stop.completed_at


def aborted(
    block: Block, stops: Sequence[Stop], *, over_at: dt.datetime | None, given: Sequence[pricing.Tip] = ()
) -> pricing.Work:
    """The time so far of a block that was broken off, plus the wait for who took the parcels over, within
    `limits.HANDOVER_PAID`; never more than the window as scheduled time, the rest as overtime."""
    assert block.checked_in_at is not None, "Only a block at work is broken off."
    until = aborted_until(block, over_at=over_at)
    begun = max(block.starts_at, block.checked_in_at)
    return pricing.Work(
        scheduled=max(ZERO, min(until, block.ends_at) - begun),
        overtime=max(ZERO, until - max(block.ends_at, begun)),
        waits=tuple(waits(block, stops)),
        returns=returns(stops),
        tips=tuple(given),
        engaged=(engaged_until_aborted(block, stops, over_at=over_at),),
    )


def returns(stops: Sequence[Stop]) -> int:
    return sum(stop.kind == Stop.Kind.RETURN and stop.status == Stop.Status.DONE for stop in stops)


def aborted_until(block: Block, *, over_at: dt.datetime | None) -> dt.datetime:
    assert block.ended_at is not None, "A block that was broken off has its time."
    return min(max(block.ended_at, over_at or block.ended_at), block.ended_at + limits.HANDOVER_PAID)


def engaged_until_aborted(
    block: Block, stops: Sequence[Stop], *, over_at: dt.datetime | None
) -> pricing.Engaged:
    """Of a block that was broken off: of its planned way the part that its time had come to."""
    until = aborted_until(block, over_at=over_at)
    part = Decimal((until - block.starts_at) / block.length)
    return engaged_in(block, stops, until=until, share=min(Decimal(1), max(Decimal(0), part)))


def completed(
    block: Block, stops: Sequence[Stop], *, at: dt.datetime, given: Sequence[pricing.Tip] = ()
) -> pricing.Work:
    """What happened in a block whose manifest was completed at `at`, read from its stops and handovers."""
    assert block.checked_in_at is not None, "A completed block was checked in."
    until = worked_until(stops, at=at)
    late = max(ZERO, block.checked_in_at - block.starts_at)
    return pricing.Work(
        scheduled=block.length,
        # Who began late does not earn the same minutes at the end as overtime.
        overtime=max(ZERO, until - block.ends_at - late),
        waits=tuple(waits(block, stops)),
        returns=returns(stops),
        tips=tuple(given),
        engaged=(engaged_in(block, stops, until=until),),
    )


def worked_until(stops: Sequence[Stop], *, at: dt.datetime) -> dt.datetime:
    """The moment the last stop ended. A return counts only when it followed the stop before it within
    `limits.RETURN_WAY`: what is brought back the next morning is paid as a return, not as a night of
    overtime."""
    ends = sorted(
        (stop.completed_at, stop.kind == Stop.Kind.RETURN)
        for stop in stops
        if stop.completed_at is not None and stop.arrived_at is not None
    )
    if not ends:
        return at
    until = ends[0][0]
    for moment, is_return in ends[1:]:
        if is_return and moment - until > limits.RETURN_WAY:
            break
        until = moment
    return until


def waits(block: Block, stops: Sequence[Stop]) -> list[pricing.Wait]:
    """How long each store kept the driver, visit by visit: from arrival, or the block's start where that is later, to
    the staff's handover, or to the end of the stop where there was none. Who comes back for another trip sooner than
    the store was told waits on nobody's account until then."""
    kept: dict[tuple[str, int], dt.timedelta] = {}
    for stop in stops:
        if stop.kind != Stop.Kind.PICKUP or stop.store is None or stop.arrived_at is None:
            continue
        until = taken_at(stop)
        if until is not None:
            expected = block.starts_at if stop.trip == 1 else stop.planned_at
            waited = max(ZERO, until - max(stop.arrived_at, expected))
            visit = (stop.store.code, stop.trip)
            kept[visit] = kept.get(visit, ZERO) + waited
    visits: Counter[str] = Counter()
    found = []
    for code, trip in sorted(kept, key=lambda each: each[1]):
        visits[code] += 1
        found.append(pricing.Wait(store=code, waited=kept[code, trip], visit=visits[code]))
    return found


def of_blocks(blocks: Sequence[Block]) -> Iterator[tuple[Block, list[Stop], list[pricing.Tip]]]:
    """Each block with its stops and tips. Two queries."""
    stops, tips = stops_of(blocks), tips_of(blocks)
    for block in blocks:
        yield block, stops.get(block.manifest_id or 0, []), tips.get(block.manifest_id or 0, [])


def tips_of(blocks: Iterable[Block]) -> dict[int, list[pricing.Tip]]:
    """The tips of the orders delivered in these blocks, all of each, by their manifests. One query."""
    found: dict[int, list[pricing.Tip]] = {block.manifest_id: [] for block in blocks if block.manifest_id}
    delivered = Consignment.objects.filter(
        manifest__in=found, ending=Consignment.Ending.DELIVERED, order__tip_cents__gt=0
    )
    rows = delivered.order_by("order__code").values_list("manifest", "order__code", "order__tip_cents")
    for manifest, code, cents in rows:
        found[manifest].append(pricing.Tip(order=code, cents=cents))
    return found
