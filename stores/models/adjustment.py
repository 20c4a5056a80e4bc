"""A correction of a seller's account that two people signed."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from retaildelivery.lib import codes
from stores.models.market import Market
from stores.models.seller import Seller
from stores.models.store import Store


def adjustment_code() -> str:
    return codes.new_code(prefix="J", length=7)


class SellerAdjustment(models.Model):
    """One person proposes it with reason and evidence, another signs, then it is posted: to a store, or to a market
    when it is of no single store."""

    class Status(models.TextChoices):
        PROPOSED = "proposed", _("proposed")
        POSTED = "posted", _("posted")
        DECLINED = "declined", _("declined")

    MOVES: ClassVar[dict[str, set[str]]] = {
        Status.PROPOSED: {Status.POSTED, Status.DECLINED},
        Status.POSTED: set(),
        Status.DECLINED: set(),
    }

    code = models.CharField(max_length=12, unique=True, default=adjustment_code, editable=False)
    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="adjustments")
    store = models.ForeignKey(Store, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    market = models.ForeignKey(
        Market,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Instead of a store, when it is of no single one."),
    )
    cents = models.IntegerField(help_text=_("Positive is owed by the seller, negative is a credit."))
    reason = models.CharField(
        max_length=180, help_text=_("The seller reads it, on the account and the invoice.")
    )
    evidence = models.CharField(
        max_length=1000, help_text=_("What shows that it is right: codes, links, words.")
    )
    subject = models.CharField(max_length=80, blank=True, help_text=_("Such as order:K7QX4M2P."))
    status = models.CharField(max_length=10, choices=Status, default=Status.PROPOSED)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("seller's adjustment")
        verbose_name_plural = _("sellers' adjustments")
        constraints = [
            models.CheckConstraint(condition=~Q(cents=0), name="a_sellers_adjustment_changes_something"),
            models.CheckConstraint(
                condition=Q(store__isnull=False, market__isnull=True)
                | Q(store__isnull=True, market__isnull=False),
                name="a_sellers_adjustment_has_a_store_or_a_market",
            ),
            models.CheckConstraint(
                condition=~Q(decided_by=F("proposed_by")),
                name="who_proposes_a_sellers_adjustment_does_not_sign_it",
            ),
            models.CheckConstraint(
                condition=(Q(status="proposed") & Q(decided_at__isnull=True))
                | (~Q(status="proposed") & Q(decided_at__isnull=False) & Q(decided_by__isnull=False)),
                name="a_sellers_adjustment_is_open_or_signed",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    def may_move_to(self, status: str) -> bool:
        return status in self.MOVES[self.status]
