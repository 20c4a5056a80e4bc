"""What follows from what: the whole system on one page.

Left: the name of a fact. Right: what follows, each under a key that is stored with the fact, so that renaming a
function cannot replay history. Every function takes ``(*, fact, at)`` and runs in one transaction with the note that
it is done.
"""

from __future__ import annotations

from collections.abc import Mapping

from deliveries import charging
from offers import claiming, settlement, withdrawing
from offers.planning import waves
from retaildelivery.outbox.recording import Effect

REACTIONS: Mapping[str, Mapping[str, Effect]] = {
    "driver.suspended": {"offers.release": claiming.release_all},
    "manifest.completed": {"offers.settle": settlement.settle},
    "order.cancelled": {
        "deliveries.charge": charging.charge,
        "offers.shrink": withdrawing.follow_cancellation,
    },
    "order.delivered": {"deliveries.charge": charging.charge},
    "order.located": {"offers.plan": waves.consider},
    "order.placed": {"offers.plan": waves.consider},
    "order.ready": {"offers.plan": waves.consider},
    "order.replanned": {"offers.plan": waves.consider},
    "order.returned": {"deliveries.charge": charging.charge},
    "order.tipped": {"offers.tip": settlement.follow_tip},
}
