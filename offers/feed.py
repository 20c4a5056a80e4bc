"""What a driver sees: offers they may take now, what each pays and costs, their block, and their earnings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat

from drivers.models import Driver, DriverPosting
from offers import eligibility, freshness, hours, limits, openings, own, places, pricing, reckoning
from offers.models import Block, Claim, Decline, Entry, HandOver, Offer
from retaildelivery.lib import geo
from retaildelivery.prepared import Given, Prepared


@dataclass(frozen=True, slots=True)
class Card:
    """One offer as a driver reads it. Money in cents, distance in metres; `net` is what is left of the pay by this
    driver's own figures, tips not counted."""

    offer: Offer
    hourly_cents: int
    pay_cents: int
    tips_cents: int
    net: pricing.Left
    stops: int
    distance_m: int
    miles: float
    refusals: tuple[eligibility.Ineligible, ...]
    left: hours.Left
    place: places.Place = places.NOWHERE

    @property
    def block(self) -> Block:
        return self.offer.block

    @property
    def eligible(self) -> bool:
        return not self.refusals

    @property
    def is_empty(self) -> bool:
        """Published ahead of its orders: what it carries, and what the way costs, nobody knows yet."""
        return self.block.origin == Block.Origin.SCHEDULED and not self.block.orders_count


def version(driver: Driver) -> str:
    """A word that changes when this driver's feed may have; "" when it is not known. Costs no SQL. Take it
    before `offers`."""
    return freshness.version(market_code=driver.market_code, driver_id=driver.pk)


def open_offers(driver: Driver, *, at: dt.datetime) -> QuerySet[Offer]:
    """Offers of the driver's market that are open to them now and whose block they have not declined: what anybody
    may take or enter, what is reserved for them, and draws that they are in until those are decided."""
    declined = Decline.objects.filter(block=OuterRef("block"), driver=driver)
    entered = Entry.objects.filter(draw__offer=OuterRef("pk"), driver=driver, withdrawn_at=None)
    running = Q(closes_at__gt=at) & (~Q(mode=Offer.Mode.RESERVED) | Q(reserved_for=driver))
    return (
        Offer.objects.filter(running | Exists(entered), status=Offer.Status.OPEN, opens_at__lte=at)
        .filter(
            ~Exists(declined),
            block__status=Block.Status.OFFERED,
            block__mall__market__code=driver.market_code,
        )
        .select_related("block__mall__market", "block__policy")
    )


def visible_offers(driver: Driver) -> QuerySet[Offer]:
    """Every offer this driver may look up by its code, open or over: those of their market."""
    return _with_rows(Offer.objects.filter(block__mall__market__code=driver.market_code))


def _with_rows(offers: QuerySet[Offer]) -> QuerySet[Offer]:
    return offers.select_related("block__mall__market", "block__policy", "block__manifest", "draw")


_VISIBLE = Prepared(
    lambda: _with_rows(Offer.objects.filter(code=Given("code"), block__mall__market__code=Given("market")))
)


def visible_offer(driver: Driver, code: str) -> Offer | None:
    """One of `visible_offers`, by its code."""
    return _VISIBLE.one(code=code, market=driver.market_code)


def offers(driver: Driver, *, at: dt.datetime) -> list[Card]:
    """The driver's feed, soonest start first, at most `limits.FEED`; each card says whether they may claim it
    and, if not, every reason. Three queries however many offers, two more with draws among them."""
    rows = list(open_offers(driver, at=at).order_by("block__window__startswith", "pk")[: limits.FEED])
    return cards(driver, rows, at=at)


def market_at(market_code: str, *, version: str, at: dt.datetime) -> openings.Market:
    """What the market had at this version: no query when another driver's feed has read it before."""
    return openings.of(market_code, word=freshness.market_word(version), at=at)


def seen(market: openings.Market, *, version: str) -> str:
    """What a feed of this market at this version is made from: another word for the same offers is nothing new."""
    return f"{market.content}-{freshness.driver_word(version)}"


def offers_at(driver: Driver, *, version: str, at: dt.datetime) -> list[Card]:
    """`offers`, of what the market had at this version (see `version`): one query when another driver has read it
    before, one more with draws among them."""
    market = market_at(driver.market_code, version=version, at=at)
    return of_market(own.read(driver, market.offers, at=at), market, at=at)


def of_market(theirs: own.Own, market: openings.Market, *, at: dt.datetime) -> list[Card]:
    """The feed of this driver from what was read of them and of their market. No query."""
    return [card_of(theirs, market, *each) for each in placed(theirs, market, at=at)]


def placed(theirs: own.Own, market: openings.Market, *, at: dt.datetime) -> list[tuple[Offer, places.Place]]:
    """The offers of this driver's feed, and their place in each. No query."""
    rows = openings.open_to(theirs, market, at=at)[: limits.FEED]
    mine = places.among(theirs.driver_id, rows, draws=market.draws, entered=theirs.entered)
    return [(row, mine.get(row.pk, places.NOWHERE)) for row in rows]


def card_of(theirs: own.Own, market: openings.Market, offer: Offer, place: places.Place) -> Card:
    """One of `of_market`."""
    return _card(theirs, offer, market.tips.get(offer.block.manifest_id, 0), place)


def card(driver: Driver, offer: Offer, *, at: dt.datetime) -> Card:
    """One offer, as in the feed."""
    return cards(driver, [offer], at=at)[0]


def cards(driver: Driver, rows: Sequence[Offer], *, at: dt.datetime) -> list[Card]:
    if not rows:
        return []
    tips = openings.tips_of([row.block.manifest_id for row in rows])
    draws = places.draws_of([row.pk for row in rows if row.mode == Offer.Mode.DRAW])
    theirs = own.read(driver, rows, at=at)
    mine = places.among(theirs.driver_id, rows, draws=draws, entered=theirs.entered)
    return [
        _card(theirs, row, tips.get(row.block.manifest_id, 0), mine.get(row.pk, places.NOWHERE))
        for row in rows
    ]


def _card(theirs: own.Own, offer: Offer, tips_cents: int, place: places.Place) -> Card:
    block, applicant = offer.block, theirs.applicant
    work = eligibility.work_of(block)
    return Card(
        offer=offer,
        hourly_cents=offer.hourly_cents,
        pay_cents=offer.pay_cents,
        tips_cents=tips_cents,
        net=reckoning.estimate(theirs.costs, block, pay_cents=offer.pay_cents),
        stops=block.stores_count + block.doors_count,
        distance_m=block.distance_m,
        miles=geo.miles(block.distance_m),
        refusals=tuple(eligibility.objections(applicant, work)),
        left=hours.left_after(applicant, work),
        place=place,
    )


def claims_of(driver: Driver) -> QuerySet[Claim]:
    """All claims of this driver, with their blocks: the scope in which their block codes are looked up."""
    return Claim.objects.filter(driver=driver).select_related(
        "block__mall__market", "block__policy", "block__manifest", "offer", "mileage"
    )


def live_claims(driver: Driver) -> QuerySet[Claim]:
    """What the driver has claimed and not ended, soonest first."""
    return claims_of(driver).filter(ended_at=None).order_by("window__startswith", "pk")


def live_or_ended_since(driver: Driver, since: dt.datetime) -> QuerySet[Claim]:
    """`live_claims`, and those that ended since then; soonest first."""
    rows = claims_of(driver).filter(Q(ended_at=None) | Q(ended_at__gte=since))
    return rows.order_by("window__startswith", "pk")


def current_claim(driver: Driver) -> Claim | None:
    """Today's work: a block at work if there is one, else the next to start."""
    return current_of(live_claims(driver)[: limits.FEED])


def current_of(claims: Iterable[Claim]) -> Claim | None:
    """The same of claims at hand, soonest first."""
    live = [claim for claim in claims if claim.ended_at is None]
    at_work = [claim for claim in live if claim.block.status in {"checked_in", "working"}]
    return next(iter([*at_work, *live]), None)


def claims_about(driver: Driver, *, at: dt.datetime) -> list[Claim]:
    """Claims whose time counts in the weeks about this moment, soonest first; one query for what is at hand and
    for the hours."""
    reach = dt.timedelta(days=9)
    rows = claims_of(driver).filter(eligibility.counting(driver, at - reach, at + reach))
    return list(rows.order_by("window__startswith", "pk"))


def hand_overs_of(driver: Driver) -> QuerySet[HandOver]:
    """What this driver has proposed, and what is proposed to them; newest first."""
    return (
        HandOver.objects.filter(Q(receiver=driver) | Q(claim__driver=driver))
        .select_related("claim__block__mall__market", "claim__driver__user", "receiver__user")
        .order_by("-pk")
    )


@dataclass(frozen=True, slots=True)
class Settled:
    """A block's pay as posted: each line with its reason, and the total of them."""

    claim: Claim
    lines: tuple[DriverPosting, ...]
    total_cents: int


def earnings(driver: Driver, *, limit: int = limits.FEED, after: str = "") -> list[Settled]:
    """The driver's settled and otherwise paid blocks, newest first, with every posted line. `after` is the code of
    the last block of the page before."""
    subject = Concat(Value("block:"), OuterRef("block__code"))
    paid = Exists(DriverPosting.objects.filter(driver=driver, subject=subject))
    claims = claims_of(driver).filter(paid, ended_at__isnull=False).order_by("-ended_at", "-pk")
    if after:
        last = claims.filter(block__code=after).first()
        if last is not None:
            claims = claims.filter(Q(ended_at__lt=last.ended_at) | Q(ended_at=last.ended_at, pk__lt=last.pk))
    found = {claim.block.code: claim for claim in reversed(claims[:limit])}
    by_block: dict[str, list[DriverPosting]] = {code: [] for code in found}
    subjects = [f"block:{code}" for code in found]
    for posting in DriverPosting.objects.filter(driver=driver, subject__in=subjects).order_by("pk"):
        by_block[posting.subject.removeprefix("block:")].append(posting)
    return [
        Settled(claim, tuple(by_block[code]), sum(line.cents for line in by_block[code]))
        for code, claim in reversed(found.items())
    ]
