"""How promises were kept, store by store; and of each that was broken by how much and why.

A promise is kept when its order is at the door before the end of its window. It is void when the seller took the order
back, and open while its time is still to come.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Count, F, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from deliveries import limits
from deliveries.models import Attempt, Consignment, Order, Quote, Stop
from stores.models import Store

Status = Order.Status
KEPT = Q(order__status=Status.DELIVERED, order__delivered_at__lt=F("order__window__endswith"))
VOID = Q(order__status=Status.CANCELLED, order__cancelled_by__in=["seller", "staff"])


class Cause(models.TextChoices):
    """Why a promise was broken, where no reason was given at the door."""

    NO_DRIVER = "no_driver", _("no driver was there in time")
    STORE_WAIT = "store_wait", _("the driver waited at the counter")
    ON_THE_ROAD = "on_the_road", _("the way took longer")
    CANCELLED = "cancelled", _("cancelled, not by you")
    LOST = "lost", _("lost")
    DISPOSED = "disposed", _("disposed of")


class Outcome(models.TextChoices):
    UNUSED = "unused", _("not ordered")
    OPEN = "open", _("not due yet")
    KEPT = "kept", _("in time")
    BROKEN = "broken", _("late, or not at all")
    VOID = "void", _("taken back by you")


CAUSES: dict[str, Any] = {**dict(Attempt.Reason.choices), **dict(Cause.choices)}
COUNTED_WAIT = dt.timedelta(minutes=10)  # a shorter wait at a counter is part of collecting


def open_at(at: dt.datetime) -> Q:
    going = ~Q(order__status__in=[*Order.ENDED, Status.RETURNING])
    return going & Q(order__window__endswith__gt=at)


@dataclass(frozen=True, slots=True)
class Kept:
    """How a store's promises went. `void` are those that the seller took back; open ones are not due yet."""

    store: Store
    made: int
    redeemed: int
    open: int
    kept: int
    broken: int
    void: int

    @property
    def kept_percent(self) -> int | None:
        due = self.kept + self.broken
        return None if due == 0 else round(100 * self.kept / due)


@dataclass(frozen=True, slots=True)
class Broken:
    """One promise that was broken. `minutes_late` is of those that came, or are still to come; a part of a minute
    counts as one."""

    order: Order
    minutes_late: int | None
    cause: str

    @property
    def cause_text(self) -> str:
        return str(CAUSES[self.cause])


def given(stores: QuerySet[Store], *, since: dt.datetime, before: dt.datetime) -> QuerySet[Quote]:
    """Promises given out in that time."""
    return Quote.objects.filter(store__in=stores, promised=True, created_at__gte=since, created_at__lt=before)


def report(
    *, stores: QuerySet[Store], since: dt.datetime, before: dt.datetime, at: dt.datetime
) -> list[Kept]:
    """Promises given in that time, by store."""
    counted = (
        given(stores, since=since, before=before)
        .values("store")
        .annotate(
            made=Count("pk"),
            redeemed=Count("order"),
            kept=Count("order", filter=KEPT),
            open=Count("order", filter=open_at(at)),
            void=Count("order", filter=VOID),
        )
    )
    rows: dict[int, dict[str, Any]] = {row["store"]: dict(row) for row in counted}
    found = Store.objects.filter(pk__in=rows).select_related("mall__market").order_by("name", "pk")
    return [_kept(store, rows[store.pk]) for store in found]


def _kept(store: Store, row: dict[str, Any]) -> Kept:
    broken = row["redeemed"] - row["kept"] - row["open"] - row["void"]
    return Kept(**row | {"store": store, "broken": broken})


def total(rows: list[Kept]) -> dict[str, int | None]:
    """All stores together."""
    names = ("made", "redeemed", "open", "kept", "broken", "void")
    sums: dict[str, int | None] = {name: sum(getattr(row, name) for row in rows) for name in names}
    due = sum(row.kept + row.broken for row in rows)
    return sums | {"kept_percent": round(100 * sum(row.kept for row in rows) / due) if due else None}


def broken(
    *, stores: QuerySet[Store], since: dt.datetime, before: dt.datetime, at: dt.datetime
) -> list[Broken]:
    """Which promises of that time were broken, and why: the newest."""
    promised = given(stores, since=since, before=before).filter(order__isnull=False)
    lost = promised.exclude(KEPT).exclude(VOID).exclude(open_at(at))
    keys = lost.order_by("-created_at", "-pk").values_list("order", flat=True)[: limits.BROKEN_SHOWN]
    return explained(_orders(list(keys)), at=at)


def _orders(keys: list[int]) -> list[Order]:
    found = Order.objects.filter(pk__in=keys).select_related("store__mall__market").in_bulk()
    return [found[key] for key in keys]


def explained(orders: list[Order], *, at: dt.datetime) -> list[Broken]:
    """These orders, whose promise was broken, each with its reason. Two queries."""
    attempts = _latest(Attempt.objects.filter(order__in=orders).order_by("pk"))
    places = _latest(Consignment.objects.filter(order__in=orders).select_related("pickup").order_by("pk"))
    return [
        Broken(order, minutes_late(order, at=at), cause(order, attempts.get(order.pk), places.get(order.pk)))
        for order in orders
    ]


def _latest(rows: Iterable[Any]) -> dict[int, Any]:
    return {row.order_id: row for row in rows}


def minutes_late(order: Order, *, at: dt.datetime) -> int | None:
    """How long after its window it came, or has been waited for; None when it never will."""
    came = order.delivered_at or (None if order.has_ended or order.status == Status.RETURNING else at)
    return None if came is None else -((order.window.upper - came) // dt.timedelta(minutes=1))


def cause(order: Order, attempt: Attempt | None, place: Consignment | None) -> str:
    """Why the promise was broken: what happened last that can explain it."""
    if order.status == Status.CANCELLED:
        return Cause.CANCELLED
    if attempt is not None:
        return attempt.reason
    if order.status in {Status.LOST, Status.DISPOSED}:
        return order.status
    stop = place.pickup if place else None
    arrived = stop.arrived_at if stop else None
    if arrived is None or arrived >= order.window.upper:
        return Cause.NO_DRIVER
    return Cause.STORE_WAIT if _waited(stop, order) >= COUNTED_WAIT else Cause.ON_THE_ROAD


def _waited(stop: Stop | None, order: Order) -> dt.timedelta:
    """At the counter, until it was collected or its time was over."""
    assert stop is not None
    assert stop.arrived_at is not None
    return (order.picked_up_at or order.window.upper) - stop.arrived_at


@dataclass(frozen=True, slots=True)
class Line:
    """One promise and what became of it; `why` is set for those that were broken."""

    quote: Quote
    outcome: str
    why: Broken | None


def lines(
    *, stores: QuerySet[Store], since: dt.datetime, before: dt.datetime, at: dt.datetime
) -> Iterator[Line]:
    """Every promise of that time, newest first, as many as one export holds."""
    promised = given(stores, since=since, before=before).select_related("store__mall", "hold__slot__rule")
    keys = list(promised.order_by("-created_at", "-pk").values_list("pk", flat=True)[: limits.EXPORT_ROWS])
    for start in range(0, len(keys), limits.LISTED):
        yield from _some(promised.filter(pk__in=keys[start : start + limits.LISTED]), at=at)


def _some(quotes: QuerySet[Quote], *, at: dt.datetime) -> Iterator[Line]:
    found = list(quotes.select_related("order__store__mall").order_by("-created_at", "-pk"))
    outcomes = {quote.pk: outcome(getattr(quote, "order", None), at=at) for quote in found}
    bad = [quote.order for quote in found if outcomes[quote.pk] == Outcome.BROKEN]  # type: ignore[attr-defined]
    why = {each.order.pk: each for each in explained(bad, at=at)}
    for quote in found:
        order: Order | None = getattr(quote, "order", None)
        yield Line(quote, outcomes[quote.pk], why.get(order.pk) if order else None)


def outcome(order: Order | None, *, at: dt.datetime) -> str:
    """As `report` counts it, of one."""
    if order is None:
        return Outcome.UNUSED
    if order.status == Status.DELIVERED and order.delivered_at and order.delivered_at < order.window.upper:
        return Outcome.KEPT
    if order.status == Status.CANCELLED and order.cancelled_by in {"seller", "staff"}:
        return Outcome.VOID
    going = not order.has_ended and order.status != Status.RETURNING
    return Outcome.OPEN if going and order.window.upper > at else Outcome.BROKEN
