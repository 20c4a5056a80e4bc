"""The sample body of every event, as the documentation shows it, is what the system really sends."""

from __future__ import annotations

import html
import itertools
import json
import os
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from deliveries import loading, manifests, positions, posting, returning, revising
from deliveries.doors import WrongPin
from deliveries.models import Order, Parcel, Stop
from drivers.tracking import Ping
from offers.tests import making, test_relief
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import Actor
from retaildelivery.testing.afternoon import ALTA, NOW, Afternoon, evidence, stops_of
from stores.webhooks import events, samples

pytestmark = pytest.mark.django_db

CODE = re.compile(r"evt_[0-9a-z]{20}|[A-Z]?[0-9A-Z]{5,9}")
CODED = {"id", "code", "store", "seller", "parcel", "stop", "manifest", "quote", "redelivery_of", "incident"}
TOKEN = re.compile(r"/t/[\w-]+/")
UPDATE = "UPDATE_EVENT_SAMPLES"
TILL = Actor(kind=Fact.Actor.SELLER, name="Till")


class Codes:
    """Random codes become the first, second and third of their kind, so that a sample is the same every time."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}
        self.numbers: Counter[str] = Counter()

    def plain(self, value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: self.plain(each, name) for name, each in value.items()}
        if isinstance(value, list):
            return [self.plain(each, key) for each in value]
        if not isinstance(value, str):
            return value
        if key in CODED and CODE.fullmatch(value):
            return self._nth(value, key)
        return TOKEN.sub("/t/TOKEN/", value)

    def _nth(self, code: str, key: str) -> str:
        if code not in self.known:
            # An order's code has no letter of its own before it.
            kind = "evt_" if code.startswith("evt_") else "" if len(code) == 8 and key == "code" else code[0]
            self.numbers[kind] += 1
            self.known[code] = kind + str(self.numbers[kind] + 1).rjust(len(code) - len(kind), "2")
        return self.known[code]


def scan_all(afternoon: Afternoon, stop: Stop) -> None:
    for parcel in Parcel.objects.order_by("pk"):
        afternoon.scan(stop, parcel)


def before_the_road(afternoon: Afternoon) -> None:
    scope, actor = Order.objects.all(), TILL
    order = afternoon.place(point=None, line1="1 Nowhere Road")
    told = {"order_code": order.code, "scope": scope, "actor": actor, "at": NOW}
    posting.locate(point=ALTA, **told)
    revising.revise(changes={"instructions": "Green door"}, **told)
    posting.mark_ready(**told)
    revising.tip(cents=500, **told)
    posting.instruct(token=order.tracking_token, note="Ring twice", at=NOW)
    posting.cancel(reason="out_of_stock", note="", **told)


def at_the_counter(afternoon: Afternoon, kind: str) -> None:
    order = afternoon.place()
    manifest = afternoon.loading(order)
    [pickup] = stops_of(manifest, Stop.Kind.PICKUP)
    parcel = order.parcels.order_by("number").first()
    assert parcel is not None
    loading.report(
        driver=afternoon.ada, stop_code=pickup.code, parcel_code=parcel.code, kind=kind, note="", evidence=evidence(),
        at=NOW,
    )  # fmt: skip


def misread(afternoon: Afternoon) -> None:
    manifest = afternoon.loading(afternoon.place())
    with pytest.raises(loading.UnknownLabel):
        loading.scan(
            driver=afternoon.ada,
            stop_code=stops_of(manifest, Stop.Kind.PICKUP)[0].code,
            entered="PWRNGLABEL",
            method="camera",
            evidence=evidence(),
            at=NOW,
        )


def wrong_pin(afternoon: Afternoon) -> None:
    order = afternoon.place(requires_pin=True)
    wrong = "1111" if order.pin != "1111" else "2222"
    with pytest.raises(WrongPin):
        afternoon.deliver(
            stops_of(afternoon.on_route(order), Stop.Kind.DROPOFF)[0], pin=wrong, event="phone-7"
        )


def delivered(afternoon: Afternoon) -> None:
    manifest = afternoon.on_route(afternoon.place())
    [door] = stops_of(manifest, Stop.Kind.DROPOFF)
    ping = Ping(latitude=ALTA.lat, longitude=ALTA.lng, accuracy_m=8, device_at=NOW)
    positions.report(driver=afternoon.ada, pings=[ping], at=NOW)
    afternoon.deliver(door)


def brought_back(afternoon: Afternoon) -> None:
    manifest = afternoon.on_route(afternoon.place())
    afternoon.fail(stops_of(manifest, Stop.Kind.DROPOFF)[0])
    [back] = stops_of(manifest, Stop.Kind.RETURN)
    scan_all(afternoon, back)
    afternoon.hand_over(back)


def disposed_of(afternoon: Afternoon) -> None:
    manifest = afternoon.on_route(afternoon.place(undeliverable="dispose"))
    afternoon.fail(stops_of(manifest, Stop.Kind.DROPOFF)[0])


def lost(afternoon: Afternoon) -> None:
    order = afternoon.place()
    afternoon.on_route(order)
    returning.lose(order_code=order.code, actor=TILL, note="stolen", at=NOW)


def given_back(afternoon: Afternoon) -> None:
    manifest = afternoon.plan([afternoon.place()])
    with transaction.atomic():
        manifests.dissolve(manifest=manifest, at=NOW, reason="unclaimed")


def relieved(_afternoon: Afternoon) -> None:
    store = making.store(making.mall("other-mall"))
    ada, ben = making.driver("Ada Second"), making.driver("Ben Second")
    block = test_relief.on_the_road(store, ada)
    test_relief.handed_over(block, ada, ben)


SCENES: dict[str, tuple[Callable[[Afternoon], None], list[str]]] = {
    "delivered": (
        delivered,
        [
            "order.placed", "order.planned", "order.assigned", "order.at_pickup", "order.picked_up",
            "order.en_route", "order.near", "order.at_dropoff", "order.delivered",
        ],
    ),
    "brought back": (brought_back, ["order.attempt_failed", "order.returning", "order.returned"]),
    "before the road": (
        before_the_road,
        [
            "order.located", "order.updated", "order.ready", "order.tipped", "order.instructed",
            "order.cancelled",
        ],
    ),
    "disposed of": (disposed_of, ["order.disposed"]),
    "lost": (lost, ["order.lost"]),
    "given back": (given_back, ["order.replanned"]),
    "damaged": (lambda afternoon: at_the_counter(afternoon, "damaged"), ["parcel.damaged"]),
    "short": (lambda afternoon: at_the_counter(afternoon, "short"), ["parcel.short"]),
    "misread": (misread, ["parcel.scan_refused"]),
    "wrong pin": (wrong_pin, ["proof.refused"]),
    "relieved": (relieved, ["order.reassigned"]),
}  # fmt: skip


@pytest.mark.parametrize("name", SCENES)
def test_the_samples_are_what_the_system_sends(
    name: str, afternoon: Afternoon, monkeypatch: pytest.MonkeyPatch
) -> None:
    play, names = SCENES[name]
    # Plates and doors are numbered through a whole run; e-mail addresses must not meet those of before.
    monkeypatch.setattr(making, "_numbers", itertools.count(1000))

    play(afternoon)

    firsts = [Fact.objects.filter(name=each).order_by("pk").first() for each in names]
    sent = {fact.name: Codes().plain(events.event(fact)) for fact in firsts if fact is not None}
    path = Path(samples.__file__).with_name("samples.json")
    kept = json.loads(path.read_text()) if path.exists() else {}
    if os.environ.get(UPDATE):
        kept |= sent
        ordered = {each: kept[each] for each in events.EVENTS if each in kept}
        path.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n")
    assert list(sent) == names
    assert {each: kept[each] for each in names} == sent, f"If that was meant, run this once with {UPDATE}=1."


def test_each_event_has_a_page_with_its_sample(client: Client) -> None:
    listed = client.get("/api/events/").content.decode()

    for name in events.EVENTS:
        page = client.get(f"/api/events/{name}/")
        assert page.status_code == 200
        assert html.escape(samples.text_of(name)[:60]) in page.content.decode()
        assert f"/api/events/{name}/" in listed
        assert "`" not in page.content.decode().split("<main")[1].split("</header>")[0]
    assert "<code>tries_left</code>" in listed
    assert client.get("/api/events/order.eaten/").status_code == 404


def test_every_event_has_a_sample() -> None:
    assert set(samples.all_of_them()) == set(events.EVENTS)
    assert sorted(each for _play, names in SCENES.values() for each in names) == sorted(events.EVENTS)
