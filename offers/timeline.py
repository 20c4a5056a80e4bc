"""A block's facts as operations read them."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from deliveries import timeline

SENTENCES: dict[str, str] = {
    "award.made": gettext_noop("Kept for the driver who was drawn"),
    "award.declined": gettext_noop("The driver who was drawn declined"),
    "award.lapsed": gettext_noop("Nobody answered in the time it was kept"),
    "award.ineligible": gettext_noop("The driver who was drawn may no longer have it"),
    "block.aborted": gettext_noop("Broken off on the way"),
    "block.checked_in": gettext_noop("Checked in"),
    "block.claimed": gettext_noop("A driver claimed it"),
    "block.completed": gettext_noop("Completed"),
    "block.departed": gettext_noop("Left for the doors"),
    "block.expired": gettext_noop("Ended without a driver"),
    "block.extended": gettext_noop("Late orders came along"),
    "block.forfeited": gettext_noop("Given back too late"),
    "block.frozen": gettext_noop("Frozen"),
    "block.hand_over_declined": gettext_noop("The hand-over was declined"),
    "block.hand_over_proposed": gettext_noop("A hand-over was proposed"),
    "block.hand_over_taken_back": gettext_noop("The hand-over was taken back"),
    "block.handed_over": gettext_noop("Handed over to another driver"),
    "block.no_show": gettext_noop("The driver did not come"),
    "block.published": gettext_noop("Published"),
    "block.rearranged": gettext_noop("Orders were moved by hand"),
    "block.released": gettext_noop("Given back in time"),
    "block.relief_asked": gettext_noop("The driver asks that stops are taken over"),
    "block.relief_declined": gettext_noop("The request to take stops over was declined"),
    "block.relief_found": gettext_noop("Somebody was found who takes over"),
    "block.relief_granted": gettext_noop("The request to take stops over was granted"),
    "block.relief_opened": gettext_noop("Somebody is sought who takes over"),
    "block.relief_taken_back": gettext_noop("The request to take stops over was taken back"),
    "block.replanned": gettext_noop("Planned again"),
    "block.repriced": gettext_noop("The price went up a step"),
    "block.running_late": gettext_noop("Running late"),
    "block.split": gettext_noop("Split"),
    "block.stand_by_asked": gettext_noop("A stand-by was asked"),
    "block.stood_down": gettext_noop("Stood down and paid"),
    "block.unfrozen": gettext_noop("Open to changes again"),
    "block.withdrawn": gettext_noop("Withdrawn"),
    "contest.granted": gettext_noop("A wait was not the store's fault: its charge was given back"),
    "contest.opened": gettext_noop("A store contests what it was charged for a wait"),
    "contest.overdue": gettext_noop("A contested charge waits too long for an answer"),
    "contest.refused": gettext_noop("A wait was the store's fault: its charge stands"),
    "contest.withdrawn": gettext_noop("A store no longer contests a charge"),
    "dispute.granted": gettext_noop("A driver was right about a line of pay"),
    "dispute.opened": gettext_noop("A driver objects to a line of pay"),
    "dispute.overdue": gettext_noop("A driver's objection waits too long for an answer"),
    "dispute.refused": gettext_noop("A disputed line of pay stands"),
    "dispute.withdrawn": gettext_noop("A driver no longer objects to a line of pay"),
    "draw.drawn": gettext_noop("Drawn"),
    "pay.settled": gettext_noop("Settled"),
}


def sentence_of(name: str) -> str:
    """What a fact of this name says, of the block or of what its driver carried."""
    known = SENTENCES.get(name)
    return _(known) if known else timeline.sentence_of(name)


REASONS: dict[str, str] = {
    "given_back_too_late": gettext_noop("given back too late for another driver"),
    "no_orders_left": gettext_noop("no orders left"),
    "no_show": gettext_noop("the driver did not come"),
    "nothing_left_to_take_over": gettext_noop("nothing left to take over"),
    "unclaimed": gettext_noop("nobody claimed it"),
}


def reason_of(data: dict[str, Any]) -> str:
    """Why it happened, in words; "" where nothing is said."""
    known = REASONS.get(str(data.get("reason", "")))
    return _(known) if known else timeline.reason_of(data)
