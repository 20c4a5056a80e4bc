"""Offers that this process read a moment ago, for verbs that check again what matters when they write."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass

from offers import eligibility, limits
from offers.models import Offer
from retaildelivery.lib.windows import Window


@dataclass(frozen=True, slots=True)
class Read:
    """An offer, when it was read, its work as the rules see it, and in which time a driver's claims matter to it."""

    offer: Offer
    at: float
    work: eligibility.Work
    reach: Window


_kept: OrderedDict[str, Read] = OrderedDict()


def read(code: str, *, market_code: str) -> Read | None:
    """The offer as it was at most `limits.OFFER_RECENT` ago, with what it was read with; None for another market's."""
    found = _kept.get(code)
    if found is None or time.monotonic() - found.at > limits.OFFER_RECENT.total_seconds():
        return None
    return found if found.work.market == market_code else None


def keep(offer: Offer) -> None:
    """Note an offer that was just read; one that is noted already keeps its time."""
    known = _kept.get(offer.code)
    if known is not None and known.offer is offer:
        return
    work = eligibility.work_of(offer.block)
    _kept[offer.code] = Read(offer, time.monotonic(), work, eligibility.reach(work.window, work.zone))
    while len(_kept) > limits.OFFERS_RECENT:
        _kept.popitem(last=False)
