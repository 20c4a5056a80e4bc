"""What to do about each error of the API: for whoever writes the program that gets it. Beside the sentence of the
refusal, which says what it is, this is the other half of the page of codes, in the language of its reader."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

MENDS: dict[str, str | Promise] = {
    # -- The request ------------------------------------------------------------------------------------------
    "bad_request": _("Mend the request; it is not HTTP as it should be."),
    "body_too_large": _("Send less at once: orders in several requests, pictures made smaller."),
    "event_not_found": _(
        "Begin the feed without `after`, or take the `id` of an event that you have read here."
    ),
    "idempotency_key_malformed": _("Take a UUID, for example."),
    "idempotency_key_reused": _(
        "Take a new key for each new request, and the old one only to repeat the same."
    ),
    "malformed_json": _(
        "Let a JSON library write the body: no name twice, no NaN, no lone surrogates, UTF-8."
    ),
    "method_not_allowed": _("See the document for what this address takes."),
    "request_in_flight": _("Wait a second and send the same request again with the same key."),
    "unknown_cursor": _("Begin at the first page, and pass `next` on as it is, with the same filters."),
    "unsupported_media_type": _("Set the header Content-Type: application/json."),
    "validation_error": _("Mend what `field_errors` names; each has a path, a code and a sentence."),
    # -- Who asks ---------------------------------------------------------------------------------------------
    "address_not_allowed": _(
        "Ask from an address on the key's list, or add this one under Settings, API keys."
    ),
    "invalid_key": _(
        "Look whether the key was revoked or has run out under Settings, API keys; make a new one there."
    ),
    "invalid_token": _("Let the driver sign in again."),
    "key_of_one_store": _("Use a key that was made for all stores of the seller."),
    "live_keys_only": _("Ask with a key that begins with sk_live_."),
    "not_authenticated": _("Send the header Authorization: Bearer and your key."),
    "permission_denied": _("Ask as somebody who may; a manager gives roles."),
    "scope_missing": _("`reason` names the scope: make a key that has it under Settings, API keys."),
    "test_keys_only": _("Ask with a key that begins with sk_test_."),
    # -- Too much, too many ------------------------------------------------------------------------------------
    "busy": _("Wait as long as `Retry-After` says and send the same again."),
    "server_error": _("Send it again once, with its Idempotency-Key; if it stays, tell us the `request_id`."),
    "throttled": _("Wait as long as `Retry-After` says; spread the requests out, or ask for more at once."),
    "too_many_endpoints": _("Remove an endpoint that nobody uses any more."),
    "too_many_keys": _("Revoke keys that nothing uses; the list says when each was last used."),
    "too_many_messages": _("Give a shorter stretch of time, or read GET /events from your last `id` on."),
    "too_many_networks": _("Join neighbouring addresses into networks."),
    "too_many_tries": _("Wait ten minutes; then ask the driver or the desk for the code once more."),
    # -- What is asked for -------------------------------------------------------------------------------------
    "not_found": _(
        "Look whether the code is right and your key reaches it: its seller, its store, its world."
    ),
    "order_not_found": _("Look whether the code is right, and whether your key reaches it."),
    # -- Before an order ---------------------------------------------------------------------------------------
    "cannot_deliver": _("`field_errors` says why, as POST /serviceability does: another time, door or size."),
    "hold_expired": _("Hold a place anew with POST /slot-holds."),
    "hold_not_found": _("Look whether the code is right; a hold that was given back is gone."),
    "hold_used": _("`reason` has the order that took it. Hold another place for another order."),
    "location_unknown": _("Give latitude and longitude of the door, or mend the address."),
    "no_prices": _("Take another day, or ask operations to enter the prices of this market."),
    "promise_invalid": _("Pass the token on as it came; else ask for a new one with POST /promises."),
    "quote_expired": _("Ask for a new quote; its price may differ."),
    "quote_mismatch": _(
        "`field_errors` names what differs: leave it out, or ask for a quote of what you want now."
    ),
    "quote_not_found": _("Look whether the code is right; quotes of another world or seller are not found."),
    "quote_used": _(
        "`reason` has the order that was posted from it: it is yours. Another order needs another quote."
    ),
    "slot_closed": _("Offer the customer a later slot: GET /slots lists what can be had."),
    "slot_full": _("Offer the customer another slot: GET /slots lists places left."),
    "slot_not_open_yet": _("Try from the time that the message names."),
    "slot_unknown": _("Take a `code` from GET /slots of this mall."),
    # -- Orders ------------------------------------------------------------------------------------------------
    "already_redelivered": _("`reason` has the order that tries it again; follow that one."),
    "cancel_not_allowed": _("It is over, or on its way: ask GET …/action-quotes what is still possible."),
    "external_id_taken": _("`reason` has the order of that number. Take a new number for another order."),
    "not_serviceable": _(
        "Let the customer collect it, or give another door; POST /serviceability asks beforehand."
    ),
    "order_not_changeable": _("Read the order again: its state decides what can be changed."),
    "redelivery_not_allowed": _("Wait until it is back at the store (`order.returned`), then try again."),
    "tip_already_changed": _("Leave it: after the delivery a tip is changed once."),
    # -- The sandbox -------------------------------------------------------------------------------------------
    "clock_runs_forward": _("Give a later time, or begin anew with POST /sandbox/reset."),
    "clock_too_far": _("Move it in several steps."),
    "clock_out_of_range": _("Take a day near those of the orders that you rehearse."),
    "sandbox_busy": _("Wait until the other request that moves the clock is answered."),
    "step_not_legal": _("`reason` lists the steps that are possible now."),
    # -- Webhooks and keys -------------------------------------------------------------------------------------
    "empty_range": _("Give an `until` that is later than `since`."),
    "endpoint_disabled": _('PATCH it with {"enabled": true} once your receiver answers.'),
    "event_unknown": _("Take types from the page of events."),
    "network_unknown": _("Write an address or a network in CIDR form."),
    "ownership_not_shown": _(
        "Let your receiver answer GET ?check=… with 200 and that text alone; then ask again."
    ),
    "scope_unknown": _("Take scopes from the list in the document."),
    "scopes_missing": _("Name at least one scope."),
    "store_of_another_seller": _("Name a store of yours, or none."),
    "url_refused": _("Give a public https URL; `WEBHOOKS_ALLOW_PRIVATE` is for your own machine only."),
    "url_taken": _("Change the endpoint that is there with PATCH, or remove it first."),
    # -- What is paid beside the plan ---------------------------------------------------------------------------
    "extra_too_late": _("Ask from check-in on, and within the days that the message says."),
    "receipt_known": _("Send the receipt of this toll; the one you sent was used before."),
    "tolls_not_refunded": _("Do not ask: in this market tolls count among the driver's costs."),
    "too_many_extras": _("Wait until operations have answered those that are open."),
    # -- The counter and the road ------------------------------------------------------------------------------
    "already_scanned": _("Read the manifest again; the parcel is with the driver."),
    "at_a_stop": _("Finish the stop first, then put the others in order."),
    "counter_proof_missing": _(
        "Send what is missing with PUT …/counter-proof; the message names the stores."
    ),
    "custody_begun": _("Deliver the parcels or bring them back; then it can be done."),
    "event_too_old": _("Show it to the driver and let them call operations; do not send it again."),
    "illegal_move": _("Read it again: somebody else has moved it on. Do not repeat the request."),
    "nobody_to_hand_over_to": _("Wait until the other driver has checked in at the meeting."),
    "note_invalid": _("Shorten the note and leave out what cannot be printed."),
    "not_loaded": _(
        "Read every label at the counters that the message names, or report the parcel as missing."
    ),
    "nothing_to_take_over": _("Read the manifest again: these stops are done or empty."),
    "order_gone": _("Read the order again: it was planned, changed or taken back meanwhile."),
    "order_not_here": _("Read the stop again: the order was taken back or goes elsewhere."),
    "other_trip": _(
        "Finish the present trip first: the manifest says which it is, and each stop to which it belongs."
    ),
    "parcel_damaged": _("Leave it at the counter; the store decides."),
    "parcel_not_here": _("Take a parcel from the list of this stop."),
    "picture_refused": _("Send a JPEG, PNG or WebP file, not larger than the message says."),
    "pin_locked": _("Report the attempt with the reason of the PIN and bring the order back."),
    "proof_incomplete": _("`field_errors` names what the door asks for and did not get."),
    "relief_underway": _("Follow the block that the message names."),
    "several_stops": _("Send `stop` as well: `reason` lists those that there are."),
    "stop_closed": _("Read the manifest again and go on with the next stop."),
    "stop_not_found": _("Read the manifest again: the stop is not on it, or it is somebody else's."),
    "stops_differ": _("Read the route again, and name every stop to come exactly once."),
    "stops_not_left": _("Read the manifest again, and name only stops still to come."),
    "too_early_to_skip": _("Wait at the counter; the message says how long."),
    "unknown_kind": _("Take a kind from the document."),
    "several_parcels": _(
        "Read the label of one of them, or type its code; give each parcel a barcode of its own."
    ),
    "unknown_label": _("Read the label again, or type the code under it."),
    "unknown_reason": _("Take a reason from the document."),
    "wrong_desk_code": _("Ask the desk once more; wrong tries are counted."),
    "wrong_driver_code": _("Ask for the six digits that the driver's phone shows now; they change."),
    "wrong_moment": _("Read the manifest again: `reason` or the message says how far the route is."),
    "wrong_pin": _("Ask the recipient once more; the message says how many tries are left."),
    "wrong_rescuer_code": _("Ask the driver who takes over to show the code again."),
    "wrong_stop": _("Put the parcel back, and read those of this stop."),
    # -- Blocks and offers -------------------------------------------------------------------------------------
    "already_checked_in": _("Call operations: what has begun is not released."),
    "already_standing_by": _("DELETE the stand-by of that day first."),
    "already_there": _("Nothing is to be done: who has checked in is not late."),
    "block_taken": _("Drop the offer from the list; another has it."),
    "blocked_by_mall": _("Let the driver ask operations."),
    "blocked_by_store": _("Let the driver ask operations."),
    "claim_not_yours": _("Read GET /driver/blocks again and drop this one."),
    "day_hours_exceeded": _("Show a shorter block, or one of another day."),
    "document_expired": _("Let the driver hand in the paper anew."),
    "document_missing": _("Let the driver hand in the paper; operations check it."),
    "enter_the_draw": _("PUT …/entry instead of …/claim."),
    "entries_closed": _("Look for other offers; what nobody takes comes back to all."),
    "eta_too_late": _("Name an earlier time, or release the block with DELETE …/claim."),
    "hand_over_ended": _("Read GET /driver/transfers again."),
    "hand_over_pending": _("DELETE …/transfer first, then ask the other driver."),
    "hand_over_to_yourself": _("Ask for the other driver's code."),
    "hand_over_too_late": _("Release the block, or call operations."),
    "hold_lapsed": _("Drop the offer; the next in rank is asked."),
    "night_too_long": _("Show blocks that end earlier."),
    "no_pay_policy": _("Call operations: a policy must be entered for that day."),
    "not_a_draw": _("PUT …/claim."),
    "not_approved": _("Let the driver finish the application; operations decide."),
    "not_asked": _("Wait: the draw asks in order of rank."),
    "not_at_work": _("Release the block with DELETE …/claim."),
    "not_checked_in": _("PUT …/check-in first."),
    "not_late": _("Nothing is to be done: come by then."),
    "not_on_the_road": _("Nothing is carried: release the block instead."),
    "offer_closed": _("Read GET /driver/offers again; the block may be on offer anew."),
    "offer_withdrawn": _("Drop the offer; its orders go elsewhere."),
    "other_market": _("Show offers of the driver's own market."),
    "outside_geofence": _("Go nearer and send the position again, or send the desk's code."),
    "position_needed": _("Send `latitude` and `longitude`, or `desk_code`."),
    "receiver_unknown": _("Ask the other driver for the code on their page Me."),
    "reserved_for_another": _("Wait: if it is not taken it goes on to all."),
    "rest_too_short": _("Show blocks that leave the hours of rest."),
    "stand_by_hours": _("Give a beginning and an end that are still to come."),
    "stand_by_not_approved": _("Let the driver finish the application."),
    "stand_by_too_far": _("Give an earlier day."),
    "standing_too_low": _("Show the driver GET /driver/standing, and how points decay."),
    "too_early_to_check_in": _("Try again when check-in opens; the message says when."),
    "too_late_to_check_in": _("Drop the block; it is offered to others."),
    "too_late_to_tell": _("Check in as soon as possible, or release the block."),
    "vehicle_class": _("Show blocks for the driver's own car."),
    "vehicle_missing": _("Let the driver enter a car."),
    "vehicle_too_small": _("Show blocks with less to carry."),
    "week_hours_exceeded": _("Show a shorter block, or one of another week."),
    "window_overlaps": _("Show blocks at other times."),
    # -- Pay and standing --------------------------------------------------------------------------------------
    "account_number_invalid": _("Let the driver read it from a cheque or the bank's app."),
    "already_decided": _("Read it again: an answer was given."),
    "appeal_open": _("Wait for the answer; GET /driver/appeals has it."),
    "appeal_text_missing": _("Send `text`, not longer than the message says."),
    "appeal_too_late": _("Let the driver call operations."),
    "appeals_exhausted": _("The second answer is the last."),
    "connected_account_invalid": _("Take the id that begins with acct_ from Stripe."),
    "contest_decided": _("Read the answer: GET /wait-charges/{line} has it."),
    "contest_open": _("Wait for the answer; GET /contests has it."),
    "contest_too_late": _("Call operations."),
    "dispute_open": _("Wait for the answer; GET /driver/disputes has it."),
    "dispute_too_late": _("Let the driver call operations."),
    "not_certified": _("Send `certified` true and `signed_by`, when the driver has read the certification."),
    "not_contestable": _("Take a `number` from GET /wait-charges that says `contestable`."),
    "nothing_to_appeal": _("Show appeals only for events that took points."),
    "provider_off": _("Take a way that GET /driver/payout-account names."),
    "push_endpoint_refused": _("Send what the browser's PushManager gave, unchanged."),
    "push_keys_refused": _("Send what the browser's PushManager gave, unchanged."),
    "push_unavailable": _("Do not offer to subscribe here."),
    "routing_invalid": _("Let the driver read it from a cheque or the bank's app."),
    "store_needed": _("Send `store`, a code from GET /stores; a key of one store may leave it out."),
    "standing_event_not_found": _("Take a `code` from GET /driver/standing."),
    "tin_invalid": _("Let the driver read it from the tax office's letter or the card."),
    "tin_of_another_kind": _("Send the EIN of the corporation or partnership, and `tin_kind` ein."),
    "too_many_appeals": _("Wait for an answer to one that is open."),
}
