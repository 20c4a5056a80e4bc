"""The weeks before the demo in which one driver drove: blocks drawn, loaded, driven and settled by the verbs that
people use, each at its own moment, so that pay, statements, invoices and previews have something in them."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from uuid import uuid4

from django.db import transaction

from deliveries import doors, loading, posting
from deliveries.evidence import Evidence
from deliveries.manifests import DraftStop
from deliveries.models import Order, Parcel, Stop
from drivers import badge
from drivers.models import Driver
from offers import attendance, claiming, drafting, drawing, expiry, offering, paydays
from offers.models import Block, Offer
from retaildelivery.demo import afternoon, data, orders, seeding
from retaildelivery.demo.afternoon import OrderIdea
from retaildelivery.lib.geo import Point, road_m
from retaildelivery.lib.windows import Window
from retaildelivery.outbox import relaying
from retaildelivery.outbox.models import Fact, Reaction
from retaildelivery.outbox.recording import Actor
from stores import invoicing
from stores.models import Mall, Store

PREFIX = "DROVE"
COUNTER = Actor(kind=Fact.Actor.STAFF, name="Demo counter", source="seed_demo")
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
MARKET = "las-vegas"
# How many days ago, at which hour, and how many minutes the store kept the driver. The first lies in the month before,
# whatever today is, so that there is an invoice.
BLOCKS = ((32, 17, 4), (23, 12, 22), (16, 17, 5), (9, 12, 26), (3, 17, 6))
LENGTH = 2 * HOUR
ORDERS = 3
AT_A_DOOR = 3 * MINUTE
METRES_A_MINUTE = 500


def remember(*, at: datetime) -> int:
    """The blocks, unless their driver was paid before, and what follows from them: the statements and invoices that are
    due. How many blocks. Run before a worker is, which would do what follows by today's clock."""
    mall = Mall.objects.select_related("market").get(code=data.mall_of(MARKET).code)
    driver = Driver.objects.select_related("user").get(user__email=data.couriers_in(MARKET)[0].email)
    if driver.postings.exists():
        return 0
    today = at.astimezone(mall.zone).date()
    for days, hour, kept in BLOCKS:
        day = today - days * DAY
        start = datetime.combine(day, time(hour), tzinfo=mall.zone)
        _drive(_block(mall, day, start=start), driver, start=start, kept=kept * MINUTE)
    paydays.issue_due(at=at)
    invoicing.sweep(at=at)
    return len(BLOCKS)


def _block(mall: Mall, day: date, *, start: datetime) -> Block:
    """A few orders of the store whose office signs in to the demo, posted and put on offer the day before."""
    at = start - 20 * HOUR
    shop = next(shop for shop in data.stores_in(MARKET) if shop.seller == seeding.API_KEY_SELLER)
    store = seeding.store_of(shop)
    ideas = afternoon.afternoon(MARKET, seed=day.toordinal() + 1, day=day, n=ORDERS)
    placed = [_post(idea, store, at=at, start=start, mall=mall) for idea in ideas]
    stops = _stops(placed, mall, start=start)
    points = [mall.point, *(stop.point for stop in stops), mall.point]
    with transaction.atomic():
        block = drafting.draft(
            mall=mall,
            window=Window(start, start + LENGTH),
            stops=stops,
            distance_m=sum(road_m(a, b) for a, b in pairwise(points)),
            at_least_cents=0,
            at=at,
        )
        offering.publish(block=block, at=at)
    return block


def _post(idea: OrderIdea, store: Store, *, at: datetime, start: datetime, mall: Mall) -> Order:
    """An order for that afternoon. Nobody was there to be photographed or to tell a PIN, and nobody is written to."""
    plain = replace(
        idea,
        recipient=replace(idea.recipient, email=""),
        requires_photo=False,
        requires_signature=False,
        requires_pin=False,
        minimum_age=None,
        value_cents=min(idea.value_cents, orders.PRECIOUS_CENTS - 1),
    )
    name = f"{PREFIX}-{mall.code}-{start:%Y%m%d%H}-{idea.number}"
    draft = orders.draft_of(plain, external_id=name, at=at, ready_at=start - HOUR, zone=mall.zone)
    draft = replace(draft, window_start=start, window_end=start + 4 * HOUR)
    return posting.post(store=store, draft=draft, actor=COUNTER, at=at)


def _stops(placed: list[Order], mall: Mall, *, start: datetime) -> list[DraftStop]:
    """The store, then always the nearest door that is left."""
    store = placed[0].store
    stops = [DraftStop(Stop.Kind.PICKUP, store, mall.point, store.name, start, 5 * MINUTE, tuple(placed))]
    here, clock, left = mall.point, start + 10 * MINUTE, list(placed)
    while left:
        after = min(left, key=lambda order: road_m(here, _point(order)))
        left.remove(after)
        clock += road_m(here, _point(after)) // METRES_A_MINUTE * MINUTE
        here = _point(after)
        stops.append(DraftStop(Stop.Kind.DROPOFF, None, here, after.address, clock, AT_A_DOOR, (after,)))
        clock += AT_A_DOOR
    return stops


def _point(order: Order) -> Point:
    assert order.point is not None, "Doors of the demo are known."
    return order.point


def _drive(block: Block, driver: Driver, *, start: datetime, kept: timedelta) -> None:
    """The block from its draw to its pay."""
    offer = Offer.objects.select_related("block__mall__market", "block__policy", "draw").get(block=block)
    drawn_at = offer.opens_at
    if offer.mode == Offer.Mode.DRAW:
        drawing.enter(offer=offer, driver=driver, at=offer.opens_at)
        drawn_at = offer.closes_at
        expiry.end(offer_id=offer.pk, at=drawn_at)
    claiming.claim(offer_code=offer.code, driver_id=driver.pk, at=drawn_at)
    attendance.check_in(
        block_code=block.code, driver_id=driver.pk, point=block.mall.point, accuracy_m=8, desk_code="",
        at=start - 4 * MINUTE,
    )  # fmt: skip
    stops = list(Stop.objects.filter(manifest=block.manifest_id).order_by("position"))
    _load(stops[0], driver, at=start, kept=kept)
    attendance.depart(block_code=block.code, driver_id=driver.pk, at=start + kept)
    for stop in stops[1:]:
        there = stop.planned_at + kept
        doors.arrive(driver=driver, stop_code=stop.code, evidence=_seen(there), at=there)
        done = there + AT_A_DOOR
        doors.prove(
            driver=driver, stop_code=stop.code, order_code="", proof=doors.ProofDraft(), evidence=_seen(done), at=done
        )  # fmt: skip
    _follow(block, at=done)


def _load(stop: Stop, driver: Driver, *, at: datetime, kept: timedelta) -> None:
    loading.arrive_at_store(driver=driver, stop_code=stop.code, evidence=_seen(at), at=at)
    left = at + kept
    parcels = Parcel.objects.filter(order__consignments__pickup=stop, order__consignments__ended_at=None)
    for parcel in parcels.order_by("pk"):
        loading.scan(
            driver=driver, stop_code=stop.code, entered=parcel.code, method="typed", evidence=_seen(left), at=left
        )  # fmt: skip
    loading.confirm_handover(
        stop_code=stop.code,
        stores=Store.objects.filter(pk=stop.store_id),
        driver_code=badge.code(driver.badge_secret, left),
        user=None,
        key_prefix="demo",
        at=left,
    )


def _seen(at: datetime) -> Evidence:
    return Evidence(client_event_id=str(uuid4()), device_at=at)


def _follow(block: Block, *, at: datetime) -> None:
    """What follows from these facts, at the moment it would have followed; charges and pay among it."""
    while pending := list(_pending(at)):
        for each in pending:
            relaying.relay(reaction_id=each, at=at)


def _pending(at: datetime) -> Iterable[int]:
    return (
        Reaction.objects.filter(fact__at__lte=at, done_at=None, attempts=0)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
