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
from offers.models import Offer
from offers.places import Place
from retaildelivery.lib.refusals import Refused

_EMPTY = b"{}"


@dataclass(frozen=True, slots=True)
class Entered:
    """An entry that was made, and what the answer says of the caller's budget."""

    offer: Offer
    place: Place
    headers: dict[str, str]


def quickly(request: HttpRequest, offer_code: str, *, at: dt.datetime) -> Entered | None:
    """Enter the draw for a token whose driver was read lately; None when it has to be done the long way."""
    if not _is_plain(request) or (poll := conditional.known(request, kind="api")) is None:
        return None
    asker = poll.asker
    read = recent.read(offer_code, market_code=asker.market_code)
    if read is None or asker.own is None or asker.sheet is None or asker.own.refused_by_stores:
        return None
    if not asker.own.held_in.covers(read.reach):
        return None
    try:
        drawing.refuse_unless_entries_open(read.offer, at=at)
        if not asker.sheet.is_fit(read.offer):
            eligibility.check(asker.own.applicant, read.work)
            asker.sheet.fit[read.offer.pk] = read.offer
        place = drawing.put(offer=read.offer, driver_id=asker.driver_id, driver_code=asker.driver_code, at=at)
    except Refused:
        return None
    return Entered(read.offer, place, poll.budget.headers)


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
