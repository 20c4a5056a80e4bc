"""Drivers: people with cars and papers, where they are, how they stand, and what they are owed."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, ClassVar, Self

from django.conf import settings
from django.core.validators import FileExtensionValidator, MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from retaildelivery.lib import codes

if TYPE_CHECKING:
    from retaildelivery.accounts.models import User


def driver_code() -> str:
    return codes.new_code(prefix="D", length=6)


def badge_secret() -> str:
    return codes.new_token()


class DriverQuerySet(models.QuerySet["Driver"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(user=user)

    def approved(self) -> Self:
        return self.filter(status=Driver.Status.APPROVED)


class Driver(models.Model):
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
    cost_cents_per_mile = models.DecimalField(
        max_digits=5,
        decimal_places=1,
        default="72.5",
        validators=[MinValueValidator(0), MaxValueValidator(500)],
        help_text=_("What a mile costs the driver; 72.5 is the rate of the IRS for 2026."),
    )

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

    def may_move_to(self, status: str) -> bool:
        return status in self.MOVES[self.status]


class VehicleQuerySet(models.QuerySet["Vehicle"]):
    def in_use(self) -> Self:
        return self.filter(retired_at=None)


class Vehicle(models.Model):
    """The car a driver delivers with, and what fits in it."""

    class Kind(models.TextChoices):
        SEDAN = "sedan", _("sedan")
        HATCHBACK = "hatchback", _("hatchback")
        SUV = "suv", _("SUV or wagon")
        MINIVAN = "minivan", _("minivan")
        VAN = "van", _("cargo van")

    # What such a car takes with the seats folded, in litres and grams; rounded down.
    CAPACITY: ClassVar[dict[str, tuple[int, int]]] = {
        Kind.SEDAN: (350, 150_000),
        Kind.HATCHBACK: (450, 180_000),
        Kind.SUV: (900, 300_000),
        Kind.MINIVAN: (1_800, 400_000),
        Kind.VAN: (4_000, 800_000),
    }

    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="vehicles")
    kind = models.CharField(max_length=10, choices=Kind)
    make = models.CharField(max_length=40)
    model = models.CharField(max_length=40)
    year = models.PositiveSmallIntegerField(validators=[MinValueValidator(1990), MaxValueValidator(2100)])
    colour = models.CharField(max_length=30)
    plate = models.CharField(max_length=12)
    litres = models.PositiveIntegerField()
    grams = models.PositiveIntegerField()
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager[Vehicle]] = VehicleQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("vehicle")
        verbose_name_plural = _("vehicles")
        constraints = [
            models.UniqueConstraint(
                fields=["driver"], condition=Q(retired_at=None), name="one_vehicle_in_use_per_driver"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.colour} {self.make} {self.model} {self.plate}"


class DocumentQuerySet(models.QuerySet["Document"]):
    def current(self) -> Self:
        return self.filter(replaced_at=None)


class Document(models.Model):
    """A paper that a driver must have, seen by a person of operations, valid to a day."""

    class Kind(models.TextChoices):
        LICENCE = "licence", _("driver's licence")
        INSURANCE = "insurance", _("car insurance")
        REGISTRATION = "registration", _("vehicle registration")
        BACKGROUND = "background", _("background check")

    REQUIRED: ClassVar[tuple[str, ...]] = (Kind.LICENCE, Kind.INSURANCE, Kind.REGISTRATION)

    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="documents")
    kind = models.CharField(max_length=14, choices=Kind)
    number = models.CharField(max_length=40)
    expires_on = models.DateField(help_text=_("The last day it is valid, in the driver's market."))
    file = models.FileField(
        upload_to="documents/%Y/%m/",
        validators=[FileExtensionValidator(["jpg", "jpeg", "png", "webp", "pdf"])],
        blank=True,
    )
    submitted_at = models.DateTimeField()
    verified_at = models.DateTimeField(null=True, blank=True)
    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    rejected_at = models.DateTimeField(null=True, blank=True)
    rejected_reason = models.CharField(max_length=200, blank=True)
    replaced_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager[Document]] = DocumentQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        constraints = [
            models.UniqueConstraint(
                fields=["driver", "kind"],
                condition=Q(replaced_at=None),
                name="one_current_document_of_a_kind_per_driver",
            ),
            models.CheckConstraint(
                condition=Q(verified_at=None) | Q(rejected_at=None),
                name="a_document_is_not_both_verified_and_rejected",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.driver_id}"

    def is_valid_on(self, day: dt.date) -> bool:
        return self.verified_at is not None and self.rejected_at is None and day <= self.expires_on


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


class StandingEvent(models.Model):
    """Something that counts for or against a driver, with its cause and who was at fault. Causes of the
    store, the recipient, the weather and the platform are shown and never count."""

    class Kind(models.TextChoices):
        COMPLETED = "completed", _("block completed")
        LATE = "late", _("late check-in")
        FORFEIT = "forfeit", _("released less than 45 minutes before the start")
        NO_SHOW = "no_show", _("no-show")

    class Fault(models.TextChoices):
        DRIVER = "driver", _("driver")
        STORE = "store", _("store")
        RECIPIENT = "recipient", _("recipient")
        WEATHER = "weather", _("weather")
        PLATFORM = "platform", _("platform")
        NONE = "none", _("nobody")

    key = models.CharField(
        max_length=120, unique=True, help_text=_("What it is about, so that it counts once.")
    )
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="standing_events")
    kind = models.CharField(max_length=12, choices=Kind)
    fault = models.CharField(max_length=10, choices=Fault)
    points = models.SmallIntegerField(help_text=_("Zero unless the driver was at fault or did well."))
    text = models.CharField(max_length=200)
    subject = models.CharField(max_length=80, help_text=_("Such as block:BX7K2M."))
    at = models.DateTimeField()
    decays_at = models.DateTimeField()

    class Meta:
        verbose_name = _("standing event")
        verbose_name_plural = _("standing events")
        indexes = [models.Index(fields=["driver", "-at"], name="standing_of_a_driver")]
        constraints = [
            models.CheckConstraint(
                condition=Q(points__gte=0) | Q(fault="driver"),
                name="only_the_drivers_own_fault_counts_against_them",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class Position(models.Model):
    """Where a driver's phone was, by its own account."""

    driver = models.ForeignKey(Driver, on_delete=models.CASCADE, related_name="positions")
    latitude = models.DecimalField(max_digits=9, decimal_places=6)
    longitude = models.DecimalField(max_digits=9, decimal_places=6)
    accuracy_m = models.PositiveIntegerField(null=True)
    device_at = models.DateTimeField()
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("position")
        verbose_name_plural = _("positions")
        constraints = [
            models.UniqueConstraint(
                fields=["driver", "device_at"], name="one_position_per_driver_and_moment"
            ),
        ]
        indexes = [models.Index(fields=["driver", "-device_at"], name="position_newest")]

    def __str__(self) -> str:
        return f"{self.driver_id} {self.latitude},{self.longitude}"


class DriverPosting(models.Model):
    """One line of a driver's account: what was earned (positive) or paid out (negative). Append-only; the key
    says what it pays for, so that nothing is paid twice."""

    key = models.CharField(max_length=120, unique=True, help_text=_("Such as block:BX7K2M:base."))
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="postings")
    kind = models.CharField(max_length=30)
    cents = models.IntegerField()
    text = models.CharField(max_length=200)
    rule = models.CharField(max_length=60, blank=True, help_text=_("The policy row it was computed from."))
    subject = models.CharField(max_length=80, help_text=_("Such as block:BX7K2M."))
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("driver's posting")
        verbose_name_plural = _("driver's postings")
        indexes = [
            # The earnings page, newest first.
            models.Index(fields=["driver", "-at"], name="driver_posting_newest"),
            models.Index(fields=["subject"], name="driver_posting_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.cents}"
