"""What a driver enters about taxes."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from drivers.forms import capitalised
from drivers.models import W9
from drivers.taxpaying import ZIP, Details

# States, territories and military post, by their postal codes.
_CODES = (
    "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK "
    "OR PA RI SC SD TN TX UT VT VA WA WV WI WY AS GU MP PR VI AA AE AP"
)
REGIONS = tuple(_CODES.split())


class W9Form(forms.Form):
    """The lines of Form W-9 (Rev. March 2024) that concern a driver."""

    name = forms.CharField(
        label=_("Name, as on your tax return"),
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    business_name = forms.CharField(label=_("Business name, if you have one"), max_length=80, required=False)
    classification = forms.ChoiceField(
        label=_("For taxes you are"),
        choices=capitalised(W9.Classification.choices),
        initial=W9.Classification.INDIVIDUAL,
    )
    street = forms.CharField(
        label=_("Street and number"),
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "street-address"}),
    )
    city = forms.CharField(
        label=_("City"), max_length=50, widget=forms.TextInput(attrs={"autocomplete": "address-level2"})
    )
    region = forms.ChoiceField(
        label=_("State"),
        choices=[("", "–"), *((each, each) for each in REGIONS)],
        widget=forms.Select(attrs={"autocomplete": "address-level1"}),
    )
    postal_code = forms.RegexField(
        rf"^{ZIP.pattern}$",
        label=_("ZIP code"),
        max_length=10,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "postal-code"}),
        error_messages={"invalid": _("Five digits, or nine as in 89109-1234.")},
    )
    tin_kind = forms.ChoiceField(
        label=_("Kind of taxpayer number"), choices=capitalised(W9.TinKind.choices), widget=forms.RadioSelect
    )
    tin = forms.CharField(
        label=_("Taxpayer number"),
        max_length=14,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        help_text=_("Nine digits, with or without hyphens."),
    )
    backup_withholding = forms.BooleanField(
        label=_("The tax office told me that I am subject to backup withholding"), required=False
    )
    signed_by = forms.CharField(label=_("Sign by typing your name"), max_length=80)
    certified = forms.BooleanField(
        label=_(
            "Under penalties of perjury, I certify that the number is my correct taxpayer identification number, "
            "that I am not subject to backup withholding unless I said so "
            "above, and that I am a U.S. person."
        )
    )

    @property
    def details(self) -> Details:
        """What a valid form says."""
        given = {name: value for name, value in self.cleaned_data.items() if name != "certified"}
        return Details(**given)
