"""What a draft says, put into the fields of an order, and the price that follows from it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from deliveries import charging, fees
from deliveries.drafts import AddressDraft, ItemDraft, OrderDraft, ParcelDraft
from deliveries.models import FeePolicy, Order
from deliveries.snapshots import parcels_of
from retaildelivery.lib.geo import Point, road_m

# What is asked for at the door by label, and at the counters of the other two legs.
LEGS = ("requires_barcodes", "pickup_photo", "pickup_signature", "return_photo", "return_signature")


def take_from(order: Order, draft: OrderDraft, *, at: dt.datetime) -> None:
    """Copy what the draft says into the fields of the order."""
    assert draft.window_start is not None
    assert draft.window_end is not None
    order.window = DateTimeTZRange(draft.window_start, draft.window_end)
    order.ready_at = draft.ready_at or at + dt.timedelta(minutes=order.store.prep_minutes)
    order.recipient_name = draft.recipient_name
    order.recipient_phone = draft.recipient_phone
    order.recipient_email = draft.recipient_email
    order.recipient_locale = draft.recipient_locale
    take_address(order, draft.address)
    order.instructions = draft.instructions
    order.requires_photo = draft.requires_photo
    order.requires_signature = draft.requires_signature
    order.requires_pin = draft.requires_pin
    order.minimum_age = draft.minimum_age
    for name in LEGS:
        setattr(order, name, getattr(draft, name))
    order.undeliverable = draft.undeliverable
    order.declared_value_cents = draft.declared_value_cents
    order.tip_cents = draft.tip_cents
    order.items = [dataclasses.asdict(item) for item in draft.items]
    order.aside = draft.aside


def take_address(order: Order, address: AddressDraft) -> None:
    order.address_line1 = address.line1
    order.address_line2 = address.line2
    order.city = address.city
    order.region = address.region
    order.postal_code = address.postal_code
    order.country = address.country
    place(order, address.point, address.located_by)


def place(order: Order, point: Point | None, located_by: str) -> None:
    order.latitude = None if point is None else Decimal(str(round(point.lat, 6)))
    order.longitude = None if point is None else Decimal(str(round(point.lng, 6)))
    order.located_by = "" if point is None else LOCATED_BY.get(located_by, "geocoder")


LOCATED_BY = {"given": "given", "pin": "pin", "geocoder": "geocoder", "known": "geocoder"}


def price(order: Order, sizes: list[str], *, at: dt.datetime) -> None:
    """The road distance and the fee, as far as the place of the door is known."""
    policy = None if order.point is None else charging.policy_for(order.store, at=at)
    price_by(policy, order, sizes)


def price_by(
    policy: FeePolicy | None, order: Order, sizes: list[str], *, terms: fees.FeeTerms | None = None
) -> None:
    """`price`, by this row; `terms` is what the rules read of it, when that is at hand."""
    point = order.point
    order.distance_m = order.fee_cents = order.fee_policy = None
    if point is None:
        return
    order.distance_m = road_m(order.store.mall.point, point)
    if policy is not None:
        order.fee_policy = policy
        order.fee_cents = fees.total_cents(
            fees.fee(
                terms or charging.terms(policy),
                distance_m=order.distance_m,
                size_classes=sizes,
                slot_cents=order.slot_cents,
            )
        )


def draft_of(order: Order) -> OrderDraft:
    """The order as the draft it would be posted from now."""
    return OrderDraft(
        external_id=order.external_id,
        ready_at=order.ready_at,
        window_start=order.window.lower,
        window_end=order.window.upper,
        recipient_name=order.recipient_name,
        recipient_phone=order.recipient_phone,
        recipient_email=order.recipient_email,
        recipient_locale=order.recipient_locale,
        address=AddressDraft(
            line1=order.address_line1,
            line2=order.address_line2,
            city=order.city,
            region=order.region,
            postal_code=order.postal_code,
            country=order.country,
            point=order.point,
            located_by=order.located_by or "given",
        ),
        instructions=order.instructions,
        parcels=tuple(
            ParcelDraft(
                size=p.size,
                grams=p.grams,
                litres=p.litres,
                description=p.description,
                barcodes=tuple(p.barcodes),
            )
            for p in parcels_of(order)
        ),
        requires_photo=order.requires_photo,
        requires_signature=order.requires_signature,
        requires_pin=order.requires_pin,
        minimum_age=order.minimum_age,
        **{name: getattr(order, name) for name in LEGS},
        undeliverable=order.undeliverable,
        declared_value_cents=order.declared_value_cents,
        tip_cents=order.tip_cents,
        pin_kind=order.pin_kind,
        own_pin=order.pin if order.pin_kind == Order.PinKind.OWN else "",
        items=tuple(ItemDraft(**item) for item in order.items),
        aside=order.aside,
    )
