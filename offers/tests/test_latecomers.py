"""Who loses the race for a block is told so without the database, and never wrongly."""

import pytest
from django.core.cache import cache
from redis.exceptions import ConnectionError as NoRedis

from offers import claiming, latecomers
from offers.models import Claim
from offers.tests import making
from offers.tests.making import AT
from offers.tests.test_driver_api import BASE, api_of

# The memory is written when a transaction commits.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _now(time_machine):
    time_machine.move_to(AT, tick=False)
    cache.clear()


@pytest.fixture
def offer():
    return making.offer_of(making.block([making.order(making.store(making.mall()))]))


@pytest.fixture
def ben():
    return making.driver("Ben")


def claimed_by_ada(offer):
    ada = making.driver("Ada")
    api = api_of(ada)
    assert api.put(f"{BASE}/offers/{offer.code}/claim", {}).status_code == 200
    return api


def without_its_id(answer):
    return {key: value for key, value in answer.json().items() if key != "request_id"}


def test_a_driver_who_looked_at_the_feed_and_comes_too_late_costs_no_query(
    offer, ben, django_assert_num_queries
):
    api = api_of(ben)
    api.get(f"{BASE}/offers")
    claimed_by_ada(offer)

    with django_assert_num_queries(0):
        answer = api.put(f"{BASE}/offers/{offer.code}/claim", {})

    assert (answer.status_code, answer.json()["code"]) == (409, "block_taken")
    assert answer["Content-Type"] == "application/problem+json"
    assert int(answer["RateLimit-Remaining"]) < int(answer["RateLimit-Limit"])
    assert Claim.objects.count() == 1


def test_the_short_way_and_the_long_way_give_the_same_answer(offer, ben, monkeypatch):
    api = api_of(ben)
    api.get(f"{BASE}/offers")
    claimed_by_ada(offer)
    short = api.put(f"{BASE}/offers/{offer.code}/claim", {})
    monkeypatch.setattr(latecomers, "answer", lambda *_args: None)

    long = api.put(f"{BASE}/offers/{offer.code}/claim", {})

    assert (short.status_code, without_its_id(short)) == (long.status_code, without_its_id(long))
    assert set(short.headers) >= set(long.headers) - {"Vary", "Allow"}


def test_the_winner_who_asks_again_gets_the_block_and_not_a_refusal(offer):
    api = claimed_by_ada(offer)

    assert api.put(f"{BASE}/offers/{offer.code}/claim", {}).json()["status"] == "claimed"
    assert Claim.objects.count() == 1


def test_a_driver_of_another_market_learns_nothing(offer):
    stranger = api_of(making.driver("Eve", market="tysons"))
    stranger.get(f"{BASE}/offers")
    claimed_by_ada(offer)

    assert stranger.put(f"{BASE}/offers/{offer.code}/claim", {}).status_code == 404


def test_a_claim_that_was_rolled_back_leaves_nobody_a_latecomer(offer, ben, monkeypatch):
    def broken(*_args, **_kwargs):
        raise RuntimeError("the process dies before the commit")

    monkeypatch.setattr(claiming.recording, "record_all", broken)
    with pytest.raises(RuntimeError):
        claiming.claim(offer_code=offer.code, driver_id=making.driver("Ada").pk, at=AT)
    monkeypatch.undo()
    api = api_of(ben)
    api.get(f"{BASE}/offers")

    assert api.put(f"{BASE}/offers/{offer.code}/claim", {}).status_code == 200


def test_an_emptied_cache_or_none_at_all_only_costs_time(offer, ben, monkeypatch):
    api = api_of(ben)
    api.get(f"{BASE}/offers")
    claimed_by_ada(offer)
    cache.clear()
    assert api.put(f"{BASE}/offers/{offer.code}/claim", {}).json()["code"] == "block_taken"

    def away(*_args, **_kwargs):
        raise NoRedis

    for name in ("get_many", "get_many_or_set", "add", "set", "set_each", "delete"):
        monkeypatch.setattr(cache, name, away)
    assert api.put(f"{BASE}/offers/{offer.code}/claim", {}).json()["code"] == "block_taken"


def test_latecomers_spend_their_own_budget(offer, ben, settings):
    settings.API_REQUESTS_PER_MINUTE = 3
    api = api_of(ben)
    api.get(f"{BASE}/offers")
    claimed_by_ada(offer)

    answers = [api.put(f"{BASE}/offers/{offer.code}/claim", {}) for _turn in range(3)]

    assert [answer.status_code for answer in answers] == [409, 409, 429]
    assert int(answers[-1]["Retry-After"]) > 0
