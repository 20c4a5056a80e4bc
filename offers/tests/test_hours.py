"""How many hours are used and free: by the market's clock, day by day."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from rest_framework.test import APIClient

from drivers import tokens
from offers import hours
from offers.tests import making
from offers.tests.making import AT, HOUR, START
from retaildelivery.lib.windows import Window

VEGAS = ZoneInfo("America/Los_Angeles")
MONDAY = dt.date(2026, 11, 23)


def window(start: str, end: str) -> Window:
    return Window(*(dt.datetime.fromisoformat(text).replace(tzinfo=VEGAS) for text in (start, end)))


def test_a_week_without_work_is_free_up_to_the_limit_of_each_day():
    week = hours.week([], monday=MONDAY, zone=VEGAS)

    assert (week.used, week.left, week.frees_up_on) == (dt.timedelta(0), 40 * HOUR, dt.date(2026, 11, 30))
    assert {day.free for day in week.days} == {10 * HOUR}
    assert [day.on.isoformat() for day in week.from_day(dt.date(2026, 11, 28))] == [
        "2026-11-28",
        "2026-11-29",
    ]


def test_a_day_is_no_freer_than_its_week():
    """31 of 40 h used: Friday has four of its ten left, Saturday no more than the week's nine."""
    days = [window(f"2026-11-{day} 08:00", f"2026-11-{day} 16:20") for day in (23, 24, 25)]
    week = hours.week([*days, window("2026-11-27 08:00", "2026-11-27 14:00")], monday=MONDAY, zone=VEGAS)

    assert (week.used, week.left) == (31 * HOUR, 9 * HOUR)
    assert [day.free / HOUR for day in week.days[3:]] == [9, 4, 9, 9]


def test_a_block_over_sunday_midnight_counts_in_both_weeks():
    over = [window("2026-11-29 22:00", "2026-11-30 03:00")]

    assert hours.week(over, monday=MONDAY, zone=VEGAS).used == 2 * HOUR
    assert hours.week(over, monday=dt.date(2026, 11, 30), zone=VEGAS).used == 3 * HOUR


@pytest.fixture
def _now(time_machine, db):
    time_machine.move_to(AT, tick=False)


@pytest.mark.usefixtures("_now")
def test_the_app_reads_the_counter_and_what_each_offer_would_leave():
    store = making.store(making.mall())
    ada = making.driver("Ada")
    making.claimed(making.block([making.order(store)]), ada)
    making.block([making.order(store)], start=START + 3 * HOUR)
    _token, secret = tokens.issue(driver=ada, name="phone", at=AT)
    api = APIClient(HTTP_AUTHORIZATION=f"Bearer {secret}")

    told = api.get("/api/v1/driver/hours").json()
    (offer,) = api.get("/api/v1/driver/offers").json()["results"]

    assert told["time_zone"] == "America/Los_Angeles"
    assert [week["used_minutes"] for week in told["weeks"]] == [120, 0]
    assert told["weeks"][0]["days"][0] == {"on": "2026-11-23", "used_minutes": 120, "free_minutes": 480}
    assert offer["hours_left"] == {"day_minutes": 360, "week_minutes": 2160}


@pytest.mark.usefixtures("_now")
def test_the_offers_page_counts_the_hours(client):
    store = making.store(making.mall())
    ada = making.driver("Ada")
    making.claimed(making.block([making.order(store)]), ada)
    client.force_login(ada.user)

    page = " ".join(client.get("/drive/offers/").content.decode().split())

    assert "2 of 40 h this week" in page
    assert "8 h free today" in page
