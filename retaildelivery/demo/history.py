"""Some orders of today, so that the first page is not empty; posted by the verb the staff's form uses."""

from datetime import datetime, timedelta

from deliveries import posting
from deliveries.models import Order
from retaildelivery.demo import afternoon, data, orders, past, seeding
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import Actor
from stores.models import Store

SEED = 1
ORDERS = 6
QUIET = timedelta(hours=6)  # a market in which nothing was posted for so long gets new orders
COUNTER = Actor(kind=Fact.Actor.STAFF, name="Demo counter", source="seed_demo")
PREFIX = "DEMO"


def post_some(*, at: datetime) -> int:
    """Orders for each quiet market; how many. What an earlier day left unclaimed is cancelled first."""
    return sum(_market(market.code, at=at) for market in data.markets())


def _market(code: str, *, at: datetime) -> int:
    stores = Store.objects.filter(mall__market__code=code)
    of_market = Order.objects.filter(store__in=stores)
    # The past ends at midnight, which may be a moment ago.
    lately = of_market.filter(placed_at__gt=at - QUIET).exclude(external_id__startswith=past.PREFIX)
    if lately.exists():
        return 0
    forgotten = of_market.filter(
        external_id__startswith=PREFIX, status__in=["placed", "planned"], window__endswith__lte=at
    )
    for order_code in forgotten.order_by("pk").values_list("code", flat=True):
        posting.cancel(
            order_code=order_code,
            scope=Order.objects.filter(store__in=stores),
            reason=Order.CancelReason.TOO_LATE,
            note="",
            actor=COUNTER,
            at=at,
        )
    zone = seeding.store_of(data.stores_in(code)[0]).mall.zone
    day = at.astimezone(zone).date()
    ideas = afternoon.afternoon(code, seed=SEED, day=day, n=ORDERS)
    for idea in ideas:
        posting.post(
            store=seeding.store_of(idea.store),
            draft=orders.draft_of(
                idea,
                external_id=f"{PREFIX}-{code}-{at:%Y%m%d%H%M}-{idea.number}",
                at=at,
                # Packed, so that the first blocks begin soon.
                ready_at=at,
                zone=zone,
            ),
            actor=COUNTER,
            at=at,
        )
    return len(ideas)
