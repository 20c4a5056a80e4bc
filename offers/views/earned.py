"""What a driver has earned: the week, each block, and one block line by line."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from drivers import costing, ledger, statements
from drivers.access import driver_required
from drivers.limits import EARNINGS_PAGE
from drivers.models import Driver, DriverPosting
from offers import feed, missions, pay_notices, paydays, reckoning
from offers.models import Claim, Extra

# Claims that ended without work.
GONE = {
    Claim.Ending.RELEASED,
    Claim.Ending.FORFEITED,
    Claim.Ending.NO_SHOW,
    Claim.Ending.WITHDRAWN,
    Claim.Ending.SUSPENDED,
    Claim.Ending.HANDED_OVER,
}


@driver_required
@require_GET
def earnings(request: HttpRequest, driver: Driver) -> HttpResponse:
    """The balance, and each block with what it paid."""
    at, zone = timezone.now(), paydays.zone_of(driver.market_code)
    costs = costing.of(driver)
    settled = feed.earnings(driver, limit=EARNINGS_PAGE + 1, after=request.GET.get("cursor", ""))
    shown = settled[:EARNINGS_PAGE]
    first_page = "cursor" not in request.GET
    context = {
        "driver": driver,
        "first_page": first_page,
        "next_cursor": shown[-1].claim.block.code if len(settled) > EARNINGS_PAGE else "",
        "rows": [
            {
                "block": row.claim.block,
                "cents": row.total_cents,
                "net": reckoning.left_of(costs, row.claim, row.lines),
            }
            for row in shown
        ],
        **(money_now(driver, costs, zone=zone, at=at) if first_page else {}),
    }
    return render(request, "offers/driver_earnings.html", context)


def money_now(driver: Driver, costs: costing.Costs, *, zone: ZoneInfo, at: dt.datetime) -> dict[str, Any]:
    """What stands above the list of blocks: the week, the balance, what comes."""
    monday = paydays.week_of(at, zone)
    claims = list(feed.live_or_ended_since(driver, monday))
    over = [claim for claim in claims if claim.ended_at is not None]
    of_blocks = Q(subject__in=[reckoning.subject_of(claim) for claim in over])
    lines = list(DriverPosting.objects.filter(Q(at__gte=monday) | of_blocks, driver=driver))
    earned = statements.sums(line for line in lines if line.at >= monday)
    return {
        "together": reckoning.together(reckoning.of_claims(costs, over, lines)),
        "balance_cents": ledger.balance_now(driver),
        "week": earned,
        "week_total": earned.earned_cents + earned.tips_cents + earned.corrected_cents,
        "next_payout": paydays.next_payout(at, zone),
        "bank": driver.payout_accounts.filter(replaced_at=None).first(),
        "open": [claim for claim in claims if claim.ended_at is None],
        "missions": missions.progress(driver, zone=zone, at=at),
        "coming": pay_notices.coming(driver, at=at),
    }


@driver_required
@require_GET
def block_pay(request: HttpRequest, driver: Driver, code: str) -> HttpResponse:
    """Why this amount: every line with the rule it was computed from."""
    held = get_object_or_404(feed.claims_of(driver).order_by("-pk").filter(block__code=code)[:1])
    lines = list(DriverPosting.objects.filter(driver=driver, subject=f"block:{code}").order_by("pk"))
    total = sum(line.cents for line in lines)
    context = {
        "driver": driver,
        "claim": held,
        "held": held.block,
        "lines": lines,
        "total_cents": total,
        "is_gone": held.ending in GONE,
        "beside": reckoning.afterwards(costing.of(driver), held, lines),
        "extras": Extra.objects.filter(block=held.block, driver=driver).order_by("pk"),
        "tolls": held.block.policy.tolls_refunded,
    }
    return render(request, "offers/driver_block_pay.html", context)
