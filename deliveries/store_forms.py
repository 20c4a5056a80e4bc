"""What store staff type: an order, a place on the map, a driver's code, a parcel coming back."""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.db.models import QuerySet
from django.forms.utils import ErrorDict
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from deliveries import drafts, filling, geocoding, limits
from deliveries.models import Order, Parcel
from deliveries.models.order import OrderQuerySet
from retaildelivery.lib.geo import Point
from stores.models import Store

GRAMS_PER_POUND = decimal.Decimal("453.59237")  # NIST Handbook 44, the international pound

# Where the check of a draft (which speaks in the API's paths) puts its sentence on the page.
FIELDS = {
    "recipient.name": "recipient_name",
    "recipient.phone": "recipient_phone",
    "recipient.email": "recipient_email",
    "recipient.locale": "recipient_locale",
    "dropoff.line1": "line1",
    "dropoff.line2": "line2",
    "dropoff.city": "city",
    "dropoff.region": "region",
    "dropoff.postal_code": "postal_code",
    "dropoff.latitude": "latitude",
    "dropoff.longitude": "longitude",
    "window": "window_start",
    "window.start": "window_start",
    "window.end": "window_end",
    "ready_at": "ready_at",
    "declared_value_cents": "declared_value",
    "tip_cents": "tip",
    "requirements.minimum_age": "minimum_age",
    "requirements.pin_kind": "pin_kind",
    "requirements.own_pin": "own_pin",
}


def cents(dollars: decimal.Decimal | None) -> int:
    return int(((dollars or decimal.Decimal(0)) * 100).to_integral_value(decimal.ROUND_HALF_UP))


class Unjudged(forms.Form):
    """A form that can be shown as it was typed so far, without saying what is still missing."""

    def __init__(self, *args: Any, judged: bool = True, **kwargs: Any) -> None:
        self._judged = judged
        super().__init__(*args, **kwargs)

    def full_clean(self) -> None:
        if self._judged:
            super().full_clean()
        else:
            self._errors, self.cleaned_data = ErrorDict(), {}


def local_input() -> forms.DateTimeInput:
    return forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class OrderForm(Unjudged):
    """One order as the counter types it. Times are those of the mall's clock."""

    store = forms.ModelChoiceField(
        label=_("Store"),
        queryset=Store.objects.none(),
        to_field_name="code",
        empty_label=None,
        # Each store has slots of its own; what was held at another is given back.
        widget=forms.Select(
            attrs={
                "hx-post": reverse_lazy("deliveries:store_order_slot"),
                "hx-target": "#slots",
                "hx-swap": "outerHTML",
            }
        ),
    )
    external_id = forms.CharField(label=_("Your order number"), max_length=80, required=False)
    recipient_name = forms.CharField(label=_("Name"), max_length=120)
    recipient_phone = forms.CharField(
        label=_("Phone"), max_length=30, widget=forms.TextInput(attrs={"type": "tel"})
    )
    recipient_email = forms.EmailField(
        label=_("E-mail"), required=False, help_text=_("Where the tracking link goes.")
    )
    recipient_locale = forms.ChoiceField(
        label=_("Language"), choices=[("en", "English"), ("es", "Español")], initial="en"
    )
    line1 = forms.CharField(label=_("Street and number"), max_length=120)
    line2 = forms.CharField(label=_("Apartment, floor, company"), max_length=80, required=False)
    city = forms.CharField(label=_("City"), max_length=80)
    region = forms.CharField(label=_("State"), max_length=2, min_length=2)
    postal_code = forms.CharField(label=_("ZIP code"), max_length=10)
    latitude = forms.DecimalField(
        label=_("Latitude"), required=False, min_value=-90, max_value=90, widget=forms.HiddenInput
    )
    longitude = forms.DecimalField(
        label=_("Longitude"), required=False, min_value=-180, max_value=180, widget=forms.HiddenInput
    )
    window_start = forms.DateTimeField(label=_("Promised from"), widget=local_input())
    window_end = forms.DateTimeField(label=_("Promised until"), widget=local_input())
    ready_at = forms.DateTimeField(
        label=_("Packed at"),
        required=False,
        widget=local_input(),
        help_text=_("Empty: after your usual preparation time."),
    )
    requires_photo = forms.BooleanField(label=_("Photo at the door"), required=False, initial=True)
    requires_signature = forms.BooleanField(label=_("Signature"), required=False)
    requires_pin = forms.BooleanField(label=_("PIN, sent to the recipient"), required=False)
    requires_barcodes = forms.BooleanField(label=_("Every label read at the door"), required=False)
    pin_kind = forms.ChoiceField(
        label=_("Which PIN"), choices=Order.PinKind.choices, required=False, initial=Order.PinKind.RANDOM
    )
    own_pin = forms.CharField(
        label=_("Your own PIN"), max_length=4, required=False, help_text=_("Four digits, if it is your own.")
    )
    pickup_photo = forms.BooleanField(label=_("Photo when collected"), required=False)
    pickup_signature = forms.BooleanField(label=_("We sign when it is collected"), required=False)
    return_photo = forms.BooleanField(label=_("Photo when brought back"), required=False)
    return_signature = forms.BooleanField(label=_("We sign when it is brought back"), required=False)
    minimum_age = forms.TypedChoiceField(
        label=_("Age to be checked"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", _("No")), ("18", "18+"), ("21", "21+")],
    )
    undeliverable = forms.ChoiceField(
        label=_("If nobody can take it"),
        choices=Order.Undeliverable.choices,
        initial=Order.Undeliverable.RETURN,
    )
    declared_value = forms.DecimalField(
        label=_("Value of the goods"), required=False, min_value=0, max_digits=9, decimal_places=2
    )
    tip = forms.DecimalField(
        label=_("Tip for the driver"), required=False, min_value=0, max_digits=7, decimal_places=2
    )
    instructions = forms.CharField(
        label=_("Instructions for the driver"),
        required=False,
        max_length=limits.INSTRUCTIONS_LENGTH,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args: Any, stores: QuerySet[Store], slotted: bool = False, **kwargs: Any) -> None:
        """`slotted`: the window is that of a slot, so none is asked for."""
        super().__init__(*args, **kwargs)
        for name in ("window_start", "window_end"):
            self.fields[name].required = not slotted
        self.fields["store"].queryset = stores.select_related("mall__market", "seller")  # type: ignore[attr-defined]
        self.fields["store"].label_from_instance = lambda store: f"{store.name}, {store.mall.name}"  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Read the times by the clock of the store's mall, not the server's."""
        wanted: dict[str, Any] = super().clean() or {}
        store = wanted.get("store")
        for name in ("window_start", "window_end", "ready_at"):
            moment = wanted.get(name)
            if store is not None and moment is not None:
                wanted[name] = timezone.make_naive(moment).replace(tzinfo=store.mall.zone)
        return wanted

    def draft(
        self,
        parcels: Sequence[drafts.ParcelDraft],
        located: geocoding.Located | None,
        items: Sequence[drafts.ItemDraft] = (),
    ) -> drafts.OrderDraft:
        wanted = self.cleaned_data
        return drafts.OrderDraft(
            external_id=wanted["external_id"],
            ready_at=wanted["ready_at"],
            window_start=wanted["window_start"],
            window_end=wanted["window_end"],
            recipient_name=wanted["recipient_name"],
            recipient_phone=wanted["recipient_phone"],
            recipient_email=wanted["recipient_email"],
            recipient_locale=wanted["recipient_locale"],
            address=self.address(located),
            instructions=wanted["instructions"],
            parcels=tuple(parcels),
            requires_photo=wanted["requires_photo"],
            requires_signature=wanted["requires_signature"],
            requires_pin=wanted["requires_pin"],
            pin_kind=wanted["pin_kind"] or Order.PinKind.RANDOM,
            own_pin=wanted["own_pin"],
            **{name: wanted[name] for name in filling.LEGS},
            minimum_age=wanted["minimum_age"],
            undeliverable=wanted["undeliverable"],
            declared_value_cents=cents(wanted["declared_value"]),
            tip_cents=cents(wanted["tip"]),
            items=tuple(items),
        )

    def address(self, located: geocoding.Located | None = None) -> drafts.AddressDraft:
        """The door; a pin that somebody dropped goes before what a map says."""
        wanted, pinned = self.cleaned_data, self.pinned()
        by = "pin" if pinned else located.source if located else "given"
        return drafts.AddressDraft(
            line1=wanted["line1"],
            line2=wanted["line2"],
            city=wanted["city"],
            region=wanted["region"].upper(),
            postal_code=wanted["postal_code"],
            point=pinned or (located.point if located else None),
            located_by=by,
        )

    def pinned(self) -> Point | None:
        lat, lng = self.cleaned_data.get("latitude"), self.cleaned_data.get("longitude")
        return None if lat is None or lng is None else Point(float(lat), float(lng))

    def refuse(
        self,
        errors: Sequence[drafts.FieldError],
        parcels: forms.BaseFormSet[ParcelForm],
        items: forms.BaseFormSet[ItemForm],
    ) -> None:
        """Put each sentence of the check beside the field it is about."""
        # Lines that were left blank are no items, so the check counted without them.
        said = [item for item in items.forms if item.has_changed()]
        for error in errors:
            place, __, name = error.field.partition("].")
            if place.startswith("parcels[") and name:
                parcel = parcels.forms[int(place.removeprefix("parcels["))]
                parcel.add_error({"grams": "pounds"}.get(name, name.partition("[")[0]), error.message)
            elif place.startswith("items[") and name:
                said[int(place.removeprefix("items["))].add_error(name, error.message)
            else:
                name = FIELDS.get(error.field, error.field)
                self.add_error(name if name in self.fields else NON_FIELD_ERRORS, error.message)


class ParcelForm(Unjudged):
    size = forms.ChoiceField(label=_("Size"), choices=Parcel.Size.choices)
    pounds = forms.DecimalField(
        label=_("Weight"), min_value=decimal.Decimal("0.1"), max_digits=5, decimal_places=1, initial=2
    )
    description = forms.CharField(label=_("What is in it"), max_length=80, required=False)
    barcodes = forms.CharField(
        label=_("Your own barcode on it"), max_length=limits.BARCODE_LENGTH, required=False
    )

    def draft(self) -> drafts.ParcelDraft:
        wanted = self.cleaned_data
        grams = int((wanted["pounds"] * GRAMS_PER_POUND).to_integral_value(decimal.ROUND_HALF_UP))
        return drafts.ParcelDraft(
            size=wanted["size"],
            grams=grams,
            litres=None,
            description=wanted["description"],
            barcodes=tuple(text for text in [wanted["barcodes"].strip()] if text),
        )


ParcelForms = forms.formset_factory(
    ParcelForm,
    extra=0,
    min_num=1,
    validate_min=True,
    max_num=limits.PARCELS_PER_ORDER,
    validate_max=True,
    absolute_max=limits.PARCELS_PER_ORDER + 1,
)


class ItemForm(Unjudged):
    """One line of the receipt."""

    name = forms.CharField(label=_("Item"), max_length=120)
    quantity = forms.IntegerField(label=_("Quantity"), min_value=1, max_value=limits.ITEM_QUANTITY, initial=1)
    price = forms.DecimalField(
        label=_("Price each"), required=False, min_value=0, max_digits=9, decimal_places=2
    )

    def draft(self) -> drafts.ItemDraft:
        wanted = self.cleaned_data
        price = wanted["price"]
        return drafts.ItemDraft(
            name=wanted["name"],
            quantity=wanted["quantity"],
            price_cents=None if price is None else cents(price),
        )


ItemForms = forms.formset_factory(
    ItemForm,
    extra=0,
    max_num=limits.ITEMS_PER_ORDER,
    validate_max=True,
    absolute_max=limits.ITEMS_PER_ORDER + 1,
)


class StoreOrderFilter(forms.Form):
    """Which of their orders staff want to see."""

    q = forms.CharField(
        label=_("Search"),
        required=False,
        max_length=80,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": _("Code, number, name or street")}),
    )
    status = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", _("Any state")), ("open", _("Under way")), *Order.Status.choices],
    )
    on = forms.DateField(
        label=_("Posted on"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def narrow(self, orders: OrderQuerySet) -> OrderQuerySet:
        wanted = self.cleaned_data
        if wanted["status"] == "open":
            orders = orders.exclude(status__in=Order.ENDED)
        elif wanted["status"]:
            orders = orders.filter(status=wanted["status"])
        if wanted["on"]:
            orders = orders.filter(placed_at__date=wanted["on"])
        if wanted["q"]:
            orders = orders.called(wanted["q"])
        return orders


class PlaceForm(forms.Form):
    latitude = forms.DecimalField(
        label=_("Latitude"), min_value=-90, max_value=90, max_digits=9, decimal_places=6
    )
    longitude = forms.DecimalField(
        label=_("Longitude"), min_value=-180, max_value=180, max_digits=9, decimal_places=6
    )

    @property
    def point(self) -> Point:
        return Point(float(self.cleaned_data["latitude"]), float(self.cleaned_data["longitude"]))


class CancelForm(forms.Form):
    reason = forms.ChoiceField(label=_("Reason"), choices=Order.CancelReason.choices)
    note = forms.CharField(label=_("Note"), max_length=200, required=False)


class AgainForm(forms.Form):
    """When what came back is tried again, by the mall's clock."""

    window_start = forms.DateTimeField(label=_("Promised from"), widget=local_input())
    window_end = forms.DateTimeField(label=_("Promised until"), widget=local_input())

    def __init__(self, *args: Any, zone: tzinfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone

    def clean(self) -> dict[str, Any]:
        wanted: dict[str, Any] = super().clean() or {}
        return {
            name: timezone.make_naive(moment).replace(tzinfo=self.zone) for name, moment in wanted.items()
        }


class DriverCodeForm(forms.Form):
    driver_code = forms.CharField(
        label=_("Driver's code"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric", "autofocus": True}),
        help_text=_("Six digits on the driver's phone; or scan the square beside them."),
    )


class ParcelCodeForm(forms.Form):
    code = forms.CharField(label=_("Parcel code or barcode"), max_length=120)
    method = forms.CharField(max_length=8, required=False)
