"""Work done becomes money: once, line by line, each with its reason."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from deliveries.models import Order
from deliveries.revising import tip
from drivers import ledger, verify_pay
from drivers.models import Driver, DriverPosting, StandingEvent
from offers import expiry, settlement, terms
from offers import worked as done_work
from offers.models import Block, Claim
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE, START
from retaildelivery.outbox import relaying
from retaildelivery.outbox.models import Reaction
from retaildelivery.outbox.recording import SYSTEM
from stores.models import SellerPosting

pytestmark = pytest.mark.django_db


@pytest.fixture
def store():
    return making.store(making.mall())


@pytest.fixture
def ada():
    return making.driver("Ada")


def lines():
    return dict(DriverPosting.objects.order_by("pk").values_list("kind", "cents"))


def worked(orders, driver, *, check_in=START, handover=START + 6 * MINUTE, last=START + HOUR):
    """A block from claim to the last door, everything delivered at `last`."""
    block = making.claimed(making.block(orders), driver)
    making.check_in(block, driver, at=check_in)
    making.collect(block, driver, arrive=check_in, handover=handover)
    making.depart(block, driver, at=handover)
    for stop in making.doors_of(block):
        making.deliver(stop, driver, at=last)
    making.relay_all(at=last)
    block.refresh_from_db()
    return block


def test_a_block_without_incident_pays_its_base_and_every_tip(store, ada):
    first, second = making.order(store, tip_cents=500), making.order(store, tip_cents=350)

    block = worked([first, second], ada)

    assert (block.status, block.completed_at, block.settled_at) == ("settled", START + HOUR, START + HOUR)
    rows = DriverPosting.objects.order_by("pk").values_list("key", "cents", "rule", "subject")
    assert set(rows) == {
        (f"block:{block.code}:base", 3600, "las-vegas-2026", f"block:{block.code}"),
        (f"block:{block.code}:tip:{first.code}", 500, "las-vegas-2026", f"block:{block.code}"),
        (f"block:{block.code}:tip:{second.code}", 350, "las-vegas-2026", f"block:{block.code}"),
    }
    assert ledger.balance(ada) == 4450
    assert DriverPosting.objects.get(kind="base").text == "2 h at $18.00 an hour"
    claim = Claim.objects.get()
    assert (claim.ending, claim.ended_at) == ("completed", START + HOUR)
    event = StandingEvent.objects.get()
    assert (event.kind, event.points, event.fault) == ("completed", 1, "none")
    fact = making.facts_named("pay.settled")[0]
    assert (fact.data["total_cents"], sum(line["cents"] for line in fact.data["lines"])) == (4450, 4450)
    assert fact.subjects == [f"block:{block.code}", "mall:fashion-show", f"driver:{ada.code}"]


def test_the_store_that_kept_the_driver_pays_the_wait_from_the_tenth_minute(store, ada):
    block = worked([making.order(store)], ada, handover=START + 22 * MINUTE)

    assert lines() == {"base": 3600, "wait": 360}
    charge = SellerPosting.objects.get(kind="wait")
    assert (charge.key, charge.cents) == (f"block:{block.code}:wait:{store.code}", 360)
    assert (charge.seller, charge.store, charge.rule) == (store.seller, store, "las-vegas-2026")


def test_waiting_before_the_block_begins_is_nobodys_fault(store, ada):
    worked([making.order(store)], ada, check_in=START - 15 * MINUTE, handover=START + 10 * MINUTE)

    assert lines() == {"base": 3600}
    assert not SellerPosting.objects.filter(kind="wait").exists()


def test_work_beyond_the_block_is_paid_by_the_minute(store, ada):
    worked([making.order(store)], ada, last=START + 2 * HOUR + 20 * MINUTE)

    assert lines() == {"base": 3600, "overtime": 600}


def test_who_began_late_does_not_earn_those_minutes_at_the_end(store, ada):
    late = START + 15 * MINUTE
    worked([making.order(store)], ada, check_in=late, handover=late, last=START + 2 * HOUR + 20 * MINUTE)

    assert lines() == {"base": 3600, "overtime": 150}


def test_the_locked_step_is_a_line_of_its_own(store, ada):
    block = making.block([making.order(store)])
    expiry.sweep(at=START - HOUR)
    making.claimed(block, ada, at=START - HOUR)
    making.check_in(block, ada, at=START)
    making.collect(block, ada, arrive=START, handover=START)
    making.depart(block, ada, at=START)
    making.deliver(making.doors_of(block)[0], ada, at=START + HOUR)
    making.relay_all(at=START + HOUR)

    assert lines() == {"base": 3600, "step": 400}


def returned(store, driver, *, back):
    block = making.claimed(making.block([making.order(store, tip_cents=500)]), driver)
    making.check_in(block, driver, at=START)
    making.collect(block, driver, arrive=START, handover=START)
    making.depart(block, driver, at=START)
    making.fail(making.doors_of(block)[0], driver, at=START + HOUR)
    making.relay_all(at=START + HOUR)
    assert lines() == {}
    making.bring_back(block, driver, at=back)
    making.relay_all(at=back)
    block.refresh_from_db()
    return block


def test_what_comes_back_is_paid_as_a_return_and_its_tip_is_not(store, ada):
    block = returned(store, ada, back=START + HOUR + 40 * MINUTE)

    assert block.status == "settled"
    assert lines() == {"base": 3600, "return": 500}


def test_a_parcel_brought_back_the_next_morning_is_no_night_of_overtime(store, ada):
    returned(store, ada, back=START + 20 * HOUR)

    assert lines() == {"base": 3600, "return": 500}


def test_a_return_right_after_the_last_door_counts_as_work(store, ada):
    returned(store, ada, back=START + 2 * HOUR + 10 * MINUTE)

    assert lines() == {"base": 3600, "overtime": 300, "return": 500}


def test_the_floor_of_the_law_fills_up_what_is_missing(store, ada):
    making.floor(hour_cents=3_000, distance_cents=100)

    worked([making.order(store, tip_cents=500)], ada, last=START + HOUR)

    # One engaged hour at $30 and 20,000 m at $1.00 a mile are $42.43; the tip counts towards nothing.
    assert lines() == {"base": 3600, "tip": 500, "floor": 643}
    assert verify_pay.differences(terms.account_of(ada, at=AT)) == []


def test_settling_twice_pays_once(store, ada):
    block = worked([making.order(store, tip_cents=500)], ada)
    fact = making.facts_named("manifest.completed")[0]

    with transaction.atomic():
        settlement.settle(fact=fact, at=START + 2 * HOUR)
    ((_block, stops, tips),) = done_work.of_blocks([block])
    work = done_work.completed(block, stops, at=START + HOUR, given=tips)
    with transaction.atomic():
        settlement.pay_all([settlement.Job(Claim.objects.get(), work)], at=START + 2 * HOUR)

    assert ledger.balance(ada) == 4100
    assert DriverPosting.objects.count() == 2
    assert len(making.facts_named("pay.settled")) == 1


def at_the_last_door(store, name):
    """A block whose last door is done; what follows is not yet relayed."""
    driver = making.driver(name)
    block = making.claimed(making.block([making.order(store, tip_cents=500)]), driver)
    making.check_in(block, driver, at=START)
    making.collect(block, driver, arrive=START, handover=START + 22 * MINUTE)
    making.depart(block, driver, at=START + 22 * MINUTE)
    making.deliver(making.doors_of(block)[0], driver, at=START + HOUR)
    return block


def settling():
    return Reaction.objects.filter(key="offers.settle", done_at=None).order_by("pk")


def test_blocks_that_wait_are_settled_together_in_as_many_statements_as_one(store):
    making.floor(hour_cents=4_000)
    statements = []

    for names in (["Ada"], ["Ben", "Cleo", "Dan"]):
        blocks = [at_the_last_door(store, name) for name in names]
        with CaptureQueriesContext(connection) as captured:
            relaying.relay(reaction_id=settling()[0].pk, at=START + 2 * HOUR)
        statements.append(len(captured))
        assert set(Block.objects.filter(pk__in=[block.pk for block in blocks]).values_list("status")) == {
            ("settled",)
        }

    assert statements[0] == statements[1] < 25
    paid = DriverPosting.objects.values_list("driver__user__name", "kind", "cents")
    assert len(set(paid)) == 4 * 4
    assert SellerPosting.objects.filter(kind="wait").count() == 4
    assert [len(fact.data["lines"]) for fact in making.facts_named("pay.settled")] == [4] * 4
    for driver in Driver.objects.all():
        assert verify_pay.differences(terms.account_of(driver, at=AT)) == []


def test_a_block_that_cannot_be_settled_holds_back_nobody(store):
    blocks = [at_the_last_door(store, name) for name in ("Ada", "Ben", "Cleo")]
    lost = Claim.objects.filter(block=blocks[1])
    lost.update(ended_at=START, ending="released")

    relaying.relay(reaction_id=settling()[0].pk, at=START + 2 * HOUR)

    states = dict(Block.objects.values_list("code", "status"))
    assert [states[block.code] for block in blocks] == ["settled", "working", "settled"]
    left = settling().get()
    assert (left.attempts, f"manifest:{blocks[1].manifest.code}" in left.fact.subjects) == (1, True)
    assert DriverPosting.objects.filter(kind="base").count() == 2


def test_a_tip_given_after_the_settlement_goes_to_the_driver_once(store, ada):
    order = making.order(store, tip_cents=200)
    block = worked([order], ada)

    for cents in (500, 500):
        tip(order_code=order.code, scope=Order.objects.all(), cents=cents, actor=SYSTEM, at=START + 3 * HOUR)
        making.relay_all(at=START + 3 * HOUR)

    tips = DriverPosting.objects.filter(kind="tip").order_by("pk")
    assert [posting.cents for posting in tips] == [200, 300]
    assert {posting.subject for posting in tips} == {f"block:{block.code}"}


def test_a_manifest_of_no_block_settles_nothing():
    fact = settlement.Fact(name="manifest.completed", subjects=["manifest:MNONE"], at=AT)

    with transaction.atomic():
        settlement.settle(fact=fact, at=AT)

    assert DriverPosting.objects.count() == 0


def test_pay_is_told_in_the_drivers_language(store):
    zoe = making.driver("Zoe")
    zoe.user.locale = "es"
    zoe.user.save(update_fields=["locale"])

    worked([making.order(store)], zoe)

    assert DriverPosting.objects.get().cents == 3600


def test_what_drivers_get_in_tips_sellers_are_charged(store, ada):
    order = making.order(store, tip_cents=700)
    worked([order], ada)
    tip(order_code=order.code, scope=Order.objects.all(), cents=900, actor=SYSTEM, at=START + 2 * HOUR)
    making.relay_all(at=START + 2 * HOUR)

    credited = DriverPosting.objects.filter(kind="tip").values_list("cents", flat=True)
    charged = SellerPosting.objects.filter(kind="tip").values_list("cents", flat=True)
    assert sorted(credited) == sorted(charged) == [200, 700]
