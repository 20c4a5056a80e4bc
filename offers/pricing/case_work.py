"""Reading the work of a case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from fractions import Fraction
from typing import Any

from offers.pricing.reading import CaseError, Fields, whole_cents
from offers.pricing.work import (
    ZERO,
    Bonus,
    Engaged,
    ExtraTrip,
    Outcome,
    Tip,
    Trip,
    Wait,
    Work,
)


@dataclass(frozen=True, slots=True)
class Given:
    """What stands above the blocks and holds for all of them."""

    zone: tzinfo
    driver: str
    terms: Any
    period_days: int | None
    period_from: datetime | None


def work_of(
    fields: Fields,
    scheduled: timedelta | None,
    *,
    day: date | None,
    place: str | None,
    wage: Decimal | None,
    given: Given,
) -> Work:
    outcome = Outcome(fields.choice(list(Outcome), "outcome", "ended") or _told_outcome(fields))
    notice, worked, handover = (fields.duration(stem) for stem in ("notice", "worked", "handover"))
    if handover is not None:
        if worked is None:
            raise fields.wrong(
                "handover_minutes", "stands beside worked_minutes, the time until it was broken off."
            )
        worked += handover
    share = _share(fields)
    needs = {
        Outcome.WITHDRAWN: (notice, "notice_minutes", "write how long before the start it was withdrawn."),
        Outcome.ABORTED: (worked, "worked_minutes", "write the time worked, handover minutes included."),
        Outcome.PARTIAL: (share, "share", "write the part that was done, from 0 to 1."),
    }
    for state, (value, name, mend) in needs.items():
        if outcome is state and value is None:
            raise fields.wrong(name, mend)
        if outcome is not state and value is not None:
            raise fields.wrong(name, f"belongs to a block whose outcome is {state}.")
    return Work(
        scheduled=scheduled or ZERO,
        overtime=fields.duration("overtime") or ZERO,
        waits=_waits(fields),
        returns=fields.count("returns") or 0,
        tips=tuple(Tip(name, cents) for name, cents, _rule in _amounts(fields, "order", "tips", "tip")),
        bonuses=tuple(
            Bonus(name, cents, rule)
            for name, cents, rule in _amounts(fields, "name", "bonuses", "bonus", "missions")
        ),
        tolls_cents=sum(cents for _name, cents, _rule in _amounts(fields, "name", "tolls", "toll")),
        engaged=_engaged(fields, day=day, place=place, wage=wage, given=given),
        extra_trips=_extra_trips(fields),
        outcome=outcome,
        notice=notice,
        worked=worked,
        share=share,
        mileage_paid_cents=fields.cents("mileage_paid", "allowance_paid") or 0,
    )


def _told_outcome(fields: Fields) -> str:
    """What the numbers that belong to only one outcome say, where it is not written."""
    if fields.has("notice_hours", "notice_minutes", "notice_seconds"):
        return Outcome.WITHDRAWN
    if fields.has("worked_hours", "worked_minutes", "worked_seconds"):
        return Outcome.ABORTED
    return Outcome.PARTIAL if fields.has("share", "done") else Outcome.COMPLETED


def _share(fields: Fields) -> Fraction | None:
    share = fields.number("share", most=Decimal(1))
    done, of = fields.count("done"), fields.count("of")
    if (done is None) != (of is None):
        raise fields.wrong("of", "write both, how many stops were done and of how many.")
    if done is None or of is None:
        return None if share is None else Fraction(share)
    if share is not None:
        raise fields.wrong("share", "says the same as done and of; keep one of them.")
    if not 0 <= done <= of or not of:
        raise fields.wrong("done", "is from 0 to the number in of.")
    return Fraction(done, of)


def _waits(fields: Fields) -> tuple[Wait, ...]:
    """Waits by visit to a store; what the driver was kept several times on one visit is one wait."""
    kept: dict[tuple[str, bool, int], timedelta] = {}
    for number, (where, each) in enumerate(fields.items("waits", "wait"), start=1):
        one = Fields(each if isinstance(each, Mapping) else {"minutes": each}, where)
        store = one.text("store") or f"store {number}"
        fault = one.flag("at_fault")
        waited, visit = one.duration("", "waited"), one.count("visit")
        one.done()
        if waited is None:
            raise one.wrong("minutes", "write how long the store kept the driver.")
        if visit == 0:
            raise one.wrong("visit", "write 1 for the first visit to the store, 2 for the next.")
        key = (store, fault is not False, visit or 1)
        kept[key] = kept.get(key, ZERO) + waited
    return tuple(Wait(store, waited, fault, visit) for (store, fault, visit), waited in kept.items())


def _amounts(fields: Fields, naming: str, *names: str) -> list[tuple[str, int, str]]:
    """A list of amounts, plain or with a name: `[3, {"order": "O1", "amount": 1.50}]`."""
    found = []
    for number, (where, each) in enumerate(fields.items(*names), start=1):
        if not isinstance(each, Mapping):
            found.append((str(number), whole_cents(each, where), names[0]))
            continue
        one = Fields(each, where)
        name, cents = one.text(naming) or str(number), one.cents("amount")
        rule = one.text("rule") or names[0]
        one.done()
        if cents is None:
            raise one.wrong("amount", "write the amount.")
        found.append((name, cents, rule))
    return found


def _extra_trips(fields: Fields) -> tuple[ExtraTrip, ...]:
    name, value = fields.take("extra_trips")
    if isinstance(value, Decimal):
        count = Fields({name: value}, fields.where).count(name) or 0
        return tuple(ExtraTrip(str(number + 1)) for number in range(count))
    found = []
    for number, (where, each) in enumerate(Fields({name: value}, fields.where).items(name), start=1):
        one = Fields(each, where)
        trip = ExtraTrip(
            one.text("name") or str(number), one.duration("") or ZERO, one.metres() or Decimal(0)
        )
        one.done()
        found.append(trip)
    return tuple(found)


def _engaged(
    fields: Fields, *, day: date | None, place: str | None, wage: Decimal | None, given: Given
) -> tuple[Engaged, ...]:
    """The engaged stretches: those of the list, and what stands with the block itself."""
    found = []
    for where, each in fields.items("engaged", "stretches", "trips"):
        one = Fields(each, where)
        own_day, own_place = one.day("date", "day") or day, one.text("place", "pickup_place") or place
        own_wage = one.rate("wage")
        stretch = _stretch(
            one, day=own_day, place=own_place, wage=wage if own_wage is None else own_wage, given=given
        )
        one.done()
        if stretch is None:
            raise one.wrong("minutes", "write how long it was, or accepted and completed.")
        found.append(stretch)
    whole = _stretch(fields, day=day, place=place, wage=wage, given=given)
    if whole is not None:
        found.append(whole)
    return tuple(found)


def _stretch(
    fields: Fields, *, day: date | None, place: str | None, wage: Decimal | None, given: Given
) -> Engaged | None:
    engaged, metres = fields.duration("engaged", "trip", ""), fields.metres()
    on_call, idle = fields.duration("on_call"), fields.duration("gap", "idle")
    cancelled_by = fields.text("cancelled_by")
    trip = _trip(fields, day=day, given=given)
    if trip is not None:
        if engaged is not None:
            raise fields.wrong("accepted", "the time follows from the moments or from a number; keep one.")
        at = trip.picked_up_at or trip.accepted_at or trip.arrived_at
        day = at.astimezone(given.zone).date() if at and at.year > 2000 else day
    if engaged is None and metres is None and on_call is None and trip is None:
        return None
    return Engaged(
        time=engaged or ZERO,
        metres=metres or Decimal(0),
        wage_cents_h=wage,
        place=place,
        day=day,
        trip=trip,
        on_call=on_call or ZERO,
        idle=idle or ZERO,
        cancelled_by=cancelled_by,
    )


def _trip(fields: Fields, *, day: date | None, given: Given) -> Trip | None:
    moments: dict[str, datetime | None] = {}
    last: datetime | None = None
    for name in ("accepted", "arrived", "picked_up"):
        moments[name] = fields.moment(name, zone=given.zone, day=day, after=last)
        if last and (found := moments[name]) and found < last:
            raise fields.wrong(name, "lies before the moment it follows.")
        last = moments[name] or last
    ended = fields.moment("completed", "cancelled", zone=given.zone, day=day, after=last)
    first = next((moment for moment in moments.values() if moment is not None), None)
    gaps = []
    for where, each in fields.items("gaps"):
        one = Fields(each, where)
        begin = one.moment("from", zone=given.zone, day=day, after=first)
        end = one.moment("to", zone=given.zone, day=day, after=begin)
        one.done()
        if begin is None or end is None or end < begin:
            raise CaseError(where, 'write {"from": "12:10", "to": "12:25"}.')
        if first and ended and (end <= first or begin >= ended):
            raise CaseError(where, "lies outside the trip; write its moments with their date.")
        gaps.append((begin, end))
    if last is None and ended is None:
        return None
    if ended is None or last is None or ended < last:
        raise fields.wrong("completed", "write the moment it was completed or cancelled, after the others.")
    return Trip(moments["accepted"], moments["arrived"], moments["picked_up"], ended, tuple(gaps))
