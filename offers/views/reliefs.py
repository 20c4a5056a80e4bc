"""What the pages of a block show of a driver who takes over, and which changes they offer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deliveries.models import Manifest, Stop
from deliveries.snapshots import courier
from offers import asking_relief, relieving
from offers.models import Block, Claim, ReliefRequest
from offers.road_forms import EndingForm, HandoverForm


def for_driver(claim: Claim) -> dict[str, Any]:
    """For the driver who hands over: what they asked for, who comes, and whether they are there. Four queries at
    most."""
    block, found, asked = claim.block, None, None
    on_the_road = block.status in relieving.ON_THE_ROAD
    if on_the_road:
        asked = asking_relief.newest(claim)
        live = relieving.reliefs_of(block).filter(status__in=Block.LIVE)
        found = live.select_related("manifest__driver__user").first()
    manifest = found.manifest if found is not None else None
    return {
        "relief_driver": courier(manifest.driver) if manifest is not None else None,
        "relief_asked": asked,
        "relief_coming": found,
        "may_ask_relief": block.status == Block.Status.WORKING
        and not (block.manifest is not None and block.manifest.is_back_to_load),
        "relief_met": manifest is not None and manifest.status == Manifest.Status.LOADING,
        "handover_form": HandoverForm(),
        "ending_form": EndingForm(),
    }


def for_operations(block: Block, stops: Sequence[Stop]) -> dict[str, Any]:
    """Which changes of the block operations may make now, and the blocks it is bound to."""
    road = {Block.Status.WORKING, Block.Status.ABORTED}
    reliefs: list[Block] = []
    if block.status in {*road, Block.Status.CHECKED_IN, Block.Status.SETTLED, Block.Status.COMPLETED}:
        reliefs = list(relieving.reliefs_of(block).select_related("manifest")[:5])
    asked = ReliefRequest.objects.none()
    if block.status in relieving.ON_THE_ROAD:
        asked = ReliefRequest.objects.open().filter(claim__block=block).prefetch_related("stops")  # type: ignore[attr-defined]
    is_relief = any(stop.kind == Stop.Kind.MEETING for stop in stops)
    before = {Block.Status.OFFERED, Block.Status.CLAIMED, Block.Status.CHECKED_IN}
    doors = [stop for stop in stops if stop.kind == Stop.Kind.DROPOFF and stop.status in Stop.OPEN]
    left = [stop for stop in stops if stop.kind == Stop.Kind.RETURN and stop.status in Stop.OPEN]
    may_split = block.status in before and len(doors) > 1 and not is_relief
    # What a later trip takes is still at its stores.
    carried = [stop for stop in doors if stop.trip <= (block.manifest.trip if block.manifest else 1)]
    may_hand_over = block.status in road and bool(carried or left)
    return {
        "may_split": may_split,
        "may_hand_over": may_hand_over,
        "change_stops": doors if may_split else [*carried, *left] if may_hand_over else [],
        "may_abort": block.status in {Block.Status.CHECKED_IN, Block.Status.WORKING},
        "may_confirm": any(
            each.manifest is not None and each.manifest.status == Manifest.Status.LOADING for each in reliefs
        ),
        "reliefs": reliefs,
        "relief_requests": list(asked),
        "relief_of": relieving.first_of(block) if is_relief else None,
        "ending_form": EndingForm(),
    }
