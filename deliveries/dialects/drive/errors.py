"""Our refusals in the words that Drive-shaped clients branch on.

There are two forms. The document (2.0.7 and later) has a code for the kind and a `reason` within it. The service's own
client for Node, `@doordash/sdk` up to 0.6.13, still switches on the older flat codes, where the reason is the code; it
comes as `axios/…`, so whoever comes as that gets those, with `reason` beside them.
"""

from __future__ import annotations

from typing import Any

from deliveries.dialects.base_api import named, sentence_of

Json = dict[str, Any]
FIELDS = {
    "store": "pickup_external_store_id",
    "business": "pickup_external_business_id",
    "address": "pickup_address",
    "external_id": "external_delivery_id",
    "dropoff": "dropoff_address",
    "recipient.name": "dropoff_contact_given_name",
    "recipient.phone": "dropoff_phone_number",
    "window": "dropoff_window",
    "ready_at": "pickup_time",
    "parcels": "items",
    "parcels[0].barcodes": "pickup_verification_metadata.verification_code",
    "declared_value_cents": "order_value",
    "tip_cents": "tip",
    "instructions": "dropoff_instructions",
    "undeliverable": "action_if_undeliverable",
    "requirements.own_pin": "dropoff_pin_code_verification_metadata",
    "requirements.pin_kind": "dropoff_pin_code_verification_metadata",
}
INVALID, NO_CANCEL, NO_UPDATE = "invalid_delivery_parameters", "cancel_not_allowed", "update_not_allowed"
# What is wrong with a delivery itself, however well it is put: by the code of the field at fault.
NOT_HERE = {
    "not_serviceable": "distance_too_long",
    "out_of_reach": "outside_of_delivery_time",
    "store_closed": "outside_of_delivery_time",
    "store_paused": "outside_of_delivery_time",
    "store_inactive": "pickup_address_not_in_coverage",
}
# Status, code and reason of a refusal, by its code.
REFUSALS = {
    "not_found": (404, "unknown_delivery_id", ""),
    "order_not_found": (404, "unknown_delivery_id", ""),
    "quote_not_found": (404, "unknown_delivery_id", ""),
    "external_id_taken": (409, "duplicate_delivery_id", ""),
    "quote_used": (409, "duplicate_delivery_id", ""),
    "quote_expired": (422, INVALID, "quote_expired"),
    "quote_mismatch": (422, INVALID, "quote_mismatch"),
    "pickup_unknown": (422, INVALID, "pickup_address_not_in_coverage"),
    "not_serviceable": (422, INVALID, "distance_too_long"),
    "no_prices": (422, INVALID, "pickup_address_not_in_coverage"),
    "location_unknown": (422, INVALID, "delivery_address_not_in_coverage"),
    "tip_already_changed": (409, NO_UPDATE, "update_window_closed"),
    "scope_missing": (403, "authorization_error", ""),
    "permission_denied": (403, "authorization_error", ""),
    "address_not_allowed": (403, "authorization_error", ""),
}
STATES = {
    "picked_up": "delivery_picked_up",
    "en_route": "delivery_picked_up",
    "at_dropoff": "delivery_picked_up",
    "returning": "delivery_picked_up",
    "delivered": "delivery_completed",
    "returned": "delivery_completed",
    "cancelled": "delivery_cancelled",
    "lost": "delivery_abandoned",
    "disposed": "delivery_abandoned",
}
TOO_LATE = {
    "cancel_not_allowed": (NO_CANCEL, "cancellation_window_closed"),
    "order_not_changeable": (NO_UPDATE, "update_window_closed"),
}
# What the flat form calls a refused update; the other reasons are its codes as they stand.
FLAT_UPDATE = {"update_window_closed": "Pickup in Progress", "delivery_picked_up": "Delivery in Progress"}


def is_flat(user_agent: str) -> bool:
    return user_agent.startswith("axios/")


def translated(problem: Json, *, flat: bool, external_id: str) -> tuple[int, Json]:
    """Status and body, from a problem of our own API."""
    status, code, reason = _kind(problem)
    body: Json = {
        "code": code,
        "message": sentence_of(problem, FIELDS),
        "field_errors": [
            {"field": named(error["field"], FIELDS), "error": error["message"]}
            for error in problem["field_errors"]
        ],
    }
    if reason:
        body["reason"] = reason
    if flat and reason:
        body["code"] = FLAT_UPDATE.get(reason, "Delivery Complete") if code == NO_UPDATE else reason
    if code in {"unknown_delivery_id", "duplicate_delivery_id"}:
        body["external_delivery_id"] = external_id
    return status, body | {"request_id": problem["request_id"]}


def _kind(problem: Json) -> tuple[int, str, str]:
    code, status = problem["code"], int(problem["status"])
    if code in REFUSALS:
        return REFUSALS[code]
    if code in TOO_LATE:
        kind, otherwise = TOO_LATE[code]
        return 409, kind, STATES.get(problem["reason"], otherwise)
    faults = [error["code"] for error in problem["field_errors"]]
    if faults and all(fault in NOT_HERE for fault in faults):
        return 422, INVALID, NOT_HERE[faults[0]]
    if code == "cannot_deliver" or status == 400:
        return 400, "validation_error", ""
    if status == 401:
        code = "authentication_error"
    return status, "service_fault" if status >= 500 else code, ""
