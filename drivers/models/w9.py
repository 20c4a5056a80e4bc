"""What a driver certifies to the tax office's form W-9."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from drivers.models.driver import Driver


class W9(models.Model):
    """Name, taxpayer number, classification and address of whom we report to the tax office, as certified by the driver
    on a day. The number is kept encrypted; a new form replaces, nothing is overwritten."""

    class Classification(models.TextChoices):
        INDIVIDUAL = "individual", _("individual, sole proprietor or LLC of one person")
        C_CORPORATION = "c_corporation", _("C corporation")
        S_CORPORATION = "s_corporation", _("S corporation")
        PARTNERSHIP = "partnership", _("partnership")
        TRUST = "trust", _("trust or estate")
        LLC_C = "llc_c", _("LLC taxed as a C corporation")
        LLC_S = "llc_s", _("LLC taxed as an S corporation")
        LLC_P = "llc_p", _("LLC taxed as a partnership")

    class TinKind(models.TextChoices):
        SSN = "ssn", _("Social Security number (SSN)")
        ITIN = "itin", _("individual taxpayer number (ITIN)")
        EIN = "ein", _("employer identification number (EIN)")

    # Payments to corporations are not reported on Form 1099-NEC (instructions for Forms 1099-MISC and 1099-NEC,
    # "Exceptions").
    NOT_REPORTED: ClassVar[frozenset[str]] = frozenset({"c_corporation", "s_corporation", "llc_c", "llc_s"})

    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="w9s")
    name = models.CharField(max_length=80, help_text=_("As on the tax return."))
    business_name = models.CharField(max_length=80, blank=True)
    classification = models.CharField(max_length=14, choices=Classification)
    street = models.CharField(max_length=80)
    city = models.CharField(max_length=50)
    region = models.CharField(max_length=2)
    postal_code = models.CharField(max_length=10)
    tin_kind = models.CharField(max_length=4, choices=TinKind)
    tin_sealed = models.CharField(max_length=300, editable=False)
    last4 = models.CharField(max_length=4)
    backup_withholding = models.BooleanField(
        default=False,
        help_text=_("The tax office has told the driver that part of the pay is to be withheld."),
    )
    signed_by = models.CharField(max_length=80, help_text=_("Typed in place of a signature."))
    certified_at = models.DateTimeField()
    replaced_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("Form W-9")
        verbose_name_plural = _("Forms W-9")
        constraints = [
            models.UniqueConstraint(
                fields=["driver"], condition=Q(replaced_at=None), name="one_w9_in_force_per_driver"
            ),
            models.CheckConstraint(condition=~Q(signed_by=""), name="a_w9_is_signed"),
        ]

    def __str__(self) -> str:
        return self.masked

    @property
    def masked(self) -> str:
        """The number as people see it."""
        return f"••-•••{self.last4}" if self.tin_kind == self.TinKind.EIN else f"•••-••-{self.last4}"

    @property
    def is_reported(self) -> bool:
        return self.classification not in self.NOT_REPORTED
