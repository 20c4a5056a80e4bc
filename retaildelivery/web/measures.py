"""How distances, codes and times are told to people: on pages, and in the sentences of refusals."""

from __future__ import annotations

from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

_METRES_A_FOOT = 0.3048
_METRES_A_MILE = 1609.344
_WHOLE_MILES_FROM = 99.5  # from here on a tenth tells nobody anything


def near(metres: float) -> str:
    """A way on foot in feet, a longer one in miles: "1,310 ft", "0.9 mi"."""
    if metres >= _METRES_A_MILE / 2:
        return miles(metres)
    return _("%(count)s ft") % {"count": f"{round(metres / _METRES_A_FOOT, -1):,.0f}"}


def miles(metres: float | str | None) -> str:
    """Metres as miles with one decimal, whole from a hundred: "3.2 mi"."""
    if metres is None or metres == "":
        return "–"
    value = float(metres) / _METRES_A_MILE
    return _("%(count)s mi") % {"count": f"{value:.0f}" if value >= _WHOLE_MILES_FROM else f"{value:.1f}"}


def spaced(code: object) -> str:
    """A code in groups of four, which is how people read it aloud: "K7QX 92MD"."""
    text = str(code)
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def _zone(zone: object) -> tzinfo:
    if isinstance(zone, tzinfo):
        return zone
    return ZoneInfo(str(zone)) if zone else timezone.get_current_timezone()


def in_zone(moment: datetime, zone: object) -> datetime:
    return timezone.localtime(moment, _zone(zone))


def clock(moment: datetime | None, zone: object = None) -> str:
    """Time of day in a zone: "2:30 PM"."""
    return "–" if not moment else date_format(in_zone(moment, zone), "g:i A")


def day(moment: datetime | None, zone: object = None) -> str:
    """The date in a zone: "Mon, Nov 23"."""
    return "–" if not moment else date_format(in_zone(moment, zone), _("D, M j"))


def moment(value: datetime | None, zone: object = None) -> str:
    """Date and time in a zone: "Mon, Nov 23, 2:30 PM"."""
    return "–" if not value else f"{day(value, zone)}, {clock(value, zone)}"
