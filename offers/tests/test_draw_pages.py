"""Draws on the driver's phone and on the board."""

import datetime as dt
import json
import subprocess
import sys

import pytest
from django.urls import reverse

from drivers.models import Driver
from offers import claiming, expiry
from offers.models import Award, Entry, PayPolicy
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE, START
from retaildelivery.accounts.models import User

CLOSE = AT + 5 * MINUTE


@pytest.fixture(autouse=True)
def _now(time_machine, db):
    time_machine.move_to(AT, tick=False)


@pytest.fixture
def block():
    return making.block([making.order(making.store(making.mall(draws=True)))])


@pytest.fixture
def offer(block):
    return making.offer_of(block)


def signed_in(client, driver: Driver):
    client.force_login(driver.user)
    return client


def list_of(client) -> str:
    return client.get(reverse("offers:driver_offers")).content.decode()


def test_a_driver_enters_sees_that_they_are_in_and_leaves(client, offer):
    ada = making.driver("Ada")
    signed_in(client, ada)
    assert "Enter the draw" in list_of(client)

    client.post(reverse("offers:driver_enter", args=[offer.code]))

    page = list_of(client)
    assert "You are in the draw" in page
    assert Entry.objects.get().entrant in page
    assert "Enter the draw" not in page

    client.post(reverse("offers:driver_leave_draw", args=[offer.code]))
    assert Entry.objects.get().withdrawn_at == AT
    assert "Enter the draw" in list_of(client)


def test_the_winner_confirms_and_the_reserve_sees_their_rank(client, block, offer, time_machine):
    making.entered(offer, making.driver("Ada"), making.driver("Ben"))
    time_machine.move_to(CLOSE, tick=False)
    assert "Being drawn" in list_of(signed_in(client, Entry.objects.first().driver))
    expiry.sweep(at=CLOSE)
    winner, reserve = making.drawn(block)

    assert "You are number 2 in the draw" in list_of(signed_in(client, reserve))
    page = list_of(signed_in(client, winner))
    assert "You were drawn" in page
    assert ">Confirm<" in page
    answer = client.post(reverse("offers:driver_claim", args=[offer.code]))

    assert answer.status_code == 302
    assert Award.objects.get().ending == "confirmed"
    detail = (
        signed_in(client, reserve).get(reverse("offers:driver_offer", args=[offer.code])).content.decode()
    )
    assert "You were number 2 in the draw, with weight 1000." in detail
    assert reverse("offers:draw", args=[offer.code]) in detail


def test_a_driver_of_the_market_finds_the_way_back_from_the_draw_to_its_offer(client, offer):
    public = reverse("offers:draw", args=[offer.code])
    back = f'class="back" href="{reverse("offers:driver_offer", args=[offer.code])}"'

    assert back not in client.get(public).content.decode()
    assert back in signed_in(client, making.driver("Ada")).get(public).content.decode()


def test_what_is_to_be_confirmed_comes_before_what_starts_sooner(client, block, offer, time_machine):
    store = making.store(block.mall, "Quill")
    sooner = making.block([making.order(store)], start=START - HOUR)
    making.entered(offer, making.driver("Ada"))
    time_machine.move_to(CLOSE, tick=False)
    expiry.sweep(at=CLOSE)

    page = list_of(signed_in(client, Entry.objects.get().driver))

    assert page.index(f"offer-{offer.code}") < page.index(f"offer-{making.offer_of(sooner).code}")


def test_a_refused_entry_says_why_on_the_offers_page(client, offer, time_machine):
    signed_in(client, making.driver("Ada"))
    time_machine.move_to(CLOSE, tick=False)

    answer = client.post(reverse("offers:driver_enter", args=[offer.code]))

    assert answer.status_code == 409
    assert "Entries for this draw have closed." in answer.content.decode()
    assert Entry.objects.count() == 0


def test_who_opens_the_address_of_the_button_lands_on_the_offer(client, offer):
    signed_in(client, making.driver("Ada"))

    for name in ("driver_enter", "driver_leave_draw"):
        answer = client.get(reverse(f"offers:{name}", args=[offer.code]))
        assert answer.headers["Location"] == reverse("offers:driver_offer", args=[offer.code])
    assert Entry.objects.count() == 0


def test_operations_see_the_draw_who_was_asked_and_what_stands_at_the_cap(client, block, offer, time_machine):
    client.force_login(User.objects.create(email="ops@example.com", is_staff=True, is_superuser=True))
    making.entered(offer, making.driver("Ada"))
    time_machine.move_to(CLOSE, tick=False)
    expiry.sweep(at=CLOSE)

    page = client.get(reverse("offers:ops_block", args=[block.code])).content.decode()

    assert "1 entry" in page
    assert "asked, until" in page
    assert reverse("offers:draw", args=[offer.code]) in page
    assert "1 entry" in client.get(reverse("offers:board")).content.decode()


def test_an_offer_at_the_cap_that_nobody_took_needs_a_person(client, time_machine):
    client.force_login(User.objects.create(email="ops@example.com", is_staff=True, is_superuser=True))
    mall = making.mall()
    PayPolicy.objects.filter(market=mall.market).update(cap_cents=2000)
    block = making.block([making.order(making.store(mall))])
    time_machine.move_to(START - HOUR, tick=False)
    assert "at the price cap" not in client.get(reverse("offers:board")).content.decode()

    expiry.sweep(at=START - HOUR)

    assert "at the price cap" in client.get(reverse("offers:board")).content.decode()
    assert making.facts_named("block.repriced")[-1].data["at_cap"] is True
    claiming.claim(offer_code=making.offer_of(block).code, driver_id=making.driver("Ada").pk, at=START - HOUR)
    assert "at the price cap" not in client.get(reverse("offers:board")).content.decode()


def test_what_began_at_the_cap_needs_a_person_when_its_start_is_near(client, time_machine):
    client.force_login(User.objects.create(email="ops@example.com", is_staff=True, is_superuser=True))
    mall = making.mall()
    PayPolicy.objects.filter(market=mall.market).update(cap_cents=1800)
    making.block([making.order(making.store(mall))])

    for left, words in ((16 * MINUTE, False), (15 * MINUTE, True)):
        time_machine.move_to(START - left, tick=False)
        assert ("at the price cap" in client.get(reverse("offers:board")).content.decode()) is words


def open_page(client, offer, **headers):
    return client.get(reverse("offers:driver_offer", args=[offer.code]), headers=headers or None)


def test_who_waits_on_the_offers_page_is_asked_nothing_until_it_is_drawn(
    client, block, offer, time_machine, django_assert_num_queries, django_capture_on_commit_callbacks
):
    making.entered(offer, making.driver("Ada"))
    ada = Entry.objects.get().driver
    page = open_page(signed_in(client, ada), offer)
    assert f'hx-get="{reverse("offers:driver_offer", args=[offer.code])}"' in page.content.decode()
    polls = {"HX-Request": "true", "If-None-Match": page["ETag"]}

    with django_assert_num_queries(0):
        assert open_page(client, offer, **polls).status_code == 304
    time_machine.move_to(CLOSE, tick=False)
    with django_capture_on_commit_callbacks(execute=True):
        expiry.sweep(at=CLOSE)

    after = open_page(client, offer, **polls)
    assert after.status_code == 200
    assert "You were drawn" in after.content.decode()
    ben = signed_in(client, making.driver("Ben"))
    assert open_page(ben, offer, **polls).status_code == 200


def test_an_offer_that_is_over_leads_on(client, block, offer, time_machine):
    making.entered(offer, making.driver("Ada"), making.driver("Ben"))
    time_machine.move_to(CLOSE, tick=False)
    expiry.sweep(at=CLOSE)
    winner, reserve = making.drawn(block)
    claiming.claim(offer_code=offer.code, driver_id=winner.pk, at=CLOSE)

    mine = open_page(signed_in(client, winner), offer).content.decode()
    assert reverse("offers:driver_block_detail", args=[block.code]) in mine
    assert "If nobody claims it" not in mine
    assert "Somebody before you took it." in open_page(signed_in(client, reserve), offer).content.decode()
    assert "Somebody else has this block." in (
        open_page(signed_in(client, making.driver("Chidi")), offer).content.decode()
    )

    claiming.release(block_code=block.code, driver_id=winner.pk, reason="other", at=CLOSE)
    asked = open_page(signed_in(client, reserve), offer).content.decode()
    assert reverse("offers:driver_offer", args=[making.offer_of(block).code]) in asked


def test_a_step_of_another_day_names_it(client, time_machine):
    mall = making.mall()
    block = making.block([making.order(making.store(mall))], start=START + dt.timedelta(days=2))
    offer = making.offer_of(block)
    first = dt.datetime.fromisoformat(offer.ladder[0]["at"]).astimezone(mall.zone)
    assert first.date() != AT.astimezone(mall.zone).date()
    signed_in(client, making.driver("Ada"))

    words = f"{first:%a} {first.day}, {first:%I:%M %p}".replace(", 0", ", ")
    assert f"an hour from {words}" in list_of(client)
    assert f"from {words}" in open_page(client, offer).content.decode()


def test_what_is_downloaded_checks_a_draw_on_its_own(client, block, offer, time_machine, tmp_path):
    making.entered(offer, making.driver("Ada"), making.driver("Ben"))
    time_machine.move_to(CLOSE, tick=False)
    expiry.sweep(at=CLOSE)
    script = tmp_path / "lottery.py"
    script.write_bytes(b"".join(client.get(reverse("offers:draw_script")).streaming_content))
    published = client.get(reverse("offers:draw_export", args=[offer.code])).json()

    def verdict(document) -> int:
        (tmp_path / "draw.json").write_text(json.dumps(document))
        command = [sys.executable, "-I", str(script), str(tmp_path / "draw.json")]
        return subprocess.run(command, capture_output=True, check=False).returncode

    assert verdict(published) == 0
    first, second = published["entrants"]
    assert verdict(published | {"entrants": [first]}) == 1
    assert verdict(published | {"entrants": [first | {"weight": first["weight"] + 1}, second]}) == 1
    assert verdict(published | {"seed": published["seed"][::-1]}) == 1
