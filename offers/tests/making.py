"""What the tests of offers are made of: a mall with a policy and a store, drivers with papers and cars,
orders, blocks on offer. Everything stands on a Monday at 10:00 in Las Vegas."""

from __future__ import annotations

import datetime as dt
import itertools
import threading
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection, connections, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import F

from deliveries import doors, loading
from deliveries.evidence import Evidence
from deliveries.manifests import DraftStop
from deliveries.models import Order, Parcel, Stop
from drivers import badge
from drivers.models import Document, Driver, Vehicle
from offers import (
    attendance,
    awarding,
    claiming,
    drafting,
    drawing,
    forecast,
    forecasting,
    offering,
    scheduling,
)
from offers.models import Block, DrawRules, Offer, PayFloor, PayPolicy
from retaildelivery.accounts.models import User
from retaildelivery.lib.geo import Point
from retaildelivery.lib.windows import Window
from retaildelivery.outbox import relaying
from retaildelivery.outbox.models import Fact, Reaction
from stores.models import Mall, Market, Seller, SellerPosting, Store

AT = dt.datetime(2026, 11, 23, 18, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
# Far enough ahead to be no short notice.
START = AT + 3 * HOUR
DOOR = Point(36.15, -115.20)

_numbers = itertools.count(1)


def mall(
    code: str = "fashion-show",
    *,
    zone: str = "America/Los_Angeles",
    market: str = "las-vegas",
    draws: bool = False,
) -> Mall:
    """A mall whose market hands its offers out first come, so that a test claims at once; with `draws` it goes by
    the rules as they are when nobody has set any."""
    city, _new = Market.objects.get_or_create(code=market, defaults={"name": market, "time_zone": zone})
    PayPolicy.objects.get_or_create(
        market=city, valid_from=dt.date(2026, 1, 1), defaults={"code": f"{market}-2026"}
    )
    if not draws:
        DrawRules.objects.get_or_create(
            market=city,
            valid_from=dt.date(2026, 1, 1),
            defaults={"first_come_within": 400 * 24 * HOUR, "entries": 5 * MINUTE, "hold": 15 * MINUTE},
        )
    return Mall.objects.create(
        code=code,
        market=city,
        name=f"{code} mall",
        address="3200 Las Vegas Blvd S",
        latitude="36.127700",
        longitude="-115.172300",
        desk_code="K7QX4M",
    )


def floor(code: str = "nevada-2026", **more: Any) -> PayFloor:
    """A law's floor in the whole market, of each block; valid since the year began."""
    given = {"law": code.rpartition("-")[0], "valid_from": dt.date(2026, 1, 1), **more}
    if "jurisdiction" not in given:
        given.setdefault("market", Market.objects.get(code="las-vegas"))
    row = PayFloor(code=code, **given)
    row.full_clean()
    row.save()
    return row


def store(at_mall: Mall, name: str = "Juniper Books") -> Store:
    seller = Seller.objects.create(name=name, email=f"{name.replace(' ', '.').lower()}@example.com")
    return Store.objects.create(seller=seller, mall=at_mall, name=name, unit="L1 20")


def driver(
    name: str = "Ada", *, market: str = "las-vegas", kind: str = Vehicle.Kind.SEDAN, status: str = "approved"
) -> Driver:
    """A driver who may claim: papers to the end of 2027, and a car."""
    user = User.objects.create(email=f"{name.lower()}{next(_numbers)}@example.com", name=name)
    made = Driver.objects.create(
        user=user,
        market_code=market,
        status=status,
        applied_at=AT,
        approved_at=AT,
        suspended_at=AT if status == "suspended" else None,
    )
    for document in Document.REQUIRED:
        Document.objects.create(
            driver=made,
            kind=document,
            number=f"N{next(_numbers)}",
            expires_on=dt.date(2027, 12, 31),
            submitted_at=AT,
            verified_at=AT,
        )
    litres, grams = Vehicle.CAPACITY[kind]
    Vehicle.objects.create(
        driver=made,
        kind=kind,
        make="Toyota",
        model="Corolla",
        year=2020,
        colour="blue",
        plate=f"P{next(_numbers)}",
        litres=litres,
        grams=grams,
        created_at=AT,
    )
    return made


def order(
    of_store: Store,
    *,
    at: dt.datetime = AT,
    ready: dt.datetime | None = None,
    window: tuple[dt.datetime, dt.datetime] | None = None,
    point: Point | None = DOOR,
    litres: int = 12,
    grams: int = 1_000,
    parcels: int = 1,
    tip_cents: int = 0,
) -> Order:
    """A placed order with its parcels at the store."""
    start, end = window or (at + HOUR, at + 6 * HOUR)
    made = Order.objects.create(
        store=of_store,
        placed_at=at,
        ready_at=ready or at,
        window=DateTimeTZRange(start, end, "[)"),
        recipient_name="Robin Field",
        recipient_phone="+17025550123",
        address_line1=f"{next(_numbers)} Sirius Ave",
        city="Las Vegas",
        region="NV",
        postal_code="89102",
        latitude=None if point is None else round(point.lat, 6),
        longitude=None if point is None else round(point.lng, 6),
        tip_cents=tip_cents,
        requires_photo=False,
    )
    Parcel.objects.bulk_create(
        Parcel(order=made, number=number, size=Parcel.Size.SMALL, litres=litres, grams=grams)
        for number in range(1, parcels + 1)
    )
    return made


def stops(orders: Sequence[Order], *, start: dt.datetime, trip: int = 1) -> list[DraftStop]:
    """A pickup at each store, then a door for each order, a quarter of an hour apart."""
    stores = list(dict.fromkeys(each.store for each in orders))
    pickups = [
        DraftStop(
            kind=Stop.Kind.PICKUP,
            store=each,
            point=each.mall.point,
            address=each.name,
            planned_at=start + number * 5 * MINUTE,
            service=5 * MINUTE,
            orders=tuple(one for one in orders if one.store == each),
            trip=trip,
        )
        for number, each in enumerate(stores)
    ]
    homes = [
        DraftStop(
            kind=Stop.Kind.DROPOFF,
            store=None,
            point=each.point or DOOR,
            address=each.address,
            planned_at=start + (number + 2) * 15 * MINUTE,
            service=3 * MINUTE,
            orders=(each,),
            trip=trip,
        )
        for number, each in enumerate(orders)
    ]
    return [*pickups, *homes]


def block_of_trips(
    *trips: Sequence[Order], start: dt.datetime = START, apart: dt.timedelta = HOUR, at: dt.datetime = AT
) -> Block:
    """A block on offer whose driver loads these orders trip by trip, so long apart."""
    drafts = [
        stop
        for number, orders in enumerate(trips)
        for stop in stops(orders, start=start + number * apart, trip=number + 1)
    ]
    every = [order for orders in trips for order in orders]
    return block(every, length=3 * HOUR, start=start, at=at, drafts=drafts)


def block(
    orders: Sequence[Order],
    *,
    drafts: Sequence[DraftStop] | None = None,
    start: dt.datetime = START,
    length: dt.timedelta = 2 * HOUR,
    at: dt.datetime = AT,
    distance_m: int = 20_000,
) -> Block:
    """A block on offer with these orders."""
    with transaction.atomic():
        made = drafting.draft(
            mall=orders[0].store.mall,
            window=Window(start, start + length),
            stops=drafts or stops(orders, start=start),
            distance_m=distance_m,
            at_least_cents=0,
            at=at,
        )
        offering.publish(block=made, at=at)
    return made


def empty_block(at_mall: Mall, *, start: dt.datetime = START, at: dt.datetime = AT) -> Block:
    """A block of two hours that operations published ahead of its orders."""
    by, _new = User.objects.get_or_create(
        email="olga@example.com", defaults={"name": "Olga", "is_staff": True}
    )
    made = scheduling.publish(
        mall=at_mall,
        window=Window(start, start + 2 * HOUR),
        count=1,
        key=f"test:{next(_numbers)}",
        by=by,
        recommendation=None,
        at=at,
    )
    return Block.objects.get(publication=made)


def recommendation(like: Block, *, needed: int = 3) -> forecast.Recommendation:
    """So many blocks of this one's start and length, that one being there already."""
    expected = forecasting.Expected(forecasting.Method.SEASONAL, 18.0, 12.0, 24.0, 8)
    window = Window(like.starts_at, like.ends_at)
    return forecast.Recommendation(window, expected, 6.0, 0, needed, 1, 1)


def claimed(of_block: Block, by: Driver, *, at: dt.datetime = AT) -> Block:
    """The block, claimed."""
    claiming.claim(offer_code=offer_of(of_block).code, driver_id=by.pk, at=at)
    of_block.refresh_from_db()
    return of_block


def evidence(at: dt.datetime) -> Evidence:
    return Evidence(client_event_id=f"e{next(_numbers)}", device_at=at)


def check_in(of_block: Block, by: Driver, *, at: dt.datetime) -> None:
    attendance.check_in(
        block_code=of_block.code,
        driver_id=by.pk,
        point=of_block.mall.point,
        accuracy_m=5,
        desk_code="",
        at=at,
    )


def collect(of_block: Block, by: Driver, *, arrive: dt.datetime, handover: dt.datetime) -> None:
    """At each store of the present trip: the driver arrives, scans every parcel, and staff read the driver's code."""
    pickups = Stop.objects.filter(manifest=of_block.manifest_id, kind=Stop.Kind.PICKUP).order_by("position")
    for stop in pickups.filter(trip=F("manifest__trip")):
        loading.arrive_at_store(driver=by, stop_code=stop.code, evidence=evidence(arrive), at=arrive)
        waits = Parcel.objects.filter(order__consignments__pickup=stop, order__consignments__ended_at=None)
        for parcel in waits.order_by("pk"):
            loading.scan(
                driver=by,
                stop_code=stop.code,
                entered=parcel.code,
                method="typed",
                evidence=evidence(handover),
                at=handover,
            )
        hand_over(stop, by, at=handover)


def hand_over(stop: Stop, by: Driver, *, at: dt.datetime) -> None:
    loading.confirm_handover(
        stop_code=stop.code,
        stores=Store.objects.all(),
        driver_code=badge.code(by.badge_secret, at),
        user=None,
        key_prefix="sk_live_test",
        at=at,
    )


def depart(of_block: Block, by: Driver, *, at: dt.datetime) -> None:
    attendance.depart(block_code=of_block.code, driver_id=by.pk, at=at)


def of_three_doors(by: Driver) -> Block:
    """A block of three orders to three doors, claimed and checked in at its start."""
    shop = store(mall())
    made = block([order(shop, point=Point(36.15 + n / 100, -115.2)) for n in range(3)])
    claimed(made, by)
    check_in(made, by, at=START)
    return made


def on_the_way(by: Driver, *, at: dt.datetime = START) -> Block:
    """The same, collected at its start and departed at `at`."""
    made = of_three_doors(by)
    collect(made, by, arrive=START, handover=START)
    depart(made, by, at=at)
    return made


def doors_of(of_block: Block) -> list[Stop]:
    homes = Stop.objects.filter(manifest=of_block.manifest_id, kind=Stop.Kind.DROPOFF)
    return list(homes.order_by("position"))


def deliver(stop: Stop, by: Driver, *, at: dt.datetime) -> None:
    doors.arrive(driver=by, stop_code=stop.code, evidence=evidence(at), at=at)
    doors.prove(
        driver=by, stop_code=stop.code, order_code="", proof=doors.ProofDraft(), evidence=evidence(at), at=at
    )


def worked(
    of_block: Block,
    by: Driver,
    *,
    check_in_at: dt.datetime,
    last: dt.datetime,
    handover: dt.datetime | None = None,
) -> Block:
    """A claimed block from check-in to its last door, everything delivered at `last`, and settled."""
    check_in(of_block, by, at=check_in_at)
    collect(of_block, by, arrive=check_in_at, handover=handover or check_in_at)
    depart(of_block, by, at=handover or check_in_at)
    for stop in doors_of(of_block):
        deliver(stop, by, at=last)
    relay_all(at=last)
    of_block.refresh_from_db()
    return of_block


def wait_charge(at_store: Store) -> SellerPosting:
    """A store is charged for 22 minutes at its counter from START, of which 12 are paid: $3.60."""
    by = driver("Ada")
    of_block = claimed(block([order(at_store)]), by)
    worked(of_block, by, check_in_at=START, handover=START + 22 * MINUTE, last=START + HOUR)
    return SellerPosting.objects.get(kind="wait")


def fail(stop: Stop, by: Driver, *, at: dt.datetime) -> None:
    doors.arrive(driver=by, stop_code=stop.code, evidence=evidence(at), at=at)
    doors.fail(
        driver=by,
        stop_code=stop.code,
        order_code="",
        reason="nobody_home",
        note="",
        photo=None,
        evidence=evidence(at),
        at=at,
    )


def bring_back(of_block: Block, by: Driver, *, at: dt.datetime) -> None:
    """The way back to each store: every parcel scanned at the counter, and staff confirm."""
    for stop in Stop.objects.filter(manifest=of_block.manifest_id, kind=Stop.Kind.RETURN).order_by(
        "position"
    ):
        for parcel in Parcel.objects.filter(driver=by, order__store=stop.store).order_by("pk"):
            loading.scan(
                driver=by,
                stop_code=stop.code,
                entered=parcel.code,
                method="typed",
                evidence=evidence(at),
                at=at,
            )
        hand_over(stop, by, at=at)


def offer_of(of_block: Block) -> Offer:
    """The block's open offer."""
    return Offer.objects.get(block=of_block, status=Offer.Status.OPEN)


def entered(offer: Offer, *drivers: Driver, at: dt.datetime = AT) -> None:
    """These drivers have entered the offer's draw."""
    for each in drivers:
        drawing.enter(offer=offer, driver=each, at=at)


def drawn(of_block: Block) -> list[Driver]:
    """The drivers of the block's newest draw, the winner first."""
    draw = awarding.newest_draw(of_block)
    assert draw is not None
    return [entry.driver for entry in draw.entries.select_related("driver").order_by("rank")]


def facts_named(name: str) -> list[Fact]:
    return list(Fact.objects.filter(name=name).order_by("pk"))


def relay_all(*, at: dt.datetime) -> int:
    """Do everything that follows from what was recorded, until nothing more follows. Returns how much was
    done."""
    done = 0
    while pending := list(Reaction.objects.filter(done_at=None, attempts=0).order_by("pk")):
        done += sum(relaying.relay(reaction_id=each.pk, at=at) for each in pending)
    failed = Reaction.objects.exclude(last_error="").values_list("key", "last_error")
    assert not list(failed), failed
    return done


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Run the calls in threads that start together, each on its own connection; what each returned or
    raised."""
    results: list[Any] = [None] * len(calls)
    barrier = threading.Barrier(len(calls))

    def work(number: int, call: Callable[[], Any]) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=30)
            results[number] = call()
        except Exception as raised:  # noqa: BLE001 -- what was raised is the result
            results[number] = raised
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(n, call)) for n, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return results
