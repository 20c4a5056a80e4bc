"""Settling at once, again, and by a worker that is killed in the middle of it: paid once, the chain whole."""

import os
import signal
import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, connections, transaction

from deliveries.models import Order
from deliveries.revising import tip
from drivers import ledger, verify_pay
from drivers.models import DriverPosting, StandingEvent
from offers import freshness, guarantees, locks, settlement, terms
from offers.models import Block, FloorFinding
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE, START
from retaildelivery.outbox import recording, relaying
from retaildelivery.outbox.models import Reaction
from retaildelivery.outbox.recording import SYSTEM
from stores import billing
from stores.models import SellerPosting

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]

LATER = START + 2 * HOUR


@pytest.fixture
def ada():
    return making.driver("Ada")


def at_the_last_door(driver, *, raised=()):
    """A block with a wait to be charged, a tip, raised on the way, and a law's floor; what follows from its end is not
    yet relayed."""
    order = making.order(making.store(making.mall()), tip_cents=500)
    making.floor(hour_cents=Decimal(4_000))
    block = making.claimed(making.block([order]), driver)
    making.check_in(block, driver, at=START)
    making.collect(block, driver, arrive=START, handover=START + 22 * MINUTE)
    making.depart(block, driver, at=START + 22 * MINUTE)
    for cents in raised:
        raise_tip(order, cents)
    making.deliver(making.doors_of(block)[0], driver, at=START + 2 * HOUR)
    return block, order


def raise_tip(order, cents):
    tip(order_code=order.code, scope=Order.objects.all(), cents=cents, actor=SYSTEM, at=LATER)


def all_of(block) -> tuple[Any, ...]:
    """Everything that settling writes."""
    block = Block.objects.get(pk=block.pk)
    return (
        block.status,
        sorted(DriverPosting.objects.values_list("kind", "cents")),
        list(SellerPosting.objects.filter(kind="wait").values_list("cents", flat=True)),
        FloorFinding.objects.count(),
        StandingEvent.objects.filter(kind="completed").count(),
        len(making.facts_named("pay.settled")),
    )


WHOLE = ("settled", [("base", 3600), ("floor", 4040), ("tip", 500), ("wait", 360)], [360], 1, 1, 1)


# -- Killed ---------------------------------------------------------------------------------------------------------


def after(module: Any, name: str) -> Callable[[], None]:
    """Makes this process die right after the function has done its work, with no chance to tidy up."""

    def arm() -> None:
        real = getattr(module, name)

        def then_die(*args: Any, **kwargs: Any) -> None:
            real(*args, **kwargs)
            os.kill(os.getpid(), signal.SIGKILL)

        setattr(module, name, then_die)

    return arm


def at_commit() -> None:
    connection.commit = lambda: os.kill(os.getpid(), signal.SIGKILL)


def in_a_worker_that_dies(arm: Callable[[], None], work: Callable[[], Any]) -> None:
    """Run `work` in a process of its own, with connections of its own, that kills itself where `arm` says."""
    connections.close_all()
    child = os.fork()
    if not child:
        arm()
        try:
            work()
        finally:
            # It should have been killed: it does not go on as a second run of the tests.
            os._exit(1)
    _pid, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL


def test_a_worker_killed_anywhere_in_a_settlement_pays_nothing_and_the_next_one_pays_once(ada):
    block, _order = at_the_last_door(ada)
    reaction = Reaction.objects.get(key="offers.settle")
    settle = lambda: relaying.relay(reaction_id=reaction.pk, at=LATER)  # noqa: E731
    before = all_of(block)

    for moment in (
        after(ledger, "post_many"),
        after(billing, "post_all"),
        after(guarantees, "keep_all"),
        after(recording, "record_all"),
        after(freshness, "touch_all"),
        at_commit,
    ):
        in_a_worker_that_dies(moment, settle)
        assert all_of(block) == before

    # It dies after its commit, before it could tell anybody: whoever is sent again finds it done.
    in_a_worker_that_dies(after(connection, "commit"), settle)
    assert all_of(block) == WHOLE
    assert settle() is False
    making.relay_all(at=LATER)
    assert all_of(block) == WHOLE
    assert verify_pay.differences(terms.account_of(ada, at=AT)) == []


# -- At once --------------------------------------------------------------------------------------------------------


def inside(effect, fact):
    def work():
        with transaction.atomic():
            effect(fact=fact, at=LATER)

    return work


def test_settling_and_raising_tips_at_once_and_again_pays_everything_once(ada):
    _block, order = at_the_last_door(ada, raised=[700])
    (completed,) = making.facts_named("manifest.completed")
    raise_tip(order, 1_200)
    tips = making.facts_named("order.tipped")
    works = [inside(settlement.settle, completed), *(inside(settlement.follow_tip, fact) for fact in tips)]

    for _round in range(2):
        assert making.at_once(*works * 2) == [None] * len(works) * 2

    making.relay_all(at=LATER)
    assert sum(DriverPosting.objects.filter(kind="tip").values_list("cents", flat=True)) == 1_200
    assert ledger.balance(ada) == 3600 + 4040 + 360 + 1_200
    assert verify_pay.differences(terms.account_of(ada, at=AT)) == []


def test_without_the_blocks_lock_a_tip_raised_twice_is_paid_twice(ada, monkeypatch):
    """The control: both see that the first tip alone is paid, and both pay the rest."""
    _block, order = at_the_last_door(ada, raised=[700])
    making.relay_all(at=LATER)
    raise_tip(order, 1_200)
    tips = making.facts_named("order.tipped")
    both_have_looked = threading.Barrier(len(tips))
    post = ledger.post

    def unlocked(code):
        return Block.objects.select_related("mall__market", "manifest", "policy").get(code=code)

    def wait_and_post(**line):
        both_have_looked.wait(timeout=30)
        return post(**line)

    monkeypatch.setattr(locks, "block", unlocked)
    monkeypatch.setattr(ledger, "post", wait_and_post)

    assert making.at_once(*(inside(settlement.follow_tip, fact) for fact in tips)) == [None] * len(tips)

    assert sum(DriverPosting.objects.filter(kind="tip").values_list("cents", flat=True)) == 700 + 2 * 500
