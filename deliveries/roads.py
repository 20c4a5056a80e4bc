"""Which curve of travel times a market is planned with, and fitting a new one to the legs its drivers drove."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import pairwise

from django.db import transaction

from deliveries import limits
from deliveries.models import RoadFit, Stop
from retaildelivery.lib import roads
from retaildelivery.lib.geo import Point, crow_km
from retaildelivery.lib.roads import Curve, Leg
from retaildelivery.outbox import worlds
from stores.models import Market

DEFAULT = Curve()


def curve_of(market: Market, *, at: dt.datetime) -> Curve:
    """The newest adopted fit, or the default curve; that always in a sandbox, whose runs repeat themselves."""
    if worlds.current() != worlds.LIVE:
        return DEFAULT
    newest = RoadFit.objects.filter(market=market).valid_at(at).order_by("-valid_from", "-pk").first()  # type: ignore[attr-defined]
    return DEFAULT if newest is None else newest.curve


@transaction.atomic(durable=True)
def calibrate(*, market: Market, at: dt.datetime) -> RoadFit:
    """Fit the market's travel times to its legs of late, and use the fit when it is made from enough of them and
    errs less than the curve in use. What was tried is kept either way."""
    driven = legs_of(market, at=at)
    found = roads.fit(driven, before=curve_of(market, at=at))
    row = RoadFit(market=market, fitted_at=at, legs=found.legs if found else 0)
    row.legs_left_out = len(driven) - row.legs
    if found is None or found.legs < limits.FIT_LEGS:
        row.verdict = RoadFit.Verdict.TOO_FEW_LEGS
    elif not found.is_better:
        row.verdict = RoadFit.Verdict.NO_BETTER
    else:
        row.verdict, row.valid_from = RoadFit.Verdict.ADOPTED, at
    if found is not None and row.verdict != RoadFit.Verdict.TOO_FEW_LEGS:
        row.minutes_per_km, row.exponent = found.curve.minutes_per_km, found.curve.exponent
        row.factors = list(found.curve.factors)
        row.error_percent = round(found.error_percent, 2)
        row.error_before_percent = round(found.error_before_percent, 2)
    row.save()
    return row


def legs_of(market: Market, *, at: dt.datetime) -> list[Leg]:
    """Ways between stops that drivers of the market have driven of late, the newest first: from the mall at
    departure, then from the end of each stop to the arrival at the next in the order they were visited. Between two
    trips lies a loading, of which no way is read."""
    rows = (
        Stop.objects.filter(
            manifest__mall__market=market,
            manifest__departed_at__gte=at - limits.FIT_BACK,
            manifest__departed_at__lte=at,
            arrived_at__isnull=False,
        )
        .exclude(kind=Stop.Kind.PICKUP)
        .select_related("manifest__mall")
        .order_by("-manifest__departed_at", "manifest_id", "arrived_at", "pk")[: limits.FIT_LEGS_MOST]
    )
    by_manifest: dict[int, list[Stop]] = {}
    for stop in rows:
        by_manifest.setdefault(stop.manifest_id, []).append(stop)
    return [leg for stops in by_manifest.values() for leg in _legs(stops)]


def _legs(stops: list[Stop]) -> Iterator[Leg]:
    manifest = stops[0].manifest
    zone = manifest.mall.zone
    begin = (manifest.mall.point, manifest.departed_at)
    places: list[tuple[Point, dt.datetime | None, dt.datetime | None, tuple[int, bool]]]
    places = [(begin[0], None, begin[1], (1, False))]
    places += [
        (stop.point, stop.arrived_at, stop.completed_at, (stop.trip, stop.kind == Stop.Kind.RETURN))
        for stop in stops
    ]
    for (origin, _came, left_at, (trip, at_mall)), (goal, arrived_at, _left, (then, back)) in pairwise(
        places
    ):
        if then != trip or (at_mall and not back):
            continue
        if left_at is not None and arrived_at is not None and arrived_at > left_at:
            minutes = (arrived_at - left_at) / dt.timedelta(minutes=1)
            yield Leg(crow_km(origin, goal), minutes, left_at.astimezone(zone).hour)
