"""A price that is held for a while."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.db.models.fields.json import KT
from django.utils.translation import gettext_lazy as _

from deliveries.models.fees import FeePolicy
from deliveries.models.slot import SlotHold
from retaildelivery.lib import codes
from retaildelivery.outbox import worlds
from stores.models import Store


def quote_code() -> str:
    return codes.new_code(prefix="Q", length=9)


class QuoteQuerySet(worlds.WorldQuerySet["Quote"]):
    def usable(self, at: dt.datetime) -> Self:
        return self.filter(used_at=None, expires_at__gt=at)


class Quote(worlds.InAWorld):
    """What one delivery would cost and by when it would be there, held until it expires. The first order that is
    posted from it uses it up."""

    code = models.CharField(max_length=12, unique=True, default=quote_code, editable=False)
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="+")
    seller_scope = models.PositiveBigIntegerField(editable=False, help_text=_("The seller, for their list."))
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    said = models.JSONField(help_text=_("The order it was asked for, as far as it was said."))
    distance_m = models.PositiveIntegerField()
    fee_policy = models.ForeignKey(FeePolicy, on_delete=models.PROTECT, related_name="+")
    fee_cents = models.PositiveIntegerField()
    lines = models.JSONField(help_text=_("What the fee consists of."))
    slot_cents = models.PositiveIntegerField(default=0, db_default=0)
    hold = models.OneToOneField(
        SlotHold,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="quote",
        help_text=_("The place in a slot that goes with it."),
    )
    promised = models.BooleanField(
        default=False, db_default=False, help_text=_("Given out as a promise token.")
    )
    pickup_at = models.DateTimeField(help_text=_("Estimate."))
    dropoff_at = models.DateTimeField(help_text=_("Estimate."))

    objects: ClassVar[models.Manager[Quote]] = QuoteQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("quote")
        verbose_name_plural = _("quotes")
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="a_quote_holds_for_a_while"
            ),
            models.CheckConstraint(
                condition=Q(dropoff_at__gte=F("pickup_at")), name="a_quote_collects_before_it_delivers"
            ),
        ]
        indexes = [
            # The sweep that forgets what nobody used.
            models.Index(fields=["expires_at"], condition=Q(used_at=None), name="quote_unused_expiry"),
            # A quote by the seller's own number, which is all that some clients know of it.
            models.Index("seller_scope", KT("said__external_id"), name="quote_external_id"),
        ]

    def __str__(self) -> str:
        return f"quote {self.code}"

    def has_expired(self, at: dt.datetime) -> bool:
        return at >= self.expires_at
