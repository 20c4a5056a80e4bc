"""A secret of a seller's system."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Expression, Q
from django.utils.translation import gettext_lazy as _

from retaildelivery.outbox import worlds

if TYPE_CHECKING:
    pass
from stores.models.seller import Seller
from stores.models.store import Store

# How the prefix of a test key begins: of one that is sent, and of one that signs.
TESTS = Q(prefix__startswith="sk_test_") | Q(prefix__startswith="drive_test_")


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def live(self, at: dt.datetime | Expression) -> Self:
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=at), revoked_at=None, seller__active=True)


class ApiKey(worlds.InAWorld):
    """A secret of a seller's system, shown once and kept only as a hash."""

    class Scope(models.TextChoices):
        ORDERS_READ = "orders:read", _("read orders")
        ORDERS_WRITE = "orders:write", _("post and change orders")
        WEBHOOKS = "webhooks", _("webhook endpoints")
        AUDIT = "audit:read", _("read the log of changes")
        BILLING = "billing:read", _("read invoices")
        CONTESTS = "billing:contest", _("contest charges for waiting")
        HANDOVER = "handover", _("hand parcels over at the counter")
        SANDBOX = "sandbox", _("make test keys")

    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="api_keys")
    store = models.ForeignKey(Store, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    name = models.CharField(max_length=80, help_text=_("What uses it."))
    prefix = models.CharField(
        max_length=20, unique=True, help_text=_("First characters of the key, to tell it by.")
    )
    digest = models.CharField(max_length=64, unique=True, help_text=_("SHA-256 of the whole key."))
    scopes = ArrayField(models.CharField(max_length=20, choices=Scope))
    networks = ArrayField(
        models.CharField(max_length=50),
        default=list,
        blank=True,
        help_text=_(
            "Addresses and networks it may be used from, such as 203.0.113.0/24; empty means anywhere."
        ),
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager[ApiKey]] = ApiKeyQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        constraints = [
            models.CheckConstraint(
                condition=Q(world=worlds.LIVE) & ~TESTS | Q(world__gt=worlds.LIVE) & TESTS,
                name="a_test_key_says_that_it_is_one",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.prefix}…"
