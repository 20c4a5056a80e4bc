"""What was driven for a block, read from the record when it has ended and kept: positions are forgotten in a month."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction

from deliveries.models import Consignment, Stop
from drivers.models import Position
from offers import limits, locks, tracing, worked
from offers.models import Block, Claim, Mileage
from retaildelivery.lib.geo import Point, road_m


def sweep(*, at: dt.datetime) -> int:
    """Keep what was driven for blocks that have ended; how many. A repeat keeps none, two at once share the work."""
    kept = 0
    for _round in range(limits.MILEAGE_ROUNDS):
        done = _keep_some(at=at)
        kept += done
        if done < limits.SWEEP_BATCH:
            break
    return kept


@transaction.atomic(durable=True)
def _keep_some(*, at: dt.datetime) -> int:
    claims = locks.claims_to_measure(limits.SWEEP_BATCH)
    found = [each for each in measured(claims) if each is not None]
    Mileage.objects.bulk_create(found, ignore_conflicts=True)
    Claim.objects.filter(pk__in=[claim.pk for claim in claims]).update(measured_at=at)
    return len(claims)


def of_claim(claim: Claim) -> Mileage | None:
    """What was driven for it: as kept, or read now while it is not yet; None when nothing was."""
    if claim.measured_at is not None:
        return Mileage.objects.filter(claim=claim).first()
    return measured([claim])[0] if claim.ending in Claim.DRIVEN else None


def measured(claims: Sequence[Claim]) -> list[Mileage | None]:
    """For each of these ended claims, with block, mall and manifest at hand; None without a check-in."""
    manifests = [claim.block.manifest_id for claim in claims if claim.block.manifest_id]
    stops: dict[int, list[Stop]] = {}
    for stop in Stop.objects.filter(manifest__in=manifests).select_related("store", "handover"):
        stops.setdefault(stop.manifest_id, []).append(stop)
    codes: dict[int, set[str]] = {}
    reached = Consignment.objects.filter(manifest__in=manifests, dropoff__arrived_at__isnull=False)
    for manifest, code in reached.values_list("manifest", "order__postal_code").distinct():
        codes.setdefault(manifest, set()).add(code)
    return [
        _measured(claim, stops.get(claim.block.manifest_id or 0, []), codes.get(claim.block.manifest_id or 0))
        for claim in claims
    ]


def _measured(claim: Claim, stops: Sequence[Stop], codes: set[str] | None) -> Mileage | None:
    block = claim.block
    start = block.checked_in_at
    if start is None:
        return None
    end = max(start, _end(claim, stops))
    source, driven_m, back_m = _way(claim, stops, start=start, end=end)
    doors = sum(stop.kind == Stop.Kind.DROPOFF and stop.arrived_at is not None for stop in stops)
    return Mileage(
        claim=claim,
        driver_id=claim.driver_id,
        day=start.astimezone(block.mall.zone).date(),
        started_at=start,
        ended_at=end,
        driven_m=driven_m,
        back_m=back_m,
        source=source,
        doors=doors,
        places=", ".join(sorted(filter(None, codes or ())))[:200],
    )


def _end(claim: Claim, stops: Sequence[Stop]) -> dt.datetime:
    """When the work was over, as it is paid."""
    block, manifest = claim.block, claim.block.manifest
    if claim.ending == Claim.Ending.ABORTED:
        return worked.aborted_until(block, over_at=manifest.aborted_at if manifest else None)
    assert claim.ended_at is not None, "Only what has ended is measured."
    return worked.worked_until(stops, at=claim.ended_at)


def _way(
    claim: Claim, stops: Sequence[Stop], *, start: dt.datetime, end: dt.datetime
) -> tuple[str, int, int]:
    """Whose word counts, the metres to the last stop, and those from there to the mall. A car that broke down is not
    driven back."""
    block = claim.block
    mall = block.mall.point
    reached = sorted(
        (tracing.Fix(stop.arrived_at, stop.point) for stop in stops if stop.arrived_at is not None),
        key=lambda fix: fix.at,
    )
    back = claim.ending == Claim.Ending.COMPLETED
    fixes = _positions(claim, start=start, end=end)
    if tracing.covered(fixes, start=start, end=end):
        known = [fix for fix in reached if fix.at <= end]
        driven_m, last = tracing.way_m(tracing.Fix(start, mall), fixes, known)
        return Mileage.Source.POSITIONS, driven_m, _back_m(block, last.point) if back else 0
    last_point = reached[-1].point if reached else mall
    back_m = _back_m(block, last_point) if back else 0
    if back and stops and _as_planned(stops):
        return Mileage.Source.PLANNED, max(0, block.distance_m - back_m), min(back_m, block.distance_m)
    return Mileage.Source.STOPS, worked.visited_m(block, stops), back_m


def _back_m(block: Block, last: Point) -> int:
    """From the last place back to the mall; nothing from within its circle."""
    metres = road_m(last, block.mall.point)
    return metres if metres > block.mall.geofence_m else 0


def _as_planned(stops: Sequence[Stop]) -> bool:
    """Every planned door and counter was reached, and nothing was brought back."""
    return all(stop.arrived_at is not None and stop.kind != Stop.Kind.RETURN for stop in stops)


def _positions(claim: Claim, *, start: dt.datetime, end: dt.datetime) -> list[tracing.Fix]:
    rows = Position.objects.filter(driver=claim.driver_id, device_at__gte=start, device_at__lte=end)
    return [
        tracing.Fix(row.device_at, Point(float(row.latitude), float(row.longitude)), row.accuracy_m or 0)
        for row in rows.order_by("device_at")
    ]
