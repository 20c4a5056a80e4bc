"""The feed as it is sent: what all drivers of a market read alike is written once for each of its versions, and what is
a driver's own once for all of whom the same is known, which is most of a market's drivers at any moment: no work that
counts against their hours, papers that last, no figures of their own for what a mile costs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

from django.utils.translation import get_language
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
class Row:
    """What was written of an offer for drivers of whom the same is known, and for which offer and place."""

    offer: Offer
    place: Place
    text: str

    def holds(self, offer: Offer, place: Place) -> bool:
        """Whether it would be written so again. An offer that has not changed is the same object (see `openings`)."""
        return self.offer is offer and self.place == place and self.place.is_drawn == place.is_drawn


class Sheet:
    """What this process has written, in one language, for all drivers who are alike (`Own.alike`): by the offer, and by
    the name under which the driver has entered its draw. And for which offers all of them are eligible (`fit`)."""

    def __init__(self) -> None:
        self.word = ""
        self.rows: dict[tuple[int, str], Row] = {}
        self.fit: dict[int, Offer] = {}

    def is_fit(self, offer: Offer) -> bool:
        """Whether they were found eligible for this offer as it is here."""
        return self.fit.get(offer.pk) is offer

    def keep_to(self, market: Market) -> None:
        """Forget what is no longer on offer."""
        if self.word != market.word:
            open_now = {offer.pk for offer in market.offers}
            for key in [key for key in list(self.rows) if key[0] not in open_now]:
                self.rows.pop(key, None)
            for gone in [key for key in list(self.fit) if key not in open_now]:
                self.fit.pop(gone, None)
            self.word = market.word


_sheets: WeakValueDictionary[Hashable, Sheet] = WeakValueDictionary()


def sheet_of(theirs: Own) -> Sheet:
    """The sheet for who was read as `theirs`, in the language of now. It lasts while somebody keeps it."""
    return _sheets.setdefault((get_language(), theirs.alike), Sheet())


def written(theirs: Own, market: Market, sheet: Sheet, *, at: dt.datetime) -> tuple[bytes, list[Offer]]:
    """The document `OffersOut` for who was read as `theirs`, of their market at its version, and the offers in it.
    What stands on the `sheet` already is not made anew. No query."""
    sheet.keep_to(market)
    texts, offers = [], []
    for offer, place in feed.placed(theirs, market, at=at):
        known, for_all = sheet.rows.get((offer.pk, place.entrant)), market.texts.get(offer.pk)
        if known is None or for_all is None or not known.holds(offer, place):
            card = feed.card_of(theirs, market, offer, place)
            for_all = _for_all(card, market)
            known = sheet.rows[offer.pk, place.entrant] = Row(offer, place, _for_one(card))
        texts.append(for_all + known.text)
        offers.append(offer)
    return f'{{"results":[{",".join(texts)}]}}'.encode(), offers


def _for_one(card: Card) -> str:
    return _encode(shapes.offer_for_one(card))[1:]


def _for_all(card: Card, market: Market) -> str:
    """The part of the offer's object that is alike for all, up to the comma after it."""
    text = market.texts.get(card.offer.pk)
    if text is None:
        text = market.texts[card.offer.pk] = _encode(shapes.offer_for_all(card))[:-1] + ","
    return text
