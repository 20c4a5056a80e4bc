"""What operations type to publish blocks ahead of their orders."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.utils.translation import gettext_lazy as _

from offers import limits

HOUR = dt.timedelta(hours=1)
LENGTHS = [
    (int(length / HOUR), _("%(hours)s h") % {"hours": int(length / HOUR)}) for length in limits.BLOCK_LENGTHS
]


class PublishForm(forms.Form):
    """Blocks of one start and length. `answers` is what the page said it was about, so that a form sent twice
    publishes once."""

    start = forms.TimeField(
        label=_("Start"), widget=forms.TimeInput(attrs={"type": "time", "step": 300}, format="%H:%M")
    )
    hours = forms.TypedChoiceField(label=_("Length"), coerce=int, choices=LENGTHS, initial=3)
    count = forms.IntegerField(label=_("Blocks"), min_value=1, max_value=limits.PUBLISH_BLOCKS, initial=1)
    answers = forms.CharField(max_length=120, widget=forms.HiddenInput)


class DayForm(forms.Form):
    day = forms.DateField(label=_("Day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))


class AutoForm(forms.Form):
    """Publishing what is recommended without being asked."""

    on = forms.BooleanField(label=_("Publish what is recommended by itself"), required=False)
    days_ahead = forms.IntegerField(
        label=_("Days ahead"), min_value=1, max_value=limits.PUBLISH_AHEAD.days, initial=2
    )
    hour = forms.IntegerField(
        label=_("From this hour on"),
        min_value=0,
        max_value=23,
        initial=12,
        help_text=_("By the mall's clock, 0 to 23. Once for each day."),
    )
