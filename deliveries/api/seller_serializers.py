"""What the seller's API of deliveries reads and writes. Whether it makes sense, `drafts.check` says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from deliveries import limits
from deliveries.drafts import AddressDraft, OrderDraft, ParcelDraft
from deliveries.models import Attempt, Order, Parcel, ProofOfDelivery, Scan
from retaildelivery.lib.geo import Point
from retaildelivery.outbox.models import Fact
from retaildelivery.web import fields, paging
from retaildelivery.web.fields import Choice, Flag, Input, Moment, Number, Output, Text, WholeNumber

BIG = 2_000_000_000  # whatever is above is refused by its own rule before it meets a column


# -- Read --------------------------------------------------------------------------------------------------


class WindowIn(Input):
    start = Moment()
    end = Moment()


class RecipientIn(Input):
    name = Text(max_length=120)
    phone = Text(max_length=40, help_text="As it is dialled in the US, or with +1.")
    email = Text(max_length=254, required=False, allow_blank=True, default="")
    locale = Choice(choices=[code for code, _name in settings.LANGUAGES], required=False, default="en")


class DropoffIn(Input):
    line1 = Text(max_length=120)
    line2 = Text(max_length=80, required=False, allow_blank=True, default="")
    city = Text(max_length=80)
    region = Text(max_length=40, help_text="State, two letters.")
    postal_code = Text(max_length=12, help_text="ZIP or ZIP+4.")
    country = Text(max_length=2, required=False, default="US")
    latitude = Number(required=False, allow_null=True, min_value=-90, max_value=90)
    longitude = Number(required=False, allow_null=True, min_value=-180, max_value=180)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if (attrs.get("latitude") is None) != (attrs.get("longitude") is None):
            missing = "longitude" if attrs.get("longitude") is None else "latitude"
            raise ValidationError({missing: _("Give both coordinates or none.")}, code="required")
        return attrs


class ParcelIn(Input):
    size = Choice(choices=Parcel.Size.choices)
    grams = WholeNumber(min_value=1, max_value=BIG)
    litres = WholeNumber(
        min_value=1,
        max_value=BIG,
        required=False,
        allow_null=True,
        help_text="Unless said, as the size class.",
    )
    description = Text(max_length=80, required=False, allow_blank=True, default="")


class RequirementsIn(Input):
    photo = Flag(required=False, default=True)
    signature = Flag(required=False, default=False)
    pin = Flag(required=False, default=False, help_text="The recipient is shown a PIN to tell the driver.")
    minimum_age = WholeNumber(
        required=False, allow_null=True, min_value=0, max_value=150, help_text="18 or 21."
    )


class MoneyIn(Input):
    cents = WholeNumber(min_value=0, max_value=BIG)
    currency = Text(max_length=3, required=False, default="USD")

    def validate_currency(self, value: str) -> str:
        if value != "USD":
            raise ValidationError(_("Amounts are in USD."), code="invalid")
        return value


class TipIn(MoneyIn):
    cents = WholeNumber(min_value=0, max_value=limits.TIP_CENTS)


class ValueIn(MoneyIn):
    cents = WholeNumber(min_value=0, max_value=limits.ORDER_VALUE_CENTS)


class OrderIn(Input):
    store = Text(max_length=12, required=False, help_text="May be left out with a key of one store.")
    external_id = Text(max_length=80, required=False, allow_blank=True, default="")
    ready_at = Moment(
        required=False, allow_null=True, help_text="Unless said: now and the store's usual time."
    )
    window = WindowIn()
    recipient = RecipientIn()
    dropoff = DropoffIn()
    instructions = Text(max_length=limits.INSTRUCTIONS_LENGTH, required=False, allow_blank=True, default="")
    parcels = ParcelIn(many=True, allow_empty=False, max_length=limits.PARCELS_PER_ORDER)
    requirements = RequirementsIn(required=False)
    undeliverable = Choice(choices=Order.Undeliverable.choices, required=False, default="return")
    declared_value = ValueIn(required=False)
    tip = TipIn(required=False)


class RevisionIn(Input):
    """What is to be otherwise; everything else stays."""

    ready_at = Moment(required=False)
    window = WindowIn(required=False)
    recipient = RecipientIn(required=False)
    dropoff = DropoffIn(required=False)
    instructions = Text(max_length=limits.INSTRUCTIONS_LENGTH, required=False, allow_blank=True)
    undeliverable = Choice(choices=Order.Undeliverable.choices, required=False)
    declared_value = ValueIn(required=False)


class OrdersQuery(paging.PageQuery):
    status = Choice(choices=Order.Status.choices, required=False)
    store = Text(max_length=12, required=False)
    external_id = Text(max_length=80, required=False)
    placed_from = Moment(required=False, help_text="Posted then or later.")
    placed_before = Moment(required=False)
    text = Text(
        max_length=100, required=False, help_text="Words of code, external id, name or first address line."
    )


class CancellationIn(Input):
    reason = Choice(choices=Order.CancelReason.choices)
    note = Text(max_length=200, required=False, allow_blank=True, default="")


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
    code = Text(max_length=120, help_text="The parcel's code as read from its label.")
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
        )
        for parcel in given
    )


def draft_of(given: Mapping[str, Any]) -> OrderDraft:
    """The body of POST /orders as the draft that the form makes too."""
    recipient = given["recipient"]
    requires = given.get("requirements") or {}
    return OrderDraft(
        external_id=given["external_id"],
        ready_at=given.get("ready_at"),
        window_start=given["window"]["start"],
        window_end=given["window"]["end"],
        recipient_name=recipient["name"],
        recipient_phone=recipient["phone"],
        recipient_email=recipient["email"],
        recipient_locale=recipient["locale"],
        address=address_of(given["dropoff"]),
        instructions=given["instructions"],
        parcels=parcels_of(given["parcels"]),
        requires_photo=requires.get("photo", True),
        requires_signature=requires.get("signature", False),
        requires_pin=requires.get("pin", False),
        minimum_age=requires.get("minimum_age"),
        undeliverable=given["undeliverable"],
        declared_value_cents=(given.get("declared_value") or {}).get("cents", 0),
        tip_cents=(given.get("tip") or {}).get("cents", 0),
    )


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
    return changes


# -- Written -----------------------------------------------------------------------------------------------


class PromiseWindow(Output):
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()


class RecipientOut(Output):
    name = serializers.CharField()
    phone = serializers.CharField(help_text="E.164.")
    email = serializers.CharField(allow_blank=True)


class DropoffOut(Output):
    line1 = serializers.CharField()
    line2 = serializers.CharField(allow_blank=True)
    city = serializers.CharField()
    region = serializers.CharField()
    postal_code = serializers.CharField()
    country = serializers.CharField()
    latitude = serializers.FloatField(allow_null=True)
    longitude = serializers.FloatField(allow_null=True)


class RequirementsOut(Output):
    photo = serializers.BooleanField()
    signature = serializers.BooleanField()
    pin = serializers.BooleanField()
    minimum_age = serializers.IntegerField(allow_null=True)


class ParcelOut(Output):
    code = serializers.CharField(help_text="What the label says.")
    number = serializers.IntegerField()
    description = serializers.CharField(allow_blank=True)
    size = serializers.ChoiceField(choices=Parcel.Size.choices)
    litres = serializers.IntegerField()
    grams = serializers.IntegerField()
    status = serializers.ChoiceField(choices=Parcel.Status.choices)
    custodian = serializers.ChoiceField(choices=Parcel.Custodian.choices, help_text="Who holds it.")


class CourierOut(Output):
    first_name = serializers.CharField(allow_blank=True)
    vehicle = serializers.CharField(allow_blank=True)
    plate = serializers.CharField(allow_blank=True)


class CancellationOut(Output):
    by = serializers.ChoiceField(choices=Fact.Actor.choices)
    reason = serializers.ChoiceField(choices=Order.CancelReason.choices)
    note = serializers.CharField(allow_blank=True)


class OrderOut(Output):
    """An order as the API, webhooks and the feed of events show it. The PIN is in none of them."""

    code = serializers.CharField()
    external_id = serializers.CharField(allow_blank=True)
    live_mode = serializers.BooleanField()
    status = serializers.ChoiceField(choices=Order.Status.choices)
    store = serializers.CharField()
    mall = serializers.CharField()
    seller = serializers.CharField()
    placed_at = serializers.DateTimeField()
    ready_at = serializers.DateTimeField()
    window = PromiseWindow()
    recipient = RecipientOut()
    dropoff = DropoffOut()
    needs_location = serializers.BooleanField(help_text="Nobody knows where the door is: PUT …/location.")
    instructions = serializers.CharField(allow_blank=True)
    recipient_note = serializers.CharField(allow_blank=True)
    requirements = RequirementsOut()
    undeliverable = serializers.ChoiceField(choices=Order.Undeliverable.choices)
    declared_value = fields.Money()
    tip = fields.Money()
    fee = fields.Money(allow_null=True)
    distance_m = serializers.IntegerField(allow_null=True)
    parcels = ParcelOut(many=True)
    eta_at = serializers.DateTimeField(allow_null=True)
    courier = CourierOut(allow_null=True)
    picked_up_at = serializers.DateTimeField(allow_null=True)
    delivered_at = serializers.DateTimeField(allow_null=True)
    cancelled_at = serializers.DateTimeField(allow_null=True)
    cancellation = CancellationOut(allow_null=True)
    failed_at = serializers.DateTimeField(allow_null=True)
    returned_at = serializers.DateTimeField(allow_null=True)
    tracking_url = serializers.CharField(help_text="For the recipient only: the page shows the PIN.")
    sequence = serializers.IntegerField(help_text="Number of the order's last event.")


class OrderPage(Output):
    results = OrderOut(many=True)
    next = serializers.CharField(allow_null=True)


class ActorOut(Output):
    kind = serializers.ChoiceField(choices=Fact.Actor.choices)
    name = serializers.CharField(allow_blank=True)


class TimelineEntry(Output):
    id = serializers.CharField()
    type = serializers.CharField()
    timestamp = serializers.DateTimeField()
    sequence = serializers.IntegerField(allow_null=True)
    actor = ActorOut()
    data = fields.Document()


class Timeline(Output):
    results = TimelineEntry(many=True)
    next = serializers.CharField(allow_null=True)


class DeliveryProof(Output):
    at = serializers.DateTimeField()
    device_at = serializers.DateTimeField()
    latitude = serializers.FloatField(allow_null=True)
    longitude = serializers.FloatField(allow_null=True)
    accuracy_m = serializers.IntegerField(allow_null=True)
    left_at = serializers.ChoiceField(choices=ProofOfDelivery.LeftAt.choices)
    signed_by = serializers.CharField(allow_blank=True)
    pin_matched = serializers.BooleanField()
    age_checked = serializers.BooleanField()
    note = serializers.CharField(allow_blank=True)
    photo_url = serializers.CharField(allow_null=True)
    photo_sha256 = serializers.CharField(allow_blank=True)
    signature_url = serializers.CharField(allow_null=True)


class FailedAttempt(Output):
    at = serializers.DateTimeField()
    device_at = serializers.DateTimeField()
    latitude = serializers.FloatField(allow_null=True)
    longitude = serializers.FloatField(allow_null=True)
    accuracy_m = serializers.IntegerField(allow_null=True)
    reason = serializers.ChoiceField(choices=Attempt.Reason.choices)
    note = serializers.CharField(allow_blank=True)
    photo_url = serializers.CharField(allow_null=True)


class ProofOut(Output):
    order = serializers.CharField()
    status = serializers.ChoiceField(choices=Order.Status.choices)
    delivery = DeliveryProof(allow_null=True)
    attempts = FailedAttempt(many=True)


class PositionOut(Output):
    latitude = serializers.FloatField()
    longitude = serializers.FloatField()
    at = serializers.DateTimeField()


class CourierNow(Output):
    courier = CourierOut(allow_null=True)
    position = PositionOut(allow_null=True, help_text="While the driver has the parcels.")
    eta_at = serializers.DateTimeField(allow_null=True)


class Reason(Output):
    field = serializers.CharField(allow_blank=True)
    code = serializers.CharField()
    message = serializers.CharField()


class ServiceabilityOut(Output):
    serviceable = serializers.BooleanField()
    reasons = Reason(many=True)
    needs_location = serializers.BooleanField()
    distance_m = serializers.IntegerField(allow_null=True)
    fee = fields.Money(allow_null=True)


class HandoverOut(Output):
    stop = serializers.CharField()
    kind = serializers.CharField()
    store = serializers.CharField()
    driver = CourierOut()
    at = serializers.DateTimeField()


class ReturnScanOut(Output):
    code = serializers.CharField()
    outcome = serializers.ChoiceField(choices=Scan.Outcome.choices)
    parcel = serializers.CharField(allow_null=True)
    order = serializers.CharField(allow_null=True)
    at = serializers.DateTimeField()
