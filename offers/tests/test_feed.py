"""What a driver sees, what it is worth to them, and how they know that nothing has changed."""

import pytest
from django.core.cache import cache
from django.db import transaction
from redis.exceptions import ConnectionError as NoRedis

from drivers.models import CostProfile
from offers import claiming, declining, expiry, feed, freshness
from offers.models import Decline, Offer
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE, START

pytestmark = pytest.mark.django_db


@pytest.fixture
def store():
    return making.store(making.mall())


@pytest.fixture
def ada():
    return making.driver("Ada")


def test_a_card_says_what_the_block_pays_costs_and_leaves(store, ada):
    orders = [making.order(store, tip_cents=300, parcels=2), making.order(store, tip_cents=200)]
    block = making.block(orders, distance_m=32_187)

    card = feed.offers(ada, at=AT)[0]

    assert (card.block, card.pay_cents, card.hourly_cents, card.tips_cents) == (block, 3600, 1800, 500)
    assert (card.stops, block.parcels_count, block.orders_count) == (3, 3, 2)
    # 20 miles at 72.5 cents are $14.50; $21.50 of $36.00 are left for two hours.
    assert (card.distance_m, round(card.miles, 2), card.net.cost_cents) == (32_187, 20.0, 1450)
    assert (card.net.left_cents, card.net.left_hourly_cents) == (2150, 1075)
    assert (card.eligible, card.refusals) == (True, ())


def test_the_cost_is_by_the_drivers_own_rate_a_mile(store, ada):
    making.block([making.order(store)], distance_m=32_187)
    CostProfile.objects.create(driver=ada, basis="flat", cents_per_mile=30, changed_at=AT)

    assert feed.offers(ada, at=AT)[0].net.cost_cents == 600


def test_a_card_lists_every_reason_why_not(store, ada):
    making.block([making.order(store, litres=300, parcels=2)])
    ada.status = "suspended"

    card = feed.offers(ada, at=AT)[0]

    assert not card.eligible
    assert [refusal.code for refusal in card.refusals] == ["not_approved", "vehicle_too_small"]


def test_the_feed_is_sorted_by_start_and_costs_the_same_for_one_offer_as_for_many(
    store, ada, django_assert_num_queries
):
    later = making.block([making.order(store)], start=START + HOUR)
    with django_assert_num_queries(3):
        assert len(feed.offers(ada, at=AT)) == 1
    sooner = making.block([making.order(store)], start=START)
    third = making.block([making.order(store)], start=START + 2 * HOUR)

    with django_assert_num_queries(3):
        cards = feed.offers(ada, at=AT)

    assert [card.block for card in cards] == [sooner, later, third]


def test_offers_of_other_markets_and_closed_ones_are_not_shown(store, ada):
    elsewhere = making.mall("tysons", zone="America/New_York", market="tysons")
    making.block([making.order(making.store(elsewhere, "Quill & Co"))])
    block = making.block([making.order(store)])

    assert [card.block for card in feed.offers(ada, at=AT)] == [block]
    assert feed.offers(ada, at=START + HOUR) == []
    assert Offer.objects.count() == 2
    assert feed.visible_offers(ada).get() == making.offer_of(block)


def test_a_block_at_work_comes_before_the_next_one(store, ada):
    first = making.claimed(making.block([making.order(store)]), ada)
    second = making.claimed(making.block([making.order(store)], start=START + 3 * HOUR), ada)

    assert [claim.block for claim in feed.live_claims(ada)] == [first, second]
    assert feed.current_claim(ada).block == first
    assert feed.current_claim(making.driver("Ben")) is None


def test_earnings_hold_each_block_with_the_sum_of_its_lines(store, ada):
    block = making.claimed(making.block([making.order(store, tip_cents=300)]), ada)
    making.check_in(block, ada, at=START)
    making.collect(block, ada, arrive=START, handover=START)
    making.depart(block, ada, at=START)
    making.deliver(making.doors_of(block)[0], ada, at=START + HOUR)
    making.relay_all(at=START + HOUR)

    settled = feed.earnings(ada)

    assert [(each.claim.block, each.total_cents) for each in settled] == [(block, 3900)]
    assert [line.kind for line in settled[0].lines] == ["base", "tip"]
    assert feed.earnings(making.driver("Ben")) == []


@pytest.mark.django_db(transaction=True)
def test_the_version_stands_still_without_sql_until_something_changes(store, ada, django_assert_num_queries):
    block = making.block([making.order(store)])
    before = feed.version(ada)

    with django_assert_num_queries(0):
        assert feed.version(ada) == before

    expiry.sweep(at=making.offer_of(block).closes_at)
    assert feed.version(ada) != before


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("change", ["claim", "decline", "publish"])
def test_every_change_of_the_feed_changes_its_version(store, ada, change):
    block = making.block([making.order(store)])
    offer = making.offer_of(block)
    before = feed.version(ada)
    changes = {
        "claim": lambda: claiming.claim(offer_code=offer.code, driver_id=making.driver("Ben").pk, at=AT),
        "decline": lambda: declining.decline(
            offer_code=offer.code, driver_id=ada.pk, reason=Decline.Reason.PAY, at=AT
        ),
        "publish": lambda: making.block([making.order(store)]),
    }

    changes[change]()

    assert feed.version(ada) != before


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_rolled_back_changes_no_version(ada):
    before = feed.version(ada)

    with transaction.atomic():
        freshness.touch("las-vegas")
        transaction.set_rollback(True)

    assert feed.version(ada) == before


@pytest.mark.django_db(transaction=True)
def test_one_drivers_decline_leaves_the_feed_of_another_as_it_is(store, ada):
    offer = making.offer_of(making.block([making.order(store)]))
    ben = making.driver("Ben")
    before = feed.version(ben)

    declining.decline(offer_code=offer.code, driver_id=ada.pk, reason=Decline.Reason.PAY, at=AT)

    assert feed.version(ben) == before


def test_an_emptied_cache_makes_every_feed_be_read_anew(ada):
    before = feed.version(ada)

    cache.clear()

    assert feed.version(ada) != before


def test_without_a_cache_nothing_is_claimed_to_be_unchanged(ada, monkeypatch):
    def away(*_args, **_kwargs):
        raise NoRedis

    monkeypatch.setattr(freshness.cache, "get_many", away)

    assert feed.version(ada) == ""


def test_the_feed_forgets_an_offer_the_moment_it_closes(store, ada):
    offer = making.offer_of(making.block([making.order(store)]))

    assert len(feed.offers(ada, at=offer.closes_at - MINUTE)) == 1
    assert feed.offers(ada, at=offer.closes_at) == []


def test_what_a_market_has_is_read_once_for_each_version(store, ada, django_assert_num_queries):
    making.block([making.order(store, tip_cents=300)])
    ben, version = making.driver("Ben"), feed.version(ada)
    first = feed.offers_at(ada, version=version, at=AT)

    with django_assert_num_queries(1):
        second = feed.offers_at(ben, version=feed.version(ben), at=AT)

    assert [(card.offer, card.tips_cents) for card in second] == [(card.offer, 300) for card in first]
    assert first == feed.offers(ada, at=AT)


def test_a_new_price_is_in_the_next_version(store, ada, django_capture_on_commit_callbacks):
    offer = making.offer_of(making.block([making.order(store)]))
    assert [card.hourly_cents for card in feed.offers_at(ada, version=feed.version(ada), at=AT)] == [1800]

    with django_capture_on_commit_callbacks(execute=True):
        expiry.end(offer_id=offer.pk, at=offer.closes_at)

    after = feed.offers_at(ada, version=feed.version(ada), at=offer.closes_at)
    assert [card.hourly_cents for card in after] == [1900]
    assert after == feed.offers(ada, at=offer.closes_at)


def test_what_is_one_drivers_own_is_never_kept_for_another(store, ada):
    blocks = [making.block([making.order(store)], start=START + n * HOUR) for n in range(3)]
    ben, version = making.driver("Ben"), feed.version(ada)
    closing = making.offer_of(blocks[0]).closes_at
    feed.offers_at(ada, version=version, at=AT)
    declining.decline(offer_code=making.offer_of(blocks[1]).code, driver_id=ada.pk, reason="pay", at=AT)

    for driver in (ada, ben):
        for at in (AT, closing - MINUTE, closing):
            kept = [card.offer for card in feed.offers_at(driver, version=version, at=at)]
            assert kept == list(feed.open_offers(driver, at=at).order_by("block__window__startswith", "pk"))
    assert len(feed.offers_at(ada, version=version, at=AT)) == 2
    assert len(feed.offers_at(ben, version=version, at=AT)) == 3


def test_without_a_version_nothing_is_kept(store, ada):
    assert feed.offers_at(ada, version="", at=AT) == []

    block = making.block([making.order(store)])

    assert [card.block for card in feed.offers_at(ada, version="", at=AT)] == [block]
