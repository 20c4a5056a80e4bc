"""Money that leaves: where to, in which batch, and whether it arrived."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from drivers.models.driver import Driver
from retaildelivery.lib import codes


def batch_code() -> str:
    return codes.new_code(prefix="P", length=7)


class PayoutAccount(models.Model):
    """A driver's bank account, or account at Stripe (its number is then acct_…). Numbers are kept encrypted; a new one
    replaces, nothing is overwritten."""

    class Kind(models.TextChoices):
        CHECKING = "checking", _("checking")
        SAVINGS = "savings", _("savings")
        STRIPE = "stripe", _("Stripe")

    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="payout_accounts")
    holder = models.CharField(max_length=80)
    kind = models.CharField(max_length=10, choices=Kind)
    routing_sealed = models.CharField(max_length=300, editable=False)
    number_sealed = models.CharField(max_length=300, editable=False)
    number_digest = models.CharField(
        max_length=73,
        blank=True,
        editable=False,
        help_text=_("Equal for equal accounts; empty until the next look for likenesses."),
    )
    last4 = models.CharField(max_length=4)
    added_at = models.DateTimeField()
    replaced_at = models.DateTimeField(null=True, blank=True)
    refused_at = models.DateTimeField(null=True, blank=True, help_text=_("The bank sent money back."))
    refused_code = models.CharField(max_length=40, blank=True)

    class Meta:
        verbose_name = _("bank account")
        verbose_name_plural = _("bank accounts")
        constraints = [
            models.UniqueConstraint(
                fields=["driver"], condition=Q(replaced_at=None), name="one_bank_account_in_use_per_driver"
            )
        ]

    def __str__(self) -> str:
        return f"•••• {self.last4}"


class PayoutQuerySet(models.QuerySet["Payout"]):
    def to_transfer(self, at: dt.datetime) -> Self:
        """Let go, carried by Stripe, and its answer not known yet."""
        return self.filter(status=Payout.Status.SENT, transfer="", next_attempt_at__lte=at)


class PayoutBatch(models.Model):
    """The payouts of one market on one day. One person makes it, another lets it go."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        RELEASED = "released", _("released")
        DISCARDED = "discarded", _("discarded")

    MOVES: ClassVar[dict[str, set[str]]] = {
        Status.DRAFT: {Status.RELEASED, Status.DISCARDED},
        Status.RELEASED: set(),
        Status.DISCARDED: set(),
    }

    class Provider(models.TextChoices):
        BANK = "bank", _("a file for the bank")
        STRIPE = "stripe", _("Stripe")

    code = models.CharField(max_length=12, unique=True, default=batch_code, editable=False)
    market_code = models.SlugField(max_length=40)
    provider = models.CharField(
        max_length=10, choices=Provider, default=Provider.BANK, db_default=Provider.BANK, editable=False
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    effective_on = models.DateField(help_text=_("The day the banks book it."))
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    released_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("payout batch")
        verbose_name_plural = _("payout batches")
        constraints = [
            models.UniqueConstraint(
                fields=["market_code"], condition=Q(status="draft"), name="one_draft_of_payouts_per_market"
            ),
            models.CheckConstraint(
                condition=~Q(released_by=F("created_by")), name="who_makes_a_batch_does_not_release_it"
            ),
            models.CheckConstraint(
                condition=Q(status="released", released_at__isnull=False, released_by__isnull=False)
                | (~Q(status="released") & Q(released_at__isnull=True)),
                name="a_batch_is_released_if_and_only_if_there_is_a_time",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    def may_move_to(self, status: str) -> bool:
        return status in self.MOVES[self.status]


class Payout(models.Model):
    """One driver's money in a batch. What the bank sends back is posted again and says why."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENT = "sent", _("sent")
        DROPPED = "dropped", _("dropped")
        RETURNED = "returned", _("returned")

    MOVES: ClassVar[dict[str, set[str]]] = {
        Status.WAITING: {Status.SENT, Status.DROPPED},
        Status.SENT: {Status.RETURNED},
        Status.DROPPED: set(),
        Status.RETURNED: set(),
    }

    batch = models.ForeignKey(PayoutBatch, on_delete=models.PROTECT, related_name="payouts", db_index=False)
    number = models.PositiveIntegerField(help_text=_("Within the batch; the end of the trace number."))
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="payouts")
    account = models.ForeignKey(PayoutAccount, on_delete=models.PROTECT, related_name="+")
    cents = models.PositiveIntegerField()
    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING)
    returned_at = models.DateTimeField(null=True, blank=True)
    return_code = models.CharField(max_length=40, blank=True)
    transfer = models.CharField(
        max_length=80, blank=True, help_text=_("The provider's id, where one is used.")
    )
    attempts = models.PositiveIntegerField(default=0, db_default=0)
    next_attempt_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When the provider is asked next; empty once it has answered.")
    )

    objects: ClassVar[models.Manager[Payout]] = PayoutQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("payout")
        verbose_name_plural = _("payouts")
        constraints = [
            models.UniqueConstraint(fields=["batch", "number"], name="one_payout_per_number_of_a_batch"),
            models.UniqueConstraint(fields=["batch", "driver"], name="one_payout_per_driver_and_batch"),
            models.UniqueConstraint(
                fields=["driver"], condition=Q(status="waiting"), name="one_payout_of_a_driver_waits"
            ),
            models.CheckConstraint(condition=Q(cents__gt=0), name="a_payout_pays_something"),
        ]
        indexes = [
            # The sweep that asks the provider.
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(status="sent", transfer=""),
                name="payouts_to_transfer",
            )
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def code(self) -> str:
        return f"{self.batch.code}-{self.number:05d}"

    def may_move_to(self, status: str) -> bool:
        return status in self.MOVES[self.status]


class Statement(models.Model):
    """A driver's week: lines `first` to `last` of the account. Weeks follow one another without a gap, so that every
    line is on exactly one, and what is posted late is on the next."""

    code = models.CharField(max_length=40, unique=True)
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="statements", db_index=False)
    market_code = models.SlugField(max_length=40)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    first = models.PositiveIntegerField()
    last = models.PositiveIntegerField()
    opening_cents = models.IntegerField()
    closing_cents = models.IntegerField()
    issued_at = models.DateTimeField()

    class Meta:
        verbose_name = _("statement")
        verbose_name_plural = _("statements")
        constraints = [
            models.UniqueConstraint(fields=["driver", "starts_at"], name="one_statement_per_driver_and_week"),
            models.UniqueConstraint(fields=["driver", "first"], name="a_line_begins_one_statement"),
            models.CheckConstraint(condition=Q(last__gte=F("first")), name="a_statement_has_a_line"),
        ]

    def __str__(self) -> str:
        return self.code
