"""What a seller sees of the search for a driver: counts that are true, and nobody's name."""

import json

import pytest
import redis
from django.conf import settings
from django.test import Client
from django.urls import reverse

from drivers.models import Vehicle
from offers import attendance, audience, claiming, declining, expiry, market
from offers.models import Audience, Block, Claim, Decline, Entry
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE, START
from retaildelivery.accounts.models import User
from retaildelivery.lib import codes
from retaildelivery.outbox.recording import SYSTEM
from stores import keys
from stores.models import ApiKey, StaffMembership

QUERIES = 12


@pytest.fixture(autouse=True)
def _now(time_machine, db):
    time_machine.move_to(AT, tick=False)


@pytest.fixture
def mall():
    return making.mall(draws=True)


@pytest.fixture
def store(mall):
    return making.store(mall)


@pytest.fixture
def order(store):
    return making.order(store)


@pytest.fixture
def ada():
    return making.driver("Ada")


@pytest.fixture
def ben():
    return making.driver("Ben")


def driving(driver):
    client = Client()
    client.force_login(driver.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def at_the_store(store):
    user, _new = User.objects.get_or_create(email=f"staff@{store.code.lower()}.example.com")
    StaffMembership.objects.get_or_create(user=user, seller=store.seller, store=store, role="staff")
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def by_key(store):
    issued = keys.issue(
        seller=store.seller, name="till", scopes=[ApiKey.Scope.ORDERS_READ], actor=SYSTEM, at=AT
    )
    secret = issued.secret
    return Client(headers={"Authorization": f"Bearer {secret}"})


def history(mall, *, claimed, unclaimed, weeks_ago=1, shift_kind="weekday_day"):
    """Blocks of an earlier week, offered three hours before their start; some were claimed an hour before it."""
    at = AT - weeks_ago * 7 * 24 * HOUR
    block = making.block(
        [making.order(making.store(mall, codes.new_code()), at=at)], start=at + 3 * HOUR, at=at
    )
    expiry.sweep(at=at + 4 * HOUR)
    block.refresh_from_db()
    block.shift_kind = shift_kind
    block.save(update_fields=["shift_kind"])
    offer = block.offers.order_by("-pk").first()
    for _number in range(claimed + unclaimed - 1):
        block.pk, block.code, block.manifest = None, codes.new_code("B"), None
        block.save(force_insert=True)
    won = Block.objects.filter(mall=mall, window=block.window, shift_kind=shift_kind)[:claimed]
    for each in won:
        driver = making.driver("Old")
        Claim.objects.create(
            block=each, offer=offer, driver=driver, vehicle=Vehicle.objects.get(driver=driver),
            window=each.window, hourly_cents=1800, pay_cents=3600, claimed_at=each.starts_at - HOUR,
        )  # fmt: skip


def test_a_driver_counts_once_however_often_and_wherever_they_look(store, order, ada, ben):
    block = making.block([order])
    offer = making.offer_of(block)
    page = driving(ada)

    for _time in range(3):
        assert page.get(reverse("offers:driver_offers")).status_code == 200
    assert page.get(reverse("offers:driver_offer", args=[offer.code])).status_code == 200
    assert driving(ben).get(reverse("offers:driver_offer", args=[offer.code])).status_code == 200

    assert audience.flush() == 1
    assert audience.flush() == 0
    assert market.of(order, at=AT).seen_by == 2


def test_who_is_counted_stays_counted_when_redis_is_emptied(order, ada, ben):
    offer = making.offer_of(making.block([order]))
    audience.shown([offer], to=ada.pk)
    audience.flush()

    redis.Redis.from_url(settings.REDIS_URL).flushdb()
    audience.shown([offer], to=ben.pk)
    audience.flush()

    assert market.of(order, at=AT).seen_by == 2


def test_who_looks_while_the_sweep_carries_over_is_found_by_the_next_one(order, ada, ben, monkeypatch):
    offer = making.offer_of(making.block([order]))
    audience.shown([offer], to=ada.pk)
    keep = audience.keep

    def keep_while_ben_looks(**given):
        audience.shown([offer], to=ben.pk)
        return keep(**given)

    monkeypatch.setattr(audience, "keep", keep_while_ben_looks)
    audience.flush()
    monkeypatch.undo()

    assert audience.flush() == 1
    assert Audience.objects.get().count == 2


def test_a_feed_is_served_when_redis_is_away(order, ada, monkeypatch):
    making.block([order])

    def away(*_given):
        raise redis.ConnectionError

    monkeypatch.setattr(audience._store.client, "eval", away)
    try:
        assert driving(ada).get(reverse("offers:driver_offers")).status_code == 200
    finally:
        audience._store._away_until = 0.0


def test_counting_costs_no_query(order, ada, django_assert_num_queries):
    offer = making.offer_of(making.block([order]))
    offer.block.code  # noqa: B018

    with django_assert_num_queries(0):
        audience.shown([offer], to=ada.pk)


def test_the_counts_are_those_of_the_orders_block(store, order, ada, ben):
    other = making.block([making.order(store)], start=START + 4 * HOUR)
    block = making.block([order])
    offer = making.offer_of(block)
    making.entered(offer, ada, making.driver("Chidi"))
    making.entered(making.offer_of(other), ben)
    declining.decline(offer_code=offer.code, driver_id=ben.pk, reason="pay", at=AT + MINUTE)
    for name in ("Dee", "Eli"):
        declining.decline(offer_code=offer.code, driver_id=making.driver(name).pk, reason="distance", at=AT)

    found = market.of(order, at=AT + 2 * MINUTE)

    assert (found.state, found.entries, found.took) == ("on_offer", 2, 2 * MINUTE)
    assert [(row.reason, row.count) for row in found.declined] == [("distance", 2), ("pay", 1)]
    assert Entry.objects.count() == 3


def test_the_time_to_the_claim_is_final_and_a_claim_given_back_starts_the_search_again(store, ada, ben):
    order = making.order(making.store(making.mall("plaza", market="reno"), "Plaza Books"))
    ada, ben = making.driver("Ada", market="reno"), making.driver("Ben", market="reno")
    block = making.claimed(making.block([order]), ada, at=AT + 7 * MINUTE)
    assert market.of(order, at=AT + HOUR).took == 7 * MINUTE

    claiming.release(block_code=block.code, driver_id=ada.pk, at=AT + 10 * MINUTE)
    again = market.of(order, at=AT + 11 * MINUTE)
    assert (again.state, again.given_back, again.declined) == ("on_offer", 1, ())

    making.claimed(block, ben, at=AT + 20 * MINUTE)
    final = market.of(order, at=AT + HOUR)
    assert (final.state, final.took, final.chance) == ("claimed", 20 * MINUTE, None)


def test_who_did_not_come_has_not_declined_the_rescue(order, ada):
    missed = making.claimed(making.block([order], start=AT + 50 * MINUTE), ada)

    attendance.sweep(at=AT + 70 * MINUTE)
    found = market.of(order, at=AT + 71 * MINUTE)

    assert found.starts_at > missed.starts_at
    assert Decline.objects.filter(driver=ada).count() == 2
    assert (found.state, found.declined) == ("on_offer", ())


def test_an_order_that_is_in_no_block_says_so(order):
    found = market.of(order, at=AT)

    assert (found.state, found.seen_by, found.chance) == ("not_offered", 0, None)


def test_the_chance_is_the_share_of_past_blocks_in_the_same_position(mall, order):
    history(mall, claimed=15, unclaimed=5)
    history(mall, claimed=0, unclaimed=5, shift_kind="evening")
    history(mall, claimed=0, unclaimed=3, weeks_ago=9)
    making.block([order])

    early = market.of(order, at=AT).chance
    assert (early.basis, early.cases, early.claimed, early.share) == ("same_kind", 20, 15, 0.75)
    assert (round(early.low, 3), round(early.high, 3)) == (0.568, 0.873)

    # Half an hour before the start those which were claimed by then are no company any more.
    late = market.of(order, at=START - HOUR / 2).chance
    assert (late.basis, late.cases, late.share) == ("too_few", 10, None)


def test_too_few_of_a_kind_are_compared_with_the_whole_market(mall, order):
    history(mall, claimed=12, unclaimed=3)
    history(mall, claimed=3, unclaimed=2, shift_kind="evening", weeks_ago=2)
    making.block([order])

    chance = market.of(order, at=AT).chance

    assert (chance.basis, chance.cases, chance.claimed) == ("market", 20, 15)


def test_the_stores_page_tells_it_within_the_budget_and_names_nobody(
    mall, store, order, ada, django_assert_max_num_queries
):
    history(mall, claimed=15, unclaimed=5)
    offer = making.offer_of(making.block([order]))
    making.entered(offer, ada)
    declining.decline(offer_code=offer.code, driver_id=making.driver("Eve").pk, reason="pay", at=AT)
    client = at_the_store(store)
    url = reverse("offers:store_market", args=[order.code])

    with django_assert_max_num_queries(QUERIES):
        page = client.get(url).content.decode()

    assert "75% chance of a driver by the start" in page
    assert "1 × pay" in page
    assert "In the draw" in page
    assert not any(word in page for word in ("Ada", "Eve", ada.code))
    card = client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in card
    assert "1 × pay" in card
    assert url in client.get(reverse("deliveries:store_order", args=[order.code])).content.decode()


def test_a_block_that_was_never_drawn_tells_of_no_draw(store, order, ada):
    claiming.claim(
        offer_code=making.offer_of(making.block([order], start=AT + 50 * MINUTE)).code,
        driver_id=ada.pk,
        at=AT,
    )

    card = at_the_store(store).get(reverse("offers:store_market", args=[order.code])).content.decode()

    assert "Claimed after" in card
    assert "In the draw" not in card


def test_strangers_find_neither_page_nor_answer(mall, order):
    stranger = making.store(mall, "Quill & Co")

    assert at_the_store(stranger).get(reverse("offers:store_market", args=[order.code])).status_code == 404
    assert by_key(stranger).get(reverse("offers_api:order_market", args=[order.code])).status_code == 404


def test_the_api_says_the_same(mall, store, order, ada):
    history(mall, claimed=15, unclaimed=5)
    offer = making.offer_of(making.block([order]))
    audience.shown([offer], to=ada.pk)
    audience.flush()
    declining.decline(offer_code=offer.code, driver_id=ada.pk, reason="pay", at=AT)

    answer = by_key(store).get(reverse("offers_api:order_market", args=[order.code]))

    assert answer.status_code == 200
    assert json.loads(answer.content) == {
        "order": order.code,
        "state": "on_offer",
        "starts_at": "2026-11-23T21:00:00.000Z",
        "offered_at": "2026-11-23T18:00:00.000Z",
        "claimed_at": None,
        "took_seconds": 0,
        "seen_by": 1,
        "entries": 0,
        "declined": [{"reason": "pay", "count": 1}],
        "given_back": 0,
        "chance": {
            "basis": "same_kind",
            "cases": 20,
            "claimed": 15,
            "share": 0.75,
            "low": 0.568,
            "high": 0.873,
        },
    }
