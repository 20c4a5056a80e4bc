"""Quotes and deliveries as Uber-Direct-shaped clients read them: every key is there. A text that nobody gave is empty,
as theirs is; an object or a time that there is not is null."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from deliveries import bundle, quoting, requirements, tracking
from deliveries.dialects import one_line, pickups, pictures, prices
from deliveries.dialects.direct.shapes import LEAVE, MEET, SIDES, notes_of, split
from deliveries.drafts import AddressDraft
from deliveries.filling import draft_of
from deliveries.models import Consignment, Order, ProofOfDelivery, Quote
from deliveries.snapshots import (
    courier_met,
    live_consignment,
    moment,
    order_snapshot,
    parcels_of,
    tracking_url,
    vehicle_of,
)

Json = dict[str, Any]
STATES = {
    Order.Status.PLACED: "pending",
    Order.Status.PLANNED: "pending",
    Order.Status.ASSIGNED: "pickup",
    Order.Status.AT_PICKUP: "pickup",
    Order.Status.PICKED_UP: "pickup_complete",
    Order.Status.EN_ROUTE: "dropoff",
    Order.Status.AT_DROPOFF: "dropoff",
    Order.Status.DELIVERED: "delivered",
    Order.Status.CANCELLED: "canceled",
    # Their word for goods on the way back too: `complete` and `return` say whether they have arrived.
    Order.Status.RETURNING: "returned",
    Order.Status.RETURNED: "returned",
    Order.Status.LOST: "canceled",
    Order.Status.DISPOSED: "canceled",
}
IMMINENT = {Order.Status.AT_PICKUP, Order.Status.AT_DROPOFF}
# What became of what could not be handed over; told apart from what was asked for.
ACTIONS = {
    Order.Status.RETURNING: "returned",
    Order.Status.RETURNED: "returned",
    Order.Status.DISPOSED: "discarded",
}
SIZES = {"small": "small", "medium": "medium", "large": "large", "extra_large": "xlarge"}
IDS = uuid.UUID("6f1d7c5e-3b0a-4d8e-9f6e-2a4c8e1b7d93")


def delivery_id(code: str) -> str:
    return f"del_{code}"


def code_of(delivery: str) -> str:
    return delivery.removeprefix("del_")


def quote(found: Quote) -> Json:
    said = quoting.draft_of(found)
    minutes = dt.timedelta(minutes=1)
    return {
        "kind": "delivery_quote",
        "id": f"dqt_{found.code}",
        "created": moment(found.created_at),
        "expires": moment(found.expires_at),
        "fee": found.fee_cents,
        "currency": found.store.mall.market.currency.lower(),
        "currency_type": found.store.mall.market.currency,
        "dropoff_eta": moment(found.dropoff_at),
        "duration": (found.dropoff_at - found.created_at) // minutes,
        "pickup_duration": (found.pickup_at - found.created_at) // minutes,
        "dropoff_deadline": moment(said.window_end),
        "external_store_id": found.store.code,
    }


def delivery(order: Order, *, at: dt.datetime, proof: ProofOfDelivery | None) -> Json:
    """Everything about one order. `proof` is its proof, if it has one."""
    place = live_consignment(order)
    reference, external_id = split(order.external_id)
    reference = (order.aside or {}).get("reference", reference)
    fee = prices.total_of(order)
    currency = order.store.mall.market.currency
    return {
        "id": delivery_id(order.code),
        "uuid": uuid.uuid5(IDS, order.code).hex,
        "kind": "delivery",
        "quote_id": f"dqt_{order.quote.code}" if order.quote else "",
        "status": STATES[Order.Status(order.status)],
        "complete": order.has_ended,
        "created": moment(order.placed_at),
        "updated": moment(tracking.touched_at(order)),
        "live_mode": order_snapshot(order)["live_mode"],
        "external_id": external_id,
        "batch_id": place.manifest.code if place else "",
        "related_deliveries": [
            {"id": delivery_id(order.redelivery_of.code), "relationship": "original"}
        ] if order.redelivery_of else [],
        "tracking_url": tracking_url(order),
        # Theirs holds the tip.
        "fee": None if fee is None else fee + order.tip_cents,
        "currency": currency.lower(),
        "tip": order.tip_cents,
        "refund": None,
        **_waypoints(order, place, proof),
        **_times(order, place),
        **_manifest(order, reference),
        "courier": _courier(order, place, at=at),
        "courier_imminent": order.status in IMMINENT,
        "dropoff_identifier": proof.signed_by if proof else "",
        "undeliverable_action": _action(order, proof),
        "undeliverable_reason": _reason(order),
        "deliverable_action": MEET
        if order.requires_signature or order.requires_pin or order.minimum_age or not order.requires_photo
        else LEAVE,
    }  # fmt: skip


def _times(order: Order, place: Consignment | None) -> Json:
    """The estimates are those of the block; before there is one, when it is packed and what the quote said."""
    at_door = order.quote.dropoff_at if order.quote else order.window.upper
    return {
        "pickup_ready": moment(order.ready_at),
        "pickup_deadline": moment(order.window.upper),
        "dropoff_ready": moment(order.window.lower),
        "dropoff_deadline": moment(order.window.upper),
        "pickup_eta": None
        if order.picked_up_at or order.has_ended
        else moment(place.pickup.eta_at if place else order.ready_at),
        "dropoff_eta": None
        if order.has_ended or order.status == Order.Status.RETURNING
        else moment(place.dropoff.eta_at if place else at_door),
    }


def _manifest(order: Order, reference: str) -> Json:
    parcels = parcels_of(order)
    size = SIZES[max(parcels, key=lambda parcel: parcel.litres).size]
    things = order.items or [{"name": parcel.description or parcel.size, "quantity": 1} for parcel in parcels]
    said = (order.aside or {}).get("items") or [{}] * len(things)
    description = ", ".join(f"{thing['quantity']} x {thing['name']}" for thing in things)
    return {
        "manifest": {
            "reference": reference,
            "description": description,
            "total_value": order.declared_value_cents,
        },
        "manifest_items": [
            {
                "name": thing["name"],
                "quantity": thing["quantity"],
                "size": size,
                "price": thing.get("price_cents") or 0,
                "weight": thing.get("grams") or 0,
                "dimensions": _dimensions(thing),
                "must_be_upright": False,
                "perishable": False,
                "vat_percentage": 0,
                **further,
            }
            for thing, further in zip(things, said, strict=True)
        ],
    }


def _dimensions(thing: Json) -> Json | None:
    sides = {theirs: thing.get(ours) for ours, theirs in SIDES.items()}
    return sides if all(sides.values()) else None


def _waypoints(order: Order, place: Consignment | None, proof: ProofOfDelivery | None) -> Json:
    door = draft_of(order).address
    back = place.return_stop if place else None
    seller_notes = (order.aside or {}).get("dropoff_seller_notes", "")
    return {
        "pickup": {
            **_shop(order, "pickup", photo=order.pickup_photo, signature=order.pickup_signature),
            "notes": (order.aside or {}).get("pickup_notes") or order.store.pickup_note,
            **_passed(order.picked_up_at),
        },
        "dropoff": {
            "name": order.recipient_name,
            "phone_number": order.recipient_phone,
            **_where(
                door, lat=door.point.lat if door.point else None, lng=door.point.lng if door.point else None
            ),
            "notes": notes_of(order.instructions, seller_notes),
            "seller_notes": seller_notes if order.instructions.endswith(seller_notes) else "",
            "courier_notes": proof.note if proof else "",
            "external_store_id": "",
            "verification": _verified(order, proof),
            "verification_requirements": _required(order),
            **_passed(order.delivered_at, failed_at=order.failed_at),
        },
        "pickup_action": None,
        "return": {
            **_shop(order, "return", photo=order.return_photo, signature=order.return_signature),
            **_passed(order.returned_at),
            "eta": moment(back.eta_at) if back and not order.returned_at else None,
        },
    }


def _shop(order: Order, leg: str, *, photo: bool, signature: bool) -> Json:
    store = order.store
    return {
        "name": store.name,
        "phone_number": store.phone,
        **_where(pickups.address_of(store), lat=float(store.mall.latitude), lng=float(store.mall.longitude)),
        "notes": store.pickup_note,
        "seller_notes": "",
        "courier_notes": "",
        "external_store_id": store.code,
        "verification": None,
        # Labels are always read at a counter.
        "verification_requirements": {
            "signature": signature,
            "signature_requirement": _signature(signature, related=False),
            "picture": photo,
            "identification": None,
            "pincode": {"enabled": False, "value": ""},
            "barcodes": _barcodes(order, leg),
        },
    }


def _passed(done_at: dt.datetime | None, *, failed_at: dt.datetime | None = None) -> Json:
    """How it went at a waypoint; nothing while it is ahead."""
    return {
        "status": "completed" if done_at else "failed" if failed_at else None,
        "status_timestamp": moment(done_at or failed_at),
    }


def _where(address: AddressDraft, *, lat: float | None, lng: float | None) -> Json:
    return {
        "address": one_line.write(
            address.line1, address.line2, address.city, address.region, address.postal_code
        ),
        "detailed_address": {
            "street_address_1": address.line1,
            "street_address_2": address.line2,
            "city": address.city,
            "state": address.region,
            "zip_code": address.postal_code,
            "country": address.country,
            "sublocality_level_1": "",
        },
        "location": {"lat": lat, "lng": lng} if lat is not None else None,
    }


def _required(order: Order) -> Json:
    return {
        "signature": order.requires_signature,
        "signature_requirement": _signature(order.requires_signature, related=True),
        "picture": order.requires_photo,
        "identification": {"min_age": order.minimum_age} if order.minimum_age else None,
        "pincode": {"enabled": order.requires_pin, "value": _pin(order)},
        "barcodes": _barcodes(order, "dropoff") if order.requires_barcodes else [],
    }


def _pin(order: Order) -> str:
    """A PIN is for the recipient's eyes only, but for one that the seller brought."""
    return order.pin if order.pin_kind == Order.PinKind.OWN else ""


def _signature(wanted: bool, *, related: bool) -> Json:
    """Whoever signs here says a name, and at the door who that is to the recipient."""
    return {
        "enabled": wanted,
        "collect_signer_name": wanted,
        "collect_signer_relationship": wanted and related,
    }


def _barcodes(order: Order, leg: str) -> list[Json]:
    """What is read on the parcels at this leg: what the client named there, or else our labels."""
    named: list[Json] = (order.aside or {}).get("barcodes", {}).get(leg, [])
    unnamed = parcels_of(order)[len(named) :]
    return [*named, *({"value": parcel.code, "type": "QR"} for parcel in unnamed)]


def _verified(order: Order, proof: ProofOfDelivery | None) -> Json | None:
    if proof is None:
        return None
    at = moment(proof.at)
    scanned = {"outcome": "SUCCESS", "timestamp": at}
    return {
        "picture": {"image_url": pictures.link(order, "photo")} if proof.photo else None,
        "signature": {
            "image_url": pictures.link(order, "signature"),
            "name": proof.signed_by,
            "signer_name": proof.signed_by,
            "signer_relationship": proof.signer_relationship,
        }
        if proof.signature
        else None,
        "identification": {"min_age_verified": True} if proof.age_checked else None,
        "pin_code": {"entered": _pin(order)} if proof.pin_matched else None,
        "barcodes": [{**code, "scan_result": scanned} for code in _barcodes(order, "dropoff")]
        if order.requires_barcodes
        else [],
        "completion_location": None
        if proof.latitude is None or proof.longitude is None
        else {"lat": float(proof.latitude), "lng": float(proof.longitude)},
    }


def _courier(order: Order, place: Consignment | None, *, at: dt.datetime) -> Json | None:
    """Who comes: a first name, a car, and where they are while they have it. Calls go over the store."""
    driver = place.manifest.driver if place else None
    met = courier_met(driver)
    if driver is None or met is None or order.has_ended:
        return None
    car = vehicle_of(driver)
    seen = tracking.journey(order, at=at).position
    return {
        "name": met["first_name"],
        "rating": None,
        "vehicle_type": "car",
        "vehicle_make": car.make if car else "",
        "vehicle_model": car.model if car else "",
        "vehicle_color": car.colour if car else "",
        "phone_number": "",
        "location": {"lat": seen.lat, "lng": seen.lng} if seen else None,
        "img_href": "",
    }


def _action(order: Order, proof: ProofOfDelivery | None) -> str:
    """What the courier did with what could not be handed over."""
    if order.delivered_at and order.failed_at and proof and proof.left_at == requirements.FRONT_DOOR:
        return "left_at_door"
    return ACTIONS.get(Order.Status(order.status), "")


def _reason(order: Order) -> str:
    if order.status == Order.Status.CANCELLED:
        return order.cancel_reason
    if order.failed_at is None or order.delivered_at is not None:
        return ""
    attempts = bundle.attempts_of(order)
    return attempts[-1].reason if attempts else ""
