"""Who has seen a block."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from offers.models.block import Block


class Audience(models.Model):
    """The drivers to whom a block was shown while it was on offer, one bit each. Its seller reads how many they are,
    never who."""

    block = models.OneToOneField(Block, on_delete=models.PROTECT, related_name="audience")
    drivers = models.BinaryField(
        default=b"", help_text=_("The bit of a driver is set once it was shown to them.")
    )
    count = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("audience")
        verbose_name_plural = _("audiences")

    def __str__(self) -> str:
        return f"audience of {self.block_id}"

    def join(self, seen: bytes) -> bool:
        """Add these drivers; False when all of them are in it. Nothing is saved."""
        length = max(len(self.drivers), len(seen))
        before = int.from_bytes(bytes(self.drivers).ljust(length, b"\0"))
        both = before | int.from_bytes(seen.ljust(length, b"\0"))
        self.drivers, self.count = both.to_bytes(length), both.bit_count()
        return both != before
