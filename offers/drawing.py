"""Entering a draw, leaving it, and drawing it: exactly once, however often the sweep fires and however late.

In which order drivers enter, and how fast, has no effect. What decides is published: `lottery` is the whole
computation, and `verification` hands out all that it needs.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Count, Q, Sum
from django.utils.translation import gettext_lazy as _

from drivers.models import Driver, StandingEvent
from offers import awarding, drawrules, eligibility, facts, freshness, limits, locks, lottery, places
from offers.models import Award, Block, Claim, Draw, Entry, Offer
from retaildelivery.lib.refusals import Refused
from retaildelivery.lib.windows import Window
from retaildelivery.outbox import recording


class NotADraw(Refused):
    code = "not_a_draw"
    sentence = _("This offer is not drawn; it can be claimed at once.")


class EntriesClosed(Refused):
    code = "entries_closed"
    sentence = _("Entries for this draw have closed.")


def enter(*, offer: Offer, driver: Driver, at: dt.datetime) -> places.Place:
    """Take part in the draw; the place that this gives. A repeat changes nothing, and who left may come back until the
    close. One statement writes it and checks once more that the draw is open, so it needs no transaction around it.

    Takes an offer read lately, with its draw and its block's mall. Raises NotADraw, EntriesClosed and
    every refusal of `eligibility`.
    """
    refuse_unless_entries_open(offer, at=at)
    block = offer.block
    around = Window(block.starts_at, block.ends_at)
    applicant = eligibility.load(driver, around=around, zone=block.mall.zone, at=at)
    eligibility.check(applicant, eligibility.work_of(block))
    return put(offer=offer, driver_id=driver.pk, driver_code=driver.code, at=at)


def put(*, offer: Offer, driver_id: int, driver_code: str, at: dt.datetime) -> places.Place:
    """Inner verb: write the entry of a driver who was found eligible. Raises EntriesClosed."""
    entrant = lottery.entrant_code(offer=offer.code, driver=driver_code)
    if not locks.put_entry(offer_id=offer.pk, driver_id=driver_id, entrant=entrant, at=at):
        raise EntriesClosed
    freshness.touch_driver(driver_id)
    return places.entered(offer.draw, entrant)


def refuse_unless_entries_open(offer: Offer, *, at: dt.datetime) -> None:
    if offer.mode != Offer.Mode.DRAW:
        raise NotADraw(reason=offer.mode)
    if offer.status != Offer.Status.OPEN or not offer.opens_at <= at < offer.closes_at:
        raise EntriesClosed(reason=offer.status)


@transaction.atomic(durable=True)
def leave(*, offer: Offer, driver: Driver, at: dt.datetime) -> None:
    """Take the entry back; before the draw as if one had never entered, afterwards as a reserve who is not asked,
    or as a winner who declines. Never counts against anybody; a repeat changes nothing. Raises NotADraw."""
    if offer.mode != Offer.Mode.DRAW:
        raise NotADraw(reason=offer.mode)
    give_place_back(offer=offer, driver=driver, at=at)


def give_place_back(*, offer: Offer, driver: Driver, at: dt.datetime) -> None:
    """Inner verb of leaving and declining."""
    assert connection.in_atomic_block, "An inner verb."
    if locks.take_entry_back(offer_id=offer.pk, driver_id=driver.pk, at=at):
        freshness.touch_driver(driver.pk)
    # Asked on this very offer means drawn, so that nobody waits for the draw's lock behind this block.
    live = Award.objects.live().filter(driver=driver, offer=offer)  # type: ignore[attr-defined]
    if not live.exists():
        return
    block = locks.block(offer.block.code)
    award: Award | None = live.select_related("offer__draw", "driver").first()
    if award is not None:
        awarding.end(award, Award.Ending.DECLINED, block=block, at=at)


def run(*, offer: Offer, block: Block, at: dt.datetime) -> None:
    """Draw an overdue offer and ask the winner. Inner verb; the block is locked, so that it happens once.

    The draw's own lock waits for entries that are just being written. Weights are as of the close of the entries,
    however late this comes.
    """
    assert connection.in_atomic_block, "An inner verb."
    draw = locks.draw(offer.draw.pk)
    assert draw.drawn_at is None, "A draw is drawn once."
    draw.offer = offer
    entries = weighed(draw, at=offer.closes_at)
    entrants = [lottery.Entrant(code, each.weight) for code, each in entries.items()]
    places = lottery.rank(draw.seed, entrants)
    write_ranks([(entries[place.entrant.code], place) for place in places])
    draw.drawn_at = at
    draw.entries_digest = lottery.entries_digest(
        offer=offer.code, seed_hash=draw.seed_hash, entrants=entrants
    )
    draw.result_digest = lottery.result_digest(
        entries=draw.entries_digest, seed=draw.seed, ranked=[place.entrant.code for place in places]
    )
    draw.save(update_fields=["drawn_at", "entries_digest", "result_digest"])
    recording.record(facts.draw_drawn(draw, block, entries=len(entries), at=at))
    freshness.touch(block.mall.market.code)
    awarding.onwards(offer=offer, block=block, at=at)


@dataclass(frozen=True, slots=True)
class Weighed:
    """An entry as of the close, and what its weight is made of."""

    pk: int
    points: int
    wins: int
    weight: int


def weighed(draw: Draw, *, at: dt.datetime) -> dict[str, Weighed]:
    """The draw's entries by their public names, with standing, recent wins and what they give as of the close, in
    three queries however many entered."""
    entries = Entry.objects.filter(draw=draw, withdrawn_at=None)
    drivers = entries.values("driver")
    counting = StandingEvent.objects.counting(at)  # type: ignore[attr-defined]
    events = counting.filter(driver__in=drivers, at__lte=at)
    points = dict(events.values_list("driver").annotate(Sum("points")))
    taken_back = Q(ending=Claim.Ending.WITHDRAWN, ended_at__lte=at)
    won = Claim.objects.filter(
        driver__in=drivers, claimed_at__gt=at - limits.RECENT_WINS, claimed_at__lte=at
    ).exclude(taken_back)
    wins = dict(won.values_list("driver").annotate(Count("pk")))
    found = {}
    for pk, driver, entrant in entries.values_list("pk", "driver", "entrant"):
        own, recent = points.get(driver, 0), wins.get(driver, 0)
        found[entrant] = Weighed(pk, own, recent, drawrules.weight(points=own, wins=recent))
    return found


def write_ranks(ranked: Sequence[tuple[Weighed, lottery.Place]]) -> None:
    """All results in one statement: ten thousand rows in a fraction of a second."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE offers_entry SET points = n.points, wins = n.wins, weight = n.weight, rank = n.rank, key = n.key"
            " FROM unnest(%s::bigint[], %s::int[], %s::int[], %s::int[], %s::int[], %s::text[])"
            " AS n (id, points, wins, weight, rank, key) WHERE offers_entry.id = n.id",
            [
                [entry.pk for entry, _place in ranked],
                [entry.points for entry, _place in ranked],
                [entry.wins for entry, _place in ranked],
                [entry.weight for entry, _place in ranked],
                [place.rank for _entry, place in ranked],
                [f"{place.key:.12f}" for _entry, place in ranked],
            ],
        )
