"""What the system itself knows about the work behind a disputed line or a contested charge: gathered when it is opened,
so that nothing of it can be forgotten or tidied away."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils.dateparse import parse_datetime

from deliveries.models import Consignment, Scan, Stop
from drivers.models import Driver, Position
from offers import limits, worked
from offers.models import Block
from retaildelivery.outbox.models import Fact
from stores.models import SellerPosting


def of_subject(driver: Driver, subject: str) -> dict[str, Any]:
    """Facts about the subject, and for a block its stops, its scans and the driver's positions within its time."""
    noun, _colon, code = subject.partition(":")
    subjects = [subject]
    found: dict[str, Any] = {"subject": subject, "stops": [], "scans": [], "positions": []}
    block = Block.objects.select_related("manifest").filter(code=code).first() if noun == "block" else None
    if block is not None and block.manifest is not None:
        subjects.append(f"manifest:{block.manifest.code}")
        found["stops"] = _stops(block.manifest.pk)
        scans = Scan.objects.filter(stop__manifest=block.manifest_id).select_related("parcel").order_by("pk")
        found["scans"] = [
            {
                "at": scan.at.isoformat(),
                "id": scan.pk,
                "parcel": scan.parcel.code if scan.parcel else "",
                "outcome": scan.outcome,
            }
            for scan in scans[: limits.EVIDENCE_ROWS]
        ]
    if block is not None:
        until = block.completed_at or block.ends_at
        seen = Position.objects.filter(driver=driver, device_at__gte=block.starts_at - limits.CHECK_IN_BEFORE)
        rows = seen.filter(device_at__lte=until).order_by("device_at")[: limits.EVIDENCE_ROWS]
        found["positions"] = [
            {"at": row.device_at.isoformat(), "lat": float(row.latitude), "lng": float(row.longitude)}
            for row in rows
        ]
    facts = Fact.objects.filter(subjects__overlap=subjects).order_by("pk")[: limits.EVIDENCE_ROWS]
    found["facts"] = [{"at": fact.at.isoformat(), "name": fact.name} for fact in facts]
    return found


def _stops(manifest: int) -> list[dict[str, Any]]:
    """Each stop in order: at which store, or for which orders, and when the driver came and was done. No addresses, for
    evidence is kept for longer than they are."""
    orders: dict[int, list[str]] = {}
    for dropoff, order in (
        Consignment.objects.filter(manifest=manifest).order_by("pk").values_list("dropoff", "order__code")
    ):
        orders.setdefault(dropoff, []).append(order)
    stops = Stop.objects.filter(manifest=manifest).select_related("store", "handover")
    return [
        {
            "kind": stop.kind,
            "store": stop.store.name if stop.store else "",
            "orders": orders.get(stop.pk, []),
            "planned_at": stop.planned_at.isoformat(),
            "arrived_at": _moment(stop.arrived_at),
            "off_by_m": stop.arrived_off_by_m,
            "done_at": _moment(worked.taken_at(stop) or stop.completed_at),
        }
        for stop in stops.order_by("position", "pk")
    ]


def of_wait(charge: SellerPosting) -> dict[str, Any]:
    """What the system knows of a wait that a store is charged for: when its parcels were to be packed and were, when
    the driver was there, what was scanned, and how many minutes were counted. Moments are in UTC."""
    code = charge.subject.partition(":")[2]
    block = Block.objects.select_related("manifest").filter(code=code).first()
    stops = Stop.objects.none()
    if block is not None:
        stops = Stop.objects.filter(manifest=block.manifest_id, kind=Stop.Kind.PICKUP, store=charge.store_id)
    held = list(stops.select_related("handover__confirmed_by").order_by("position", "pk"))
    orders = list(
        Consignment.objects.filter(pickup__in=held)
        .order_by("pk")
        .values_list("order__code", "order__ready_at")
    )
    packed = _packed([order for order, _ready_at in orders])
    return {
        "subject": charge.subject,
        "minutes": charge.params.get("minutes", ""),
        "starts_at": block.starts_at.isoformat() if block else None,
        "checked_in_at": _moment(block.checked_in_at) if block else None,
        "stops": [
            {
                "arrived_at": _moment(stop.arrived_at),
                "off_by_m": stop.arrived_off_by_m,
                "handed_over_at": _moment(worked.taken_at(stop)),
                "by": str(stop.handover.confirmed_by or "") if hasattr(stop, "handover") else "",
            }
            for stop in held
        ],
        "orders": [
            {"code": order, "ready_at": _moment(ready_at), "packed_at": packed.get(order)}
            for order, ready_at in orders
        ],
        "scans": [
            {"at": scan.at.isoformat(), "outcome": scan.outcome}
            for scan in Scan.objects.filter(stop__in=held).order_by("pk")[: limits.EVIDENCE_ROWS]
        ],
    }


def read(known: Mapping[str, Any]) -> dict[str, Any]:
    """What was kept, with its moments as moments and its scans in words."""

    def as_it_was(value: Any, name: str = "") -> Any:
        if isinstance(value, Mapping):
            return {key: as_it_was(each, key) for key, each in value.items()}
        if isinstance(value, list):
            return [as_it_was(each) for each in value]
        return parse_datetime(value) if value and (name == "at" or name.endswith("_at")) else value

    found: dict[str, Any] = as_it_was(known)
    for scan in found.get("scans", []):
        # Disputes of the first weeks kept only which scan it was.
        scan["outcome"] = Scan.Outcome(scan["outcome"]).label if "outcome" in scan else ""
    return found


def _moment(at: dt.datetime | None) -> str | None:
    return at.isoformat() if at else None


def _packed(orders: list[str]) -> dict[str, str]:
    """When the counter said of each order that it is packed."""
    subjects = [f"order:{code}" for code in orders]
    rows = Fact.objects.filter(name="order.ready", subjects__overlap=subjects).order_by("pk")
    return {
        subject.removeprefix("order:"): fact.at.isoformat()
        for fact in rows
        for subject in fact.subjects
        if subject in subjects
    }
