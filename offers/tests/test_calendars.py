"""The private calendar: right by every clock, secret, and without anything about recipients."""

import datetime as dt

import pytest
from icalendar import Calendar

from offers import calendars, claiming, relieving, withdrawing
from offers.models import CalendarFeed
from offers.tests import making
from offers.tests.making import AT, HOUR, START
from retaildelivery.outbox.recording import SYSTEM


@pytest.fixture(autouse=True)
def _now(time_machine, db):
    time_machine.move_to(AT, tick=False)


@pytest.fixture
def ada():
    return making.driver("Ada")


def events(driver):
    calendar = Calendar.from_ical(calendars.write(driver, at=AT))
    return [
        (str(event["uid"]).split("-")[0].upper(), str(event["status"]), event.decoded("dtstart"))
        for event in calendar.walk("VEVENT")
    ]


def test_held_blocks_are_in_it_withdrawn_ones_are_cancelled_and_given_back_ones_gone(ada):
    store = making.store(making.mall())
    kept, dropped, gone = (
        making.claimed(
            making.block(
                [making.order(store, window=(START, START + 9 * HOUR))], start=START + n * 150 * making.MINUTE
            ),
            ada,
        )
        for n in range(3)
    )
    withdrawing.withdraw(block_code=dropped.code, reason="closed", actor=SYSTEM, at=AT)
    claiming.release(block_code=gone.code, driver_id=ada.pk, at=AT)

    assert events(ada) == [
        (kept.code, "CONFIRMED", START),
        (dropped.code, "CANCELLED", START + 150 * making.MINUTE),
    ]


def test_the_night_the_clocks_go_back_has_two_half_past_ones_and_the_calendar_knows_which(ada):
    """2026-11-01 in Las Vegas: a block from the second 01:30 to 04:30 is three hours and starts at 09:30 UTC."""
    start = dt.datetime(2026, 11, 1, 9, 30, tzinfo=dt.UTC)
    at = start - 3 * HOUR
    store = making.store(making.mall())
    order = making.order(store, at=at, window=(start, start + 5 * HOUR))
    making.claimed(making.block([order], start=start, length=3 * HOUR, at=at), ada, at=at)

    (event,) = Calendar.from_ical(calendars.write(ada, at=at)).walk("VEVENT")

    assert (event.decoded("dtstart"), event.decoded("dtend")) == (start, start + 3 * HOUR)
    assert event["dtstart"].to_ical() == b"20261101T093000Z"


def test_nothing_about_recipients_is_in_it(ada):
    store = making.store(making.mall())
    making.claimed(making.block([making.order(store)]), ada)

    text = calendars.write(ada, at=AT).decode()

    assert "Robin" not in text
    assert "Sirius" not in text
    assert text.startswith("BEGIN:VCALENDAR\r\n")


def test_the_address_is_made_changed_and_ended_on_the_page(client, ada):
    client.force_login(ada.user)
    page = "/drive/me/calendar/"
    assert "Make an address" in client.get(page).content.decode()
    client.post(page)
    first = CalendarFeed.objects.get().token
    assert f"/drive/calendar/{first}.ics" in client.get(page).content.decode()
    client.logout()
    answer = client.get(f"/drive/calendar/{first}.ics")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/calendar; charset=utf-8")

    client.force_login(ada.user)
    client.post(page)
    second = CalendarFeed.objects.get().token
    assert client.get(f"/drive/calendar/{first}.ics").status_code == 404
    assert client.get(f"/drive/calendar/{second}.ics").status_code == 200
    client.post(page, {"off": "1"})
    assert client.get(f"/drive/calendar/{second}.ics").status_code == 404


def test_a_phone_gets_its_address_by_api(client, ada):
    client.force_login(ada.user)
    url = client.post("/api/v1/driver/calendar", {}, content_type="application/json").json()["url"]

    assert client.get(url[url.index("/drive/") :]).status_code == 200
    assert client.delete("/api/v1/driver/calendar").status_code == 204
    assert CalendarFeed.objects.count() == 0


def test_a_block_that_starts_on_the_way_is_not_put_at_the_mall(ada):
    ben = making.driver("Ben")
    block = making.on_the_way(ben, at=START)
    relief = relieving.hand_over_rest(block_code=block.code, stop_codes=[], actor=SYSTEM, at=START + HOUR)
    making.claimed(relief, ada, at=START + HOUR)

    [event] = Calendar.from_ical(calendars.write(ada, at=AT)).walk("VEVENT")

    assert event["SUMMARY"] == "Taking over from another driver"
    assert "LOCATION" not in event
