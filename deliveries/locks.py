"""Every locking query of deliveries. The order: manifest, then its orders by key.

The manifest's lock covers its stops, consignments and handovers; an order's lock covers its parcels. Whoever needs
both takes the manifest first. The apps above lock the driver and the block before the manifest.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db import connection

from deliveries import limits
from deliveries.models import Consignment, Manifest, Order, Quote, Slot, SlotHold, SlotRule, Stop
from deliveries.models.order import OrderQuerySet
from deliveries.snapshots import LEFT_OUT, RELATED, fill, live_consignment, with_all, with_related
from retaildelivery.prepared import Given, Prepared, any_of

LOCK: Any = {"of": ("self",), "no_key": True}
# What `be_patient` sends, for a statement that takes it along.
PATIENTLY = f"SET LOCAL lock_timeout = {limits.LOCK_WAIT_MS};"


def be_patient() -> None:
    """A wait for a lock that takes longer than this ends as 503, not as a pile of waiting workers."""
    assert connection.in_atomic_block, "A lock is held to the end of a transaction."
    with connection.cursor() as cursor:
        cursor.execute(PATIENTLY)


_MANIFEST = Prepared(
    lambda: (
        Manifest.objects.filter(pk=Given("key"))
        .select_related("mall__market", "driver__user")
        .select_for_update(**LOCK)
    ),
    before=PATIENTLY,
)


def manifest(pk: int) -> Manifest:
    """This manifest, locked. Raises Manifest.DoesNotExist."""
    found = _MANIFEST.one(key=pk)
    if found is None:
        raise Manifest.DoesNotExist
    return found


def manifest_unless_busy(pk: int) -> Manifest | None:
    """This manifest, locked, or None when somebody else is at it."""
    return (
        Manifest.objects.select_related("mall__market", "driver__user")
        .select_for_update(skip_locked=True, **LOCK)
        .filter(pk=pk)
        .first()
    )


def manifest_by_code(code: str) -> Manifest | None:
    """The manifest of this code, locked."""
    be_patient()
    return (
        Manifest.objects.select_related("mall__market", "driver__user")
        .select_for_update(**LOCK)
        .filter(code=code)
        .order_by("pk")
        .first()
    )


def stop(code: str) -> Stop | None:
    """This stop as it is now, its manifest locked: who holds that lock alone changes the stop.

    At a meeting the manifests of those who hand over are locked as well, all by their keys.
    """
    be_patient()
    found_at = Stop.objects.filter(code=code).values_list("manifest_id", "kind").first()
    if found_at is None:
        return None
    owner, kind = found_at
    givers: set[int] = set()
    if kind == Stop.Kind.MEETING:
        relieved = Stop.objects.filter(manifest=owner, relieves__isnull=False)
        givers = set(relieved.values_list("relieves__manifest_id", flat=True))
    held = {pk: manifest(pk) for pk in sorted({owner, *givers})}[owner]
    found = Stop.objects.select_related("store__seller", "store__mall__market").get(code=code)
    found.manifest = held
    return found


_ORDERS = Prepared(
    lambda: with_related(Order.objects.filter(pk__in=any_of("keys"))).order_by("pk").select_for_update(**LOCK)  # type: ignore[arg-type]
)
_PLACES_ON = Prepared(
    lambda: (
        Consignment.objects.live()
        .filter(manifest=Given("manifest"))
        .select_related("dropoff", *(f"order__{name}" for name in RELATED))
        .defer(*(f"order__{name}" for name in LEFT_OUT))
        .order_by("order_id")
        .select_for_update(of=("order",), no_key=True)
    )
)


def orders(pks: Iterable[int]) -> list[Order]:
    """These orders, locked in the order of their keys, with all that a snapshot reads."""
    return fill(_ORDERS.all(keys=list(pks)))


def orders_on(manifest: Manifest) -> list[Order]:
    """The orders with a live place on this (locked) manifest, locked, as `orders`; their places are on this manifest as
    it is in the caller's hands."""
    places = _PLACES_ON.all(manifest=manifest.pk)
    for place in places:
        place.manifest = manifest
    return fill([place.order for place in places], places)


def quote(pk: int) -> Quote:
    """This quote, locked: who holds it may use it up. Taken before the order that is posted from it exists."""
    be_patient()
    return Quote.objects.select_related("fee_policy").select_for_update(**LOCK).get(pk=pk)


def slot(rule: SlotRule, day: dt.date) -> Slot:
    """That day's slot, locked: who holds it takes or gives back places. Taken before the order of the place."""
    be_patient()
    return Slot.objects.select_related("rule").select_for_update(**LOCK).get(rule=rule, day=day)


def slot_by_key(pk: int) -> Slot:
    be_patient()
    return Slot.objects.select_related("rule").select_for_update(**LOCK).get(pk=pk)


def slot_of(held: SlotHold) -> Slot:
    return slot_by_key(held.slot_id)


class Moved(Exception):
    """While we waited for the order's lock it was put on a manifest or taken off one: begin again."""


def order_and_place(scope: OrderQuerySet, code: str | None = None) -> Order | None:
    """The one order of this scope (and code), locked after the manifest it is on. Raises Moved."""
    if code is not None:
        scope = scope.filter(code=code)
    be_patient()
    place = Consignment.objects.live().filter(order__in=scope).values_list("manifest_id", flat=True).first()
    if place is not None:
        Manifest.objects.select_for_update(**LOCK).get(pk=place)
    found = with_all(scope).select_for_update(**LOCK).first()
    if found is not None:
        now = live_consignment(found)
        if (now.manifest_id if now else None) != place:
            raise Moved
    return found
