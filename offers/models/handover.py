"""A driver offers a block they hold to another."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from drivers.models import Driver
from offers.models.claim import Claim
from retaildelivery.lib import codes


def hand_over_code() -> str:
    return codes.new_code(prefix="H", length=7)


class HandOverQuerySet(models.QuerySet["HandOver"]):
    def open_at(self, at: dt.datetime) -> Self:
        """Neither answered nor lapsed, and the block still with the giver."""
        return self.filter(ended_at=None, expires_at__gt=at, claim__ended_at=None)


class HandOver(models.Model):
    """One driver proposes to give a claimed block to another by name; it passes only when the other accepts. Both
    consents are kept with their times. Terms stay as locked, and nobody's standing is touched."""

    class Ending(models.TextChoices):
        ACCEPTED = "accepted", _("accepted")
        DECLINED = "declined", _("declined")
        TAKEN_BACK = "taken_back", _("taken back")
        LAPSED = "lapsed", _("lapsed")

    code = models.CharField(max_length=12, unique=True, default=hand_over_code, editable=False)
    claim = models.ForeignKey(
        Claim, on_delete=models.PROTECT, related_name="hand_overs", help_text=_("The giver's.")
    )
    receiver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ending = models.CharField(max_length=10, choices=Ending, blank=True)

    objects: ClassVar[models.Manager[HandOver]] = HandOverQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("hand-over of a block")
        verbose_name_plural = _("hand-overs of blocks")
        constraints = [
            models.UniqueConstraint(
                fields=["claim"], condition=Q(ended_at=None), name="one_open_hand_over_per_claim"
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("proposed_at")), name="a_hand_over_lapses_after_it_is_proposed"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ending="") | (Q(ended_at__isnull=False) & ~Q(ending="")),
                name="a_hand_over_ends_with_an_answer",
            ),
        ]
        indexes = [
            # What a driver is asked now.
            models.Index(fields=["receiver"], condition=Q(ended_at=None), name="hand_over_to_answer"),
        ]

    def __str__(self) -> str:
        return f"{self.code} of claim {self.claim_id}"
