"""How one driver stands in the draws of some offers: entered or not, by what weight, at which rank, asked or not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.db import models
from django.utils.translation import gettext_lazy as _

from drivers.models import Driver
from offers.models import Award, Draw, Entry, Offer
from retaildelivery.prepared import Given, Prepared, any_of


class State(models.TextChoices):
    """Where the driver is with the offer."""

    NOT_ENTERED = "not_entered", _("not entered")
    ENTERED = "entered", _("entered")
    LEFT = "left", _("entry taken back")
    ASKED = "asked", _("yours to confirm")
    RESERVE = "reserve", _("reserve")
    CONFIRMED = "confirmed", _("won and confirmed")
    DECLINED = "declined", _("won and declined")
    LAPSED = "lapsed", _("won and not confirmed in time")
    INELIGIBLE = "ineligible", _("passed over")
    OFFER_ENDED = "offer_ended", _("the offer ended")


@dataclass(frozen=True, slots=True)
class Place:
    """The driver's place in one offer's draw. What is not known before the draw is None."""

    draw: Draw | None
    state: str
    entrant: str = ""
    points: int | None = None
    wins: int | None = None
    weight: int | None = None
    rank: int | None = None
    confirm_until: dt.datetime | None = None
    passed_over_for: str = ""
    takes_part: bool = False  # entered, and not taken back

    @property
    def is_drawn(self) -> bool:
        return self.draw is not None and self.draw.drawn_at is not None


NOWHERE = Place(None, State.NOT_ENTERED)


_ENTRIES = Prepared(
    lambda: Entry.objects.filter(draw__offer__in=any_of("offers"), driver=Given("driver")).select_related(
        "award"
    )
)
_DRAWS = Prepared(lambda: Draw.objects.filter(offer__in=any_of("offers")))


def of(driver: Driver, offers: Sequence[Offer]) -> dict[int, Place]:
    """The driver's place in each offer that is drawn or reserved, by the offer's key; two queries."""
    drawn = [offer.pk for offer in offers if offer.mode == Offer.Mode.DRAW]
    return among(driver.pk, offers, draws=draws_of(drawn), entered=entered_in(driver.pk, drawn))


def draws_of(offers: Sequence[int]) -> dict[int, Draw]:
    """The draws of these offers, by the offer's key."""
    return {draw.offer_id: draw for draw in _DRAWS.all(offers=list(offers))} if offers else {}


def entered_in(driver_id: int, offers: Sequence[int]) -> dict[int, Place]:
    """The driver's own part of the place in each of these offers' draws that they have entered, by the draw's key."""
    rows = _ENTRIES.all(offers=list(offers), driver=driver_id) if offers else []
    return {entry.draw_id: _place(entry) for entry in rows}


def among(
    driver_id: int, offers: Sequence[Offer], *, draws: Mapping[int, Draw], entered: Mapping[int, Place]
) -> dict[int, Place]:
    """The driver's place in each offer that is drawn or reserved, by the offer's key, from what was read. No query."""
    found: dict[int, Place] = {}
    for offer in offers:
        if (draw := draws.get(offer.pk)) is not None:
            found[offer.pk] = replace(entered.get(draw.pk, NOWHERE), draw=draw)
        elif offer.mode == Offer.Mode.RESERVED and offer.reserved_for_id == driver_id:
            is_open = offer.status == Offer.Status.OPEN
            found[offer.pk] = Place(
                None,
                State.ASKED if is_open else State.OFFER_ENDED,
                confirm_until=offer.closes_at if is_open else None,
            )
    return found


def entered(draw: Draw, entrant: str) -> Place:
    """The place of who has entered just now, under this name."""
    return Place(draw, State.ENTERED, entrant=entrant, takes_part=True)


def _place(entry: Entry) -> Place:
    award: Award | None = getattr(entry, "award", None)
    return Place(
        None,
        _state(entry, award),
        entrant=entry.entrant,
        points=entry.points,
        wins=entry.wins,
        weight=entry.weight,
        rank=entry.rank,
        confirm_until=award.holds_until if award is not None and award.ended_at is None else None,
        passed_over_for=award.reason if award is not None else "",
        takes_part=entry.withdrawn_at is None,
    )


def _state(entry: Entry, award: Award | None) -> str:
    if award is not None:
        return award.ending or State.ASKED
    if entry.withdrawn_at is not None:
        return State.LEFT
    return State.RESERVE if entry.rank is not None else State.ENTERED
