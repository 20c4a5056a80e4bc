"""Hand-over against itself, against release, check-in and withdrawal: in real threads, with a control."""

import time

import pytest

from offers import attendance, claiming, handing_over, withdrawing
from offers.models import Claim, HandOver
from offers.tests import making
from offers.tests.making import MINUTE, START
from retaildelivery.outbox.recording import SYSTEM

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]

LATE = START - 10 * MINUTE


@pytest.fixture
def ada():
    return making.driver("Ada")


@pytest.fixture
def ben():
    return making.driver("Ben")


@pytest.fixture
def block(ada):
    store = making.store(making.mall())
    return making.claimed(making.block([making.order(store)]), ada)


@pytest.fixture
def asked(block, ada, ben):
    return handing_over.propose(block_code=block.code, driver_id=ada.pk, receiver_code=ben.code, at=LATE)


def accept(asked, ben):
    return lambda: handing_over.accept(code=asked.code, driver_id=ben.pk, at=LATE)


def test_accepted_many_times_at_once_it_passes_once(block, asked, ben):
    results = making.at_once(*[accept(asked, ben)] * 6)

    assert {each.pk for each in results} == {Claim.objects.live().get().pk}
    assert Claim.objects.filter(block=block).count() == 2
    assert len(making.facts_named("block.handed_over")) == 1


def test_without_the_locks_several_see_an_open_proposal(asked):
    """The control: who only looks finds it open, again and again."""

    def looks():
        is_open = HandOver.objects.filter(pk=asked.pk, ended_at=None).exists()
        time.sleep(0.05)
        if is_open:
            HandOver.objects.filter(pk=asked.pk).update(ended_at=LATE, ending="accepted")
        return is_open

    assert sum(making.at_once(*[looks] * 4)) > 1


@pytest.mark.parametrize("other", ["release", "check_in", "withdraw"])
def test_against_anything_else_exactly_one_driver_or_none_has_the_block(block, asked, ada, ben, other):
    acts = {
        "release": lambda: claiming.release(block_code=block.code, driver_id=ada.pk, at=LATE),
        "check_in": lambda: attendance.check_in(
            block_code=block.code,
            driver_id=ada.pk,
            point=block.mall.point,
            accuracy_m=5,
            desk_code="",
            at=LATE,
        ),
        "withdraw": lambda: withdrawing.withdraw(
            block_code=block.code, reason="closed", actor=SYSTEM, at=LATE
        ),
    }

    accepted, _done = making.at_once(accept(asked, ben), acts[other])

    assert not [r for r in (accepted, _done) if isinstance(r, Exception) and not hasattr(r, "code")]
    live = list(Claim.objects.live().filter(block=block))
    assert len(live) <= 1
    block.refresh_from_db()
    assert (block.status in {"claimed", "checked_in"}) == bool(live)
    if live:
        block.manifest.refresh_from_db()
        assert block.manifest.driver_id == live[0].driver_id
    if isinstance(accepted, Claim) and other != "withdraw":
        assert live[0].driver_id == ben.pk


def test_two_who_hand_their_blocks_to_each_other_do_not_wait_for_ever(ada, ben):
    """Both transactions need both drivers: by ascending key nobody holds what the other waits for."""
    store = making.store(making.mall("second"))
    hers = making.claimed(making.block([making.order(store)], start=START), ada)
    his = making.claimed(making.block([making.order(store)], start=START + 150 * MINUTE), ben)
    to_ben = handing_over.propose(block_code=hers.code, driver_id=ada.pk, receiver_code=ben.code, at=LATE)
    to_ada = handing_over.propose(block_code=his.code, driver_id=ben.pk, receiver_code=ada.code, at=LATE)

    results = making.at_once(
        lambda: handing_over.accept(code=to_ben.code, driver_id=ben.pk, at=LATE),
        lambda: handing_over.accept(code=to_ada.code, driver_id=ada.pk, at=LATE),
    )

    assert {each.driver_id for each in results} == {ada.pk, ben.pk}
    assert Claim.objects.live().count() == 2
