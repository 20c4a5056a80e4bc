"""What a driver types of what driving costs them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from drivers import costing
from drivers.forms import capitalised
from drivers.models import CostProfile
from retaildelivery.lib.geo import Point

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


def degrees(label: Any, *, most: int) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        required=False,
        min_value=Decimal(-most),
        max_value=Decimal(most),
        widget=forms.NumberInput(attrs={"inputmode": "decimal", "step": "any", "autocomplete": "off"}),
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
    # A pin on a map fills the two; without scripts they are typed.
    home_lat = degrees(_("Latitude"), most=90)
    home_lng = degrees(_("Longitude"), most=180)

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
            "home_lat": f"{home.lat:.3f}" if home else None,
            "home_lng": f"{home.lng:.3f}" if home else None,
        }

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if (given.get("home_lat") is None) != (given.get("home_lng") is None):
            missing = "home_lat" if given.get("home_lat") is None else "home_lng"
            if missing not in self.errors:
                self.add_error(
                    missing, ValidationError(_("Set the pin, or leave both empty."), code="no_place")
                )
        for field, sentence in costing.faults(given).items():
            if field not in self.errors:
                self.add_error(field, sentence)
        return given

    @property
    def kept(self) -> dict[str, Any]:
        """As `reckoning.keep` takes it."""
        given = dict(self.cleaned_data)
        tolls = given.pop("tolls") or Decimal(0)
        lat, lng = given.pop("home_lat"), given.pop("home_lng")
        given["home"] = None if lat is None or lng is None else Point(float(lat), float(lng))
        return given | {"tolls_cents": int(tolls * 100), "upkeep_cents": given["upkeep_cents"] or Decimal(0)}
