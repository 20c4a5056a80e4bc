"""Operations see who stands by and which blocks change hands, end one with a press, and are told of the price cap."""

import pytest
from django.test import Client
from django.urls import reverse

from offers import claiming, expiry, handing_over, standby
from offers.models import Claim, Offer, PayPolicy
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE, START
from retaildelivery.accounts.models import User
from retaildelivery.outbox.models import Message

QUERIES = 12
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture(autouse=True)
def _now(time_machine, db):
    time_machine.move_to(AT, tick=False)


@pytest.fixture
def mall():
    return making.mall()


@pytest.fixture
def block(mall):
    """Ada has the block."""
    return making.claimed(making.block([making.order(making.store(mall))]), making.driver("Ada"))


@pytest.fixture
def ops():
    return User.objects.create(email="ops@example.com", is_staff=True, is_superuser=True)


@pytest.fixture
def desk(ops):
    client = Client()
    client.force_login(ops, backend=BACKEND)
    return client


def stands_by(mall, name="Ben"):
    return standby.join(
        mall=mall, driver_id=making.driver(name).pk, start=START - HOUR, end=START + HOUR, at=AT
    )


def proposed(block, to):
    giver = Claim.objects.get(block=block).driver_id
    return handing_over.propose(block_code=block.code, driver_id=giver, receiver_code=to.code, at=AT)


def mails():
    making.relay_all(at=AT)
    return sorted(Message.objects.values_list("name", "to"))


def test_the_page_names_who_and_when_within_its_budget(mall, block, desk, django_assert_max_num_queries):
    rows = [stands_by(mall, name) for name in ("Ben", "Chidi", "Dee")]
    asked = proposed(block, making.driver("Eve"))

    with django_assert_max_num_queries(QUERIES):
        page = desk.get(reverse("offers:ops_stand_bys"), {"market": ""}).content.decode()

    assert all(row.driver.user.name in page for row in rows)
    assert "Ada to Eve" in page
    assert reverse("offers:ops_block_hand_over_end", args=[asked.code]) in page
    assert page.count("12:00–3:00 PM") + page.count("12:00–2:00 PM") >= 3


def test_one_press_ends_a_stand_by_and_the_driver_is_told(mall, desk):
    row = stands_by(mall)
    url = reverse("offers:ops_stand_by_end", args=[row.code])

    assert desk.post(url).status_code == 302
    assert desk.post(url).status_code == 302

    row.refresh_from_db()
    assert row.left_at == AT
    [left] = making.facts_named("stand_by.left")
    assert left.actor_kind == "operations"
    assert ("stand_by_left", row.driver.user.email) in mails()


def test_who_leaves_on_their_own_gets_no_mail_about_it(mall):
    row = stands_by(mall)

    standby.leave(code=row.code, driver_id=row.driver_id, at=AT)

    assert mails() == []


def test_one_press_ends_a_hand_over_the_block_stays_and_both_are_told(block, desk):
    eve = making.driver("Eve")
    asked = proposed(block, eve)

    assert desk.post(reverse("offers:ops_block_hand_over_end", args=[asked.code])).status_code == 302

    asked.refresh_from_db()
    giver = Claim.objects.live().get(block=block).driver
    assert (asked.ending, asked.claim.driver) == ("taken_back", giver)
    told = {to for name, to in mails() if name == "block_hand_over_taken_back"}
    assert told == {giver.user.email, eve.user.email}
    with pytest.raises(handing_over.HandOverEnded):
        handing_over.accept(code=asked.code, driver_id=eve.pk, at=AT)


def test_a_hand_over_that_was_accepted_meanwhile_is_not_undone(block, desk):
    eve = making.driver("Eve")
    asked = proposed(block, eve)
    handing_over.accept(code=asked.code, driver_id=eve.pk, at=AT)

    page = desk.post(
        reverse("offers:ops_block_hand_over_end", args=[asked.code]), follow=True
    ).content.decode()

    assert "This proposal is over" in page
    assert Claim.objects.live().get(block=block).driver == eve


def test_only_operations_see_and_end_them(mall):
    row = stands_by(mall)
    driver = Client()
    driver.force_login(row.driver.user, backend=BACKEND)

    assert driver.get(reverse("offers:ops_stand_bys")).status_code == 403
    assert driver.post(reverse("offers:ops_stand_by_end", args=[row.code])).status_code == 403
    row.refresh_from_db()
    assert row.left_at is None


@pytest.fixture
def at_the_cap(mall, ops):
    """A block nobody took whose price has climbed to the cap in one step."""
    User.objects.create(email="two@example.com", is_staff=True, locale="es")
    PayPolicy.objects.update(cap_cents=1900)
    block = making.block([making.order(making.store(mall))])
    at = making.offer_of(block).closes_at
    expiry.sweep(at=at)
    return block, at


def test_operations_are_mailed_once_when_a_price_has_reached_its_cap(at_the_cap):
    block, at = at_the_cap
    making.relay_all(at=at)
    making.relay_all(at=at + MINUTE)

    told = {mail.to: mail for mail in Message.objects.filter(name="offer_at_cap")}
    assert set(told) == {"ops@example.com", "two@example.com"}
    assert "$19.00 an hour" in told["ops@example.com"].text
    assert f"/ops/blocks/{block.code}/" in told["two@example.com"].text
    assert told["two@example.com"].subject.startswith("El bloque")


def test_nobody_is_mailed_of_a_block_that_was_taken_at_the_cap_meanwhile(at_the_cap):
    block, at = at_the_cap
    offer = Offer.objects.get(block=block, status="open")
    claiming.claim(offer_code=offer.code, driver_id=making.driver("Ada").pk, at=at + MINUTE)

    making.relay_all(at=at + MINUTE)

    assert not Message.objects.filter(name="offer_at_cap").exists()


def test_a_step_below_the_cap_alerts_nobody(mall, ops):
    block = making.block([making.order(making.store(mall))])
    at = making.offer_of(block).closes_at
    expiry.sweep(at=at)

    making.relay_all(at=at)

    assert not Message.objects.filter(name="offer_at_cap").exists()
