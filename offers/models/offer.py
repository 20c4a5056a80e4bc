"""A block as shown to drivers, and what they say to it."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from drivers.models import Driver
from offers.models.block import Block
from retaildelivery.lib import codes


def offer_code() -> str:
    return codes.new_code(prefix="F", length=8)


class OfferQuerySet(models.QuerySet["Offer"]):
    def open_at(self, at: dt.datetime) -> Self:
        return self.filter(status=Offer.Status.OPEN, opens_at__lte=at, closes_at__gt=at)

    def overdue(self, at: dt.datetime) -> Self:
        """Offers on which something is due. A draw that is drawn waits for its awards instead."""
        return self.filter(status=Offer.Status.OPEN, closes_at__lte=at, draw__drawn_at=None)


class Offer(models.Model):
    """A block as shown to drivers, at a price, until a time. A step of the price is a new offer.

    `closes_at` is the end of the entries of a draw, of a first-come price, or of the time somebody has to answer
    an offer that is reserved for them. What comes then is never nothing (`expiry.end`).
    """

    class Mode(models.TextChoices):
        DRAW = "draw", _("draw")
        FIRST_COME = "first_come", _("first come")
        RESERVED = "reserved", _("reserved")

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        AWARDED = "awarded", _("awarded")
        EXPIRED = "expired", _("expired")
        WITHDRAWN = "withdrawn", _("withdrawn")

    MOVES: ClassVar[dict[str, set[str]]] = {
        Status.OPEN: {Status.AWARDED, Status.EXPIRED, Status.WITHDRAWN},
        Status.AWARDED: set(),
        Status.EXPIRED: set(),
        Status.WITHDRAWN: set(),
    }

    code = models.CharField(max_length=12, unique=True, default=offer_code, editable=False)
    block = models.ForeignKey(Block, on_delete=models.PROTECT, related_name="offers")
    mode = models.CharField(max_length=10, choices=Mode, default=Mode.DRAW)
    reserved_for = models.ForeignKey(
        Driver,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Only this driver may claim it until it closes."),
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    step = models.PositiveSmallIntegerField(
        default=0, help_text=_("0 is the base price; each step adds to the hour.")
    )
    hourly_cents = models.PositiveIntegerField()
    pay_cents = models.PositiveIntegerField(help_text=_("For the scheduled window, before tips."))
    ladder = models.JSONField(
        default=list, help_text=_("The steps still to come, [{at, hourly_cents}], the same for all.")
    )
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager[Offer]] = OfferQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("offer")
        verbose_name_plural = _("offers")
        constraints = [
            models.UniqueConstraint(
                fields=["block"], condition=Q(status="open"), name="one_open_offer_per_block"
            ),
            models.CheckConstraint(
                condition=Q(closes_at__gt=F("opens_at")), name="an_offer_closes_after_it_opens"
            ),
            models.CheckConstraint(
                condition=Q(status="open", ended_at__isnull=True)
                | (~Q(status="open") & Q(ended_at__isnull=False)),
                name="an_offer_has_ended_if_and_only_if_there_is_a_time",
            ),
            models.CheckConstraint(
                condition=Q(mode="reserved", reserved_for__isnull=False)
                | (~Q(mode="reserved") & Q(reserved_for__isnull=True)),
                name="a_reserved_offer_names_its_driver",
            ),
        ]
        indexes = [
            # The sweep of expiry, and the feed.
            models.Index(fields=["closes_at"], condition=Q(status="open"), name="offer_open_closing"),
        ]

    def __str__(self) -> str:
        return f"offer {self.code}"


class Decline(models.Model):
    """A driver said: not for me. Never counts against anybody; the block is hidden from them."""

    class Reason(models.TextChoices):
        PAY = "pay", _("pay")
        TIME = "time", _("time")
        DISTANCE = "distance", _("distance")
        LOAD = "load", _("too much to carry")
        OTHER = "other", _("other")

    block = models.ForeignKey(Block, on_delete=models.PROTECT, related_name="declines", db_index=False)
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=10, choices=Reason, default=Reason.OTHER)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("decline")
        verbose_name_plural = _("declines")
        constraints = [
            models.UniqueConstraint(fields=["block", "driver"], name="one_decline_per_driver_and_block")
        ]

    def __str__(self) -> str:
        return f"{self.driver_id} declined {self.block_id}"
