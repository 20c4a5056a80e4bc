"""An order's facts as sentences a person reads, in their language."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from deliveries import limits
from deliveries.models import Attempt, Incident, Order
from retaildelivery.outbox.models import Fact

SENTENCES: dict[str, str] = {
    "order.placed": gettext_noop("Posted"),
    "order.located": gettext_noop("The door was found on the map"),
    "order.updated": gettext_noop("Changed"),
    "order.ready": gettext_noop("Packed"),
    "order.planned": gettext_noop("Planned into a block"),
    "order.replanned": gettext_noop("Taken off the block, to be planned again"),
    "order.assigned": gettext_noop("A driver has taken it"),
    "order.at_pickup": gettext_noop("The driver is at the store"),
    "order.picked_up": gettext_noop("Handed over to the driver"),
    "order.en_route": gettext_noop("On its way"),
    "order.near": gettext_noop("The driver is near"),
    "order.at_dropoff": gettext_noop("The driver is at the door"),
    "order.delivered": gettext_noop("Delivered"),
    "order.attempt_failed": gettext_noop("Could not be delivered"),
    "order.returning": gettext_noop("Coming back to the store"),
    "order.returned": gettext_noop("Back at the store"),
    "order.cancelled": gettext_noop("Cancelled"),
    "order.lost": gettext_noop("Lost"),
    "order.disposed": gettext_noop("Disposed of"),
    "order.instructed": gettext_noop("The recipient left a note"),
    "order.tipped": gettext_noop("Tip changed"),
    "parcel.scanned": gettext_noop("Parcel scanned"),
    "parcel.short": gettext_noop("Parcel missing at pickup"),
    "parcel.damaged": gettext_noop("Parcel damaged"),
    "proof.refused": gettext_noop("Proof was not accepted"),
    "incident.reported": gettext_noop("Something was reported"),
    "order.reassigned": gettext_noop("Moved to another driver"),
    "parcel.handed_over": gettext_noop("Parcel passed to another driver"),
    "parcel.scan_refused": gettext_noop("A scan was not accepted"),
    "handover.confirmed": gettext_noop("Handed over, confirmed by the store"),
    "handover.refused": gettext_noop("The hand-over was not confirmed"),
    "handover.proved": gettext_noop("Proof kept at the counter"),
    "stop.arrived": gettext_noop("The driver has arrived"),
    "stop.delivered": gettext_noop("Everything at this door was delivered"),
    "stop.failed": gettext_noop("Nothing could be delivered at this door"),
    "manifest.assigned": gettext_noop("The load has a driver"),
    "manifest.unassigned": gettext_noop("The load has no driver any more"),
    "manifest.departed": gettext_noop("The driver left for the doors"),
    "manifest.reloading": gettext_noop("The driver goes on to load the next trip"),
    "manifest.completed": gettext_noop("All stops are done"),
    "manifest.aborted": gettext_noop("The round was broken off"),
    "manifest.stopped": gettext_noop("The round was stopped"),
    "manifest.redrawn": gettext_noop("The stops were drawn up anew"),
    "manifest.resequenced": gettext_noop("The stops are in another order"),
    "manifest.order_kept": gettext_noop("The driver keeps the order of the stops"),
}
BAD = frozenset(
    {
        "order.attempt_failed", "order.cancelled", "order.lost", "order.disposed", "parcel.short",
        "parcel.damaged", "proof.refused", "incident.reported",
    }
)  # fmt: skip
# What the recipient is told; how often a label was scanned is the store's affair.
FOR_RECIPIENT = frozenset(
    {
        "order.placed", "order.assigned", "order.picked_up", "order.en_route", "order.near",
        "order.at_dropoff", "order.delivered", "order.attempt_failed", "order.returned", "order.cancelled",
        "order.instructed",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline. `tone` is the class of the page's list item."""

    name: str
    sentence: str
    at: dt.datetime
    detail: str
    tone: str


def entries(order: Order, *, names: frozenset[str] | None = None) -> list[Entry]:
    """What happened to the order, oldest first; only these facts when `names` are given."""
    facts = Fact.objects.about(f"order:{order.code}").oldest_first()
    if names is not None:
        facts = facts.filter(name__in=names)
    found = [_entry(fact) for fact in facts[: limits.PAGE * 4]]
    return [*found[:-1], _latest(found[-1], order)] if found else []


def sentence_of(name: str) -> str:
    """What a fact of this name says; one without a sentence is called by its name."""
    known = SENTENCES.get(name)
    return _(known) if known else name


def _entry(fact: Fact) -> Entry:
    return Entry(
        fact.name,
        sentence_of(fact.name),
        fact.at,
        _detail(fact.data),
        "is-bad" if fact.name in BAD else "is-done",
    )


def _latest(entry: Entry, order: Order) -> Entry:
    if order.has_ended or entry.tone == "is-bad":
        return entry
    return Entry(entry.name, entry.sentence, entry.at, entry.detail, "is-now")


def reason_of(data: dict[str, Any]) -> str:
    """Why it happened, in words: what people wrote as they wrote it; "" where nothing is said."""
    kind = data.get("kind", "")
    reason = str(data.get("reason") or (kind if kind in Incident.Kind.values else ""))
    return str(
        _reasons().get(reason, reason.replace("_", " ") if reason.islower() and "_" in reason else reason)
    )


def _reasons() -> dict[str, Any]:
    return {
        **dict(Attempt.Reason.choices),
        **dict(Order.CancelReason.choices),
        **dict(Incident.Kind.choices),
        "wrong_pin": _("wrong PIN"),
    }


def _detail(data: dict[str, Any]) -> str:
    reason = data.get("reason") or data.get("kind") or ""
    said = [data.get(name, "") for name in ("parcel", "entered", "note")]
    parts = [str(_reasons().get(reason, "")), *(str(text) for text in said)]
    return " · ".join(part for part in parts if part)
