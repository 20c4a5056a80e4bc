"""A seller's account."""

from __future__ import annotations

from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stores.models.market import Market
from stores.models.seller import Seller
from stores.models.store import Store


class SellerAccount(models.Model):
    """The row that whoever adds a line to the account locks, last of all locks, so that its chain has one end."""

    seller = models.OneToOneField(Seller, on_delete=models.PROTECT, primary_key=True, related_name="+")

    class Meta:
        verbose_name = _("seller's account")
        verbose_name_plural = _("sellers' accounts")

    def __str__(self) -> str:
        return str(self.seller_id)


class SellerPostingQuerySet(models.QuerySet["SellerPosting"]):
    def of_market(self, market: Market) -> Self:
        """What is invoiced there: by the store's mall, or by the market of a line without a store."""
        return self.filter(Q(store__mall__market=market) | Q(market=market))

    def on_no_invoice(self) -> Self:
        return self.filter(invoice_line=None)


class SellerPosting(models.Model):
    """One line of a seller's account: what is owed (positive) or given back (negative). Append-only; the key
    says what it is for, so a second posting of the same thing is refused by the database."""

    key = models.CharField(max_length=120, unique=True, help_text=_("Such as order:K7QX4M2P:base."))
    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="postings", db_index=False)
    store = models.ForeignKey(Store, on_delete=models.PROTECT, null=True, related_name="postings")
    market = models.ForeignKey(
        Market,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text=_("Of a line that is of no single store."),
    )
    kind = models.CharField(max_length=30)
    cents = models.IntegerField()
    text = models.CharField(max_length=200)
    rule = models.CharField(max_length=60, blank=True, help_text=_("The policy row it was computed from."))
    subject = models.CharField(max_length=80, help_text=_("Such as order:K7QX4M2P."))
    at = models.DateTimeField()
    params = models.JSONField(
        default=dict,
        db_default={},
        blank=True,
        help_text=_("What the amount was computed from: words and numbers as text."),
    )
    # The three below are made by the database when a line is added, whoever adds it.
    sequence = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    previous = models.CharField(max_length=64, default="", db_default="", editable=False)
    digest = models.CharField(max_length=64, default="", db_default="", editable=False)

    objects: ClassVar[models.Manager[SellerPosting]] = SellerPostingQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("seller's posting")
        verbose_name_plural = _("seller's postings")
        constraints = [
            models.UniqueConstraint(fields=["seller", "sequence"], name="one_line_of_a_seller_per_number"),
            # Otherwise it would be on nobody's invoice. Its store's market is the store's, so only one is told.
            models.CheckConstraint(
                condition=Q(store__isnull=False, market__isnull=True)
                | Q(store__isnull=True, market__isnull=False),
                name="a_line_of_a_seller_has_a_store_or_a_market",
            ),
        ]
        indexes = [
            # A seller's statement, newest first; a store's column of it.
            models.Index(fields=["seller", "-at"], name="seller_posting_newest"),
            models.Index(fields=["subject"], name="seller_posting_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.cents}"
