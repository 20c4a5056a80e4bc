"""What is entered when a block does not go as planned."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from drivers.forms import capitalised

REASONS = [
    ("breakdown", _("breakdown")),
    ("crash", _("crash")),
    ("illness", _("illness or injury")),
    ("danger", _("danger")),
    ("other", _("something else")),
]


class EndingForm(forms.Form):
    """Why a driver cannot go on; the position comes by itself when the phone has one."""

    lat = forms.FloatField(required=False, min_value=-90, max_value=90, widget=forms.HiddenInput)
    lng = forms.FloatField(required=False, min_value=-180, max_value=180, widget=forms.HiddenInput)
    reason = forms.ChoiceField(label=_("What happened?"), choices=capitalised(REASONS))
    note = forms.CharField(label=_("Note"), max_length=300, required=False)


class HandoverForm(forms.Form):
    driver_code = forms.CharField(
        label=_("Code of the other driver"),
        max_length=12,
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
        help_text=_("They show it on their phone."),
    )
