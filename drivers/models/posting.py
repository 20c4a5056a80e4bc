"""A driver's account."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from drivers.models.driver import Driver


class DriverAccount(models.Model):
    """The row that whoever adds a line to the account locks, last of all locks, so that its chain has one end."""

    driver = models.OneToOneField(Driver, on_delete=models.PROTECT, primary_key=True, related_name="+")

    class Meta:
        verbose_name = _("driver's account")
        verbose_name_plural = _("drivers' accounts")

    def __str__(self) -> str:
        return str(self.driver_id)


class DriverPosting(models.Model):
    """One line of a driver's account: what was earned (positive) or paid out (negative). Append-only; the key
    says what it pays for, so that nothing is paid twice."""

    key = models.CharField(max_length=120, unique=True, help_text=_("Such as block:BX7K2M:base."))
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="postings", db_index=False)
    kind = models.CharField(max_length=30)
    cents = models.IntegerField()
    text = models.CharField(max_length=200)
    rule = models.CharField(max_length=60, blank=True, help_text=_("The policy row it was computed from."))
    subject = models.CharField(max_length=80, help_text=_("Such as block:BX7K2M."))
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

    class Meta:
        verbose_name = _("driver's posting")
        verbose_name_plural = _("driver's postings")
        constraints = [
            models.UniqueConstraint(fields=["driver", "sequence"], name="one_line_of_a_driver_per_number")
        ]
        indexes = [
            # The earnings page, newest first.
            models.Index(fields=["driver", "-at"], name="driver_posting_newest"),
            models.Index(fields=["subject"], name="driver_posting_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.cents}"
