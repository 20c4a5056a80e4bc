"""A paper that a driver must have."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, ClassVar, Self

from django.conf import settings
from django.core.validators import FileExtensionValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    pass
from drivers.models.driver import Driver


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
