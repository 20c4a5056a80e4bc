"""Late orders into a block that is there already: its window and its pay stay, its driver is told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from deliveries import locks as delivery_locks
from deliveries import manifests, redrawing
from deliveries.models import Consignment, Order
from drivers.models import Vehicle
from offers import drafting, facts, freezing, freshness, locks, withdrawing
from offers.models import Block, Claim
from offers.planning import routes
from offers.planning.afternoon import PlannedBlock
from offers.planning.inputs import OpenBlock, Snapshot
from retaildelivery.outbox import recording
from stores.models import Mall


def lock(codes: Sequence[str]) -> None:
    """Lock every block and then every manifest that is about to be filled: a transaction never goes back up."""
    rows = list(Block.objects.filter(code__in=codes).order_by("pk").values_list("code", "manifest_id"))
    for code, _manifest in rows:
        locks.block(code)
    for manifest_id in sorted(pk for _code, pk in rows if pk is not None):
        delivery_locks.manifest(manifest_id)


def fill(
    mall: Mall,
    there: OpenBlock,
    planned: PlannedBlock,
    orders: Mapping[str, Order],
    snapshot: Snapshot,
    *,
    at: dt.datetime,
) -> list[str]:
    """Put those of the late orders that still wait onto the (locked) block; the codes of those that joined.

    `orders` are those of the plan that are locked and as they were planned. None join when the block has begun, was
    frozen, changed hands or orders since it was planned: they go on waiting. An order that was cancelled on it is left
    out of the new route.
    """
    block = locks.block(there.room.code)
    claim = Claim.objects.live().filter(block=block).select_related("driver__user", "vehicle").first()  # type: ignore[attr-defined]
    on_it = _on_it(block)
    added = [code for code in planned.orders if code not in there.room.orders]
    late = {
        code: orders[code] for code in added if code in orders and orders[code].status == Order.Status.PLACED
    }
    same = (claim.pk if claim else None) == there.claim_id and on_it <= set(there.room.orders)
    if not (late and same and on_it <= orders.keys() and _may_grow(block, at=at)):
        return []
    kept = {code: orders[code] for code in on_it}
    stops = routes.stops_of(mall, planned, {**kept, **late}, snapshot)
    if block.manifest is None:
        block.manifest = manifests.draft(mall=mall, stops=stops, at=at)
        block.save(update_fields=["manifest"])
        if claim is not None:
            manifests.assign(manifest=block.manifest, driver=claim.driver, at=at)
    else:
        redrawing.redraw(manifest=block.manifest, stops=stops, at=at)
    if planned.metres > block.distance_m:
        block.distance_m = planned.metres
        block.save(update_fields=["distance_m"])
    withdrawing.measure(block)
    _ask_for_the_car(block, claim)
    driver = claim.driver if claim else None
    recording.record(facts.block_extended(block, at=at, driver=driver, added=sorted(late)))
    freshness.touch(mall.market.code)
    if driver is not None:
        freshness.touch_driver(driver.pk)
    return sorted(late)


def _ask_for_the_car(block: Block, claim: Claim | None) -> None:
    """Whoever takes the block after this driver needs a car for what is on it now; this driver's own will do."""
    kinds = list(Vehicle.CAPACITY)
    needed = kinds.index(drafting.least_car(block.litres, block.grams))
    if claim is not None:
        needed = min(needed, kinds.index(claim.vehicle.kind))
    if needed > kinds.index(block.vehicle_kind):
        block.vehicle_kind = kinds[needed]
        block.save(update_fields=["vehicle_kind"])


def _may_grow(block: Block, *, at: dt.datetime) -> bool:
    open_to_all = block.status in {Block.Status.OFFERED, Block.Status.CLAIMED}
    return open_to_all and at < block.starts_at and freezing.live(block) is None


def _on_it(block: Block) -> set[str]:
    """Codes of what is on the block's manifest now."""
    live = Consignment.objects.live().filter(manifest=block.manifest_id)  # type: ignore[attr-defined]
    return set(live.values_list("order__code", flat=True)) if block.manifest_id else set()
