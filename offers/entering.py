"""Thousands enter a good draw in its first seconds. Who has looked at their feed lately, as an app does that shows the
offer, is not read anew: their entry is one statement.

What was read of a driver is good for as long as their word stays (see `conditional`). Every rule is asked again of who
is drawn, under their lock. Whatever is out of the ordinary goes the long way and is answered there.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.http import HttpRequest

from offers import conditional, drawing, eligibility, recent
from offers.models import Entry, Offer
from retaildelivery.lib.refusals import Refused

_EMPTY = b"{}"


@dataclass(frozen=True, slots=True)
class Entered:
    """An entry that was made, and what the answer says of the caller's budget."""

    offer: Offer
    entry: Entry
    headers: dict[str, str]


def quickly(request: HttpRequest, offer_code: str, *, at: dt.datetime) -> Entered | None:
    """Enter the draw for a token whose driver was read lately; None when it has to be done the long way."""
    if not _is_plain(request) or (poll := conditional.known(request, kind="api")) is None:
        return None
    asker = poll.asker
    offer = recent.offer(offer_code, market_code=asker.market_code)
    if offer is None or asker.own is None or asker.own.refused_by_stores:
        return None
    work = eligibility.work_of(offer.block)
    if not asker.own.held_in.covers(eligibility.reach(work.window, work.zone)):
        return None
    try:
        drawing.refuse_unless_entries_open(offer, at=at)
        eligibility.check(asker.own.applicant, work)
        entry = drawing.put(offer=offer, driver_id=asker.driver_id, driver_code=asker.driver_code, at=at)
    except Refused:
        return None
    return Entered(offer, entry, poll.budget.headers)


def _is_plain(request: HttpRequest) -> bool:
    """By a token, with the empty object for a body and nothing else to heed."""
    return (
        "Authorization" in request.headers
        and "Idempotency-Key" not in request.headers
        and not request.META["QUERY_STRING"]
        and request.content_type == "application/json"
        and request.META.get("CONTENT_LENGTH") == str(len(_EMPTY))
        and request.body == _EMPTY
    )
