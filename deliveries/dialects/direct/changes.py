"""What an update of an Uber-Direct-shaped client changes of an order."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ErrorDetail, ValidationError

from deliveries.dialects.base_api import known_door
from deliveries.dialects.direct.shapes import (
    ASIDE,
    LEAVE,
    UNDELIVERABLE,
    age_of,
    barcodes_asked,
    barcodes_of,
    check_times,
    items_of,
    joined,
    notes_of,
    parcels_of,
    placed,
    things_aside,
    window_of,
    worth,
)
from deliveries.drafts import OrderDraft
from deliveries.models import Order

Json = dict[str, Any]


def changes_of(given: Json, before: OrderDraft, *, known: Json, at: dt.datetime) -> Json:
    """What an update changes of an order, by the names of a draft; `known` is the delivery as it is answered."""
    check_times(given, at=at)
    start, end = window_of(given)
    address = known_door(given.get("dropoff_address") or before.address, before.address)
    moved = placed(address, given, business=given.get("dropoff_business_name") or "")
    wanted: Json = {
        "recipient_name": given.get("dropoff_name") or None,
        "recipient_phone": given.get("dropoff_phone_number") or None,
        "window_start": start,
        "window_end": end,
        "ready_at": given.get("pickup_ready_dt"),
        "address": moved if moved != before.address else None,
        "declared_value_cents": given.get("manifest_total_value"),
        "undeliverable": UNDELIVERABLE.get(given.get("undeliverable_action") or ""),
    }
    changes = {name: value for name, value in wanted.items() if value is not None}
    changes |= notes_changed(given, before) | requirements_changed(given)
    carried = carried_changed(given, before, known=known)
    if carried:
        changes |= carried | {"aside": with_things(changes["aside"], given["manifest_items"])}
    else:
        changes |= barcodes_changed(given, before)
    return changes


def notes_changed(given: Json, before: OrderDraft) -> Json:
    """What an update says of the notes and the reference. What is left out or null stays; an empty text empties."""
    aside: Json = dict(before.aside or {})
    seller_notes = aside.get("dropoff_seller_notes", "")
    notes = notes_of(before.instructions, seller_notes)
    aside |= {name: given[name] for name in ASIDE if given.get(name) is not None}
    if asked := barcodes_asked(given):
        aside["barcodes"] = {**aside.get("barcodes", {}), **asked}
    if given.get("manifest_reference") is not None:
        aside["reference"] = given["manifest_reference"]
    said = [given[name] for name in ("dropoff_notes", "dropoff_seller_notes") if given.get(name) is not None]
    changes: Json = {"aside": aside or None}
    if said:
        told = given.get("dropoff_notes")
        changes["instructions"] = joined(
            notes if told is None else told, aside.get("dropoff_seller_notes", "")
        )
    return changes


def carried_changed(given: Json, before: OrderDraft, *, known: Json) -> Json:
    """What an update says of what is carried: other things may be other parcels. Nothing where it only repeats what
    is, as it was said or as we answer it."""
    items = given.get("manifest_items")
    if not items or items == known["manifest_items"]:
        return {}
    aside: Json = dict(before.aside or {})
    if items_of(items) == before.items and things_aside(items) == aside.get("items", []):
        return {}
    reference = given.get("manifest_reference") or known["manifest"]["reference"]
    barcodes = {**aside.get("barcodes", {}), **barcodes_asked(given)}
    changes: Json = {"items": items_of(items), "parcels": parcels_of(items, reference, barcodes)}
    summed = sum(item.quantity * (item.price_cents or 0) for item in before.items)
    if given.get("manifest_total_value") is None and before.declared_value_cents == summed:
        changes["declared_value_cents"] = worth(items)
    return changes


def with_things(aside: Json | None, items: list[Json]) -> Json | None:
    """What is kept aside of an order, with these things in place of those before."""
    kept = {name: value for name, value in (aside or {}).items() if name != "items"}
    if things := things_aside(items):
        kept["items"] = things
    return kept or None


def barcodes_changed(given: Json, before: OrderDraft) -> Json:
    """The barcodes that an update names, leg by leg, as those of each parcel. Raises ValidationError where a leg names
    more than there are parcels."""
    asked = barcodes_asked(given)
    fault = ErrorDetail(str(_("There are fewer parcels than that.")), code="too_many")
    many = [leg for leg, codes in asked.items() if len(codes) > len(before.parcels)]
    if many:
        raise ValidationError({f"{leg}_verification": {"barcodes": [fault]} for leg in many})
    found = barcodes_of({**(before.aside or {}).get("barcodes", {}), **asked}) if asked else []
    wanted = {
        number: own
        for number, (own, parcel) in enumerate(zip(found, before.parcels, strict=False), start=1)
        if own != parcel.barcodes
    }
    return {"barcodes": wanted} if wanted else {}


def requirements_changed(given: Json) -> Json:
    """Only what an update says of the legs."""
    door = given.get("dropoff_verification") or {}
    pin, identity = door.get("pincode") or {}, door.get("identification") or {}
    wanted: Json = {
        "requires_photo": door.get("picture"),
        "requires_signature": _asked(door, given.get("requires_dropoff_signature")),
        "requires_pin": pin.get("enabled"),
        "requires_barcodes": None if door.get("barcodes") is None else bool(door["barcodes"]),
    }
    if given.get("deliverable_action") and wanted["requires_photo"] is None:
        wanted["requires_photo"] = given["deliverable_action"] == LEAVE
    for leg in ("pickup", "return"):
        asked = given.get(f"{leg}_verification") or {}
        wanted |= {f"{leg}_photo": asked.get("picture"), f"{leg}_signature": _asked(asked, None)}
    changes = {name: value for name, value in wanted.items() if value is not None}
    if pin.get("value"):
        changes |= {"requires_pin": True, "pin_kind": Order.PinKind.OWN, "own_pin": pin["value"]}
    if identity.get("min_age") is not None:
        changes["minimum_age"] = age_of(identity["min_age"])
    elif given.get("requires_id") is not None:
        changes["minimum_age"] = 21 if given["requires_id"] else None
    return changes


def _asked(leg: Json, flag: bool | None) -> bool | None:
    """Whether a signature is asked for at a leg; None where nothing is said of it."""
    enabled = (leg.get("signature_requirement") or {}).get("enabled")
    said = [value for value in (enabled, leg.get("signature"), flag) if value is not None]
    return any(said) if said else None
