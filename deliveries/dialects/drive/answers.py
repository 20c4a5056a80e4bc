"""A delivery as Drive-shaped clients read it. Every field is there; what is not known is null."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from typing import Any

from deliveries import quoting, tracking
from deliveries.dialects import one_line, pictures, prices
from deliveries.dialects.drive.shapes import ITEM_ASIDE, PIN_KINDS, UNDELIVERABLE, Contains
from deliveries.drafts import OrderDraft
from deliveries.fees import FeeKind
from deliveries.filling import draft_of
from deliveries.models import Consignment, Manifest, Order, Quote, Stop
from deliveries.snapshots import courier, live_consignment, moment, tracking_url, vehicle_of
from drivers.models import Driver
from stores.models import Store

Json = dict[str, Any]
STATES = {
    Order.Status.PLACED: "created",
    Order.Status.PLANNED: "created",
    Order.Status.ASSIGNED: "confirmed",
    Order.Status.AT_PICKUP: "arrived_at_pickup",
    Order.Status.PICKED_UP: "picked_up",
    Order.Status.EN_ROUTE: "enroute_to_dropoff",
    Order.Status.AT_DROPOFF: "arrived_at_dropoff",
    Order.Status.DELIVERED: "delivered",
    Order.Status.CANCELLED: "cancelled",
    Order.Status.RETURNING: "enroute_to_return",
    Order.Status.RETURNED: "returned",
    Order.Status.LOST: "cancelled",
    Order.Status.DISPOSED: "cancelled",
}
FEES = {
    FeeKind.BASE: "flat_fee",
    FeeKind.DISTANCE: "distance_based_fee",
    FeeKind.SIZE: "other",
    FeeKind.SLOT: "service_fee",
}
PINS: dict[str, str] = {kind: name for name, kind in PIN_KINDS.items()}
ACTIONS: dict[str, str] = {kind: name for name, kind in UNDELIVERABLE.items()}


def status_of(order: Order, place: Consignment | None) -> str:
    """Theirs for ours; two of theirs are finer, and we know both from the driver's stops."""
    if place is not None:
        loads = place.manifest.status == Manifest.Status.LOADING and place.dropoff.trip == place.manifest.trip
        if order.status == Order.Status.ASSIGNED and loads:
            return "enroute_to_pickup"
        way_back = place.return_stop if order.status == Order.Status.RETURNING else None
        if way_back is not None and way_back.status == Stop.Status.ARRIVED:
            return "arrived_at_return"
    return STATES[Order.Status(order.status)]


def cancellation_of(order: Order) -> str | None:
    if order.status in {Order.Status.LOST, Order.Status.DISPOSED}:
        return "failed_to_return" if order.failed_at else "failed_to_deliver"
    if order.status != Order.Status.CANCELLED:
        return None
    if order.cancelled_by in {"seller", "staff"}:
        return "cancelled_by_creator"
    at_store = order.cancel_reason == Order.CancelReason.OUT_OF_STOCK
    return "failed_to_pickup" if at_store else "failed_to_assign_and_refunded"


def delivery(order: Order, *, at: dt.datetime) -> Json:
    place = live_consignment(order)
    driver = place.manifest.driver if place else None
    return {
        **_asked(draft_of(order), order.store),
        **_money(prices.lines_of(order)),
        "delivery_status": status_of(order, place),
        "cancellation_reason": cancellation_of(order),
        "updated_at": moment(tracking.touched_at(order)),
        **_times(order, place),
        "support_reference": order.code,
        "tracking_url": tracking_url(order),
        **_pictures(order),
        **_dasher(driver, order, at=at),
    }


def quote(found: Quote) -> Json:
    """A quote is a delivery in the state `quote`."""
    return {
        **_asked(quoting.draft_of(found), found.store),
        **_money([(line["kind"], line["cents"]) for line in found.lines]),
        "delivery_status": "quote",
        "cancellation_reason": None,
        "updated_at": moment(found.created_at),
        "pickup_time_estimated": moment(found.pickup_at),
        "pickup_time_actual": None,
        "dropoff_time_estimated": moment(found.dropoff_at),
        "dropoff_time_actual": None,
        "return_time_estimated": None,
        "return_time_actual": None,
        "return_address": None,
        "support_reference": found.code,
        "tracking_url": None,
        "expires_at": moment(found.expires_at),
        **_pictures(None),
        **_dasher(None, None, at=found.created_at),
    }


def _asked(draft: OrderDraft, store: Store) -> Json:
    """What was asked for, as it is kept."""
    aside = draft.aside or {}
    business = aside.get("dropoff_business_name", "")
    person = (draft.recipient_name or aside.get("recipient", "")).removesuffix(f" ({business})")
    given, _space, family = ("" if person == business else person).partition(" ")
    address, point = draft.address, draft.address.point
    return {
        "external_delivery_id": draft.external_id,
        "locale": f"{draft.recipient_locale}-US",
        "order_fulfillment_method": "standard",
        "pickup_address": store.mall.address,
        "pickup_business_name": store.name,
        "pickup_phone_number": store.phone or None,
        "pickup_instructions": aside.get("pickup_notes") or store.pickup_note or None,
        "pickup_reference_tag": aside.get("reference", draft.parcels[0].description) or None,
        "pickup_external_business_id": store.seller.code,
        "pickup_external_store_id": store.code,
        "dropoff_address": one_line.write(
            address.line1, address.line2, address.city, address.region, address.postal_code
        ),
        "dropoff_address_components": {
            "street_address": address.line1,
            "sub_premise": address.line2,
            "city": address.city,
            "state": address.region,
            "zip_code": address.postal_code,
            "country": address.country,
        },
        "dropoff_location": {"lat": point.lat, "lng": point.lng} if point else None,
        "dropoff_business_name": business or None,
        "dropoff_phone_number": draft.recipient_phone or None,
        "dropoff_instructions": draft.instructions or None,
        "dropoff_contact_given_name": given or None,
        "dropoff_contact_family_name": family or None,
        "dropoff_contact_send_notifications": aside.get("send_notifications", True),
        "dropoff_options": {
            "signature": "required" if draft.requires_signature else "none",
            "id_verification": "required" if draft.minimum_age else "none",
            "proof_of_delivery": "pin_code"
            if draft.requires_pin
            else "photo_required" if draft.requires_photo else "none",
            "catering_setup": "none",
        },
        "dropoff_pin_code_verification_metadata": {
            "pin_code_type": PINS[draft.pin_kind], "pin_code_value": draft.own_pin,
        } if draft.requires_pin else None,
        "pickup_verification_metadata": _pickup_verification(draft),
        "dropoff_requires_signature": draft.requires_signature,
        "order_value": draft.declared_value_cents,
        "items": _items(draft),
        "pickup_time": moment(draft.ready_at),
        "dropoff_time": None,
        "pickup_window": None,
        "dropoff_window": {"start_time": moment(draft.window_start), "end_time": moment(draft.window_end)},
        "contactless_dropoff": draft.requires_photo
        and not (draft.requires_signature or draft.requires_pin or draft.minimum_age),
        "action_if_undeliverable": ACTIONS.get(draft.undeliverable, "return_to_pickup"),
        "tip": draft.tip_cents,
        "order_contains": dict.fromkeys(Contains().fields, False) | aside.get("order_contains", {}),
        # What there is none of here, as their answers have it.
        "dropoff_cash_on_delivery": 0,
        "dasher_allowed_vehicles": ["car"],
        "shopping_options": None,
        "promotion_id": None,
        "origin_facility_id": None,
        "order_route_type": None,
        "order_route_items": [],
    }  # fmt: skip


def _pickup_verification(draft: OrderDraft) -> Json | None:
    """With the code as it is now: it may have been changed through another door."""
    said, codes = (draft.aside or {}).get("pickup_verification"), draft.parcels[0].barcodes
    if not said or not codes:
        return None
    return {"verification_format": None, **said, "verification_code": codes[0]}


def _items(draft: OrderDraft) -> list[Json]:
    said = (draft.aside or {}).get("items") or [{}] * len(draft.items)
    return [
        {
            "name": item.name,
            "quantity": item.quantity,
            "price": item.price_cents,
            "barcode": item.barcode or None,
            **{name: further.get(name) for name in ITEM_ASIDE},
            "item_options": None,
            "adjustment_details": None,
        }
        for item, further in zip(draft.items, said, strict=True)
    ]


def _money(lines: Iterable[tuple[str, int]]) -> Json:
    known = list(lines)
    parts = [(FEES.get(FeeKind(kind), "other"), cents) for kind, cents in known if kind != FeeKind.TAX]
    return {
        "currency": "USD",
        "fee": sum(cents for _kind, cents in parts) if known else None,
        "fee_components": [{"type": kind, "amount": cents} for kind, cents in parts],
        "tax": sum(cents for kind, cents in known if kind == FeeKind.TAX) if known else None,
        "tax_components": [],
    }


def _times(order: Order, place: Consignment | None) -> Json:
    collected, ended = order.picked_up_at is not None, order.has_ended
    back = place.return_stop if place else None
    returning = order.status == Order.Status.RETURNING
    store = order.store.mall.address if returning or order.returned_at else None
    return {
        "pickup_time_estimated": None
        if collected or ended
        else moment(place.pickup.eta_at if place else order.ready_at),
        "pickup_time_actual": moment(order.picked_up_at),
        "dropoff_time_estimated": None
        if ended or returning
        else moment(place.dropoff.eta_at if place else order.window.upper),
        "dropoff_time_actual": moment(order.delivered_at),
        "return_time_estimated": moment(back.eta_at) if back and returning else None,
        "return_time_actual": moment(order.returned_at),
        "return_address": store,
    }


def _pictures(order: Order | None) -> Json:
    proof = tracking.proof_of(order) if order is not None and order.delivered_at else None
    shown = {name: bool(proof and getattr(proof, name)) for name in ("photo", "signature")}
    return {
        "dropoff_verification_image_url": pictures.link(order, "photo") if order and shown["photo"] else None,
        "pickup_verification_image_url": None,
        "dropoff_signature_image_url": pictures.link(order, "signature")
        if order and shown["signature"]
        else None,
        "shipping_label": None,
        "dropped_items": [],
    }


def _dasher(driver: Driver | None, order: Order | None, *, at: dt.datetime) -> Json:
    """Who comes: a first name and a car, and where they are while they have it. Calls go over the store."""
    shown = courier(driver)
    car = vehicle_of(driver) if driver else None
    seen = tracking.journey(order, at=at).position if driver and order else None
    return {
        "dasher_id": number_of(driver) if driver else None,
        "dasher_name": shown["first_name"] if shown else None,
        "dasher_dropoff_phone_number": None,
        "dasher_pickup_phone_number": None,
        "dasher_location": {"lat": seen.lat, "lng": seen.lng} if seen else None,
        "dasher_vehicle_make": car.make if car else None,
        "dasher_vehicle_model": car.model if car else None,
        "dasher_vehicle_year": None,
    }


def number_of(driver: Driver) -> int:
    """Their drivers have numbers, ours codes; this is the same number each time and tells nothing."""
    return int(hashlib.sha256(driver.code.encode()).hexdigest()[:8], 16)
