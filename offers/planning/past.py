"""Which orders waited at a moment of the past, read from the facts: each carries its order as it then was."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models.fields.json import KT

from deliveries.models import Order, Parcel
from offers import limits
from offers.planning import rules
from offers.planning.inputs import Candidate
from retaildelivery.lib.geo import Point
from retaildelivery.outbox.models import Fact
from stores.models import Mall, Store

NOT_FIT = {Parcel.Status.SHORT, Parcel.Status.DAMAGED}


def waited(mall: Mall, *, at: dt.datetime) -> list[Candidate]:
    """The orders a wave at this mall would have looked at then, soonest due first.

    An order is as its last fact up to that moment told it; one whose last fact is older than
    `limits.PAST_FACTS` is no longer looked for.
    """
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
    told = (order for _code, order in last)
    goods = dict(Store.objects.filter(mall=mall).values_list("code", "goods"))
    found = _waiting(told, goods, at=at)
    return sorted(found, key=lambda each: (each.due_at, each.code))[: limits.PLAN_ORDERS]


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
        found = Candidate(
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
        if found.ready_at <= near and found.opens_at <= near:
            yield found
