"""What is left of a block's pay by the driver's own figures: before it is claimed, as it was kept with the claim, and
by what was really driven."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction

from drivers import costing
from drivers.models import CostProfile, DriverPosting
from offers import freshness, locks, mileage, pricing
from offers.models import Block, Claim, Mileage
from offers.worked import local_day
from retaildelivery.lib import money


@transaction.atomic(durable=True)
def keep(*, driver_id: int, at: dt.datetime, **given: Any) -> CostProfile:
    """Set the driver's cost profile anew; their feed shows the new figures at once."""
    driver = locks.driver(driver_id)
    made = costing.keep(driver=driver, at=at, **given)
    freshness.touch_driver(driver_id)
    return made


def estimate(costs: costing.Costs, block: Block, *, pay_cents: int) -> pricing.Left:
    """By the planned way, that from home and back, and usual tolls; what a market gives back costs nothing."""
    return pricing.Left(
        pay_cents=pay_cents,
        block_m=block.distance_m,
        way_m=costs.way_m(block.mall.point),
        cents_a_mile=costs.cents_a_mile(local_day(block)),
        tolls_cents=_usual_tolls(costs, block),
        time=block.length,
    )


def expected(costs: costing.Costs, block: Block, *, pay_cents: int) -> dict[str, Any]:
    """What the offer says is left, as a claim keeps it beside its pay and window."""
    said = estimate(costs, block, pay_cents=pay_cents)
    return {
        "expected_m": said.block_m,
        "expected_way_m": said.way_m,
        "expected_cents_a_mile": said.cents_a_mile,
        "expected_tolls_cents": said.tolls_cents,
    }


def said(claim: Claim) -> pricing.Left | None:
    """What the offer had said before it was claimed; None for claims older than this record."""
    if claim.expected_m is None:
        return None
    assert claim.expected_cents_a_mile is not None, "A constraint holds it whole."
    assert claim.expected_tolls_cents is not None, "A constraint holds it whole."
    return pricing.Left(
        pay_cents=claim.pay_cents,
        block_m=claim.expected_m,
        way_m=claim.expected_way_m,
        cents_a_mile=claim.expected_cents_a_mile,
        tolls_cents=claim.expected_tolls_cents,
        time=claim.window.upper - claim.window.lower,
    )


@dataclass(frozen=True, slots=True)
class Afterwards:
    """What a block came to beside what its offer had said. Pay with tips, the miles really driven, from check-in to the
    last stop."""

    actual: pricing.Left
    expected: pricing.Left | None
    mileage: Mileage


def afterwards(
    costs: costing.Costs, claim: Claim, lines: Iterable[DriverPosting], *, driven: Mileage | None = None
) -> Afterwards | None:
    """By the driver's figures of now; None when nothing was driven."""
    driven = driven or mileage.of_claim(claim)
    if driven is None:
        return None
    posted = list(lines)
    block = claim.block
    actual = pricing.Left(
        pay_cents=sum(line.cents for line in posted),
        block_m=driven.metres,
        way_m=costs.way_m(block.mall.point),
        cents_a_mile=costs.cents_a_mile(driven.day),
        # A toll that is given back was paid before.
        tolls_cents=_usual_tolls(costs, block)
        + sum(line.cents for line in posted if line.kind == pricing.LineKind.TOLL),
        time=driven.ended_at - driven.started_at,
    )
    return Afterwards(actual, said(claim), driven)


def _usual_tolls(costs: costing.Costs, block: Block) -> int:
    return 0 if block.policy.tolls_refunded else costs.profile.tolls_cents


@dataclass(frozen=True, slots=True)
class Sum:
    """Several blocks as one; money in cents, ways in metres."""

    pay_cents: int
    metres: int
    cost_cents: int
    time: dt.timedelta

    @property
    def left_cents(self) -> int:
        return self.pay_cents - self.cost_cents

    @property
    def left_hourly_cents(self) -> int:
        return money.per_hour(self.left_cents, self.time)


@dataclass(frozen=True, slots=True)
class Together:
    """What several blocks came to, and what their offers had said; of that None while one of them has no record."""

    blocks: int
    actual: Sum
    expected: Sum | None


def together(found: Sequence[Afterwards]) -> Together:
    told = [each.expected for each in found if each.expected is not None]
    return Together(
        blocks=len(found),
        actual=_sum([each.actual for each in found]),
        expected=_sum(told) if found and len(told) == len(found) else None,
    )


def _sum(each: Sequence[pricing.Left]) -> Sum:
    return Sum(
        pay_cents=sum(one.pay_cents for one in each),
        metres=sum(one.metres for one in each),
        cost_cents=sum(one.cost_cents for one in each),
        time=sum((one.time for one in each), dt.timedelta(0)),
    )


def of_claims(
    costs: costing.Costs, claims: Iterable[Claim], posted: Iterable[DriverPosting]
) -> list[Afterwards]:
    """What these claims of one driver came to, with block, mall, policy and mileage at hand, by their lines."""
    lines: dict[str, list[DriverPosting]] = {}
    for line in posted:
        lines.setdefault(line.subject, []).append(line)
    found = (as_kept(costs, claim, lines.get(subject_of(claim), [])) for claim in claims)
    return [each for each in found if each is not None]


def subject_of(claim: Claim) -> str:
    return f"block:{claim.block.code}"


def kept(claim: Claim) -> Mileage | None:
    """The mileage that was read along with the claim."""
    return getattr(claim, "mileage", None)


def between(costs: costing.Costs, *, start: dt.datetime, end: dt.datetime) -> Together:
    """What blocks that ended in this time came to; two queries."""
    driver = costs.profile.driver_id
    claims = list(
        Claim.objects.filter(driver=driver, mileage__ended_at__gte=start, mileage__ended_at__lt=end)
        .select_related("block__mall__market", "block__policy", "mileage")
        .order_by("pk")
    )
    subjects = [subject_of(claim) for claim in claims]
    posted = DriverPosting.objects.filter(driver=driver, subject__in=subjects)
    return together(of_claims(costs, claims, posted if claims else []))


def as_kept(costs: costing.Costs, claim: Claim, lines: Sequence[DriverPosting]) -> Afterwards | None:
    """`afterwards` of a claim that was read with its mileage, without a query; None until the sweep has been there."""
    driven = kept(claim)
    return afterwards(costs, claim, lines, driven=driven) if driven else None


def left_of(costs: costing.Costs, claim: Claim, lines: Sequence[DriverPosting]) -> pricing.Left:
    """What is left of a paid block: by the miles driven where they are kept, else by the planned ones. Who was stood
    down came and went; for what was taken back nobody left home."""
    found = as_kept(costs, claim, lines)
    if found:
        return found.actual
    planned = estimate(costs, claim.block, pay_cents=sum(line.cents for line in lines))
    if claim.ending in Claim.DRIVEN:
        return planned
    way_m = planned.way_m if claim.ending == Claim.Ending.STOOD_DOWN else None
    return replace(planned, block_m=0, way_m=way_m, tolls_cents=0)
