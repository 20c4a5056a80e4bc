"""What a driver enters at a counter and at a door; position and the phone's clock come along as evidence."""

from __future__ import annotations

import hashlib
import re
import unicodedata
import uuid
from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from deliveries import photos, requirements
from deliveries.models import Attempt, Incident, ProofOfDelivery, Scan, Stop
from retaildelivery.lib import barcodes

WORST_ACCURACY_M = 100_000  # a phone that knows no more than its city
# What a driver may report of one parcel at a pickup, of the store, and anywhere else.
OF_A_PARCEL = [
    (Incident.Kind.SHORT, _("Missing: they cannot find the parcel")),
    (Incident.Kind.DAMAGED, _("The parcel is damaged")),
    (Incident.Kind.TOO_MUCH, _("The parcel does not fit in my car")),
]
OF_A_STORE = [
    (Incident.Kind.STORE_NOT_READY, _("The store is not ready (after 20 minutes)")),
    (Incident.Kind.STORE_CLOSED, _("The store is closed")),
]
ELSEWHERE = [
    (Incident.Kind.BREAKDOWN, _("Breakdown, crash or illness")),
    (Incident.Kind.LOST, _("A parcel is lost or stolen")),
    (Incident.Kind.OTHER, _("Something else")),
]


def check_printable(text: str) -> None:
    """Raises ValidationError for control characters (but new lines) and halves of surrogate pairs."""
    if any(unicodedata.category(sign) in {"Cc", "Cs"} and sign not in "\r\n\t" for sign in text):
        raise ValidationError(_("Only printable characters, please."), code="not_printable")


def capitalised(choices: Any) -> Callable[[], list[tuple[str, str]]]:
    """The choices as whole lines of a form, in the language of whoever looks."""
    return lambda: [(value, capfirst(str(label))) for value, label in choices]


def event_id(given: str, of: str) -> str:
    """The id of a press, and of what it was about if that was said; at most 64 signs."""
    return hashlib.sha256(f"{given}\n{barcodes.spelled(of)}".encode()).hexdigest() if of else given


class EvidenceForm(forms.Form):
    """Hidden in every form of a stop: which press of the button it is, when and where by the phone."""

    client_event_id = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    device_at = forms.DateTimeField(required=False, widget=forms.HiddenInput)
    lat = forms.FloatField(required=False, min_value=-90, max_value=90, widget=forms.HiddenInput)
    lng = forms.FloatField(required=False, min_value=-180, max_value=180, widget=forms.HiddenInput)
    accuracy_m = forms.FloatField(required=False, min_value=0, widget=forms.HiddenInput)

    def evidence(self, of: str = "") -> dict[str, Any]:
        """Fields of `Evidence`; a position is there with both coordinates or not at all."""
        given = self.cleaned_data
        here = given.get("lat") is not None and given.get("lng") is not None
        accuracy = given.get("accuracy_m")
        return {
            "client_event_id": event_id(given.get("client_event_id") or uuid.uuid4().hex, of),
            "device_at": given.get("device_at"),
            "latitude": given["lat"] if here else None,
            "longitude": given["lng"] if here else None,
            "accuracy_m": min(round(accuracy), WORST_ACCURACY_M) if here and accuracy is not None else None,
        }


class ScanForm(EvidenceForm):
    code = forms.CharField(label=_("Parcel code or barcode"), max_length=120, validators=[check_printable])
    method = forms.ChoiceField(choices=Scan.Method.choices, required=False)

    def clean_method(self) -> str:
        return self.cleaned_data["method"] or Scan.Method.TYPED


class ReportForm(EvidenceForm):
    """Something is wrong with a parcel, at the counter, or on the way."""

    kind = forms.ChoiceField(label=_("What is wrong?"), widget=forms.RadioSelect)
    parcel = forms.ChoiceField(label=_("Which parcel?"), required=False)
    note = forms.CharField(
        label=_("Note"),
        max_length=300,
        required=False,
        validators=[check_printable],
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, stop_kind: str, parcels: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        at_pickup = stop_kind == Stop.Kind.PICKUP
        self.fields["kind"].choices = [*OF_A_PARCEL, *OF_A_STORE] if at_pickup else ELSEWHERE  # type: ignore[attr-defined]
        self.fields["parcel"].choices = [("", _("None in particular")), *parcels]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("kind") in dict(OF_A_PARCEL) and not given.get("parcel"):
            self.add_error("parcel", ValidationError(_("Say which parcel it is."), code="required"))
        return given


class ProofForm(EvidenceForm):
    """What is given at the door. Which of it is needed is the order's to say, and the verb's to insist on."""

    order = forms.CharField(required=False, max_length=16, widget=forms.HiddenInput)
    left_at = forms.ChoiceField(
        label=_("Where is it now?"),
        choices=capitalised(ProofOfDelivery.LeftAt.choices),
        widget=forms.RadioSelect,
    )
    photo = forms.FileField(label=_("Photo"), required=False)
    signature = forms.CharField(required=False, widget=forms.HiddenInput)
    # Without JavaScript nobody can draw; then it is signed on paper.
    signature_photo = forms.FileField(label=_("Photo of the signature"), required=False)
    signed_by = forms.CharField(
        label=_("Who signed?"), max_length=120, required=False, validators=[check_printable]
    )
    signer_relationship = forms.ChoiceField(
        label=_("Who is that?"),
        choices=capitalised(ProofOfDelivery.Relationship.choices),
        required=False,
        widget=forms.RadioSelect,
    )
    pin = forms.CharField(label=_("PIN"), max_length=4, required=False)
    age_checked = forms.BooleanField(label=_("I saw their ID and they are old enough"), required=False)
    note = forms.CharField(label=_("Note"), max_length=300, required=False, validators=[check_printable])

    def offer_places(self, *, person: bool, signature: bool) -> None:
        """Show only the places that can count: a PIN and an ID are shown in person, a person signs."""
        allowed = {requirements.IN_HAND} if person else requirements.STAFFED if signature else None
        field = self.fields["left_at"]
        assert isinstance(field, forms.ChoiceField)
        every = list(field.choices)
        field.choices = [(value, label) for value, label in every if allowed is None or value in allowed]

    def clean_signature(self) -> File[bytes] | None:
        try:
            return photos.from_data_url(self.cleaned_data["signature"])
        except photos.PictureRefused as refusal:
            raise ValidationError(refusal.message, code=refusal.code) from refusal

    def clean_pin(self) -> str:
        pin: str = self.cleaned_data["pin"]
        if pin and not re.fullmatch(r"[0-9]{4}", pin):
            raise ValidationError(_("A PIN has four digits."), code="invalid_pin")
        return pin

    def proof(self) -> dict[str, Any]:
        names = (
            "left_at",
            "photo",
            "signature",
            "signed_by",
            "signer_relationship",
            "pin",
            "age_checked",
            "note",
        )
        given = {name: self.cleaned_data[name] for name in names}
        return given | {"signature": given["signature"] or self.cleaned_data["signature_photo"]}


class CounterProofForm(EvidenceForm):
    """A photo of what passed over the counter, and who of the staff signed for it."""

    photo = forms.FileField(label=_("Photo"), required=False)
    signature = forms.CharField(required=False, widget=forms.HiddenInput)
    signature_photo = forms.FileField(label=_("Photo of the signature"), required=False)
    signed_by = forms.CharField(
        label=_("Who signed?"), max_length=120, required=False, validators=[check_printable]
    )

    clean_signature = ProofForm.clean_signature

    def proof(self) -> dict[str, Any]:
        given = self.cleaned_data
        return {
            "photo": given["photo"],
            "signature": given["signature"] or given["signature_photo"],
            "signed_by": given["signed_by"],
        }


class AttemptForm(EvidenceForm):
    """The door that did not work, and why."""

    order = forms.CharField(required=False, max_length=16, widget=forms.HiddenInput)
    reason = forms.ChoiceField(
        label=_("What happened?"), choices=capitalised(Attempt.Reason.choices), widget=forms.RadioSelect
    )
    note = forms.CharField(label=_("Note"), max_length=300, required=False, validators=[check_printable])
    # Its own name: both forms of a door are on one page.
    door_photo = forms.FileField(label=_("Photo"), required=False)


class PositionForm(forms.Form):
    """Where the phone is, while a block is at work."""

    lat = forms.FloatField(min_value=-90, max_value=90)
    lng = forms.FloatField(min_value=-180, max_value=180)
    accuracy_m = forms.FloatField(required=False, min_value=0)
    device_at = forms.DateTimeField(required=False)
