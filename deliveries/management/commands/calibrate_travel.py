"""manage.py calibrate_travel: fit travel times to the legs that were driven, and say how well it fits."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from deliveries import limits, roads
from deliveries.models import RoadFit
from stores.models import Market


class Command(BaseCommand):
    help = "Fit the travel times of a market, or of all, to the legs its drivers have driven."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--market", default="", help="Code of the market. Default: all of them.")

    def handle(self, *args: Any, market: str, **options: Any) -> None:
        found = list(Market.objects.filter(**({"code": market} if market else {})).order_by("code"))
        if not found:
            known = ", ".join(Market.objects.order_by("code").values_list("code", flat=True))
            raise CommandError(f"There is no market {market!r}. Known: {known or 'none'}.")
        for each in found:
            self.stdout.write(said(each, roads.calibrate(market=each, at=timezone.now())))


def said(market: Market, row: RoadFit) -> str:
    """One line on what came out."""
    used = f"{market.code}: {row.legs} legs used, {row.legs_left_out} left out"
    if row.verdict == RoadFit.Verdict.TOO_FEW_LEGS:
        return f"{used}; {limits.FIT_LEGS} are needed, so the curve in use stays."
    assert row.error_percent is not None
    errors = f"mean error {row.error_percent:.1f} %, {row.error_before_percent:.1f} % with the curve in use"
    curve = f"minutes = {row.minutes_per_km:.2f} * km^{row.exponent:.2f}"
    hours = [f"{hour}h x{factor:.2f}" for hour, factor in enumerate(row.factors) if factor != 1]
    stays = "" if row.verdict == RoadFit.Verdict.ADOPTED else "; no better, so the curve in use stays"
    return f"{used}; {curve}; {errors}{stays}.{' Hours: ' + ', '.join(hours) + '.' if hours else ''}"
