"""What the API must remember of a request."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class IdempotentRequest(models.Model):
    """A write that named an Idempotency-Key, and the answer it got, so that a retry gets the same."""

    scope = models.CharField(max_length=80, help_text=_("Whose key it is: the caller."))
    key = models.CharField(max_length=255)
    digest = models.CharField(max_length=64, help_text=_("SHA-256 of method, path and body."))
    created_at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True, help_text=_("Empty while in flight."))
    content_type = models.CharField(max_length=100, blank=True)
    body = models.TextField(blank=True)

    class Meta:
        verbose_name = _("idempotent request")
        verbose_name_plural = _("idempotent requests")
        constraints = [
            models.UniqueConstraint(fields=["scope", "key"], name="one_request_per_caller_and_key")
        ]
        indexes = [models.Index(fields=["created_at"], name="idempotent_request_age")]

    def __str__(self) -> str:
        return f"{self.scope} {self.key}"
