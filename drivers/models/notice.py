"""What a driver is told, and the phones it is told on."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from drivers.models.driver import Driver
from retaildelivery.lib import codes


def subscription_code() -> str:
    return codes.new_code(length=10)


class PushSubscription(models.Model):
    """A phone's browser that takes notices for its driver: where to send them, and the keys that seal them."""

    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="push_subscriptions")
    code = models.CharField(max_length=12, unique=True, default=subscription_code, editable=False)
    endpoint = models.CharField(max_length=500, unique=True)
    p256dh = models.CharField(max_length=100, help_text=_("The browser's public key, base64url."))
    auth = models.CharField(max_length=40, help_text=_("A secret shared with the browser, base64url."))
    user_agent = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When its push service last took a notice.")
    )

    class Meta:
        verbose_name = _("notified phone")
        verbose_name_plural = _("notified phones")

    def __str__(self) -> str:
        return f"phone {self.code}"


class Notice(models.Model):
    """Something a driver was told: on their phones, or by e-mail when there are none or none could be reached."""

    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="notices", db_index=False)
    key = models.CharField(
        max_length=120, unique=True, help_text=_("What it tells to whom; a second one is refused.")
    )
    name = models.CharField(max_length=60, help_text=_("Name of the notice, such as award_made."))
    subject = models.CharField(max_length=200)
    brief = models.CharField(max_length=300, help_text=_("What a phone shows below the subject."))
    text = models.TextField()
    html = models.TextField(blank=True)
    path = models.CharField(max_length=200, help_text=_("The page that a tap opens."))
    about = models.CharField(
        max_length=80, blank=True, help_text=_("Subject it speaks of, such as block:BX7K2M.")
    )
    by_email = models.BooleanField(help_text=_("Goes by e-mail when no phone could be reached."))
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(help_text=_("From then on it is no news."))

    class Meta:
        verbose_name = _("notice to a driver")
        verbose_name_plural = _("notices to drivers")
        indexes = [models.Index(fields=["driver", "-created_at"], name="notice_newest")]

    def __str__(self) -> str:
        return f"{self.name} to {self.driver_id}"


class PushQuerySet(models.QuerySet["Push"]):
    def open(self) -> Self:
        return self.filter(sent_at=None, given_up_at=None)

    def due(self, at: dt.datetime) -> Self:
        return self.open().filter(next_attempt_at__lte=at)


class Push(models.Model):
    """A notice on its way to one phone. Sent afterwards by its own sender, outside any transaction."""

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="pushes", db_index=False)
    subscription = models.ForeignKey(
        PushSubscription, on_delete=models.SET_NULL, null=True, related_name="pushes"
    )
    next_attempt_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    given_up_at = models.DateTimeField(null=True, blank=True)
    last_status = models.PositiveSmallIntegerField(null=True, blank=True)
    last_error = models.CharField(max_length=200, blank=True)

    objects: ClassVar[models.Manager[Push]] = PushQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("notice to a phone")
        verbose_name_plural = _("notices to phones")
        constraints = [
            models.UniqueConstraint(fields=["notice", "subscription"], name="one_push_per_notice_and_phone"),
            models.CheckConstraint(
                condition=Q(sent_at=None) | Q(given_up_at=None), name="a_push_is_sent_or_given_up_not_both"
            ),
        ]
        indexes = [
            # What the sender has to do next.
            models.Index(
                fields=["next_attempt_at"], condition=Q(sent_at=None, given_up_at=None), name="push_due"
            ),
        ]

    def __str__(self) -> str:
        return f"notice {self.notice_id} to phone {self.subscription_id}"
