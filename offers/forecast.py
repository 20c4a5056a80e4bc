"""From a mall's orders and blocks to what its days ask for: the queries of the forecast."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Min
from django.db.models.functions import ExtractHour, TruncDate

from deliveries.models import Order
from offers import forecasting, limits
from offers.forecasting import Carried, Expected, History
from offers.models import Block, Holiday, Publication
from retaildelivery.lib.windows import Window, day_window
from stores.models import Mall

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
WORKED = (Block.Status.COMPLETED, Block.Status.SETTLED, Block.Status.WORKING)


@dataclass(frozen=True, slots=True)
class Recommendation:
    """So many blocks of this start and length, and why."""

    window: Window
    expected: Expected
    per_block: float
    blocks_known: int
    needed: int
    published: int
    publications: int

    @property
    def count(self) -> int:
        """Blocks to publish now: what is needed and not there yet."""
        return max(0, self.needed - self.published)

    @property
    def hours(self) -> int:
        return int(self.window.duration / HOUR)

    def reckoning(self) -> dict[str, Any]:
        """The numbers, to be kept with what was decided on them."""
        return {
            "orders": round(self.expected.orders, 1),
            "low": round(self.expected.low, 1),
            "high": round(self.expected.high, 1),
            "samples": self.expected.samples,
            "trend": round(self.expected.trend, 3),
            "holiday": self.expected.holiday,
            "orders_per_block": round(self.per_block, 1),
            "blocks_known": self.blocks_known,
            "needed": self.needed,
            "already_published": self.published,
        }


def recommendations(mall: Mall, day: dt.date, *, at: dt.datetime) -> list[Recommendation]:
    """What this local day asks for, start by start; none where nothing is expected."""
    history = history_of(mall, day, at=at)
    carried = carried_at(mall, at=at)
    live = published_on(mall, day)
    decided = [(each.starts_at, each.length) for each in publications_on(mall, day)]
    found = []
    cut = forecasting.cut(history, day)
    windows = [window_of(mall, day, dt.time(hour), length * HOUR) for hour, length in cut]
    answers = Counter(answered(Window(each.starts_at, each.ends_at), windows) for each in live)
    for (hour, length), window in zip(cut, windows, strict=True):
        expected = forecasting.expect(history, day, range(hour, hour + length))
        per_block = carried.orders_an_hour * length
        needed = forecasting.blocks_for(expected.orders, per_block=per_block)
        there = answers[window]
        before = decided.count((window.start, window.duration))
        found.append(Recommendation(window, expected, per_block, carried.blocks, needed, there, before))
    return found


def answered(block: Window, windows: Sequence[Window]) -> Window | None:
    """Of these hours those that a block is for: which it shares the most time with, the earlier of two alike; None
    when it shares none. So each block is taken off once, however its start was chosen."""
    shared = {window: part.duration for window in windows if (part := window.intersection(block))}
    return max(shared, key=lambda window: shared[window]) if shared else None


def window_of(mall: Mall, day: dt.date, start: dt.time, length: dt.timedelta) -> Window:
    """From that time on the mall's clock; a start that the change of clocks leaves out is an hour later on it."""
    begins = dt.datetime.combine(day, start, tzinfo=mall.zone).astimezone(dt.UTC)
    return Window(begins, begins + length)


def history_of(mall: Mall, day: dt.date, *, at: dt.datetime) -> History:
    """Orders by local day and the hour they were packed, of whole days that are over. What was cancelled asked for
    no driver."""
    until = at.astimezone(mall.zone).date()
    first = until - limits.HISTORY_WEEKS * 7 * DAY
    start, end = day_window(first, mall.zone).start, day_window(until, mall.zone).start
    orders = Order.objects.filter(store__mall=mall, ready_at__lt=end).exclude(status=Order.Status.CANCELLED)
    rows = (
        orders.filter(ready_at__gte=start)
        .annotate(day=TruncDate("ready_at", tzinfo=mall.zone), hour=ExtractHour("ready_at", tzinfo=mall.zone))
        .values_list("day", "hour")
        .annotate(count=Count("pk"))
    )
    oldest = orders.aggregate(oldest=Min("ready_at"))["oldest"]
    days = Holiday.objects.filter(market=mall.market_id, on__gte=first, on__lte=max(day, until))
    return History(
        counts={(on, hour): count for on, hour, count in rows},
        since=max(first, oldest.astimezone(mall.zone).date()) if oldest else None,
        until=until,
        holidays=frozenset(days.values_list("on", flat=True)),
    )


def carried_at(mall: Mall, *, at: dt.datetime) -> Carried:
    """What blocks of this mall carried in the last weeks."""
    rows = Block.objects.filter(
        mall=mall,
        status__in=WORKED,
        orders_count__gt=0,
        window__startswith__gte=at - forecasting.SEASONAL_WEEKS * 7 * DAY,
    ).values_list("orders_count", "window")
    return forecasting.carried([(orders, window.upper - window.lower) for orders, window in rows])


def published_on(mall: Mall, day: dt.date) -> list[Block]:
    """Blocks of that day which are there already, whoever made them, by start."""
    whole = day_window(day, mall.zone)
    return list(
        Block.objects.filter(
            mall=mall,
            status__in=[*Block.LIVE, *WORKED],
            window__startswith__gte=whole.start,
            window__startswith__lt=whole.end,
        )
        .select_related("publication__published_by")
        .order_by("window__startswith", "pk")
    )


def publications_on(mall: Mall, day: dt.date) -> Sequence[Publication]:
    """What was decided for that day, newest first: who, when, and on what reckoning."""
    whole = day_window(day, mall.zone)
    rows = Publication.objects.filter(mall=mall, starts_at__gte=whole.start, starts_at__lt=whole.end)
    return list(
        rows.select_related("published_by").order_by("-published_at", "-pk")[: limits.PUBLICATIONS_SHOWN]
    )
