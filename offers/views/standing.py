"""What would my standing be if."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from drivers import clocks
from drivers.access import driver_required
from drivers.models import Driver, StandingEvent
from offers import limits, outlook

MOST_OF_A_KIND = 30


def slider(label: object, most: int) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        min_value=0,
        max_value=most,
        required=False,
        widget=forms.NumberInput(attrs={"type": "range", "min": 0, "max": most, "step": 1}),
    )


class OutlookForm(forms.Form):
    completed = slider(_("Blocks completed"), MOST_OF_A_KIND)
    late_told = slider(_("Late, but you said so in time"), 10)
    late = slider(_("Late"), 10)
    forfeit = slider(_("Released less than 45 minutes before the start"), 10)
    no_show = slider(_("No-show"), 5)
    days = slider(_("Days from now"), limits.STANDING_DECAYS.days - 1)


@driver_required
@require_safe
def standing_if(request: HttpRequest, driver: Driver) -> HttpResponse:
    """The sum with what may still happen, by sliders; the form is a plain GET."""
    at = timezone.now()
    # A slider without a value stands in the middle, which would be a wish nobody had.
    form = OutlookForm({name: request.GET.get(name, "0") for name in OutlookForm.base_fields})
    asked = form.cleaned_data if form.is_valid() else {}
    happens = {kind: asked.get(kind) or 0 for kind in outlook.MAY_HAPPEN}
    days = asked.get("days") or 0
    events = StandingEvent.objects.counting(at).filter(driver=driver)  # type: ignore[attr-defined]
    counted = [outlook.Counted(*row) for row in events.values_list("points", "decays_at")]
    on = at + dt.timedelta(days=days)
    zone = clocks.zone_of(driver)
    values = {**happens, "days": days}
    context = {
        "driver": driver,
        "now": outlook.outlook(counted, {}, on=at),
        "then": outlook.outlook(counted, happens, on=on),
        "on": on,
        "zone": zone,
        "free_again_on": outlook.free_again_on(counted, at=at),
        "floor": limits.STANDING_FLOOR,
        "good": limits.GOOD_STANDING,
        "rows": [
            {"field": form[name], "value": values[name], "points": outlook.MAY_HAPPEN.get(name)}
            for name in form.fields
        ],
        "form": form,
    }
    template = "offers/driver_standing_if.html"
    if request.htmx:  # type: ignore[attr-defined]
        template += "#result"
    return render(request, template, context, status=200 if form.is_valid() else 422)
