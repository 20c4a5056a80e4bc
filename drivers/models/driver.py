"""A courier, and the secrets of their apps."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from retaildelivery.lib import codes
from retaildelivery.outbox import worlds

if TYPE_CHECKING:
    from retaildelivery.accounts.models import User


def driver_code() -> str:
    return codes.new_code(prefix="D", length=6)


def badge_secret() -> str:
    return codes.new_token()


class DriverQuerySet(worlds.WorldQuerySet["Driver"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(user=user)

    def approved(self) -> Self:
        return self.filter(status=Driver.Status.APPROVED)


class Driver(worlds.InAWorld):
    """A courier with a car of their own. Applies, is approved by operations, then may claim blocks."""

    class Status(models.TextChoices):
        APPLIED = "applied", _("applied")
        APPROVED = "approved", _("approved")
        SUSPENDED = "suspended", _("suspended")
        LEFT = "left", _("left")

    MOVES: ClassVar[dict[str, set[str]]] = {
        Status.APPLIED: {Status.APPROVED, Status.LEFT},
        Status.APPROVED: {Status.SUSPENDED, Status.LEFT},
        Status.SUSPENDED: {Status.APPROVED, Status.LEFT},
        Status.LEFT: set(),
    }

    code = models.CharField(max_length=12, unique=True, default=driver_code, editable=False)
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    market_code = models.SlugField(max_length=40, help_text=_("Code of the market they drive in."))
    status = models.CharField(max_length=10, choices=Status, default=Status.APPLIED)
    applied_at = models.DateTimeField()
    approved_at = models.DateTimeField(null=True, blank=True)
    suspended_at = models.DateTimeField(null=True, blank=True)
    suspended_reason = models.CharField(max_length=200, blank=True)
    left_at = models.DateTimeField(null=True, blank=True)
    badge_secret = models.CharField(max_length=64, default=badge_secret, editable=False)

    objects: ClassVar[models.Manager[Driver]] = DriverQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("driver")
        verbose_name_plural = _("drivers")
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="approved") | Q(approved_at__isnull=False),
                name="an_approved_driver_was_approved",
            ),
            models.CheckConstraint(
                condition=Q(status="suspended", suspended_at__isnull=False)
                | (~Q(status="suspended") & Q(suspended_at__isnull=True)),
                name="a_driver_is_suspended_if_and_only_if_there_is_a_time",
            ),
            models.CheckConstraint(
                condition=Q(status="left", left_at__isnull=False)
                | (~Q(status="left") & Q(left_at__isnull=True)),
                name="a_driver_has_left_if_and_only_if_there_is_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.code}"

    @property
    def called(self) -> str:
        """What others are told of them: their first name, or their code where no name is on file."""
        return self.user.first_name or self.code

    def may_move_to(self, status: str) -> bool:
        return status in self.MOVES[self.status]


class DriverToken(models.Model):
    """A secret of a driver's app, shown once and kept only as a hash."""

    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="tokens")
    name = models.CharField(max_length=80, help_text=_("Which device."))
    prefix = models.CharField(max_length=20, unique=True)
    digest = models.CharField(max_length=64, unique=True, help_text=_("SHA-256 of the whole token."))
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("driver's token")
        verbose_name_plural = _("driver's tokens")

    def __str__(self) -> str:
        return f"{self.name} {self.prefix}…"
