"""What people type on the pages of deliveries."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from deliveries.models import Order
from deliveries.models.order import OrderQuerySet
from stores.models import Mall


class OpsOrderFilter(forms.Form):
    """Which orders operations want to see."""

    q = forms.CharField(
        label=_("Search"),
        required=False,
        max_length=80,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": _("Code, name or street")}),
    )
    mall = forms.ModelChoiceField(
        label=_("Mall"), required=False, queryset=Mall.objects.none(), to_field_name="code"
    )
    status = forms.ChoiceField(
        label=_("State"), required=False, choices=[("", _("Any state")), *Order.Status.choices]
    )
    need = forms.ChoiceField(
        label=_("Needs"),
        required=False,
        choices=[
            ("", _("All orders")),
            ("location", _("Needs a location")),
            ("late", _("Promise broken")),
            ("failed", _("Failed at the door")),
        ],
    )

    def __init__(self, *args: object, malls: QuerySet[Mall], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["mall"].queryset = malls  # type: ignore[attr-defined]
        self.fields["mall"].empty_label = _("Every mall")  # type: ignore[attr-defined]

    def narrow(self, orders: OrderQuerySet, *, at: dt.datetime) -> OrderQuerySet:
        wanted = self.cleaned_data
        if wanted["mall"]:
            orders = orders.filter(store__mall=wanted["mall"])
        if wanted["status"]:
            orders = orders.filter(status=wanted["status"])
        if wanted["q"]:
            orders = orders.called(wanted["q"])
        needs = {
            "location": Q(status=Order.Status.PLACED, latitude=None),
            "late": ~Q(status__in=Order.ENDED) & Q(window__endswith__lt=at),
            "failed": Q(status=Order.Status.RETURNING),
        }
        return orders.filter(needs[wanted["need"]]) if wanted["need"] else orders
