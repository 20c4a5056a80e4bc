"""Running late and saying so: by the microsecond, and what it costs."""

import datetime as dt

import pytest

from drivers.models import StandingEvent
from offers import attendance, claiming, lateness
from offers.holding import ClaimNotYours
from offers.models import Claim
from offers.tests import making
from offers.tests.making import HOUR, MINUTE, START
from retaildelivery.accounts.models import User
from retaildelivery.outbox.models import Message
from stores.models import StaffMembership

pytestmark = pytest.mark.django_db

TICK = dt.timedelta(microseconds=1)
ETA = START + 12 * MINUTE


@pytest.fixture
def store():
    return making.store(making.mall())


@pytest.fixture
def block(store):
    return making.block([making.order(store, window=(START, START + 4 * HOUR))])


@pytest.fixture
def ada(block):
    driver = making.driver("Ada")
    making.claimed(block, driver)
    return driver


def tell(block, driver, *, at, eta_at=ETA):
    return lateness.tell(block_code=block.code, driver_id=driver.pk, eta_at=eta_at, at=at)


def test_who_says_so_by_five_minutes_after_the_start_is_half_as_late(block, ada):
    tell(block, ada, at=START + 5 * MINUTE)

    making.check_in(block, ada, at=START + 12 * MINUTE)

    event = StandingEvent.objects.get()
    assert (event.kind, event.points) == ("late", -1)


def test_who_says_nothing_is_late_in_full(block, ada):
    making.check_in(block, ada, at=START + 12 * MINUTE)

    assert StandingEvent.objects.get().points == -2


def test_a_microsecond_later_it_is_too_late_to_say_so(block, ada):
    with pytest.raises(lateness.TooLateToTell):
        tell(block, ada, at=START + 5 * MINUTE + TICK)

    assert Claim.objects.get().late_told_at is None
    assert making.facts_named("block.running_late") == []


def test_who_said_so_in_time_may_correct_the_time_later(block, ada):
    tell(block, ada, at=START)

    claim = tell(block, ada, at=START + 8 * MINUTE, eta_at=START + 15 * MINUTE)

    assert (claim.late_told_at, claim.late_eta_at) == (START, START + 15 * MINUTE)
    assert len(making.facts_named("block.running_late")) == 2


@pytest.mark.parametrize(
    ("eta_at", "refusal"),
    [
        (START + 5 * MINUTE, lateness.NotLate),
        (START + 5 * MINUTE + TICK, None),
        (START + 20 * MINUTE - TICK, None),
        (START + 20 * MINUTE, lateness.EtaTooLate),
    ],
)
def test_the_time_told_lies_between_late_and_no_show(block, ada, eta_at, refusal):
    if refusal is None:
        assert tell(block, ada, at=START, eta_at=eta_at).late_eta_at == eta_at
        return
    with pytest.raises(refusal) as refused:
        tell(block, ada, at=START, eta_at=eta_at)
    assert refused.value.field == "eta_at"
    assert Claim.objects.get().late_eta_at is None


def test_it_does_not_keep_the_block_beyond_twenty_minutes(block, ada):
    tell(block, ada, at=START, eta_at=START + 19 * MINUTE)

    assert attendance.sweep(at=START + 20 * MINUTE - TICK) == 0
    assert attendance.sweep(at=START + 20 * MINUTE) == 1


def test_somebody_else_and_somebody_who_is_there_cannot_say_so(block, ada):
    with pytest.raises(ClaimNotYours):
        tell(block, making.driver("Ben"), at=START)
    making.check_in(block, ada, at=START)
    with pytest.raises(lateness.AlreadyThere):
        tell(block, ada, at=START)


def test_the_stores_expect_the_driver_later_and_their_managers_are_told_once(store, block, ada):
    lead = User.objects.create(email="lead@example.com", name="Lee Lead")
    StaffMembership.objects.create(user=lead, seller=store.seller, store=store, role="manager")
    clerk = User.objects.create(email="clerk@example.com")
    StaffMembership.objects.create(user=clerk, seller=store.seller, store=store, role="staff")

    tell(block, ada, at=START)
    tell(block, ada, at=START)
    making.relay_all(at=START)

    pickup = block.manifest.stops.get(kind="pickup")
    assert (pickup.planned_at, pickup.eta_at) == (START, ETA)
    mail = Message.objects.get(name="block_running_late")
    assert (mail.to, mail.subject) == ("lead@example.com", "Ada will be late: 1:12 PM at fashion-show mall")


def test_forty_five_minutes_are_forty_five_minutes_also_in_the_night_the_clocks_change():
    """The block starts at 03:30 by the new clock, which is 02:30 by the old one: 01:45 is the last moment."""
    start = dt.datetime(2026, 3, 8, 10, 30, tzinfo=dt.UTC)
    early = start - 45 * MINUTE
    store = making.store(making.mall())
    endings = []
    for at in (early, early + TICK):
        order = making.order(store, at=start - 4 * HOUR, window=(start, start + 5 * HOUR))
        block = making.block([order], start=start, at=start - 4 * HOUR)
        ada = making.driver("Ada")
        making.claimed(block, ada, at=start - 4 * HOUR)
        ended = claiming.release(block_code=block.code, driver_id=ada.pk, at=at)
        endings.append(ended.ending)

    assert endings == ["released", "forfeited"]


def test_a_phone_says_so_by_the_api_and_on_the_page(block, ada, client, time_machine):
    time_machine.move_to(START, tick=False)
    client.force_login(ada.user)
    assert "I am running late" in client.get("/drive/block/").content.decode()

    answer = client.post(f"/drive/blocks/{block.code}/lateness/", {"minutes": "15"})

    assert answer.status_code == 302
    assert "1:15 PM" in client.get("/drive/block/").content.decode()
    answer = client.put(
        f"/api/v1/driver/blocks/{block.code}/lateness",
        {"eta_at": "2026-11-23T21:10:00Z"},
        content_type="application/json",
        headers={"x-csrftoken": "x"},
    )
    assert answer.json()["claim"]["late_eta_at"].startswith("2026-11-23T21:10:00")
    answer = client.put(
        f"/api/v1/driver/blocks/{block.code}/lateness",
        {"eta_at": "2026-11-23T22:10:00Z"},
        content_type="application/json",
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "eta_too_late")
    assert answer.json()["field_errors"][0]["field"] == "eta_at"
