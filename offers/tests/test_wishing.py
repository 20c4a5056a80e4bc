"""Who wished for such a block is told once, and not at night."""

import datetime as dt

import pytest

from offers import wishing
from offers.models import MallPreference, Wish
from offers.tests import making
from offers.tests.making import AT, START
from retaildelivery.outbox.models import Message


@pytest.fixture(autouse=True)
def _now(time_machine, db):
    time_machine.move_to(AT, tick=False)


@pytest.fixture
def mall():
    return making.mall()


@pytest.fixture
def ada():
    return making.driver("Ada")


def wish(driver, **changes):
    """Everything fits, unless changed. The block of these tests starts on Monday at 13:00 for 18 $."""
    given = {
        "malls": [], "weekdays": [], "starts_from": dt.time(0), "starts_until": dt.time(23, 59),
        "least_hourly_cents": 0, "by_email": True, "quiet_from": dt.time(22), "quiet_until": dt.time(7),
    }  # fmt: skip
    return wishing.wish(driver_id=driver.pk, at=AT, **given | changes)


def told(mall, *, at=AT):
    making.block([making.order(making.store(mall))], start=START)
    making.relay_all(at=at)
    return list(Message.objects.filter(name="offer_fits").values_list("to", flat=True))


def test_an_offer_that_fits_is_told_once_with_a_way_to_stop(mall, ada):
    made = wish(ada, malls=[mall], weekdays=[0], least_hourly_cents=1800)

    assert told(mall) == [ada.user.email]
    making.relay_all(at=AT)

    mail = Message.objects.get(name="offer_fits")
    assert "$18.00 an hour" in mail.subject
    assert f"/drive/wishes/{made.token}/stop/" in mail.text


@pytest.mark.parametrize(
    "changes",
    [
        {"weekdays": [1, 2, 3, 4, 5, 6]},
        {"starts_from": dt.time(13, 1)},
        {"starts_until": dt.time(12, 59)},
        {"least_hourly_cents": 1801},
        {"by_email": False},
        {"quiet_from": dt.time(10), "quiet_until": dt.time(10, 1)},
    ],
)
def test_one_that_does_not_fit_is_not_told(mall, ada, changes):
    wish(ada, **changes)

    assert told(mall) == []


def test_neither_is_one_at_another_mall_or_that_they_may_not_have(mall, ada):
    other = making.mall("other")
    wish(ada, malls=[other])
    suspended = making.driver("Eve", status="suspended")
    wish(suspended)
    stranger = making.driver("Sue", market="chandler")
    wish(stranger)

    assert told(mall) == []


@pytest.mark.parametrize(
    ("time", "quiet"), [("21:59", False), ("22:00", True), ("03:00", True), ("06:59", True), ("07:00", False)]
)
def test_quiet_hours_go_over_midnight(time, quiet):
    moment = dt.time.fromisoformat(time)

    assert wishing.is_between(moment, dt.time(22), dt.time(7)) is quiet
    assert not wishing.is_between(moment, dt.time(8), dt.time(8))


def test_wishes_are_set_on_a_page_and_stopped_from_the_mail(client, mall, ada):
    client.force_login(ada.user)
    form = {
        "malls": [mall.code], "weekdays": ["0", "6"], "starts_from": "08:00", "starts_until": "18:00",
        "least_hourly": "20.50", "by_email": "on", "quiet_from": "22:00", "quiet_until": "07:00",
    }  # fmt: skip
    assert client.post("/drive/me/wishes/", form).status_code == 302
    assert client.post("/drive/me/wishes/", form | {"least_hourly": "much"}).status_code == 422
    made = Wish.objects.get()
    assert (made.weekdays, made.least_hourly_cents, made.by_email) == ([0, 6], 2050, True)
    assert MallPreference.objects.get().mall == mall
    assert client.get("/drive/me/wishes/").status_code == 200

    client.logout()
    path = f"/drive/wishes/{made.token}/stop/"
    client.get(path)
    assert Wish.objects.get().by_email
    client.post(path)
    assert not Wish.objects.get().by_email
    assert client.get("/drive/wishes/nothing/stop/").status_code == 404
