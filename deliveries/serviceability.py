"""Can it be delivered, when, and for how much: asked before there is an order, and nothing is kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from deliveries import charging, drafts, eta, fees, limits, roads
from deliveries.drafts import DraftInvalid, FieldError, OrderDraft
from deliveries.models import FeePolicy
from retaildelivery.lib.geo import Point, road_m
from stores.models import Store, StoreHours


@dataclass(frozen=True, slots=True)
class Estimate:
    """When a driver would collect it and when it would be at the door."""

    pickup_at: dt.datetime
    dropoff_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Price:
    """What it costs, line by line, and by which row of terms."""

    distance_m: int
    policy: FeePolicy
    lines: tuple[fees.FeeLine, ...]

    @property
    def cents(self) -> int:
        return fees.total_cents(self.lines)


def reasons(draft: OrderDraft, *, store: Store, at: dt.datetime) -> list[FieldError]:
    """Everything that keeps us from delivering this, each with its field and code; empty when we can."""
    try:
        draft = drafts.check(draft, store=store, at=at)
    except DraftInvalid as invalid:
        return invalid.errors
    return list(_out_of_reach(draft, store, at))


def _out_of_reach(draft: OrderDraft, store: Store, at: dt.datetime) -> Iterator[FieldError]:
    """What the texts of a good draft do not show: the clock of the store, and the way."""
    assert draft.window_end is not None
    ready = ready_at(draft, store, at)
    if not opens_between(store, ready, draft.window_end):
        yield FieldError("ready_at", "store_closed", _("The store is closed until the window has ended."))
    if draft.address.point is None:
        return
    collected = max(ready, at + limits.CALL_TIME) + limits.COUNTER_TIME
    earliest = collected + way(draft.address.point, store, leaving=collected, at=at)
    if earliest > draft.window_end:
        local = earliest.astimezone(store.mall.zone)
        yield FieldError(
            "window.end",
            "out_of_reach",
            _("Nobody can be there by then; %(time)s at the earliest.") % {"time": f"{local:%H:%M}"},
        )


def ready_at(draft: OrderDraft, store: Store, at: dt.datetime) -> dt.datetime:
    return draft.ready_at or at + dt.timedelta(minutes=store.prep_minutes)


def opens_between(store: Store, start: dt.datetime, end: dt.datetime) -> bool:
    """Whether the counter is open at any time of [start, end]; a store without hours keeps the mall's."""
    week = _week(store)
    if not week:
        return True
    zone = store.mall.zone
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    while day <= last:
        for row in week.get(day.weekday(), []):
            opens = dt.datetime.combine(day, row.opens, zone)
            closes = dt.datetime.combine(day, row.closes, zone)
            if opens < end and closes > start:
                return True
        day += dt.timedelta(days=1)
    return False


def next_open(store: Store, at: dt.datetime) -> dt.datetime:
    """The first moment from `at` on when the counter is open; `at` itself for a store that keeps the mall's hours."""
    week, zone = _week(store), store.mall.zone
    first = at.astimezone(zone).date()
    for number in range(8 if week else 0):
        day = first + dt.timedelta(days=number)
        for row in sorted(week.get(day.weekday(), []), key=lambda row: row.opens):
            if dt.datetime.combine(day, row.closes, zone) > at:
                return max(at, dt.datetime.combine(day, row.opens, zone))
    return at


def _week(store: Store) -> dict[int, list[StoreHours]]:
    """The openings of each weekday, if it has hours of its own."""
    week: dict[int, list[StoreHours]] = {}
    for row in store.hours.all():
        week.setdefault(row.weekday, []).append(row)
    return week


def distance(draft: OrderDraft, store: Store) -> int | None:
    point = draft.address.point
    return None if point is None else road_m(store.mall.point, point)


def price(draft: OrderDraft, *, store: Store, at: dt.datetime, slot_cents: int = 0) -> Price | None:
    """By the terms of the day; None where the place of the door or the terms are unknown."""
    distance_m = distance(draft, store)
    policy = None if distance_m is None else charging.policy_for(store, at=at)
    if distance_m is None or policy is None:
        return None
    sizes = [parcel.size for parcel in draft.parcels]
    lines = charging.delivery_lines(policy, distance_m=distance_m, sizes=sizes, slot_cents=slot_cents)
    return Price(distance_m, policy, lines)


def way(door: Point, store: Store, *, leaving: dt.datetime, at: dt.datetime) -> dt.timedelta:
    """How long the way from the mall takes on the roads of its market."""
    curve = roads.curve_of(store.mall.market, at=at)
    return eta.drive(store.mall.point, door, curve=curve, hour=leaving.astimezone(store.mall.zone).hour)


def estimate(draft: OrderDraft, *, store: Store, at: dt.datetime) -> Estimate:
    """As a fresh order would usually go: collected once packed and in time for the start of the window."""
    assert draft.window_start is not None
    assert draft.address.point is not None
    earliest = max(ready_at(draft, store, at), at + limits.CALL_TIME) + limits.COUNTER_TIME
    leaving = max(earliest, draft.window_start)
    took = way(draft.address.point, store, leaving=leaving, at=at)
    pickup = max(earliest, draft.window_start - took)
    return Estimate(pickup_at=pickup, dropoff_at=pickup + took)
