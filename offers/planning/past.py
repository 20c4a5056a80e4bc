"""Which orders waited at a moment of the past, read from the facts: each carries its order as it then was; and which
blocks had room for them then."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, Q
from django.db.models.fields.json import KT

from deliveries.models import Consignment, Order, Parcel, Stop
from offers import limits
from offers.models import Block, Claim, Freeze, Offer
from offers.planning import inputs, rules
from offers.planning.inputs import Candidate, OpenBlock
from retaildelivery.lib.geo import Point
from retaildelivery.outbox.models import Fact
from stores.models import Mall, Store

NOT_FIT = {Parcel.Status.SHORT, Parcel.Status.DAMAGED}


def waited(mall: Mall, *, at: dt.datetime) -> list[Candidate]:
    """The orders a wave at this mall would have looked at then, soonest due first.

    An order is as its last fact up to that moment told it; one whose last fact is older than
    `limits.PAST_FACTS` is no longer looked for.
    """
    goods = dict(Store.objects.filter(mall=mall).values_list("code", "goods"))
    found = _waiting(_told(mall, at=at).values(), goods, at=at)
    return sorted(found, key=lambda each: (each.due_at, each.code))[: limits.PLAN_ORDERS]


def open_blocks(mall: Mall, *, at: dt.datetime) -> list[OpenBlock]:
    """The blocks on offer or claimed then that had not begun and that nobody had frozen, soonest first, each with who
    had it and what was on it then. The order of visit, and the trips, are those of today, or the last there were."""
    still = Q(ended_at=None) | Q(ended_at__gt=at)
    frozen = Freeze.objects.filter(
        Q(lifted_at=None) | Q(lifted_at__gt=at), block=OuterRef("pk"), frozen_at__lte=at
    )
    blocks = list(
        Block.objects.filter(
            still,
            Q(checked_in_at=None) | Q(checked_in_at__gt=at),
            Exists(Offer.objects.filter(block=OuterRef("pk"), opens_at__lte=at)),
            ~Exists(frozen),
            mall=mall,
            window__startswith__gt=at,
            window__startswith__lte=at + limits.PLAN_AHEAD,
        )
        .exclude(manifest__stops__kind=Stop.Kind.MEETING)
        .select_related("policy")
        .prefetch_related(
            Prefetch("claims", Claim.objects.filter(still, claimed_at__lte=at).select_related("vehicle"))
        )
        .order_by("window__startswith", "pk")
    )
    places = (
        Consignment.objects.filter(
            still,
            manifest__in=[block.manifest_id for block in blocks if block.manifest_id],
            created_at__lte=at,
        )
        .select_related("order", "dropoff")
        .order_by("manifest_id", "dropoff__trip", "dropoff__position", "dropoff_id", "pk")
    )
    told = _told(mall, at=at)
    goods = dict(Store.objects.filter(mall=mall).values_list("code", "goods"))
    on_them: defaultdict[int, list[tuple[int, Candidate]]] = defaultdict(list)
    for place in places:
        if place.order.code in told:
            each = _candidate(told[place.order.code], goods)
            on_them[place.manifest_id].append((place.dropoff.trip, each))
    epoch = inputs.epoch_of(mall, at)
    return [inputs.open_block(block, on_them[block.manifest_id or 0], epoch) for block in blocks]


def _told(mall: Mall, *, at: dt.datetime) -> dict[str, dict[str, Any]]:
    """Each order by its code as the last fact of it told it then."""
    facts = Fact.objects.filter(
        subjects__contains=[f"mall:{mall.code}"],
        sequence__isnull=False,
        at__lte=at,
        at__gt=at - limits.PAST_FACTS,
    )
    last = (
        facts.annotate(order_code=KT("data__order__code"))
        .order_by("order_code", "-sequence")
        .distinct("order_code")
        .values_list("order_code", "data__order")
    )
    return dict(last)


def _waiting(
    orders: Iterable[dict[str, Any]], goods: Mapping[str, str], *, at: dt.datetime
) -> Iterable[Candidate]:
    near = at + limits.PLAN_AHEAD
    for order in orders:
        door = order["dropoff"]
        parcels = order["parcels"]
        fit = not any(parcel["status"] in NOT_FIT for parcel in parcels)
        if order["status"] != Order.Status.PLACED or door["latitude"] is None or not fit:
            continue
        found = _candidate(order, goods)
        if found.ready_at <= near and found.opens_at <= near:
            yield found


def _candidate(order: dict[str, Any], goods: Mapping[str, str]) -> Candidate:
    door, parcels = order["dropoff"], order["parcels"]
    return Candidate(
        code=order["code"],
        point=Point(door["latitude"], door["longitude"]),
        store=order["store"],
        placed_at=dt.datetime.fromisoformat(order["placed_at"]),
        ready_at=dt.datetime.fromisoformat(order["ready_at"]),
        opens_at=dt.datetime.fromisoformat(order["window"]["start"]),
        due_at=dt.datetime.fromisoformat(order["window"]["end"]),
        litres=sum(parcel["litres"] for parcel in parcels),
        grams=sum(parcel["grams"] for parcel in parcels),
        parcels=len(parcels),
        kind=rules.kind_of(
            minimum_age=order["requirements"]["minimum_age"], goods=goods.get(order["store"], "")
        ),
    )
