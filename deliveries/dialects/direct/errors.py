"""Our refusals in the words that Uber-Direct-shaped clients branch on."""

from __future__ import annotations

from typing import Any

from deliveries.dialects.base_api import named, sentence_of
from deliveries.dialects.direct.answers import delivery_id

Json = dict[str, Any]
FIELDS = {
    "store": "external_store_id",
    "address": "pickup_address",
    "external_id": "external_id",
    "dropoff": "dropoff_address",
    "recipient.name": "dropoff_name",
    "recipient.phone": "dropoff_phone_number",
    "window.start": "dropoff_ready_dt",
    "window": "dropoff_deadline_dt",
    "ready_at": "pickup_ready_dt",
    "parcels": "manifest_items",
    "items": "manifest_items",
    "declared_value_cents": "manifest_total_value",
    "tip_cents": "tip",
    "instructions": "dropoff_notes",
    "undeliverable": "undeliverable_action",
    "requirements": "dropoff_verification",
    "quote": "quote_id",
}
# Status and code of a refusal, by its code.
REFUSALS = {
    "not_found": (404, "delivery_not_found"),
    "order_not_found": (404, "delivery_not_found"),
    "nothing_kept": (404, "delivery_not_found"),
    "customer_not_found": (404, "customer_not_found"),
    "external_id_taken": (409, "duplicate_delivery"),
    "idempotency_key_reused": (409, "duplicate_delivery"),
    "quote_expired": (400, "expired_quote"),
    "quote_used": (400, "used_quote"),
    "quote_mismatch": (400, "mismatched_price_quote"),
    "quote_not_found": (400, "invalid_params"),
    "cancel_not_allowed": (400, "noncancelable_delivery"),
    "order_not_changeable": (400, "invalid_params"),
    "tip_already_changed": (400, "tip_already_recorded_error"),
    "tip_too_high": (400, "max_tip_exceeded"),
    "no_tip_now": (400, "invalid_tipping_state"),
    "pickup_unknown": (400, "address_undeliverable"),
    "location_unknown": (400, "unknown_location"),
    "no_prices": (400, "address_undeliverable"),
    "not_authenticated": (401, "unauthorized"),
    "invalid_key": (401, "unauthorized"),
    "scope_missing": (403, "customer_blocked"),
    "address_not_allowed": (403, "customer_blocked"),
    "throttled": (429, "customer_limited"),
    "busy": (503, "service_unavailable"),
    "server_error": (500, "internal_server_error"),
}
# What is wrong with a delivery itself, by the field and the code of the fault.
FAULTS = {
    ("dropoff", "not_serviceable"): (400, "address_undeliverable"),
    ("window.end", "out_of_reach"): (400, "dropoff_deadline_too_early"),
    ("ready_at", "store_closed"): (400, "address_undeliverable_limited_couriers"),
    ("store", "store_paused"): (400, "address_undeliverable_limited_couriers"),
    ("store", "store_inactive"): (400, "address_undeliverable"),
    ("window.end", "too_short"): (400, "dropoff_window_too_small"),
    ("window.end", "reversed"): (400, "dropoff_window_too_small"),
    ("window.end", "in_past"): (400, "dropoff_deadline_too_early"),
    ("window.end", "too_soon"): (400, "dropoff_deadline_too_early"),
    ("window.start", "too_far_ahead"): (400, "pickup_ready_too_late"),
    ("ready_at", "too_far_ahead"): (400, "pickup_ready_too_late"),
    ("ready_at", "after_window"): (400, "pickup_ready_too_late"),
    ("ready_at", "in_past"): (400, "pickup_ready_too_early"),
}


def translated(problem: Json) -> tuple[int, Json]:
    """Status and body, from a problem of our own API."""
    status, code = _kind(problem)
    metadata = {named(error["field"], FIELDS): error["message"] for error in problem["field_errors"]}
    message = sentence_of(problem, FIELDS)
    if code == "invalid_params" and not metadata:
        metadata["param_details"] = message
    if code == "duplicate_delivery" and problem["reason"]:
        metadata = {"delivery_id": delivery_id(problem["reason"])}
    return status, {
        "code": code,
        "message": message,
        "kind": "error",
        "metadata": metadata,
        "request_id": problem["request_id"],
    }


def _kind(problem: Json) -> tuple[int, str]:
    code = problem["code"]
    if code in REFUSALS:
        return REFUSALS[code]
    if code == "times_wrong":
        return 400, problem["reason"]
    faults = [FAULTS.get((error["field"], error["code"])) for error in problem["field_errors"]]
    if faults and faults[0] is not None and None not in faults:
        return faults[0]
    status = int(problem["status"])
    return (400, "invalid_params") if status in {400, 422} else (status, code)
