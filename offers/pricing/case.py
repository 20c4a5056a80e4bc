"""A case: terms, floors and work as somebody wrote them down in JSON, with no data behind it.

docs/pay.md documents every field and docs/price-case.schema.json says the same to programs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from fractions import Fraction
from typing import Any

from offers.pricing import floors as laws
from offers.pricing.block import earned, offered_of
from offers.pricing.case_rules import MissionCase, floor_of, mission_of, terms_of
from offers.pricing.case_work import Given, work_of
from offers.pricing.floors import (
    Due,
    FloorRule,
    Offered,
)
from offers.pricing.lines import PayLine
from offers.pricing.rates import NoRate
from offers.pricing.reading import CLOCK, CaseError, Fields, a_day, time_zone
from offers.pricing.shifts import ShiftKind, ShiftRules, shift_kind
from offers.pricing.work import (
    ZERO,
    Engaged,
    Outcome,
    Terms,
    Work,
)
from retaildelivery.lib.windows import Window

_NOON = time(12)


@dataclass(frozen=True, slots=True)
class OfferCase:
    """One offer inside a block, with pay of its own."""

    key: str
    work: Work
    terms: Terms


@dataclass(frozen=True, slots=True)
class BlockCase:
    """One block of a case, read."""

    key: str
    driver: str
    shift: str
    period: str
    terms: Terms
    work: Work
    offers: tuple[OfferCase, ...] = ()
    place: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A case, read."""

    title: str
    currency: str
    floors: tuple[FloorRule, ...]
    blocks: tuple[BlockCase, ...]
    missions: tuple[MissionCase, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A line of pay, whose it is and of which block (or blocks, for a floor over several)."""

    driver: str
    block: str
    line: PayLine


@dataclass(frozen=True, slots=True)
class Priced:
    """Every line of a case, and how each floor was found."""

    case: Case
    lines: tuple[Line, ...]
    dues: tuple[Due, ...] = field(default=())

    @property
    def total_cents(self) -> int:
        return sum(each.line.cents for each in self.lines)


def price_case(case: Case) -> Priced:
    """Price a case. Raises CaseError where a floor asks for what the work does not tell."""
    lines: list[Line] = []
    offers: list[Offered] = []
    for block in _with_missions(case):
        own = earned(block.terms, block.work)
        lines += [Line(block.driver, block.key, each) for each in own]
        if not block.offers:
            offers.append(_as_offer(block, block.work, own, block.key))
            continue
        parts = []
        for offer in block.offers:
            paid = earned(offer.terms, offer.work)
            lines += [Line(block.driver, offer.key, each) for each in paid]
            parts.append(_as_offer(block, offer.work, paid, offer.key))
        offers += _spread(_as_offer(block, block.work, own, block.key), parts)
    try:
        dues = laws.dues(case.floors, offers)
    except NoRate as error:
        where = f"place {error.place!r}" if error.place else "any place"
        day = f"on {error.day}" if error.day else "without a date"
        raise CaseError(
            "floors", f"no row of a rate holds for {where} {day}; add one, or the date."
        ) from error
    except ValueError as error:
        raise CaseError("blocks", f"{error}.") from error
    for due in dues:
        keys = " + ".join(due.offers)
        lines += [Line(due.driver, keys, each) for each in due.lines() if each.cents]
    return Priced(case, tuple(lines), dues)


def _with_missions(case: Case) -> Iterable[BlockCase]:
    """The blocks in the order they are written, each with the bonuses of the missions it fulfils."""
    done: Counter[tuple[int, str, str]] = Counter()
    for block in case.blocks:
        won = []
        for number, mission in enumerate(case.missions):
            counts = block.work.outcome in {Outcome.COMPLETED, Outcome.PARTIAL}
            if counts and mission.place in {None, block.place}:
                done[number, block.driver, block.period] += 1
                if done[number, block.driver, block.period] == mission.blocks:
                    won.append(mission.bonus)
        yield replace(block, work=replace(block.work, bonuses=(*block.work.bonuses, *won))) if won else block


def _as_offer(block: BlockCase, work: Work, lines: list[PayLine], key: str) -> Offered:
    return offered_of(work, lines, key=key, driver=block.driver, shift=block.shift, period=block.period)


def _spread(block: Offered, parts: list[Offered]) -> list[Offered]:
    """The offers of a block, each with its share, by engaged time, of what the block paid as a whole. Time and
    way that stand with the block itself stay an item of their own."""
    times = [
        Fraction(sum((e.time for e in part.engaged), ZERO) // timedelta(microseconds=1)) for part in parts
    ]
    total = sum(times)
    spread = []
    for part, own in zip(parts, times, strict=True):
        share = own / total if total else Fraction(1, len(parts))
        paid = {kind: cents * share for kind, cents in block.paid.items()}
        for kind, cents in part.paid.items():
            paid[kind] = paid.get(kind, Fraction(0)) + cents
        spread.append(replace(part, paid=paid, mileage_paid=part.mileage_paid + block.mileage_paid * share))
    if block.engaged:
        spread.append(replace(block, paid={}, mileage_paid=Fraction(0), done=False))
    return spread


def read_case(document: Any) -> Case:
    """Read a case from parsed JSON. Raises CaseError with the field and the mend."""
    fields = Fields(document, "")
    fields.text("$schema")
    title = fields.text("title", "name") or ""
    for kept in ("note", "notes", "expect", "expected"):
        fields.take(kept)
    currency = fields.text("currency") or "USD"
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha() and currency.isupper()):
        raise CaseError("currency", "write three capital letters, such as USD.")
    zone = time_zone(fields.text("time_zone"))
    _name, terms = fields.take("terms")
    days, begins = _period(fields, zone)
    given = Given(zone, fields.text("driver") or "driver", terms, days, begins)
    rules = tuple(
        floor_of(Fields(each, where), number)
        for number, (where, each) in enumerate(fields.items("floors", "floor"), start=1)
    )
    missions = tuple(
        mission_of(Fields(each, where), number)
        for number, (where, each) in enumerate(fields.items("missions"), start=1)
    )
    blocks = [
        _block(Fields(each, where), number, given)
        for number, (where, each) in enumerate(fields.items("blocks", "block", "work"), start=1)
    ]
    if not blocks:
        raise CaseError("blocks", "write what was done: one block or more.")
    keys = [block.key for block in blocks] + [offer.key for block in blocks for offer in block.offers]
    for key, times in Counter(keys).items():
        if times > 1:
            raise CaseError("blocks", f"two blocks or offers are called {key}; give each an id of its own.")
    fields.done()
    return Case(title, currency, rules, tuple(blocks), missions)


def _period(fields: Fields, zone: tzinfo) -> tuple[int | None, datetime | None]:
    _name, value = fields.take("period")
    if value is None:
        return None, None
    inner = Fields(value, "period")
    days, dated = inner.count("days"), inner.dated("from")
    begins = inner.moment("from", zone=zone, day=None)
    inner.done()
    if not days or begins is None or not dated:
        raise CaseError(
            "period", 'write its days and where one begins, {"days": 14, "from": "2026-01-05T04:00"}.'
        )
    return days, begins


def _block(fields: Fields, number: int, given: Given) -> BlockCase:
    key = fields.text("id", "code") or str(number)
    has_own = fields.has("terms")
    value = fields.take("terms")[1] if has_own else given.terms
    terms, decided = terms_of(value, fields.at("terms") if has_own else "terms")
    day, place = fields.day("date", "day"), fields.text("place", "pickup_place")
    dated = fields.dated("start", "starts")
    start = fields.moment("start", "starts", zone=given.zone, day=day)
    end = fields.moment("end", "ends", zone=given.zone, day=day, after=start)
    if start and dated and day is None:
        day = start.astimezone(given.zone).date()
    scheduled = fields.duration("scheduled")
    if start and end:
        if scheduled is not None:
            raise fields.wrong("scheduled_hours", "the window from start to end says it; keep one of them.")
        if end <= start:
            raise fields.wrong("end", "lies after start.")
        scheduled = end - start
    terms = _settled_terms(terms, decided, fields, given, day, start, end)
    driver = fields.text("driver") or given.driver
    shift, period = fields.text("shift"), fields.text("period")
    wage = fields.rate("wage")
    work = work_of(fields, scheduled, day=day, place=place, wage=wage, given=given)
    offers = tuple(
        _offer(Fields(each, where), f"{key}/{n}", day=day, place=place, given=given)
        for n, (where, each) in enumerate(fields.items("offers", "offer"), start=1)
    )
    fields.done()
    if not offers and not any(each.time or each.trip or each.on_call for each in work.engaged):
        work = replace(work, engaged=(_presumed(work, day, place, wage), *work.engaged))
    needs = work.scheduled == ZERO and work.outcome is not Outcome.COMPLETED and terms.flat_cents is None
    if needs or (work.scheduled == ZERO and (terms.base_cents_h or terms.step_cents_h)):
        raise fields.wrong("scheduled_hours", "write the length of the block; its base is paid by the hour.")
    if work.outcome is Outcome.ABORTED and work.scheduled == ZERO:
        raise fields.wrong("scheduled_hours", "write the length of the block, of which a part was worked.")
    if terms.flat_cents is not None and not work.scheduled and _needs_rate(terms, work):
        raise fields.wrong(
            "scheduled_hours", "write the length of the block; its hourly rate follows from it."
        )
    period = period or _period_of(given, None if day is None else start, day)
    return BlockCase(key, driver, shift or key, period, terms, work, offers, place)


def _needs_rate(terms: Terms, work: Work) -> bool:
    """Whether a line asks for the block's hourly rate that no rate of the terms answers."""
    late = work.overtime > ZERO and terms.overtime_cents_h is None
    late = late or (terms.extra_cents_h is None and any(trip.time for trip in work.extra_trips))
    return late or (terms.wait_cents_h is None and sum((each.waited for each in work.waits), ZERO) > ZERO)


def _period_of(given: Given, start: datetime | None, day: date | None) -> str:
    if given.period_days is None or given.period_from is None:
        return ""
    if start is None and day is None:
        raise CaseError("blocks", "each block needs a date, so that its period can be told.")
    at = start or datetime.combine(day or date.min, _NOON, tzinfo=given.zone)
    # Counted in local days, so that a period is not an hour short where the clocks change.
    local = at.astimezone(given.zone).replace(tzinfo=None)
    since = given.period_from.astimezone(given.zone).replace(tzinfo=None)
    number = (local - since) // timedelta(days=given.period_days)
    return (since + number * timedelta(days=given.period_days)).isoformat(timespec="minutes")


def _settled_terms(
    terms: Terms,
    decided: Fields,
    fields: Fields,
    given: Given,
    day: date | None,
    start: datetime | None,
    end: datetime | None,
) -> Terms:
    """Base, step and flat pay as they are for this block."""
    cap = decided.rate("cap")
    table = decided.take("base_by_kind")[1]
    holidays = [a_day(each, where) for where, each in decided.items("holidays")]
    evening = _clock(decided)
    decided.done()
    kind = fields.choice(list(ShiftKind), "kind")
    published = fields.moment("published", zone=given.zone, day=day)
    base, steps, step = fields.rate("base"), fields.count("steps"), fields.rate("step")
    paid = fields.cents("paid", "pay", "earnings")
    given_base = base is not None
    if table is not None and base is None and paid is None and terms.flat_cents is None:
        rates = Fields(table, decided.at("base_by_kind"))
        by_kind = {each: rates.rate(each) for each in ShiftKind}
        rates.done()
        if kind is None and start and end:
            lead = start - published if published else timedelta(days=365)
            zone = given.zone if day else None
            kind = _kind(fields, Window(start, end), lead, zone, holidays, evening)
        if kind is None:
            raise fields.wrong("kind", f"write the kind of shift, one of {', '.join(ShiftKind)}.")
        base = by_kind[ShiftKind(kind)]
        if base is None:
            raise CaseError(rates.at(kind), "write the hourly base of this kind of shift.")
    elif table is not None and terms.base_cents_h:
        raise decided.wrong("base_by_kind", "says the same as base; keep one of them.")
    if paid is not None and base is not None:
        raise fields.wrong("paid", "the block is paid either flat or by the hour; keep one.")
    if base is None:
        base = Decimal(0) if paid is not None else Decimal(terms.base_cents_h)  # type: ignore[arg-type]
    more = (Decimal(terms.step_cents_h) if step is None else step) * (1 if steps is None else steps)  # type: ignore[arg-type]
    if paid is not None:
        more = Decimal(0) if step is None else more
    elif cap is not None:
        more = max(Decimal(0), min(more, cap - base))
    flat = paid if paid is not None else (None if given_base else terms.flat_cents)
    return replace(terms, base_cents_h=base, step_cents_h=more, flat_cents=flat)


def _kind(
    fields: Fields, window: Window, lead: timedelta, zone: tzinfo | None, holidays: list[date], evening: time
) -> ShiftKind:
    if zone is None:
        raise fields.wrong("date", "write the day; the kind of shift follows from it, or write the kind.")
    return shift_kind(window, tz=zone, holidays=holidays, lead=lead, rules=ShiftRules(evening))


def _clock(fields: Fields) -> time:
    text = fields.text("evening_from") or "17:00"
    try:
        if not CLOCK.fullmatch(text):
            raise ValueError(text)
        return time.fromisoformat(text)
    except ValueError as error:
        raise fields.wrong("evening_from", "write a time such as 17:00.") from error


def _offer(fields: Fields, key: str, *, day: date | None, place: str | None, given: Given) -> OfferCase:
    key = fields.text("id", "code") or key
    own_day, own_place = fields.day("date", "day") or day, fields.text("place", "pickup_place") or place
    paid = fields.cents("paid", "pay", "earnings")
    wage = fields.rate("wage")
    work = work_of(fields, None, day=own_day, place=own_place, wage=wage, given=given)
    fields.done()
    return OfferCase(key, work, Terms("offer", flat_cents=paid or 0))


def _presumed(work: Work, day: date | None, place: str | None, wage: Decimal | None) -> Engaged:
    """Where nothing is said of engaged time, the block's own time is."""
    time = {
        Outcome.COMPLETED: work.scheduled,
        Outcome.ABORTED: work.worked or ZERO,
        Outcome.PARTIAL: work.scheduled,
    }.get(work.outcome, ZERO)
    if work.outcome is Outcome.PARTIAL and work.share is not None:
        micros = Fraction(work.scheduled // timedelta(microseconds=1)) * work.share
        time = timedelta(microseconds=int(micros))
    return Engaged(time + work.overtime, wage_cents_h=wage, place=place, day=day)
