"""The seller's API of the market: how the search for an order's driver goes."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from deliveries.api.seller import OrderBase
from deliveries.snapshots import moment
from offers import chances, market
from offers.models import Decline
from retaildelivery.web import api
from retaildelivery.web.fields import Output
from stores.api import READ


class DeclinedOut(Output):
    reason = serializers.ChoiceField(choices=Decline.Reason.choices)
    count = serializers.IntegerField()


class ChanceOut(Output):
    basis = serializers.ChoiceField(
        choices=[str(basis) for basis in chances.Basis],
        help_text="Past blocks compared with: of the same kind of shift, of the whole market, or too few to say.",
    )
    cases = serializers.IntegerField(
        help_text="Blocks of the last eight weeks that had no driver as long before their start as this one now."
    )
    claimed = serializers.IntegerField(help_text="How many of them had a driver at their start.")
    share = serializers.FloatField(allow_null=True, help_text="From 0 to 1; null with too few cases.")
    low = serializers.FloatField(allow_null=True, help_text="The true share lies between low and high nine")
    high = serializers.FloatField(allow_null=True, help_text="times of ten.")


class MarketOut(Output):
    order = serializers.CharField()
    state = serializers.ChoiceField(
        choices=[str(state) for state in market.State],
        help_text="Of the block that the order is in, or was in last.",
    )
    starts_at = serializers.DateTimeField(allow_null=True)
    offered_at = serializers.DateTimeField(allow_null=True)
    claimed_at = serializers.DateTimeField(allow_null=True, help_text="The claim that stands.")
    took_seconds = serializers.IntegerField(
        allow_null=True, help_text="From the first offer to the claim, or to now while there is none."
    )
    seen_by = serializers.IntegerField(
        help_text="Drivers on whose screen it was, each counted once; up to half a minute old."
    )
    entries = serializers.IntegerField(help_text="Drivers in its draws who have not left again.")
    declined = DeclinedOut(many=True)
    given_back = serializers.IntegerField(help_text="Claims that were given up before this one.")
    chance = ChanceOut(allow_null=True, help_text="Of a driver by the start; null unless it is on offer.")


def chance_json(chance: chances.Chance) -> dict[str, Any]:
    def rounded(share: float | None) -> float | None:
        return None if share is None else round(share, 3)

    return {
        "basis": str(chance.basis),
        "cases": chance.cases,
        "claimed": chance.claimed,
        "share": rounded(chance.share),
        "low": rounded(chance.low),
        "high": rounded(chance.high),
    }


def market_json(code: str, search: market.Search) -> dict[str, Any]:
    return {
        "order": code,
        "state": str(search.state),
        "starts_at": moment(search.starts_at),
        "offered_at": moment(search.offered_at),
        "claimed_at": moment(search.claimed_at),
        "took_seconds": None if search.took is None else int(search.took.total_seconds()),
        "seen_by": search.seen_by,
        "entries": search.entries,
        "declined": [{"reason": str(row.reason), "count": row.count} for row in search.declined],
        "given_back": search.given_back,
        "chance": chance_json(search.chance) if search.chance else None,
    }


class MarketView(OrderBase):
    scopes: ClassVar[dict[str, str]] = {"GET": READ}

    @extend_schema(operation_id="get_order_market", responses=MarketOut, tags=["Following"])
    def get(self, request: Request, code: str) -> Response:
        """How the search for the order's driver goes: seen by how many, declined why, entries, time to the claim, and
        the chance that its block is claimed in time. Counts only."""
        api.query(request, api.NoQuery)
        order = self.order(code)
        return Response(market_json(order.code, market.of(order, at=timezone.now())))
