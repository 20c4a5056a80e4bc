"""A seller's month in a market, as it was charged."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from stores.models.market import Market
from stores.models.posting import SellerPosting
from stores.models.seller import Seller


class InvoiceCounter(models.Model):
    """The last number given to an invoice of a market. Whoever makes one locks this row and counts in the same
    transaction, so that a number is neither left out nor given twice, also when the transaction dies."""

    market = models.OneToOneField(Market, on_delete=models.PROTECT, primary_key=True, related_name="+")
    last = models.PositiveIntegerField(default=0, db_default=0)

    class Meta:
        verbose_name = _("invoice counter")
        verbose_name_plural = _("invoice counters")

    def __str__(self) -> str:
        return f"{self.market_id} {self.last}"


class Invoice(models.Model):
    """What a seller owes for a month in a market. Never changed: what was wrong is put right by a line of the next."""

    market = models.ForeignKey(Market, on_delete=models.PROTECT, related_name="+", db_index=False)
    serial = models.PositiveIntegerField(help_text=_("Without gaps within the market."))
    number = models.CharField(max_length=60, unique=True, help_text=_("Such as LAS-VEGAS-000042."))
    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="invoices", db_index=False)
    # As they were then: a seller that changes its name changes no document.
    seller_name = models.CharField(max_length=120)
    seller_email = models.EmailField()
    month = models.DateField(help_text=_("Its first day."))
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(help_text=_("The first moment after the month, in the market's time."))
    currency = models.CharField(max_length=3)
    net_cents = models.IntegerField()
    tax_cents = models.IntegerField()
    total_cents = models.IntegerField()
    issued_at = models.DateTimeField()
    due_on = models.DateField()

    class Meta:
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        constraints = [
            models.UniqueConstraint(fields=["market", "serial"], name="one_invoice_per_number_of_a_market"),
            models.UniqueConstraint(
                fields=["seller", "market", "month"], name="one_invoice_of_a_seller_per_market_and_month"
            ),
            models.CheckConstraint(
                condition=Q(total_cents=F("net_cents") + F("tax_cents")), name="an_invoice_adds_up"
            ),
            models.CheckConstraint(condition=Q(month__day=1), name="an_invoice_is_of_a_month"),
            models.CheckConstraint(condition=Q(serial__gt=0), name="invoices_are_counted_from_one"),
        ]
        indexes = [models.Index(fields=["seller", "-month"], name="invoices_of_a_seller")]

    def __str__(self) -> str:
        return self.number


class InvoiceLine(models.Model):
    """A line of the account on its invoice: each on exactly one."""

    posting = models.OneToOneField(
        SellerPosting, on_delete=models.PROTECT, primary_key=True, related_name="invoice_line"
    )
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="lines")

    class Meta:
        verbose_name = _("line of an invoice")
        verbose_name_plural = _("lines of invoices")

    def __str__(self) -> str:
        return f"{self.invoice_id} {self.posting_id}"
