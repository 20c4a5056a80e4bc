"""What a market has on offer, read once for each version of it by each process.

A price that steps makes the feeds of all its drivers new, and what they have in common is nearly everything. What is
one driver's own (declined, entered, reserved) is asked for each; what the clock decides is decided when it is read.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Sum

from deliveries.models import Order
from drivers.models import Driver
from offers.models import Block, Offer
from retaildelivery.prepared import Given, Prepared

_OPEN = Prepared(
    lambda: (
        Offer.objects.filter(
            status=Offer.Status.OPEN,
            block__status=Block.Status.OFFERED,
            block__mall__market__code=Given("market"),
        )
        .select_related("block__mall__market", "block__policy")
        .order_by("block__window__startswith", "pk")
    )
)
_OWN = """
SELECT 'declined', block_id FROM offers_decline WHERE driver_id = %(driver)s AND block_id = ANY(%(blocks)s)
UNION ALL
SELECT 'entered', d.offer_id FROM offers_entry e JOIN offers_draw d ON d.id = e.draw_id
WHERE e.driver_id = %(driver)s AND e.withdrawn_at IS NULL AND d.offer_id = ANY(%(drawn)s)
"""


@dataclass(frozen=True, slots=True)
class Market:
    """All open offers, soonest start first, and the tips of each manifest."""

    word: str
    offers: tuple[Offer, ...]
    tips: dict[int | None, int]


_kept: dict[str, Market] = {}


def of(market_code: str, *, word: str) -> Market:
    """The market at this version, from what was kept or from the database. Take the word before; with none nothing
    is kept."""
    kept = _kept.get(market_code)
    if word and kept is not None and kept.word == word:
        return kept
    offers = tuple(_OPEN.all(market=market_code))
    read = Market(word, offers, tips_of([offer.block.manifest_id for offer in offers]))
    if word:
        _kept[market_code] = read
    return read


def tips_of(manifests: Sequence[int | None]) -> dict[int | None, int]:
    """Tips of the orders now on these manifests."""
    return dict(
        Order.objects.filter(consignments__manifest__in=manifests, consignments__ended_at=None)
        .values_list("consignments__manifest")
        .annotate(Sum("tip_cents"))
    )


def open_to(driver: Driver, offers: Sequence[Offer], *, at: dt.datetime) -> list[Offer]:
    """Those of the offers that `feed.open_offers` would give this driver now. One query."""
    drawn = [offer.pk for offer in offers if offer.mode == Offer.Mode.DRAW]
    own: dict[str, set[int]] = {"declined": set(), "entered": set()}
    with connection.cursor() as cursor:
        blocks = [offer.block_id for offer in offers]
        cursor.execute(_OWN, {"driver": driver.pk, "blocks": blocks, "drawn": drawn})
        for what, key in cursor.fetchall():
            own[what].add(key)
    return [
        offer
        for offer in offers
        if offer.block_id not in own["declined"]
        and offer.opens_at <= at
        and (offer.pk in own["entered"] or _running(offer, driver, at=at))
    ]


def _running(offer: Offer, driver: Driver, *, at: dt.datetime) -> bool:
    meant = offer.mode != Offer.Mode.RESERVED or offer.reserved_for_id == driver.pk
    return meant and offer.closes_at > at
