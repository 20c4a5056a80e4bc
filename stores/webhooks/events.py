"""The events an endpoint may ask for: the names of the facts that are in a seller's feed.

Facts are recorded by the apps above, so here they are only names, as in the table of reactions.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from retaildelivery.outbox.models import Fact

TEST = "endpoint.test"

EVENTS: dict[str, Promise] = {
    "order.placed": _("The order was posted."),
    "order.located": _("The door's place on the map was set."),
    "order.updated": _("Something of the order was changed."),
    "order.ready": _("The store has packed the parcels."),
    "order.planned": _("The order is on a block that drivers can see."),
    "order.assigned": _("A driver has the order."),
    "order.reassigned": _("Another driver has taken the order over on the way."),
    "order.at_pickup": _("The driver is at the store."),
    "order.picked_up": _("The driver has the parcels."),
    "order.en_route": _("The driver has left the mall."),
    "order.near": _("The driver is near the door."),
    "order.at_dropoff": _("The driver is at the door."),
    "order.delivered": _("The order was delivered."),
    "order.attempt_failed": _("An attempt at the door failed; `reason` says why."),
    "order.returning": _("The order is on its way back."),
    "order.returned": _("The store has the order back."),
    "order.cancelled": _("The order was cancelled."),
    "order.replanned": _("The order was taken off a block and is planned again."),
    "order.lost": _("The order was lost."),
    "order.disposed": _("The order was disposed of."),
    "order.instructed": _("The recipient left a note for the driver."),
    "order.tipped": _("The tip was changed."),
    "parcel.damaged": _("A parcel was damaged at your counter and stays there; `parcel` says which."),
    "parcel.short": _("A parcel was missing at pickup; `parcel` says which, `reason` why."),
    "parcel.scan_refused": _(
        "A wrong label was read where this order is due; `entered` says which, `outcome` why."
    ),
    "proof.refused": _("A wrong PIN was entered at the door; `tries_left` says how many more there are."),
}


def moment(at: dt.datetime) -> str:
    """RFC 3339 in UTC to the millisecond."""
    return at.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def event(fact: Fact) -> dict[str, Any]:
    """A fact as a seller reads it: the same in a webhook and in the feed."""
    return {
        "type": fact.name,
        "id": fact.code,
        "timestamp": moment(fact.at),
        "sequence": fact.sequence,
        "live_mode": fact.live_mode,
        "data": fact.data,
    }


def as_text(content: dict[str, Any]) -> str:
    """The JSON that is kept, signed and sent."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))
