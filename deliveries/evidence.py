"""When and where something was done, by the phone's clock and by ours. The server's clock decides; the
phone's is kept."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from deliveries import limits
from retaildelivery.lib.geo import Point, crow_m
from retaildelivery.lib.refusals import Refused


class EventTooOld(Refused):
    """A phone was without signal for longer than its word is taken."""

    code: ClassVar[str] = "event_too_old"
    sentence: ClassVar[object] = _("This happened too long ago to be entered by phone. Tell operations.")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a phone says with an event; `client_event_id` makes a repeat harmless."""

    client_event_id: str
    device_at: dt.datetime
    latitude: float | None = None
    longitude: float | None = None
    accuracy_m: int | None = None

    @property
    def point(self) -> Point | None:
        if self.latitude is None or self.longitude is None:
            return None
        return Point(self.latitude, self.longitude)

    def row(self, at: dt.datetime) -> dict[str, Any]:
        """The columns of a row that keeps it."""
        return {
            "client_event_id": self.client_event_id[:64],
            "device_at": self.device_at,
            "at": at,
            "latitude": None if self.latitude is None else Decimal(str(round(self.latitude, 6))),
            "longitude": None if self.longitude is None else Decimal(str(round(self.longitude, 6))),
            "accuracy_m": self.accuracy_m,
        }

    def off_by_m(self, place: Point) -> int | None:
        """How far the phone was from a place, if it knew."""
        return None if self.point is None else crow_m(self.point, place)


def refuse_if_stale(evidence: Evidence, *, at: dt.datetime) -> None:
    """Raises EventTooOld. A clock that is fast is no reason to refuse: it is only kept."""
    if evidence.device_at < at - limits.LATE_EVENT:
        raise EventTooOld
