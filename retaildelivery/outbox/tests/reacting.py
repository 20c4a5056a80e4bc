"""A table of reactions for the tests of the outbox: an effect that would show at once if it were done twice."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from django.db import connection

from retaildelivery.lib import codes
from retaildelivery.outbox.models import Fact, Message
from retaildelivery.outbox.recording import Together


def pay(*, fact: Fact, at: Any) -> None:
    """Adds a row each time it runs: nothing in it guards against a second run."""
    # Long enough for two relays to meet.
    time.sleep(0.05)
    Message.objects.create(
        key=codes.new_token(),
        name="paid",
        to="ada@example.com",
        subject=fact.name,
        text="",
        created_at=at,
        next_attempt_at=at,
    )


def break_halfway(*, fact: Fact, at: Any) -> None:
    pay(fact=fact, at=at)
    raise RuntimeError("broke after its effect")


@Together
def pay_all(*, facts: Sequence[Fact], at: Any) -> None:
    """Adds a row for each; breaks, with the rows before undone, at a fact that says so."""
    for fact in facts:
        if fact.data.get("bad"):
            raise RuntimeError("cannot be paid")
        pay(fact=fact, at=at)


def look_up(*, fact: Fact, at: Any) -> None:
    assert connection.in_atomic_block


REACTIONS = {
    "driver.left": {"tests.pay_all": pay_all},
    "manifest.completed": {"tests.pay": pay},
    "order.lost": {"tests.break": break_halfway, "tests.pay": pay},
}
