"""A seller's rehearsal room: a world of its own, with a clock that the seller moves."""

from __future__ import annotations

import datetime as dt

from django.db import models
from django.utils.translation import gettext_lazy as _

from retaildelivery.lib import codes
from stores.models.seller import Seller


def salt() -> str:
    return codes.new_token()


class Sandbox(models.Model):
    """Where a seller's test keys work. Its key is the number of its world; stores, malls and prices are the real ones.

    Codes are drawn from salt, seed and the number of the request, so that the same requests after a reset give the same
    codes.
    """

    seller = models.OneToOneField(Seller, on_delete=models.PROTECT, related_name="sandbox")
    created_at = models.DateTimeField()
    salt = models.CharField(max_length=64, default=salt, editable=False)
    seed = models.CharField(max_length=64, blank=True)
    stopped_at = models.DateTimeField(
        null=True, blank=True, help_text=_("Where its clock stands; empty while it runs.")
    )
    ahead = models.DurationField(
        default=dt.timedelta, help_text=_("How far a running clock is ahead of the real one.")
    )
    writes = models.PositiveBigIntegerField(default=0, help_text=_("Requests that wrote since the reset."))
    resets = models.PositiveIntegerField(default=0)
    playing_until = models.DateTimeField(
        null=True,
        blank=True,
        help_text=_("Somebody moves its clock or its robots; by then they are done or dead."),
    )

    class Meta:
        verbose_name = _("sandbox")
        verbose_name_plural = _("sandboxes")

    def __str__(self) -> str:
        return f"sandbox of {self.seller_id}"

    def clock(self, at: dt.datetime) -> dt.datetime:
        """What its clock says when the real one says `at`."""
        return self.stopped_at if self.stopped_at is not None else at + self.ahead
