"""What an update of a Drive-shaped client changes of an order. Clients repeat all they know in every update: what is as
it was is no change, and what cannot be changed is refused only where it is otherwise."""

from __future__ import annotations

from typing import Any

from deliveries.dialects.base_api import known_door, locale_of, refuse_fixed
from deliveries.dialects.drive import shapes
from deliveries.dialects.pickups import PickupUnknown
from deliveries.drafts import OrderDraft
from deliveries.filling import draft_of
from deliveries.models import Order
from stores.authentication import SellerSystem

Json = dict[str, Any]
PICKUP = (
    "pickup_external_store_id",
    "pickup_external_business_id",
    "pickup_address",
    "pickup_business_name",
    "pickup_phone_number",
)


def changes_of(given: Json, order: Order, system: SellerSystem) -> Json:
    """By the names of a draft. Raises ValidationError for another store and for other things than were packed."""
    before = draft_of(order)
    refuse_fixed(given, _elsewhere(given, order, system), known={})
    if given.get("items") and tuple(map(shapes.item_of, given["items"])) != before.items:
        refuse_fixed(given, ["items"], known={})
    start, end = shapes.window_of(given)
    wanted: Json = {
        "recipient_name": _name(given, before) or None,
        "recipient_phone": given.get("dropoff_phone_number") or None,
        "recipient_locale": locale_of(given["locale"]) if given.get("locale") else None,
        "instructions": given.get("dropoff_instructions"),
        "window_start": start,
        "window_end": end,
        "ready_at": shapes.ready_of(given),
        "declared_value_cents": given.get("order_value"),
        "undeliverable": shapes.UNDELIVERABLE.get(given.get("action_if_undeliverable", "")),
    }
    parts = given.get("dropoff_address_components") or {}
    if given.get("dropoff_address") or shapes.of_components(parts) or given.get("dropoff_location"):
        line = given if given.get("dropoff_address") or parts else given | _line(before)
        wanted["address"] = known_door(shapes.address_of(line), before.address)
    changes = {name: value for name, value in wanted.items() if value is not None}
    return changes | _aside(given, before) | _requirements(given)


def _elsewhere(given: Json, order: Order, system: SellerSystem) -> list[str]:
    """The fields of the pick-up, where they lead to another store than the order's, or to none."""
    named = [name for name in PICKUP if given.get(name)]
    if not named:
        return []
    try:
        store = shapes.store_of(system, given)
    except PickupUnknown:
        return named[:1]
    return [] if store.pk == order.store_id else named[:1]


def _line(before: OrderDraft) -> Json:
    address = before.address
    return {
        "dropoff_address_components": {
            "street_address": address.line1,
            "sub_premise": address.line2,
            "city": address.city,
            "state": address.region,
            "zip_code": address.postal_code,
        }
    }


def _name(given: Json, before: OrderDraft) -> str:
    """Of a name in parts, what is not said stays."""
    business = given.get("dropoff_business_name") or (before.aside or {}).get("dropoff_business_name", "")
    first, _space, family = before.recipient_name.removesuffix(f" ({business})").partition(" ")
    said = ("dropoff_contact_given_name", "dropoff_contact_family_name", "dropoff_business_name")
    if not any(given.get(name) for name in said):
        return ""
    if first in {business, shapes.NOBODY}:
        first, family = "", ""
    known = {
        "dropoff_contact_given_name": given.get("dropoff_contact_given_name") or first,
        "dropoff_contact_family_name": given.get("dropoff_contact_family_name") or family,
        "dropoff_business_name": business,
    }
    return shapes.name_of(known)


def _aside(given: Json, before: OrderDraft) -> Json:
    aside: Json = dict(before.aside or {})
    aside |= {name: value for name, value in (shapes.aside_of(given) or {}).items() if name != "items"}
    if given.get("pickup_instructions") == "":
        aside.pop("pickup_notes", None)
    tag = given.get("pickup_reference_tag")
    if tag is not None and tag != before.parcels[0].description:
        aside["reference"] = tag
    elif tag is not None:
        aside.pop("reference", None)
    return {"aside": aside or None}


def _requirements(given: Json) -> Json:
    """Only what an update says of the door."""
    options, pin = (
        given.get("dropoff_options") or {},
        given.get("dropoff_pin_code_verification_metadata") or {},
    )
    whole = shapes.requirements_of(given)
    names: list[str] = []
    if options.get("signature") or given.get("dropoff_requires_signature") is not None:
        names.append("requires_signature")
    if options.get("proof_of_delivery") or given.get("contactless_dropoff") is not None:
        names.append("requires_photo")
    if options.get("proof_of_delivery") or pin.get("pin_code_type"):
        names.append("requires_pin")
    if pin.get("pin_code_type"):
        names += ["pin_kind", "own_pin"]
    if options.get("id_verification") or given.get("order_contains") is not None:
        names.append("minimum_age")
    return {name: whole[name] for name in names}
