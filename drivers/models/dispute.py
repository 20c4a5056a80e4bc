"""A line somebody objects to, and the correction that two people signed."""

from __future__ import annotations

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from drivers.models.driver import Driver
from drivers.models.posting import DriverPosting
from retaildelivery.lib import codes


def dispute_code() -> str:
    return codes.new_code(prefix="C", length=7)


def adjustment_code() -> str:
    return codes.new_code(prefix="J", length=7)


class DisputeQuerySet(models.QuerySet["Dispute"]):
    def undecided(self) -> Self:
        return self.filter(status=Dispute.Status.OPEN)


class Dispute(models.Model):
    """A driver says that a line is wrong. A named person answers with reasons, within the deadline."""

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        GRANTED = "granted", _("granted")
        REFUSED = "refused", _("refused")
        WITHDRAWN = "withdrawn", _("withdrawn")

    MOVES: ClassVar[dict[str, set[str]]] = {
        Status.OPEN: {Status.GRANTED, Status.REFUSED, Status.WITHDRAWN},
        Status.GRANTED: set(),
        Status.REFUSED: set(),
        Status.WITHDRAWN: set(),
    }

    class Reason(models.TextChoices):
        TIME = "time", _("the time is wrong")
        WAIT = "wait", _("I waited longer")
        DISTANCE = "distance", _("the distance is wrong")
        TIP = "tip", _("a tip is missing")
        MISSING = "missing", _("something I did is not paid")
        OTHER = "other", _("something else")

    code = models.CharField(max_length=12, unique=True, default=dispute_code, editable=False)
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="disputes")
    posting = models.ForeignKey(DriverPosting, on_delete=models.PROTECT, related_name="disputes")
    reason = models.CharField(max_length=10, choices=Reason)
    text = models.CharField(max_length=1000)
    evidence = models.JSONField(help_text=_("What the system knew when it was opened."))
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField()
    overdue_told_at = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decision = models.CharField(
        max_length=1000, blank=True, help_text=_("The reasons; the driver reads them.")
    )

    objects: ClassVar[models.Manager[Dispute]] = DisputeQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("dispute")
        verbose_name_plural = _("disputes")
        constraints = [
            models.UniqueConstraint(
                fields=["posting"], condition=Q(status="open"), name="one_open_dispute_per_line"
            ),
            models.CheckConstraint(
                condition=(Q(status="open") & Q(decided_at__isnull=True))
                | (~Q(status="open") & Q(decided_at__isnull=False)),
                name="a_dispute_is_open_or_has_an_end",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["open", "withdrawn"])
                | (Q(decided_by__isnull=False) & ~Q(decision="")),
                name="a_decision_has_a_name_and_reasons",
            ),
        ]
        indexes = [
            # The sweep that watches deadlines.
            models.Index(fields=["due_at"], condition=Q(status="open"), name="dispute_due")
        ]

    def __str__(self) -> str:
        return self.code

    def may_move_to(self, status: str) -> bool:
        return status in self.MOVES[self.status]


class Adjustment(models.Model):
    """A correction of an account: one person proposes it with reason and evidence, another signs, then it is
    posted."""

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
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="adjustments")
    dispute = models.OneToOneField(
        Dispute, on_delete=models.PROTECT, null=True, blank=True, related_name="adjustment"
    )
    cents = models.IntegerField(help_text=_("Positive is to the driver."))
    reason = models.CharField(max_length=200, help_text=_("The driver reads it."))
    evidence = models.CharField(
        max_length=1000, help_text=_("What shows that it is right: codes, links, words.")
    )
    subject = models.CharField(max_length=80, help_text=_("Such as block:BX7K2M."))
    status = models.CharField(max_length=10, choices=Status, default=Status.PROPOSED)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("adjustment")
        verbose_name_plural = _("adjustments")
        constraints = [
            models.CheckConstraint(condition=~Q(cents=0), name="an_adjustment_changes_something"),
            models.CheckConstraint(
                condition=~Q(decided_by=F("proposed_by")), name="who_proposes_an_adjustment_does_not_sign_it"
            ),
            models.CheckConstraint(
                condition=(Q(status="proposed") & Q(decided_at__isnull=True))
                | (~Q(status="proposed") & Q(decided_at__isnull=False) & Q(decided_by__isnull=False)),
                name="an_adjustment_is_open_or_signed",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def is_on_account(self) -> bool:
        """Whether its line is posted; that of a small grant is before a second person signs."""
        return DriverPosting.objects.filter(key=f"adjustment:{self.code}").exists()

    def may_move_to(self, status: str) -> bool:
        return status in self.MOVES[self.status]
