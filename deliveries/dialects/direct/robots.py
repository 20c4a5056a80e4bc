"""Their robot courier, in the steps of ours. Pure.

`auto` takes a step every 30 seconds. `custom` takes each at a time of the caller's. `cancel_reason` has the courier
find nobody to give it to, and bring it back.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from deliveries.models import Attempt
from deliveries.sandbox import couriers

Json = dict[str, Any]
REASONS = {
    "cannot_access_customer_location": Attempt.Reason.NO_ACCESS,
    "cannot_find_customer_address": Attempt.Reason.WRONG_ADDRESS,
    "customer_rejected_order": Attempt.Reason.REFUSED,
    "customer_unavailable": Attempt.Reason.NOBODY_HOME,
}
# Their times, each with the steps of ours that it stands for.
TIMES = (
    ("enroute_for_pickup_at", ("assign",)),
    ("pickup_imminent_at", ("arrive_at_pickup",)),
    ("pickup_at", ("hand_over", "depart")),
    ("dropoff_imminent_at", ("approach", "arrive")),
)


def script_of(asked: Json, *, placed_at: dt.datetime) -> list[tuple[str, int, str]]:
    """Steps as `playing.instruct` takes them: each with its seconds after the order was posted, and why."""
    timed = asked.get("mode") == "custom" or (asked.get("mode") is None and "dropoff_at" in asked)
    steps: list[tuple[str, int, str]] = []
    at = 0
    for name, ours in TIMES:
        moment = asked.get(name) if timed else None
        at = max(at, _seconds(moment, placed_at)) if moment else at + EACH * len(ours)
        steps += [(step, at, "") for step in ours]
    moment = asked.get("dropoff_at") if timed else None
    at = max(at, _seconds(moment, placed_at)) if moment else at + EACH
    reason = asked.get("cancel_reason")
    if not reason:
        return [*steps, ("deliver", at, "")]
    return [*steps, ("fail", at, REASONS[reason]), ("return", at + EACH, "")]


EACH = int(couriers.FAST.total_seconds())


def _seconds(moment: dt.datetime, placed_at: dt.datetime) -> int:
    return max(0, int((moment - placed_at).total_seconds()))
