"""A driver on the way asks to be relieved of stops."""

from __future__ import annotations

from typing import ClassVar, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from deliveries.models import Stop
from offers.models.block import Block
from offers.models.claim import Claim
from retaildelivery.lib import codes


def relief_request_code() -> str:
    return codes.new_code(prefix="R", length=7)


class ReliefRequestQuerySet(models.QuerySet["ReliefRequest"]):
    def open(self) -> Self:
        """Not answered, the block still with who asked, and one of its stops still to come."""
        to_come = Stop.objects.filter(status__in=Stop.OPEN)
        asked = ReliefRequest.stops.through.objects.filter(
            reliefrequest=OuterRef("pk"), stop__in=to_come.values("pk")
        )
        return self.filter(Exists(asked), ended_at=None, claim__ended_at=None)


class ReliefRequest(models.Model):
    """The driver of a block at work asks that another takes these stops over. Operations grant it, which makes a
    block of them, or decline; until then the stops stay where they are. Nothing of it touches standing or pay."""

    class Ending(models.TextChoices):
        GRANTED = "granted", _("granted")
        DECLINED = "declined", _("declined")
        TAKEN_BACK = "taken_back", _("taken back")
        OVERTAKEN = "overtaken", _("overtaken by what happened")

    code = models.CharField(max_length=12, unique=True, default=relief_request_code, editable=False)
    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="relief_requests")
    stops = models.ManyToManyField(Stop, related_name="+")
    note = models.CharField(max_length=300, blank=True)
    asked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ending = models.CharField(max_length=10, choices=Ending, blank=True)
    answer = models.CharField(max_length=300, blank=True, help_text=_("What operations told the driver."))
    relief = models.ForeignKey(
        Block,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("The block that takes the stops over, when it was granted."),
    )

    objects: ClassVar[models.Manager[ReliefRequest]] = ReliefRequestQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("request for relief")
        verbose_name_plural = _("requests for relief")
        constraints = [
            models.UniqueConstraint(
                fields=["claim"], condition=Q(ended_at=None), name="one_open_relief_request_per_claim"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ending="") | (Q(ended_at__isnull=False) & ~Q(ending="")),
                name="a_relief_request_ends_with_an_answer",
            ),
            models.CheckConstraint(
                condition=Q(ending="granted", relief__isnull=False)
                | (~Q(ending="granted") & Q(relief__isnull=True)),
                name="granted_if_and_only_if_there_is_a_relief",
            ),
        ]
        indexes = [
            # The board: what is not answered.
            models.Index(fields=["asked_at"], condition=Q(ended_at=None), name="relief_request_open"),
        ]

    def __str__(self) -> str:
        return f"{self.code} of claim {self.claim_id}"
