"""Offers that this process read a moment ago, for verbs that check again what matters when they write."""

from __future__ import annotations

import time
from collections import OrderedDict

from offers import limits
from offers.models import Offer

_kept: OrderedDict[str, tuple[float, Offer]] = OrderedDict()


def offer(code: str, *, market_code: str) -> Offer | None:
    """The offer as it was at most `limits.OFFER_RECENT` ago, with what it was read with; None for another market's."""
    found = _kept.get(code)
    if found is None or time.monotonic() - found[0] > limits.OFFER_RECENT.total_seconds():
        return None
    return found[1] if found[1].block.mall.market.code == market_code else None


def keep(read: Offer) -> None:
    """Note an offer that was just read; one that is noted already keeps its time."""
    known = _kept.get(read.code)
    if known is not None and known[1] is read:
        return
    _kept[read.code] = (time.monotonic(), read)
    while len(_kept) > limits.OFFERS_RECENT:
        _kept.popitem(last=False)
