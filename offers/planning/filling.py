"""Late orders into a block that is there already: its window and its pay stay, its driver is told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deliveries import locks as delivery_locks
from deliveries import manifests, redrawing
from deliveries.models import Consignment, Order
from offers import facts, freezing, freshness, locks, withdrawing
from offers.models import Block, Claim
from offers.planning import inputs, routes
from offers.planning.afternoon import PlannedBlock
from offers.planning.inputs import Snapshot
from retaildelivery.outbox import recording
from stores.models import Mall


@dataclass(frozen=True, slots=True)
class Into:
    """The block that orders are to join, and how it was when that was planned."""

    block_code: str
    claim_id: int | None
    on_it: tuple[str, ...]
    added: tuple[str, ...]


def lock(blocks: Sequence[Into]) -> None:
    """Lock every block and then every manifest that is about to be filled: a transaction never goes back up."""
    codes = [each.block_code for each in blocks]
    rows = list(Block.objects.filter(code__in=codes).order_by("pk").values_list("code", "manifest_id"))
    for code, _manifest in rows:
        locks.block(code)
    for manifest_id in sorted(pk for _code, pk in rows if pk is not None):
        delivery_locks.manifest(manifest_id)


def fill(
    mall: Mall,
    into: Into,
    planned: PlannedBlock,
    still: Mapping[str, Order],
    snapshot: Snapshot,
    *,
    at: dt.datetime,
) -> int:
    """Put those of the late orders that still wait onto the (locked) block; how many joined.

    None do when the block has begun, was frozen, changed hands or got other orders since it was planned: they go on
    waiting. An order that was cancelled on it is left out of the new route.
    """
    block = locks.block(into.block_code)
    claim = Claim.objects.live().filter(block=block).select_related("driver__user").first()  # type: ignore[attr-defined]
    on_it = _on_it(block)
    late = {code: still[code] for code in into.added if code in still}
    same = (claim.pk if claim else None) == into.claim_id and on_it.keys() <= set(into.on_it)
    unchanged = same and all(_as_planned(order, snapshot) for order in on_it.values())
    if not (late and unchanged and _may_grow(block, at=at)):
        return 0
    stops = routes.stops_of(mall, planned, {**on_it, **late}, snapshot)
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
    driver = claim.driver if claim else None
    recording.record(facts.block_extended(block, at=at, driver=driver, added=sorted(late)))
    freshness.touch(mall.market.code)
    if driver is not None:
        freshness.touch_driver(driver.pk)
    return len(late)


def _may_grow(block: Block, *, at: dt.datetime) -> bool:
    open_to_all = block.status in {Block.Status.OFFERED, Block.Status.CLAIMED}
    return open_to_all and at < block.starts_at and freezing.live(block) is None


def _on_it(block: Block) -> dict[str, Order]:
    """What is on the block's manifest now, locked."""
    live = Consignment.objects.live().filter(manifest=block.manifest_id)  # type: ignore[attr-defined]
    found = delivery_locks.orders(live.values_list("order_id", flat=True)) if block.manifest_id else []
    return {order.code: order for order in found}


def _as_planned(order: Order, snapshot: Snapshot) -> bool:
    planned = {row.code: row for row in snapshot.afternoon.orders}
    return inputs.as_waiting(inputs.candidate(order), snapshot.epoch) == planned[order.code]
