"""Is this an address, where is it, and what did they mean by its beginning."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from deliveries import drafts, geocoding, limits
from deliveries.drafts import AddressDraft, FieldError
from deliveries.models.order import OrderQuerySet
from retaildelivery.lib.geo import Point, crow_m
from stores.models import Mall


@dataclass(frozen=True, slots=True)
class Judged:
    """An address as it would be kept, and what is wrong with it."""

    address: AddressDraft
    errors: list[FieldError]


def judge(address: AddressDraft, *, mall: Mall | None) -> Judged:
    """Check an address and find its place. May ask a geocoder, so it is not for a transaction."""
    address = drafts.tidy_address(address)
    errors = list(drafts.address_errors(address, mall))
    found = geocoding.locate(replace(address, point=None)) if not errors else None
    if address.point is None and found is not None:
        address = replace(address, point=found.point, located_by=found.source)
        errors += list(drafts.distance_errors(address, mall))
    elif address.point is not None and found is not None:
        off = crow_m(address.point, found.point)
        if off > limits.PIN_OFF_M:
            errors.append(
                FieldError(
                    "address",
                    "too_far_from_pin",
                    _("The pin is %(metres)d m from where this address is known to be.") % {"metres": off},
                )
            )
    elif address.point is None and not errors:
        errors.append(FieldError("address", "location_unknown", _("Nobody knows where this is. Drop a pin.")))
    return Judged(address, errors)


def complete(text: str, *, orders: OrderQuerySet) -> list[AddressDraft]:
    """What this beginning of an address may stand for: doors these orders went to, then what a geocoder knows."""
    newest = orders.order_by("-placed_at", "-pk").values("pk")[: limits.ADDRESSES_LOOKED_AT]
    rows = (
        orders.filter(pk__in=newest, address_line1__istartswith=" ".join(text.split()))
        .order_by("address_line1", "postal_code", "-pk")
        .distinct("address_line1", "postal_code")
    )
    found = [
        AddressDraft(
            line1=row.address_line1,
            line2="",
            city=row.city,
            region=row.region,
            postal_code=row.postal_code,
            country=row.country,
            point=row.point,
        )
        for row in rows[: limits.ADDRESSES]
    ]
    return found or [_from_elsewhere(place, point) for place, point in geocoding.suggest(text)]


def _from_elsewhere(parts: dict[str, str], point: Point) -> AddressDraft:
    return AddressDraft(
        line1=parts["line1"],
        line2="",
        city=parts["city"],
        region=parts["region"],
        postal_code=parts["postal_code"],
        point=point,
    )
