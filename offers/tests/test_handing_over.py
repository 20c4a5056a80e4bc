"""A block passes from driver to driver by name, when both want it."""

import pytest
from rest_framework.test import APIClient

from drivers import tokens
from drivers.models import Driver, StandingEvent
from offers import claiming, eligibility, expiry, handing_over
from offers.holding import ClaimNotYours
from offers.models import Block, Claim, HandOver
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE, START
from retaildelivery.accounts.models import User
from retaildelivery.outbox.models import Fact, Message


@pytest.fixture(autouse=True)
def _now(time_machine, db):
    time_machine.move_to(AT, tick=False)


@pytest.fixture
def store():
    return making.store(making.mall())


@pytest.fixture
def ada():
    return making.driver("Ada")


@pytest.fixture
def ben():
    return making.driver("Ben")


@pytest.fixture
def block(store, ada):
    """Ada has the block."""
    return making.claimed(making.block([making.order(store)]), ada)


def propose(block, giver, receiver, *, at=AT):
    return handing_over.propose(block_code=block.code, driver_id=giver.pk, receiver_code=receiver.code, at=at)


def snapshot():
    return (
        sorted(Claim.objects.values_list("pk", "driver", "ending")),
        sorted(HandOver.objects.values_list("pk", "ending")),
        sorted(Block.objects.values_list("code", "status")),
        Fact.objects.count(),
    )


def test_it_passes_when_both_want_it_at_the_locked_terms_and_without_harm(block, ada, ben):
    given = Claim.objects.get()
    late = START - 10 * MINUTE
    asked = propose(block, ada, ben, at=late)

    taken = handing_over.accept(code=asked.code, driver_id=ben.pk, at=late)

    given.refresh_from_db()
    asked.refresh_from_db()
    block.refresh_from_db()
    assert (given.ending, given.ended_at, given.reason) == ("handed_over", late, asked.code)
    assert (asked.ending, asked.ended_at) == ("accepted", late)
    assert (taken.driver, taken.pay_cents, taken.hourly_cents) == (ben, given.pay_cents, given.hourly_cents)
    assert (block.status, block.manifest.driver) == ("claimed", ben)
    assert StandingEvent.objects.count() == 0
    fact = making.facts_named("block.handed_over")[0]
    assert (fact.data["giver"], fact.data["receiver"]) == (ada.code, ben.code)
    assert {f"driver:{ada.code}", f"driver:{ben.code}"} <= set(fact.subjects)


def test_until_it_is_accepted_the_block_stays_with_the_giver(block, ada, ben):
    asked = propose(block, ada, ben)

    assert propose(block, ada, ben) == asked
    assert Claim.objects.live().get().driver == ada
    assert len(making.facts_named("block.hand_over_proposed")) == 1


def test_accepting_again_gives_the_same_claim(block, ada, ben):
    asked = propose(block, ada, ben)
    first = handing_over.accept(code=asked.code, driver_id=ben.pk, at=AT)
    before = snapshot()

    assert handing_over.accept(code=asked.code, driver_id=ben.pk, at=AT + MINUTE) == first
    assert snapshot() == before


def test_who_may_not_have_the_block_cannot_take_it_over(store, block, ada, ben):
    making.claimed(making.block([making.order(store)]), ben)
    asked = propose(block, ada, ben)
    before = snapshot()

    with pytest.raises(eligibility.WindowOverlaps):
        handing_over.accept(code=asked.code, driver_id=ben.pk, at=AT)

    assert snapshot() == before


def test_a_proposal_lapses_and_at_the_start_it_is_over(block, ada, ben):
    asked = propose(block, ada, ben)
    assert asked.expires_at == AT + 2 * HOUR
    before = snapshot()
    with pytest.raises(handing_over.HandOverEnded) as refusal:
        handing_over.accept(code=asked.code, driver_id=ben.pk, at=AT + 2 * HOUR)
    assert refusal.value.reason == "lapsed"
    assert snapshot() == before

    near = propose(block, ada, ben, at=START - MINUTE)
    assert near.expires_at == START
    with pytest.raises(handing_over.HandOverTooLate):
        propose(block, ada, ben, at=START)


def test_a_block_that_was_released_meanwhile_does_not_pass(block, ada, ben):
    asked = propose(block, ada, ben)
    claiming.release(block_code=block.code, driver_id=ada.pk, at=AT)
    before = snapshot()

    with pytest.raises(handing_over.HandOverEnded):
        handing_over.accept(code=asked.code, driver_id=ben.pk, at=AT)

    assert snapshot() == before


def test_declined_or_taken_back_it_is_over(block, ada, ben):
    asked = propose(block, ada, ben)
    handing_over.decline(code=asked.code, driver_id=ben.pk, at=AT)
    with pytest.raises(handing_over.HandOverEnded):
        handing_over.accept(code=asked.code, driver_id=ben.pk, at=AT)
    again = propose(block, ada, ben)
    handing_over.take_back(code=again.code, driver_id=ada.pk, at=AT)
    with pytest.raises(handing_over.HandOverEnded):
        handing_over.accept(code=again.code, driver_id=ben.pk, at=AT)

    assert Claim.objects.live().get().driver == ada
    assert [fact.name for fact in Fact.objects.filter(name__startswith="block.hand_over").order_by("pk")] == [
        "block.hand_over_proposed",
        "block.hand_over_declined",
        "block.hand_over_proposed",
        "block.hand_over_taken_back",
    ]


def test_whom_nobody_can_ask(block, ada, ben):
    stranger = making.driver("Sue", market="chandler")
    applicant = making.driver("Al", status="applied")
    before = snapshot()
    for other in (stranger, applicant):
        with pytest.raises(handing_over.ReceiverUnknown):
            propose(block, ada, other)
    with pytest.raises(handing_over.HandOverToYourself):
        propose(block, ada, ada)
    with pytest.raises(ClaimNotYours):
        propose(block, ben, ada)
    assert snapshot() == before

    propose(block, ada, ben)
    with pytest.raises(handing_over.HandOverPending):
        propose(block, ada, making.driver("Cy"))


def test_a_reserve_who_took_it_over_and_gave_it_back_is_not_asked_for_it_again():
    block = making.block([making.order(making.store(making.mall(draws=True)))])
    offer = making.offer_of(block)
    making.entered(offer, *(making.driver(name) for name in ("Cleo", "Dov", "Eli")))
    expiry.sweep(at=offer.closes_at)
    winner, reserve, last = making.drawn(block)
    claiming.claim(offer_code=offer.code, driver_id=winner.pk, at=offer.closes_at)
    asked = propose(block, winner, reserve, at=offer.closes_at)
    handing_over.accept(code=asked.code, driver_id=reserve.pk, at=offer.closes_at)

    claiming.release(block_code=block.code, driver_id=reserve.pk, at=offer.closes_at)

    next_offer = making.offer_of(block)
    assert (next_offer.mode, next_offer.reserved_for) == ("reserved", last)


def test_both_are_told(block, ada, ben):
    asked = propose(block, ada, ben)
    making.relay_all(at=AT)
    handing_over.accept(code=asked.code, driver_id=ben.pk, at=AT)
    making.relay_all(at=AT)

    mails = {mail.name: mail for mail in Message.objects.filter(name__startswith="block_hand")}
    assert mails["block_hand_over_proposed"].to == ben.user.email
    assert f"/drive/hand-overs/{asked.code}/" in mails["block_hand_over_proposed"].text
    assert mails["block_handed_over"].to == ada.user.email


def api_of(driver: Driver) -> APIClient:
    _token, secret = tokens.issue(driver=driver, name="phone", at=AT)
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {secret}")


def test_two_phones_do_it_by_api_and_a_third_sees_nothing(block, ada, ben):
    one, two, third = api_of(ada), api_of(ben), api_of(making.driver("Cy"))
    made = one.put(f"/api/v1/driver/blocks/{block.code}/transfer", {"driver": ben.code}).json()
    assert (made["giver"], made["receiver"], made["ending"]) == (ada.code, ben.code, "")
    path = f"/api/v1/driver/transfers/{made['code']}"
    assert [row["code"] for row in two.get("/api/v1/driver/transfers").json()["results"]] == [made["code"]]
    assert third.get("/api/v1/driver/transfers").json() == {"results": []}
    assert third.put(path + "/acceptance").status_code == 404
    assert one.put(path + "/acceptance").status_code == 404

    assert two.put(path + "/acceptance").json()["ending"] == "accepted"
    assert two.put(path + "/acceptance").status_code == 200
    assert two.put(path + "/refusal").json()["code"] == "hand_over_ended"
    assert one.get(f"/api/v1/driver/blocks/{block.code}").json()["claim"]["ending"] == "handed_over"


def test_two_people_do_it_on_their_pages(client, block, ada, ben):
    client.force_login(ada.user)
    page = f"/drive/blocks/{block.code}/hand-over/"
    assert client.post(page, {"driver": "DNOBODY"}).status_code == 409
    assert client.post(page, {"driver": f" {ben.code.lower()} "}).status_code == 302
    assert "Ben is asked" in client.get(page).content.decode()

    client.force_login(ben.user)
    assert "Ada offers you a block" in client.get("/drive/offers/").content.decode()
    asked = HandOver.objects.get()
    assert "Take it" in client.get(f"/drive/hand-overs/{asked.code}/").content.decode()
    answer = client.post(f"/drive/hand-overs/{asked.code}/answer/", {"accept": "1"})

    assert (answer.status_code, answer["Location"]) == (302, f"/drive/blocks/{block.code}/")
    assert Claim.objects.live().get().driver == ben
    client.force_login(making.driver("Cy").user)
    assert client.get(f"/drive/hand-overs/{asked.code}/").status_code == 404


def test_who_is_asked_reads_what_they_would_answer_for(client, store, ada, ben):
    empty = making.empty_block(store.mall, start=START + 6 * HOUR)
    asked = propose(making.claimed(empty, ada), ada, ben)
    client.force_login(ben.user)

    page = client.get(f"/drive/hand-overs/{asked.code}/").content.decode()

    assert "Published ahead: its orders follow." in page
    assert "From then on you answer for it. Until Mon, Nov 23, 6:15 PM you can give it back" in page


def test_a_driver_without_a_name_goes_by_their_code(client, block, ada, ben):
    User.objects.update(name="")
    ada, ben = Driver.objects.get(pk=ada.pk), Driver.objects.get(pk=ben.pk)
    asked = propose(block, ada, ben)
    making.relay_all(at=AT)
    client.force_login(ben.user)

    mail = Message.objects.get(name="block_hand_over_proposed")
    assert mail.subject.startswith(f"{ada.code} offers you a block")
    assert mail.text.startswith("Hello,\n")
    for address in ("/drive/offers/", f"/drive/hand-overs/{asked.code}/"):
        assert f"{ada.code} offers you a block" in client.get(address).content.decode()


def test_who_is_asked_says_no_by_api_and_the_block_stays(block, ada, ben):
    made = api_of(ada).put(f"/api/v1/driver/blocks/{block.code}/transfer", {"driver": ben.code}).json()
    two = api_of(ben)

    answers = [two.put(f"/api/v1/driver/transfers/{made['code']}/refusal") for _turn in range(2)]

    assert [(answer.status_code, answer.json()["ending"]) for answer in answers] == [(200, "declined")] * 2
    assert api_of(ada).get(f"/api/v1/driver/blocks/{block.code}").json()["claim"]["ending"] == ""


def test_who_asked_takes_it_back_by_api_and_keeps_the_block(block, ada, ben):
    one = api_of(ada)
    one.put(f"/api/v1/driver/blocks/{block.code}/transfer", {"driver": ben.code})

    kept = one.delete(f"/api/v1/driver/blocks/{block.code}/transfer")
    again = one.delete(f"/api/v1/driver/blocks/{block.code}/transfer")

    assert (kept.status_code, kept.json()["code"], kept.json()["claim"]["ending"]) == (200, block.code, "")
    assert again.status_code == 404
    assert [row["ending"] for row in api_of(ben).get("/api/v1/driver/transfers").json()["results"]] != [""]
