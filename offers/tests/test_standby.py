"""Standing by at a mall: asked first when somebody drops out, in a published order, and bound to nothing."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from drivers import tokens
from drivers.models import StandingEvent
from offers import attendance, claiming, declining, expiry, standby
from offers.models import Claim, Offer, StandBy
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE, START
from retaildelivery.outbox.models import Fact, Message


@pytest.fixture(autouse=True)
def _now(time_machine, db):
    time_machine.move_to(AT, tick=False)


@pytest.fixture
def mall():
    return making.mall()


@pytest.fixture
def store(mall):
    return making.store(mall)


@pytest.fixture
def ada():
    return making.driver("Ada")


@pytest.fixture
def block(store, ada):
    """Ada has the block."""
    order = making.order(store, window=(START, START + 5 * HOUR))
    return making.claimed(making.block([order]), ada)


def stands_by(driver, mall, *, at=AT, start=START - HOUR, end=START + 6 * HOUR):
    return standby.join(mall=mall, driver_id=driver.pk, start=start, end=end, at=at)


def asked_now(block):
    offer = Offer.objects.filter(block=block, status="open").get()
    return offer.mode, offer.reserved_for


def test_who_stands_by_is_asked_when_the_block_is_given_back(mall, block, ada):
    ben = making.driver("Ben")
    stands_by(ben, mall)

    claiming.release(block_code=block.code, driver_id=ada.pk, at=AT)

    offer = making.offer_of(block)
    assert (offer.mode, offer.reserved_for, offer.closes_at) == ("reserved", ben, AT + 5 * MINUTE)
    assert claiming.claim(offer_code=offer.code, driver_id=ben.pk, at=AT + MINUTE).driver == ben
    making.relay_all(at=AT + MINUTE)
    assert len(making.facts_named("block.stand_by_asked")) == 1


def test_whoever_is_asked_reads_of_it_while_it_is_open(mall, block, ada):
    ben = making.driver("Ben")
    stands_by(ben, mall)
    claiming.release(block_code=block.code, driver_id=ada.pk, at=AT)

    making.relay_all(at=AT)

    mail = Message.objects.get(name="block_stand_by_asked")
    assert (mail.to, f"/drive/offers/{making.offer_of(block).code}/" in mail.text) == (ben.user.email, True)


def test_nobody_else_can_claim_meanwhile_and_the_next_is_asked_when_time_is_over(mall, block, ada):
    ben, cy = making.driver("Ben"), making.driver("Cy")
    stands_by(ben, mall)
    stands_by(cy, mall, at=AT + MINUTE)
    claiming.release(block_code=block.code, driver_id=ada.pk, at=AT)
    first = making.offer_of(block)
    with pytest.raises(claiming.ReservedForAnother):
        claiming.claim(offer_code=first.code, driver_id=cy.pk, at=AT)

    assert expiry.sweep(at=first.closes_at) == 1

    assert asked_now(block) == ("reserved", cy)
    second = making.offer_of(block)
    expiry.sweep(at=second.closes_at)
    assert asked_now(block)[1] is None


def test_who_says_no_passes_it_on_at_once(mall, block, ada):
    ben, cy = making.driver("Ben"), making.driver("Cy")
    stands_by(ben, mall)
    stands_by(cy, mall, at=AT + MINUTE)
    claiming.release(block_code=block.code, driver_id=ada.pk, at=AT)

    declining.decline(offer_code=making.offer_of(block).code, driver_id=ben.pk, reason="time", at=AT + MINUTE)

    assert asked_now(block) == ("reserved", cy)


def test_the_one_with_fewer_blocks_of_late_comes_first(mall, store, block, ada):
    ben, cy = making.driver("Ben"), making.driver("Cy")
    far = START + 48 * HOUR
    order = making.order(store, window=(far, far + 4 * HOUR))
    making.claimed(making.block([order], start=far), ben)
    stands_by(ben, mall)
    stands_by(cy, mall, at=AT + MINUTE)

    assert [row.driver for row in standby.ranked(block, at=AT)] == [cy, ben]


def test_hours_have_to_hold_the_whole_block_and_whoever_may_not_have_it_is_passed_over(
    mall, store, block, ada
):
    short, eve, ben = making.driver("Short"), making.driver("Eve"), making.driver("Ben")
    stands_by(short, mall, end=START + 119 * MINUTE)
    making.claimed(making.block([making.order(store)]), eve)
    stands_by(eve, mall)
    stands_by(ben, mall)

    claiming.release(block_code=block.code, driver_id=ada.pk, at=AT)

    assert asked_now(block) == ("reserved", ben)


def test_after_a_no_show_the_rescue_block_is_kept_for_who_stands_by(mall, block, ada):
    ben = making.driver("Ben")
    stands_by(ada, mall)
    stands_by(ben, mall)

    attendance.sweep(at=START + 20 * MINUTE)

    (offer,) = Offer.objects.filter(status="open")
    assert (offer.mode, offer.reserved_for) == ("reserved", ben)
    assert offer.block != block


def test_who_left_is_not_asked(mall, block, ada):
    ben = making.driver("Ben")
    row = stands_by(ben, mall)
    standby.leave(code=row.code, driver_id=ben.pk, at=AT)
    standby.leave(code=row.code, driver_id=ben.pk, at=AT + MINUTE)

    claiming.release(block_code=block.code, driver_id=ada.pk, at=AT)

    assert asked_now(block)[1] is None
    assert len(making.facts_named("stand_by.left")) == 1


@pytest.mark.parametrize(
    ("start", "end", "refusal"),
    [
        (START, START, standby.StandByHours),
        (START, START + 10 * HOUR + dt.timedelta(seconds=1), standby.StandByHours),
        (AT - 2 * HOUR, AT, standby.StandByHours),
        (AT + dt.timedelta(days=14, seconds=1), AT + dt.timedelta(days=14, hours=2), standby.StandByTooFar),
    ],
)
def test_hours_that_make_no_sense_are_refused(mall, start, end, refusal):
    ben = making.driver("Ben")

    with pytest.raises(refusal):
        stands_by(ben, mall, start=start, end=end)

    assert (StandBy.objects.count(), Fact.objects.count()) == (0, 0)


def test_once_per_mall_and_day(mall):
    ben = making.driver("Ben")
    row = stands_by(ben, mall)

    assert stands_by(ben, mall) == row
    with pytest.raises(standby.AlreadyStandingBy):
        stands_by(ben, mall, end=START + HOUR)
    with pytest.raises(standby.StandByNotApproved):
        stands_by(making.driver("Sue", market="chandler"), mall)
    assert StandBy.objects.count() == 1


def test_by_api_and_on_the_page(client, mall):
    ben = making.driver("Ben")
    _token, secret = tokens.issue(driver=ben, name="phone", at=AT)
    api = APIClient(HTTP_AUTHORIZATION=f"Bearer {secret}")
    hours = {"mall": mall.code, "start": "2026-11-23T21:00:00Z", "end": "2026-11-24T01:00:00Z"}
    made = api.post("/api/v1/driver/stand-bys", hours).json()
    assert made["on"] == "2026-11-23"
    assert [row["code"] for row in api.get("/api/v1/driver/stand-bys").json()["results"]] == [made["code"]]
    assert api.post("/api/v1/driver/stand-bys", hours | {"mall": "nowhere"}).status_code == 404
    assert api.delete(f"/api/v1/driver/stand-bys/{made['code']}").json()["left_at"]

    client.force_login(ben.user)
    form = {"mall": mall.code, "on": "2026-11-23", "start": "22:00", "end": "02:00"}
    assert client.post("/drive/stand-by/", form).status_code == 302
    row = StandBy.objects.live().get()
    assert row.window.upper - row.window.lower == 4 * HOUR
    assert "fashion-show mall" in client.get("/drive/stand-by/").content.decode()
    client.force_login(making.driver("Cy").user)
    assert client.post(f"/drive/stand-by/{row.code}/leave/").status_code == 404
    assert Claim.objects.count() == 0


@pytest.mark.usefixtures("mall")
@pytest.mark.parametrize(
    ("now", "on", "start"),
    [
        ("2026-11-23T09:10:00", "2026-11-23", "12:00"),
        ("2026-11-23T14:10:00", "2026-11-23", "15:00"),
        ("2026-11-23T18:00:00", "2026-11-24", "12:00"),
    ],
)
@pytest.mark.parametrize("language", ["en", "es"])
def test_the_form_begins_with_hours_that_can_still_be_stood_by(
    client, ada, time_machine, now, on, start, language
):
    time_machine.move_to(
        dt.datetime.fromisoformat(now).replace(tzinfo=ZoneInfo("America/Los_Angeles")), tick=False
    )
    client.force_login(ada.user)

    page = client.get(
        reverse("offers:driver_stand_by"), headers={"accept-language": language}
    ).content.decode()

    # A browser takes a day only in this form, whatever the language.
    assert f'lang="{language}"' in page
    assert f'value="{on}"' in page
    assert f'value="{start}' in page


def test_what_is_under_appeal_does_not_put_a_stand_by_back(mall, block, ada):
    ben, chidi = making.driver("Ben"), making.driver("Chidi")
    stands_by(ben, mall, at=AT)
    stands_by(chidi, mall, at=AT + MINUTE)
    event = StandingEvent.objects.create(
        key="claim:1:no_show", driver=ben, kind="no_show", fault="driver", points=-6, subject="block:B1",
        at=AT - HOUR, decays_at=AT + 80 * 24 * HOUR,
    )  # fmt: skip

    counting = [row.driver for row in standby.ranked(block, at=AT)]
    StandingEvent.objects.filter(pk=event.pk).update(disputed_at=AT)
    appealed = [row.driver for row in standby.ranked(block, at=AT)]

    assert (counting, appealed) == ([chidi, ben], [ben, chidi])
