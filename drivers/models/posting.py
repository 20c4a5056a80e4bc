"""A driver's account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    pass
from drivers.models.driver import Driver


class DriverPosting(models.Model):
    """One line of a driver's account: what was earned (positive) or paid out (negative). Append-only; the key
    says what it pays for, so that nothing is paid twice."""

    key = models.CharField(max_length=120, unique=True, help_text=_("Such as block:BX7K2M:base."))
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="postings")
    kind = models.CharField(max_length=30)
    cents = models.IntegerField()
    text = models.CharField(max_length=200)
    rule = models.CharField(max_length=60, blank=True, help_text=_("The policy row it was computed from."))
    subject = models.CharField(max_length=80, help_text=_("Such as block:BX7K2M."))
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("driver's posting")
        verbose_name_plural = _("driver's postings")
        indexes = [
            # The earnings page, newest first.
            models.Index(fields=["driver", "-at"], name="driver_posting_newest"),
            models.Index(fields=["subject"], name="driver_posting_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.cents}"
