"""The feed as it is sent: what all drivers of a market read alike is written once for each of its versions, what is one
driver's own each time."""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import dataclass
from typing import Any

from rest_framework.utils.encoders import JSONEncoder

from offers import driver_serializers as shapes
from offers import feed
from offers.feed import Card
from offers.models import Offer
from offers.openings import Market
from offers.own import Own
from offers.places import Place

# As Django REST framework's renderer writes it.
_encode = JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def encoded(document: dict[str, Any]) -> bytes:
    """A JSON document, as the API writes it."""
    return _encode(document).encode()


@dataclass(frozen=True, slots=True)
class Sent:
    """What was written of an offer for one driver, and what it was made of besides what is known of the driver."""

    offer: Offer
    place: Place
    text: str

    def holds(self, offer: Offer, place: Place) -> bool:
        """Whether it would be written so again. An offer that has not changed is the same object (see `openings`)."""
        return self.offer is offer and self.place == place and self.place.is_drawn == place.is_drawn


def written(theirs: Own, market: Market, sent: dict[int, Sent], *, at: dt.datetime) -> bytes:
    """The document `OffersOut` for who was read as `theirs`, of their market at its version. Of what was `sent` to them
    as that before only what has changed is made anew; `sent` is then this feed's. No query."""
    new: dict[int, Sent] = {}
    rows = []
    for offer, place in feed.placed(theirs, market, at=at):
        known, for_all = sent.get(offer.pk), market.texts.get(offer.pk)
        if known is None or for_all is None or not known.holds(offer, place):
            card = feed.card_of(theirs, market, offer, place)
            for_all = _for_all(card, market)
            known = Sent(offer, place, _for_one(card))
        new[offer.pk] = known
        rows.append(for_all + known.text)
    for gone in [key for key in sent if key not in new]:
        sent.pop(gone, None)
    sent.update(new)
    return f'{{"results":[{",".join(rows)}]}}'.encode()


def _for_one(card: Card) -> str:
    # One text for all the drivers whom it is the same for.
    return sys.intern(_encode(shapes.offer_for_one(card))[1:])


def _for_all(card: Card, market: Market) -> str:
    """The part of the offer's object that is alike for all, up to the comma after it."""
    text = market.texts.get(card.offer.pk)
    if text is None:
        text = market.texts[card.offer.pk] = _encode(shapes.offer_for_all(card))[:-1] + ","
    return text
