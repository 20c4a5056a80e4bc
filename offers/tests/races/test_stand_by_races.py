"""Release against the promotion of who stands by: one offer is open, and one driver has the block."""

import time

import pytest
from django.db import IntegrityError

from drivers.models import Driver
from offers import claiming, expiry, locks, standby
from offers.models import Claim, Offer, StandBy
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE, START

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


def test_claimed_in_the_moment_the_turn_lapses_it_has_one_driver_or_one_next(monkeypatch):
    mall = making.mall()
    ada, ben, cy = (making.driver(name) for name in ("Ada", "Ben", "Cy"))
    block = making.claimed(making.block([making.order(making.store(mall))]), ada)
    for each in (ben, cy):
        standby.join(mall=mall, driver_id=each.pk, start=START - HOUR, end=START + 6 * HOUR, at=AT)
    claiming.release(block_code=block.code, driver_id=ada.pk, at=AT)
    offer = making.offer_of(block)

    claimed, *_swept = making.at_once(
        lambda: claiming.claim(offer_code=offer.code, driver_id=ben.pk, at=offer.closes_at - MINUTE),
        *[lambda: expiry.sweep(at=offer.closes_at)] * 3,
    )

    live = list(Claim.objects.live().filter(block=block))
    still_open = list(Offer.objects.filter(block=block, status="open"))
    assert len(live) + len(still_open) == 1
    if live:
        assert (live[0], live[0].driver) == (claimed, ben)
    else:
        assert still_open[0].reserved_for == cy
        assert isinstance(claimed, claiming.OfferClosed | claiming.BlockTaken)


def test_joined_many_times_at_once_one_stands_by():
    mall, ben = making.mall(), making.driver("Ben")

    results = making.at_once(
        *[lambda: standby.join(mall=mall, driver_id=ben.pk, start=START, end=START + HOUR, at=AT)] * 5
    )

    assert {row.pk for row in results} == {StandBy.objects.live().get().pk}
    assert len(making.facts_named("stand_by.joined")) == 1


def test_without_the_drivers_lock_several_join_and_only_a_constraint_keeps_one(monkeypatch):
    """The control: without the referee all but one are told that something broke."""
    mall, ben = making.mall(), making.driver("Ben")
    monkeypatch.setattr(locks, "driver", lambda pk: Driver.objects.get(pk=pk))
    hours = standby.DateTimeTZRange

    def slowly(*args):
        time.sleep(0.2)
        return hours(*args)

    monkeypatch.setattr(standby, "DateTimeTZRange", slowly)

    results = making.at_once(
        *[lambda: standby.join(mall=mall, driver_id=ben.pk, start=START, end=START + HOUR, at=AT)] * 4
    )

    assert sum(isinstance(each, IntegrityError) for each in results) >= 1
    assert StandBy.objects.live().count() == 1
