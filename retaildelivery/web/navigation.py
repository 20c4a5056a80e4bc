"""The navigation of each door: which places it has, in which order, and which one the reader is in.

Names of URLs are strings, as ROOT_URLCONF is: this layer knows where a link leads, not the code behind it.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Place:
    """One link. `also` are path prefixes of pages that belong to it though they do not lie below it."""

    key: str
    url_name: str
    label: str | Promise
    icon: str
    also: tuple[str, ...] = ()
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A place as a page shows it."""

    key: str
    href: str
    label: str | Promise
    icon: str
    current: bool


DOORS: dict[str, tuple[Place, ...]] = {
    "store": (
        Place("home", "deliveries:store_home", _("Today"), "home", exact=True),
        Place("orders", "deliveries:store_orders", _("Orders"), "boxes", also=("/store/promises",)),
        Place("new", "deliveries:store_order_new", _("Post an order"), "plus"),
        Place("handover", "deliveries:store_handover", _("Hand over"), "scan"),
        Place("returns", "deliveries:store_returns", _("Returns"), "return"),
        Place(
            "settings", "stores:settings", _("Settings"), "gear", also=("/store/sellers/", "/store/stores/")
        ),
    ),
    "drive": (
        Place(
            "offers",
            "offers:driver_offers",
            _("Offers"),
            "flag",
            also=("/drive/hand-overs/", "/drive/stand-by/"),
        ),
        Place(
            "block",
            "offers:driver_block",
            _("My block"),
            "route",
            also=("/drive/block", "/drive/stops/", "/drive/badge/"),
        ),
        Place("pay", "offers:driver_earnings", _("Pay"), "money"),
        Place(
            "me",
            "drivers:profile",
            _("Me"),
            "user",
            also=("/drive/standing/", "/drive/status/", "/drive/apply/"),
        ),
    ),
    "ops": (
        Place("board", "offers:board", _("Board"), "map", exact=True),
        Place("plan", "offers:ops_plans", _("Plan"), "route"),
        Place("schedule", "offers:ops_schedules", _("Ahead"), "clock"),
        Place("blocks", "offers:ops_blocks", _("Blocks"), "calendar"),
        Place("orders", "deliveries:ops_orders", _("Orders"), "boxes"),
        Place(
            "people", "offers:ops_refusals", _("Drivers"), "users", also=("/ops/stand-bys/", "/ops/drivers/")
        ),
        Place("messages", "deliveries:ops_messages", _("Messages"), "mail"),
        Place(
            "disputes",
            "offers:ops_disputes",
            _("Pay disputes"),
            "money",
            also=("/ops/money/", "/ops/tax/", "/ops/waits/"),
        ),
        Place("admin", "admin:index", _("Admin"), "gear"),
    ),
}


def links(door: str, *, path: str) -> tuple[Link, ...]:
    """The links of a door in order; the one with the longest matching path is current.

    A place that is not mounted in this installation is left out.
    """
    found: list[tuple[Place, str]] = []
    for place in DOORS.get(door, ()):
        try:
            found.append((place, reverse(place.url_name)))
        except NoReverseMatch:
            continue
    here = _deepest(found, path)
    return tuple(Link(place.key, href, place.label, place.icon, place.key == here) for place, href in found)


def _deepest(found: list[tuple[Place, str]], path: str) -> str:
    best, key = 0, ""
    for place, href in found:
        for prefix in (href, *place.also):
            matches = path == href if place.exact and prefix == href else path.startswith(prefix)
            if matches and len(prefix) > best:
                best, key = len(prefix), place.key
    return key
