"""A block before anybody sees it: its manifest, its load and its rate."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from deliveries import manifests
from deliveries.manifests import DraftStop
from deliveries.models import Order, Stop
from drivers.models import Vehicle
from offers import limits, terms
from offers.models import Block, Publication
from retaildelivery.lib.windows import Window
from stores.models import Mall


def length_for(takes: dt.timedelta) -> dt.timedelta:
    """The shortest length that holds the work: one that is sold, or whole hours when none is long enough."""
    hour = dt.timedelta(hours=1)
    sold = (each for each in limits.BLOCK_LENGTHS if each >= takes)
    return next(sold, -(-takes // hour) * hour)


def draft(
    *,
    mall: Mall,
    window: Window,
    stops: Sequence[DraftStop],
    distance_m: int,
    at_least_cents: int,
    at: dt.datetime,
    origin: str = Block.Origin.PLANNED,
) -> Block:
    """A drafted block with its manifest; its orders are planned from here on.

    The rate is the base of its kind of shift, or `at_least_cents` an hour where that is more: what these
    orders had reached before. Raises deliveries.manifests.OrderGone and terms.NoPayPolicy.
    """
    doors = [stop for stop in stops if stop.kind == Stop.Kind.DROPOFF]
    orders = [order for stop in doors for order in stop.orders]
    litres, grams = largest(
        (stop.trip, parcel.litres, parcel.grams)
        for stop in doors
        for order in stop.orders
        for parcel in order.parcels.all()
    )
    policy = terms.policy_on(mall.market, window.start.astimezone(mall.zone).date())
    kind = terms.kind_of(mall, window, at=at)
    base = terms.base_cents(policy, kind)
    return Block.objects.create(
        mall=mall,
        manifest=manifests.draft(mall=mall, stops=stops, at=at),
        origin=origin,
        shift_kind=kind,
        window=DateTimeTZRange(window.start, window.end, "[)"),
        vehicle_kind=least_car(litres, grams),
        trips=max(1, len({stop.trip for stop in doors})),
        litres=litres,
        grams=grams,
        orders_count=len(orders),
        parcels_count=sum(len(order.parcels.all()) for order in orders),
        doors_count=len(doors),
        stores_count=sum(stop.kind == Stop.Kind.PICKUP for stop in stops),
        distance_m=distance_m,
        policy=policy,
        base_hourly_cents=base,
        hourly_cents=max(base, at_least_cents),
    )


def draft_empty(
    *, mall: Mall, window: Window, publication: Publication, vehicle_kind: str, at: dt.datetime
) -> Block:
    """A drafted block without orders: a wave fills it. Raises terms.NoPayPolicy."""
    policy = terms.policy_on(mall.market, window.start.astimezone(mall.zone).date())
    kind = terms.kind_of(mall, window, at=at)
    base = terms.base_cents(policy, kind)
    return Block.objects.create(
        mall=mall,
        publication=publication,
        origin=Block.Origin.SCHEDULED,
        shift_kind=kind,
        window=DateTimeTZRange(window.start, window.end, "[)"),
        vehicle_kind=vehicle_kind,
        policy=policy,
        base_hourly_cents=base,
        hourly_cents=base,
    )


def largest(parcels: Iterable[tuple[int, int, int]]) -> tuple[int, int]:
    """The most litres and the most grams that are in the car at once, of parcels given as trip, litres and grams."""
    litres: Counter[int] = Counter()
    grams: Counter[int] = Counter()
    for trip, takes, weighs in parcels:
        litres[trip] += takes
        grams[trip] += weighs
    return max(litres.values(), default=0), max(grams.values(), default=0)


def least_car(litres: int, grams: int) -> str:
    """The smallest kind of car that takes the load; the largest there is when none does."""
    for kind, (room_l, room_g) in Vehicle.CAPACITY.items():
        if litres <= room_l and grams <= room_g:
            return kind
    return Vehicle.Kind.VAN


def orders_on(block: Block) -> list[Order]:
    """Orders still on the block's manifest."""
    return list(
        Order.objects.filter(consignments__manifest=block.manifest_id, consignments__ended_at=None)
        .prefetch_related("parcels")
        .order_by("pk")
    )
