"""Every status word of the system as a person reads it: its tone, its icon and its name."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


@dataclass(frozen=True, slots=True)
class Word:
    """How one status is shown. `tone` is a class of the design system: idle, info, go, warn, stop or hi."""

    tone: str
    icon: str
    label: str | Promise


WORDS: dict[str, Word] = {
    # orders
    "placed": Word("idle", "clock", _("placed")),
    "needs_location": Word("warn", "pin", _("needs a location")),
    "planned": Word("info", "calendar", _("planned")),
    "assigned": Word("info", "user", _("assigned")),
    "at_pickup": Word("info", "store", _("driver at the store")),
    "picked_up": Word("info", "car", _("picked up")),
    "en_route": Word("info", "route", _("on its way")),
    "at_dropoff": Word("hi", "door", _("driver at the door")),
    "delivered": Word("go", "check-circle", _("delivered")),
    "cancelled": Word("idle", "x", _("cancelled")),
    "returning": Word("warn", "return", _("coming back")),
    "returned": Word("idle", "return", _("returned")),
    "lost": Word("stop", "alert", _("lost")),
    "disposed": Word("stop", "trash", _("disposed of")),
    # parcels
    "expected": Word("idle", "clock", _("expected")),
    "ready": Word("info", "box", pgettext_lazy("parcel", "ready")),
    "loaded": Word("info", "car", _("with the driver")),
    "short": Word("warn", "alert", _("missing at pickup")),
    "damaged": Word("stop", "alert", _("damaged")),
    "return_due": Word("warn", "return", _("to be returned")),
    # manifests and stops
    "draft": Word("idle", "edit", _("draft")),
    "loading": Word("info", "boxes", _("loading")),
    "on_route": Word("info", "route", _("on route")),
    "completed": Word("go", "check-circle", _("completed")),
    "aborted": Word("stop", "x", _("aborted")),
    "arrived": Word("hi", "pin", _("arrived")),
    "done": Word("go", "check-circle", _("done")),
    "failed": Word("stop", "alert", _("failed")),
    "skipped": Word("idle", "x", _("skipped")),
    "replanned": Word("idle", "refresh", _("planned again")),
    "left_behind": Word("warn", "store", _("left at the store")),
    # money
    "discarded": Word("idle", "x", _("discarded")),
    "waiting": Word("idle", "clock", _("waiting")),
    "dropped": Word("idle", "x", _("dropped")),
    "granted": Word("go", "check-circle", _("granted")),
    "refused": Word("stop", "x", _("refused")),
    "proposed": Word("info", "clock", _("proposed")),
    "posted": Word("go", "check-circle", _("posted")),
    # blocks, offers and claims
    "offered": Word("info", "flag", _("offered")),
    "claimed": Word("info", "user", _("claimed")),
    "checked_in": Word("info", "pin", _("checked in")),
    "working": Word("hi", "route", _("working")),
    "settled": Word("go", "money", _("settled")),
    "expired": Word("stop", "clock", _("expired")),
    "withdrawn": Word("idle", "x", _("withdrawn")),
    "no_show": Word("stop", "alert", _("no-show")),
    "open": Word("info", "flag", pgettext_lazy("offer", "open")),
    "awarded": Word("go", "trophy", _("awarded")),
    "live": Word("info", "user", pgettext_lazy("claim", "live")),
    # places in a draw
    "not_entered": Word("idle", "hand", _("not entered")),
    "entered": Word("info", "hand", _("entered")),
    "reserve": Word("idle", "clock", _("reserve")),
    "confirmed": Word("go", "check-circle", _("confirmed")),
    "lapsed": Word("idle", "clock", _("not confirmed in time")),
    "ineligible": Word("idle", "x", _("not eligible when asked")),
    "offer_ended": Word("idle", "x", _("the offer ended")),
    "released": Word("idle", "return", _("released")),
    "forfeited": Word("stop", "alert", _("released late")),
    # people, documents, standing
    "applied": Word("warn", "clock", _("applied")),
    "approved": Word("go", "check-circle", _("approved")),
    "suspended": Word("stop", "lock", _("suspended")),
    "left": Word("idle", "sign-out", pgettext_lazy("driver", "left")),
    "submitted": Word("warn", "clock", _("submitted")),
    "pending": Word("warn", "clock", _("pending")),
    "accepted": Word("go", "check-circle", _("accepted")),
    "rejected": Word("stop", "x", _("rejected")),
    "valid": Word("go", "check-circle", pgettext_lazy("document", "valid")),
    "missing": Word("stop", "alert", _("missing")),
    "late": Word("warn", "clock", _("late")),
    "handed_over": Word("idle", "hand", _("handed over")),
    "asked": Word("warn", "clock", _("asked")),
    "in_force": Word("stop", "lock", _("in force")),
    "lifted": Word("idle", "check", _("lifted")),
    "declined": Word("idle", "x", _("declined")),
    # messages, webhooks, malls and stores
    "queued": Word("idle", "clock", _("queued")),
    "sending": Word("info", "upload", _("sending")),
    "sent": Word("go", "check", _("sent")),
    "retrying": Word("warn", "refresh", _("trying again")),
    "disabled": Word("stop", "lock", _("switched off")),
    "active": Word("go", "check", pgettext_lazy("state", "active")),
    "inactive": Word("idle", "pause", pgettext_lazy("state", "inactive")),
    "paused": Word("warn", "pause", _("paused")),
    "closed": Word("idle", "lock", _("closed")),
    # scans
    "wrong_stop": Word("stop", "alert", _("not for this stop")),
    "unknown": Word("stop", "alert", _("unknown code")),
    "already": Word("warn", "info", _("scanned before")),
    # tones for words a page makes up itself
    "at_risk": Word("warn", "alert", _("at risk")),
    "on_time": Word("go", "check", _("on time")),
    "overdue": Word("stop", "clock", _("overdue")),
}


def word(status: str) -> Word:
    """The word for a status; one that nobody named yet is shown as it is stored, without its underscores."""
    return WORDS.get(status) or Word("idle", "info", status.replace("_", " "))
