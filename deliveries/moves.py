"""The only places that change a status. Each refuses what the table of its noun does not allow."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from django.db import connection
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from deliveries.locks import PATIENTLY
from deliveries.models import Manifest, Order, Parcel, Stop
from drivers.models import Driver
from retaildelivery.lib.refusals import Refused
from retaildelivery.prepared import Given, PreparedUpdate, any_of

# The time that goes with a state, by noun.
ORDER_TIMES: dict[str, str] = {
    Order.Status.PICKED_UP: "picked_up_at",
    Order.Status.DELIVERED: "delivered_at",
    Order.Status.CANCELLED: "cancelled_at",
    Order.Status.RETURNED: "returned_at",
    Order.Status.LOST: "lost_at",
    Order.Status.DISPOSED: "disposed_at",
}
CUSTODIANS: dict[str, str] = {
    Parcel.Status.EXPECTED: Parcel.Custodian.STORE,
    Parcel.Status.READY: Parcel.Custodian.STORE,
    Parcel.Status.SHORT: Parcel.Custodian.STORE,
    Parcel.Status.RETURNED: Parcel.Custodian.STORE,
    Parcel.Status.LOADED: Parcel.Custodian.DRIVER,
    Parcel.Status.RETURN_DUE: Parcel.Custodian.DRIVER,
    Parcel.Status.DELIVERED: Parcel.Custodian.RECIPIENT,
    Parcel.Status.LOST: Parcel.Custodian.NOBODY,
    Parcel.Status.DISPOSED: Parcel.Custodian.NOBODY,
}


class IllegalMove(Refused):
    """The noun is in a state from which the wanted one cannot follow."""

    code: ClassVar[str] = "illegal_move"
    sentence: ClassVar[object] = _("This is %(now)s and cannot become %(to)s.")


def move_order(order: Order, to: str, at: dt.datetime, **stamps: object) -> None:
    """Give the (locked) order its next state, with the time that belongs to it and any further fields.

    Leaves the state before in ``order.previous_status``. Raises IllegalMove.
    """
    _refuse_unless_allowed(order, to)
    order.previous_status = order.status  # type: ignore[attr-defined]
    order.status = to
    if to in ORDER_TIMES:
        stamps.setdefault(ORDER_TIMES[to], at)
    if to == Order.Status.RETURNED:
        # A parcel that was lost and came back is simply back.
        stamps.setdefault("lost_at", None)
    for name, value in stamps.items():
        setattr(order, name, value)
    order.save(update_fields=["status", *stamps])


_ORDERS_ARE = PreparedUpdate(lambda: Order.objects.filter(pk__in=any_of("keys")), status=Given("status"))
_ORDERS_ARE_NOW = PreparedUpdate(
    lambda: Order.objects.filter(pk__in=any_of("keys")), status=Given("status"), sequence=F("sequence") + 1
)


def move_orders(orders: list[Order], to: str, *, numbered: bool = False) -> None:
    """`move_order` for many (locked) orders in one statement; for states without a time of their own. With `numbered`
    each gets the number of the fact that tells of it along with its state; see `facts.of_numbered`."""
    assert to not in ORDER_TIMES, "A state with a time is given one order at a time."
    for order in orders:
        _refuse_unless_allowed(order, to)
    for order in orders:
        order.previous_status = order.status  # type: ignore[attr-defined]
        order.status = to
        order.sequence += numbered
    if orders:
        update = _ORDERS_ARE_NOW if numbered else _ORDERS_ARE
        update.run(keys=[order.pk for order in orders], status=to)


def move_parcel(parcel: Parcel, to: str, *, driver: Driver | None = None) -> None:
    """Give the parcel (under its order's lock) its next state and the one who holds it now. Raises IllegalMove.

    A damaged parcel stays with whoever holds it.
    """
    _refuse_unless_allowed(parcel, to)
    custodian = CUSTODIANS.get(to, parcel.custodian)
    if custodian == Parcel.Custodian.DRIVER:
        driver = driver or parcel.driver
        assert driver is not None, "A parcel goes to a driver by name."
    else:
        driver = None
    parcel.status, parcel.custodian, parcel.driver = to, custodian, driver
    parcel.save(update_fields=["status", "custodian", "driver"])


def hand_parcel(parcel: Parcel, driver: Driver) -> None:
    """Pass what a driver holds (under its order's lock) to another driver; its state stays."""
    assert parcel.custodian == Parcel.Custodian.DRIVER, "Only who holds a parcel hands it on."
    parcel.driver = driver
    parcel.save(update_fields=["driver"])


def move_stop(stop: Stop, to: str, at: dt.datetime, **stamps: object) -> None:
    """Give the stop (under its manifest's lock) its next state and its time. Raises IllegalMove."""
    _refuse_unless_allowed(stop, to)
    stop.status = to
    if to == Stop.Status.ARRIVED:
        stamps.setdefault("arrived_at", at)
    elif to in {Stop.Status.DONE, Stop.Status.FAILED, Stop.Status.SKIPPED}:
        stamps.setdefault("completed_at", at)
    for name, value in stamps.items():
        setattr(stop, name, value)
    stop.save(update_fields=["status", *stamps])


def move_manifest(manifest: Manifest, to: str, at: dt.datetime, **stamps: object) -> None:
    """Give the (locked) manifest its next state and its time. Raises IllegalMove."""
    _refuse_unless_allowed(manifest, to)
    manifest.status = to
    if to == Manifest.Status.ON_ROUTE:
        stamps.setdefault("departed_at", manifest.departed_at or at)
    elif to == Manifest.Status.COMPLETED:
        stamps.setdefault("completed_at", at)
    elif to == Manifest.Status.ABORTED:
        stamps.setdefault("aborted_at", at)
    for name, value in stamps.items():
        setattr(manifest, name, value)
    manifest.save(update_fields=["status", *stamps])


_ASSIGNABLE = [now for now, to in Manifest.MOVES.items() if Manifest.Status.ASSIGNED in to]
_ASSIGNED = PreparedUpdate(
    lambda: Manifest.objects.filter(pk=Given("manifest"), status__in=_ASSIGNABLE),
    PATIENTLY,
    status=Manifest.Status.ASSIGNED,
    driver=Given("driver"),
)


def assign_manifest(manifest: Manifest, driver: Driver) -> None:
    """Lock the manifest and give it to a driver, in one statement. Raises IllegalMove where that is not allowed."""
    assert connection.in_atomic_block, "A lock is held to the end of a transaction."
    if not _ASSIGNED.run(manifest=manifest.pk, driver=driver.pk):
        manifest.refresh_from_db(fields=["status"])
        _refuse_unless_allowed(manifest, Manifest.Status.ASSIGNED)
    manifest.status, manifest.driver = Manifest.Status.ASSIGNED, driver


def _refuse_unless_allowed(noun: Order | Parcel | Stop | Manifest, to: str) -> None:
    if not noun.may_move_to(to):
        raise IllegalMove(reason=noun.status, now=noun.get_status_display(), to=to)
