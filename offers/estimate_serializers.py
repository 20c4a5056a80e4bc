"""What the driver's API says of what a block leaves: as told, as reckoned now, and as it came out."""

from __future__ import annotations

import datetime as dt
from typing import Any

from rest_framework import serializers

from offers import pricing, reckoning
from offers.models import Block, Claim, Mileage
from retaildelivery.web.fields import Money, Output
from stores.models import Mall

Json = dict[str, Any]

NO_WAY_YET = "Null while a block that was published ahead has no orders: nobody knows its way yet."


class EstimateOut(Output):
    """What is left, by your own cost profile: `GET /driver/cost-profile`."""

    distance_m = serializers.IntegerField(help_text="Planned, or driven afterwards; back to the mall.")
    way_m = serializers.IntegerField(
        allow_null=True,
        help_text="From your home to the mall and back; null while no home is in your profile.",
    )
    cents_per_mile = serializers.DecimalField(
        max_digits=7, decimal_places=2, help_text="By your profile; both ways are multiplied by it."
    )
    tolls = Money(help_text="Usual ones, by your profile; nothing where the market gives them back.")
    cost = Money(help_text="What both ways and tolls cost you.")
    left = Money()
    left_hourly = Money(help_text="For each hour of the block.")


class ActualOut(EstimateOut):
    """What it came to, by your own cost profile; pay with tips."""

    pay = Money()
    minutes = serializers.IntegerField(help_text="From check-in to the last stop.")
    distance_from = serializers.ChoiceField(
        choices=Mileage.Source.choices, help_text="Whose word the distance follows."
    )


class ExpectedOut(EstimateOut):
    """What the offer had said before it was claimed."""

    pay = Money()
    minutes = serializers.IntegerField(help_text="Of the block's window.")


def amount(cents: int, mall: Mall) -> Json:
    return {"cents": cents, "currency": mall.market.currency}


def minutes(time: dt.timedelta) -> int:
    return time // dt.timedelta(minutes=1)


def estimate_json(net: pricing.Left, block: Block) -> Json | None:
    """None for a block without orders, whose way nobody knows: nought would be a promise."""
    return left_json(net, block.mall) if block.orders_count else None


def left_json(net: pricing.Left, mall: Mall) -> Json:
    return {
        "distance_m": net.block_m,
        "way_m": net.way_m,
        "cents_per_mile": f"{net.cents_a_mile:.2f}",
        "tolls": amount(net.tolls_cents, mall),
        "cost": amount(net.cost_cents, mall),
        "left": amount(net.left_cents, mall),
        "left_hourly": amount(net.left_hourly_cents, mall),
    }


def expected_json(claim: Claim) -> Json | None:
    said = reckoning.said(claim)
    return None if said is None else said_json(said, claim.block.mall)


def said_json(net: pricing.Left, mall: Mall) -> Json:
    return {
        **left_json(net, mall),
        "pay": amount(net.pay_cents, mall),
        "minutes": minutes(net.time),
    }


def actual_json(found: reckoning.Afterwards | None, mall: Mall) -> Json | None:
    if found is None:
        return None
    return {**said_json(found.actual, mall), "distance_from": found.mileage.source}
