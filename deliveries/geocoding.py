"""Where a door is: asked of the addresses we know, then of a geocoder if one is configured.

Network I/O: called before the transaction of a verb, never inside one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from geopy.exc import GeopyError
from geopy.geocoders import get_geocoder_for_service
from geopy.location import Location

from deliveries import limits
from deliveries.drafts import AddressDraft
from deliveries.models import KnownAddress, Order
from retaildelivery.lib.geo import Point

log = structlog.get_logger(__name__)

# https://pe.usps.com/text/pub28/28apc_002.htm, the few that people write both ways most
SPELLINGS = {
    "avenue": "ave", "boulevard": "blvd", "circle": "cir", "court": "ct", "drive": "dr", "east": "e",
    "highway": "hwy", "lane": "ln", "north": "n", "parkway": "pkwy", "place": "pl", "road": "rd",
    "south": "s", "street": "st", "terrace": "ter", "trail": "trl", "west": "w",
}  # fmt: skip


# As every provider for the United States can be asked to write it.
WRITTEN = re.compile(
    r"^(?P<line1>[^,]+), (?P<city>[^,]+), (?P<region>[A-Z]{2}),? (?P<postal_code>\d{5}(-\d{4})?)", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Located:
    """A place and who told it: ``known`` addresses or a ``geocoder``."""

    point: Point
    source: str


def key_of(line1: str, postal_code: str) -> str:
    """Normalised first line and five digits of the ZIP: the same for "12 Elm Street" and "12 elm st."."""
    words = re.sub(r"[^\w\s#/-]", " ", line1.lower()).split()
    return " ".join(SPELLINGS.get(word, word) for word in words)[:180] + "|" + postal_code.strip()[:5]


def locate(address: AddressDraft) -> Located | None:
    """The place of an address, or None when nobody knows: then a person drops a pin."""
    # Durable: inside anybody's transaction this fails, for what follows may be a call over the network.
    with transaction.atomic(durable=True):
        key = key_of(address.line1, address.postal_code)
        known = KnownAddress.objects.filter(key=key).order_by("pk").first()
    if known is not None:
        return Located(Point(float(known.latitude), float(known.longitude)), "known")
    if not settings.GEOCODER:
        return None
    return _asked(address)


def known_all(addresses: Iterable[AddressDraft]) -> dict[str, Point]:
    """The places that we know of these addresses, by `key_of`, in one query. No geocoder is asked."""
    keys = {key_of(address.line1, address.postal_code) for address in addresses}
    return {
        place.key: Point(float(place.latitude), float(place.longitude))
        for place in (KnownAddress.objects.filter(key__in=keys) if keys else ())
    }


def _asked(address: AddressDraft) -> Located | None:
    query = f"{address.line1}, {address.city}, {address.region} {address.postal_code}, {address.country}"
    try:
        found = _geocoder().geocode(query, exactly_one=True)
        if not isinstance(found, Location):
            return None
        return Located(Point(found.latitude, found.longitude), "geocoder")
    except (GeopyError, OSError, ValueError) as failure:
        log.warning("geocoding.failed", geocoder=settings.GEOCODER, reason=str(failure)[:200])
        return None


def suggest(text: str) -> list[tuple[dict[str, str], Point]]:
    """Addresses that a geocoder takes this for, as parts; none without a geocoder. Network: not in a transaction."""
    if not settings.GEOCODER:
        return []
    try:
        found = _geocoder().geocode(text, exactly_one=False, limit=limits.ADDRESSES)
    except (GeopyError, OSError, ValueError, TypeError) as failure:
        log.warning("geocoding.failed", geocoder=settings.GEOCODER, reason=str(failure)[:200])
        return []
    return [
        (parts, Point(place.latitude, place.longitude))
        for place in (found or [])[: limits.ADDRESSES]
        if isinstance(place, Location) and (parts := _parts(place.address)) is not None
    ]


def _parts(text: str) -> dict[str, str] | None:
    """`2212 Alta Drive, Las Vegas, NV 89107, USA` in its parts; None for what is not written so."""
    found = WRITTEN.search(text)
    return found.groupdict() if found else None


def _geocoder() -> Any:
    """The provider named by the GEOCODER setting, by geopy's name for it: nominatim, opencage, here, mapbox, …"""
    options: dict[str, Any] = {"timeout": limits.GEOCODER_TIMEOUT_S}
    if settings.GEOCODER == "nominatim":
        # Its policy wants to know who asks: https://operations.osmfoundation.org/policies/nominatim/
        options["user_agent"] = f"retaildelivery ({settings.BASE_URL})"
        if settings.GEOCODER_DOMAIN:
            options["domain"] = settings.GEOCODER_DOMAIN
    elif settings.GEOCODER_KEY:
        options["api_key"] = settings.GEOCODER_KEY
    return get_geocoder_for_service(settings.GEOCODER)(**options)


def remember(order: Order, *, source: str) -> None:
    """Keep where this door is, so that it is asked or pinned once. A later pin corrects an earlier place."""
    if order.latitude is None or order.longitude is None or not order.live_mode:
        return
    KnownAddress.objects.update_or_create(
        key=key_of(order.address_line1, order.postal_code),
        defaults={
            "latitude": Decimal(order.latitude),
            "longitude": Decimal(order.longitude),
            "source": source,
        },
    )
