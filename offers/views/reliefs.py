"""What the pages of a block show of a driver who takes over, and which changes they offer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from deliveries import itinerary
from deliveries.models import Manifest, Stop
from deliveries.snapshots import courier
from offers import asking_relief, relieving
from offers.models import Block, Claim, ReliefRequest
from offers.road_forms import EndingForm, HandoverForm

TAKING = (*Block.LIVE, Block.Status.COMPLETED, Block.Status.SETTLED)


def for_driver(claim: Claim) -> dict[str, Any]:
    """For the driver who hands over: what they asked for, who comes, where and until when, and whether they are
    there. Three queries at most."""
    block = claim.block
    taking: list[Block] = []
    if block.status in relieving.ON_THE_ROAD:
        taking = [each for each in relieving.reliefs_of(block) if each.status in TAKING]
    copies = Stop.objects.filter(manifest__in=[each.manifest_id for each in taking])
    stops = list(_of_reliefs(copies)) if taking else []
    met = {
        stop.manifest_id: stop
        for stop in stops
        if stop.kind == Stop.Kind.MEETING and stop.status in Stop.OPEN
    }
    coming = [each for each in taking if each.status in Block.LIVE and each.manifest_id in met]
    # Who is there already comes before who is on the way.
    found = next((each for each in coming if _is_there(met[each.manifest_id])), next(iter(coming), None))
    on_the_road = block.status in relieving.ON_THE_ROAD
    return {
        # What became of a request shows by who comes.
        "relief_asked": asking_relief.newest(claim) if on_the_road and not coming else None,
        "relief_coming": found,
        "may_ask_relief": block.status == Block.Status.WORKING
        and not (block.manifest is not None and block.manifest.is_back_to_load),
        "leaving": {stop.relieves_id for stop in stops if stop.relieves_id is not None},
        "handover_form": HandoverForm(),
        "ending_form": EndingForm(),
        **(_meeting(found, stops) if found is not None else {"relief_met": False, "relief_driver": None}),
    }


def _of_reliefs(stops: QuerySet[Stop]) -> QuerySet[Stop]:
    """With who comes, what is theirs of it, and when they said they would be there."""
    said = Claim.objects.live().filter(block__manifest=OuterRef("manifest")).values("late_eta_at")  # type: ignore[attr-defined]
    return (
        stops.select_related("relieves__store", "manifest__driver__user", "handover")
        .annotate(late_eta_at=Subquery(said[:1]))
        .order_by("manifest", "position", "pk")
    )


def _is_there(meeting: Stop) -> bool:
    return bool(meeting.manifest.status == Manifest.Status.LOADING)


def _meeting(relief: Block, stops: Sequence[Stop]) -> dict[str, Any]:
    """Whom, when and where the driver meets, and what is taken."""
    here = [stop for stop in stops if stop.manifest_id == relief.manifest_id]
    place = next(stop for stop in here if stop.kind == Stop.Kind.MEETING)
    taken = [stop.relieves for stop in here if stop.relieves is not None]
    return {
        "relief_driver": courier(place.manifest.driver),
        "relief_met": _is_there(place),
        "relief_confirmed": hasattr(place, "handover"),
        "relief_at": place.late_eta_at or relief.starts_at,  # type: ignore[attr-defined]
        "relief_navigation": itinerary.navigation(place),
        "relief_takes": [stop for stop in taken if stop.status in Stop.OPEN],
    }


def for_taker(block: Block) -> dict[str, Any]:
    """For the driver who is to take over and has not checked in: where, and from whom. Three queries."""
    claimed = block.status == Block.Status.CLAIMED
    meeting = relieving.meeting_of(block) if claimed and block.is_relief else None
    if meeting is None:
        return {"meeting": None}
    first = relieving.first_of(block)
    giver = first.manifest.driver if first is not None and first.manifest is not None else None
    return {
        "meeting": meeting,
        "meeting_navigation": itinerary.navigation(meeting),
        "giver": courier(giver),
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
    taken = relieving.taken_over(stops) if reliefs else {}
    for stop in stops:
        stop.taken_by = taken.get(stop.pk, "")  # type: ignore[attr-defined]
    carried, left = ([stop for stop in part if stop.pk not in taken] for part in (carried, left))
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
