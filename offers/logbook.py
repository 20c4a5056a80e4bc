"""The mileage log of a year, as a tax office wants it: https://www.irs.gov/publications/p463, table 5-1: for each
business use of the car the date, the miles, the places and the purpose."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from django.db.models import Max, Min
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from drivers import costing
from drivers.models import Driver
from offers import pricing
from offers.models import Mileage
from retaildelivery.lib import money
from retaildelivery.lib.spreadsheets import csv_of

TENTH = Decimal("0.1")
COLUMNS = (
    "date", "block", "started_at", "ended_at", "from", "to", "business_miles", "of_which_back_to_the_mall", "purpose",
    "source", "irs_cents_per_mile", "deduction_usd",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One use of the car. Miles as they are written down, to a tenth; the deduction is reckoned from those."""

    row: Mileage
    rate: Decimal

    @property
    def miles(self) -> Decimal:
        return tenths(self.row.metres)

    @property
    def back_miles(self) -> Decimal:
        return tenths(self.row.back_m)

    @property
    def deduction_cents(self) -> int:
        return money.round_cents(self.miles * self.rate)

    @property
    def block(self) -> str:
        return self.row.claim.block.code

    @property
    def start(self) -> str:
        mall = self.row.claim.block.mall
        return f"{mall.name}, {mall.address}"

    @property
    def to(self) -> str:
        """How many doors, and where; back to the mall, where that is part of it."""
        doors = ngettext("%(doors)d door", "%(doors)d doors", self.row.doors) % {"doors": self.row.doors}
        where = f"{doors} ({self.row.places})" if self.row.places else doors
        return _("%(doors)s and back to the mall") % {"doors": where} if self.row.back_m else where

    @property
    def purpose(self) -> str:
        return _("Delivery of parcels from stores of %(mall)s") % {"mall": self.row.claim.block.mall.name}


def tenths(metres: int) -> Decimal:
    return (metres / pricing.METRES["mi"]).quantize(TENTH, rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Log:
    """A year of it, newest first; totals are the sums of what the entries say."""

    year: int
    entries: Sequence[Entry]

    @property
    def miles(self) -> Decimal:
        return sum((each.miles for each in self.entries), Decimal(0))

    @property
    def deduction_cents(self) -> int:
        return sum(each.deduction_cents for each in self.entries)

    @property
    def rates(self) -> list[Decimal]:
        """Of the tax office, those that were used."""
        return sorted({each.rate for each in self.entries})


def of_year(driver: Driver, year: int) -> Log:
    """Two queries; a year of a driver is some hundred rows."""
    costs = costing.of(driver)
    rows = Mileage.objects.in_year(year).filter(driver=driver).select_related("claim__block__mall__market")  # type: ignore[attr-defined]
    return Log(year, [Entry(row, costs.irs(row.day)) for row in rows.order_by("-day", "-pk")])


def years(driver: Driver, *, today: dt.date) -> list[int]:
    """Those with something in them and this one, newest first."""
    found = Mileage.objects.filter(driver=driver).aggregate(first=Min("day"), last=Max("day"))
    first = found["first"].year if found["first"] else today.year
    last = max(found["last"].year if found["last"] else today.year, today.year)
    return list(range(last, first - 1, -1))


def csv(log: Log) -> str:
    """Oldest first, as one writes a log, with the year's total at the end. Times are those of the mall."""
    rows = [
        (
            each.row.day.isoformat(),
            each.block,
            local(each.row.started_at, each),
            local(each.row.ended_at, each),
            each.start,
            each.to,
            each.miles,
            each.back_miles,
            each.purpose,
            each.row.source,
            each.rate,
            dollars(each.deduction_cents),
        )
        for each in reversed(log.entries)
    ]
    total = (f"total {log.year}", "", "", "", "", "", log.miles, "", "", "", "", dollars(log.deduction_cents))
    return csv_of(COLUMNS, [*rows, total])


def local(moment: dt.datetime, entry: Entry) -> str:
    return moment.astimezone(entry.row.claim.block.mall.zone).isoformat(timespec="seconds")


def dollars(cents: int) -> Decimal:
    return Decimal(cents) / 100
