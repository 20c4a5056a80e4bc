"""The feed as it is sent: what all drivers of a market read alike is written once for each of its versions, what is one
driver's own each time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rest_framework.utils.encoders import JSONEncoder

from offers import driver_serializers as shapes
from offers.feed import Card
from offers.openings import Market

# As Django REST framework's renderer writes it.
_encode = JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def encoded(document: dict[str, Any]) -> bytes:
    """A JSON document, as the API writes it."""
    return _encode(document).encode()


def written(cards: Sequence[Card], market: Market) -> bytes:
    """The document `OffersOut` of these cards, which are of this market at its version."""
    rows = ",".join(_for_all(card, market) + _encode(shapes.offer_for_one(card))[1:] for card in cards)
    return f'{{"results":[{rows}]}}'.encode()


def _for_all(card: Card, market: Market) -> str:
    """The part of the offer's object that is alike for all, up to the comma after it."""
    text = market.texts.get(card.offer.pk)
    if text is None:
        text = market.texts[card.offer.pk] = _encode(shapes.offer_for_all(card))[:-1] + ","
    return text
