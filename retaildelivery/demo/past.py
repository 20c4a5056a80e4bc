"""The eight weeks before the demo: orders the shops had delivered, so that a forecast has something to go by.

They are what a shop brings along from its former system: delivered, with no driver and no money. What was driven and
paid before is in driven.py.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models.functions import TruncDate

from deliveries.models import Order, Parcel
from offers import limits
from retaildelivery.demo import afternoon, data, orders, seeding
from retaildelivery.demo.afternoon import OrderIdea
from stores.models import Mall, Store

PREFIX = "PAST"
DAY = timedelta(days=1)
# Orders of a Monday, a Tuesday, ... of the first week; shops sell more towards the weekend.
USUAL = (9, 8, 9, 11, 15, 18, 12)
CHANCE = 2  # orders more or fewer on a day
GROWTH = 0.02  # of a week over the week before
COLLECTED_AFTER = timedelta(minutes=35)  # from packed to in the car
DRIVEN = timedelta(minutes=28)  # and from there to the door


@transaction.atomic
def remember(*, at: datetime, markets: Iterable[str] | None = None) -> int:
    """Orders for every past day without one, in these markets or in all; how many. A second time adds the days that
    have gone by."""
    codes = [market.code for market in data.markets()] if markets is None else markets
    return sum(_market(code, at=at) for code in codes)


def _market(code: str, *, at: datetime) -> int:
    mall = Mall.objects.select_related("market").get(code=data.mall_of(code).code)
    stores = {shop.key: seeding.store_of(shop) for shop in data.stores_in(code)}
    today = at.astimezone(mall.zone).date()
    days = [today - number * DAY for number in range(limits.HISTORY_WEEKS * 7, 0, -1)]
    known = set(
        Order.objects.filter(store__mall=mall, ready_at__gte=at - (limits.HISTORY_WEEKS * 7 + 1) * DAY)
        .annotate(day=TruncDate("ready_at", tzinfo=mall.zone))
        .values_list("day", flat=True)
    )
    made = [
        _delivered(idea, stores[idea.store.key], mall, day)
        for day in days
        if day not in known
        for idea in ideas_of(code, day, weeks=(day - days[0]).days // 7)
    ]
    Order.objects.bulk_create(order for order, _parcels in made)
    Parcel.objects.bulk_create(parcel for _order, parcels in made for parcel in parcels)
    return len(made)


def ideas_of(code: str, day: date, *, weeks: int) -> tuple[OrderIdea, ...]:
    """That day's orders, so many weeks after the first."""
    chance = random.Random(f"{code}:{day}")
    usual = USUAL[day.weekday()] * (1 + GROWTH) ** weeks
    n = max(1, round(usual) + chance.randint(-CHANCE, CHANCE))
    return afternoon.afternoon(code, seed=day.toordinal(), day=day, n=n)


def _delivered(idea: OrderIdea, store: Store, mall: Mall, day: date) -> tuple[Order, list[Parcel]]:
    placed_at = datetime.combine(day, time.min, tzinfo=mall.zone) + afternoon.OPENS + idea.posted_after
    ready_at = placed_at + idea.ready_after
    draft = orders.draft_of(
        replace(idea, requires_pin=False),
        external_id=f"{PREFIX}-{mall.code}-{day:%Y%m%d}-{idea.number}",
        at=placed_at,
        ready_at=ready_at,
        zone=mall.zone,
    )
    point = idea.door.point
    order = Order(
        store=store,
        external_scope=store.seller_id,
        external_id=draft.external_id,
        status=Order.Status.DELIVERED,
        placed_at=placed_at,
        ready_at=ready_at,
        window=DateTimeTZRange(draft.window_start, draft.window_end, "[)"),
        recipient_name=draft.recipient_name,
        recipient_phone=draft.recipient_phone,
        recipient_email=draft.recipient_email,
        recipient_locale=draft.recipient_locale,
        address_line1=draft.address.line1,
        address_line2=draft.address.line2,
        city=draft.address.city,
        region=draft.address.region,
        postal_code=draft.address.postal_code,
        latitude=str(round(point.lat, 6)),
        longitude=str(round(point.lng, 6)),
        located_by="given",
        requires_photo=draft.requires_photo,
        tip_cents=draft.tip_cents,
        declared_value_cents=draft.declared_value_cents,
        picked_up_at=ready_at + COLLECTED_AFTER,
        delivered_at=ready_at + COLLECTED_AFTER + DRIVEN,
    )
    return order, list(_parcels(order, idea))


def _parcels(order: Order, idea: OrderIdea) -> Iterator[Parcel]:
    for number, part in enumerate(idea.parcels, 1):
        yield Parcel(
            order=order,
            number=number,
            description=part.description,
            size=part.size,
            litres=part.litres,
            grams=part.grams,
            status=Parcel.Status.DELIVERED,
            custodian=Parcel.Custodian.RECIPIENT,
        )
