"""Book a delivery slot: see what is free, hold a place, confirm it with an order, give it back.

A place is taken and given back under the lock of its slot, and the slot's own constraint has the last word.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from deliveries import limits, locks
from deliveries.drafts import DraftInvalid, FieldError
from deliveries.models import Order, Slot, SlotHold, SlotRule
from retaildelivery.lib import codes
from retaildelivery.lib.refusals import Refused
from stores.models import Store

CODE = re.compile(r"([A-Z0-9]{4,12})\.(\d{4}-\d{2}-\d{2})", re.ASCII)


class SlotRefused(Refused):
    """Base of what can be said against booking a slot."""

    code: ClassVar[str] = "slot_refused"


class SlotUnknown(SlotRefused):
    code = "slot_unknown"
    sentence = _("There is no such delivery slot here.")


class SlotFull(SlotRefused):
    code = "slot_full"
    sentence = _("This slot is booked up.")


class SlotClosed(SlotRefused):
    code = "slot_closed"
    sentence = _("This slot can no longer be booked.")


class SlotTooEarly(SlotRefused):
    code = "slot_not_open_yet"
    sentence = _("This slot can be booked from %(day)s.")


class HoldUnknown(SlotRefused):
    code = "hold_not_found"
    sentence = _("There is no such place in a slot here.")


class HoldExpired(SlotRefused):
    code = "hold_expired"
    sentence = _("This place was held for a while only and was given back. Hold another.")


class HoldUsed(SlotRefused):
    code = "hold_used"
    sentence = _("Order %(order)s has this place already.")


@dataclass(frozen=True, slots=True)
class Bookable:
    """One day's slot as a customer sees it. `closes_at` is the cut-off."""

    code: str
    start: dt.datetime
    end: dt.datetime
    closes_at: dt.datetime
    opens_on: dt.date
    capacity: int
    left: int
    price_cents: int
    rule: SlotRule

    def may_be_booked(self, at: dt.datetime) -> bool:
        return (
            self.left > 0 and at < self.closes_at and at.astimezone(self.start.tzinfo).date() >= self.opens_on
        )


def listed(*, store: Store, day: dt.date, at: dt.datetime) -> list[Bookable]:
    """`of_day`, as far back and ahead as slots are listed. Raises DraftInvalid for a day before or after that."""
    today = at.astimezone(store.mall.zone).date()
    first, last = today - limits.SLOTS_BACK, today + limits.SLOTS_AHEAD
    if day < first:
        said = _("Slots are listed %(days)d days back. Ask for a day from %(first)s on.")
        told = str(said) % {"days": limits.SLOTS_BACK.days, "first": first.isoformat()}
        raise DraftInvalid([FieldError("date", "in_past", told)])
    if day > last:
        said = _("Slots are listed %(days)d days ahead. Ask for a day until %(last)s.")
        told = str(said) % {"days": limits.SLOTS_AHEAD.days, "last": last.isoformat()}
        raise DraftInvalid([FieldError("date", "too_far_ahead", told)])
    return of_day(store=store, day=day, at=at)


def of_day(*, store: Store, day: dt.date, at: dt.datetime) -> list[Bookable]:
    """The slots that this store may offer for that day, by their start, free or not."""
    if not limits.FIRST_MOMENT.date() <= day <= limits.LAST_MOMENT.date():
        return []
    return of_days(store=store, days=[day], at=at)


def of_days(*, store: Store, days: Sequence[dt.date], at: dt.datetime) -> list[Bookable]:
    """`of_day` of each of them, one after the other. Three queries."""
    rules = list(
        SlotRule.objects.offered_by(store)
        .valid_between(min(days), max(days))
        .select_related("mall__market")
        .order_by("starts", "id")  # type: ignore[attr-defined]
    )
    made = {(slot.rule_id, slot.day): slot for slot in Slot.objects.filter(rule__in=rules, day__in=days)}
    overdue = _overdue(made.values(), at)
    found = []
    for day in days:
        for rule in rules:
            slot = made.get((rule.pk, day))
            if rule.holds_on(day):
                found.append(_bookable(rule, day, slot, overdue.get(slot.pk, 0) if slot else 0))
    return found


def _overdue(slots: Iterable[Slot], at: dt.datetime) -> dict[int, int]:
    """Places that ran out and that no sweep has given back yet, by slot."""
    return Counter(
        SlotHold.objects.overdue(at).filter(slot__in=list(slots)).values_list("slot_id", flat=True)  # type: ignore[attr-defined]
    )


def _bookable(rule: SlotRule, day: dt.date, slot: Slot | None, overdue: int) -> Bookable:
    zone = rule.mall.zone
    start = dt.datetime.combine(day, rule.starts, zone)
    taken = slot.taken - overdue if slot else 0
    return Bookable(
        code=f"{rule.code}.{day:%Y-%m-%d}",
        start=start,
        end=dt.datetime.combine(day, rule.ends, zone),
        # Counted on the clock that never jumps.
        closes_at=start.astimezone(dt.UTC) - dt.timedelta(minutes=rule.cutoff_minutes),
        opens_on=day - dt.timedelta(days=rule.lead_days),
        capacity=rule.capacity,
        left=max(0, rule.capacity - taken),
        price_cents=rule.price_cents,
        rule=rule,
    )


def first_free(*, store: Store, at: dt.datetime) -> Bookable | None:
    """The next slot that can be booked now."""
    today = at.astimezone(store.mall.zone).date()
    for ahead in range(limits.PROMISE_AHEAD.days):
        for slot in of_day(store=store, day=today + dt.timedelta(days=ahead), at=at):
            if slot.may_be_booked(at):
                return slot
    return None


@transaction.atomic(durable=True)
def hold(*, slot_code: str, store: Store, at: dt.datetime) -> SlotHold:
    """Take a place for a checkout, until it expires. Raises SlotUnknown, SlotTooEarly, SlotClosed, SlotFull."""
    return take(slot_code=slot_code, store=store, expires_at=at + limits.SLOT_HELD, at=at)


def take(*, slot_code: str, store: Store, expires_at: dt.datetime, at: dt.datetime) -> SlotHold:
    """`hold`, inside the caller's transaction."""
    assert connection.in_atomic_block, "An inner verb."
    wanted = bookable(slot_code=slot_code, store=store, at=at)
    if at >= wanted.closes_at:
        raise SlotClosed(field="slot")
    if at.astimezone(wanted.start.tzinfo).date() < wanted.opens_on:
        raise SlotTooEarly(field="slot", reason=wanted.opens_on.isoformat(), day=wanted.opens_on.isoformat())
    day = wanted.start.date()
    Slot.objects.bulk_create(
        [
            Slot(
                rule=wanted.rule,
                day=day,
                window=DateTimeTZRange(wanted.start, wanted.end),
                capacity=wanted.capacity,
            )
        ],
        ignore_conflicts=True,
    )
    slot = locks.slot(wanted.rule, day)
    # What the rule says now: more room is room, less never throws anybody out.
    slot.capacity = max(wanted.rule.capacity, slot.taken)
    _give_back(SlotHold.objects.overdue(at).filter(slot=slot), slot, at=at)  # type: ignore[attr-defined]
    if slot.taken >= wanted.rule.capacity:
        raise SlotFull(field="slot")
    slot.taken += 1
    slot.save(update_fields=["taken", "capacity"])
    return SlotHold.objects.create(
        slot=slot, store=store, price_cents=wanted.price_cents, held_at=at, expires_at=expires_at
    )


def bookable(*, slot_code: str, store: Store, at: dt.datetime) -> Bookable:
    """The slot of this code that this store may offer. Raises SlotUnknown."""
    parts = CODE.fullmatch(slot_code.strip().upper())
    try:
        day = dt.date.fromisoformat(parts[2]) if parts else None
    except ValueError:
        day = None
    if parts is None or day is None:
        raise SlotUnknown(field="slot")
    for slot in of_day(store=store, day=day, at=at):
        if slot.rule.code == parts[1]:
            return slot
    raise SlotUnknown(field="slot")


def find(scope: QuerySet[SlotHold], code: str) -> SlotHold:
    """Raises HoldUnknown."""
    found = scope.select_related("slot__rule", "store__mall").filter(code=codes.normalise(code)).first()
    if found is None:
        raise HoldUnknown(field="slot_hold")
    return found


def confirm(*, held: SlotHold, order: Order, at: dt.datetime) -> SlotHold:
    """The order has the place for good; inside the transaction that posts the (saved) order. Raises HoldExpired,
    HoldUsed."""
    fresh = lock_live(held, at=at)
    fresh.confirmed_at, fresh.order = at, order
    fresh.save(update_fields=["confirmed_at", "order"])
    return fresh


def lock_live(held: SlotHold, *, at: dt.datetime) -> SlotHold:
    """The place as it is now, its slot locked. Raises HoldExpired, HoldUsed."""
    locks.slot_of(held)
    fresh = SlotHold.objects.select_related("slot", "order").get(pk=held.pk)
    if fresh.order is not None:
        raise HoldUsed(field="slot_hold", reason=fresh.order.code, order=fresh.order.code)
    if fresh.released_at is not None or at >= fresh.expires_at:
        raise HoldExpired(field="slot_hold")
    return fresh


@transaction.atomic(durable=True)
def revoke(*, code: str, scope: QuerySet[SlotHold], at: dt.datetime) -> SlotHold:
    """Give a held place back; a repeat changes nothing. Raises HoldUnknown, HoldUsed once an order has it."""
    held = find(scope, code)
    slot = locks.slot_of(held)
    fresh = SlotHold.objects.select_related("order", "slot__rule").get(pk=held.pk)
    if fresh.order is not None and fresh.released_at is None:
        raise HoldUsed(field="slot_hold", reason=fresh.order.code, order=fresh.order.code)
    _give_back(SlotHold.objects.filter(pk=fresh.pk, released_at=None), slot, at=at)
    slot.save(update_fields=["taken"])
    return fresh


def give_back_of(order: Order, *, at: dt.datetime) -> None:
    """The order is cancelled: somebody else may have its place. Inside the transaction that cancels it."""
    assert connection.in_atomic_block, "An inner verb."
    held = SlotHold.objects.filter(order=order, released_at=None).first()
    if held is None:
        return
    slot = locks.slot_of(held)
    _give_back(SlotHold.objects.filter(pk=held.pk, released_at=None), slot, at=at)
    slot.save(update_fields=["taken"])


def _give_back(holds: QuerySet[SlotHold], slot: Slot, *, at: dt.datetime) -> None:
    """Release these places of the (locked) slot; the caller saves it."""
    slot.taken -= holds.update(released_at=at)
    assert slot.taken >= 0, "No more places are given back than were taken."


@transaction.atomic(durable=True)
def expire(*, at: dt.datetime) -> int:
    """Give back what ran out, slot by slot; how many places that were."""
    due = SlotHold.objects.overdue(at).order_by("slot_id").values_list("slot_id", flat=True).distinct()  # type: ignore[attr-defined]
    count = 0
    for pk in list(due[: limits.SWEEP_SLOTS]):
        slot = locks.slot_by_key(pk)
        before = slot.taken
        _give_back(SlotHold.objects.overdue(at).filter(slot=slot), slot, at=at)  # type: ignore[attr-defined]
        slot.save(update_fields=["taken"])
        count += before - slot.taken
    return count
