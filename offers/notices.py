"""What a driver is told about changes of a block they hold."""

from __future__ import annotations

import datetime as dt

from offers import telling
from offers.models import Claim
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
