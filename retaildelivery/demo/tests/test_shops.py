"""Staff of a run post and pack through the seller's API of a real server."""

from datetime import UTC, date, datetime

import pytest

from deliveries.models import Order
from retaildelivery.demo import data, seeding, shops
from retaildelivery.demo.client import Tally
from retaildelivery.demo.play import Play
from retaildelivery.demo.stage import Stage, clear
from retaildelivery.demo.town import Town
from stores.models import ApiKey, Store

AT = datetime(2026, 11, 23, 18, tzinfo=UTC)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stage(live_server):
    seeding.seed(at=AT)
    stage = Stage("las-vegas", Play(seed=1, speed=1_000.0, tally=Tally(), town=Town()), live_server.url)
    stage.set_up(at=AT)
    yield stage
    stage.close()


def test_an_afternoon_is_posted_and_packed_at_the_pace_of_the_run(stage):
    town = stage.play.town
    script = stage.script(day=date(2026, 11, 23), orders=5, minutes=10, doors=None)

    town.settle("staff", lambda: shops.staff(stage.shops, script, run="SIM-1", play=stage.play))
    town.run(until=lambda: False)

    orders = Order.objects.order_by("external_id")
    assert [order.external_id for order in orders] == [f"SIM-1-000{number}" for number in range(1, 6)]
    assert [order.address_line1 for order in orders] == [posting.idea.door.address1 for posting in script]
    assert {parcel.status for order in orders for parcel in order.parcels.all()} == {"ready"}
    assert stage.play.score.posted == 5
    assert stage.play.tally.refusals == {}
    assert stage.play.subject(orders[0].code) == "1"


def test_a_shop_that_has_paused_refuses_and_the_run_goes_on(stage):
    Store.objects.update(paused_until=datetime(2100, 1, 1, tzinfo=UTC))
    town = stage.play.town
    script = stage.script(day=date(2026, 11, 23), orders=3, minutes=1, doors=None)

    town.settle("staff", lambda: shops.staff(stage.shops, script, run="SIM-1", play=stage.play))
    town.run(until=lambda: False)

    assert Order.objects.count() == 0
    assert stage.play.score.posted == 0
    assert stage.play.tally.refusals == {"validation_error": 3}


def test_keys_and_tokens_of_a_run_that_was_killed_are_revoked(stage):
    sellers = len({store.seller for store in data.stores_in("las-vegas")})
    assert ApiKey.objects.live(AT).filter(name="simulation las-vegas").count() == sellers

    clear(at=AT, market="las-vegas")

    assert ApiKey.objects.live(AT).filter(name="simulation las-vegas").count() == 0
    assert sorted(ApiKey.objects.live(AT).values_list("name", flat=True)) == ["demo", "demo, sandbox"]
