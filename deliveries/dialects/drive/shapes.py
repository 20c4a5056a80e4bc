"""What Drive-shaped clients send, and the order that it asks for."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from deliveries import limits
from deliveries.dialects import one_line, packing, pickups
from deliveries.dialects.base_api import Foreign, Note, Said, locale_of, maybe
from deliveries.drafts import AddressDraft, ItemDraft, OrderDraft
from deliveries.models import Order
from retaildelivery.lib.geo import Point
from retaildelivery.web import fields
from stores.authentication import SellerSystem
from stores.models import Store

Json = dict[str, Any]
UNDELIVERABLE = {
    "return_to_pickup": Order.Undeliverable.RETURN,
    "dispose": Order.Undeliverable.DISPOSE,
}
PIN_KINDS = {
    "random_number": Order.PinKind.RANDOM,
    "customer_phone_number": Order.PinKind.PHONE,
    "merchant_provided_number": Order.PinKind.OWN,
}
PHOTOS = {"photo_required", "photo_preferred"}
NOBODY = "Customer"  # a client may name nobody; a driver asks for somebody at the door


class Window(Foreign):
    start_time = fields.Moment()
    end_time = fields.Moment()


class Location(Foreign):
    lat = fields.Number(min_value=-90, max_value=90)
    lng = fields.Number(min_value=-180, max_value=180)


class DropoffOptions(Foreign):
    signature = Said()
    id_verification = Said()
    proof_of_delivery = Said()
    catering_setup = Said()

    def validate_catering_setup(self, value: str | None) -> str | None:
        if value not in {None, "", "none"}:
            raise ValidationError(_("Drivers here hand over at the door. Leave it out."), code="unsupported")
        return value


class Contains(Foreign):
    alcohol = maybe(fields.Flag)
    pharmacy_items = maybe(fields.Flag)
    age_restricted_pharmacy_items = maybe(fields.Flag)
    tobacco = maybe(fields.Flag)
    hemp = maybe(fields.Flag)
    otc = maybe(fields.Flag)


# For adults only, of what `order_contains` names.
ADULT = ("alcohol", "tobacco", "hemp", "age_restricted_pharmacy_items")


class Pin(Foreign):
    pin_code_type = maybe(fields.Choice, choices=list(PIN_KINDS))
    pin_code_value = Said()


# As the service's client for Node has them.
SCANS = ("SCAN_BARCODE", "SCAN_QRCODE")
FORMATS = (
    *("QR_CODE", "DATA", "ATRIX", "AZTEC", "CODE_128", "CODE_39", "CODE_93", "CODABAR", "EAN_13", "EAN_8"),
    *("ITF", "UPC_A", "PDF417"),
)


class PickupVerification(Foreign):
    """The merchant's own code, which the driver may read at the counter in place of our label."""

    verification_type = fields.Choice(choices=[*SCANS, "NO_SCAN"])
    verification_code = Said(max_length=limits.BARCODE_LENGTH)
    verification_format = maybe(fields.Choice, choices=list(FORMATS))

    def validate(self, attrs: Json) -> Json:
        if attrs["verification_type"] in SCANS and not attrs.get("verification_code"):
            raise ValidationError(
                {"verification_code": [ErrorDetail(str(_("This is needed.")), code="required")]}
            )
        return attrs


class Components(Foreign):
    """An address in its parts, which go before the line."""

    street_address = Said(max_length=120)
    sub_premise = Said(max_length=80)
    city = Said(max_length=80)
    state = Said(max_length=40)
    zip_code = Said(max_length=12)
    country = Said(max_length=40)


class Item(Foreign):
    name = fields.Text(max_length=120)
    description = Note()
    external_id = Note()
    external_instance_id = Note()
    special_instructions = Note()
    quantity = fields.WholeNumber(min_value=1, max_value=limits.ITEM_QUANTITY)
    weight = maybe(fields.Number, min_value=0, max_value=100)
    volume = maybe(fields.Number, min_value=0, max_value=100)
    length = maybe(fields.Number, min_value=0, max_value=400)
    width = maybe(fields.Number, min_value=0, max_value=400)
    height = maybe(fields.Number, min_value=0, max_value=400)
    price = maybe(fields.WholeNumber, min_value=0, max_value=limits.ORDER_VALUE_CENTS)
    barcode = Said(max_length=64)


class UpdateIn(Foreign):
    locale = Said()
    order_fulfillment_method = Said()
    dasher_allowed_vehicles = maybe(serializers.ListField, child=Said())
    pickup_address = Said()
    pickup_business_name = Said()
    pickup_phone_number = Said()
    pickup_instructions = Note()
    pickup_reference_tag = Said()
    pickup_external_business_id = Said()
    pickup_external_store_id = Said()
    dropoff_address: serializers.CharField = Said(max_length=400)
    dropoff_location = maybe(Location)
    dropoff_business_name = Said()
    dropoff_phone_number: serializers.CharField = Said()
    dropoff_instructions = Said()
    dropoff_contact_given_name = Said()
    dropoff_contact_family_name = Said()
    dropoff_contact_send_notifications = maybe(fields.Flag)
    dropoff_address_components = maybe(Components)
    dropoff_options = maybe(DropoffOptions)
    dropoff_pin_code_verification_metadata = maybe(Pin)
    dropoff_requires_signature = maybe(fields.Flag)
    dropoff_cash_on_delivery = maybe(fields.WholeNumber)
    order_contains = maybe(Contains)
    order_value = maybe(fields.WholeNumber)
    items = maybe(Item, many=True)
    pickup_time = maybe(fields.Moment)
    dropoff_time = maybe(fields.Moment)
    pickup_window = maybe(Window)
    dropoff_window = maybe(Window)
    contactless_dropoff = maybe(fields.Flag)
    action_if_undeliverable = maybe(fields.Choice, choices=list(UNDELIVERABLE))
    tip = maybe(fields.WholeNumber)

    def validate_dropoff_cash_on_delivery(self, value: int | None) -> int | None:
        if value:
            raise ValidationError(_("Drivers here take no cash. Leave it out."), code="unsupported")
        return value

    def validate_order_fulfillment_method(self, value: str | None) -> str | None:
        if value not in {None, "", "standard"}:
            raise ValidationError(
                _("Only what the store has packed is collected: standard."), code="unsupported"
            )
        return value

    def validate_dasher_allowed_vehicles(self, value: list[str] | None) -> list[str] | None:
        if value and "car" not in value:
            raise ValidationError(_("Drivers here come by car. Leave it out."), code="unsupported")
        return value

    def validate_external_delivery_id(self, value: str) -> str:
        if "/" in value:
            raise ValidationError(_("No slashes: it becomes part of an address."), code="invalid")
        return value

    def to_internal_value(self, data: Any) -> Json:
        """Without what is null: to leave a field out and to send nothing in it are the same here."""
        read = super().to_internal_value(data)
        return {name: value for name, value in read.items() if value is not None}


class QuoteIn(UpdateIn):
    external_delivery_id = fields.Text(max_length=80)
    pickup_verification_metadata = maybe(PickupVerification)
    dropoff_address = fields.Text(max_length=400)


class CreateIn(QuoteIn):
    dropoff_phone_number = fields.Text(max_length=40)


class AcceptIn(Foreign):
    tip = maybe(fields.WholeNumber)
    dropoff_phone_number = Said()


# -- Into a draft ------------------------------------------------------------------------------------------------


def store_of(system: SellerSystem, given: Json) -> Store:
    return pickups.store_of(
        system,
        code=given.get("pickup_external_store_id", ""),
        business=given.get("pickup_external_business_id", ""),
        address=one_line.read(given.get("pickup_address", "")),
        phone=given.get("pickup_phone_number", ""),
        name=given.get("pickup_business_name", ""),
    )


def draft_of(given: Json) -> OrderDraft:
    """The order that is asked for; without a window where no time of the drop-off is given."""
    start, end = window_of(given)
    return OrderDraft(
        external_id=given["external_delivery_id"],
        ready_at=ready_of(given),
        window_start=start,
        window_end=end,
        recipient_name=name_of(given) or NOBODY,
        recipient_phone=given.get("dropoff_phone_number", ""),
        recipient_email="",
        recipient_locale=locale_of(given.get("locale", "")),
        address=address_of(given),
        instructions=given.get("dropoff_instructions", ""),
        parcels=packing.packed(
            [thing_of(item) for item in given.get("items", [])],
            description=given.get("pickup_reference_tag", ""),
            barcodes=barcodes_of(given),
        ),
        undeliverable=UNDELIVERABLE[given.get("action_if_undeliverable", "return_to_pickup")],
        declared_value_cents=given.get("order_value", 0),
        tip_cents=given.get("tip", 0),
        items=tuple(item_of(item) for item in given.get("items", [])),
        **requirements_of(given),
        aside=aside_of(given),
    )


# What there is no place for on an order, by the name under which it is kept beside it.
ASIDE = {
    "pickup_instructions": "pickup_notes",
    "order_contains": "order_contains",
    "dropoff_business_name": "dropoff_business_name",
    "dropoff_contact_send_notifications": "send_notifications",
}
ITEM_ASIDE = (
    "description",
    "external_id",
    "external_instance_id",
    "special_instructions",
    "volume",
    "weight",
    "length",
    "width",
    "height",
)


def aside_of(given: Json) -> Json | None:
    """What the delivery says that has no place of its own on an order; None for nothing."""
    said: Json = {
        ours: given[theirs] for theirs, ours in ASIDE.items() if given.get(theirs) not in (None, "")
    }
    if "order_contains" in said:
        said["order_contains"] = {name: bool(flag) for name, flag in said["order_contains"].items()}
    things = [
        {name: item[name] for name in ITEM_ASIDE if item.get(name) not in (None, "")}
        for item in given.get("items", [])
    ]
    if any(things):
        said["items"] = things
    if barcodes_of(given):
        code = given["pickup_verification_metadata"]
        said["pickup_verification"] = {
            name: code[name] for name in ("verification_type", "verification_format") if code.get(name)
        }
    return said or None


def barcodes_of(given: Json) -> list[tuple[str, ...]]:
    """The code that is read when it is picked up, as that of the first parcel; where there are more, our labels are
    read of the others."""
    code = given.get("pickup_verification_metadata") or {}
    return [(code["verification_code"],)] if code.get("verification_type") in SCANS else []


def window_of(given: Json) -> tuple[dt.datetime | None, dt.datetime | None]:
    window, moment = given.get("dropoff_window"), given.get("dropoff_time")
    if window:
        return window["start_time"], window["end_time"]
    if moment:
        return moment - limits.DOOR_TIME, moment + limits.DOOR_TIME
    return None, None


def ready_of(given: Json) -> dt.datetime | None:
    window = given.get("pickup_window")
    ready: dt.datetime | None = window["start_time"] if window else given.get("pickup_time")
    return ready


def name_of(given: Json) -> str:
    """Who receives it; a business behind its person."""
    person = " ".join(
        part
        for part in (given.get("dropoff_contact_given_name"), given.get("dropoff_contact_family_name"))
        if part
    )
    business = given.get("dropoff_business_name", "")
    return f"{person} ({business})" if person and business else person or business


def address_of(given: Json) -> AddressDraft:
    """Raises ValidationError for a line whose parts cannot be told apart, where they do not come beside it."""
    found = of_components(given.get("dropoff_address_components") or {}) or one_line.read(
        given.get("dropoff_address", "")
    )
    if found is None:
        sentence = _("Write it as street, city, state and ZIP: 2212 Alta Drive, Las Vegas, NV 89107.")
        raise ValidationError({"dropoff_address": [ErrorDetail(str(sentence), code="invalid")]})
    place = given.get("dropoff_location")
    return dataclasses.replace(found, point=Point(place["lat"], place["lng"])) if place else found


def of_components(parts: Json) -> AddressDraft | None:
    """The address that came in parts, when no part that it needs is missing."""
    needed = [parts.get(name) or "" for name in ("street_address", "city", "state", "zip_code")]
    if not all(needed):
        return None
    street, city, state, zip_code = needed
    unit = parts.get("sub_premise") or ""
    # Their own answers repeat the unit in the street.
    line1 = street.removesuffix(unit).rstrip(" ,") or street
    return AddressDraft(line1=line1, line2=unit, city=city, region=state, postal_code=zip_code)


def requirements_of(given: Json) -> Json:
    options, contains = given.get("dropoff_options") or {}, given.get("order_contains") or {}
    pin = given.get("dropoff_pin_code_verification_metadata") or {}
    adult = options.get("id_verification") == "required" or any(contains.get(name) for name in ADULT)
    proof, contactless = options.get("proof_of_delivery"), given.get("contactless_dropoff")
    return {
        # Where nothing is said we photograph, as for an order of our own.
        "requires_photo": proof in PHOTOS if proof else contactless is not False,
        "requires_signature": bool(
            given.get("dropoff_requires_signature") or options.get("signature") == "required"
        ),
        "requires_pin": bool(pin.get("pin_code_type")) or proof == "pin_code",
        "pin_kind": PIN_KINDS[pin.get("pin_code_type") or "random_number"],
        "own_pin": pin.get("pin_code_value") or "",
        "minimum_age": 21 if adult else None,
    }


def thing_of(item: Json) -> packing.Thing:
    sides = [item.get(side) for side in ("length", "width", "height")]
    litres = None
    if item.get("volume"):
        litres = item["volume"] * packing.LITRES_PER_CUBIC_FOOT
    elif all(sides):
        litres = sides[0] * sides[1] * sides[2] * packing.CM_PER_INCH**3 / 1_000  # type: ignore[operator]
    return packing.Thing(quantity=item["quantity"], grams=grams_of(item), litres=litres)


def grams_of(item: Json) -> int | None:
    weight = item.get("weight")
    return round(weight * packing.GRAMS_PER_POUND) if weight else None


def item_of(item: Json) -> ItemDraft:
    sides = {f"{side}_cm": item.get(side) for side in ("length", "width", "height")}
    return ItemDraft(
        name=item["name"],
        quantity=item["quantity"],
        grams=grams_of(item),
        **{name: round(inches * packing.CM_PER_INCH) or None for name, inches in sides.items() if inches},
        price_cents=item.get("price"),
        barcode=item.get("barcode") or "",
    )
