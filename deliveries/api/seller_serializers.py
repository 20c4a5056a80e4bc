"""What the seller's API of deliveries reads and writes. Whether it makes sense, `drafts.check` says."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from deliveries import limits
from deliveries.api.sandbox_serializers import RehearsalIn
from deliveries.drafts import AGES, COUNTRY, REGIONS, AddressDraft, ItemDraft, OrderDraft, ParcelDraft
from deliveries.models import Order, Parcel, Scan
from retaildelivery.lib.geo import Point
from retaildelivery.web import fields
from retaildelivery.web.fields import Choice, Flag, Input, Moment, Number, Text, WholeNumber

BIG = 2_000_000_000  # whatever is above is refused by its own rule before it meets a column

# What `drafts.check` says of these texts, for the document.
_UNPRINTABLE = r"\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufffe\uffff"
PRINTABLE = {"pattern": f"^[^{_UNPRINTABLE}]*$"}
NAMED = {"pattern": rf"^[^{_UNPRINTABLE}]*[^\s{_UNPRINTABLE}][^{_UNPRINTABLE}]*$"}
STATE = {
    "pattern": "^("
    + "|".join("".join(f"[{each}{each.lower()}]" for each in state) for state in sorted(REGIONS))
    + ")$"
}
EMAIL = {"anyOf": [{"format": "email"}, {"maxLength": 0}]}
ZIP = {"pattern": "^[0-9]{5}(-[0-9]{4})?$"}


class WindowIn(Input):
    start = Moment()
    end = Moment()


class RecipientIn(Input):
    name = Text(max_length=120, described=NAMED)
    phone = Text(max_length=40, help_text="As it is dialled in the US, or with +1.")
    email = Text(max_length=254, required=False, allow_blank=True, default="", described=EMAIL)
    locale = Choice(choices=[code for code, _name in settings.LANGUAGES], required=False, default="en")


class DropoffIn(Input):
    conditions = fields.BOTH_COORDINATES

    line1 = Text(max_length=120, described=NAMED)
    line2 = Text(max_length=80, required=False, allow_blank=True, default="", described=PRINTABLE)
    city = Text(max_length=80, described=NAMED)
    region = Text(max_length=40, help_text="State, two letters.", described=STATE)
    postal_code = Text(max_length=12, help_text="ZIP or ZIP+4.", described=ZIP)
    country = Text(max_length=2, required=False, default="US", described={"enum": [COUNTRY]})
    latitude = Number(required=False, allow_null=True, min_value=-90, max_value=90)
    longitude = Number(required=False, allow_null=True, min_value=-180, max_value=180)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if (attrs.get("latitude") is None) != (attrs.get("longitude") is None):
            missing = "longitude" if attrs.get("longitude") is None else "latitude"
            raise ValidationError({missing: _("Give both coordinates or none.")}, code="required")
        return attrs


class ParcelIn(Input):
    size = Choice(choices=Parcel.Size.choices)
    grams = WholeNumber(min_value=1, max_value=BIG, described={"maximum": limits.PARCEL_GRAMS})
    litres = WholeNumber(
        min_value=1,
        max_value=BIG,
        required=False,
        allow_null=True,
        described={"maximum": limits.PARCEL_LITRES},
        help_text="Unless said, as the size class.",
    )
    description = Text(max_length=80, required=False, allow_blank=True, default="", described=PRINTABLE)
    barcodes = serializers.ListField(
        child=Text(max_length=limits.BARCODE_LENGTH, described=PRINTABLE),
        required=False,
        max_length=limits.BARCODES_PER_PARCEL,
        help_text="Your own, on the parcel; any of them may be read in place of our label. Of this parcel alone: the "
        "number of a carton, not that of an article.",
    )


class CounterRequirementsIn(Input):
    photo = Flag(required=False, default=False, help_text="Of what passes over the counter.")
    signature = Flag(required=False, default=False, help_text="Of the store's staff, with their name.")


class RequirementsIn(Input):
    """At the door; `pickup` and `return` at the store's counter, where every label is read and the driver shows a
    code of six digits whatever is asked for."""

    photo = Flag(required=False, default=True)
    signature = Flag(required=False, default=False)
    pin = Flag(required=False, default=False, help_text="The recipient is shown a PIN to tell the driver.")
    pin_kind = Choice(
        choices=Order.PinKind.choices,
        required=False,
        default=Order.PinKind.RANDOM,
        help_text="`random`; `phone`: the last four digits of the recipient's; `own`: yours, in `own_pin`.",
    )
    own_pin = Text(
        max_length=4,
        required=False,
        help_text="Four digits. Never shown again, nor to the driver.",
        described={"pattern": "^[0-9]{4}$"},
    )
    minimum_age = WholeNumber(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=150,
        help_text="18 or 21.",
        described={"enum": [*AGES, None]},
    )
    barcodes = Flag(required=False, default=False, help_text="Every label is read at the door.")
    pickup = CounterRequirementsIn(required=False)

    def get_fields(self) -> dict[str, Any]:
        # A keyword cannot be the name of an attribute.
        return super().get_fields() | {"return": CounterRequirementsIn(required=False)}


class ItemIn(Input):
    name = Text(max_length=120, described=NAMED)
    quantity = WholeNumber(min_value=1, max_value=limits.ITEM_QUANTITY, required=False, default=1)
    grams = WholeNumber(min_value=1, max_value=BIG, required=False, allow_null=True, help_text="Of one.")
    length_cm = WholeNumber(min_value=1, max_value=1_000, required=False, allow_null=True)
    width_cm = WholeNumber(min_value=1, max_value=1_000, required=False, allow_null=True)
    height_cm = WholeNumber(min_value=1, max_value=1_000, required=False, allow_null=True)
    price_cents = WholeNumber(
        min_value=0, max_value=BIG, required=False, allow_null=True, help_text="Of one."
    )
    barcode = Text(max_length=64, required=False, allow_blank=True, default="", described=PRINTABLE)


class MoneyIn(Input):
    cents = WholeNumber(min_value=0, max_value=BIG)
    currency = Text(max_length=3, required=False, default="USD", described={"enum": ["USD"]})

    def validate_currency(self, value: str) -> str:
        if value != "USD":
            raise ValidationError(_("Amounts are in USD."), code="invalid")
        return value


class TipIn(MoneyIn):
    cents = WholeNumber(min_value=0, max_value=limits.TIP_CENTS)


class ValueIn(MoneyIn):
    cents = WholeNumber(min_value=0, max_value=limits.ORDER_VALUE_CENTS)


ALL_OF_AN_ORDER = ("window", "recipient", "dropoff", "parcels")


def _without(*names: str) -> dict[str, Any]:
    return {"properties": {name: {"not": {}} for name in names}}


class OrderIn(Input):
    conditions: ClassVar[dict[str, Any]] = {
        "anyOf": [
            {"required": list(ALL_OF_AN_ORDER), **_without("quote", "promise", "slot_hold")},
            {"required": ["quote"], **_without("promise", "slot_hold")},
            {"required": ["promise"], **_without("quote", "slot_hold")},
            {"required": ["slot_hold", *ALL_OF_AN_ORDER[1:]], **_without("quote", "promise")},
        ]
    }

    store = Text(max_length=12, required=False, help_text="May be left out with a key of one store.")
    external_id = Text(max_length=80, required=False, allow_blank=True, default="", described=PRINTABLE)
    ready_at = Moment(
        required=False, allow_null=True, help_text="Unless said: now and the store's usual time."
    )
    quote = Text(
        max_length=12,
        required=False,
        help_text="Whose price is to hold. What it says already may be left out, and must be the same if not.",
    )
    promise = Text(max_length=1_000, required=False, help_text="The token of a promise, in place of a quote.")
    slot_hold = Text(
        max_length=12, required=False, help_text="A place held in a slot, whose window the order gets."
    )
    window = WindowIn(required=False, help_text="Needed without a quote, a promise or a place in a slot.")
    recipient = RecipientIn(required=False, help_text="Needed unless the quote says it.")
    dropoff = DropoffIn(required=False, help_text="Needed without a quote.")
    instructions = Text(
        max_length=limits.INSTRUCTIONS_LENGTH,
        required=False,
        allow_blank=True,
        default="",
        described=PRINTABLE,
    )
    parcels = ParcelIn(
        many=True,
        required=False,
        allow_empty=False,
        max_length=limits.PARCELS_PER_ORDER,
        help_text="Needed without a quote.",
    )
    items = ItemIn(many=True, required=False, max_length=limits.ITEMS_PER_ORDER)
    requirements = RequirementsIn(required=False)
    undeliverable = Choice(choices=Order.Undeliverable.choices, required=False)
    declared_value = ValueIn(required=False)
    tip = TipIn(required=False)
    sandbox = RehearsalIn(required=False, help_text="Test keys only.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        named = [name for name in ("quote", "promise", "slot_hold") if name in attrs]
        if len(named) > 1:
            raise ValidationError(
                {named[1]: [_("Only one of quote, promise and slot_hold.")]}, code="too_many"
            )
        if not named or named == ["slot_hold"]:
            wanted = ALL_OF_AN_ORDER[1:] if named else ALL_OF_AN_ORDER
            lacking = [name for name in wanted if name not in attrs]
            if lacking:
                needed = self.fields["window"].error_messages["required"]
                raise ValidationError(
                    {name: [serializers.ErrorDetail(needed, code="required")] for name in lacking}
                )
        return attrs


class BulkOrderIn(OrderIn):
    """An order of POST /orders/bulk: with a number of the seller's, and without a quote."""

    conditions: ClassVar[dict[str, Any]] = {"allOf": [{"required": list(ALL_OF_AN_ORDER)}]}

    quote = promise = slot_hold = None  # type: ignore[assignment]
    external_id = Text(max_length=80, described=NAMED)


class BulkDocument(Input):
    # A row that is not as it should be is refused by itself, and the others are taken.
    conditions: ClassVar[dict[str, Any]] = {
        "properties": {
            "orders": {
                "type": "array",
                "items": {
                    "anyOf": [
                        {"$ref": "#/components/schemas/BulkOrderInRequest"},
                        {"$ref": "#/components/schemas/Anything"},
                    ]
                },
                "minItems": 1,
                "maxItems": limits.BULK_ORDERS,
            }
        }
    }

    orders = BulkOrderIn(many=True, allow_empty=False, max_length=limits.BULK_ORDERS)


class BulkIn(Input):
    """Read row by row, so that one bad row is one bad row."""

    orders = serializers.ListField(
        child=fields.Document(allow_null=True), allow_empty=False, max_length=limits.BULK_ORDERS
    )


class QuoteIn(Input):
    """The delivery as it would be posted. Who receives it, and the rest, may be said now or with the order."""

    conditions: ClassVar[dict[str, Any]] = {"anyOf": [{"required": ["window"]}, {"required": ["slot"]}]}

    slot = Text(max_length=30, required=False, help_text="A code from GET /slots, in place of a window.")
    store = Text(max_length=12, required=False, help_text="May be left out with a key of one store.")
    external_id = Text(max_length=80, required=False, allow_blank=True, default="", described=PRINTABLE)
    ready_at = Moment(
        required=False, allow_null=True, help_text="Unless said: now and the store's usual time."
    )
    window = WindowIn(required=False, help_text="Needed without a slot.")
    dropoff = DropoffIn()
    parcels = ParcelIn(many=True, allow_empty=False, max_length=limits.PARCELS_PER_ORDER)
    recipient = RecipientIn(required=False)
    instructions = Text(
        max_length=limits.INSTRUCTIONS_LENGTH,
        required=False,
        allow_blank=True,
        default="",
        described=PRINTABLE,
    )
    items = ItemIn(many=True, required=False, max_length=limits.ITEMS_PER_ORDER)
    requirements = RequirementsIn(required=False)
    undeliverable = Choice(choices=Order.Undeliverable.choices, required=False)
    declared_value = ValueIn(required=False)
    tip = TipIn(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "slot" not in attrs and "window" not in attrs:
            needed = self.fields["window"].error_messages["required"]
            raise ValidationError({"window": [serializers.ErrorDetail(needed, code="required")]})
        return attrs


class CounterRevisionIn(Input):
    photo = Flag(required=False)
    signature = Flag(required=False)


class RequirementsRevisionIn(Input):
    """Of what is asked for at the door and the counters, what is to be otherwise."""

    photo = Flag(required=False)
    signature = Flag(required=False)
    pin = Flag(required=False, help_text="A PIN that follows from what is changed is a new one.")
    pin_kind = Choice(choices=Order.PinKind.choices, required=False)
    own_pin = Text(max_length=4, required=False, described={"pattern": "^[0-9]{4}$"})
    minimum_age = WholeNumber(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=150,
        help_text="18 or 21; null for none.",
        described={"enum": [*AGES, None]},
    )
    barcodes = Flag(required=False)
    pickup = CounterRevisionIn(required=False)

    def get_fields(self) -> dict[str, Any]:
        return super().get_fields() | {"return": CounterRevisionIn(required=False)}


class ParcelRevisionIn(Input):
    number = WholeNumber(
        min_value=1, max_value=limits.PARCELS_PER_ORDER, help_text="1 of the order's parcels, 2 of …"
    )
    barcodes = serializers.ListField(
        child=Text(max_length=limits.BARCODE_LENGTH, described=PRINTABLE),
        max_length=limits.BARCODES_PER_PARCEL,
    )


class RevisionIn(Input):
    """What is to be otherwise; everything else stays."""

    ready_at = Moment(required=False)
    window = WindowIn(required=False)
    recipient = RecipientIn(required=False)
    dropoff = DropoffIn(required=False)
    instructions = Text(
        max_length=limits.INSTRUCTIONS_LENGTH, required=False, allow_blank=True, described=PRINTABLE
    )
    parcels = ParcelRevisionIn(
        many=True, required=False, allow_empty=False, max_length=limits.PARCELS_PER_ORDER
    )
    requirements = RequirementsRevisionIn(required=False)
    undeliverable = Choice(choices=Order.Undeliverable.choices, required=False)
    declared_value = ValueIn(required=False)


class CancellationIn(Input):
    reason = Choice(choices=Order.CancelReason.choices)
    note = Text(max_length=200, required=False, allow_blank=True, default="", described=PRINTABLE)


class LocationIn(Input):
    latitude = Number(min_value=-90, max_value=90)
    longitude = Number(min_value=-180, max_value=180)


class ServiceabilityIn(Input):
    store = Text(max_length=12, required=False, help_text="May be left out with a key of one store.")
    dropoff = DropoffIn()
    window = WindowIn(required=False)
    parcels = ParcelIn(many=True, required=False, allow_empty=False, max_length=limits.PARCELS_PER_ORDER)


class HandoverIn(Input):
    driver_code = Text(max_length=12, help_text="The six digits on the driver's phone now.")
    stop = Text(max_length=12, required=False, help_text="Unless said: the stop where this driver waits.")
    store = Text(max_length=12, required=False)


class ReturnScanIn(Input):
    code = Text(max_length=120, help_text="As read from its label, or your own barcode on it.")
    stop = Text(max_length=12, required=False, help_text="Unless said: where this parcel is due back.")
    method = Choice(choices=Scan.Method.choices, required=False, default=Scan.Method.WEDGE)
    client_event_id = Text(max_length=64, help_text="The same for a repeat of the same scan.")
    scanned_at = Moment(required=False, help_text="By the scanner's clock.")


def address_of(given: Mapping[str, Any]) -> AddressDraft:
    point = None
    if given.get("latitude") is not None:
        point = Point(given["latitude"], given["longitude"])
    return AddressDraft(
        line1=given["line1"],
        line2=given["line2"],
        city=given["city"],
        region=given["region"],
        postal_code=given["postal_code"],
        country=given["country"],
        point=point,
    )


def parcels_of(given: list[Mapping[str, Any]]) -> tuple[ParcelDraft, ...]:
    return tuple(
        ParcelDraft(
            size=parcel["size"],
            grams=parcel["grams"],
            litres=parcel.get("litres"),
            description=parcel["description"],
            barcodes=tuple(parcel.get("barcodes", ())),
        )
        for parcel in given
    )


NOTHING = OrderDraft(
    external_id="",
    ready_at=None,
    window_start=None,
    window_end=None,
    recipient_name="",
    recipient_phone="",
    recipient_email="",
    recipient_locale="en",
    address=AddressDraft("", "", "", "", ""),
    instructions="",
    parcels=(),
)


def requirements_of(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What is asked for at the door and at the counters, as fields of the draft."""
    said: dict[str, Any] = {
        f"requires_{name}": asked[name] for name in ("photo", "signature", "pin", "barcodes")
    }
    said |= {"pin_kind": asked["pin_kind"], "own_pin": asked.get("own_pin", "")}
    said["minimum_age"] = asked.get("minimum_age")
    for leg in ("pickup", "return"):
        said |= {f"{leg}_{name}": value for name, value in asked.get(leg, {}).items()}
    return said


def draft_of(given: Mapping[str, Any], *, base: OrderDraft = NOTHING) -> OrderDraft:
    """A body of POST /orders or /quotes as the draft that the form makes too; what it leaves out is as in `base`."""
    said: dict[str, Any] = {
        name: given[name] for name in ("external_id", "ready_at", "instructions") if given.get(name)
    }
    if "window" in given:
        said |= {"window_start": given["window"]["start"], "window_end": given["window"]["end"]}
    if "recipient" in given:
        said |= {f"recipient_{name}": value for name, value in given["recipient"].items()}
    if "dropoff" in given:
        said["address"] = address_of(given["dropoff"])
    if "parcels" in given:
        said["parcels"] = parcels_of(given["parcels"])
    if "requirements" in given:
        said |= requirements_of(given["requirements"])
    if "items" in given:
        said["items"] = tuple(ItemDraft(**item) for item in given["items"])
    if "undeliverable" in given:
        said["undeliverable"] = given["undeliverable"]
    for name in ("declared_value", "tip"):
        if name in given:
            said[f"{name}_cents"] = given[name]["cents"]
    return dataclasses.replace(base, **said)


def changes_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """The body of PATCH /orders/{code} as fields of the draft."""
    changes: dict[str, Any] = {
        name: given[name] for name in ("ready_at", "instructions", "undeliverable") if name in given
    }
    if "window" in given:
        changes |= {"window_start": given["window"]["start"], "window_end": given["window"]["end"]}
    if "recipient" in given:
        changes |= {f"recipient_{name}": value for name, value in given["recipient"].items()}
    if "dropoff" in given:
        changes["address"] = address_of(given["dropoff"])
    if "declared_value" in given:
        changes["declared_value_cents"] = given["declared_value"]["cents"]
    if "parcels" in given:
        changes["barcodes"] = {each["number"]: tuple(each["barcodes"]) for each in given["parcels"]}
    return changes | requirements_changed(given.get("requirements", {}))


def requirements_changed(asked: Mapping[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {
        f"requires_{name}": asked[name] for name in ("photo", "signature", "pin", "barcodes") if name in asked
    }
    changes |= {name: asked[name] for name in ("pin_kind", "own_pin", "minimum_age") if name in asked}
    if asked.get("pin_kind", Order.PinKind.OWN) != Order.PinKind.OWN:
        changes.setdefault("own_pin", "")
    for leg in ("pickup", "return"):
        changes |= {f"{leg}_{name}": value for name, value in asked.get(leg, {}).items()}
    return changes
