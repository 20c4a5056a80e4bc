"""By what a market's orders are planned on a day: its row of rules, or the limits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet
from django.db.models.functions import JSONObject

from drivers.models import Vehicle
from offers import limits
from offers.models import Apart, PlanCar, PlanRules
from stores.models import Market


@dataclass(frozen=True, slots=True)
class Rules:
    """Prices to choose between plans by, in cents, and what a block may hold. `car_cents` and `car_blocks` are by
    kind of car; a kind that is not among them costs nothing more, or may be asked for as often as drivers have it.
    """

    km_cents: int = limits.PLAN_KM_CENTS
    late_cents: int = limits.PLAN_LATE_CENTS
    wait_cents: int = limits.PLAN_DEFER_CENTS
    max_metres: int | None = None
    one_visit: bool = True
    max_trips: int = limits.PLAN_MAX_TRIPS
    apart: tuple[tuple[str, str], ...] = limits.PLAN_APART
    car_cents: Mapping[str, int] = field(default_factory=lambda: dict(limits.PLAN_CAR_CENTS))
    car_blocks: Mapping[str, int] = field(default_factory=dict)


def on(market: Market, day: dt.date) -> Rules:
    """The newest row of the market that is valid on this local day, in one query. A row names all that its market
    keeps apart."""
    row: PlanRules | None = (
        PlanRules.objects.filter(market=market)
        .valid_on(day)  # type: ignore[attr-defined]
        .annotate(
            pairs=ArraySubquery(_of_row(Apart).values(said=JSONObject(one="one", other="other"))),
            sizes=ArraySubquery(
                _of_row(PlanCar).values(said=JSONObject(kind="kind", cents="extra_cents", most="most_blocks"))
            ),
        )
        .order_by("-valid_from")
        .first()
    )
    if row is None:
        return Rules()
    pairs: list[dict[str, str]] = row.pairs  # type: ignore[attr-defined]
    sizes: list[dict[str, Any]] = row.sizes  # type: ignore[attr-defined]
    return Rules(
        km_cents=row.km_cents,
        late_cents=row.late_cents,
        wait_cents=row.wait_cents,
        max_metres=row.max_metres,
        one_visit=row.one_visit,
        max_trips=row.max_trips,
        apart=tuple((pair["one"], pair["other"]) for pair in pairs),
        car_cents={**limits.PLAN_CAR_CENTS, **{size["kind"]: size["cents"] for size in sizes}},
        car_blocks={size["kind"]: size["most"] for size in sizes if size["most"] is not None},
    )


def _of_row(model: type[Apart | PlanCar]) -> QuerySet[Any]:
    return model.objects.filter(rules=OuterRef("pk")).order_by("pk")


def kind_of(*, minimum_age: int | None, goods: str) -> str:
    """The kind of an order, of which `Rules.apart` says what may not ride with what."""
    return str(Apart.Kind.AGE) if minimum_age else goods


KINDS = tuple(Vehicle.CAPACITY)  # from the smallest car to the largest
