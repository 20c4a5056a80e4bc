"""What the seller's API of deliveries answers, as documented."""

from __future__ import annotations

from rest_framework import serializers

from deliveries.fees import FeeKind
from deliveries.models import Attempt, Incident, Order, Parcel, ProofOfDelivery, Scan, Stop
from retaildelivery.outbox.models import Fact
from retaildelivery.web import fields
from retaildelivery.web.fields import Output


class Reason(Output):
    field = serializers.CharField(allow_blank=True)
    code = serializers.CharField()
    message = serializers.CharField()


class FeeLineOut(Output):
    kind = serializers.ChoiceField(choices=[str(kind) for kind in FeeKind])
    cents = serializers.IntegerField()
    text = serializers.CharField()
    rule = serializers.CharField(help_text="The row of terms it follows from.")


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


class CounterRequirementsOut(Output):
    photo = serializers.BooleanField()
    signature = serializers.BooleanField()


class RequirementsOut(Output):
    photo = serializers.BooleanField()
    signature = serializers.BooleanField()
    pin = serializers.BooleanField()
    pin_kind = serializers.ChoiceField(choices=Order.PinKind.choices, allow_null=True)
    minimum_age = serializers.IntegerField(allow_null=True)
    barcodes = serializers.BooleanField()
    pickup = CounterRequirementsOut()

    def get_fields(self) -> dict[str, serializers.Field]:
        return super().get_fields() | {"return": CounterRequirementsOut()}


class ItemOut(Output):
    name = serializers.CharField()
    quantity = serializers.IntegerField()
    grams = serializers.IntegerField(allow_null=True)
    length_cm = serializers.IntegerField(allow_null=True)
    width_cm = serializers.IntegerField(allow_null=True)
    height_cm = serializers.IntegerField(allow_null=True)
    price = fields.Money(allow_null=True)
    barcode = serializers.CharField(allow_blank=True)


class ParcelOut(Output):
    code = serializers.CharField(help_text="What the label says.")
    number = serializers.IntegerField()
    description = serializers.CharField(allow_blank=True)
    barcodes = serializers.ListField(
        child=serializers.CharField(), help_text="Your own: any may be read in place of our label."
    )
    size = serializers.ChoiceField(choices=Parcel.Size.choices)
    litres = serializers.IntegerField()
    grams = serializers.IntegerField()
    status = serializers.ChoiceField(choices=Parcel.Status.choices)
    custodian = serializers.ChoiceField(choices=Parcel.Custodian.choices, help_text="Who holds it.")


class CourierOut(Output):
    first_name = serializers.CharField(allow_blank=True)
    vehicle = serializers.CharField(allow_blank=True)
    plate = serializers.CharField(allow_blank=True)


class CourierMet(CourierOut):
    phone = serializers.CharField(allow_blank=True, help_text="Masked but for the last two digits.")


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
    quote = serializers.CharField(allow_null=True, help_text="The quote whose price it has.")
    redelivery_of = serializers.CharField(allow_null=True, help_text="The order that came back.")
    items = ItemOut(many=True)
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


class BulkOutcome(Output):
    row = serializers.IntegerField(help_text="Its place in the request, from 0.")
    external_id = serializers.CharField(allow_blank=True)
    outcome = serializers.ChoiceField(choices=["created", "existing", "refused"])
    order = serializers.CharField(allow_null=True, help_text="The code of the order.")
    tracking_url = serializers.CharField(allow_null=True)
    code = serializers.CharField(allow_blank=True, help_text="Of the error; see /api/errors/.")
    message = serializers.CharField(allow_blank=True)
    reason = serializers.CharField(allow_blank=True)
    field_errors = Reason(many=True)


class BulkOut(Output):
    created = serializers.IntegerField()
    existing = serializers.IntegerField()
    refused = serializers.IntegerField()
    results = BulkOutcome(many=True)


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
    signer_relationship = serializers.ChoiceField(
        choices=ProofOfDelivery.Relationship.choices,
        allow_blank=True,
        help_text="Who that is to the recipient; empty where nobody signed.",
    )
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


class ScanMade(Output):
    at = serializers.DateTimeField()
    device_at = serializers.DateTimeField()
    latitude = serializers.FloatField(allow_null=True)
    longitude = serializers.FloatField(allow_null=True)
    accuracy_m = serializers.IntegerField(allow_null=True)
    parcel = serializers.CharField(allow_null=True)
    entered = serializers.CharField(allow_blank=True, help_text="What was read or typed.")
    stop = serializers.ChoiceField(choices=Stop.Kind.choices)
    outcome = serializers.ChoiceField(choices=Scan.Outcome.choices)
    method = serializers.ChoiceField(choices=Scan.Method.choices)
    by = serializers.ChoiceField(choices=["driver", "staff"])


class HandoverMade(Output):
    at = serializers.DateTimeField()
    stop = serializers.ChoiceField(choices=Stop.Kind.choices)
    confirmed_by = serializers.ChoiceField(choices=["staff", "key"])


class PinTry(Output):
    at = serializers.DateTimeField()
    reason = serializers.CharField()
    tries_left = serializers.IntegerField()


class IncidentTold(Output):
    at = serializers.DateTimeField()
    device_at = serializers.DateTimeField()
    latitude = serializers.FloatField(allow_null=True)
    longitude = serializers.FloatField(allow_null=True)
    accuracy_m = serializers.IntegerField(allow_null=True)
    kind = serializers.ChoiceField(choices=Incident.Kind.choices)
    fault = serializers.ChoiceField(choices=Incident.Fault.choices)
    note = serializers.CharField(allow_blank=True)


class CounterProofTold(Output):
    at = serializers.DateTimeField()
    device_at = serializers.DateTimeField()
    latitude = serializers.FloatField(allow_null=True)
    longitude = serializers.FloatField(allow_null=True)
    accuracy_m = serializers.IntegerField(allow_null=True)
    stop = serializers.ChoiceField(choices=Stop.Kind.choices)
    photo_sha256 = serializers.CharField(allow_null=True)
    signature_sha256 = serializers.CharField(allow_null=True)
    signed_by = serializers.CharField(allow_blank=True)


class ProofOut(Output):
    order = serializers.CharField()
    status = serializers.ChoiceField(choices=Order.Status.choices)
    delivery = DeliveryProof(allow_null=True)
    attempts = FailedAttempt(many=True)
    parcels = ParcelOut(many=True)
    scans = ScanMade(many=True)
    handovers = HandoverMade(many=True)
    counter_proofs = CounterProofTold(many=True, help_text="Photos and signatures at the store's counter.")
    pin_tries = PinTry(many=True, help_text="Wrong PINs at the door.")
    incidents = IncidentTold(many=True)


class PositionOut(Output):
    latitude = serializers.FloatField()
    longitude = serializers.FloatField()
    at = serializers.DateTimeField()


class ActionQuote(Output):
    action = serializers.ChoiceField(choices=["cancel", "return", "redeliver", "retime", "change_address"])
    allowed = serializers.BooleanField()
    reason = serializers.CharField(allow_blank=True, help_text="Why it is not allowed now.")
    fee = fields.Money(allow_null=True, help_text="What it costs now. Null when that is not known.")
    lines = FeeLineOut(many=True)
    until = serializers.DateTimeField(
        allow_null=True, help_text="This price holds that long, as far as plans tell."
    )
    fee_in_five_minutes = fields.Money(
        allow_null=True,
        help_text="At most, if the order has gone on by then. Null: perhaps not possible then.",
    )


class ActionQuotes(Output):
    order = serializers.CharField()
    status = serializers.ChoiceField(choices=Order.Status.choices)
    at = serializers.DateTimeField()
    results = ActionQuote(many=True)


class AddressOut(Output):
    line1 = serializers.CharField()
    line2 = serializers.CharField(allow_blank=True)
    city = serializers.CharField()
    region = serializers.CharField()
    postal_code = serializers.CharField()
    country = serializers.CharField()
    latitude = serializers.FloatField(allow_null=True)
    longitude = serializers.FloatField(allow_null=True)


class AddressJudged(Output):
    valid = serializers.BooleanField(help_text="Nothing is wrong with it, and somebody knows where it is.")
    address = AddressOut(help_text="As it would be kept.")
    located_by = serializers.CharField(allow_null=True, help_text="given, known or geocoder.")
    problems = Reason(many=True)


class Completions(Output):
    results = AddressOut(many=True)


class CourierNow(Output):
    courier = CourierMet(allow_null=True)
    position = PositionOut(allow_null=True, help_text="While the driver has the parcels.")
    eta_at = serializers.DateTimeField(allow_null=True)


class ServiceabilityOut(Output):
    serviceable = serializers.BooleanField()
    reasons = Reason(many=True)
    needs_location = serializers.BooleanField()
    distance_m = serializers.IntegerField(allow_null=True)
    fee = fields.Money(allow_null=True, help_text="With tax.")
    lines = FeeLineOut(many=True, help_text="What the fee consists of.")
    pickup_at = serializers.DateTimeField(allow_null=True, help_text="Estimate.")
    dropoff_at = serializers.DateTimeField(allow_null=True, help_text="Estimate.")


class QuoteOut(Output):
    code = serializers.CharField()
    store = serializers.CharField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(help_text="The price holds until then.")
    window = PromiseWindow()
    distance_m = serializers.IntegerField()
    fee = fields.Money(help_text="With tax.")
    tax = fields.Money(help_text="Part of the fee.")
    lines = FeeLineOut(many=True, help_text="What the fee consists of.")
    pickup_at = serializers.DateTimeField(help_text="Estimate.")
    dropoff_at = serializers.DateTimeField(help_text="Estimate.")
    used_at = serializers.DateTimeField(allow_null=True)
    order = serializers.CharField(allow_null=True, help_text="The order that was posted from it.")


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
