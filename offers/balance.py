"""Where the money of a market is. Every line of both accounts moves its cents from one place to another and is counted
once, so that all places together come to zero; what payouts say for themselves is held against it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet, Sum
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from drivers.models import DriverPosting, Payout
from offers.models.law import Counted
from retaildelivery.lib.windows import Window
from stores import billing
from stores.models import Market, SellerPosting

SELLERS, DRIVERS, BANK, TAX, PLATFORM, UNKNOWN = "sellers", "drivers", "bank", "tax", "platform", "unknown"
PLACES: dict[str, Promise] = {
    SELLERS: _("Owed by sellers"),
    DRIVERS: _("Owed to drivers"),
    BANK: _("Left through the bank"),
    TAX: _("Tax charged to sellers"),
    PLATFORM: _("Borne by the platform"),
    UNKNOWN: _("Not accounted for"),
}
# Where a line's cents come from or go to, beside the account it stands in. A test knows every kind that is posted.
OF_SELLERS = {
    "base": PLATFORM,
    "distance": PLATFORM,
    "size": PLATFORM,
    "slot": PLATFORM,
    "return": PLATFORM,
    "cancellation": PLATFORM,
    "wait": PLATFORM,
    "tip": PLATFORM,
    "adjustment": PLATFORM,
    "tax": TAX,
}
OF_DRIVERS = {
    "base": PLATFORM,
    "step": PLATFORM,
    "overtime": PLATFORM,
    "wait": PLATFORM,
    "return": PLATFORM,
    "extra_trip": PLATFORM,
    "stood_down": PLATFORM,
    "withdrawn": PLATFORM,
    "bonus": PLATFORM,
    "toll": PLATFORM,
    "tip": PLATFORM,
    "floor": PLATFORM,
    "mileage": PLATFORM,
    "adjustment": PLATFORM,
    "payout": BANK,
    "payout_returned": BANK,
}
WORDS: Mapping[str, Promise | str] = {
    **dict(Counted.choices),
    "toll": _("tolls given back"),
    "tip": _("tips"),
    "floor": _("up to a law's floor"),
    "mileage": _("distance beside a floor"),
    "adjustment": _("corrections"),
    "payout": _("paid out"),
    "payout_returned": _("came back"),
}
PAID = (Payout.Status.SENT, Payout.Status.RETURNED)


@dataclass(frozen=True, slots=True)
class Part:
    """The lines of one kind: how many in the time, their cents, and the cents of those before it."""

    kind: str
    words: str
    against: str
    lines: int
    cents: int
    before_cents: int


@dataclass(frozen=True, slots=True)
class Balance:
    """A market's money in a time. `sent_cents` and `returned_cents` are what the payouts themselves say."""

    window: Window
    charged: tuple[Part, ...]
    drivers: tuple[Part, ...]
    sent_cents: int
    returned_cents: int

    @property
    def credited(self) -> list[Part]:
        return [part for part in self.drivers if part.against != BANK]

    @property
    def moved(self) -> list[Part]:
        return [part for part in self.drivers if part.against == BANK]

    @property
    def charged_cents(self) -> int:
        return sum(part.cents for part in self.charged)

    @property
    def credited_cents(self) -> int:
        return sum(part.cents for part in self.credited)

    @property
    def paid_out_cents(self) -> int:
        """What left, less what came back."""
        return -sum(part.cents for part in self.moved)

    @property
    def owed_before_cents(self) -> int:
        return sum(part.before_cents for part in self.drivers)

    @property
    def owed_cents(self) -> int:
        """To drivers, at the end of the time."""
        return self.owed_before_cents + self.credited_cents - self.paid_out_cents

    @property
    def places(self) -> dict[str, int]:
        """What each place gained in the time, in cents; what it owes or gave is negative."""
        found = dict.fromkeys(PLACES, 0)
        for part in self.charged:
            found[SELLERS] += part.cents
            found[part.against] -= part.cents
        for part in self.drivers:
            found[DRIVERS] -= part.cents
            found[part.against] += part.cents
        return found

    @property
    def told(self) -> list[tuple[str, int]]:
        """The places in words. The last is there only when a kind has no place."""
        found = self.places
        return [(str(PLACES[place]), found[place]) for place in PLACES if place != UNKNOWN or found[UNKNOWN]]

    @property
    def sum_cents(self) -> int:
        """Of all places: zero."""
        return sum(self.places.values())

    @property
    def remainder_cents(self) -> int:
        """What sellers were charged, less tax and what drivers were credited."""
        return -self.places[PLATFORM]

    @property
    def unexplained_cents(self) -> int:
        """By how much the account of the drivers and the payouts differ about what left: zero."""
        return self.paid_out_cents - (self.sent_cents - self.returned_cents)

    @property
    def holds(self) -> bool:
        """Whether nothing is unexplained and every kind has its place."""
        known = all(part.against != UNKNOWN for part in (*self.charged, *self.drivers))
        return known and not self.sum_cents and not self.unexplained_cents


def month(market: Market, first: dt.date) -> Window:
    """The market's month that begins on this day."""
    after = (first.replace(day=1) + dt.timedelta(days=31)).replace(day=1)
    start, end = (
        dt.datetime.combine(day, dt.time(), tzinfo=market.zone) for day in (first.replace(day=1), after)
    )
    return Window(start, end)


def of(market: Market, window: Window) -> Balance:
    """Three queries."""
    charged = SellerPosting.objects.of_market(market)  # type: ignore[attr-defined]
    credited = DriverPosting.objects.filter(driver__market_code=market.code)
    payouts = Payout.objects.filter(driver__market_code=market.code, status__in=PAID)
    sent = Q(batch__released_at__gte=window.start, batch__released_at__lt=window.end)
    returned = Q(returned_at__gte=window.start, returned_at__lt=window.end)
    said = payouts.aggregate(
        sent=Sum("cents", filter=sent, default=0), returned=Sum("cents", filter=returned, default=0)
    )
    return Balance(
        window=window,
        charged=_parts(charged, window, OF_SELLERS, billing.KINDS),
        drivers=_parts(credited, window, OF_DRIVERS, WORDS),
        sent_cents=said["sent"],
        returned_cents=said["returned"],
    )


def _parts(
    rows: QuerySet[SellerPosting] | QuerySet[DriverPosting],
    window: Window,
    places: Mapping[str, str],
    words: Mapping[str, Promise | str],
) -> tuple[Part, ...]:
    """The lines up to the end of the time by kind, in the order of `places`, what has none last."""
    within = Q(at__gte=window.start)
    summed = (
        rows.filter(at__lt=window.end)
        .order_by("kind")
        .values("kind")
        .annotate(
            lines=Count("pk", filter=within),
            within=Sum("cents", filter=within, default=0),
            before=Sum("cents", filter=~within, default=0),
        )
    )
    order = list(places)
    parts = [
        Part(
            kind=row["kind"],
            words=str(words.get(row["kind"], row["kind"])),
            against=places.get(row["kind"], UNKNOWN),
            lines=row["lines"],
            cents=row["within"],
            before_cents=row["before"],
        )
        for row in summed
    ]
    return tuple(
        sorted(parts, key=lambda part: order.index(part.kind) if part.kind in places else len(order))
    )
