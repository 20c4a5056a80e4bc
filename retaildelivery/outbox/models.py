"""Facts: what happened, written in the transaction that made it true; and what follows from them."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from retaildelivery.lib import codes
from retaildelivery.outbox import worlds


def fact_code() -> str:
    return "evt_" + codes.new_code(length=20).lower()


def message_code() -> str:
    return "msg_" + codes.new_code(length=16).lower()


class CurrentTransaction(models.Func):
    """The number PostgreSQL gives the running transaction (xid8, as a bigint)."""

    function = "pg_current_xact_id"
    template = "(%(function)s()::text)::bigint"
    output_field = models.BigIntegerField()


class FactQuerySet(worlds.WorldQuerySet["Fact"]):
    def about(self, subject: str) -> Self:
        """Facts that name this subject, such as ``order:K7QX4M2P``."""
        return self.filter(subjects__contains=[subject])

    def settled(self) -> Self:
        """Facts before which no unfinished transaction can still slip one in: a reader who takes them
        in ``(transaction, id)`` order and remembers the last misses none.

        https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT
        """
        return self.extra(  # type: ignore[return-value]
            where=['"outbox_fact"."transaction" < pg_snapshot_xmin(pg_current_snapshot())::text::bigint']
        )

    def after(self, transaction: int, pk: int) -> Self:
        return self.filter(Q(transaction__gt=transaction) | Q(transaction=transaction, pk__gt=pk))

    def oldest_first(self) -> Self:
        return self.order_by("transaction", "id")


class Fact(worlds.InAWorld):
    """Something that happened and can no longer be otherwise. The same row is the audit log, the timeline
    a person reads, the source of webhooks and the queue of what follows. Never changed or deleted by code."""

    class Actor(models.TextChoices):
        STAFF = "staff", _("store staff")
        DRIVER = "driver", _("driver")
        RECIPIENT = "recipient", _("recipient")
        SELLER = "seller", _("seller's system")
        OPERATIONS = "operations", _("operations")
        SYSTEM = "system", _("system")

    code = models.CharField(max_length=40, unique=True, default=fact_code, editable=False)
    name = models.CharField(max_length=60, help_text=_("noun.past_participle, such as order.placed"))
    at = models.DateTimeField(help_text=_("When it happened, by the server's clock."))
    recorded_at = models.DateTimeField(auto_now_add=True)
    transaction = models.BigIntegerField(db_default=CurrentTransaction(), editable=False)
    subjects = ArrayField(
        models.CharField(max_length=80), help_text=_("order:…, block:…, driver:…, store:…, seller:…, mall:…")
    )
    sequence = models.PositiveIntegerField(
        null=True, help_text=_("The number of this fact within its order.")
    )
    actor_kind = models.CharField(max_length=12, choices=Actor, default=Actor.SYSTEM)
    actor = models.CharField(max_length=120, blank=True, help_text=_("A code or a name; never a key."))
    source = models.CharField(
        max_length=60, blank=True, help_text=_("Where it came from: address, key, device.")
    )
    seller_code = models.CharField(
        max_length=20, blank=True, help_text=_("Whose feed and webhooks carry it.")
    )
    data = models.JSONField(default=dict)

    objects: ClassVar[models.Manager[Fact]] = FactQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("fact")
        verbose_name_plural = _("facts")
        indexes = [
            # A timeline: everything about one order, block or driver.
            GinIndex(fields=["subjects"], name="fact_subjects"),
            # A seller's event feed, gap-free by (transaction, id).
            models.Index(fields=["seller_code", "transaction", "id"], name="fact_seller_feed"),
            # The day's log in the admin.
            models.Index(fields=["-at"], name="fact_at"),
            models.Index(fields=["name", "-at"], name="fact_name_at"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.code}"


class ReactionQuerySet(models.QuerySet["Reaction"]):
    def due(self, at: dt.datetime) -> Self:
        return self.filter(done_at=None, next_attempt_at__lte=at)


class Reaction(models.Model):
    """One thing that follows from one fact. Done in one transaction with its effect, so done once."""

    fact = models.ForeignKey(Fact, on_delete=models.PROTECT, related_name="reactions", db_index=False)
    key = models.CharField(
        max_length=60, help_text=_("Left-hand key of the reactions table, such as offers.settle.")
    )
    next_attempt_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    done_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)

    objects: ClassVar[models.Manager[Reaction]] = ReactionQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("reaction")
        verbose_name_plural = _("reactions")
        constraints = [
            models.UniqueConstraint(fields=["fact", "key"], name="one_reaction_of_a_kind_per_fact"),
        ]
        indexes = [
            # The sweep that finds what no relay has done.
            models.Index(fields=["next_attempt_at"], condition=Q(done_at=None), name="reaction_due"),
        ]

    def __str__(self) -> str:
        return f"{self.key} of {self.fact_id}"


class MessageQuerySet(worlds.WorldQuerySet["Message"]):
    def due(self, at: dt.datetime) -> Self:
        return self.filter(sent_at=None, given_up_at=None, next_attempt_at__lte=at)


class Message(worlds.InAWorld):
    """A message to a person: written with what caused it, sent afterwards by its own sender."""

    class Kind(models.TextChoices):
        NOTICE = "notice", _("notice")
        ACCOUNT = "account", _("account")

    code = models.CharField(max_length=40, unique=True, default=message_code, editable=False)
    key = models.CharField(
        max_length=120, unique=True, help_text=_("What it tells to whom; a second one is refused.")
    )
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.NOTICE)
    name = models.CharField(max_length=60, help_text=_("Name of the notice, such as order_delivered."))
    to = models.EmailField()
    subject = models.CharField(max_length=200)
    text = models.TextField()
    html = models.TextField(blank=True)
    about = models.CharField(
        max_length=80, blank=True, help_text=_("Subject it speaks of, such as order:K7QX4M2P.")
    )
    created_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    given_up_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)

    objects: ClassVar[models.Manager[Message]] = MessageQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            models.CheckConstraint(
                condition=Q(world=worlds.LIVE) | Q(sent_at=None), name="a_sandbox_sends_no_message"
            ),
        ]
        indexes = [
            # What the sender has to do next.
            models.Index(
                fields=["next_attempt_at"], condition=Q(sent_at=None, given_up_at=None), name="message_due"
            ),
            models.Index(fields=["about", "created_at"], name="message_about"),
            models.Index(fields=["-created_at"], name="message_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.name} to {self.to}"
