"""What a driver enters about offers and blocks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from drivers.forms import capitalised
from drivers.limits import ADJUSTMENT_CENTS
from drivers.models import Dispute, PayoutAccount
from offers.limits import TOLL_CENTS
from offers.models import Decline
from retaildelivery.lib import codes


class DeclineForm(forms.Form):
    reason = forms.ChoiceField(
        label=_("Why not? It never counts against you."),
        choices=capitalised(Decline.Reason.choices),
        initial=Decline.Reason.OTHER,
        required=False,
    )

    def clean_reason(self) -> str:
        return self.cleaned_data["reason"] or Decline.Reason.OTHER


class CheckInForm(forms.Form):
    """The position comes by itself when the phone has one; the desk's code is for when it has none."""

    lat = forms.FloatField(required=False, min_value=-90, max_value=90, widget=forms.HiddenInput)
    lng = forms.FloatField(required=False, min_value=-180, max_value=180, widget=forms.HiddenInput)
    accuracy_m = forms.FloatField(required=False, min_value=0, max_value=1_000_000, widget=forms.HiddenInput)
    desk_code = forms.CharField(
        label=_("Code of the mall's desk"),
        max_length=20,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
        help_text=_("Ask at the mall's desk; they say six signs."),
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        accuracy = given.get("accuracy_m")
        given["accuracy_m"] = None if accuracy is None else round(accuracy)
        return given


class LateForm(forms.Form):
    minutes = forms.ChoiceField(
        label=_("When will you be there?"),
        choices=[
            ("10", _("10 minutes after the start")),
            ("15", _("15 minutes after the start")),
            ("19", _("19 minutes after the start")),
        ],
        initial="10",
    )


class HandOverForm(forms.Form):
    driver = forms.CharField(
        label=_("Code of the other driver"),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
        help_text=_("They find it at the top of their page Me."),
    )

    def clean_driver(self) -> str:
        return codes.normalise(self.cleaned_data["driver"])


class BankForm(forms.Form):
    holder = forms.CharField(label=_("Name on the account"), max_length=80)
    kind = forms.ChoiceField(label=_("Kind of account"), choices=capitalised(PayoutAccount.Kind.choices[:2]))
    routing = forms.CharField(
        label=_("Routing number"), max_length=9, widget=forms.TextInput(attrs={"inputmode": "numeric"})
    )
    number = forms.CharField(
        label=_("Account number"),
        max_length=17,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )


class StripeForm(forms.Form):
    """Where pay goes when it goes by Stripe."""

    holder = forms.CharField(label=_("Your name at Stripe"), max_length=80)
    number = forms.CharField(
        label=_("Account at Stripe"),
        max_length=60,
        help_text=_("Begins with acct_; Stripe shows it under your profile."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "acct_…"}),
    )


class TollForm(forms.Form):
    what = forms.CharField(label=_("Which road or bridge"), max_length=80)
    amount = forms.DecimalField(
        label=_("Amount in dollars"),
        min_value=Decimal("0.01"),
        max_value=Decimal(TOLL_CENTS) / 100,
        decimal_places=2,
    )
    receipt = forms.FileField(
        label=_("Photo of the receipt"),
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
    )


class TripForm(forms.Form):
    what = forms.CharField(label=_("Why the way was needed"), max_length=80)
    minutes = forms.IntegerField(label=_("Minutes"), min_value=1, max_value=240)
    miles = forms.DecimalField(label=_("Miles"), min_value=0, max_value=200, decimal_places=1)


class DisputeForm(forms.Form):
    reason = forms.ChoiceField(label=_("What is wrong?"), choices=capitalised(Dispute.Reason.choices))
    text = forms.CharField(
        label=_("What happened"), max_length=1000, widget=forms.Textarea(attrs={"rows": 4})
    )


class AnswerForm(forms.Form):
    verdict = forms.ChoiceField(
        label=_("Decision"),
        choices=[("grant", _("The driver is right")), ("refuse", _("The line stands"))],
        widget=forms.RadioSelect,
    )
    amount = forms.DecimalField(
        label=_("Amount in dollars, when granted"),
        min_value=0,
        max_value=ADJUSTMENT_CENTS // 100,
        max_digits=8,
        decimal_places=2,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "placeholder": "12.50"}),
    )
    reasons = forms.CharField(
        label=_("Reasons; the driver reads them"), max_length=1000, widget=forms.Textarea(attrs={"rows": 4})
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("verdict") == "grant" and not given.get("amount") and "amount" not in self.errors:
            self.add_error("amount", _("Say how much the driver gets, 0.01 at least."))
        return given

    @property
    def cents(self) -> int:
        """What is granted, of a valid form."""
        return int((self.cleaned_data["amount"] or 0) * 100)
