"""The times of day at which a mall's waves run: local wall clocks as moments."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from offers.models import Cutoff
from stores.models import Mall

DAY = dt.timedelta(days=1)


def times_of(mall: Mall) -> list[dt.time]:
    """The mall's cutoffs; none when it plans in rounds."""
    rows = Cutoff.objects.filter(mall=mall).order_by("local_time")
    return list(rows.values_list("local_time", flat=True))


def last(times: Sequence[dt.time], zone: dt.tzinfo, *, at: dt.datetime) -> dt.datetime:
    """The latest cutoff that has passed; exactly then it has."""
    today = at.astimezone(zone).date()
    return max(moment for day in (today - DAY, today) for moment in _on(day, times, zone) if moment <= at)


def next_after(times: Sequence[dt.time], zone: dt.tzinfo, *, at: dt.datetime) -> dt.datetime:
    """The next cutoff to come."""
    today = at.astimezone(zone).date()
    return min(moment for day in (today, today + DAY) for moment in _on(day, times, zone) if moment > at)


def _on(day: dt.date, times: Sequence[dt.time], zone: dt.tzinfo) -> list[dt.datetime]:
    """A time that the change of clocks leaves out comes an hour later on the clock; one that comes twice counts at
    its first."""
    return [dt.datetime.combine(day, each, tzinfo=zone).astimezone(dt.UTC) for each in times]
