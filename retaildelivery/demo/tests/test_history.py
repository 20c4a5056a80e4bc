"""The demo begins with orders of today, and every idea of the afternoon is one the verb accepts."""

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from deliveries import drafts
from deliveries.models import Order
from retaildelivery.demo import afternoon, data, history, orders, seeding

AT = datetime(2026, 11, 23, 18, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def market():
    seeding.seed(at=AT)


@pytest.mark.usefixtures("market")
def test_each_market_begins_with_six_orders_and_a_second_seeding_adds_none():
    assert history.post_some(at=AT) == 24
    assert history.post_some(at=AT + timedelta(hours=1)) == 0

    assert Order.objects.filter(status="placed").count() == 24
    assert Order.objects.filter(store__mall__code="baybrook").count() == 6


@pytest.mark.usefixtures("market")
def test_orders_left_from_another_day_are_cancelled_before_new_ones_are_posted():
    history.post_some(at=AT)

    assert history.post_some(at=AT + timedelta(days=2)) == 24

    assert Order.objects.filter(status="cancelled", cancel_reason="too_late").count() == 24
    assert Order.objects.filter(status="placed").count() == 24


@pytest.mark.usefixtures("market")
def test_whatever_the_hour_every_idea_is_an_order_that_may_be_posted():
    stores = {store.key: seeding.store_of(store) for store in data.stores()}
    for market, hour in itertools.product(data.markets(), (3, 13, 20)):
        zone = ZoneInfo(market.time_zone)
        at = datetime(2026, 11, 23, hour, 10, tzinfo=zone)
        for idea in afternoon.afternoon(market.code, seed=hour, day=at.date(), n=60):
            draft = orders.draft_of(
                idea, external_id="X", at=at, ready_at=at + timedelta(minutes=1), zone=zone
            )
            checked = drafts.check(draft, store=stores[idea.store.key], at=at)

            assert checked.recipient_phone == idea.recipient.phone
            assert checked.window_start - at <= timedelta(hours=1)
