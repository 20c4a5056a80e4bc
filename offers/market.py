"""What the seller of an order may know of the search for its driver: how many saw its block, declined it and why,
entered its draw, how long it took, and what became of blocks like it. Counts only: no driver is named."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from deliveries.models import Order
from offers import limits
from offers.chances import Cases, Chance, estimate
from offers.models import Block, Claim, Decline, Offer

# A claim that ended so was the platform's doing: the block had found its driver.
KEPT = [Claim.Ending.WITHDRAWN, Claim.Ending.STOOD_DOWN]
GIVEN_BACK = [Claim.Ending.RELEASED, Claim.Ending.FORFEITED, Claim.Ending.NO_SHOW, Claim.Ending.SUSPENDED]


class State(StrEnum):
    NOT_OFFERED = "not_offered"
    ON_OFFER = "on_offer"
    CLAIMED = "claimed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Declined:
    reason: Decline.Reason
    count: int


@dataclass(frozen=True, slots=True)
class Search:
    """The search for a driver, of the block that an order is in, or was in last.

    `took` is the time from the first offer to the claim that stands, to now while there is none, or to the end.
    `chance` is known only while the block is on offer.
    """

    state: State
    starts_at: dt.datetime | None = None
    offered_at: dt.datetime | None = None
    claimed_at: dt.datetime | None = None
    took: dt.timedelta | None = None
    seen_by: int = 0
    draws: int = 0
    entries: int = 0
    given_back: int = 0
    declined: tuple[Declined, ...] = ()
    chance: Chance | None = None

    @property
    def declines(self) -> int:
        return sum(each.count for each in self.declined)


def of(order: Order, *, at: dt.datetime) -> Search:
    """Five queries at most."""
    blocks = Block.objects.filter(manifest__consignments__order=order, published_at__isnull=False)
    block = blocks.select_related("mall", "audience").order_by("-published_at", "-pk").first()
    if block is None:
        return Search(State.NOT_OFFERED)
    claims = list(block.claims.order_by("pk"))
    claim = claims[-1] if claims and claims[-1].ending not in GIVEN_BACK else None
    state, until = _state(block, claim, at=at)
    assert block.published_at is not None
    audience = getattr(block, "audience", None)
    on_offer = state == State.ON_OFFER
    drawn = block.offers.filter(mode=Offer.Mode.DRAW).aggregate(
        draws=Count("pk", distinct=True),
        entries=Count("draw__entries__driver", filter=Q(draw__entries__withdrawn_at=None), distinct=True),
    )
    return Search(
        state=state,
        starts_at=block.starts_at,
        offered_at=block.published_at,
        claimed_at=claim.claimed_at if claim else None,
        took=until - block.published_at,
        seen_by=audience.count if audience else 0,
        draws=drawn["draws"],
        entries=drawn["entries"],
        given_back=sum(each.ending in GIVEN_BACK for each in claims),
        declined=_declined(block, but=[each.driver_id for each in claims]),
        chance=chance_of(block, at=at) if on_offer and at < block.starts_at else None,
    )


def _state(block: Block, claim: Claim | None, *, at: dt.datetime) -> tuple[State, dt.datetime]:
    """What the search has come to, and the moment it lasted to."""
    if block.status == Block.Status.OFFERED:
        return State.ON_OFFER, at
    if claim is not None:
        return State.CLAIMED, claim.claimed_at
    return State.ENDED, block.ended_at or at


def _declined(block: Block, *, but: list[int]) -> tuple[Declined, ...]:
    """By reason, most first. Who had it and gave it back is hidden from it as well, and did not decline it; nor did
    who failed to come to the block whose work it offers again."""
    missed = Claim.objects.filter(
        driver=OuterRef("driver"), ending=Claim.Ending.NO_SHOW, ended_at=OuterRef("at")
    )
    own = block.declines.filter(~Exists(missed)).exclude(driver__in=but)
    rows = own.values_list("reason").annotate(count=Count("pk"))
    return tuple(
        Declined(Decline.Reason(reason), count) for reason, count in rows.order_by("-count", "reason")
    )


def chance_of(block: Block, *, at: dt.datetime) -> Chance:
    """Of past blocks of the market that had no driver as long before their start as this one now: the share that had
    one at the start."""
    found = in_the_same_position(block, at=at).aggregate(
        market=Count("pk"),
        market_claimed=Count("pk", filter=Q(got=True)),
        kind=Count("pk", filter=Q(shift_kind=block.shift_kind)),
        kind_claimed=Count("pk", filter=Q(got=True, shift_kind=block.shift_kind)),
    )
    return estimate(
        same_kind=Cases(found["kind"], found["kind_claimed"]),
        market=Cases(found["market"], found["market_claimed"]),
    )


def in_the_same_position(block: Block, *, at: dt.datetime) -> QuerySet[Block]:
    """Blocks of the last weeks in the same market which were on offer without a driver as long before their start;
    `got` says whether they had one at the start. Who were taken back before that without a driver are left out: nobody
    knows how they would have ended."""
    then, start = OuterRef("then"), OuterRef("start")
    live_then = Q(ended_at=None) | Q(ended_at__gt=then)
    live_at_start = Q(ended_at=None) | Q(ended_at__gte=start) | Q(ending__in=KEPT)
    of_block = Claim.objects.filter(block=OuterRef("pk"))
    past = Block.objects.filter(
        mall__market=block.mall.market_id,
        window__startswith__gte=at - limits.CHANCE_HISTORY,
        window__startswith__lt=at,
    )
    return (
        past.annotate(start=F("window__startswith"), then=F("window__startswith") - (block.starts_at - at))
        .filter(Q(ended_at=None) | Q(ended_at__gt=F("then")), published_at__lte=F("then"))
        .filter(~Exists(of_block.filter(live_then, claimed_at__lte=then)))
        .annotate(got=Exists(of_block.filter(live_at_start, claimed_at__gt=then, claimed_at__lte=start)))
        .exclude(got=False, status=Block.Status.WITHDRAWN)
    )
