"""How quickly a market's roads are driven."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from retaildelivery.lib.roads import HOURS_A_DAY, Curve
from stores.models import Market


class RoadFitQuerySet(models.QuerySet["RoadFit"]):
    def valid_at(self, at: dt.datetime) -> Self:
        return self.filter(valid_from__lte=at)


class RoadFit(models.Model):
    """One attempt to fit travel times to the legs a market's drivers have driven: what came out, how well it
    fits, and whether it is used. The newest one with a `valid_from` is; without any, the default curve."""

    class Verdict(models.TextChoices):
        ADOPTED = "adopted", _("in use from then on")
        TOO_FEW_LEGS = "too_few_legs", _("too few legs: the curve before it stays")
        NO_BETTER = "no_better", _("no better than the curve before it, which stays")

    market = models.ForeignKey(Market, on_delete=models.PROTECT, related_name="+", db_index=False)
    fitted_at = models.DateTimeField()
    valid_from = models.DateTimeField(null=True, blank=True, help_text=_("Nothing when it is not used."))
    verdict = models.CharField(max_length=12, choices=Verdict)
    legs = models.PositiveIntegerField(help_text=_("Legs the fit was made from."))
    legs_left_out = models.PositiveIntegerField(help_text=_("Implausible ones and outliers."))
    minutes_per_km = models.FloatField(null=True)
    exponent = models.FloatField(null=True)
    factors = ArrayField(
        models.FloatField(),
        size=HOURS_A_DAY,
        default=list,
        help_text=_("One for each local hour of leaving."),
    )
    error_percent = models.FloatField(null=True, help_text=_("Mean error on legs it was not made from."))
    error_before_percent = models.FloatField(
        null=True, help_text=_("Mean error on the same legs of the curve before it.")
    )

    objects: ClassVar[models.Manager[RoadFit]] = RoadFitQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("fit of travel times")
        verbose_name_plural = _("fits of travel times")
        constraints = [
            models.CheckConstraint(
                condition=Q(verdict="adopted", valid_from__isnull=False)
                | (~Q(verdict="adopted") & Q(valid_from__isnull=True)),
                name="only_an_adopted_fit_is_valid",
            ),
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True)
                | Q(minutes_per_km__gt=0, exponent__gt=0, factors__len=HOURS_A_DAY),
                name="a_valid_fit_is_a_whole_curve",
            ),
        ]
        indexes = [models.Index(fields=["market", "-valid_from"], name="road_fit_newest")]

    def __str__(self) -> str:
        return f"fit of {self.market_id} at {self.fitted_at:%F %T}"

    @property
    def curve(self) -> Curve:
        """The curve of a valid fit."""
        assert self.minutes_per_km is not None
        assert self.exponent is not None
        return Curve(self.minutes_per_km, self.exponent, tuple(self.factors))
