"""Pay: the terms of a block and the work done in, an itemised `Pay` out. One package answers "why this amount?".

`lines` are what comes out, `work` what goes in, `block` prices one block, `floors` is what a law guarantees for
offers, shifts, periods and pools, `shifts` knows kinds of shift and ladders, `left` what the car takes, and `case`
reads all of it from a JSON file. docs/pay.md says the same in prose, with worked tables which a test checks.
All arithmetic is exact; a line is rounded once, half up. Amounts are integer cents, distances metres, and every
line names the policy row it follows from.
"""

from offers.pricing.block import dues_of_offer, earned, offered_of, price, started_minutes
from offers.pricing.floors import (
    CREDITABLE,
    NEVER_CREDITABLE,
    Due,
    FloorRule,
    Mileage,
    Offered,
    Scope,
    Share,
    dues,
)
from offers.pricing.left import Left, car_cents, what_is_left
from offers.pricing.lines import LINE_SENTENCES, LineKind, Pay, PayLine, round_half_up
from offers.pricing.rates import METRES, NoRate, Rate, Rates
from offers.pricing.shifts import ShiftKind, ShiftRules, Step, ladder, rate_at, shift_kind
from offers.pricing.work import (
    NOTICE,
    Bonus,
    Clip,
    Engaged,
    ExtraTrip,
    Notice,
    Outcome,
    Terms,
    Tip,
    Trip,
    Wait,
    Work,
    notice_percent,
)

__all__ = [
    "CREDITABLE",
    "LINE_SENTENCES",
    "METRES",
    "NEVER_CREDITABLE",
    "NOTICE",
    "Bonus",
    "Clip",
    "Due",
    "Engaged",
    "ExtraTrip",
    "FloorRule",
    "Left",
    "LineKind",
    "Mileage",
    "NoRate",
    "Notice",
    "Offered",
    "Outcome",
    "Pay",
    "PayLine",
    "Rate",
    "Rates",
    "Scope",
    "Share",
    "ShiftKind",
    "ShiftRules",
    "Step",
    "Terms",
    "Tip",
    "Trip",
    "Wait",
    "Work",
    "car_cents",
    "dues",
    "dues_of_offer",
    "earned",
    "ladder",
    "notice_percent",
    "offered_of",
    "price",
    "rate_at",
    "round_half_up",
    "shift_kind",
    "started_minutes",
    "what_is_left",
]
