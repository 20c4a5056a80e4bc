"""What slots and promises read and write over the seller API."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from deliveries.api.seller_answers import PromiseWindow, QuoteOut
from deliveries.api.seller_serializers import QuoteIn
from deliveries.keeping import CAUSES
from deliveries.models import Order
from retaildelivery.web import fields
from retaildelivery.web.fields import Input, Moment, Output, Text


class SlotsQuery(Input):
    mall = Text(max_length=40, required=False)
    store = Text(max_length=12, required=False, help_text="May be left out with a key of one store.")
    date = serializers.DateField(required=False)


class HoldIn(Input):
    store = Text(max_length=12, required=False, help_text="May be left out with a key of one store.")
    slot = Text(max_length=30, help_text="Its code, from GET /slots.")


class PromiseIn(QuoteIn):
    """As for a quote; window and slot may be left out."""

    conditions: ClassVar[dict[str, Any]] = {}

    def validate(self, attrs: dict[str, object]) -> dict[str, object]:
        return attrs


class SlotOut(Output):
    slot = serializers.CharField()
    window = PromiseWindow()
    bookable = serializers.BooleanField(help_text="Now.")
    opens_on = serializers.DateField()
    closes_at = serializers.DateTimeField(help_text="The cut-off.")
    capacity = serializers.IntegerField()
    left = serializers.IntegerField()
    price = fields.Money(help_text="Added to the fee of the delivery.")


class SlotPage(Output):
    results = SlotOut(many=True)
    next = serializers.CharField(allow_null=True)


class HoldOut(Output):
    code = serializers.CharField()
    slot = serializers.CharField()
    store = serializers.CharField()
    state = serializers.ChoiceField(choices=["held", "expired", "confirmed"])
    window = PromiseWindow()
    price = fields.Money()
    expires_at = serializers.DateTimeField()
    order = serializers.CharField(allow_null=True)


class PromiseOut(QuoteOut):
    token = serializers.CharField(help_text="Send it back as `promise` of the order.")
    slot = serializers.CharField(allow_null=True)


class ReportQuery(Input):
    before = Moment(required=False)

    def get_fields(self) -> dict[str, serializers.Field]:  # type: ignore[type-arg]
        # `from` is a word of the language.
        return {"from": Moment(required=False), **super().get_fields()}


class BrokenPromise(Output):
    order = serializers.CharField()
    external_id = serializers.CharField(allow_blank=True)
    status = serializers.ChoiceField(choices=Order.Status.choices)
    promised_until = serializers.DateTimeField()
    delivered_at = serializers.DateTimeField(allow_null=True)
    minutes_late = serializers.IntegerField(
        allow_null=True, help_text="When it came, or so far; null when it never will."
    )
    cause = serializers.ChoiceField(
        choices=list(CAUSES.items()), help_text="The last reason given at the door, or what held it up."
    )


class StorePromises(Output):
    store = serializers.CharField()
    made = serializers.IntegerField()
    redeemed = serializers.IntegerField(help_text="By an order.")
    open = serializers.IntegerField(help_text="Not due yet.")
    kept = serializers.IntegerField()
    broken = serializers.IntegerField()
    void = serializers.IntegerField(help_text="The order was taken back by its seller.")
    kept_percent = serializers.IntegerField(allow_null=True, help_text="Of those that were due.")
    broken_orders = BrokenPromise(many=True, help_text="The newest.")


class PromiseReport(Output):
    before = serializers.DateTimeField()
    results = StorePromises(many=True)

    def get_fields(self) -> dict[str, serializers.Field]:  # type: ignore[type-arg]
        return {"from": serializers.DateTimeField(), **super().get_fields()}
