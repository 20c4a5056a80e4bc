"""What a road server has answered."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class TravelPair(models.Model):
    """One way as a road server knows it, kept so that a wave asks only for the doors that are new.

    A place is one number, made of its coordinates at 5 decimals (about a metre), so that a bulk read compares
    integers. There and back are two rows.
    """

    provider = models.CharField(max_length=12)
    profile = models.CharField(max_length=20)
    origin = models.BigIntegerField(help_text=_("Latitude and longitude at 5 decimals in one number."))
    goal = models.BigIntegerField(help_text=_("Latitude and longitude at 5 decimals in one number."))
    seconds = models.PositiveIntegerField(null=True, help_text=_("Nothing where the server knows no way."))
    metres = models.PositiveIntegerField(null=True)
    asked_at = models.DateTimeField()

    class Meta:
        verbose_name = _("travel time")
        verbose_name_plural = _("travel times")
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "profile", "origin", "goal"], name="one_way_per_provider_and_pair"
            ),
            models.CheckConstraint(
                condition=models.Q(seconds__isnull=True, metres__isnull=True)
                | models.Q(seconds__isnull=False, metres__isnull=False),
                name="a_way_has_both_its_time_and_its_length",
            ),
        ]
        # The sweep of old answers.
        indexes = [models.Index(fields=["asked_at"], name="travel_pair_asked_at")]

    def __str__(self) -> str:
        return f"{self.provider} {self.origin} to {self.goal}"
