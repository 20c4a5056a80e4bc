"""When the stores of a mall hand parcels over."""

from __future__ import annotations

import datetime as dt

from retaildelivery.lib.windows import Window
from stores.models import Mall, StoreHours

WEEK = 7


def next_openings(mall: Mall, *, at: dt.datetime) -> dict[str, Window]:
    """Per store with hours of its own, by code, the opening that is now or comes next; a store without any keeps the
    mall's hours and is not among them."""
    week: dict[str, dict[int, StoreHours]] = {}
    for row in StoreHours.objects.filter(store__mall=mall).select_related("store").order_by("pk"):
        week.setdefault(row.store.code, {})[row.weekday] = row
    return {code: _next(days, mall, at) for code, days in week.items()}


def _next(days: dict[int, StoreHours], mall: Mall, at: dt.datetime) -> Window:
    today = at.astimezone(mall.zone).date()
    # The same weekday comes again in a week: a store that is open on one day only, and shut by now.
    for number in range(WEEK + 1):
        day = today + dt.timedelta(days=number)
        row = days.get(day.weekday())
        if row is not None and dt.datetime.combine(day, row.closes, mall.zone) > at:
            return Window(
                dt.datetime.combine(day, row.opens, mall.zone).astimezone(dt.UTC),
                dt.datetime.combine(day, row.closes, mall.zone).astimezone(dt.UTC),
            )
    raise AssertionError("A store with hours opens within a week.")
