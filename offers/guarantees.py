"""What laws guarantee, found for work that was done and paid: of a block, of a shift, of a week, of all drivers.

What is due is a line of the driver's account; what was found is kept either way (`FloorFinding`). The key of both says
of whom, of what and by which law, so that finding it again pays nothing twice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from django.db.models import Sum
from django.utils import translation
from django.utils.translation import gettext as _now

from deliveries.models import Stop
from drivers import ledger
from drivers.models import Driver, DriverPosting
from offers import laws, paywords, pricing, worked
from offers.laws import Law
from offers.models import Block, Claim, FloorFinding, PayFloor
from offers.models.law import all_counted
from retaildelivery.prepared import PreparedInsert
from stores.models import Mall

PAID = (Claim.Ending.COMPLETED, Claim.Ending.ABORTED, Claim.Ending.STOOD_DOWN, Claim.Ending.WITHDRAWN)
WORKED = (Claim.Ending.COMPLETED, Claim.Ending.ABORTED)
ABOVE = (pricing.LineKind.FLOOR, pricing.LineKind.MILEAGE)


@dataclass(frozen=True, slots=True)
class Done:
    """A block that was paid, as laws see it."""

    mall: Mall
    on: dt.date
    offered: pricing.Offered


@dataclass(frozen=True, slots=True)
class Found:
    """What a law comes to for a driver, and by which rows."""

    law: Law
    due: pricing.Due
    rows: tuple[PayFloor, ...]
    last_on: dt.date


def of_blocks(blocks: Collection[Block]) -> dict[laws.Place, list[Law]]:
    """The laws that compare each block by itself, by the mall and day of these blocks. A query for each mall; two more
    where wages are looked up."""
    places = {
        (block.mall.code, day): (block.mall, day) for block in blocks for day in [worked.local_day(block)]
    }
    rows: dict[laws.Place, list[tuple[Mall, dt.date, PayFloor]]] = {place: [] for place in places}
    for mall, day, row in laws.rows_of(list(places.values()), scopes=[PayFloor.Scope.OFFER]):
        rows[mall.code, day].append((mall, day, row))
    return {place: laws.of(sorted(held, key=lambda each: each[2].law)) for place, held in rows.items()}


def done(claims: Sequence[Claim]) -> list[Done]:
    """Blocks that were paid, with what they were paid and what was engaged, read back from the account and the stops.
    Three queries."""
    subjects = {f"block:{claim.block.code}": claim for claim in claims}
    paid = _paid([claim.driver_id for claim in claims], subjects)
    stops = worked.stops_of(claim.block for claim in claims)
    found = []
    for claim in claims:
        block = claim.block
        lines = paid.get((claim.driver_id, f"block:{block.code}"), {})
        granted = paid.get((claim.driver_id, f"shift:{block.code}"), {})
        earned = {pricing.LineKind(kind): Fraction(cents) for kind, cents in lines.items() if kind in KINDS}
        offered = pricing.Offered(
            key=f"block:{block.code}",
            driver=claim.driver.code,
            engaged=_engaged(claim, stops.get(block.manifest_id or 0, [])),
            paid={kind: cents for kind, cents in earned.items() if kind not in ABOVE},
            mileage_paid=Fraction(lines.get("mileage", 0) + granted.get("mileage", 0)),
            done=claim.ending in WORKED,
            granted=Fraction(lines.get("floor", 0) + granted.get("floor", 0)),
        )
        found.append(Done(block.mall, worked.local_day(block), offered))
    return found


KINDS = frozenset(str(kind) for kind in pricing.LineKind)


def _paid(driver_ids: Collection[int], subjects: Collection[str]) -> dict[tuple[int, str], dict[str, int]]:
    """Cents by driver and subject, and by kind; a shift's top-up stands with the block it began with."""
    names = [*subjects, *(name.replace("block:", "shift:", 1) for name in subjects)]
    rows = DriverPosting.objects.filter(driver__in=set(driver_ids), subject__in=names)
    summed = rows.values_list("driver_id", "subject", "kind").annotate(cents=Sum("cents"))
    found: dict[tuple[int, str], dict[str, int]] = {}
    for driver_id, subject, kind, cents in summed:
        found.setdefault((driver_id, subject), {})[kind] = cents
    return found


def _engaged(claim: Claim, stops: Sequence[Stop]) -> tuple[pricing.Engaged, ...]:
    block = claim.block
    if claim.ending not in WORKED or block.checked_in_at is None:
        return ()
    if claim.ending == Claim.Ending.ABORTED:
        over_at = block.manifest.aborted_at if block.manifest else None
        return (worked.engaged_until_aborted(block, stops, over_at=over_at),)
    assert block.completed_at is not None, "A completed block has its time."
    return (worked.engaged_in(block, stops, until=worked.worked_until(stops, at=block.completed_at)),)


def find(blocks: Sequence[Done], *, scopes: Collection[str]) -> list[Found]:
    """What the laws of these scopes come to over these blocks, the narrowest first; what one tops up counts towards
    the next."""
    offered = {each.offered.key: each for each in blocks}
    granted: dict[str, Fraction] = {}
    found: list[Found] = []
    places = [(each.mall, each.on) for each in blocks]
    for law in laws.of(laws.rows_of(places, scopes=scopes)):
        held = [each for each in blocks if (each.mall.code, each.on) in law.rows]
        parts = [
            replace(each.offered, granted=each.offered.granted + granted.get(each.offered.key, Fraction(0)))
            for each in held
        ]
        for due in pricing.dues([law.rule], parts):
            own = [offered[key] for key in due.offers]
            used = {law.rows[each.mall.code, each.on] for each in own}
            last_on = max(each.on for each in own)
            found.append(Found(law, due, tuple(sorted(used, key=lambda row: row.valid_from)), last_on))
            granted[due.offers[0]] = granted.get(due.offers[0], Fraction(0)) + due.top_up_cents
    return found


def keep(
    found: Found,
    *,
    key: str,
    subject: str,
    driver: Driver,
    text: str,
    of: Collection[str],
    posted_at: dt.datetime,
) -> None:
    """Post what is due and keep what was found. `text` holds the place of the sentence as %(what)s, `of` are the
    subjects of the account that were counted."""
    with translation.override(driver.user.locale):
        lines = [
            ledger.Line(
                key=key if line.kind is pricing.LineKind.FLOOR else f"{key}:{line.kind}",
                kind=str(line.kind),
                cents=line.cents,
                text=_now(text) % {"what": paywords.sentence(line)},
                rule=line.rule,
                subject=subject,
                params={**dict(line.params), **numbers(found.law, found.due), "of": " ".join(of)},
            )
            for line in found.due.lines()
            if line.cents
        ]
    ledger.post_all(driver=driver, lines=lines, at=posted_at)
    finding(found, key=key, subject=subject, driver=driver, at=posted_at).save(force_insert=True)


def of_block(
    claim: Claim, laws: Sequence[Law], dues: Sequence[pricing.Due], *, at: dt.datetime
) -> list[FloorFinding]:
    """What the laws of a block by itself came to, not saved; its lines are posted with the others of the block."""
    subject = f"block:{claim.block.code}"
    by_rule = {law.rule: law for law in laws}
    rows = []
    for due in dues:
        law = by_rule[due.floor]
        found = Found(law, due, (law.row,), worked.local_day(claim.block))
        key = f"{subject}:floor:{law.row.code}"
        rows.append(finding(found, key=key, subject=subject, driver=claim.driver, at=at))
    return rows


_FINDINGS = PreparedInsert(FloorFinding)


def keep_all(found: Sequence[FloorFinding]) -> None:
    """Save what was found, in one statement."""
    _FINDINGS.run(found)


def said(found: Sequence[Law], dues: Sequence[pricing.Due]) -> dict[str, dict[str, str]]:
    """What the lines of a block's own floors say beside their sentences, by their row.

    Where the row alone says the floor (an hourly or minute's rate and a rate a mile), `seconds` and `metres` let the
    script compute it again; a floor that credits kinds of its own says what it is `of`.
    """
    by_rule = {law.rule: law for law in found}
    told = {}
    for due in dues:
        law = by_rule[due.floor]
        row, params = law.row, numbers(law, due)
        plain = not (row.wage_percent or row.minimum_cents or row.each_minimum_cents) and row.utilisation == 1
        in_miles = row.distance_unit == PayFloor.Unit.MILE and row.mileage != PayFloor.Mileage.ON_TOP
        if plain and in_miles:
            params["seconds"] = params.pop("engaged_seconds")
        if set(row.creditable) != set(all_counted()):
            params["of"] = "this block"
        told[law.row.code] = params
    return told


def numbers(law: Law, due: pricing.Due) -> dict[str, str]:
    """How much was engaged, and by which rows of the wage."""
    time = f"{due.time.total_seconds():f}".rstrip("0").rstrip(".")
    told = {"engaged_seconds": time, "metres": str(int(due.metres))}
    wages = sorted({wage.code for wage in law.wages.values()})
    return {**told, "wages": " ".join(wages)} if wages else told


def finding(found: Found, *, key: str, subject: str, driver: Driver, at: dt.datetime) -> FloorFinding:
    """The record of it, not saved."""
    due = found.due
    return FloorFinding(
        key=key,
        driver=driver,
        floor=found.law.row,
        rows=[row.pk for row in found.rows],
        wages=sorted({wage.pk for wage in found.law.wages.values()}),
        subject=subject,
        last_on=found.last_on,
        time=due.time,
        metres=int(due.metres),
        least_cents=pricing.round_half_up(due.least),
        credited_cents=pricing.round_half_up(due.credited),
        top_up_cents=due.top_up_cents,
        mileage_cents=due.mileage_cents,
        at=at,
    )
