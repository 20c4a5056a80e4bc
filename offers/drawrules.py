"""How a market hands offers out on a day, and by what a driver is weighted."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from offers import limits
from offers.models import Block, DrawRules

# What the weight of a good, a fair and a low standing starts from, before it is shared among recent wins.
GOOD, FAIR, LOW = 1200, 1000, 600


@dataclass(frozen=True, slots=True)
class Rules:
    first_come_within: dt.timedelta
    entries: dt.timedelta
    hold: dt.timedelta


DEFAULT = Rules(limits.FIRST_COME_WITHIN, limits.ENTRIES_OPEN, limits.HOLD)


def of(block: Block, *, at: dt.datetime) -> Rules:
    """The rules of the block's market on its local day of `at`."""
    day = at.astimezone(block.mall.zone).date()
    rows = DrawRules.objects.filter(market=block.mall.market_id).valid_on(day)  # type: ignore[attr-defined]
    row: DrawRules | None = rows.order_by("-valid_from", "-pk").first()
    return DEFAULT if row is None else Rules(row.first_come_within, row.entries, row.hold)


def weight(*, points: int, wins: int) -> int:
    """Shares of the chance: what the standing gives, divided among one and the recent wins, rounded down. Who won
    less lately stands higher; nobody is ever left without a share."""
    band = GOOD if points >= limits.GOOD_STANDING else FAIR if points >= 0 else LOW
    return max(1, band // (1 + wins))


def hold_until(*, hold: dt.timedelta, start: dt.datetime, at: dt.datetime) -> dt.datetime | None:
    """Until when the block is held for who is asked now: as promised, but never longer than half of the time that
    is left to the start, so that others come after. None when so little is left that all are asked at once."""
    left = start - at
    length = min(hold, left / 2)
    if length < limits.HOLD_LEAST or left - length < limits.OFFER_LEAST:
        return None
    return at + length
