"""What deliveries records: names, subjects and payloads. The PIN is in none of them."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db.models import F

from deliveries.models import CounterProof, Manifest, Order, Parcel, Stop
from deliveries.snapshots import order_snapshot
from drivers.models import Driver
from retaildelivery.outbox import recording, worlds
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import Actor, Happening
from retaildelivery.prepared import PreparedUpdate, any_of
from stores.models import Store


def of_driver(driver: Driver) -> Actor:
    return Actor(kind=Fact.Actor.DRIVER, name=driver.code)


def _where(store: Store) -> list[str]:
    return [f"store:{store.code}", f"seller:{store.seller.code}", f"mall:{store.mall.code}"]


def tell(
    name: str,
    order: Order,
    *,
    at: dt.datetime,
    actor: Actor,
    driver: Driver | None = None,
    **data: Any,
) -> Fact:
    """Record a fact of one order; see `tell_all`."""
    return tell_all(name, [order], at=at, actor=actor, driver=driver, **data)[0]


def tell_all(
    name: str,
    orders: Sequence[Order],
    *,
    at: dt.datetime,
    actor: Actor,
    driver: Driver | None = None,
    **data: Any,
) -> list[Fact]:
    """Record the same thing of several (locked) orders; see `of_orders`."""
    return recording.record_all(of_orders(name, orders, at=at, actor=actor, driver=driver, **data))


FIRST = 1  # number of an order's first fact
_COUNTED = PreparedUpdate(lambda: Order.objects.filter(pk__in=any_of("keys")), sequence=F("sequence") + 1)


def of_orders(
    name: str,
    orders: Sequence[Order],
    *,
    at: dt.datetime,
    actor: Actor,
    driver: Driver | None = None,
    **data: Any,
) -> list[Happening]:
    """The same thing of several (locked) orders, to be recorded: each gets its next number and carries its whole
    snapshot.

    `data` is added to the payload of each. After a move the state before is told as ``previous_status``.
    """
    if not orders:
        return []
    _COUNTED.run(keys=[order.pk for order in orders])
    for order in orders:
        order.sequence += 1
    return of_numbered(name, orders, at=at, actor=actor, driver=driver, **data)


def placed(orders: Sequence[Order], *, at: dt.datetime, actor: Actor) -> list[Happening]:
    """The first fact of orders that are written with `FIRST` as their number."""
    assert all(order.sequence == FIRST for order in orders), "Nothing was told of them before."
    return of_numbered("order.placed", orders, at=at, actor=actor)


def of_numbered(
    name: str,
    orders: Sequence[Order],
    *,
    at: dt.datetime,
    actor: Actor,
    driver: Driver | None = None,
    **data: Any,
) -> list[Happening]:
    """`of_orders` under the number that each has been given already."""
    assert all(order.world == worlds.current() for order in orders), "A world tells of its own orders only."
    happenings = []
    for order in orders:
        snapshot = order_snapshot(order)
        previous = getattr(order, "previous_status", None)
        if previous is not None:
            snapshot["previous_status"] = previous
            order.previous_status = None  # type: ignore[attr-defined]
        subjects = [f"order:{order.code}", *_where(order.store)]
        if driver is not None:
            subjects.append(f"driver:{driver.code}")
        happenings.append(
            Happening(
                name=name,
                at=at,
                subjects=subjects,
                actor=actor,
                data={"order": snapshot, "actor": actor.kind, **data},
                seller_code=order.store.seller.code,
                sequence=order.sequence,
            )
        )
    return happenings


def parcel_scanned(
    parcel: Parcel, stop: Stop, *, at: dt.datetime, actor: Actor, driver: Driver, method: str
) -> Happening:
    return Happening(
        name="parcel.scanned",
        at=at,
        subjects=[f"order:{parcel.order.code}", f"stop:{stop.code}", f"driver:{driver.code}"],
        actor=actor,
        data={"parcel": parcel.code, "stop": stop.code, "kind": stop.kind, "method": method},
    )


def parcel_scan_refused(
    stop: Stop,
    orders: Sequence[Order],
    *,
    at: dt.datetime,
    actor: Actor,
    driver: Driver,
    entered: str,
    outcome: str,
) -> list[Happening]:
    """A label that was read at this stop and not accepted, told of each order that is due there: a seller's system
    hears of the wrong parcel while it is still at the counter."""
    said = {"stop": stop.code, "kind": stop.kind, "entered": entered, "outcome": outcome}
    told = of_orders("parcel.scan_refused", orders, at=at, actor=actor, driver=driver, **said)
    place = [f"stop:{stop.code}", f"manifest:{stop.manifest.code}"]
    return [dataclasses.replace(each, subjects=[*each.subjects, *place]) for each in told]


def handover_proved(stop: Stop, proof: CounterProof, *, at: dt.datetime, driver: Driver) -> Happening:
    assert stop.store is not None
    return Happening(
        name="handover.proved",
        at=at,
        subjects=[
            f"stop:{stop.code}",
            f"manifest:{stop.manifest.code}",
            f"driver:{driver.code}",
            *_where(stop.store),
        ],
        actor=of_driver(driver),
        data={
            "stop": stop.code,
            "kind": stop.kind,
            "photo": bool(proof.photo),
            "signature": bool(proof.signature),
            "signed_by": proof.signed_by,
        },
    )


def handover_confirmed(stop: Stop, *, at: dt.datetime, actor: Actor, driver: Driver) -> Happening:
    assert stop.store is not None
    return Happening(
        name="handover.confirmed",
        at=at,
        subjects=[
            f"stop:{stop.code}",
            f"manifest:{stop.manifest.code}",
            f"driver:{driver.code}",
            *_where(stop.store),
        ],
        actor=actor,
        data={"stop": stop.code, "kind": stop.kind},
    )


def meeting_confirmed(
    stop: Stop, giving: Manifest, *, at: dt.datetime, actor: Actor, driver: Driver
) -> Happening:
    """The driver who hands over (or operations for them) has confirmed the one who takes over."""
    return Happening(
        name="handover.confirmed",
        at=at,
        subjects=[
            f"stop:{stop.code}",
            f"manifest:{stop.manifest.code}",
            f"manifest:{giving.code}",
            f"driver:{driver.code}",
        ],
        actor=actor,
        data={"stop": stop.code, "kind": stop.kind},
    )


def handover_refused(store: Store | None, stop: Stop | None, *, at: dt.datetime, actor: Actor) -> Happening:
    subjects = ([f"stop:{stop.code}"] if stop else []) + (_where(store) if store else [])
    return Happening(
        name="handover.refused", at=at, subjects=subjects, actor=actor, data={"reason": "wrong_driver_code"}
    )


def stop_changed(
    name: str, stop: Stop, *, at: dt.datetime, actor: Actor, driver: Driver, **data: Any
) -> Happening:
    """stop.arrived, stop.delivered, stop.failed."""
    return Happening(
        name=name,
        at=at,
        subjects=[f"stop:{stop.code}", f"manifest:{stop.manifest.code}", f"driver:{driver.code}"],
        actor=actor,
        data={"stop": stop.code, "kind": stop.kind, **data},
    )


def proof_refused(
    order: Order, stop: Stop, *, at: dt.datetime, driver: Driver, reason: str, tries_left: int, event: str
) -> list[Happening]:
    """A wrong PIN at the door; which one it was is told to nobody."""
    said = {"reason": reason, "tries_left": tries_left, "event": event}
    told = of_orders("proof.refused", [order], at=at, actor=of_driver(driver), driver=driver, **said)
    return [dataclasses.replace(each, subjects=[*each.subjects, f"stop:{stop.code}"]) for each in told]


def manifest_changed(
    name: str,
    manifest: Manifest,
    *,
    at: dt.datetime,
    actor: Actor = recording.SYSTEM,
    driver: Driver | None = None,
    **data: Any,
) -> Happening:
    """manifest.assigned, .unassigned, .redrawn, .departed, .reloading, .resequenced, .order_kept, .stopped, .completed
    and .aborted."""
    subjects = [f"manifest:{manifest.code}", f"mall:{manifest.mall.code}"]
    if driver is not None:
        subjects.append(f"driver:{driver.code}")
    return Happening(
        name=name,
        at=at,
        subjects=subjects,
        actor=actor,
        data={"manifest": manifest.code, "status": manifest.status, **data},
    )


def parcel_handed_over(
    parcel: Parcel, stop: Stop, *, at: dt.datetime, actor: Actor, giver: Driver, taker: Driver
) -> Happening:
    """From one driver to another, at a meeting."""
    return Happening(
        name="parcel.handed_over",
        at=at,
        subjects=[
            f"order:{parcel.order.code}",
            f"stop:{stop.code}",
            f"driver:{giver.code}",
            f"driver:{taker.code}",
        ],
        actor=actor,
        data={"parcel": parcel.code, "stop": stop.code, "from": giver.code, "to": taker.code},
    )


def incident_reported(
    *, at: dt.datetime, actor: Actor, subjects: Sequence[str], kind: str, fault: str, note: str
) -> Happening:
    return Happening(
        name="incident.reported",
        at=at,
        subjects=list(subjects),
        actor=actor,
        data={"kind": kind, "fault": fault, "note": note},
    )
