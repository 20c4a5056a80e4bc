"""What follows from what: the whole system on one page.

Left: the name of a fact. Right: what follows, each under a key that is stored with the fact, so that renaming a
function cannot replay history. Every function takes ``(*, fact, at)`` and runs in one transaction with the note that
it is done.
"""

from __future__ import annotations

from collections.abc import Mapping

from deliveries import charging
from retaildelivery.outbox.recording import Effect

REACTIONS: Mapping[str, Mapping[str, Effect]] = {
    "order.cancelled": {"deliveries.charge": charging.charge},
    "order.delivered": {"deliveries.charge": charging.charge},
    "order.returned": {"deliveries.charge": charging.charge},
}
