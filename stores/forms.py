"""What managers of a store type: hours, a pause, the team, keys."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db.models import QuerySet
from django.utils.dates import WEEKDAYS
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from stores import limits
from stores.models import ApiKey, StaffMembership, Store
from stores.webhooks import events


class CounterForm(forms.Form):
    prep_minutes = forms.IntegerField(
        label=_("Minutes to pack an order"), min_value=0, validators=[MaxValueValidator(limits.PREP_MINUTES)]
    )
    phone = forms.CharField(label=_("Phone at the counter"), max_length=20, required=False)
    pickup_note = forms.CharField(
        label=_("Where drivers collect"),
        max_length=200,
        required=False,
        help_text=_("Read by drivers: which counter, which door."),
    )


class PauseForm(forms.Form):
    minutes = forms.TypedChoiceField(
        label=_("Take no orders for"),
        coerce=int,
        choices=[(30, _("30 minutes")), (60, _("1 hour")), (120, _("2 hours")), (1440, _("today"))],
    )


class HoursForm(forms.Form):
    """The week of a store. Both times of a day empty: closed. Every day empty: the mall's hours."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for day, name in WEEKDAYS.items():
            for end, label in (("opens", _("opens")), ("closes", _("closes"))):
                self.fields[f"{end}_{day}"] = forms.TimeField(
                    label=f"{name}, {label}",
                    required=False,
                    widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
                )

    def clean(self) -> dict[str, Any]:
        wanted: dict[str, Any] = super().clean() or {}
        for day, name in WEEKDAYS.items():
            opens, closes = wanted.get(f"opens_{day}"), wanted.get(f"closes_{day}")
            if (opens is None) != (closes is None):
                self.add_error(f"closes_{day}", _("%(day)s needs both times, or neither.") % {"day": name})
            elif opens is not None and closes is not None and closes <= opens:
                self.add_error(f"closes_{day}", _("%(day)s must close after it opens.") % {"day": name})
        return wanted

    def week(self) -> dict[int, tuple[dt.time, dt.time] | None]:
        wanted = self.cleaned_data
        return {
            day: (wanted[f"opens_{day}"], wanted[f"closes_{day}"]) if wanted.get(f"opens_{day}") else None
            for day in WEEKDAYS
        }

    def days(self) -> list[tuple[str, Any, Any]]:
        """For the page: the name of the day and its two fields."""
        return [(str(name), self[f"opens_{day}"], self[f"closes_{day}"]) for day, name in WEEKDAYS.items()]


class MemberForm(forms.Form):
    email = forms.EmailField(label=_("E-mail address"), help_text=_("They must have signed up before."))
    store = forms.ModelChoiceField(
        label=_("Store"),
        queryset=Store.objects.none(),
        to_field_name="code",
        required=False,
        empty_label=_("All our stores"),
    )
    role = forms.ChoiceField(
        label=_("Role"), choices=StaffMembership.Role.choices, initial=StaffMembership.Role.STAFF
    )

    def __init__(self, *args: Any, stores: QuerySet[Store], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["store"].queryset = stores  # type: ignore[attr-defined]
        self.fields["store"].label_from_instance = lambda store: store.name  # type: ignore[attr-defined]


class NetworksField(forms.CharField):
    """Addresses and networks, one a line or with commas; a list."""

    def __init__(self) -> None:
        super().__init__(
            label=_("From where"),
            required=False,
            max_length=1200,
            widget=forms.Textarea(attrs={"rows": 2, "autocapitalize": "off", "spellcheck": "false"}),
            help_text=_("Addresses or networks such as 203.0.113.0/24, one a line. Empty: from anywhere."),
        )

    def clean(self, value: Any) -> list[str]:
        return str(super().clean(value)).replace(",", " ").split()


class NetworksForm(forms.Form):
    networks = NetworksField()


class KeyForm(forms.Form):
    name = forms.CharField(label=_("What will use it"), max_length=80)
    store = forms.ModelChoiceField(
        label=_("Store"),
        queryset=Store.objects.none(),
        to_field_name="code",
        required=False,
        empty_label=_("All our stores"),
    )
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        choices=ApiKey.Scope.choices,
        widget=forms.CheckboxSelectMultiple,
        initial=[ApiKey.Scope.ORDERS_READ, ApiKey.Scope.ORDERS_WRITE],
    )
    networks = NetworksField()
    test = forms.BooleanField(
        label=_("A test key"),
        required=False,
        help_text=_(
            "It works in your sandbox only: robot couriers, a clock that you move, no cost, no messages."
        ),
    )
    signing = forms.BooleanField(
        label=_("For a Drive-shaped client"),
        required=False,
        help_text=_("It signs its own tokens: you get a developer ID, a key ID and a signing secret."),
    )

    def __init__(self, *args: Any, stores: QuerySet[Store], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not settings.DOOR_DRIVE:
            del self.fields["signing"]
        self.fields["store"].queryset = stores  # type: ignore[attr-defined]
        self.fields["store"].label_from_instance = lambda store: store.name  # type: ignore[attr-defined]


class EndpointForm(forms.Form):
    url = forms.URLField(label=_("URL"), max_length=500, assume_scheme="https")
    description = forms.CharField(label=_("What listens there"), max_length=120, required=False)
    event_types = forms.MultipleChoiceField(
        label=_("Events"),
        # The sentence first: names are for programs, and pages begin a choice with a capital.
        choices=[(name, format_lazy("{} {}", said, name)) for name, said in events.EVENTS.items()],
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("None chosen: every event."),
    )


class ReplayForm(forms.Form):
    hours = forms.ChoiceField(
        label=_("Written in the last"),
        choices=[
            ("1", _("hour")),
            ("6", _("6 hours")),
            ("24", _("day")),
            ("72", _("3 days")),
            ("168", _("week")),
            ("720", _("30 days")),
        ],
    )
    undelivered_only = forms.BooleanField(label=_("Only what did not arrive"), required=False, initial=True)
