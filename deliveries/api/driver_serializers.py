"""What the driver's API of stops reads and writes."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.core.files.base import File
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from deliveries import photos
from deliveries.api.seller_serializers import PRINTABLE
from deliveries.evidence import Evidence
from deliveries.models import Attempt, Incident, Manifest, Order, Parcel, ProofOfDelivery, Scan, Stop
from drivers import limits as driver_limits
from retaildelivery.web.fields import (
    BOTH_COORDINATES,
    Choice,
    Flag,
    Input,
    Moment,
    Number,
    Output,
    QueryDecimal,
    Text,
    WholeNumber,
)

Json = dict[str, Any]
MOST_ACCURACY_M = 1_000_000


def check_both(attrs: Json) -> Json:
    """Raises ValidationError for half a position."""
    if (attrs.get("latitude") is None) != (attrs.get("longitude") is None):
        missing = "longitude" if attrs.get("longitude") is None else "latitude"
        raise ValidationError({missing: _("Give both coordinates or none.")}, code="required")
    return attrs


# -- Read --------------------------------------------------------------------------------------------------


class EvidenceIn(Input):
    """With every event: its own id, and when and where by the phone."""

    conditions = BOTH_COORDINATES

    client_event_id = Text(max_length=64, help_text="Made by the device; the same id again is harmless.")
    device_at = Moment(required=False, allow_null=True, help_text="Unless said: now. May be up to 48 h ago.")
    latitude = Number(required=False, allow_null=True, min_value=-90, max_value=90)
    longitude = Number(required=False, allow_null=True, min_value=-180, max_value=180)
    accuracy_m = Number(required=False, allow_null=True, min_value=0, max_value=MOST_ACCURACY_M)

    def validate(self, attrs: Json) -> Json:
        return check_both(attrs)


class ArrivalIn(EvidenceIn):
    """The driver is there."""


class ScanIn(EvidenceIn):
    code = Text(max_length=120, help_text="What was read or typed: our label, or the seller's own barcode.")
    method = Choice(choices=Scan.Method.choices, required=False, default=Scan.Method.TYPED)


class ProofIn(EvidenceIn):
    order = Text(
        max_length=16, required=False, allow_blank=True, default="", help_text="Empty: all at the door."
    )
    left_at = Choice(choices=ProofOfDelivery.LeftAt.choices)
    photo = Text(
        required=False,
        allow_blank=True,
        default="",
        help_text="Base64 or a data URL, JPEG, PNG or WebP. Larger ones as multipart/form-data.",
    )
    signature = Text(required=False, allow_blank=True, default="", help_text="As the photo.")
    signed_by = Text(max_length=120, required=False, allow_blank=True, default="", described=PRINTABLE)
    signer_relationship = Choice(
        choices=ProofOfDelivery.Relationship.choices,
        required=False,
        allow_blank=True,
        default="",
        help_text="Who that is to the recipient; said with every signature that an order asks for.",
    )
    pin = Text(
        max_length=8, required=False, allow_blank=True, default="", help_text="As told by the recipient."
    )
    age_checked = Flag(required=False, default=False)
    note = Text(max_length=300, required=False, allow_blank=True, default="", described=PRINTABLE)


class CounterProofIn(EvidenceIn):
    photo = Text(required=False, allow_blank=True, default="", help_text="Base64 or a data URL.")
    signature = Text(required=False, allow_blank=True, default="", help_text="As the photo.")
    signed_by = Text(max_length=120, required=False, allow_blank=True, default="", described=PRINTABLE)


class AttemptIn(EvidenceIn):
    order = Text(
        max_length=16, required=False, allow_blank=True, default="", help_text="Empty: all at the door."
    )
    reason = Choice(choices=Attempt.Reason.choices)
    note = Text(max_length=300, required=False, allow_blank=True, default="", described=PRINTABLE)
    photo = Text(required=False, allow_blank=True, default="", help_text="Base64 or a data URL.")


class IncidentIn(EvidenceIn):
    kind = Choice(choices=Incident.Kind.choices)
    parcel = Text(max_length=16, required=False, allow_blank=True, default="")
    note = Text(max_length=300, required=False, allow_blank=True, default="", described=PRINTABLE)
    photo = Text(required=False, allow_blank=True, default="", help_text="Base64 or a data URL.")


class EvidenceUpload(Input):
    """The same as a form: every value is text there."""

    conditions: ClassVar[Json] = {"dependentRequired": {"latitude": ["longitude"], "longitude": ["latitude"]}}

    client_event_id = serializers.CharField(max_length=64)
    device_at = Moment(required=False)
    latitude = QueryDecimal(required=False, min_value=-90, max_value=90)
    longitude = QueryDecimal(required=False, min_value=-180, max_value=180)
    accuracy_m = QueryDecimal(required=False, min_value=0, max_value=MOST_ACCURACY_M)
    photo = serializers.FileField(required=False)

    def validate(self, attrs: Json) -> Json:
        return check_both(attrs)


class ProofUpload(EvidenceUpload):
    order = serializers.CharField(max_length=16, required=False, allow_blank=True, default="")
    left_at = serializers.ChoiceField(choices=ProofOfDelivery.LeftAt.choices)
    signature = serializers.FileField(required=False)
    signed_by = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")
    signer_relationship = serializers.ChoiceField(
        choices=ProofOfDelivery.Relationship.choices, required=False, allow_blank=True, default=""
    )
    pin = serializers.CharField(max_length=8, required=False, allow_blank=True, default="")
    age_checked = serializers.BooleanField(required=False, default=False)
    note = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class CounterProofUpload(EvidenceUpload):
    signature = serializers.FileField(required=False)
    signed_by = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")


class AttemptUpload(EvidenceUpload):
    order = serializers.CharField(max_length=16, required=False, allow_blank=True, default="")
    reason = serializers.ChoiceField(choices=Attempt.Reason.choices)
    note = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class IncidentUpload(EvidenceUpload):
    kind = serializers.ChoiceField(choices=Incident.Kind.choices)
    parcel = serializers.CharField(max_length=16, required=False, allow_blank=True, default="")
    note = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class PingIn(Input):
    latitude = Number(min_value=-90, max_value=90)
    longitude = Number(min_value=-180, max_value=180)
    accuracy_m = Number(required=False, allow_null=True, min_value=0, max_value=MOST_ACCURACY_M)
    device_at = Moment()


class PositionsIn(Input):
    positions = PingIn(many=True, allow_empty=False, max_length=driver_limits.POSITIONS_PER_CALL)


def evidence(given: Json, *, at: Any) -> Evidence:
    """What the phone says with the event. The id is unique to this press, so an empty one is made up."""
    accuracy = given.get("accuracy_m")
    return Evidence(
        client_event_id=given.get("client_event_id") or uuid.uuid4().hex,
        device_at=given.get("device_at") or at,
        latitude=given.get("latitude"),
        longitude=given.get("longitude"),
        accuracy_m=None if accuracy is None else round(accuracy),
    )


def picture(given: Any) -> File[bytes] | None:
    """An upload, a data URL or bare base64 as a file; None for none. Raises PictureRefused."""
    if isinstance(given, str):
        return photos.from_data_url(
            given if not given or given.startswith("data:") else f"data:image/jpeg;base64,{given}"
        )
    return given


# -- Written -----------------------------------------------------------------------------------------------


class StopStoreOut(Output):
    code = serializers.CharField()
    name = serializers.CharField()
    unit = serializers.CharField(allow_blank=True)
    phone = serializers.CharField(allow_blank=True)
    pickup_note = serializers.CharField(allow_blank=True)


class StopRecipientOut(Output):
    name = serializers.CharField()
    phone = serializers.CharField()


class StopRequirementsOut(Output):
    photo = serializers.BooleanField()
    signature = serializers.BooleanField()
    pin = serializers.BooleanField(help_text="The recipient tells it at the door; it is never in this API.")
    minimum_age = serializers.IntegerField(allow_null=True)
    barcodes = serializers.BooleanField(help_text="Each label is read at the door first: POST …/scans.")


class StopCounterOut(Output):
    photo = serializers.BooleanField()
    signature = serializers.BooleanField()
    missing = serializers.ListField(
        child=serializers.ChoiceField(choices=["photo", "signature"]), help_text="PUT …/counter-proof."
    )


class StopParcelOut(Output):
    code = serializers.CharField()
    number = serializers.IntegerField()
    size = serializers.ChoiceField(choices=Parcel.Size.choices)
    grams = serializers.IntegerField()
    litres = serializers.IntegerField()
    description = serializers.CharField(allow_blank=True)
    barcodes = serializers.ListField(
        child=serializers.CharField(), help_text="The seller's own: any may be read in place of our label."
    )
    status = serializers.ChoiceField(choices=Parcel.Status.choices)
    scanned = serializers.BooleanField(help_text="Read at this stop and accepted.")


class StopOrderOut(Output):
    code = serializers.CharField()
    status = serializers.ChoiceField(choices=Order.Status.choices)
    open = serializers.BooleanField(help_text="Still to be handed over at the door.")
    recipient = StopRecipientOut()
    pickup_note = serializers.CharField(
        allow_blank=True,
        help_text="For the counter, of this order alone; the store has a `pickup_note` of its own.",
    )
    instructions = serializers.CharField(allow_blank=True)
    recipient_note = serializers.CharField(allow_blank=True)
    requirements = StopRequirementsOut()
    pin_tries_left = serializers.IntegerField(allow_null=True)
    undeliverable = serializers.ChoiceField(choices=Order.Undeliverable.choices)
    parcels = StopParcelOut(many=True)


class StopOut(Output):
    code = serializers.CharField()
    number = serializers.IntegerField()
    trip = serializers.IntegerField(
        help_text="Which trip of the block it is on: only stops of the manifest's present trip can be worked on, "
        "except returns, which are due at the mall before the loading of theirs."
    )
    kind = serializers.ChoiceField(choices=Stop.Kind.choices)
    status = serializers.ChoiceField(choices=Stop.Status.choices)
    store = StopStoreOut(allow_null=True)
    counter = StopCounterOut(help_text="What a store's counter gives besides the scans.")
    address = serializers.CharField()
    latitude = serializers.FloatField()
    longitude = serializers.FloatField()
    planned_at = serializers.DateTimeField()
    eta_at = serializers.DateTimeField()
    arrived_at = serializers.DateTimeField(allow_null=True)
    completed_at = serializers.DateTimeField(allow_null=True)
    handover_confirmed = serializers.BooleanField(help_text="Staff have read the driver's code here.")
    orders = StopOrderOut(many=True)


class ManifestOut(Output):
    code = serializers.CharField()
    status = serializers.ChoiceField(
        choices=Manifest.Status.choices,
        help_text="After the last door of a trip it is `loading` again when another follows: back to the mall.",
    )
    trip = serializers.IntegerField(help_text="Which trip is loaded or driven now, from 1 on.")
    mall = serializers.CharField()
    departed_at = serializers.DateTimeField(allow_null=True, help_text="When the first trip left the mall.")
    completed_at = serializers.DateTimeField(allow_null=True)
    stops = StopOut(many=True)


class ScanOut(Output):
    outcome = serializers.ChoiceField(choices=Scan.Outcome.choices)
    parcel = serializers.CharField(allow_null=True)
    stop = StopOut()


class PositionsOut(Output):
    received = WholeNumber()
