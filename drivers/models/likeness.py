"""Two accounts that may be one person."""

from __future__ import annotations

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from drivers.models.document import Document
from drivers.models.driver import Driver


class LikenessQuerySet(models.QuerySet["Likeness"]):
    def unsettled(self) -> Self:
        return self.filter(settled_at=None)


class Likeness(models.Model):
    """Two drivers share something that one person has: a paper, a phone, a bank account. Found by a sweep, settled by a
    person of operations; it takes nothing from anybody by itself."""

    class Kind(models.TextChoices):
        DOCUMENT = "document", _("number of a document")
        PHONE = "phone", _("phone")
        PAYOUT_ACCOUNT = "payout_account", _("bank account")

    kind = models.CharField(max_length=14, choices=Kind)
    first = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="+")
    second = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="+")
    detail = models.CharField(max_length=60, blank=True, help_text=_("Which document; never its number."))
    found_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects: ClassVar[models.Manager[Likeness]] = LikenessQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("likeness of drivers")
        verbose_name_plural = _("one person, one entry")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "detail", "first", "second"], name="one_likeness_of_a_kind_per_pair"
            ),
            models.CheckConstraint(
                condition=Q(second__gt=F("first")), name="a_likeness_names_the_older_account_first"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.first_id} and {self.second_id}"

    @property
    def what(self) -> str:
        """What they share, in words: of a paper, which."""
        if self.kind == self.Kind.DOCUMENT:
            return f"{self.get_kind_display()}: {Document.Kind(self.detail).label}"
        return str(self.get_kind_display())
