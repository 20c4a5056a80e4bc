"""A seller's account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    pass
from stores.models.seller import Seller
from stores.models.store import Store


class SellerPosting(models.Model):
    """One line of a seller's account: what is owed (positive) or given back (negative). Append-only; the key
    says what it is for, so a second posting of the same thing is refused by the database."""

    key = models.CharField(max_length=120, unique=True, help_text=_("Such as order:K7QX4M2P:base."))
    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="postings")
    store = models.ForeignKey(Store, on_delete=models.PROTECT, null=True, related_name="postings")
    kind = models.CharField(max_length=30)
    cents = models.IntegerField()
    text = models.CharField(max_length=200)
    rule = models.CharField(max_length=60, blank=True, help_text=_("The policy row it was computed from."))
    subject = models.CharField(max_length=80, help_text=_("Such as order:K7QX4M2P."))
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("seller's posting")
        verbose_name_plural = _("seller's postings")
        indexes = [
            # A seller's statement, newest first; a store's column of it.
            models.Index(fields=["seller", "-at"], name="seller_posting_newest"),
            models.Index(fields=["subject"], name="seller_posting_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.cents}"
