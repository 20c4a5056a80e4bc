"""What the system itself knows about the work behind a disputed line: gathered when the dispute is opened, so that
nothing of it can be forgotten or tidied away."""

from __future__ import annotations

from typing import Any

from deliveries.models import Scan
from drivers.models import Driver, Position
from offers import limits
from offers.models import Block
from retaildelivery.outbox.models import Fact


def of_subject(driver: Driver, subject: str) -> dict[str, Any]:
    """Facts about the subject, and for a block its scans and the driver's positions within its time."""
    noun, _colon, code = subject.partition(":")
    subjects = [subject]
    found: dict[str, Any] = {"subject": subject, "scans": [], "positions": []}
    block = Block.objects.select_related("manifest").filter(code=code).first() if noun == "block" else None
    if block is not None and block.manifest is not None:
        subjects.append(f"manifest:{block.manifest.code}")
        scans = Scan.objects.filter(stop__manifest=block.manifest_id).order_by("pk")[: limits.EVIDENCE_ROWS]
        found["scans"] = [{"at": scan.at.isoformat(), "id": scan.pk} for scan in scans]
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
