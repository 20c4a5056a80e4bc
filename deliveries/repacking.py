"""Other parcels for an order that waits and that nobody has packed yet."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from deliveries.drafts import ParcelDraft
from deliveries.models import Order, Parcel, Scan
from deliveries.posting import OrderNotChangeable
from deliveries.snapshots import parcels_of


def refuse_once_packed(order: Order) -> None:
    """Raises OrderNotChangeable once a block is planned with its parcels, or one of them is packed or was scanned."""
    if order.status != Order.Status.PLACED:
        raise OrderNotChangeable(field="parcels", reason=order.status, status=order.get_status_display())
    packed = any(parcel.status != Parcel.Status.EXPECTED for parcel in parcels_of(order))
    if packed or Scan.objects.filter(parcel__order=order).exists():
        raise OrderNotChangeable(field="parcels", reason="packed", status=_("packed"))


def repack(order: Order, wanted: Sequence[ParcelDraft]) -> None:
    """Make these the order's parcels, by their numbers: those that stay keep their codes, and so their labels."""
    known = {parcel.number: parcel for parcel in parcels_of(order)}
    found = []
    for number, draft in enumerate(wanted, start=1):
        parcel = known.pop(number, None) or Parcel(order=order, number=number)
        parcel.size, parcel.grams, parcel.description = draft.size, draft.grams, draft.description
        parcel.litres = draft.litres or Parcel.LITRES[Parcel.Size(draft.size)]
        parcel.barcodes = list(draft.barcodes)
        found.append(parcel)
    Parcel.objects.filter(pk__in=[parcel.pk for parcel in known.values()]).delete()
    new = [parcel for parcel in found if parcel.pk is None]
    Parcel.objects.bulk_update(
        [parcel for parcel in found if parcel.pk is not None],
        ["size", "grams", "litres", "description", "barcodes"],
    )
    Parcel.objects.bulk_create(new)
    order.parcels_known = found  # type: ignore[attr-defined]
