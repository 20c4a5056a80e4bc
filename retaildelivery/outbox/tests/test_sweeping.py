"""One thing that cannot be dealt with keeps no other from it."""

import datetime as dt

import pytest
from billiard.exceptions import SoftTimeLimitExceeded

from offers import expiry, moves
from offers.models import Offer
from offers.tests import making
from retaildelivery.accounts.models import User
from retaildelivery.outbox import sweeping
from retaildelivery.outbox.models import Message

pytestmark = pytest.mark.django_db(transaction=True)
AT = dt.datetime(2026, 11, 23, 18, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def olga():
    return User.objects.create(email="olga@example.com", name="Olga", is_staff=True)


def test_the_others_are_dealt_with_and_operations_are_told_once():
    dealt_with = []

    def work(key):
        if key == 2:
            raise ValueError("no such state")
        dealt_with.append(key)
        return 1

    done = [sweeping.each([1, 2, 3], work, of="things", at=AT) for _ in range(2)]

    assert (done, dealt_with) == ([2, 2], [1, 3, 1, 3])
    told = Message.objects.get(name="sweep_failed")
    assert told.to == "olga@example.com"
    assert "number 2" in told.text
    assert "ValueError: no such state" in told.text


def test_a_task_that_ran_out_of_time_stops():
    def work(key):
        raise SoftTimeLimitExceeded

    with pytest.raises(SoftTimeLimitExceeded):
        sweeping.each([1, 2], work, of="things", at=AT)


def test_a_block_whose_state_is_impossible_keeps_no_other_offer_from_its_next_step(monkeypatch):
    store = making.store(making.mall())
    broken, sound = (making.block([making.order(store)]) for _ in range(2))
    due = making.offer_of(sound).closes_at
    steps = moves.end_offers

    def refuse(block, to, *, at):
        if block.pk == broken.pk:
            raise AssertionError("A row that somebody edited by hand.")
        steps(block, to, at=at)

    monkeypatch.setattr(moves, "end_offers", refuse)

    assert expiry.sweep(at=due) == 1

    assert Offer.objects.filter(block=sound).count() == 2
    assert list(Offer.objects.filter(block=broken).values_list("status", flat=True)) == ["open"]
