"""What is left of a block's pay by the driver's own figures, before it is claimed and afterwards."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction

from drivers import costing
from drivers.models import CostProfile
from offers import freshness, locks, pricing
from offers.models import Block
from offers.worked import local_day


@transaction.atomic(durable=True)
def keep(*, driver_id: int, at: dt.datetime, **given: Any) -> CostProfile:
    """Set the driver's cost profile anew; their feed shows the new figures at once."""
    driver = locks.driver(driver_id)
    made = costing.keep(driver=driver, at=at, **given)
    freshness.touch_driver(driver_id)
    return made


def estimate(costs: costing.Costs, block: Block, *, pay_cents: int) -> pricing.Left:
    """By the planned way, that from home and back, and usual tolls; what a market gives back costs nothing."""
    return pricing.Left(
        pay_cents=pay_cents,
        block_m=block.distance_m,
        way_m=costs.way_m(block.mall.point),
        cents_a_mile=costs.cents_a_mile(local_day(block)),
        tolls_cents=0 if block.policy.tolls_refunded else costs.profile.tolls_cents,
        time=block.length,
    )
