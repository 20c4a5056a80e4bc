"""Another driver takes over on the way: a block that starts where the first driver stands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _

from deliveries import locks as delivery_locks
from deliveries import meeting, relief
from deliveries.models import Handover, Manifest, Stop
from drivers import tracking
from offers import drafting, facts, freshness, holding, limits, locks, offering, terms
from offers.models import Block, Claim, ReliefRequest
from offers.planning import inputs
from retaildelivery.accounts.models import User
from retaildelivery.lib.geo import Point
from retaildelivery.lib.refusals import Refused
from retaildelivery.lib.windows import Window
from retaildelivery.outbox import recording
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import Actor
from stores.models import Mall

ON_THE_ROAD = (Block.Status.CHECKED_IN, Block.Status.WORKING, Block.Status.ABORTED)


class NotOnTheRoad(Refused):
    code = "not_on_the_road"
    sentence = _("Block %(code)s is %(status)s: its driver carries nothing that could be handed over.")


class ReliefUnderway(Refused):
    code = "relief_underway"
    sentence = _("Block %(relief)s takes these stops over already.")


@transaction.atomic(durable=True)
def hand_over_rest(*, block_code: str, stop_codes: Sequence[str], actor: Actor, at: dt.datetime) -> Block:
    """Give these open stops of a block at work to another driver; its own goes on with the rest and keeps all of the
    pay. Without codes: all that are open and that nobody takes over yet.

    Raises Block.DoesNotExist, NotOnTheRoad, ReliefUnderway, NothingToTakeOver.
    """
    block = locks.block(block_code)
    claim = claim_on_the_road(block)
    left = stops_left(block)
    stops = [stop for stop in left if stop.code in stop_codes] if stop_codes else nobody_takes(left)
    if not stops:
        refuse_if_under_way(block, left)
    return take_from(claim, stops, actor=actor, at=at)


def claim_on_the_road(block: Block) -> Claim:
    """The live claim of a locked block whose driver may carry something. Raises NotOnTheRoad."""
    claim: Claim | None = (
        Claim.objects.live().filter(block=block).select_related("driver__user").first()  # type: ignore[attr-defined]
    )
    if claim is None or block.manifest is None or block.status not in ON_THE_ROAD:
        raise NotOnTheRoad(reason=block.status, code=block.code, status=block.get_status_display())
    claim.block = block
    return claim


def take_from(claim: Claim, stops: Sequence[Stop], *, actor: Actor, at: dt.datetime) -> Block:
    """Offer these stops of a locked block to another driver; a request of its driver for any of them is granted by
    it. Inner verb. Raises ReliefUnderway, NothingToTakeOver."""
    block = claim.block
    assert block.manifest_id is not None, "A block on the road has a manifest."
    # Under the lock no other relief of the same stops can begin.
    delivery_locks.manifest(block.manifest_id)
    refuse_if_under_way(block, stops)
    made = open_relief(block=block, stops=stops, point=place_of(block, claim, None), at=at, actor=actor)
    asked = ReliefRequest.objects.filter(claim=claim, ended_at=None, stops__in=stops).distinct().first()
    if asked is not None:
        asked.claim = claim
        end_request(asked, ReliefRequest.Ending.GRANTED, actor=actor, at=at, relief=made)
    return made


def refuse_if_under_way(block: Block, stops: Iterable[Stop]) -> None:
    """Raises ReliefUnderway."""
    under_way = reliefs_of(block).filter(status__in=Block.LIVE, manifest__stops__relieves__in=stops).first()
    if under_way is not None:
        raise ReliefUnderway(relief=under_way.code)


def end_request(
    asked: ReliefRequest,
    ending: ReliefRequest.Ending,
    *,
    actor: Actor,
    at: dt.datetime,
    relief: Block | None = None,
    answer: str = "",
) -> None:
    """Inner verb: the request is over, and its driver sees how."""
    asked.ended_at, asked.ending, asked.relief, asked.answer = at, ending, relief, answer[:300]
    asked.save(update_fields=["ended_at", "ending", "relief", "answer"])
    recording.record(facts.relief_request_changed(f"block.relief_{ending}", asked, at=at, actor=actor))
    freshness.touch_driver(asked.claim.driver_id)


def open_relief(
    *,
    block: Block,
    stops: Sequence[Stop],
    point: Point,
    at: dt.datetime,
    actor: Actor = recording.SYSTEM,
) -> Block:
    """Offer a block that takes these stops over at this point, a step above the price of the first. Inner verb: the
    first block is locked. Raises NothingToTakeOver."""
    start = inputs.round_start(at + limits.LEAD_SHORT)
    manifest, takes, metres = relief.draft(mall=block.mall, stops=stops, point=point, start=start, at=at)
    made = Block.objects.create(
        manifest=manifest,
        distance_m=metres,
        **_load(stops),
        **_price(block, start, takes, at=at),
    )
    offering.publish(block=made, at=at)
    recording.record(facts.relief_opened(block, made, at=at, actor=actor))
    return made


def _load(stops: Sequence[Stop]) -> dict[str, int | str]:
    parcels = relief.held_at(stops)
    litres, grams = sum(p.litres for p in parcels), sum(p.grams for p in parcels)
    return {
        "vehicle_kind": drafting.least_car(litres, grams),
        "litres": litres,
        "grams": grams,
        "orders_count": len({parcel.order_id for parcel in parcels}),
        "parcels_count": len(parcels),
        "doors_count": sum(stop.kind == Stop.Kind.DROPOFF for stop in stops),
    }


def _price(block: Block, start: dt.datetime, takes: dt.timedelta, *, at: dt.datetime) -> dict[str, object]:
    """A window that holds the work, at a step above the first price, capped."""
    mall: Mall = block.mall
    window = Window(start, start + drafting.length_for(takes))
    policy = terms.policy_on(mall.market, start.astimezone(mall.zone).date())
    kind = terms.kind_of(mall, window, at=at)
    base = terms.base_cents(policy, kind)
    raised = max(block.hourly_cents, policy.short_notice_cents) + policy.step_cents
    return {
        "mall": mall,
        "origin": Block.Origin.MANUAL,
        "shift_kind": kind,
        "window": DateTimeTZRange(window.start, window.end, "[)"),
        "policy": policy,
        "base_hourly_cents": base,
        "hourly_cents": max(base, block.hourly_cents, min(raised, policy.cap_cents)),
    }


# -- Which, where --------------------------------------------------------------------------------------------


def stops_left(block: Block) -> list[Stop]:
    """The open stops to which the block's driver still carries something."""
    return list(
        Stop.objects.filter(
            Q(kind=Stop.Kind.RETURN) | Q(kind=Stop.Kind.DROPOFF, trip__lte=F("manifest__trip")),
            manifest=block.manifest_id,
            status__in=Stop.OPEN,
        )
        .select_related("store")
        .order_by("position", "id")
    )


def taken_over(stops: Iterable[Stop]) -> dict[int, str]:
    """Those of the stops which a block on its way takes over, by key, with that block's code."""
    taker = Block.objects.live().filter(manifest=OuterRef("manifest"))  # type: ignore[attr-defined]
    copies = Stop.objects.filter(relieves__in=stops).annotate(taker=Subquery(taker.values("code")[:1]))
    rows = copies.filter(taker__isnull=False).values_list("relieves", "taker")
    return {taken: code for taken, code in rows if taken is not None}


def nobody_takes(stops: Sequence[Stop]) -> list[Stop]:
    """The stops which no block on its way takes over."""
    taken = taken_over(stops)
    return [stop for stop in stops if stop.pk not in taken]


def reliefs_of(block: Block) -> QuerySet[Block]:
    """The blocks that were offered to take stops of this one over, newest first."""
    taking = Manifest.objects.filter(stops__relieves__manifest=block.manifest_id)
    return Block.objects.filter(manifest__in=taking).select_related("mall__market").order_by("-pk")


def first_of(block: Block) -> Block | None:
    """The block whose stops this one takes over, if it is a relief."""
    taken = Stop.objects.filter(manifest=block.manifest_id, relieves__isnull=False)
    firsts = Block.objects.filter(manifest__in=taken.values("relieves__manifest"))
    return firsts.select_related("manifest__driver__user").order_by("pk").first()


def meeting_of(block: Block) -> Stop | None:
    """Where the driver of a relief meets the first one; None for a block that starts at its mall."""
    return Stop.objects.filter(manifest=block.manifest_id, kind=Stop.Kind.MEETING).order_by("pk").first()


def place_of(block: Block, claim: Claim, told: Point | None) -> Point:
    """Where the driver is: as told, as last seen, or at the stop they were at last, or at the mall."""
    if told is not None:
        return told
    seen = tracking.newest(claim.driver)
    since = block.checked_in_at
    if seen is not None and since is not None and seen.device_at >= since:
        return Point(float(seen.latitude), float(seen.longitude))
    at_last = (
        Stop.objects.filter(manifest=block.manifest_id, arrived_at__isnull=False)
        .order_by("-arrived_at", "-pk")
        .first()
    )
    return at_last.point if at_last is not None else block.mall.point


def measure(block: Block) -> bool:
    """Count what a (locked) relief is still to take over; False when nothing is left of it."""
    stops = [
        stop.relieves
        for stop in Stop.objects.filter(manifest=block.manifest_id, relieves__isnull=False).select_related(
            "relieves"
        )
        if stop.relieves is not None and stop.relieves.status in Stop.OPEN
    ]
    load = {name: value for name, value in _load(stops).items() if name != "vehicle_kind"}
    for name, value in load.items():
        setattr(block, name, value)
    block.save(update_fields=[*load])
    return bool(block.parcels_count)


# -- The giver's half ----------------------------------------------------------------------------------------


def confirm(*, block_code: str, driver_id: int, driver_code: str, at: dt.datetime) -> Handover:
    """The driver who hands over has read the other's code: their half. A repeat changes nothing.

    Raises ClaimNotYours, NobodyThere; WrongRescuerCode, which is kept as a fact, TooManyTries.
    """
    outcome = _confirm(block_code=block_code, driver_id=driver_id, driver_code=driver_code, at=at)
    if isinstance(outcome, Refused):
        raise outcome
    return outcome


@transaction.atomic(durable=True)
def _confirm(*, block_code: str, driver_id: int, driver_code: str, at: dt.datetime) -> Handover | Refused:
    claim = holding.held(block_code=block_code, driver_id=driver_id)
    if claim.block.manifest is None:
        return meeting.NobodyThere()
    actor = facts.by_driver(claim.driver)
    return meeting.confirm(
        giving=claim.block.manifest, driver_code=driver_code, user=claim.driver.user, actor=actor, at=at
    )


@transaction.atomic(durable=True)
def confirm_by_operations(*, block_code: str, user: User, actor: Actor, at: dt.datetime) -> Handover:
    """Operations confirm for a driver who cannot: ill, hurt, without a phone. Raises Block.DoesNotExist,
    NobodyThere."""
    block = locks.block(block_code)
    outcome: Handover | Refused = meeting.NobodyThere()
    if block.manifest is not None:
        outcome = meeting.confirm(giving=block.manifest, driver_code=None, user=user, actor=actor, at=at)
    if isinstance(outcome, Refused):
        raise outcome
    return outcome


# -- Once more -----------------------------------------------------------------------------------------------


def again(*, fact: Fact, at: dt.datetime) -> None:
    """Reaction: a relief that nobody took, or whose driver did not come, is offered once more while parcels wait;
    after `limits.RELIEF_TRIES` operations decide."""
    ended = Block.objects.filter(code=fact.data["block"]["code"]).order_by("pk").first()
    first = first_of(ended) if ended is not None else None
    meet = meeting_of(ended) if ended is not None else None
    if ended is None or first is None or meet is None:
        return
    block = locks.block(first.code)
    stops = list(Stop.objects.filter(relieved_by__manifest=ended.manifest_id, status__in=Stop.OPEN))
    tried = reliefs_of(block).count()
    busy = reliefs_of(block).filter(status__in=Block.LIVE).exists()
    if busy or tried >= limits.RELIEF_TRIES or not relief.held_at(stops):
        return
    assert block.manifest is not None, "A relieved block has a manifest."
    delivery_locks.manifest(block.manifest.pk)
    open_relief(
        block=block,
        stops=sorted(stops, key=lambda stop: (stop.position, stop.pk)),
        point=meet.point,
        at=at,
    )
