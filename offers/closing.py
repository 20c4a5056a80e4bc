"""Shifts and weeks come to their end: what laws guarantee over several blocks is found and posted, once.

A shift is closed when its last block is settled, a week of a driver when every block that began in it is; a pool of
all drivers waits for the last of them, but no longer than `limits.POOL_WAITS`. What was missed is found by the sweep
of the statements.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_noop as _

from drivers.models import Driver, DriverPosting
from offers import guarantees, limits, locks
from offers.guarantees import PAID, WORKED, Done
from offers.models import Block, Claim, FloorFinding, Jurisdiction, PayFloor, StandBy
from offers.pricing import Engaged, Offered
from retaildelivery.lib.windows import Window, monday_of
from retaildelivery.outbox.models import Fact
from stores.models import Mall, Market

WEEK = dt.timedelta(days=7)
INSTANT = dt.timedelta(microseconds=1)
ZERO = dt.timedelta(0)
SHIFT_TEXT = _("Shift: %(what)s")
WEEK_TEXT = _("Week: %(what)s")


# -- Shifts ----------------------------------------------------------------------------------------------------


def follow_pay(*, fact: Fact, at: dt.datetime) -> None:
    """Reaction to a settled block: the shift that ends with it is closed."""
    codes = [each.removeprefix("block:") for each in fact.subjects if each.startswith("block:")]
    block = Block.objects.select_related("mall__market").filter(code__in=codes).first()
    if block is None or not _floors(PayFloor.Scope.SHIFT).of_mall(block.mall).exists():  # type: ignore[attr-defined]
        return
    claim = Claim.objects.filter(block=block, ending__in=WORKED).first()
    if claim is not None:
        driver = locks.driver(claim.driver_id)
        reach = limits.SHIFT_REACH
        close_shifts(driver, Window(block.starts_at - reach, block.ends_at + reach), at=at)


def close_shifts(driver: Driver, within: Window, *, at: dt.datetime) -> None:
    """Inner verb: every shift of a locked driver in this time that has nothing left to do. One that grew after it was
    closed is found again, and what it was paid counts."""
    held = _claims(driver, within).filter(Q(ended_at=None) | Q(ending__in=WORKED))
    for shift in _shifts(list(held)):
        if all(claim.ended_at is not None for claim in shift):
            _close_shift(driver, shift, at=at)


def _shifts(claims: Sequence[Claim]) -> list[list[Claim]]:
    found: list[list[Claim]] = []
    for claim in sorted(claims, key=lambda claim: claim.block.starts_at):
        last = max((each.block.ends_at for each in found[-1]), default=None) if found else None
        if last is not None and claim.block.starts_at - last <= limits.SHIFT_BREAK:
            found[-1].append(claim)
        else:
            found.append([claim])
    return found


def _close_shift(driver: Driver, shift: Sequence[Claim], *, at: dt.datetime) -> None:
    subject = f"shift:{shift[0].block.code}"
    blocks = guarantees.done(shift)
    for found in guarantees.find(blocks, scopes=[PayFloor.Scope.SHIFT]):
        key = f"{subject}:{found.law.row.law}:{shift[-1].block.code}"
        if not FloorFinding.objects.filter(key=key).exists():
            of = [each.offered.key for each in blocks] + [subject]
            guarantees.keep(
                found, key=key, subject=subject, driver=driver, text=SHIFT_TEXT, of=of, posted_at=at
            )


# -- Weeks -----------------------------------------------------------------------------------------------------


def close_weeks(market: Market, *, at: dt.datetime) -> int:
    """What laws guarantee over the last weeks of a market; how many drivers' weeks were closed. A repeat closes
    none."""
    closed = 0
    by_scope = {
        scope: _malls_under(market, scope)
        for scope in (PayFloor.Scope.SHIFT, PayFloor.Scope.PERIOD, PayFloor.Scope.POOL)
    }
    if not any(by_scope.values()):
        return 0
    for number in range(limits.PERIODS_BACK, 0, -1):
        week = week_of(market, at - number * WEEK)
        malls = by_scope[PayFloor.Scope.SHIFT] | by_scope[PayFloor.Scope.PERIOD]
        for driver_id in _due(market, week, malls):
            closed += close_week(market, week, driver_id=driver_id, at=at)
        if by_scope[PayFloor.Scope.POOL]:
            closed += close_pool(market, week, malls=by_scope[PayFloor.Scope.POOL], at=at)
    return closed


def week_of(market: Market, moment: dt.datetime) -> Window:
    """The market's week that contains a moment, Monday to Monday."""
    return week_in(market.zone, moment)


def week_in(zone: ZoneInfo, moment: dt.datetime) -> Window:
    """The week of a zone that contains a moment."""
    monday = monday_of(moment.astimezone(zone).date())
    starts, ends = (
        dt.datetime.combine(day, dt.time(), tzinfo=zone) for day in (monday, monday + dt.timedelta(days=7))
    )
    return Window(starts, ends)


def subject_of(market: Market, week: Window) -> str:
    return f"week:{market.code}:{week.start.astimezone(market.zone).date().isoformat()}"


def _due(market: Market, week: Window, malls: set[int]) -> list[int]:
    """Drivers with paid blocks of the week at these malls, none of whose blocks is still open, and whose week is not
    closed."""
    claims = _begun_in(week).filter(block__mall__in=malls)
    kept = FloorFinding.objects.filter(driver=OuterRef("driver"), subject=subject_of(market, week))
    open_ = _begun_in(week).filter(driver=OuterRef("driver"), block__mall__market=market, ended_at=None)
    due = claims.filter(~Exists(kept), ~Exists(open_), ending__in=PAID)
    return sorted(set(due.values_list("driver_id", flat=True)))


@transaction.atomic(durable=True)
def close_week(market: Market, week: Window, *, driver_id: int, at: dt.datetime) -> bool:
    """One driver's week; False when it is closed already or not over.

    Its lines are posted as of the week's last moment, so that they are on the statement of that week.
    """
    driver = locks.driver(driver_id)
    subject = subject_of(market, week)
    claims = list(_claims(driver, week).filter(block__mall__market=market))
    claims = [claim for claim in claims if week.contains(claim.block.starts_at)]
    if any(claim.ended_at is None for claim in claims):
        return False
    if FloorFinding.objects.filter(driver=driver, subject=subject).exists():
        return False
    last = week.end - INSTANT
    close_shifts(driver, week, at=min(at, last))
    blocks = guarantees.done([claim for claim in claims if claim.ending in PAID])
    found = guarantees.find(blocks, scopes=[PayFloor.Scope.PERIOD])
    for each in found:
        guarantees.keep(
            each,
            key=f"{subject}:{driver.code}:{each.law.row.law}",
            subject=subject,
            driver=driver,
            text=WEEK_TEXT,
            of=list(each.due.offers) + [f"shift:{key.removeprefix('block:')}" for key in each.due.offers],
            posted_at=last,
        )
    return bool(found)


@transaction.atomic(durable=True)
def close_pool(market: Market, week: Window, *, malls: set[int], at: dt.datetime) -> int:
    """The pool of a week: all drivers at these malls together; how many were paid or found nothing due."""
    locks.bound_waiting()
    subject = subject_of(market, week)
    begun = _begun_in(week).filter(block__mall__in=malls)
    if at < week.end + limits.POOL_WAITS and begun.filter(ended_at=None).exists():
        return 0
    if FloorFinding.objects.filter(subject=f"{subject}:pool").exists():
        return 0
    claims = list(begun.filter(ending__in=PAID).select_related(*JOINED).order_by("driver_id", "pk"))
    drivers = {claim.driver.code: claim.driver for claim in claims}
    blocks = _with_tops([*guarantees.done(claims)], subject, drivers)
    blocks += _on_call(blocks, claims, week)
    found = guarantees.find(blocks, scopes=[PayFloor.Scope.POOL])
    for each in sorted(found, key=lambda each: drivers[each.due.driver].pk):
        driver = drivers[each.due.driver]
        guarantees.keep(
            each,
            key=f"{subject}:{driver.code}:{each.law.row.law}",
            subject=f"{subject}:pool",
            driver=driver,
            text=WEEK_TEXT,
            of=[],
            posted_at=week.end - INSTANT,
        )
    return len(found)


def _with_tops(blocks: list[Done], subject: str, drivers: dict[str, Driver]) -> list[Done]:
    """What the week's own floors topped up counts towards the pool: it stands with each driver's first block."""
    rows = DriverPosting.objects.filter(driver__in=drivers.values(), subject=subject)
    tops: dict[str, dict[str, int]] = {}
    for code, kind, cents in rows.values_list("driver__code", "kind", "cents"):
        kinds = tops.setdefault(code, {})
        kinds[kind] = kinds.get(kind, 0) + cents
    told = []
    for each in blocks:
        own = tops.pop(each.offered.driver, {})
        offered = replace(
            each.offered,
            granted=each.offered.granted + own.get("floor", 0),
            mileage_paid=each.offered.mileage_paid + own.get("mileage", 0),
        )
        told.append(replace(each, offered=offered))
    return told


def _on_call(blocks: Sequence[Done], claims: Sequence[Claim], week: Window) -> list[Done]:
    """Hours of standing by in which the driver had no block, beside the first block of each driver."""
    first = {each.offered.driver: each for each in reversed(blocks)}
    busy: dict[int, list[Window]] = {}
    for claim in claims:
        busy.setdefault(claim.driver_id, []).append(Window(claim.block.starts_at, claim.block.ends_at))
    stood = StandBy.objects.filter(driver__in=busy, window__overlap=(week.start, week.end))
    found = []
    for row in stood.select_related("driver"):
        beside = first[row.driver.code]
        starts = max(row.window.lower, row.joined_at, week.start)
        ends = min(row.window.upper, row.left_at or row.window.upper, week.end)
        if ends <= starts or row.mall_id != beside.mall.pk:
            continue
        span = Window(starts, ends)
        shared = [part.duration for each in busy[row.driver_id] if (part := span.intersection(each))]
        idle = span.duration - sum(shared, ZERO)
        offered = Offered(
            key=f"stand_by:{row.code}",
            driver=row.driver.code,
            engaged=(Engaged(on_call=max(ZERO, idle), place=beside.mall.code, day=beside.on),),
            done=False,
        )
        found.append(replace(beside, offered=offered))
    return found


# -- Questions -------------------------------------------------------------------------------------------------

JOINED = ("block__mall__market", "block__manifest", "driver__user")


def _floors(scope: str) -> QuerySet[PayFloor]:
    return PayFloor.objects.filter(scope=scope)


def _malls_under(market: Market, scope: str) -> set[int]:
    """Malls of the market at which a law of this scope holds or held."""
    rows = list(_floors(scope).values_list("market_id", "jurisdiction_id"))
    if not rows:
        return set()
    malls = Mall.objects.filter(market=market)
    if market.pk in {market_id for market_id, _place in rows}:
        return set(malls.values_list("pk", flat=True))
    places = {place for _market, place in rows if place is not None}
    lying = Jurisdiction.malls.through.objects.filter(jurisdiction__in=places, mall__in=malls)
    return set(lying.values_list("mall_id", flat=True))


def _begun_in(week: Window) -> QuerySet[Claim]:
    return Claim.objects.filter(
        block__window__startswith__gte=week.start, block__window__startswith__lt=week.end
    )


def _claims(driver: Driver, within: Window) -> QuerySet[Claim]:
    """The driver's claims whose blocks lie in this time, wholly or in part."""
    rows = Claim.objects.filter(driver=driver, window__overlap=(within.start, within.end))
    return rows.select_related(*JOINED).order_by("pk")
