"""Everybody who wished for such a block is told once: by day, and only while it is open to them."""

import datetime as dt

import pytest

from offers import claiming, declining, expiry, limits, tasks, wishing, withdrawing
from offers.models import Fit, MallPreference, Offer, Wish
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE, START
from retaildelivery.outbox.models import Message
from retaildelivery.outbox.recording import SYSTEM


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
        "least_hourly_cents": 0, "by_email": True, "by_push": False,
        "quiet_from": dt.time(22), "quiet_until": dt.time(7),
    }  # fmt: skip
    return wishing.wish(driver_id=driver.pk, at=AT, **given | changes)


def offered(mall, *, at=AT, start=START):
    """A block on offer at this mall, and what follows from that at once."""
    made = making.block([making.order(making.store(mall))], start=start, at=at)
    making.relay_all(at=at)
    return made


def swept(*, at=AT):
    """Who has been told of an offer by now."""
    while wishing.tell_due(at=at):
        pass
    return sorted(Message.objects.filter(name="offer_fits").values_list("to", flat=True))


def told(mall):
    offered(mall)
    return swept()


def test_an_offer_that_fits_is_told_once_with_a_way_to_stop(mall, ada):
    made = wish(ada, malls=[mall], weekdays=[0], least_hourly_cents=1800)

    assert told(mall) == [ada.user.email]
    assert swept(at=AT + MINUTE) == [ada.user.email]

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


def test_everybody_is_told_however_many_they_are(mall, monkeypatch):
    monkeypatch.setattr(limits, "FITS_TOLD", 3)
    monkeypatch.setattr(limits, "FITS_WRITTEN", 2)
    drivers = [making.driver(f"driver{number}") for number in range(8)]
    for driver in drivers:
        wish(driver)
    offered(mall)

    tasks.sweep_wishes()

    assert swept() == sorted(driver.user.email for driver in drivers)
    assert Fit.objects.filter(told_at=AT).count() == 8


def test_in_quiet_hours_it_waits_until_they_end(mall, ada):
    # It is ten in the morning in Las Vegas.
    wish(ada, quiet_from=dt.time(9), quiet_until=dt.time(10, 30))
    offered(mall)
    before = swept(at=AT), swept(at=AT + 29 * MINUTE)

    assert before == ([], [])
    assert swept(at=AT + 30 * MINUTE) == [ada.user.email]


def test_what_was_claimed_in_the_meantime_is_not_told_afterwards(mall, ada):
    wish(ada, quiet_from=dt.time(9), quiet_until=dt.time(10, 30))
    block = offered(mall)
    swept()
    claiming.claim(offer_code=block.offers.get().code, driver_id=making.driver("Ben").pk, at=AT + MINUTE)

    assert swept(at=AT + HOUR) == []
    assert Fit.objects.get().dropped_at == AT + HOUR


def test_who_had_the_block_or_said_no_to_it_is_not_told_of_it(mall, ada):
    ben = making.driver("Ben")
    wish(ada)
    wish(ben)
    block = making.block([making.order(making.store(mall))], start=START)
    offer = block.offers.get()
    declining.decline(offer_code=offer.code, driver_id=ben.pk, reason="pay", at=AT)
    claiming.claim(offer_code=offer.code, driver_id=ada.pk, at=AT)
    claiming.release(block_code=block.code, driver_id=ada.pk, at=AT)
    making.relay_all(at=AT)

    assert Offer.objects.open_at(AT).exists()
    assert swept() == []


def test_who_could_not_have_it_is_told_when_a_later_offer_of_it_is_theirs_to_have(mall, ada):
    wish(ada)
    first = offered(mall)
    claiming.claim(offer_code=first.offers.get().code, driver_id=ada.pk, at=AT)
    second = offered(mall)
    overlapping = swept()
    withdrawing.withdraw(block_code=first.code, reason="", actor=SYSTEM, at=AT)
    step = second.offers.get().closes_at
    expiry.sweep(at=step)
    making.relay_all(at=step)

    assert overlapping == []
    assert swept(at=step) == [ada.user.email]


def test_what_started_is_forgotten(mall, ada):
    wish(ada)
    told(mall)

    wishing.forget(at=START)
    kept = Fit.objects.count()
    wishing.forget(at=START + MINUTE)

    assert (kept, Fit.objects.count()) == (1, 0)


@pytest.mark.parametrize(
    ("now", "until", "ends"),
    [
        ("2026-03-02T23:30-08:00", "07:00", "2026-03-03T07:00-08:00"),
        ("2026-03-03T01:00-08:00", "07:00", "2026-03-03T07:00-08:00"),
        # The night without half past two, and the night that has half past one twice.
        ("2026-03-08T01:10-08:00", "02:30", "2026-03-08T03:30-07:00"),
        ("2026-11-01T01:10-07:00", "01:30", "2026-11-01T01:30-08:00"),
        ("2026-11-01T01:10-08:00", "01:30", "2026-11-01T01:30-08:00"),
    ],
)
def test_quiet_hours_end_by_the_malls_clock_also_when_it_changes(mall, now, until, ends):
    asleep = Wish(quiet_from=dt.time(22), quiet_until=dt.time.fromisoformat(until))

    end = wishing.quiet_ends_at(asleep, dt.datetime.fromisoformat(now).astimezone(mall.zone))

    assert end == dt.datetime.fromisoformat(ends)


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
