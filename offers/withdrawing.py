"""A block taken back by operations, or left without work when its orders are cancelled."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from deliveries.models import Consignment, Parcel, Stop
from offers import drafting, facts, freshness, locks, moves, offering, relieving, settlement
from offers.models import Block, Claim
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox import recording
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import SYSTEM, Actor

ENDED_BEFORE_WORK = (Block.Status.DRAFT, Block.Status.OFFERED, Block.Status.CLAIMED)


class BlockAtWork(Refused):
    code = "block_at_work"
    sentence = _("Block %(code)s is %(status)s and can no longer be withdrawn.")


@transaction.atomic(durable=True)
def withdraw(*, block_code: str, reason: str, actor: Actor, at: dt.datetime) -> Block:
    """Take a block back before its driver has checked in; its orders wait to be planned again.

    The driver of a claimed block is paid for the short notice (`pricing.NOTICE`). A repeat changes nothing.

    Raises Block.DoesNotExist, BlockAtWork.
    """
    block = locks.block(block_code)
    if block.status != Block.Status.WITHDRAWN:
        take_back(block=block, reason=reason, actor=actor, at=at)
    return block


def take_back(*, block: Block, reason: str, actor: Actor, at: dt.datetime) -> None:
    """Inner verb: withdraw a locked block."""
    if block.status not in ENDED_BEFORE_WORK:
        raise BlockAtWork(reason=block.status, code=block.code, status=block.get_status_display())
    claim = Claim.objects.select_related("driver__user", "offer").filter(block=block, ended_at=None).first()
    paid = 0
    if claim is not None:
        claim.block = block
        paid = settlement.pay_withdrawn(claim, at=at)
        moves.end_claim(claim, Claim.Ending.WITHDRAWN, at=at, reason=reason[:200])
        freshness.touch_driver(claim.driver_id)
    offering.give_up(block=block, to=Block.Status.WITHDRAWN, reason=reason[:200], at=at)
    recording.record(
        facts.block_withdrawn(
            block,
            at=at,
            actor=actor,
            reason=reason,
            driver=claim.driver if claim else None,
            paid_cents=paid,
        )
    )


def follow_cancellation(*, fact: Fact, at: dt.datetime) -> None:
    """Reaction to a cancelled order: its block is smaller now, pays the same, and is withdrawn when nothing
    is left of it. A block whose driver has checked in goes on: settlement pays it in full."""
    codes = [subject.removeprefix("order:") for subject in fact.subjects if subject.startswith("order:")]
    places = Consignment.objects.filter(order__code__in=codes, ending=Consignment.Ending.CANCELLED)
    manifests = places.values("manifest")
    for code in Block.objects.filter(manifest__in=manifests).order_by("pk").values_list("code", flat=True):
        block = locks.block(code)
        if block.status not in {*ENDED_BEFORE_WORK, Block.Status.CHECKED_IN}:
            continue
        measure(block)
        recording.record(facts.block_replanned(block, at=at, gone=codes[0]))
        freshness.touch(block.mall.market.code)
        # One that was published ahead waits for other orders, and is stood down when none come.
        ahead = block.origin == Block.Origin.SCHEDULED
        if block.orders_count == 0 and block.status in ENDED_BEFORE_WORK and not ahead:
            take_back(block=block, reason="no_orders_left", actor=SYSTEM, at=at)


def follow_delivery(*, fact: Fact, at: dt.datetime) -> None:
    """Reaction to an order that is off its driver's hands: a relief that was to take it over has less to do, and is
    withdrawn when nothing is left. One whose driver waits at the meeting goes on: they leave it with nothing and are
    paid in full."""
    codes = [subject.removeprefix("order:") for subject in fact.subjects if subject.startswith("order:")]
    places = Consignment.objects.filter(order__code__in=codes)
    copies = Stop.objects.filter(
        Q(relieves__in=places.values("dropoff")) | Q(relieves__in=places.values("return_stop"))
    )
    reliefs = Block.objects.filter(manifest__in=copies.values("manifest"), status__in=ENDED_BEFORE_WORK)
    for code in reliefs.order_by("pk").values_list("code", flat=True):
        block = locks.block(code)
        if block.status not in ENDED_BEFORE_WORK:
            continue
        if relieving.measure(block):
            recording.record(facts.block_replanned(block, at=at, gone=codes[0]))
            freshness.touch(block.mall.market.code)
        else:
            take_back(block=block, reason="nothing_left_to_take_over", actor=SYSTEM, at=at)


def measure(block: Block) -> None:
    """Count what is still on the block's manifest. The distance stays as planned: pay never falls."""
    live = Consignment.objects.filter(manifest=block.manifest_id, ended_at=None)
    trips = dict(live.values_list("order", "dropoff__trip"))
    parcels = Parcel.objects.filter(order__in=trips).values_list("order", "litres", "grams")
    stops = Stop.objects.filter(manifest=block.manifest_id)
    block.orders_count = len(trips)
    block.trips = max(1, len(set(trips.values())))
    block.parcels_count = len(parcels)
    block.litres, block.grams = drafting.largest(
        (trips[order], litres, grams) for order, litres, grams in parcels
    )
    block.doors_count = stops.filter(pk__in=live.values("dropoff")).count()
    block.stores_count = stops.filter(pk__in=live.values("pickup")).count()
    block.save(
        update_fields=[
            "orders_count",
            "trips",
            "parcels_count",
            "litres",
            "grams",
            "doors_count",
            "stores_count",
        ]
    )
