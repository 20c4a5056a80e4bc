"""What a driver is told about changes of a block they hold."""

from __future__ import annotations

import datetime as dt

from deliveries.snapshots import courier
from offers import relieving, telling
from offers.models import Block, Claim
from retaildelivery.outbox.models import Fact


def tell_driver(*, fact: Fact, at: dt.datetime) -> None:
    """Reaction to orders that joined or left a block: whoever holds it is told, once, while they still do."""
    claim = (
        Claim.objects.live()  # type: ignore[attr-defined]
        .filter(block__code=fact.data["block"]["code"], driver__code__in=telling.drivers_of(fact))
        .select_related("block__mall__market", "driver__user")
        .first()
    )
    if claim is not None:
        telling.tell(
            claim.driver,
            fact.name.replace(".", "_"),
            key=f"{fact.code}:driver",
            block=claim.block,
            path=f"/drive/blocks/{claim.block.code}/",
            at=at,
            added=len(fact.data.get("added", [])),
            removed=len(fact.data.get("removed", [])),
            stops=len(fact.data.get("stops", [])),
            reason=fact.data.get("reason", ""),
            orders=fact.data["block"]["orders"],
            doors=fact.data["block"]["doors"],
        )


def tell_giver(*, fact: Fact, at: dt.datetime) -> None:
    """Reaction to a driver who takes over and was found (`block.relief_found`) or has come (`block.checked_in`): who
    hands over reads who it is and what to do, while that is still so."""
    name, status, code = {
        "block.relief_found": ("block_relief_coming", Block.Status.CLAIMED, fact.data.get("relief")),
        "block.checked_in": ("block_relief_here", Block.Status.CHECKED_IN, fact.data["block"]["code"]),
    }[fact.name]
    block = (
        Block.objects.live()  # type: ignore[attr-defined]
        .filter(code=code, status=status)
        .select_related("mall__market", "manifest__driver__user")
        .first()
    )
    if block is None or block.manifest is None or not block.is_relief:
        return
    first, who = relieving.first_of(block), courier(block.manifest.driver)
    if first is None or first.manifest is None or first.manifest.driver is None or who is None:
        return
    telling.tell(
        first.manifest.driver,
        name,
        key=f"{fact.code}:giver",
        block=block,
        path="/drive/block/",
        until=block.ends_at,
        moment=block.starts_at,
        at=at,
        driver=who["first_name"],
        car=who["vehicle"],
        plate=who["plate"],
        yours=first.code,
    )
