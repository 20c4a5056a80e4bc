"""What a driver types: who they are, the car, the papers."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Callable
from typing import Any

import phonenumbers
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from drivers import limits
from drivers.models import Vehicle

OLDEST_CAR = 1990
# A paper that is valid for longer than this was typed wrong.
LONGEST_PAPER = dt.timedelta(days=20 * 366)


def check_printable(text: str) -> None:
    """Raises ValidationError for control characters and halves of surrogate pairs."""
    if any(unicodedata.category(sign) in {"Cc", "Cs"} for sign in text):
        raise ValidationError(_("Only printable characters, please."), code="not_printable")


def text(label: Any, length: int, **options: Any) -> forms.CharField:
    attrs = {"autocomplete": options.pop("autocomplete", "off")}
    return forms.CharField(
        label=label,
        max_length=length,
        validators=[check_printable],
        widget=forms.TextInput(attrs=attrs),
        **options,
    )


def capitalised(choices: Any) -> Callable[[], list[tuple[str, str]]]:
    """The choices as whole lines of a form, in the language of whoever looks."""
    return lambda: [(value, capfirst(str(label))) for value, label in choices]


class PersonForm(forms.Form):
    """Name and phone as the recipient and the store are told them."""

    name = text(_("Your name"), 120, autocomplete="name")
    phone = forms.CharField(
        label=_("Phone"),
        max_length=30,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"}),
        help_text=_("Operations and stores call it during a block."),
    )

    def clean_phone(self) -> str:
        try:
            number = phonenumbers.parse(self.cleaned_data["phone"], "US")
        except phonenumbers.NumberParseException as failure:
            raise ValidationError(_("This is not a phone number."), code="invalid_phone") from failure
        if not phonenumbers.is_possible_number(number) or not phonenumbers.is_valid_number(number):
            raise ValidationError(_("This is not a phone number."), code="invalid_phone")
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


class VehicleForm(forms.Form):
    """The car, so that no block is offered that does not fit in it."""

    kind = forms.ChoiceField(
        label=_("Kind of car"), choices=capitalised(Vehicle.Kind.choices), widget=forms.RadioSelect
    )
    make = text(_("Make"), 40)
    model = text(_("Model"), 40)
    year = forms.IntegerField(
        label=_("Year"), min_value=OLDEST_CAR, widget=forms.NumberInput(attrs={"inputmode": "numeric"})
    )
    colour = text(_("Colour"), 30)
    plate = text(_("Licence plate"), 12, help_text=_("Stores look for it at the kerb."))

    def __init__(self, *args: Any, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.newest = today.year + 1

    def clean_year(self) -> int:
        year: int = self.cleaned_data["year"]
        if year > self.newest:
            raise ValidationError(_("This car is not built yet."), code="future_year")
        return year

    def clean_plate(self) -> str:
        return self.cleaned_data["plate"].upper()


class ApplyForm(PersonForm, VehicleForm):
    """The first page of an application: who, where and with which car. Papers follow."""

    market = forms.ChoiceField(label=_("Where do you want to drive?"), widget=forms.RadioSelect)

    field_order = ("name", "phone", "market", "kind", "make", "model", "year", "colour", "plate")

    def __init__(self, *args: Any, markets: list[tuple[str, str]], today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, today=today, **kwargs)
        self.fields["market"].choices = markets  # type: ignore[attr-defined]


class DocumentForm(forms.Form):
    """One paper: its number, its last day, and a photo of it."""

    number = text(_("Number on it"), 40)
    expires_on = forms.DateField(
        label=_("Last day it is valid"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    file = forms.FileField(
        label=_("Photo or PDF of it"),
        help_text=_("All four corners, readable. JPEG, PNG, WebP or PDF, up to 8 MB."),
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp,application/pdf"}),
    )

    def __init__(self, *args: Any, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today

    def clean_expires_on(self) -> dt.date:
        day: dt.date = self.cleaned_data["expires_on"]
        if day < self.today:
            raise ValidationError(_("This paper has expired; bring a valid one."), code="expired")
        if day > self.today + LONGEST_PAPER:
            raise ValidationError(_("No paper is valid that long. Check the year."), code="too_far")
        return day

    def clean_file(self) -> UploadedFile:
        file: UploadedFile = self.cleaned_data["file"]
        if file.size is None or file.size > limits.DOCUMENT_BYTES:
            raise ValidationError(_("The file is larger than 8 MB."), code="too_large")
        kind = kind_of(file)
        if kind is None:
            raise ValidationError(_("This is not a JPEG, PNG, WebP or PDF."), code="wrong_kind")
        # Kept under what it is, not under what the sender calls it.
        file.name = f"paper.{kind}"
        return file


# What such a file begins with; the name and the browser's word prove nothing.
_BEGINNINGS = ((b"\xff\xd8\xff", "jpg"), (b"\x89PNG\r\n\x1a\n", "png"), (b"%PDF-", "pdf"))


def kind_of(file: UploadedFile) -> str | None:
    """Extension by the first bytes of the file, or None for what we do not take."""
    file.seek(0)
    head = file.read(12)
    file.seek(0)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    return next((kind for beginning, kind in _BEGINNINGS if head.startswith(beginning)), None)


class PreferencesForm(PersonForm):
    """What the driver may change at any time."""

    locale = forms.ChoiceField(label=_("Language of messages"), choices=settings.LANGUAGES)


class TokenForm(forms.Form):
    """A device or an app that may act for the driver."""

    name = text(_("Which device or app?"), 80)


class AppealForm(forms.Form):
    text = forms.CharField(
        label=_("What happened"),
        max_length=limits.APPEAL_TEXT,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("A person reads it, beside your scans, positions and the store's own times."),
    )
