"""A block without orders is stood down while a wave fills it, while another sweep does the same, and a day publishes
itself twice."""

import datetime as dt
import itertools
import time

import pytest

from deliveries.models import Consignment
from drivers.models import DriverPosting
from offers import locks, scheduling, standing_down
from offers.models import Block, Claim, Publication, ScheduledDay
from offers.planning import publish, waves
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE, START
from retaildelivery.lib.geo import Point

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]

LAST_CALL = START - 30 * MINUTE
DAY = dt.date(2026, 11, 25)


@pytest.fixture
def mall():
    return making.mall()


@pytest.fixture
def claimed(mall):
    return making.claimed(making.empty_block(mall), making.driver("Ada"))


def about_to_fill(mall):
    late = making.order(
        making.store(mall),
        point=Point(36.150, -115.200),
        at=LAST_CALL - MINUTE,
        window=(START, START + 3 * HOUR),
    )
    begun = waves.begin(mall_code=mall.code, at=LAST_CALL)
    proposal = waves.propose(mall_code=mall.code, at=LAST_CALL, seed=1)
    assert [(block.opened != "", block.orders) for block in proposal.plan.blocks] == [(True, (late.code,))]
    return late, lambda: publish.publish(run_id=begun.pk, proposal=proposal, at=LAST_CALL)


@pytest.mark.parametrize("round_", range(3))
def test_a_block_is_either_filled_or_stood_down_and_never_both(mall, claimed, round_):
    late, fill = about_to_fill(mall)

    ended, _run = making.at_once(lambda: standing_down.end(block_id=claimed.pk, at=LAST_CALL), fill)

    claimed.refresh_from_db()
    late.refresh_from_db()
    on_it = Consignment.objects.live().filter(order=late).count()
    outcome = (ended, claimed.status, late.status, on_it, DriverPosting.objects.count())
    assert outcome in {(True, "withdrawn", "placed", 0, 1), (False, "claimed", "assigned", 1, 0)}


def test_without_the_lock_a_block_is_filled_and_stood_down(mall, claimed, monkeypatch):
    """The control: who looked before the wave published and asks nobody afterwards sends a driver home whose parcels
    wait."""
    late, fill = about_to_fill(mall)
    stale = Block.objects.select_related("mall__market", "policy", "manifest").get(pk=claimed.pk)
    fill()
    monkeypatch.setattr(locks, "block_unless_busy", lambda _pk: stale)

    assert standing_down.end(block_id=claimed.pk, at=LAST_CALL) is True

    late.refresh_from_db()
    assert late.status == "assigned"
    assert Claim.objects.get().ending == "stood_down"


def test_of_two_sweeps_one_pays(claimed):
    results = making.at_once(*(lambda: standing_down.sweep(at=LAST_CALL) for _ in range(4)))

    assert sum(results) == 1
    assert DriverPosting.objects.get().cents == 3600
    assert len(making.facts_named("block.stood_down")) == 1


def test_a_day_publishes_itself_once_though_two_sweeps_find_it(mall, monkeypatch):
    one = making.empty_block(mall, start=AT + 48 * HOUR)
    row = making.recommendation(one)
    monkeypatch.setattr(scheduling.forecast, "recommendations", lambda *_args, **_kwargs: [row])

    results = making.at_once(*(lambda: scheduling.run(mall=mall, day=DAY, at=AT) for _ in range(4)))

    assert sorted(results) == [0, 0, 0, 2]
    assert ScheduledDay.objects.get().blocks == 2
    assert Publication.objects.filter(automatic=True).count() == 1


def test_without_the_row_of_the_day_every_sweep_publishes_it(mall, monkeypatch):
    """The control: sweeps that only look whether it was done, and publications without a key of what they answer."""
    one = making.empty_block(mall, start=AT + 48 * HOUR)
    row = making.recommendation(one)
    before, keys = Block.objects.count(), itertools.count()
    monkeypatch.setattr(scheduling.forecast, "recommendations", lambda *_args, **_kwargs: [row])
    monkeypatch.setattr(scheduling, "key_of", lambda *_args, **_kwargs: f"key {next(keys)}")
    monkeypatch.setattr(ScheduledDay, "save", lambda *_args, **_kwargs: None)

    def look(*, mall, day, defaults):
        known = ScheduledDay.objects.filter(mall=mall, day=day).exists()
        time.sleep(0.2)
        return ScheduledDay(mall=mall, day=day, **defaults), not known

    monkeypatch.setattr(ScheduledDay.objects, "get_or_create", look)

    making.at_once(*(lambda: scheduling.run(mall=mall, day=DAY, at=AT) for _ in range(3)))

    assert Block.objects.count() - before == 6
