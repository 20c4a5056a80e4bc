"""Reading terms and floors of a case."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from offers.pricing.floors import (
    CREDITABLE,
    NEVER_CREDITABLE,
    FloorRule,
    Holds,
    Mileage,
    Scope,
    Share,
)
from offers.pricing.lines import LineKind
from offers.pricing.rates import Amount, Rate, Rates
from offers.pricing.reading import MOST_MONEY, CaseError, Fields, exact
from offers.pricing.work import (
    NOTICE,
    Bonus,
    Clip,
    Notice,
    Terms,
)


def terms_of(value: Any, where: str) -> tuple[Terms, Fields]:
    """The terms, and the fields that only a block can decide (base_by_kind, cap)."""
    fields = Fields({} if value is None else value, where)
    rule = fields.text("rule", "policy") or "terms"
    flat = fields.cents("flat", "paid")
    base = fields.rate("base", "base_per_hour")
    if flat is not None and base is not None:
        raise fields.wrong("base", "the block is paid either flat or by the hour; keep one.")
    wait, extra = fields.inner("wait"), fields.inner("extra_trip")
    free = wait.duration("free")
    wait_rate, extra_rate = _hourly(wait, "per_hour", "per_minute"), _hourly(extra, "per_hour", "per_minute")
    extra_each = extra.cents("each")
    extra_mile = extra.rate("per_mile")
    for inner in (wait, extra):
        inner.done()
    notice = [_notice(Fields(each, at)) for at, each in fields.items("withdrawn")]
    stood_down = fields.percent("stood_down_percent")
    read = Terms(
        rule=rule,
        base_cents_h=base or 0,
        step_cents_h=fields.rate("step") or 0,
        overtime_cents_h=_hourly(fields, "overtime_per_hour", "overtime_per_minute", "overtime"),
        free_wait=timedelta(minutes=10) if free is None else free,
        wait_cents_h=wait_rate,
        return_cents=fields.cents("return", "return_pay") or 0,
        tolls_refunded=fields.flag("tolls_refunded") or False,
        flat_cents=flat,
        extra_trip_cents=extra_each or 0,
        extra_cents_h=extra_rate,
        extra_cents_mile=extra_mile or Decimal(0),
        notice=tuple(notice) or NOTICE,
        stood_down_percent=Decimal(100) if stood_down is None else stood_down,
    )
    return read, fields


def _hourly(fields: Fields, hour: str, minute: str, *more: str) -> Decimal | None:
    by_hour, by_minute = fields.rate(hour, *more), fields.rate(minute)
    if by_hour is not None and by_minute is not None:
        raise fields.wrong(minute, f"says the same as {hour}; keep one of them.")
    return by_minute * 60 if by_minute is not None else by_hour


def _notice(fields: Fields) -> Notice:
    less_than, percent = fields.duration("less_than"), fields.percent("percent")
    fields.done()
    if less_than is None or percent is None:
        raise CaseError(fields.where, 'write {"less_than_minutes": 120, "percent": 50}.')
    return Notice(less_than, percent)


def floor_of(fields: Fields, number: int) -> FloorRule:
    rule = fields.text("rule", "name", "id") or f"floor {number}"
    scope = Scope(fields.choice(list(Scope), "scope") or Scope.OFFER)
    wage, has_wage = _wage(fields)
    percent, factor = (
        fields.percent("percent", most=10_000),
        fields.number("factor", "wage_factor", most=Decimal(100)),
    )
    if percent is not None and factor is not None:
        raise fields.wrong("factor", "says the same as percent; keep one of them.")
    unit, distance = "mi", _amount(fields, "per_mile")
    if fields.has("per_km"):
        if distance is not None:
            raise fields.wrong("per_km", "says the same as per_mile; keep one of them.")
        unit, distance = "km", _amount(fields, "per_km")
    mileage = fields.choice(list(Mileage), "mileage") or Mileage.IN_FLOOR
    distance_factor = fields.number("distance_factor", most=Decimal(100))
    utilisation = fields.number("utilisation", "utilization", most=Decimal(1))
    if utilisation == 0:
        raise fields.wrong("utilisation", "write a share above 0, such as 0.60.")
    times = fields.choice(("engaged", "engaged_and_on_call"), "time")
    own_minimum, each_minimum = (
        _minimum(fields, "minimum", "guarantee"),
        _minimum(fields, "minimum_per_offer"),
    )
    holds = _holds(fields)
    share = fields.choice(list(Share), "share_by") or Share.HOURS
    clip = _clip(fields.inner("engaged"))
    creditable = _creditable(fields)
    fields.done()
    return FloorRule(
        rule=rule,
        wage_cents_h=wage,
        wage_factor=percent / 100 if percent is not None else (Decimal(1) if factor is None else factor),
        distance_cents=Decimal(0) if distance is None else distance,
        distance_unit=unit,
        mileage=Mileage(mileage),
        minimum_cents=own_minimum,
        creditable=creditable,
        scope=scope,
        distance_factor=Decimal(1) if distance_factor is None else distance_factor,
        each_minimum_cents=each_minimum,
        utilisation=Decimal(1) if utilisation is None else utilisation,
        counts_on_call=times == "engaged_and_on_call" if times else scope is Scope.POOL,
        share=Share(share),
        clip=clip,
        takes_wage=has_wage or percent is not None or factor is not None,
        holds=holds,
    )


def _minimum(fields: Fields, *names: str) -> int | Amount:
    """A least amount, which is paid out whole: no parts of a cent."""
    amount = _amount(fields, *names, places=2)
    return 0 if amount is None else amount


@dataclass(frozen=True, slots=True)
class MissionCase:
    """So many completed blocks of one driver in a period, at one place or anywhere, and there is a bonus."""

    bonus: Bonus
    blocks: int
    place: str | None


def mission_of(fields: Fields, number: int) -> MissionCase:
    rule = fields.text("rule") or "missions"
    name, place = fields.text("name", "id") or str(number), fields.text("place")
    blocks, cents = fields.count("blocks"), fields.cents("amount", "bonus")
    fields.done()
    if not blocks or cents is None:
        raise CaseError(fields.where, 'write {"name": "three blocks", "blocks": 3, "amount": 15}.')
    return MissionCase(Bonus(name, cents, rule), blocks, place)


def _holds(fields: Fields) -> Holds:
    places = fields.texts("places", "place")
    begins, ends = fields.day("from", "valid_from"), fields.day("to", "valid_to", "until")
    if begins and ends and ends <= begins:
        raise fields.wrong("to", "is the first day the law no longer holds, so it lies after from.")
    return Holds(places, begins, ends)


def _wage(fields: Fields) -> tuple[Amount, bool]:
    """The wage an hour, whichever way it is written, and whether there is one."""
    hourly = _amount(fields, "wage", "wages", "per_hour")
    minute = _amount(fields, "per_minute")
    if hourly is not None and minute is not None:
        raise fields.wrong("per_minute", "says the same as wage; keep one of them.")
    if isinstance(minute, Rates):
        hourly = Rates(tuple(replace(row, amount=row.amount * 60) for row in minute.rows))
    elif minute is not None:
        hourly = minute * 60
    return (Decimal(0), False) if hourly is None else (hourly, True)


def _amount(fields: Fields, *names: str, places: int = 10) -> Amount | None:
    """One amount, or rows of amounts by place and day."""
    name, value = fields.take(*names)
    if value is None:
        return None
    if not isinstance(value, list):
        return exact(value, fields.at(name), least=Decimal(0), most=MOST_MONEY, places=places) * 100
    rows: list[Rate] = []
    begun: set[tuple[str | None, date | None]] = set()
    for number, each in enumerate(value):
        row = Fields(each, f"{fields.at(name)}[{number}]")
        amount = row.number("amount", "rate", "wage", most=MOST_MONEY, places=places)
        if amount is None:
            raise row.wrong("amount", "write the amount of this row.")
        begins, ends = row.day("from", "valid_from"), row.day("to", "valid_to", "until")
        if begins and ends and ends <= begins:
            raise row.wrong("to", "is the first day the row no longer holds, so it lies after from.")
        read = Rate(amount * 100, row.text("place"), begins, ends, row.text("rule") or "")
        row.done()
        if (read.place, read.valid_from) in begun:
            raise row.wrong("from", "is that of another row of the same place; write which holds from when.")
        begun.add((read.place, read.valid_from))
        rows.append(read)
    if not rows:
        raise fields.wrong(name, "write at least one row.")
    return Rates(tuple(rows))


def _clip(fields: Fields) -> Clip:
    since = fields.choice(("accepted", "arrived", "picked_up"), "from") or "accepted"
    gaps = fields.flag("gaps_excluded")
    has_voided = fields.has("not_cancelled_by")
    voided = fields.texts("not_cancelled_by")
    whole = fields.choice(("exact", "up", "down", "nearest"), "whole_minutes") or "exact"
    fields.done()
    return Clip(since, gaps is not False, voided if has_voided else frozenset({"driver"}), whole)


def _creditable(fields: Fields) -> frozenset[LineKind]:
    if not fields.has("creditable"):
        return CREDITABLE
    kinds: set[LineKind] = set()
    for where, each in fields.items("creditable"):
        if each not in list(LineKind) or LineKind(each) in NEVER_CREDITABLE:
            options = ", ".join(sorted(CREDITABLE))
            raise CaseError(where, f"tips, tolls and floors never count; write any of {options}.")
        kinds.add(LineKind(each))
    return frozenset(kinds)
