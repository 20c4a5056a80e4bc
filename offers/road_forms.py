"""What is entered when a block does not go as planned."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict
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


class ReliefForm(forms.Form):
    """Which stops another driver should take over, and a word on why."""

    note = forms.CharField(
        label=_("Note"), max_length=300, required=False, help_text=_("Operations read it.")
    )

    @property
    def stops(self) -> list[str]:
        """The codes that are ticked; whether they can be handed over is for the verb to say."""
        return self.data.getlist("stops") if isinstance(self.data, QueryDict) else []

    def clean(self) -> dict[str, Any]:
        if not self.stops:
            raise forms.ValidationError(_("Choose at least one stop."), code="required")
        return dict(self.cleaned_data)
