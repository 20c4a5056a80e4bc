"""A block that operations keep as it is."""

import pytest

from offers import claiming, freezing
from offers.models import Block, Freeze
from offers.tests import making
from offers.tests.making import AT, MINUTE, START
from retaildelivery.accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def olga():
    return User.objects.create(email="olga@example.com", name="Olga", is_staff=True)


@pytest.fixture
def block():
    return making.block([making.order(making.store(making.mall()))])


def test_a_frozen_block_is_left_out_of_what_waves_may_change(block, olga):
    freezing.freeze(block_code=block.code, reason="the driver knows this tower", by=olga, at=AT)
    freezing.freeze(block_code=block.code, reason="again", by=olga, at=AT + MINUTE)

    assert list(Block.objects.frozen()) == [block]
    assert list(Block.objects.unfrozen()) == []
    kept = Freeze.objects.get()
    assert (kept.reason, kept.frozen_by, kept.frozen_at) == ("the driver knows this tower", olga, AT)
    fact = making.facts_named("block.frozen")[0]
    assert (fact.actor, fact.data["reason"]) == (str(olga), "the driver knows this tower")
    assert len(making.facts_named("block.frozen")) == 1
    with pytest.raises(freezing.BlockFrozen):
        freezing.refuse_if_frozen(block)


def test_unfreezing_ends_the_record_and_keeps_it(block, olga):
    freezing.freeze(block_code=block.code, reason="wait", by=olga, at=AT)

    freezing.unfreeze(block_code=block.code, by=olga, at=AT + MINUTE)
    freezing.unfreeze(block_code=block.code, by=olga, at=AT + 2 * MINUTE)

    assert list(Block.objects.unfrozen()) == [block]
    kept = Freeze.objects.get()
    assert (kept.lifted_at, kept.lifted_by) == (AT + MINUTE, olga)
    assert len(making.facts_named("block.unfrozen")) == 1
    freezing.refuse_if_frozen(block)


def test_a_block_whose_driver_has_checked_in_is_not_frozen(block, olga):
    ada = making.driver("Ada")
    claiming.claim(offer_code=making.offer_of(block).code, driver_id=ada.pk, at=AT)
    making.check_in(block, ada, at=START - 5 * MINUTE)

    with pytest.raises(freezing.BlockUnderway):
        freezing.freeze(block_code=block.code, reason="late", by=olga, at=START)

    assert Freeze.objects.count() == 0
    assert making.facts_named("block.frozen") == []
