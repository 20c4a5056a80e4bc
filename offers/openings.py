"""What a market has on offer, read once for each version of it by each process.

A price that steps makes the feeds of all its drivers new, and what they have in common is nearly everything. What is
one driver's own (declined, entered, reserved) is asked for each; what the clock decides is decided when it is read.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.db.models import Sum

from deliveries.models import Order
from offers import eligibility, places
from offers.models import Block, Draw, Offer
from offers.own import Own
from retaildelivery.lib.windows import Window
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


@dataclass(frozen=True, slots=True)
class Market:
    """All open offers, soonest start first, the draw of each that is drawn, and the tips of each manifest; `content` is
    a digest of all that. `texts` is where `listing` keeps what it has written of them."""

    word: str
    offers: tuple[Offer, ...]
    draws: dict[int, Draw]
    tips: dict[int | None, int]
    content: str
    texts: dict[int, str] = field(default_factory=dict, compare=False)

    @property
    def held_in(self) -> Window | None:
        """The time in which a driver's claims matter to these offers; None with nothing on offer."""
        if not self.offers:
            return None
        start, end = self.offers[0].block.starts_at, max(offer.block.ends_at for offer in self.offers)
        return eligibility.reach(Window(start, end), self.offers[0].block.mall.zone)


_kept: dict[str, Market] = {}


def of(market_code: str, *, word: str, at: dt.datetime) -> Market:
    """The market at this version, from what was kept or from the database. Take the word before; with none nothing
    is kept."""
    kept = _kept.get(market_code)
    if word and kept is not None and kept.word == word:
        return kept
    before = {} if kept is None else {offer.pk: offer for offer in kept.offers}
    offers = tuple(_same(offer, before.get(offer.pk)) for offer in _OPEN.all(market=market_code))
    draws = places.draws_of([offer.pk for offer in offers if offer.mode == Offer.Mode.DRAW])
    tips = tips_of([offer.block.manifest_id for offer in offers])
    read = Market(word, offers, draws, tips, _content(offers, draws, tips, at=at))
    if word:
        _kept[market_code] = read
    return read


def _same(offer: Offer, before: Offer | None) -> Offer:
    """The object from before when nothing of it has changed, so that what was made of it is known to hold."""
    return before if before is not None and _rows(before) == _rows(offer) else offer


def _rows(offer: Offer) -> list[Any]:
    block = offer.block
    rows: tuple[models.Model, ...] = (offer, block, block.mall, block.mall.market, block.policy)
    return [value for row in rows for value in _values(row)]


def _values(row: models.Model | None) -> list[Any]:
    return [] if row is None else [getattr(row, field.attname) for field in row._meta.concrete_fields]


def _content(
    offers: Sequence[Offer], draws: dict[int, Draw], tips: dict[int | None, int], *, at: dt.datetime
) -> str:
    """Of which offers the clock has opened and closed too, since nobody announces that."""
    told = [
        [
            *_rows(offer),
            offer.opens_at <= at < offer.closes_at,
            tips.get(offer.block.manifest_id),
            *_values(draws.get(offer.pk)),
        ]
        for offer in offers
    ]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:32]


def tips_of(manifests: Sequence[int | None]) -> dict[int | None, int]:
    """Tips of the orders now on these manifests."""
    return dict(
        Order.objects.filter(consignments__manifest__in=manifests, consignments__ended_at=None)
        .values_list("consignments__manifest")
        .annotate(Sum("tip_cents"))
    )


def open_to(own: Own, market: Market, *, at: dt.datetime) -> list[Offer]:
    """Those of the market's offers that `feed.open_offers` would give this driver now. No query."""
    entered = own.entered_draws
    return [
        offer
        for offer in market.offers
        if offer.block_id not in own.declined
        and offer.opens_at <= at
        and (
            _running(offer, own, at=at) or (offer.pk in market.draws and market.draws[offer.pk].pk in entered)
        )
    ]


def _running(offer: Offer, own: Own, *, at: dt.datetime) -> bool:
    meant = offer.mode != Offer.Mode.RESERVED or offer.reserved_for_id == own.driver_id
    return meant and offer.closes_at > at
