"""A retailer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

from retaildelivery.lib import codes

if TYPE_CHECKING:
    pass


def seller_code() -> str:
    return codes.new_code(prefix="S", length=6)


class Seller(models.Model):
    """A retailer: owns stores in one or several malls, and pays for deliveries."""

    code = models.CharField(max_length=12, unique=True, default=seller_code, editable=False)
    name = models.CharField(max_length=120)
    email = models.EmailField(help_text=_("Where invoices and notices about keys and endpoints go."))
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("seller")
        verbose_name_plural = _("sellers")

    def __str__(self) -> str:
        return self.name
