"""What the seller's API reads of lists, of what is to be tried again, and of addresses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.validators import ProhibitNullCharactersValidator
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ValidationError

from deliveries import limits
from deliveries.api.sandbox_serializers import RehearsalIn
from deliveries.api.seller_serializers import PRINTABLE, DropoffIn, RecipientIn, WindowIn
from deliveries.models import Order
from retaildelivery.web import fields, paging
from retaildelivery.web.fields import Input, Moment, Text

SOME_WORD = r"^[^\u0000]*[^\s,\u0000][^\u0000]*$"


class Several(Text):
    """Words with commas between them; at least one."""

    def __init__(self, *, words: Sequence[str] = (), **kwargs: Any) -> None:
        word = "|".join(words)
        pattern = rf"^[\s,]*(?:{word})(?:\s*,[\s,]*(?:{word}))*[\s,]*$" if words else SOME_WORD
        super().__init__(described={"pattern": pattern}, **kwargs)
        self.words = words

    def to_internal_value(self, data: Any) -> Any:
        text = super().to_internal_value(data)
        # What validates a text sees the list that comes of it.
        ProhibitNullCharactersValidator()(text)
        said = [word.strip() for word in text.split(",") if word.strip()]
        if not said:
            self.fail("blank")
        if len(said) > limits.LISTED:
            raise ValidationError(_("At most %(most)d.") % {"most": limits.LISTED}, code="too_many")
        wrong = [word for word in said if self.words and word not in self.words]
        if wrong:
            raise ValidationError(_("%(word)s is none of them.") % {"word": wrong[0]}, code="invalid_choice")
        return said


class OrdersFilter(Input):
    status = Several(
        words=Order.Status.values,
        max_length=300,
        required=False,
        help_text="One or several, with commas: " + ", ".join(Order.Status.values) + ".",
    )
    store = Text(max_length=12, required=False)
    codes = Several(max_length=2_000, required=False, help_text="Up to 100, with commas.")
    external_id = Text(
        max_length=80, required=False, allow_blank=True, help_text="Empty: of those without one."
    )
    external_ids = Several(max_length=8_200, required=False, help_text="Up to 100, with commas.")
    placed_from = Moment(required=False, help_text="Posted then or later.")
    placed_before = Moment(required=False)
    window_from = Moment(required=False, help_text="The window ends after that.")
    window_before = Moment(required=False, help_text="The window starts before that.")
    text = Text(
        max_length=100, required=False, help_text="Words of code, external id, name or first address line."
    )


class OrdersQuery(OrdersFilter, paging.PageQuery):
    pass


class RedeliveryIn(Input):
    """The order as it was, with another window, and what else is to be otherwise."""

    external_id = Text(max_length=80, required=False, allow_blank=True, default="", described=PRINTABLE)
    ready_at = Moment(required=False, allow_null=True)
    window = WindowIn()
    recipient = RecipientIn(required=False)
    dropoff = DropoffIn(required=False)
    instructions = Text(
        max_length=limits.INSTRUCTIONS_LENGTH, required=False, allow_blank=True, described=PRINTABLE
    )
    sandbox = RehearsalIn(required=False, help_text="Test keys only: as in POST /orders.")


class ActionsQuery(Input):
    latitude = fields.QueryDecimal(required=False, min_value=-90, max_value=90, help_text="Of another door.")
    longitude = fields.QueryDecimal(required=False, min_value=-180, max_value=180)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("latitude" in attrs) != ("longitude" in attrs):
            missing = "longitude" if "latitude" in attrs else "latitude"
            raise ValidationError({missing: _("Give both coordinates or none.")}, code="required")
        return attrs


class AddressIn(Input):
    store = Text(max_length=12, required=False, help_text="Whether that store delivers there.")
    address = DropoffIn()


class CompletionQuery(Input):
    text = Text(
        min_length=3,
        max_length=100,
        help_text="The beginning of street and number.",
        described={"pattern": r"^[^\u0000]*[^\s\u0000][^\u0000]+[^\s\u0000][^\u0000]*$"},
    )
