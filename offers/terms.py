"""From a market's policy rows to the terms of a block: its kind of shift, its rate, its pay and its
ladder."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from drivers import ledger
from drivers.models import Driver, DriverPosting
from offers import limits, pricing
from offers.models import Block, Holiday, PayFloor, PayPolicy
from retaildelivery.lib.refusals import Refused
from retaildelivery.lib.windows import Window
from stores.models import Mall, Market

MINUTE = dt.timedelta(minutes=1)


class NoPayPolicy(Refused):
    code = "no_pay_policy"
    sentence = _("%(market)s has no pay policy for %(day)s.")


def policy_on(market: Market, day: dt.date) -> PayPolicy:
    """The row valid on this local day, the newest if several are. Raises NoPayPolicy."""
    rows = PayPolicy.objects.filter(market=market).valid_on(day)  # type: ignore[attr-defined]
    policy: PayPolicy | None = rows.order_by("-valid_from", "-pk").first()
    if policy is None:
        raise NoPayPolicy(market=market.name, day=day.isoformat())
    return policy


def kind_of(mall: Mall, window: Window, *, at: dt.datetime) -> pricing.ShiftKind:
    """The kind of shift of a block at this mall that is published at `at`."""
    days = {window.start.astimezone(mall.zone).date(), window.end.astimezone(mall.zone).date()}
    holidays = set(Holiday.objects.filter(market=mall.market_id, on__in=days).values_list("on", flat=True))
    return pricing.shift_kind(
        window,
        tz=mall.zone,
        holidays=holidays,
        lead=window.start - at,
        rules=pricing.ShiftRules(evening_from=dt.time(limits.EVENING_HOUR), short_notice=limits.SHORT_NOTICE),
    )


def base_cents(policy: PayPolicy, kind: pricing.ShiftKind) -> int:
    """Cents an hour before any step."""
    return {
        pricing.ShiftKind.WEEKDAY_DAY: policy.weekday_cents,
        pricing.ShiftKind.EVENING: policy.evening_cents,
        pricing.ShiftKind.WEEKEND: policy.weekend_cents,
        pricing.ShiftKind.HOLIDAY: policy.holiday_cents,
        pricing.ShiftKind.SHORT_NOTICE: policy.short_notice_cents,
    }[kind]


def of_block(block: Block, *, hourly_cents: int, floors: tuple[pricing.FloorRule, ...] = ()) -> pricing.Terms:
    """The terms of this block at an hourly rate: its own base, the rest of the rate as step.

    Floors depend on the work that is done: they are found at settlement (`guarantees`) and are no part of a quote.
    """
    policy = block.policy
    return pricing.Terms(
        rule=policy.code,
        base_cents_h=block.base_hourly_cents,
        step_cents_h=hourly_cents - block.base_hourly_cents,
        free_wait=policy.wait_free_minutes * MINUTE,
        return_cents=policy.return_cents,
        extra_trip_cents=policy.extra_trip_cents,
        extra_cents_mile=policy.extra_mile_cents,
        tolls_refunded=policy.tolls_refunded,
        floors=floors,
    )


def laws_of(lines: QuerySet[DriverPosting]) -> dict[str, dict[str, str]]:
    """The rows that the floors among these lines name, as `verify_pay.py` computes them again."""
    codes = lines.filter(kind=pricing.LineKind.FLOOR)
    named = set(codes.values_list("rule", flat=True))
    # Before floors were rows of their own, lines named the policy.
    rows = PayFloor.objects.filter(code__in=named | {f"{code}-floor" for code in named})
    return {
        row.code if row.code in named else row.code.removesuffix("-floor"): {
            "floor_hourly_cents": str(row.hour_cents or row.minute_cents * 60),
            "floor_mile_cents": str(row.distance_cents),
            "valid_from": row.valid_from.isoformat(),
            "valid_to": row.valid_to.isoformat() if row.valid_to else "",
        }
        for row in rows.order_by("code")
    }


def account_of(driver: Driver, *, at: dt.datetime) -> dict[str, Any]:
    """A driver's whole account with the rows of law it names: what can be checked without us."""
    return ledger.export(driver, at=at, rules=laws_of(ledger.lines_of(driver)))


def pay_cents(block: Block, *, hourly_cents: int) -> int:
    """What the scheduled window pays at this rate, before tips and anything that may happen."""
    return pricing.price(of_block(block, hourly_cents=hourly_cents), pricing.Work(block.length)).total_cents


def ladder(block: Block, *, hourly_cents: int, at: dt.datetime) -> tuple[pricing.Step, ...]:
    """The whole ladder from `at` on, the same for everyone; its first step is the rate now.

    With more than two hours to go the price climbs at full hours before the start. At short notice it climbs
    every `step_minutes` of the policy, or quicker where the start is so near that the cap would not be
    reached, but never quicker than `limits.LADDER_LEAST`.
    """
    policy, start = block.policy, block.starts_at
    cap = max(policy.cap_cents, hourly_cents)
    if policy.step_cents <= 0:
        return (pricing.Step(at, hourly_cents),)
    if start - at >= limits.SHORT_NOTICE:
        return pricing.ladder(
            base_cents_h=hourly_cents,
            cap_cents_h=cap,
            step_cents_h=policy.step_cents,
            start=start,
            first_at=at,
        )
    rises = -(-(cap - hourly_cents) // policy.step_cents)
    pause = min(policy.step_minutes * MINUTE, (start - at) / (rises + 1) // MINUTE * MINUTE)
    pause = max(pause, limits.LADDER_LEAST)
    steps = [pricing.Step(at, hourly_cents)]
    for number in range(1, rises + 1):
        moment = at + number * pause
        if start - moment < pause:
            break
        steps.append(pricing.Step(moment, min(cap, hourly_cents + number * policy.step_cents)))
    return tuple(steps)
