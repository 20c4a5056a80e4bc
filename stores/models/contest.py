"""Whose fault a wait was that a store is charged for."""

from __future__ import annotations

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from retaildelivery.lib import codes
from stores.models.posting import SellerPosting


def contest_code() -> str:
    return codes.new_code(prefix="W", length=7)


class ContestQuerySet(models.QuerySet["Contest"]):
    def undecided(self) -> Self:
        return self.filter(status=Contest.Status.OPEN)


class Contest(models.Model):
    """A store says that it did not cause a wait it was charged for, or operations look at one by themselves. A named
    person says who was at fault, with reasons; when it was not the store, the charge is given back. The driver was
    paid for the wait and stays paid."""

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        GRANTED = "granted", _("given back")
        REFUSED = "refused", _("the charge stands")
        WITHDRAWN = "withdrawn", _("withdrawn")

    MOVES: ClassVar[dict[str, set[str]]] = {
        Status.OPEN: {Status.GRANTED, Status.REFUSED, Status.WITHDRAWN},
        Status.GRANTED: set(),
        Status.REFUSED: set(),
        Status.WITHDRAWN: set(),
    }

    class Fault(models.TextChoices):
        STORE = "store", _("the store")
        DRIVER = "driver", _("the driver")
        RECIPIENT = "recipient", _("the recipient")
        PLATFORM = "platform", _("the platform")
        WEATHER = "weather", _("the weather")

    class Reason(models.TextChoices):
        READY = "ready", _("the parcels were ready")
        ELSEWHERE = "elsewhere", _("the driver was not at our counter")
        OUTAGE = "outage", _("the system or the scanner did not work")
        OTHER = "other", _("something else")
        REVIEW = "review", _("looked at by operations")

    code = models.CharField(max_length=12, unique=True, default=contest_code, editable=False)
    posting = models.ForeignKey(SellerPosting, on_delete=models.PROTECT, related_name="contests")
    reason = models.CharField(max_length=10, choices=Reason)
    text = models.CharField(max_length=1000, blank=True)
    evidence = models.JSONField(help_text=_("What the system knew when it was opened."))
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    opened_by_key = models.CharField(
        max_length=20, blank=True, help_text=_("First characters of the API key that opened it.")
    )
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField()
    overdue_told_at = models.DateTimeField(null=True, blank=True)
    fault = models.CharField(max_length=10, choices=Fault, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decision = models.CharField(
        max_length=1000, blank=True, help_text=_("The reasons; the store reads them.")
    )

    objects: ClassVar[models.Manager[Contest]] = ContestQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("contested charge")
        verbose_name_plural = _("contested charges")
        constraints = [
            models.UniqueConstraint(
                fields=["posting"], condition=Q(status="open"), name="one_open_contest_per_charge"
            ),
            models.UniqueConstraint(
                fields=["posting"], condition=Q(status="granted"), name="a_charge_is_given_back_once"
            ),
            models.CheckConstraint(
                condition=Q(status="open", decided_at__isnull=True)
                | (~Q(status="open") & Q(decided_at__isnull=False)),
                name="a_contest_is_open_or_has_an_end",
            ),
            models.CheckConstraint(
                condition=Q(opened_by__isnull=False) ^ ~Q(opened_by_key=""), name="a_contest_is_opened_by_one"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["open", "withdrawn"], fault="")
                | (Q(status="refused", fault="store") & Q(decided_by__isnull=False) & ~Q(decision=""))
                | (
                    Q(status="granted", fault__in=["driver", "recipient", "platform", "weather"])
                    & Q(decided_by__isnull=False)
                    & ~Q(decision="")
                ),
                name="who_was_at_fault_has_a_name_and_reasons",
            ),
        ]
        indexes = [
            # The sweep that watches deadlines.
            models.Index(fields=["due_at"], condition=Q(status="open"), name="contest_due")
        ]

    def __str__(self) -> str:
        return self.code

    def may_move_to(self, status: str) -> bool:
        return status in self.MOVES[self.status]
