"""Which of our stores a delivery is collected at, told by what other services' clients say of a pick-up."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext_lazy as _

from deliveries import drafts, geocoding
from deliveries.dialects import one_line
from deliveries.drafts import AddressDraft
from retaildelivery.lib import codes
from retaildelivery.lib.refusals import Refused
from stores.authentication import SellerSystem
from stores.models import Mall, Store


class PickupUnknown(Refused):
    code = "pickup_unknown"
    sentence = _("None of your stores is collected from there. Name it by its code: GET /api/v1/stores.")


def store_of(
    system: SellerSystem,
    *,
    code: str = "",
    business: str = "",
    address: AddressDraft | None = None,
    phone: str = "",
    name: str = "",
) -> Store:
    """The store with this code; else the key's own; else the one that address, phone and name leave over.

    Raises PickupUnknown, also for another seller's store.
    """
    stores = system.stores.select_related("seller", "mall__market")
    if business and codes.normalise(business) != system.seller.code:
        raise PickupUnknown(field="business")
    if code:
        found = stores.filter(code=codes.normalise(code)).order_by("pk").first()
        if found is None:
            raise PickupUnknown(field="store")
        return found
    if system.store is not None:
        own: Store = stores.get()
        return own
    left: list[Store] = list(stores.active().order_by("pk"))  # type: ignore[attr-defined]
    told = False
    for fits in _tests(address, phone, name):
        fitting = [store for store in left if fits(store)]
        told = told or bool(fitting)
        left = fitting or left
    if not told or len(left) != 1:
        raise PickupUnknown(field="address" if address else "store")
    return left[0]


def _tests(address: AddressDraft | None, phone: str, name: str) -> list[Callable[[Store], bool]]:
    tests: list[Callable[[Store], bool]] = []
    if address is not None:
        key = geocoding.key_of(address.line1, address.postal_code)
        tests.append(lambda store: _key_of(store.mall) == key)
    number = drafts.e164(phone)
    if number:
        tests.append(lambda store: drafts.e164(store.phone) == number)
    if name.strip():
        wanted = name.strip().casefold()
        tests.append(lambda store: store.name.casefold() == wanted)
    return tests


def _key_of(mall: Mall) -> str:
    place = one_line.read(mall.address)
    return geocoding.key_of(place.line1, place.postal_code) if place else ""


def address_of(store: Store) -> AddressDraft:
    """Where the store is, as an address: the mall's."""
    mall = store.mall
    return one_line.read(mall.address) or AddressDraft(
        line1=mall.address, line2="", city="", region="", postal_code="", point=mall.point
    )
