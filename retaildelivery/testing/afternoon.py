"""The named cast of deliveries: two malls, three sellers, Ada, Ben and Chidi driving, Sam and Mia at the counters."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import transaction
from PIL import Image

from deliveries import doors, loading, manifests, posting
from deliveries.drafts import AddressDraft, OrderDraft, ParcelDraft
from deliveries.evidence import Evidence
from deliveries.manifests import DraftStop
from deliveries.models import (
    Attempt,
    Consignment,
    CounterProof,
    FeePolicy,
    Handover,
    Incident,
    Manifest,
    Order,
    Parcel,
    ProofOfDelivery,
    Scan,
    Stop,
)
from drivers import badge
from drivers.models import Document, Driver, Vehicle
from retaildelivery.accounts.models import User
from retaildelivery.lib import codes
from retaildelivery.lib.geo import Point
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import Actor
from stores.models import Mall, Market, Seller, SellerPosting, StaffMembership, Store

# A Tuesday, ten in the morning in Las Vegas.
NOW = dt.datetime(2026, 11, 24, 18, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
ALTA = Point(36.1673, -115.1787)
TOLD_BY_STAFF = Actor(kind=Fact.Actor.STAFF, name="Sam Okafor")


def picture(colour: str = "navy", kind: str = "JPEG") -> ContentFile[bytes]:
    """A small picture as a phone would send it."""
    content = BytesIO()
    Image.new("RGB", (16, 12), colour).save(content, kind)
    return ContentFile(content.getvalue(), name=f"door.{kind.lower()}")


def evidence(event: str = "", *, at: dt.datetime = NOW, point: Point | None = None) -> Evidence:
    return Evidence(
        client_event_id=event or codes.new_token(16),
        device_at=at,
        latitude=point.lat if point else None,
        longitude=point.lng if point else None,
        accuracy_m=10 if point else None,
    )


def good_draft(**changes: Any) -> OrderDraft:
    """An order nobody can object to: two parcels for Rosa, four kilometres from the mall."""
    address = AddressDraft(
        line1=changes.pop("line1", "2212 Alta Drive"),
        line2="Apt 4",
        city="Las Vegas",
        region="NV",
        postal_code="89107",
        point=changes.pop("point", ALTA),
    )
    draft = OrderDraft(
        external_id="",
        ready_at=None,
        window_start=NOW + 2 * HOUR,
        window_end=NOW + 4 * HOUR,
        recipient_name="Rosa Quintero",
        recipient_phone="(702) 555-0148",
        recipient_email="rosa@example.com",
        recipient_locale="en",
        address=address,
        instructions="Blue door",
        parcels=(ParcelDraft(size="small", grams=800), ParcelDraft(size="large", grams=4_200)),
    )
    return dataclasses.replace(draft, **changes)


KEPT = (
    Order, Parcel, Manifest, Stop, Consignment, Handover, Scan, ProofOfDelivery, Attempt, Incident, Fact,
    SellerPosting, CounterProof,
)  # fmt: skip


@contextmanager
def nothing_changes() -> Generator[None, None, None]:
    """What is done inside leaves no trace: no row, no state, no fact, no posting."""
    before = [list(model.objects.order_by("pk").values()) for model in KEPT]
    yield
    assert [list(model.objects.order_by("pk").values()) for model in KEPT] == before


@dataclasses.dataclass
class Afternoon:
    """Who and what there is. Methods do what people do, through the verbs, and give the noun back fresh."""

    fashion_show: Mall
    chandler: Mall
    bookshop: Store
    shoes: Store
    lamps: Store
    sam: User
    mia: User
    olive: User
    ada: Driver
    ben: Driver
    chidi: Driver
    policy: FeePolicy

    def place(self, store: Store | None = None, *, at: dt.datetime = NOW, **changes: Any) -> Order:
        return posting.post(
            store=store or self.bookshop, draft=good_draft(**changes), actor=TOLD_BY_STAFF, at=at
        )

    def plan(self, orders: Sequence[Order], *, at: dt.datetime = NOW) -> Manifest:
        """A draft manifest: a pickup per store, a door per place, in the order of the orders."""
        return self.plan_trips(orders, at=at)

    def plan_trips(self, *trips: Sequence[Order], at: dt.datetime = NOW) -> Manifest:
        """A draft manifest of these trips, each planned three hours after the one before."""
        stops = [
            stop
            for number, orders in enumerate(trips)
            for stop in self._trip(number + 1, orders, at=at + 3 * number * HOUR)
        ]
        with transaction.atomic():
            return manifests.draft(mall=trips[0][0].store.mall, stops=stops, at=at)

    def _trip(self, trip: int, orders: Sequence[Order], *, at: dt.datetime) -> list[DraftStop]:
        stores = {order.store_id: order.store for order in orders}
        points = list(dict.fromkeys(order.point for order in orders if order.point))
        stops = [
            DraftStop(
                kind=Stop.Kind.PICKUP,
                store=store,
                point=store.mall.point,
                address=store.name,
                planned_at=at + HOUR + 10 * number * MINUTE,
                service=10 * MINUTE,
                orders=tuple(order for order in orders if order.store_id == store.pk),
                trip=trip,
            )
            for number, store in enumerate(stores.values())
        ]
        return stops + [
            DraftStop(
                kind=Stop.Kind.DROPOFF,
                store=None,
                point=point,
                address=next(order.address for order in orders if order.point == point),
                planned_at=at + 2 * HOUR + 20 * number * MINUTE,
                service=5 * MINUTE,
                orders=tuple(order for order in orders if order.point == point),
                trip=trip,
            )
            for number, point in enumerate(points)
        ]

    def assign(self, manifest: Manifest, driver: Driver, *, at: dt.datetime = NOW) -> Manifest:
        with transaction.atomic():
            return manifests.assign(manifest=manifest, driver=driver, at=at)

    def open(self, manifest: Manifest, *, at: dt.datetime = NOW) -> Manifest:
        with transaction.atomic():
            return manifests.open_loading(manifest=manifest, at=at)

    def loading_trips(self, *trips: Sequence[Order], at: dt.datetime = NOW) -> Manifest:
        """A manifest of these trips, its driver Ada at the mall for the first."""
        return self.open(self.assign(self.plan_trips(*trips), self.ada, at=at), at=at)

    def loading(self, *orders: Order, driver: Driver | None = None, at: dt.datetime = NOW) -> Manifest:
        """These orders on a manifest of Ada (or another), who is at the mall."""
        return self.open(self.assign(self.plan(orders), driver or self.ada, at=at), at=at)

    def scan(self, stop: Stop, parcel: Parcel, *, at: dt.datetime = NOW, event: str = "") -> Any:
        assert stop.manifest.driver
        return loading.scan(
            driver=stop.manifest.driver,
            stop_code=stop.code,
            entered=parcel.code,
            method="camera",
            evidence=evidence(event, at=at),
            at=at,
        )

    def hand_over(self, stop: Stop, *, at: dt.datetime = NOW) -> Any:
        """The staff's half: the driver's code is read at the counter."""
        assert stop.manifest.driver
        return loading.confirm_handover(
            stop_code=stop.code,
            stores=Store.objects.all(),
            driver_code=badge.code(stop.manifest.driver.badge_secret, at),
            user=self.sam,
            key_prefix="",
            at=at,
        )

    def collect(self, manifest: Manifest, *, at: dt.datetime = NOW) -> None:
        """Every parcel of every store is scanned and handed over that the present trip takes."""
        manifest.refresh_from_db(fields=["trip"])
        for stop in stops_of(manifest, Stop.Kind.PICKUP):
            if stop.trip != manifest.trip:
                continue
            for parcel in Parcel.objects.filter(order__consignments__pickup=stop).order_by("pk"):
                self.scan(stop, parcel, at=at)
            self.hand_over(stop, at=at)

    def depart(self, manifest: Manifest, *, at: dt.datetime = NOW) -> Manifest:
        with transaction.atomic():
            return loading.depart(manifest=manifest, at=at)

    def on_route(self, *orders: Order, driver: Driver | None = None, at: dt.datetime = NOW) -> Manifest:
        """These orders in the car of Ada (or another), on the road."""
        manifest = self.loading(*orders, driver=driver, at=at)
        self.collect(manifest, at=at)
        return self.depart(manifest, at=at)

    def deliver(self, stop: Stop, order: Order | None = None, *, at: dt.datetime = NOW, **proof: Any) -> Any:
        assert stop.manifest.driver
        event = proof.pop("event", "")
        return doors.prove(
            driver=stop.manifest.driver,
            stop_code=stop.code,
            order_code=order.code if order else "",
            proof=doors.ProofDraft(**({"photo": picture()} | proof)),
            evidence=evidence(event, at=at, point=stop.point),
            at=at,
        )

    def fail(
        self,
        stop: Stop,
        reason: str = "nobody_home",
        *,
        at: dt.datetime = NOW,
        event: str = "",
        order: str = "",
        photo: ContentFile[bytes] | None = None,
    ) -> Any:
        assert stop.manifest.driver
        return doors.fail(
            driver=stop.manifest.driver,
            stop_code=stop.code,
            order_code=order,
            reason=reason,
            note="",
            photo=photo,
            evidence=evidence(event, at=at),
            at=at,
        )


def stops_of(manifest: Manifest, kind: str) -> list[Stop]:
    """Fresh from the database, in order of visit."""
    return list(
        Stop.objects.select_related("manifest__driver")
        .filter(manifest=manifest, kind=kind)
        .order_by("position")
    )


def facts_of(order: Order) -> list[str]:
    """Names of the facts that carry the order's number, in that order."""
    return list(
        Fact.objects.filter(subjects__contains=[f"order:{order.code}"], sequence__isnull=False)
        .order_by("sequence")
        .values_list("name", flat=True)
    )


def make_driver(name: str) -> Driver:
    user = User.objects.create_user(email=f"{name.split()[0].lower()}@example.com", password="x", name=name)
    driver = Driver.objects.create(
        user=user, market_code="las-vegas", status="approved", applied_at=NOW, approved_at=NOW
    )
    Vehicle.objects.create(
        driver=driver, kind="suv", make="Toyota", model="RAV4", year=2021, colour="green", plate="NV123",
        litres=900, grams=300_000, created_at=NOW,
    )  # fmt: skip
    for kind in Document.REQUIRED:
        Document.objects.create(
            driver=driver, kind=kind, number="X1", expires_on=dt.date(2028, 1, 1), submitted_at=NOW,
            verified_at=NOW,
        )  # fmt: skip
    return driver


def make_mall(code: str, name: str, market: str, zone: str, lat: str, lng: str) -> Mall:
    city = Market.objects.create(code=market, name=market.replace("-", " ").title(), time_zone=zone)
    return Mall.objects.create(
        code=code, market=city, name=name, address=name, latitude=lat, longitude=lng, desk_code="DESK42"
    )


def make_afternoon() -> Afternoon:
    fashion_show = make_mall(
        "fashion-show", "Fashion Show Mall", "las-vegas", "America/Los_Angeles", "36.127700", "-115.172300"
    )
    chandler = make_mall(
        "chandler", "Chandler Fashion Center", "chandler", "America/Phoenix", "33.302000", "-111.898000"
    )
    policy = FeePolicy.objects.create(
        code="las-vegas-2026", market=fashion_show.market, base_cents=899, base_distance_m=8047, mile_cents=120,
        large_cents=200, extra_large_cents=500, valid_from=dt.date(2026, 1, 1),
    )  # fmt: skip
    nova = Seller.objects.create(name="Nova Books", email="owner@nova.example")
    harbor = Seller.objects.create(name="Harbor Shoes", email="owner@harbor.example")
    lumen = Seller.objects.create(name="Lumen Lamps", email="owner@lumen.example")
    bookshop = Store.objects.create(seller=nova, mall=fashion_show, name="Nova Books", unit="Level 2")
    shoes = Store.objects.create(seller=harbor, mall=fashion_show, name="Harbor Shoes")
    lamps = Store.objects.create(seller=lumen, mall=chandler, name="Lumen Lamps")
    sam = User.objects.create_user(email="sam@nova.example", password="x", name="Sam Okafor")
    mia = User.objects.create_user(email="mia@harbor.example", password="x", name="Mia Brandt")
    olive = User.objects.create_user(email="olive@ops.example", password="x", name="Olive Tan", is_staff=True)
    StaffMembership.objects.create(user=sam, seller=nova, role="manager")
    StaffMembership.objects.create(user=mia, seller=harbor, store=shoes)
    return Afternoon(
        fashion_show=fashion_show, chandler=chandler, bookshop=bookshop, shoes=shoes, lamps=lamps, sam=sam,
        mia=mia, olive=olive, ada=make_driver("Ada Nwosu"), ben=make_driver("Ben Ruiz"),
        chidi=make_driver("Chidi Eze"), policy=policy,
    )  # fmt: skip


@pytest.fixture
def afternoon(db: None) -> Afternoon:
    return make_afternoon()
