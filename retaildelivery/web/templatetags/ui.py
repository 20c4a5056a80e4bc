"""How values look on a page: money, distances, times in a mall's zone, badges, icons, and the live region."""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.conf import settings
from django.template.context import Context
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from retaildelivery.lib.money import format_cents
from retaildelivery.web import navigation, words
from retaildelivery.web.measures import clock, day, in_zone, miles, moment, near, spaced

register = template.Library()
for told in (clock, day, miles, moment, near, spaced):
    register.filter(told)

_GRAMS_A_POUND = 453.59237
# From here on a minute tells nobody anything.
_MINUTES_UNTIL = 90
_HOURS_UNTIL_MINUTES = 36 * 60
_MINUTE = 60
_WAYS = {"arrow-left", "arrow-right", "chevron-left", "chevron-right", "sign-out", "return"}


# -- money, distances, weights, codes


@register.filter
def money(cents: int | str | None, currency: str = "USD") -> str:
    """1850 is "$18.50"; nothing at all is a dash."""
    return "–" if cents is None or cents == "" else format_cents(int(cents), currency).replace("-", "−")


@register.filter
def money_signed(cents: int | None) -> str:
    """As `money`, with a plus in front of what is gained: "+$2.00", "−$2.00", "$0.00"."""
    return f"+{money(cents)}" if cents and cents > 0 else money(cents)


@register.filter
def minus(points: int | str) -> str:
    """A sum of points with the minus of typography: "3", "−2"."""
    return str(points).replace("-", "−")


@register.filter
def signed(points: int) -> str:
    """Points that count for or against somebody: "+1", "−2"."""
    return minus(f"{points:+d}")


@register.simple_tag
def figure(cents: int, note: str = "") -> SafeString:
    """A big amount with small cents, read out as one amount, and a line of explanation below it."""
    whole, _dot, rest = format_cents(int(cents)).replace("-", "−").rpartition(".")
    return format_html(
        '<span class="figure"><b><span aria-hidden="true">{}<small>.{}</small></span>'
        '<span class="sr-only">{}</span></b>{}</span>',
        whole,
        rest,
        money(cents),
        format_html("<span>{}</span>", note) if note else "",
    )


@register.filter
def pounds(grams: float | str | None) -> str:
    """Grams as pounds with one decimal: "4.4 lb"."""
    return (
        "–"
        if grams is None or grams == ""
        else _("%(count)s lb") % {"count": f"{float(grams) / _GRAMS_A_POUND:.1f}"}
    )


@register.filter
def percent(share: float | None) -> str:
    """A share from 0 to 1 in whole percent: "87%"."""
    return "–" if share is None else _("%(count)s%%") % {"count": f"{share * 100:.0f}"}


@register.simple_tag
def pin(digits: object) -> SafeString:
    """A PIN as separate big digits, spoken one by one."""
    text = str(digits)
    cells = format_html_join("", "<span>{}</span>", ((digit,) for digit in text))
    return format_html(
        '<span class="sr-only">{}</span><span class="pin" aria-hidden="true">{}</span>',
        " ".join(text),
        cells,
    )


# -- time


@register.filter
def dated_clock(value: datetime | None, zone: object = None) -> str:
    """Time of day, with its day before it when that is not today: "Fri 27, 2:30 PM"."""
    if not value:
        return "–"
    local = in_zone(value, zone)
    today = local.date() == in_zone(timezone.now(), zone).date()
    return clock(value, zone) if today else f"{date_format(local, 'D j')}, {clock(value, zone)}"


def _ends(window_: Any) -> tuple[datetime, datetime]:
    if hasattr(window_, "lower"):
        return window_.lower, window_.upper
    return window_.start, window_.end


@register.filter
def window(value: Any, zone: object = None) -> str:
    """From and to on one line: "2:00–4:00 PM"; the half of the day is said once if both ends share it."""
    if not value:
        return "–"
    start, end = (in_zone(each, zone) for each in _ends(value))
    same_half = start.date() == end.date() and start.hour // 12 == end.hour // 12
    return f"{date_format(start, 'g:i' if same_half else 'g:i A')}–{date_format(end, 'g:i A')}"


@register.filter
def dated_window(value: Any, zone: object = None) -> str:
    """The same, with its day before it when that is not today: "Fri 27, 2:00–4:00 PM"."""
    if not value:
        return "–"
    start = in_zone(next(iter(_ends(value))), zone)
    if start.date() == in_zone(timezone.now(), zone).date():
        return window(value, zone)
    return f"{date_format(start, 'D j')}, {window(value, zone)}"


@register.filter
def duration(value: timedelta | None) -> str:
    """Hours and minutes: "2 h 15 min"; below a minute, seconds."""
    if value is None or value == "":
        return "–"
    seconds = int(abs(value).total_seconds())
    sign = "−" if value < timedelta(0) else ""
    if seconds < _MINUTE:
        return sign + _("%(count)d s") % {"count": seconds}
    hours, minutes = divmod(seconds // 60, 60)
    parts = []
    if hours:
        parts.append(_("%(count)d h") % {"count": hours})
    if minutes:
        parts.append(_("%(count)d min") % {"count": minutes})
    return sign + " ".join(parts)


@register.filter
def hours(value: timedelta | None) -> str:
    """Hours to a tenth, as rules speak of them: "9.5", "40"."""
    return "–" if value is None else f"{value / timedelta(hours=1):.1f}".removesuffix(".0")


def _relative(difference: timedelta) -> str:
    past = difference < timedelta(0)
    minutes = int(abs(difference).total_seconds() // 60)
    if minutes < 1:
        return _("just now") if past else _("in a moment")
    if minutes < _MINUTES_UNTIL:
        text = ngettext("%(count)d min", "%(count)d min", minutes) % {"count": minutes}
    elif minutes < _HOURS_UNTIL_MINUTES:
        text = _("%(count)d h") % {"count": round(minutes / 60)}
    else:
        days = round(minutes / (24 * 60))
        text = ngettext("%(count)d day", "%(count)d days", days) % {"count": days}
    return (_("%(time)s ago") if past else _("in %(time)s")) % {"time": text}


@register.simple_tag
def ago(value: datetime | None, zone: object = None) -> SafeString | str:
    """How long ago, or until when ("in 12 min"), the full moment on hover; the script keeps it true."""
    if not value:
        return "–"
    return format_html(
        '<time datetime="{}" title="{}" data-ago>{}</time>',
        value.isoformat(),
        moment(value, zone),
        _relative(value - timezone.now()),
    )


@register.simple_tag
def countdown(value: datetime | None) -> SafeString | str:
    """Time left until a moment, ticking where there is script; the bare time left where there is none."""
    if not value:
        return "–"
    left = max(value - timezone.now(), timedelta(0))
    return format_html(
        '<time class="num" datetime="{}" data-countdown>{}</time>', value.isoformat(), duration(left)
    )


# -- icons, badges, navigation


@register.simple_tag
def icon(name: str, label: str | Promise = "") -> SafeString:
    """One drawing of the sprite. With a label it is an image with that name, without one it is decoration."""
    way = " is-way" if name in _WAYS else ""
    naming = (
        format_html('role="img" aria-label="{}"', label)
        if label
        else SafeString('aria-hidden="true" focusable="false"')
    )
    return format_html(
        '<svg class="icon{}" {}><use href="{}#{}"></use></svg>', way, naming, static("icons.svg"), name
    )


@register.simple_tag
def status(value: object, label: str | Promise = "", tone: str = "") -> SafeString:
    """The badge of a status word: tone, icon and translated name."""
    shown = words.word(str(value))
    return format_html(
        '<span class="badge is-{}" data-status="{}">{}<span>{}</span></span>',
        tone or shown.tone,
        value,
        icon(shown.icon),
        label or shown.label,
    )


@register.filter
def status_word(value: object) -> str:
    """The translated name of a status, for running text."""
    return str(words.word(str(value)).label)


@register.inclusion_tag("_nav.html", takes_context=True)
def nav(context: Context, door: str) -> dict[str, Any]:
    """The links of a door; the one the address lies below is current."""
    return {"links": _links(context, door)}


@register.inclusion_tag("_tabbar.html", takes_context=True)
def tabbar(context: Context, door: str) -> dict[str, Any]:
    """The same links as a bar at the bottom of a phone."""
    return {"links": _links(context, door)}


def _links(context: Context, door: str) -> tuple[navigation.Link, ...]:
    request = context.get("request")
    return navigation.links(door, path=request.path if request else "")


# -- what the scripts read


@register.simple_tag
def poll(url: str, every: int = 5) -> SafeString:
    """The attributes that keep an element live: asked for every few seconds, swapped only when changed."""
    return format_html(
        'data-poll="{}" hx-get="{}" hx-trigger="every {}s, rd:refresh" hx-target="this" hx-swap="outerHTML"',
        every,
        url,
        every,
    )


@register.simple_tag
def client_event() -> SafeString:
    """The two hidden inputs that make a driver's action harmless to repeat and true to when it happened."""
    return format_html(
        '<input type="hidden" name="client_event_id" value="{}">'
        '<input type="hidden" name="device_at" value="" data-device-at>',
        uuid.uuid4(),
    )


@register.simple_tag
def script_settings() -> SafeString:
    """Where the parts of the front end lie, and the words the scripts speak, as JSON in the page."""
    names = ("map", "scanner", "signature", "photo", "position", "offline", "plan", "push", "hold")
    body = {
        "modules": {name: static(f"js/{name}.js") for name in names},
        "leaflet": static("vendor/leaflet/leaflet.min.js"),
        "leafletCss": static("vendor/leaflet/leaflet.css"),
        "zxing": static("vendor/zxing/zxing.min.js"),
        "icons": static("icons.svg"),
        "tiles": getattr(settings, "MAP_TILE_URL", ""),
        "tilesCredit": getattr(settings, "MAP_ATTRIBUTION", "© OpenStreetMap contributors"),
        "words": _spoken(),
    }
    # The same escapes as json_script: the text may hold no tag that ends the script element.
    text = json.dumps(body).replace("<", "\\u003C").replace(">", "\\u003E").replace("&", "\\u0026")
    return format_html('<script id="rd-settings" type="application/json">{}</script>', SafeString(text))


def _spoken() -> dict[str, str]:
    return {
        "yes": _("Yes, go on"),
        "drag": _("Drag onto another block"),
        "copied": _("Copied"),
        "updated": _("Updated %s ago"),
        "notLive": _("Not live: no answer for %s"),
        "failed": _("That did not work: the server did not answer. Try again."),
        "ago": _("%s ago"),
        "in": _("in %s"),
        "now": _("just now"),
        "soon": _("in a moment"),
        "minutes": _("%s min"),
        "hours": _("%s h"),
        "days": _("%s days"),
        "waitingOne": _("1 action waiting for signal"),
        "waiting": _("%s actions waiting for signal"),
        "lastSeen": _("No signal. This page is as last seen at %s."),
        "reload": _("Try again"),
        "sendNow": _("Send now"),
        "kept": _("Kept on this phone. It is sent as soon as there is signal."),
        "refused": _("Refused: %s"),
        "dismiss": _("Dismiss"),
        "signIn": _("Sign in again, and what waits on this phone is sent."),
        "cameraOff": _("The camera is not available. Type the code."),
        "cameraStart": _("Scan with the camera"),
        "cameraStop": _("Stop the camera"),
        "read": _("Read: %s"),
        "photoTooOdd": _("This file is not a picture the phone can read."),
        "sharing": _("Your position is shared while you are on this block."),
        "notSharing": _("Your position is not shared: the phone does not allow it."),
        "pinAt": _("Pin at %s"),
        "you": _("You are here"),
    }
