"""An order, a stop and a manifest as plain JSON: the same shape in the API, in webhooks and in facts.

Times are RFC 3339 in UTC, money is integer cents with a currency, distances are metres. The PIN is in none of them.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from django.conf import settings
from django.db.models import Prefetch

from deliveries.models import Consignment, Order, Parcel
from deliveries.models.order import OrderQuerySet
from drivers.models import Driver, Vehicle
from retaildelivery.prepared import Prepared, any_of
from stores.models import Store

Json = dict[str, Any]
Row = TypeVar("Row")


def moment(at: dt.datetime | None) -> str | None:
    """RFC 3339 in UTC to the millisecond, or None."""
    if at is None:
        return None
    return at.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def tracking_url(order: Order) -> str:
    """The recipient's page. Whoever has it can read the PIN, so it never goes to a driver."""
    return tracking_page(order.tracking_token)


def tracking_page(token: str) -> str:
    return f"{settings.BASE_URL}/t/{token}/"


def with_all(orders: OrderQuerySet) -> OrderQuerySet:
    """The same orders, with everything a snapshot reads fetched in four further queries however many there are."""
    live = Consignment.objects.live().select_related("manifest__driver__user", "dropoff")
    return with_related(orders).prefetch_related(
        Prefetch("parcels", Parcel.objects.order_by("number")),
        Prefetch("consignments", live, to_attr="live_consignments"),
        Prefetch(
            "live_consignments__manifest__driver__vehicles",
            Vehicle.objects.in_use(),
            to_attr="vehicles_in_use",
        ),
    )


RELATED = ("store__seller", "store__mall__market", "quote", "redelivery_of")
LEFT_OUT = ("quote__said", "quote__lines")


def with_related(orders: OrderQuerySet) -> OrderQuerySet:
    """The part of `with_all` that comes with the orders' own rows."""
    return orders.select_related(*RELATED).defer(*LEFT_OUT)


_PARCELS = Prepared(lambda: Parcel.objects.filter(order__in=any_of("orders")).order_by("number"))
_PLACES = Prepared(
    lambda: (
        Consignment.objects.live()
        .filter(order__in=any_of("orders"))
        .select_related("manifest__driver__user", "dropoff")
    )
)
_VEHICLES = Prepared(lambda: Vehicle.objects.in_use().filter(driver__in=any_of("drivers")))


_ORDERS = Prepared(
    lambda: (
        Order.objects.filter(pk__in=any_of("orders"))
        .select_related("quote", "redelivery_of")
        .defer("quote__said", "quote__lines")
    )
)
_STORES = Prepared(
    lambda: Store.objects.filter(pk__in=any_of("stores")).select_related("seller", "mall__market")
)


def read(keys: Sequence[int]) -> list[Order]:
    """The orders of these keys, in their order, with everything a snapshot reads: `with_all` for pages, in five queries
    at most whose SQL is built once."""
    if not keys:
        return []
    found = {order.pk: order for order in _ORDERS.all(orders=list(keys))}
    wanted = list({order.store_id for order in found.values()})
    stores = {store.pk: store for store in _STORES.all(stores=wanted)}
    for order in found.values():
        order.store = stores[order.store_id]
    orders = [found[key] for key in keys if key in found]
    parcels = by_key(_PARCELS.all(orders=list(keys)), "order_id")
    for order in orders:
        order.parcels_known = parcels[order.pk]  # type: ignore[attr-defined]
    _fill_places(orders)
    return orders


def fill(orders: list[Order], held: list[Consignment] | None = None) -> list[Order]:
    """What `with_all` prefetches, for orders that were read by a prepared query; three queries, or two with their
    live places at hand."""
    if not orders:
        return orders
    parcels = by_key(_PARCELS.all(orders=[order.pk for order in orders]), "order_id")
    for order in orders:
        mine = order.parcels.all()
        # As Django's own prefetching leaves it.
        mine._result_cache, mine._prefetch_done = parcels[order.pk], True  # type: ignore[attr-defined]  # noqa: SLF001
        order._prefetched_objects_cache = {"parcels": mine}  # type: ignore[attr-defined]  # noqa: SLF001
        for parcel in parcels[order.pk]:
            parcel.order = order
    _fill_places(orders, held)
    return orders


def _fill_places(orders: list[Order], held: list[Consignment] | None = None) -> None:
    if held is None:
        held = _PLACES.all(orders=[order.pk for order in orders])
    places = by_key(held, "order_id")
    for order in orders:
        order.live_consignments = places[order.pk]  # type: ignore[attr-defined]
        for place in places[order.pk]:
            place.order = order
    drivers = {
        id(place.manifest.driver): place.manifest.driver
        for mine in places.values()
        for place in mine
        if place.manifest.driver and not hasattr(place.manifest.driver, "vehicles_in_use")
    }.values()
    if drivers:
        vehicles = by_key(_VEHICLES.all(drivers=[driver.pk for driver in drivers]), "driver_id")
        for driver in drivers:
            driver.vehicles_in_use = vehicles[driver.pk]  # type: ignore[attr-defined]


def by_key(rows: Iterable[Row], name: str) -> defaultdict[int, list[Row]]:
    """The rows in their order, by that attribute."""
    found: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        found[getattr(row, name)].append(row)
    return found


def live_consignment(order: Order) -> Consignment | None:
    """The order's place on a manifest now, from what was fetched or from the database."""
    if not hasattr(order, "live_consignments"):
        live = Consignment.objects.live().select_related("manifest__driver__user", "dropoff")
        order.live_consignments = list(live.filter(order=order))  # type: ignore[attr-defined]
    found: list[Consignment] = order.live_consignments  # type: ignore[attr-defined]
    return found[0] if found else None


def vehicle_of(driver: Driver) -> Vehicle | None:
    if not hasattr(driver, "vehicles_in_use"):
        driver.vehicles_in_use = list(Vehicle.objects.in_use().filter(driver=driver))  # type: ignore[attr-defined]
    found: list[Vehicle] = driver.vehicles_in_use  # type: ignore[attr-defined]
    return found[0] if found else None


def courier(driver: Driver | None) -> Json | None:
    """What a store and a recipient may know of the driver: a first name and the car."""
    if driver is None:
        return None
    vehicle = vehicle_of(driver)
    car = f"{vehicle.colour} {vehicle.make} {vehicle.model}" if vehicle else ""
    return {"first_name": driver.user.first_name, "vehicle": car, "plate": vehicle.plate if vehicle else ""}


def courier_met(driver: Driver | None) -> Json | None:
    """`courier`, with a phone number that can be compared but not called: calls go over the store or operations."""
    shown = courier(driver)
    if shown is None or driver is None:
        return None
    phone = driver.user.phone
    return {**shown, "phone": "•" * max(0, len(phone) - 2) + phone[-2:]}


def parcel_snapshot(parcel: Parcel) -> Json:
    return {
        "code": parcel.code,
        "number": parcel.number,
        "description": parcel.description,
        "barcodes": parcel.barcodes,
        "size": parcel.size,
        "litres": parcel.litres,
        "grams": parcel.grams,
        "status": parcel.status,
        "custodian": parcel.custodian,
    }


def item_snapshot(item: Json, currency: str) -> Json:
    """A line of what was bought, as it was said."""
    cents = item["price_cents"]
    shown = {name: value for name, value in item.items() if name != "price_cents"}
    return {**shown, "price": None if cents is None else {"cents": cents, "currency": currency}}


def parcels_of(order: Order) -> list[Parcel]:
    """The order's parcels by number, from what was fetched if it was."""
    known: list[Parcel] | None = getattr(order, "parcels_known", None)
    return sorted(known or order.parcels.all(), key=lambda parcel: parcel.number)


def order_snapshot(order: Order) -> Json:
    """The order as the seller's API shows it. See `with_all` for reading many."""
    store = order.store
    currency = store.mall.market.currency
    place = live_consignment(order)
    driver = place.manifest.driver if place else None
    cancelled = order.cancelled_at is not None
    return {
        "code": order.code,
        "external_id": order.external_id,
        "live_mode": order.live_mode,
        "status": order.status,
        "store": store.code,
        "mall": store.mall.code,
        "seller": store.seller.code,
        "placed_at": moment(order.placed_at),
        "ready_at": moment(order.ready_at),
        "window": {"start": moment(order.window.lower), "end": moment(order.window.upper)},
        "recipient": {
            "name": order.recipient_name,
            "phone": order.recipient_phone,
            "email": order.recipient_email,
        },
        "dropoff": _dropoff(order),
        "needs_location": order.needs_location,
        "instructions": order.instructions,
        "recipient_note": order.recipient_note,
        "requirements": {
            "photo": order.requires_photo,
            "signature": order.requires_signature,
            "pin": order.requires_pin,
            "pin_kind": order.pin_kind if order.requires_pin else None,
            "minimum_age": order.minimum_age,
            "barcodes": order.requires_barcodes,
            "pickup": {"photo": order.pickup_photo, "signature": order.pickup_signature},
            "return": {"photo": order.return_photo, "signature": order.return_signature},
        },
        "undeliverable": order.undeliverable,
        "declared_value": {"cents": order.declared_value_cents, "currency": currency},
        "tip": {"cents": order.tip_cents, "currency": currency},
        "fee": None if order.fee_cents is None else {"cents": order.fee_cents, "currency": currency},
        "distance_m": order.distance_m,
        "quote": order.quote.code if order.quote else None,
        "redelivery_of": order.redelivery_of.code if order.redelivery_of else None,
        "items": [item_snapshot(item, currency) for item in order.items],
        "parcels": [parcel_snapshot(parcel) for parcel in parcels_of(order)],
        "eta_at": moment(place.dropoff.eta_at) if place and driver and not order.has_ended else None,
        "courier": courier(driver),
        "picked_up_at": moment(order.picked_up_at),
        "delivered_at": moment(order.delivered_at),
        "cancelled_at": moment(order.cancelled_at),
        "cancellation": {"by": order.cancelled_by, "reason": order.cancel_reason, "note": order.cancel_note}
        if cancelled
        else None,
        "failed_at": moment(order.failed_at),
        "returned_at": moment(order.returned_at),
        "tracking_url": tracking_url(order),
        "sequence": order.sequence,
    }


def _dropoff(order: Order) -> Json:
    return {
        "line1": order.address_line1,
        "line2": order.address_line2,
        "city": order.city,
        "region": order.region,
        "postal_code": order.postal_code,
        "country": order.country,
        "latitude": None if order.latitude is None else float(order.latitude),
        "longitude": None if order.longitude is None else float(order.longitude),
    }
