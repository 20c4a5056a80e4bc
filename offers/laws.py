"""From rows to the engine's rules: which floors hold where and when, and at what wage."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal

from offers import pricing
from offers.models import Jurisdiction, PayFloor, Wage
from stores.models import Mall

HOUR_MINUTES = 60
Place = tuple[str, dt.date]  # the code of a mall, and a local day there


@dataclass(frozen=True, slots=True)
class Law:
    """One law as the engine takes it, and the rows it was made from, by place and day of a pickup."""

    rule: pricing.FloorRule
    rows: dict[Place, PayFloor]
    wages: dict[Place, Wage]

    @property
    def row(self) -> PayFloor:
        """The newest row, which the lines name."""
        return max(self.rows.values(), key=lambda row: row.valid_from)


def holding(mall: Mall, day: dt.date, *, scopes: Collection[str]) -> list[PayFloor]:
    """The rows that hold for a block of this day at this mall. One query."""
    rows = PayFloor.objects.filter(scope__in=scopes).of_mall(mall).valid_on(day)  # type: ignore[attr-defined]
    return list(rows.order_by("law"))


def of(rows: Collection[tuple[Mall, dt.date, PayFloor]]) -> list[Law]:
    """The laws of these rows, each with where and when it holds, the narrowest scope first.

    Rows of one law that differ in nothing but amounts are one rule, so that a week over a change of rates is one week.
    """
    wages = wages_at({(mall, day) for mall, day, row in rows if row.wage_percent})
    grouped: dict[tuple[object, ...], dict[Place, PayFloor]] = {}
    for mall, day, row in rows:
        grouped.setdefault(_shape(row), {})[mall.code, day] = row
    scopes = list(pricing.Scope)
    laws = [
        Law(
            _rule(held, wages), held, {place: wages[place] for place, row in held.items() if row.wage_percent}
        )
        for held in grouped.values()
    ]
    return sorted(laws, key=lambda law: (scopes.index(law.rule.scope), law.row.law))


def wages_at(places: Collection[tuple[Mall, dt.date]]) -> dict[Place, Wage]:
    """The wage there and then: the newest row of each jurisdiction the mall lies in, the highest of those."""
    if not places:
        return {}
    through = Jurisdiction.malls.through.objects.filter(mall__in={mall.pk for mall, _day in places})
    lies_in: dict[int, set[int]] = {}
    for mall_id, place_id in through.values_list("mall_id", "jurisdiction_id"):
        lies_in.setdefault(mall_id, set()).add(place_id)
    wanted = set().union(*lies_in.values()) if lies_in else set()
    rows = list(Wage.objects.filter(jurisdiction__in=wanted).order_by("valid_from"))
    found: dict[Place, Wage] = {}
    for mall, day in places:
        newest = {
            row.jurisdiction_id: row
            for row in rows
            if row.jurisdiction_id in lies_in.get(mall.pk, ()) and row.valid_from <= day
        }
        found[mall.code, day] = max(newest.values(), key=lambda row: row.hour_cents)
    return found


def _shape(row: PayFloor) -> tuple[object, ...]:
    """What rows of one law must have in common to be one rule."""
    return (
        row.law, row.scope, row.mileage, row.distance_unit, row.minimum_cents, row.each_minimum_cents,
        row.engaged_from, row.counts_on_call, row.utilisation, row.share, tuple(sorted(row.creditable)),
    )  # fmt: skip


def _rule(held: dict[Place, PayFloor], wages: dict[Place, Wage]) -> pricing.FloorRule:
    row = max(held.values(), key=lambda row: row.valid_from)
    return pricing.FloorRule(
        rule=row.code,
        wage_cents_h=_rates({place: _hour_cents(each, wages.get(place)) for place, each in held.items()}),
        distance_cents=_rates({place: short(each.distance_cents) for place, each in held.items()}),
        distance_unit=row.distance_unit,
        mileage=pricing.Mileage(row.mileage),
        minimum_cents=row.minimum_cents,
        each_minimum_cents=row.each_minimum_cents,
        creditable=frozenset(pricing.LineKind(kind) for kind in row.creditable),
        scope=pricing.Scope(row.scope),
        utilisation=row.utilisation,
        counts_on_call=row.counts_on_call,
        share=pricing.Share(row.share),
        clip=pricing.Clip(since=row.engaged_from),
        takes_wage=False,
    )


def _hour_cents(row: PayFloor, wage: Wage | None) -> Decimal:
    if row.wage_percent:
        assert wage is not None, "A percent floor needs a wage when it is made."
        return wage.hour_cents * row.wage_percent / 100
    return row.hour_cents or row.minute_cents * HOUR_MINUTES


def _rates(amounts: dict[Place, Decimal]) -> pricing.Rates:
    day = dt.timedelta(days=1)
    return pricing.Rates(
        tuple(pricing.Rate(amount, place, on, on + day) for (place, on), amount in amounts.items())
    )


def short(number: Decimal) -> Decimal:
    """Without the zeros that a column adds."""
    return Decimal(f"{number.normalize():f}")


def rows_of(
    places: Sequence[tuple[Mall, dt.date]], *, scopes: Collection[str]
) -> list[tuple[Mall, dt.date, PayFloor]]:
    """The rows that hold for each of these pickups: a query for each mall."""
    found = []
    malls = {mall.pk: mall for mall, _day in places}
    for mall in malls.values():
        rows = list(PayFloor.objects.filter(scope__in=scopes).of_mall(mall))  # type: ignore[attr-defined]
        for day in {day for each, day in places if each.pk == mall.pk}:
            found += [
                (mall, day, row)
                for row in rows
                if row.valid_from <= day and (row.valid_to is None or day < row.valid_to)
            ]
    return found
