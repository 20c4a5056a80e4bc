"""What Uber-Direct-shaped clients send, and the order that it asks for."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import json
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from deliveries import limits
from deliveries.dialects import one_line, packing, pickups
from deliveries.dialects.base_api import Foreign, Note, Said, maybe
from deliveries.dialects.direct import robots
from deliveries.drafts import AddressDraft, ItemDraft, OrderDraft, ParcelDraft
from deliveries.models import Order, Parcel
from retaildelivery.lib.geo import Point
from retaildelivery.lib.refusals import Refused
from retaildelivery.web import fields
from stores.authentication import SellerSystem
from stores.models import Store

Json = dict[str, Any]
MEET, LEAVE = "deliverable_action_meet_at_door", "deliverable_action_leave_at_door"
UNDELIVERABLE = {
    "return": Order.Undeliverable.RETURN,
    "leave_at_door": Order.Undeliverable.LEAVE,
    "discard": Order.Undeliverable.DISPOSE,
}
# Litres of a size that a client names, where it gives no dimensions: their classes, by our rooms.
SIZES = {"small": 4, "medium": 12, "large": 40, "xlarge": 90, "big": 220}
# Our sides of a thing by theirs.
SIDES = {"length_cm": "length", "width_cm": "depth", "height_cm": "height"}
PICKUP_LEAST = dt.timedelta(minutes=10)
COLLECTED_LEAST = dt.timedelta(minutes=20)  # from now to the end of the pick-up
DROPOFF_LEAST = dt.timedelta(minutes=20)
MOST_VAT = 10_000_000  # 100 %, in their hundred-thousandths
# What there is no place for on an order: kept beside it, and answered as it was said.
ASIDE = ("pickup_notes", "dropoff_seller_notes")
LEGS = ("pickup", "dropoff", "return")
ITEM_ASIDE = ("size", "must_be_upright", "perishable", "vat_percentage")
# What a parcel says of itself, on its label and the driver's screen.
HANDLING = {"must_be_upright": "keep upright", "perishable": "perishable"}
FREE_SIZES = {Parcel.Size.SMALL, Parcel.Size.MEDIUM}


class WindowWrong(Refused):
    """One of the service's rules about the four times; `reason` is its code for it."""

    code = "times_wrong"
    sentence = _("These times do not go together: %(rule)s.")


class Address(serializers.Field[Any, Any, Any, Any]):
    """An object, the same object as a string of JSON, or a line of text."""

    def to_internal_value(self, data: Any) -> AddressDraft:
        found = data
        if isinstance(data, str) and data.lstrip().startswith("{"):
            try:
                found = json.loads(data)
            except (ValueError, RecursionError):
                found = None
        if isinstance(found, str):
            found = one_line.read(found)
        elif isinstance(found, dict):
            found = _of_parts(found)
        if not isinstance(found, AddressDraft):
            raise serializers.ValidationError(
                _("An object of street_address, city, state and zip_code, or a line with all of them."),
                code="invalid",
            )
        return found

    def to_representation(self, value: Any) -> Any:
        return value


def _of_parts(parts: Json) -> AddressDraft | None:
    street = parts.get("street_address") or [parts.get("street_address_1"), parts.get("street_address_2")]
    lines = [street] if isinstance(street, str) else street
    texts = [*(lines if isinstance(lines, list) else []), "", ""][:2]
    said = [
        *texts,
        parts.get("city"),
        parts.get("state"),
        parts.get("zip_code"),
        parts.get("country") or "US",
    ]
    line1, line2, city, region, postal_code, country = (text or "" for text in said)
    kept = (line1, line2, city, region, postal_code, country)
    if not all(isinstance(text, str) for text in kept) or not line1:
        return None
    return AddressDraft(
        line1=line1, line2=line2, city=city, region=region, postal_code=postal_code, country=country
    )


class Dimensions(Foreign):
    length = maybe(fields.Number, min_value=0, max_value=1_000)
    height = maybe(fields.Number, min_value=0, max_value=1_000)
    depth = maybe(fields.Number, min_value=0, max_value=1_000)


class Barcode(Foreign):
    value = fields.Text(max_length=limits.BARCODE_LENGTH)
    type = Said(max_length=40)


class Item(Foreign):
    name = fields.Text(max_length=120)
    quantity = fields.WholeNumber(min_value=1, max_value=limits.ITEM_QUANTITY)
    size = maybe(fields.Choice, choices=list(SIZES))
    dimensions = maybe(Dimensions)
    price = maybe(fields.WholeNumber, min_value=0, max_value=limits.ORDER_VALUE_CENTS)
    weight = maybe(fields.WholeNumber, min_value=0, max_value=1_000_000)
    must_be_upright = maybe(fields.Flag)
    perishable = maybe(fields.Flag)
    vat_percentage = maybe(fields.WholeNumber, min_value=0, max_value=MOST_VAT)


class Signature(Foreign):
    enabled = maybe(fields.Flag)


class Identification(Foreign):
    min_age = maybe(fields.WholeNumber, min_value=0, max_value=120)


class Pincode(Foreign):
    enabled = maybe(fields.Flag)
    value = Said(max_length=8)


class Counter(Foreign):
    """What is asked for where a parcel passes a counter. Labels are read there in any case."""

    barcodes = maybe(Barcode, many=True)
    signature = maybe(fields.Flag)
    signature_requirement = maybe(Signature)
    picture = maybe(fields.Flag)


class Verification(Counter):
    identification = maybe(Identification)
    pincode = maybe(Pincode)


class Times(Foreign):
    pickup_ready_dt = maybe(fields.Moment)
    pickup_deadline_dt = maybe(fields.Moment)
    dropoff_ready_dt = maybe(fields.Moment)
    dropoff_deadline_dt = maybe(fields.Moment)

    def to_internal_value(self, data: Any) -> Json:
        """Without what is null: it says as little as what is left out."""
        read = super().to_internal_value(data)
        return {name: value for name, value in read.items() if value is not None}


class Placed(Times):
    dropoff_latitude = maybe(fields.Number, min_value=-90, max_value=90)
    dropoff_longitude = maybe(fields.Number, min_value=-180, max_value=180)

    def validate(self, attrs: Json) -> Json:
        """One coordinate alone is a slip, and not to be passed over."""
        sides = {side for side in ("latitude", "longitude") if attrs.get(f"dropoff_{side}") is not None}
        if len(sides) == 1:
            lacking = "longitude" if sides == {"latitude"} else "latitude"
            fault = serializers.ErrorDetail(str(_("Give both coordinates or none.")), code="required")
            raise serializers.ValidationError({f"dropoff_{lacking}": [fault]})
        return attrs


class QuoteIn(Placed):
    pickup_address = Address()
    dropoff_address = Address()
    pickup_phone_number: serializers.CharField = Said()
    dropoff_phone_number: serializers.CharField = Said()
    manifest_total_value = maybe(fields.WholeNumber)
    manifest_items = maybe(Item, many=True)
    external_store_id = Said()


class RoboCourier(Foreign):
    mode = maybe(fields.Choice, choices=["auto", "custom"])
    enroute_for_pickup_at = maybe(fields.Moment)
    pickup_imminent_at = maybe(fields.Moment)
    pickup_at = maybe(fields.Moment)
    dropoff_imminent_at = maybe(fields.Moment)
    dropoff_at = maybe(fields.Moment)
    cancel_reason = maybe(fields.Choice, choices=list(robots.REASONS))


class TestSpecifications(Foreign):
    robo_courier_specification = maybe(RoboCourier)


class CreateIn(QuoteIn):
    quote_id = Said(max_length=40)
    pickup_name = fields.Text(max_length=120)
    pickup_business_name = Said()
    pickup_phone_number = fields.Text(max_length=40)
    dropoff_name = fields.Text(max_length=120)
    dropoff_business_name = Said(max_length=80)
    dropoff_phone_number = fields.Text(max_length=40)
    pickup_notes = Note()
    dropoff_notes = Note()
    dropoff_seller_notes = Note()
    pickup_verification = maybe(Counter)
    dropoff_verification = maybe(Verification)
    return_verification = maybe(Counter)
    requires_dropoff_signature = maybe(fields.Flag)
    requires_id = maybe(fields.Flag)
    deliverable_action = maybe(fields.Choice, choices=[MEET, LEAVE])
    test_specifications = maybe(TestSpecifications)
    undeliverable_action = maybe(fields.Choice, choices=list(UNDELIVERABLE))
    manifest_reference = Said(max_length=39)
    external_id = Said(max_length=40)
    manifest_items = Item(many=True, allow_empty=False)
    idempotency_key = Said(max_length=255)
    tip = maybe(fields.WholeNumber)


class UpdateIn(Placed):
    """Their document's fields, and what an order of ours can change beside them."""

    pickup_notes = Note()
    dropoff_notes = Note()
    dropoff_seller_notes = Note()
    dropoff_name = Said()
    dropoff_phone_number = Said()
    dropoff_business_name = Said(max_length=80)
    dropoff_address = maybe(Address)
    manifest_reference = Note(max_length=39)
    manifest_total_value = maybe(fields.WholeNumber)
    manifest_items = maybe(Item, many=True, allow_empty=False)
    pickup_verification = maybe(Counter)
    dropoff_verification = maybe(Verification)
    return_verification = maybe(Counter)
    requires_dropoff_signature = maybe(fields.Flag)
    requires_id = maybe(fields.Flag)
    deliverable_action = maybe(fields.Choice, choices=[MEET, LEAVE])
    undeliverable_action = maybe(fields.Choice, choices=list(UNDELIVERABLE))
    tip_by_customer = maybe(fields.WholeNumber)
    # Refused unless they only repeat what is.
    external_id = fields.Document(required=False, allow_null=True)
    external_store_id = fields.Document(required=False, allow_null=True)
    quote_id = fields.Document(required=False, allow_null=True)
    tip = fields.Document(required=False, allow_null=True)
    pickup_address = fields.Document(required=False, allow_null=True)
    pickup_name = fields.Document(required=False, allow_null=True)
    pickup_business_name = fields.Document(required=False, allow_null=True)
    pickup_phone_number = fields.Document(required=False, allow_null=True)


FIXED = (
    "external_id",
    "external_store_id",
    "quote_id",
    "tip",
    "pickup_address",
    "pickup_name",
    "pickup_business_name",
    "pickup_phone_number",
)


class ProofIn(Foreign):
    waypoint = fields.Choice(choices=["pickup", "dropoff", "return"])
    type = maybe(fields.Choice, choices=["picture", "signature", "pincode"])


# -- Into a draft ------------------------------------------------------------------------------------------------


def store_of(system: SellerSystem, given: Json) -> Store:
    return pickups.store_of(
        system,
        code=given.get("external_store_id", ""),
        address=given["pickup_address"],
        phone=given.get("pickup_phone_number", ""),
        name=given.get("pickup_business_name") or given.get("pickup_name", ""),
    )


def number_of(reference: str, external_id: str) -> str:
    """Theirs are two that are unique together, ours is one; `split` takes it apart again."""
    return f"{reference}/{external_id}" if reference else external_id


def split(number: str) -> tuple[str, str]:
    reference, _slash, external_id = number.rpartition("/")
    return reference, external_id


def draft_of(given: Json, *, at: dt.datetime) -> OrderDraft:
    """The order that is asked for; without a window where no deadline is given. A quote names nobody yet."""
    check_times(given, at=at)
    start, end = window_of(given)
    items = given.get("manifest_items") or []
    value = given.get("manifest_total_value")
    return OrderDraft(
        external_id=number_of(given.get("manifest_reference", ""), given.get("external_id", "")),
        ready_at=given.get("pickup_ready_dt"),
        window_start=start,
        window_end=end,
        recipient_name=given.get("dropoff_name", ""),
        recipient_phone=given.get("dropoff_phone_number", ""),
        recipient_email="",
        recipient_locale="en",
        address=placed(given["dropoff_address"], given, business=given.get("dropoff_business_name", "")),
        instructions=joined(given.get("dropoff_notes"), given.get("dropoff_seller_notes")),
        parcels=parcels_of(items, given.get("manifest_reference"), barcodes_asked(given)),
        undeliverable=UNDELIVERABLE[given.get("undeliverable_action", "return")],
        declared_value_cents=worth(items) if value is None else value,
        tip_cents=given.get("tip", 0),
        items=items_of(items),
        **requirements_of(given),
        aside=aside_of(given, items),
    )


def barcodes_asked(given: Json) -> Json:
    """The barcodes that are named, at each leg that names any."""
    legs = {leg: (given.get(f"{leg}_verification") or {}).get("barcodes") for leg in LEGS}
    return {
        leg: [{"value": code["value"], "type": code.get("type", "")} for code in asked]
        for leg, asked in legs.items()
        if asked
    }


def barcodes_of(asked: Json) -> list[tuple[str, ...]]:
    """Of each parcel, the barcodes by which it is known at the legs: the first of each leg are on the first parcel."""
    legs = [[code["value"] for code in asked.get(leg, [])] for leg in LEGS]
    return [tuple(dict.fromkeys(text for text in same if text)) for same in itertools.zip_longest(*legs)]


def joined(notes: str | None, seller_notes: str | None) -> str:
    return " ".join(text for text in (notes, seller_notes) if text)


def notes_of(instructions: str, seller_notes: str) -> str:
    """The instructions without what the seller added to them."""
    return instructions.removesuffix(seller_notes).rstrip() if seller_notes else instructions


def description_of(reference: str | None, items: list[Json]) -> str:
    """Their reference, and how the parcels want to be handled."""
    handling = [words for name, words in HANDLING.items() if any(item.get(name) for item in items)]
    return ", ".join(text for text in (reference, *handling) if text)


def aside_of(given: Json, items: list[Json]) -> Json | None:
    """What the delivery says that has no place of its own on an order; None for nothing."""
    said: Json = {name: given[name] for name in ASIDE if given.get(name)}
    if things := things_aside(items):
        said["items"] = things
    if asked := barcodes_asked(given):
        said["barcodes"] = asked
    return said or None


def things_aside(items: list[Json]) -> list[Json]:
    """What is said of each thing that has no place of its own; nothing where nothing is."""
    things = [{name: item[name] for name in ITEM_ASIDE if item.get(name) is not None} for item in items]
    return things if any(things) else []


def placed(address: AddressDraft, given: Json, *, business: str = "") -> AddressDraft:
    """The address with its coordinates, where both came, and the business behind the door."""
    lat, lng = given.get("dropoff_latitude"), given.get("dropoff_longitude")
    if lat is not None and lng is not None:
        address = dataclasses.replace(address, point=Point(lat, lng), located_by="given")
    return dataclasses.replace(address, line2=address.line2 or business) if business else address


def window_of(given: Json) -> tuple[dt.datetime | None, dt.datetime | None]:
    ready, deadline = given.get("dropoff_ready_dt"), given.get("dropoff_deadline_dt")
    if deadline is None:
        return None, None
    return ready or deadline - 2 * limits.DOOR_TIME, deadline


def check_times(given: Json, *, at: dt.datetime) -> None:
    """Raises WindowWrong with the service's code for the first of its rules that is broken."""
    ready, deadline = given.get("pickup_ready_dt"), given.get("pickup_deadline_dt")
    door_ready, door = given.get("dropoff_ready_dt"), given.get("dropoff_deadline_dt")
    broken = (
        (ready and deadline and deadline - ready < PICKUP_LEAST, "pickup_window_too_small"),
        (deadline and deadline - at < COLLECTED_LEAST, "pickup_deadline_too_early"),
        (door_ready and door and door - door_ready < DROPOFF_LEAST, "dropoff_window_too_small"),
        (deadline and door and door < deadline, "dropoff_deadline_before_pickup_deadline"),
        (deadline and door_ready and door_ready > deadline, "dropoff_ready_after_pickup_deadline"),
        (ready and door and door - ready < DROPOFF_LEAST, "dropoff_deadline_too_early"),
    )
    rule = next((rule for is_broken, rule in broken if is_broken), "")
    if rule:
        raise WindowWrong(reason=rule, rule=rule)


def requirements_of(given: Json) -> Json:
    """What is asked for at the three legs. Their default is to meet at the door; where nothing is said we photograph,
    as for an order of our own."""
    door = given.get("dropoff_verification") or {}
    pin, identity = door.get("pincode") or {}, door.get("identification") or {}
    own, action, picture = pin.get("value") or "", given.get("deliverable_action"), door.get("picture")
    age = identity.get("min_age") or (21 if given.get("requires_id") else None)
    return {
        "requires_photo": action == LEAVE or (action != MEET if picture is None else picture),
        "requires_signature": _signed(door) or bool(given.get("requires_dropoff_signature")),
        "requires_pin": bool(pin.get("enabled", bool(own))),
        "pin_kind": Order.PinKind.OWN if own else Order.PinKind.RANDOM,
        "own_pin": own,
        "minimum_age": age_of(age),
        "requires_barcodes": bool(door.get("barcodes")),
        "pickup_photo": bool((given.get("pickup_verification") or {}).get("picture")),
        "pickup_signature": _signed(given.get("pickup_verification") or {}),
        "return_photo": bool((given.get("return_verification") or {}).get("picture")),
        "return_signature": _signed(given.get("return_verification") or {}),
    }


def age_of(age: int | None) -> int | None:
    """We ask for an ID of 18 or of 21; the stricter of what is near serves both."""
    return None if not age else 18 if age <= 18 else 21


def _signed(leg: Json) -> bool:
    return bool(leg.get("signature") or (leg.get("signature_requirement") or {}).get("enabled"))


def parcels_of(items: list[Json], reference: str | None, barcodes: Json) -> tuple[ParcelDraft, ...]:
    """What is carried, as parcels that bear those barcodes."""
    return packing.packed(
        [thing_of(item) for item in items],
        description=description_of(reference, items),
        barcodes=barcodes_of(barcodes),
    )


def items_of(items: list[Json]) -> tuple[ItemDraft, ...]:
    return tuple(
        ItemDraft(
            name=item["name"],
            quantity=item["quantity"],
            grams=item.get("weight") or None,
            **{
                ours: round(size)
                for ours, theirs in SIDES.items()
                if (size := (item.get("dimensions") or {}).get(theirs)) and round(size)
            },
            price_cents=item.get("price"),
        )
        for item in items
    )


def worth(items: list[Json]) -> int:
    return sum(item["quantity"] * (item.get("price") or 0) for item in items)


def thing_of(item: Json) -> packing.Thing:
    sides = [(item.get("dimensions") or {}).get(side) for side in ("length", "height", "depth")]
    litres = sides[0] * sides[1] * sides[2] / 1_000 if all(sides) else SIZES.get(item.get("size") or "")  # type: ignore[operator]
    return packing.Thing(quantity=item["quantity"], grams=item.get("weight") or None, litres=litres)


def fitted(parcels: tuple[ParcelDraft, ...], quoted: tuple[ParcelDraft, ...]) -> tuple[ParcelDraft, ...]:
    """The parcels in the classes that were quoted, where that changes no price: their quotes know no items."""
    if len(parcels) != len(quoted) or any(p.size not in FREE_SIZES for p in (*parcels, *quoted)):
        return parcels
    return tuple(
        dataclasses.replace(parcel, size=before.size, litres=Parcel.LITRES[Parcel.Size(parcel.size)])
        for parcel, before in zip(parcels, quoted, strict=True)
    )
