"""Everything that is known of how an order ended, for every ending: proof, attempts, scans, handovers, PIN tries."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from deliveries import limits
from deliveries.models import Attempt, CounterProof, Handover, Incident, Order, ProofOfDelivery, Scan
from deliveries.models.proof import Evidence
from deliveries.snapshots import moment, parcel_snapshot, parcels_of
from retaildelivery.outbox.models import Fact

Json = dict[str, Any]


def where(found: Evidence) -> Json:
    """When and where, by the phone's clock and by ours."""
    return {
        "at": moment(found.at),
        "device_at": moment(found.device_at),
        "latitude": None if found.latitude is None else float(found.latitude),
        "longitude": None if found.longitude is None else float(found.longitude),
        "accuracy_m": found.accuracy_m,
    }


def proof_of(order: Order) -> ProofOfDelivery | None:
    return ProofOfDelivery.objects.filter(order=order).first()


def attempts_of(order: Order) -> list[Attempt]:
    return list(Attempt.objects.filter(order=order).order_by("pk")[: limits.PAGE])


def custody(order: Order) -> Json:
    """The parcels as they are now, and every label read, door knocked at and counter passed on their way."""
    return {
        "parcels": [parcel_snapshot(parcel) for parcel in parcels_of(order)],
        "scans": [_scan(scan) for scan in _scans(order)],
        "handovers": [_handover(handover) for handover in _handovers(order)],
        "counter_proofs": [_counter_proof(proof) for proof in counter_proofs_of(order)],
        "pin_tries": pin_tries(order),
        "incidents": [_incident(incident) for incident in _incidents(order)],
    }


def _scans(order: Order) -> list[Scan]:
    """Of its labels, and of labels that are nobody's where it was due."""
    strange = Q(parcel=None, stop__pickups__order=order) | Q(parcel=None, stop__returns__order=order)
    keys = Scan.objects.filter(Q(parcel__order=order) | strange).values("pk")
    found = Scan.objects.filter(pk__in=keys).select_related("parcel", "stop").order_by("pk")
    return list(found[: limits.BUNDLE_ROWS])


def _scan(scan: Scan) -> Json:
    return {
        **where(scan),
        "parcel": scan.parcel.code if scan.parcel else None,
        "entered": scan.entered,
        "stop": scan.stop.kind,
        "outcome": scan.outcome,
        "method": scan.method,
        "by": "staff" if scan.driver_id is None else "driver",
    }


def _handovers(order: Order) -> list[Handover]:
    stops = Q(stop__pickups__order=order) | Q(stop__returns__order=order)
    found = Handover.objects.filter(stops).select_related("stop").distinct().order_by("pk")
    return list(found[: limits.PAGE])


def _handover(handover: Handover) -> Json:
    return {
        "at": moment(handover.at),
        "stop": handover.stop.kind,
        "confirmed_by": "key" if handover.confirmed_by_key else "staff",
    }


def counter_proofs_of(order: Order) -> list[CounterProof]:
    """Photos and signatures kept at the counters that this order passed over."""
    stops = Q(stop__pickups__order=order) | Q(stop__returns__order=order)
    found = CounterProof.objects.filter(stops).select_related("stop").distinct().order_by("pk")
    return list(found[: limits.PAGE])


def _counter_proof(proof: CounterProof) -> Json:
    return {
        **where(proof),
        "stop": proof.stop.kind,
        "photo_sha256": proof.photo_sha256 or None,
        "signature_sha256": proof.signature_sha256 or None,
        "signed_by": proof.signed_by,
    }


def pin_tries(order: Order) -> list[Json]:
    """Each wrong PIN that was entered at the door; the PIN itself is in none of them."""
    facts = Fact.objects.filter(name="proof.refused").about(f"order:{order.code}").oldest_first()  # type: ignore[attr-defined]
    return [
        {"at": moment(fact.at), "reason": fact.data["reason"], "tries_left": fact.data["tries_left"]}
        for fact in facts[: limits.PAGE]
    ]


def _incidents(order: Order) -> list[Incident]:
    found = Incident.objects.filter(Q(order=order) | Q(parcel__order=order)).order_by("pk")
    return list(found[: limits.PAGE])


def _incident(incident: Incident) -> Json:
    return {**where(incident), "kind": incident.kind, "fault": incident.fault, "note": incident.note}
