"""Which parcel a code is on: our own label, or the barcode that its seller has put there."""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.db.models import QuerySet

from deliveries.models import Parcel, Scan, Stop
from retaildelivery.lib import barcodes, codes

LABEL = re.compile(r"P[0-9A-Z]{4,15}")


def meant(parcels: Iterable[Parcel], entered: str) -> list[Parcel]:
    """The parcel whose label this is, or those that have it as a barcode: sellers may give one twice."""
    known = list(parcels)
    label, barcode = codes.normalise(entered), barcodes.spelled(entered)
    labelled = [parcel for parcel in known if parcel.code == label]
    return labelled or [
        parcel for parcel in known if any(barcodes.spelled(own) == barcode for own in parcel.barcodes)
    ]


def elsewhere(stop: Stop, entered: str) -> Parcel | None:
    """A parcel that is not due at this stop: any of ours by its label, one of the same manifest by its barcode."""
    label = codes.normalise(entered)
    found = LABEL.fullmatch(label) and Parcel.objects.filter(code=label).order_by("pk").first()
    if found:
        return found
    carried = Parcel.objects.filter(order__consignments__manifest=stop.manifest_id).exclude(barcodes=[])
    passed = stop.scans.filter(outcome=Scan.Outcome.ACCEPTED).values_list("parcel_id", flat=True)
    others = meant(carried.distinct().order_by("pk"), entered)
    return next((parcel for parcel in others if parcel.pk in set(passed)), others[0] if others else None)


def due_back(stops: QuerySet[Stop], entered: str) -> str | None:
    """Code of the newest of these stops to which the parcel with this code is to come back, or has come back."""
    label = codes.normalise(entered)
    labelled = stops.filter(returns__order__parcels__code=label).order_by("-pk")
    code: str | None = labelled.values_list("code", flat=True).first()
    if code is not None:
        return code
    back = Parcel.objects.filter(order__consignments__return_stop__in=stops.filter(status__in=Stop.OPEN))
    found = meant(back.exclude(barcodes=[]).distinct().order_by("pk"), entered)
    return (
        stops.filter(returns__order__parcels__in=found, status__in=Stop.OPEN)
        .order_by("-pk")
        .values_list("code", flat=True)
        .first()
    )
