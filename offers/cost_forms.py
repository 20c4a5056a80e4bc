"""What a driver types of what driving costs them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from drivers import costing
from drivers.forms import capitalised
from drivers.models import CostProfile
from retaildelivery.lib.geo import Point

COORDINATES = re.compile(r"\s*(-?\d{1,2}(?:\.\d{1,15})?)\s*,\s*(-?\d{1,3}(?:\.\d{1,15})?)\s*", re.ASCII)
HUNDREDTHS = 2


def figure(label: Any, *, most: int, step: str = "0.01", **more: Any) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        required=False,
        min_value=Decimal(0),
        max_value=Decimal(most),
        decimal_places=HUNDREDTHS,
        widget=forms.NumberInput(attrs={"inputmode": "decimal", "step": step}),
        **more,
    )


class CostForm(forms.Form):
    """One of three ways to reckon a mile; tolls and home stand beside each of them."""

    basis = forms.ChoiceField(
        label=_("A mile costs me"), choices=capitalised(CostProfile.Basis.choices), widget=forms.RadioSelect
    )
    cents_per_mile = figure(
        _("My own figure, cents a mile"),
        most=500,
        help_text=_("Fuel, tyres, upkeep, loss in value, insurance."),
    )
    use = figure(_("What my car uses"), most=999, help_text=_("Such as 32, or 28.5."))
    unit = forms.ChoiceField(
        label=_("Counted in"), required=False, choices=lambda: [("", "–"), *CostProfile.Unit.choices]
    )
    price_cents = figure(
        _("What I pay for a gallon, a litre or a kWh, in cents"),
        most=9999,
        help_text=_("$3.499 a gallon is 349.9."),
    )
    upkeep_cents = figure(
        _("Upkeep, cents a mile"),
        most=500,
        help_text=_("Beside fuel or electricity: tyres, repairs, loss in value."),
    )
    tolls = figure(_("Tolls on a usual block, in dollars"), most=500)
    home = forms.CharField(
        label=_("Where I start from, as latitude, longitude"),
        required=False,
        max_length=60,
        widget=forms.TextInput(attrs={"placeholder": "36.114, -115.173", "autocomplete": "off"}),
        help_text=_(
            "Copy it from your map. Only three decimals are kept, about 100 m, and nobody but you ever sees it. "
            "Leave it empty and the way from home is not counted."
        ),
    )

    @staticmethod
    def initial_of(profile: CostProfile) -> dict[str, Any]:
        home = profile.home
        return {
            "basis": profile.basis,
            "cents_per_mile": profile.cents_per_mile,
            "use": profile.use,
            "unit": profile.unit,
            "price_cents": profile.price_cents,
            "upkeep_cents": profile.upkeep_cents,
            "tolls": Decimal(profile.tolls_cents) / 100,
            "home": f"{home.lat:.3f}, {home.lng:.3f}" if home else "",
        }

    def clean_home(self) -> Point | None:
        given: str = self.cleaned_data["home"]
        if not given:
            return None
        found = COORDINATES.fullmatch(given)
        try:
            return Point(float(found[1]), float(found[2])) if found else self.no_place()
        except ValueError:
            return self.no_place()

    @staticmethod
    def no_place() -> Point:
        raise ValidationError(
            _("Write latitude and longitude with a comma between, such as 36.114, -115.173."), code="no_place"
        )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        for field, sentence in costing.faults(given).items():
            if field not in self.errors:
                self.add_error(field, sentence)
        return given

    @property
    def kept(self) -> dict[str, Any]:
        """As `reckoning.keep` takes it."""
        given = dict(self.cleaned_data)
        tolls = given.pop("tolls") or Decimal(0)
        return given | {"tolls_cents": int(tolls * 100), "upkeep_cents": given["upkeep_cents"] or Decimal(0)}
