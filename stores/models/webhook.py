"""Where a seller's system hears of facts, and what was sent there."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Expression, Q
from django.utils.translation import gettext_lazy as _

from retaildelivery.lib import codes
from retaildelivery.outbox import worlds

if TYPE_CHECKING:
    pass
from stores.models.seller import Seller


def endpoint_code() -> str:
    return "we_" + codes.new_code(length=12).lower()


class WebhookEndpointQuerySet(models.QuerySet["WebhookEndpoint"]):
    def live(self) -> Self:
        return self.filter(deleted_at=None)

    def listening(self) -> Self:
        """Neither removed nor switched off."""
        return self.filter(deleted_at=None, disabled_at=None)

    def hearing(self, event_type: str | Expression) -> Self:
        return self.filter(Q(event_types=[]) | Q(event_types__contains=[event_type]))


class WebhookEndpoint(worlds.InAWorld):
    """A seller's URL that wants to hear of facts. Messages to it are signed with its secret."""

    code = models.CharField(max_length=24, unique=True, default=endpoint_code, editable=False)
    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="webhook_endpoints")
    url = models.URLField(max_length=500)
    description = models.CharField(max_length=120, blank=True)
    event_types = ArrayField(
        models.CharField(max_length=60), default=list, blank=True, help_text=_("Empty means every event.")
    )
    secret = models.CharField(max_length=80, help_text=_("whsec_…; used to sign, so kept readable."))
    previous_secret = models.CharField(max_length=80, blank=True)
    previous_secret_until = models.DateTimeField(
        null=True, blank=True, help_text=_("Messages carry a second signature until then.")
    )
    created_at = models.DateTimeField()
    verified_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When it showed, by answering a check, that it is the seller's.")
    )
    failing_since = models.DateTimeField(null=True, blank=True)
    probing_until = models.DateTimeField(
        null=True, blank=True, help_text=_("While it fails, nothing else is tried before then.")
    )
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_reason = models.CharField(max_length=120, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager[WebhookEndpoint]] = WebhookEndpointQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("webhook endpoint")
        verbose_name_plural = _("webhook endpoints")
        constraints = [
            models.UniqueConstraint(
                fields=["seller", "url", "world"],
                condition=Q(deleted_at=None),
                name="one_live_endpoint_per_seller_and_url",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.url}"


class WebhookMessageQuerySet(models.QuerySet["WebhookMessage"]):
    def due(self, at: dt.datetime) -> Self:
        """To be sent now; of an endpoint that fails nothing is, while one message tries it."""
        return self.filter(
            Q(endpoint__probing_until=None) | Q(endpoint__probing_until__lte=at),
            delivered_at=None,
            given_up_at=None,
            next_attempt_at__lte=at,
            endpoint__disabled_at=None,
            endpoint__deleted_at=None,
        )


class WebhookMessage(models.Model):
    """One event for one endpoint: exactly what is sent, and when it is next tried."""

    code = models.CharField(
        max_length=40, help_text=_("webhook-id: the code of the fact, the same to each endpoint.")
    )
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.PROTECT, related_name="messages", db_index=False
    )
    event_type = models.CharField(max_length=60)
    body = models.TextField(help_text=_("The bytes that are signed and sent."))
    created_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    delivered_at = models.DateTimeField(null=True)
    given_up_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager[WebhookMessage]] = WebhookMessageQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("webhook message")
        verbose_name_plural = _("webhook messages")
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "code"], name="one_message_per_endpoint_and_event"),
        ]
        indexes = [
            # The log of an endpoint, newest first, and the sweep of what is older than it is kept.
            models.Index(fields=["endpoint", "-id"], name="webhook_message_log"),
            models.Index(fields=["created_at"], name="webhook_message_age"),
            # The sender's sweep.
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(delivered_at=None, given_up_at=None),
                name="webhook_message_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.code}"


class WebhookAttempt(models.Model):
    """One try to deliver one message: what came back, or why nothing did."""

    message = models.ForeignKey(WebhookMessage, on_delete=models.CASCADE, related_name="tries")
    at = models.DateTimeField()
    duration = models.DurationField()
    status = models.PositiveSmallIntegerField(
        null=True, help_text=_("HTTP status, when there was an answer.")
    )
    failure = models.CharField(
        max_length=40, blank=True, help_text=_("connection_timeout, private_address, …")
    )
    response = models.TextField(blank=True, help_text=_("The first bytes of the answer."))

    class Meta:
        verbose_name = _("webhook attempt")
        verbose_name_plural = _("webhook attempts")

    def __str__(self) -> str:
        return f"{self.message_id} {self.at:%F %T} {self.status or self.failure}"
