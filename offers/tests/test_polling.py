"""An app that polls: who was read lately gets a whole feed made of what was read, and never an old one."""

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from deliveries.models import Order
from drivers.models import Document, DriverToken, Vehicle
from drivers.tokens import revoke
from offers import audience, claiming, conditional, declining, expiry, freshness, openings
from offers.models import Audience, Block, MallBlockade, Offer, StoreBlockade
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE, START
from offers.tests.test_driver_api import BASE, api_of
from retaildelivery.accounts.models import User
from stores.models import Mall

pytestmark = pytest.mark.django_db(transaction=True)
OFFERS = f"{BASE}/offers"


@pytest.fixture(autouse=True)
def _now(time_machine):
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
def block(store):
    return making.block([making.order(store, tip_cents=300)])


def polled(api, seen):
    """The next poll, and how many statements it took."""
    with CaptureQueriesContext(connection) as queries:
        answer = api.get(OFFERS, headers={"If-None-Match": seen["ETag"]})
    return answer, len(queries)


def anew(api):
    """The feed as who is not known gets it."""
    conditional._askers.clear()
    cache.clear()
    return api.get(OFFERS)


def step(block):
    offer = making.offer_of(block)
    expiry.end(offer_id=offer.pk, at=offer.closes_at)


def test_a_new_price_is_sent_without_sql_once_its_market_was_read(ada, block, time_machine):
    api, other = api_of(ada), api_of(making.driver("Ben"))
    seen, seen_by_ben = api.get(OFFERS), other.get(OFFERS)
    time_machine.move_to(making.offer_of(block).closes_at, tick=False)
    step(block)
    polled(other, seen_by_ben)

    answer, statements = polled(api, seen)

    assert (answer.status_code, statements) == (200, 0)
    assert answer.json()["results"][0]["hourly"]["cents"] == 1900
    assert answer["ETag"] != seen["ETag"]
    again, _statements = polled(api, answer)
    assert again.status_code == 304
    assert int(again["RateLimit-Remaining"]) == int(answer["RateLimit-Remaining"]) - 1
    whole = anew(api)
    assert answer.content == whole.content
    assert set(answer.headers) == set(whole.headers)


def test_another_process_answers_the_same(ada, block):
    api = api_of(ada)
    seen = api.get(OFFERS)
    conditional._askers.clear()
    openings._kept.clear()
    step(block)

    answer, _statements = polled(api, seen)

    assert answer.content == anew(api).content


@pytest.mark.parametrize("change", ["step", "load", "window", "tip", "name", "another"])
def test_of_two_offers_the_one_that_changes_is_sent_as_it_is_and_the_other_as_before(
    ada, block, store, change
):
    other = making.block([making.order(store)], start=START + 3 * HOUR)
    api = api_of(ada)
    first = api.get(OFFERS)
    step(other)
    seen, _statements = polled(api, first)
    changes = {
        "step": lambda: step(block),
        "load": lambda: Block.objects.filter(pk=block.pk).update(litres=4_000),
        "window": lambda: Block.objects.filter(pk=block.pk).update(
            window=(START + HOUR, block.ends_at + HOUR)
        ),
        "tip": lambda: Order.objects.filter(consignments__manifest=block.manifest).update(tip_cents=700),
        "name": lambda: Mall.objects.update(name="Fashion Show Mall & Promenade"),
        "another": lambda: making.block([making.order(store)], start=START + 6 * HOUR),
    }

    changes[change]()
    freshness.touch("las-vegas")

    answer, _statements = polled(api, seen)
    assert answer.status_code == 200
    assert answer.content != seen.content
    assert answer.content == anew(api).content


def _is_alike(ben, _block, _store):
    Document.objects.filter(driver=ben).update(expires_on=(AT + 90 * 24 * HOUR).date())


def _has_a_paper_that_expires(ben, _block, _store):
    Document.objects.filter(driver=ben, kind="licence").update(expires_on=(AT - 24 * HOUR).date())


def _has_a_small_car(ben, _block, _store):
    Vehicle.objects.filter(driver=ben).update(litres=1)


def _works_at_another_time(ben, _block, store):
    making.claimed(making.block([making.order(store)], start=START + 6 * HOUR), ben)


def _reckons_with_own_figures(ben, _block, _store):
    api_of(ben).put(f"{BASE}/cost-profile", {"basis": "flat", "cents_per_mile": "10"}, format="json")


def _declined(ben, block, _store):
    declining.decline(offer_code=making.offer_of(block).code, driver_id=ben.pk, reason="pay", at=AT)


def _is_refused_by_the_mall(ben, block, _store):
    MallBlockade.objects.create(driver=ben, mall=block.mall, reason="rude", created_at=AT)


@pytest.mark.parametrize(
    ("difference", "same"),
    [
        (_is_alike, True),
        (_has_a_paper_that_expires, False),
        (_has_a_small_car, False),
        (_works_at_another_time, False),
        (_reckons_with_own_figures, False),
        (_declined, False),
        (_is_refused_by_the_mall, False),
    ],
)
def test_drivers_who_are_alike_share_what_was_written_and_others_are_sent_their_own(
    ada, block, store, difference, same
):
    ben, other = making.driver("Ben"), making.block([making.order(store)], start=START + 3 * HOUR)
    difference(ben, block, store)
    mine, bens = api_of(ada), api_of(ben)
    seen, seen_by_ben = mine.get(OFFERS), bens.get(OFFERS)
    step(other)

    to_me, _statements = polled(mine, seen)
    to_ben, _statements = polled(bens, seen_by_ben)

    assert (to_me.content == to_ben.content) is same
    assert to_me.content == anew(mine).content
    assert to_ben.content == anew(bens).content


def test_what_was_written_for_one_language_is_not_sent_in_another(ada, block, store, time_machine):
    _has_a_small_car(ada, block, store)
    english, spanish = api_of(ada), api_of(ada)
    spanish.credentials(**english._credentials, HTTP_ACCEPT_LANGUAGE="es")
    seen, seen_in_spanish = english.get(OFFERS), spanish.get(OFFERS)
    time_machine.move_to(making.offer_of(block).closes_at, tick=False)
    step(block)

    answer, _statements = polled(english, seen)
    in_spanish, _statements = polled(spanish, seen_in_spanish)

    assert "does not fit" in answer.json()["results"][0]["why_not"]["message"]
    assert "no cabe" in in_spanish.json()["results"][0]["why_not"]["message"]


@pytest.mark.parametrize("change", ["decline", "claim", "reckon", "revoke"])
def test_a_change_of_the_drivers_own_is_in_the_next_poll(ada, block, store, change):
    making.block([making.order(store)], start=START + 3 * HOUR)
    api = api_of(ada)
    seen = api.get(OFFERS)
    code = making.offer_of(block).code
    step(making.block([making.order(store)], start=START + 6 * HOUR))
    changes = {
        "decline": lambda: declining.decline(offer_code=code, driver_id=ada.pk, reason="pay", at=AT),
        "claim": lambda: claiming.claim(offer_code=code, driver_id=ada.pk, at=AT),
        "reckon": lambda: api.put(
            f"{BASE}/cost-profile", {"basis": "flat", "cents_per_mile": "10"}, format="json"
        ),
        "revoke": lambda: revoke(token=DriverToken.objects.get(driver=ada), at=timezone.now()),
    }

    changes[change]()

    answer, _statements = polled(api, seen)
    assert answer.status_code == (401 if change == "revoke" else 200)
    assert answer.json().get("results") == anew(api).json().get("results")


def test_what_a_driver_declined_stays_hidden_when_it_comes_back(ada, block):
    ben = making.driver("Ben")
    declining.decline(offer_code=making.offer_of(block).code, driver_id=ada.pk, reason="pay", at=AT)
    making.claimed(block, ben)
    api = api_of(ada)
    seen = api.get(OFFERS)
    claiming.release(block_code=block.code, driver_id=ben.pk, at=AT)

    answer, _statements = polled(api, seen)

    assert answer.json() == {"results": []} == anew(api).json()


def test_who_is_refused_by_a_store_is_read_anew(ada, store, block, mall):
    olga = User.objects.create_user(email="olga@example.com", password=None, name="Olga")
    elsewhere = making.store(mall, "Quill & Co")
    StoreBlockade.objects.create(
        driver=ada, store=elsewhere, reason="rude", asked_by=olga, asked_at=AT, granted_by=olga, granted_at=AT
    )
    api = api_of(ada)
    seen = api.get(OFFERS)
    making.block([making.order(elsewhere)], start=START + 3 * HOUR)

    answer, statements = polled(api, seen)

    assert statements > 0
    assert [row["eligible"] for row in answer.json()["results"]] == [True, False]


def test_a_place_that_was_drawn_is_read_anew(ada, time_machine):
    block = making.block([making.order(making.store(making.mall(draws=True)))])
    offer = making.offer_of(block)
    making.entered(offer, ada, making.driver("Ben"), making.driver("Cid"))
    api = api_of(ada)
    seen = api.get(OFFERS)
    assert seen.json()["results"][0]["place"]["rank"] is None
    time_machine.move_to(offer.closes_at, tick=False)
    expiry.end(offer_id=offer.pk, at=offer.closes_at)

    answer, _statements = polled(api, seen)

    assert answer.json()["results"][0]["place"]["rank"] in {1, 2, 3}
    assert answer.content == anew(api).content


def test_an_emptied_cache_gives_the_feed_as_it_is(ada, block, time_machine):
    api = api_of(ada)
    seen = api.get(OFFERS)
    time_machine.move_to(making.offer_of(block).closes_at, tick=False)
    step(block)
    cache.clear()

    answer, _statements = polled(api, seen)

    assert answer.json()["results"][0]["hourly"]["cents"] == 1900


def test_an_offer_that_closed_without_a_word_is_gone_from_the_next_whole_feed(
    ada, block, store, time_machine
):
    later = making.block([making.order(store)], start=START + 3 * HOUR)
    api = api_of(ada)
    seen = api.get(OFFERS)
    Offer.objects.filter(block=block).update(closes_at=AT + MINUTE)
    time_machine.move_to(AT + MINUTE, tick=False)
    freshness.touch("las-vegas")

    answer, _statements = polled(api, seen)

    assert [row["block"] for row in answer.json()["results"]] == [later.code]


def test_who_sees_a_block_first_in_a_poll_is_counted_in_its_audience(ada, block, store):
    api = api_of(ada)
    seen = api.get(OFFERS)
    new = making.block([making.order(store)], start=START + 3 * HOUR)
    polled(api, seen)

    audience.flush()

    assert Audience.objects.get(block=new).count == 1


def test_another_word_for_the_same_offers_is_nothing_new(ada, block):
    api = api_of(ada)
    seen = api.get(OFFERS)
    freshness.touch("las-vegas")

    answer, statements = polled(api, seen)
    again, none = polled(api, seen)

    assert (answer.status_code, again.status_code) == (304, 304)
    assert statements > 0, "the market was read"
    assert none == 0
    assert answer["ETag"] == seen["ETag"]


def test_another_word_after_an_offer_closed_by_the_clock_is_news(ada, block, time_machine):
    api = api_of(ada)
    seen = api.get(OFFERS)
    time_machine.move_to(making.offer_of(block).closes_at, tick=False)
    freshness.touch("las-vegas")

    answer, _statements = polled(api, seen)

    assert answer.json() == {"results": []}
