from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retaildelivery.lib import windows
from retaildelivery.lib.windows import Window

VEGAS = ZoneInfo("America/Los_Angeles")
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
hour = timedelta(hours=1)

some_windows = st.builds(
    lambda start, length: Window(start, start + length),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
    st.timedeltas(timedelta(seconds=1), timedelta(days=9)),
)


def test_the_start_is_inside_and_the_end_is_not():
    window = Window(NOON, NOON + hour)

    assert window.contains(NOON)
    assert not window.contains(NOON + hour)
    assert window.minutes == 60


def test_windows_that_touch_do_not_overlap():
    first, second = Window(NOON, NOON + hour), Window(NOON + hour, NOON + 2 * hour)

    assert not first.overlaps(second)
    assert first.intersection(second) is None
    assert first.gap_to(second) == timedelta(0)


def test_windows_that_share_a_moment_overlap():
    first, second = Window(NOON, NOON + 2 * hour), Window(NOON + hour, NOON + 3 * hour)

    assert first.overlaps(second)
    assert second.overlaps(first)
    assert first.intersection(second) == Window(NOON + hour, NOON + 2 * hour)


def test_the_gap_is_the_same_from_both_sides():
    early, late = Window(NOON, NOON + hour), Window(NOON + 9 * hour, NOON + 10 * hour)

    assert early.gap_to(late) == 8 * hour
    assert late.gap_to(early) == 8 * hour
    assert Window(NOON, NOON + 10 * hour).covers(late)
    assert not late.covers(early)


@pytest.mark.parametrize("end", [NOON, NOON - hour])
def test_an_empty_or_reversed_window_is_refused(end):
    with pytest.raises(ValueError, match="ends after it starts"):
        Window(NOON, end)


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        Window(datetime(2026, 11, 23), NOON)


def test_the_night_the_clocks_go_back_is_an_hour_longer():
    night = Window(
        datetime(2026, 11, 1, 0, tzinfo=VEGAS),
        datetime(2026, 11, 1, 4, tzinfo=VEGAS),
    )

    assert night.duration == 5 * hour
    assert windows.per_day([night], VEGAS) == {date(2026, 11, 1): 5 * hour}
    assert windows.day_window(date(2026, 11, 1), VEGAS).duration == 25 * hour
    assert windows.day_window(date(2026, 3, 8), VEGAS).duration == 23 * hour


def test_a_window_over_midnight_is_split_between_its_local_days_and_weeks():
    sunday_night = Window(
        datetime(2026, 11, 22, 22, tzinfo=VEGAS),
        datetime(2026, 11, 23, 1, tzinfo=VEGAS),
    )

    assert windows.per_day([sunday_night, sunday_night], VEGAS) == {
        date(2026, 11, 22): 4 * hour,
        date(2026, 11, 23): 2 * hour,
    }
    assert windows.per_week([sunday_night], VEGAS) == {
        date(2026, 11, 16): 2 * hour,
        date(2026, 11, 23): hour,
    }


@given(st.lists(some_windows, max_size=5))
def test_days_and_weeks_add_up_to_the_whole(several):
    whole = sum((window.duration for window in several), timedelta(0))

    assert sum(windows.per_day(several, VEGAS).values(), timedelta(0)) == whole
    assert sum(windows.per_week(several, VEGAS).values(), timedelta(0)) == whole
