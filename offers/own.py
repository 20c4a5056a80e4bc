"""What a feed asks of one driver beside what its market has: their papers, hours and costs, what they declined and
which draws they are in. Read in one statement, two with draws on offer, and good for as long as the driver's word
(see `freshness`) stays: a price that steps makes it no older."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

from drivers import costing
from drivers.models import Driver
from offers import eligibility, limits, places
from offers.models import Offer
from retaildelivery.lib.windows import Window

# `block_id = ANY(...)` for what is on offer now, the time for what comes back to it while this is kept.
_BESIDE = """
UNION ALL
SELECT 'declined', '', block_id, 0, 0, true, NULL, NULL, NULL
FROM offers_decline WHERE driver_id = %(driver)s AND (block_id = ANY(%(blocks)s) OR at > %(lately)s)
"""


@dataclass(frozen=True)
class Own:
    """One driver at one moment. `held_in` is the time whose claims were read, `drawn` are draws that had been drawn,
    `costs_text` is what `costing` has read."""

    driver_id: int
    applicant: eligibility.Applicant
    costs_text: str
    declined: frozenset[int]
    entered: dict[int, places.Place]
    drawn: frozenset[int]
    held_in: Window
    refused_by_stores: bool

    def __getstate__(self) -> dict[str, Any]:
        """What was read, without what was made of it since."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @cached_property
    def costs(self) -> costing.Costs:
        return costing.read(self.driver_id, self.costs_text)

    @property
    def alike(self) -> Hashable:
        """What the text of an offer is made of, beside the driver's place in its draw: the same for all drivers of whom
        there is nothing different to say. A paper that outlasts all that may be on offer is as good as any other."""
        lasts, car = self.held_in.end.date() + dt.timedelta(days=1), self.applicant.car
        papers = (replace(paper, expires_on=min(paper.expires_on, lasts)) for paper in self.applicant.papers)
        alike = replace(
            self.applicant,
            papers=tuple(sorted(papers, key=lambda paper: paper.kind)),
            car=car and replace(car, pk=0),
        )
        return alike, self.costs_text

    @cached_property
    def entered_draws(self) -> frozenset[int]:
        """Draws that they take part in."""
        return frozenset(draw for draw, place in self.entered.items() if place.takes_part)

    def serves(self, *, held_in: Window | None, drawn: Iterable[int]) -> bool:
        """Whether it says all that is to be known of the driver for a market that came to be after it was read: their
        claims in that time, and their places in what has been drawn. Who is refused by a store is read anew, since
        that depends on where a block collects."""
        return (
            (held_in is None or self.held_in.covers(held_in))
            and not self.refused_by_stores
            and all(draw in self.drawn for draw in drawn if draw in self.entered)
        )


def read(driver: Driver, offers: Sequence[Offer], *, at: dt.datetime) -> Own:
    """The driver as at `at`, for these offers, of one market, and for whatever may be on offer there soon."""
    zone = offers[0].block.mall.zone if offers else dt.UTC
    starts, ends = [each.block.starts_at for each in offers], [each.block.ends_at for each in offers]
    around = Window(min([at, *starts]), max([at + limits.PUBLISH_AHEAD, *ends]))
    held_in = eligibility.reach(around, zone)
    rows = eligibility.read(
        driver.pk,
        held_in,
        at=at,
        beside=_BESIDE + eligibility.WITH_COSTS,
        blocks=[each.block_id for each in offers],
        lately=at - 2 * limits.PUBLISH_AHEAD,
    )
    entered = places.entered_in(driver.pk, [offer.pk for offer in offers if offer.mode == Offer.Mode.DRAW])
    return Own(
        driver_id=driver.pk,
        applicant=eligibility.applicant(driver, rows, around=around),
        costs_text=rows["costs"][0][0],
        declined=frozenset(row[1] for row in rows["declined"]),
        entered=entered,
        drawn=frozenset(draw for draw, place in entered.items() if place.rank is not None),
        held_in=held_in,
        refused_by_stores=bool(rows["store"]),
    )
