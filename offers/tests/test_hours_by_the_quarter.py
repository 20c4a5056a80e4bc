"""The rule of hours against a count that anybody can follow: each quarter of an hour is looked up on the wall clock of
the market, day by day and week by week, on the nights when clocks change as on others."""

import datetime as dt
import itertools
from collections import Counter
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings
from hypothesis import strategies as st

from offers import eligibility
from offers.eligibility import (
    Applicant,
    DayHoursExceeded,
    Held,
    NightTooLong,
    RestTooShort,
    WeekHoursExceeded,
    Work,
)
from retaildelivery.lib.windows import Window, local_days

QUARTER = dt.timedelta(minutes=15)
DAY_QUARTERS, WEEK_QUARTERS, REST_QUARTERS, BREAK_QUARTERS = 40, 160, 32, 8
ZONES = [
    "America/Los_Angeles",
    "America/New_York",
    "America/Phoenix",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
]
# The Mondays of weeks in which clocks change in one of them, at the end of a year, and of a plain one.
MONDAYS = [
    dt.datetime(2026, 3, 2), dt.datetime(2026, 3, 9), dt.datetime(2026, 3, 30), dt.datetime(2026, 9, 28),
    dt.datetime(2026, 10, 26), dt.datetime(2026, 11, 2), dt.datetime(2026, 12, 28), dt.datetime(2026, 6, 1),
]  # fmt: skip
HOURS = {DayHoursExceeded, WeekHoursExceeded}
REST = {RestTooShort, NightTooLong}


def windows_of(week, pieces):
    """Windows in UTC, given as (quarters since the last one ended, length in quarters), none over another."""
    at = MONDAYS[week].replace(tzinfo=dt.UTC)
    for pause, length in pieces:
        start = at + pause * QUARTER
        at = start + length * QUARTER
        yield Window(start, at)


def quarters(window):
    """The quarters of an hour in it, each by its beginning."""
    return [window.start + n * QUARTER for n in range((window.end - window.start) // QUARTER)]


def said(zone, windows, which, rule):
    """The refusals of the rule for this window, when all the others are held."""
    held = tuple(Held(each, True, "B") for each in windows if each is not windows[which])
    applicant = Applicant("approved", "m", (), None, held, 0, frozenset())
    work = Work("B1", "m", zone, 1, windows[which], 1, 1)
    return {type(each) for each in rule(applicant, work)}


def hours_by_hand(zone, windows, which):
    days, weeks, mine = Counter(), Counter(), set()
    for window in windows:
        for quarter in quarters(window):
            day = quarter.astimezone(zone).date()
            days[day] += 1
            weeks[day.isocalendar()[:2]] += 1
            if window is windows[which]:
                mine.add(day)
    found = {DayHoursExceeded} if any(days[day] > DAY_QUARTERS for day in mine) else set()
    if any(weeks[day.isocalendar()[:2]] > WEEK_QUARTERS for day in mine):
        found.add(WeekHoursExceeded)
    return found


def rest_by_hand(zone, windows, which):
    """Shifts are runs of work with pauses of two hours at most; each knows on which day it began."""
    worked = sorted(quarter for window in windows for quarter in quarters(window))
    runs = [[worked[0]]]
    for before, quarter in itertools.pairwise(worked):
        if (quarter - before) // QUARTER - 1 > BREAK_QUARTERS:
            runs.append([])
        runs[-1].append(quarter)
    mine = next(run for run in runs if windows[which].start in run)
    day = mine[0].astimezone(zone).date()
    found = set()
    for near in runs:
        pause = max(mine[0] - near[-1], near[0] - mine[-1]) // QUARTER - 1
        if near is not mine and near[0].astimezone(zone).date() != day and pause < REST_QUARTERS:
            found.add(RestTooShort)
    if mine[-1].astimezone(zone).date() != day and len(mine) > DAY_QUARTERS:
        found.add(NightTooLong)
    return found


weeks = st.integers(0, len(MONDAYS) - 1)
pieces = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 24)), min_size=1, max_size=14)


@settings(max_examples=150, deadline=None)
@given(zone=st.sampled_from(ZONES), week=weeks, pieces=pieces, which=st.integers(0, 13))
# Ten hours on the day that has 23, and a quarter more; over the midnight of a week's end; the hour that comes twice.
@example(zone="America/Los_Angeles", week=0, pieces=[(6 * 96 + 32, 40)], which=0)
@example(zone="America/Los_Angeles", week=0, pieces=[(6 * 96 + 32, 41)], which=0)
@example(zone="America/Los_Angeles", week=4, pieces=[(6 * 96 + 28, 20), (8, 24)], which=1)
@example(zone="America/New_York", week=5, pieces=[(16, 38)] + [(58, 38)] * 3 + [(58, 9)], which=4)
def test_hours_of_days_and_weeks_and_rest_are_those_counted_by_hand(zone, week, pieces, which):
    zone, windows = ZoneInfo(zone), list(windows_of(week, pieces))
    which %= len(windows)

    assert said(zone, windows, which, eligibility.has_hours) == hours_by_hand(zone, windows, which)
    assert said(zone, windows, which, eligibility.has_rest) == rest_by_hand(zone, windows, which)


@settings(max_examples=50, deadline=None)
@given(zone=st.sampled_from(ZONES), week=weeks, start=st.integers(0, 7 * 96), length=st.integers(1, 4 * 96))
@example(zone="America/Los_Angeles", week=0, start=5 * 96, length=3 * 96)
@example(zone="America/Los_Angeles", week=4, start=5 * 96, length=3 * 96)
def test_a_window_of_any_length_is_split_among_its_days_without_losing_a_quarter(zone, week, start, length):
    zone, [window] = ZoneInfo(zone), windows_of(week, [(start, length)])

    by_hand = Counter(quarter.astimezone(zone).date() for quarter in quarters(window))

    assert {day: part // QUARTER for day, part in local_days(window, zone)} == by_hand


def test_a_count_that_takes_every_day_for_24_hours_differs():
    """The control: on the wall clock alone the night of the change is an hour too long or too short."""
    zone = ZoneInfo("America/Los_Angeles")
    window = Window(dt.datetime(2026, 3, 8, 6, tzinfo=dt.UTC), dt.datetime(2026, 3, 8, 16, 15, tzinfo=dt.UTC))
    naive = window.end.astimezone(zone).replace(tzinfo=None) - window.start.astimezone(zone).replace(
        tzinfo=None
    )

    assert len(quarters(window)) * QUARTER != naive
    assert said(zone, [window], 0, eligibility.has_rest) == {NightTooLong}
