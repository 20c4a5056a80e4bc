"""What operations watch: blocks at work, offers nobody takes, orders at risk, and the numbers of now."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from deliveries.models import Consignment, Incident, Manifest, Order, Parcel, Stop
from drivers.models import Driver, Position
from offers import limits
from offers.models import Block, Claim, Decline, HandOver, Offer, ReliefRequest, StandBy
from stores.models import Mall, Market

AT_WORK = (Block.Status.CLAIMED, Block.Status.CHECKED_IN, Block.Status.WORKING)


@dataclass(frozen=True, slots=True)
class Work:
    """A claimed block as the board shows it: whose, how far, and when it should be over."""

    block: Block
    claim: Claim | None
    stops: tuple[Stop, ...]
    seen: Position | None

    @property
    def done(self) -> int:
        return sum(stop.status in {"done", "failed", "skipped"} for stop in self.stops)

    @property
    def next_stop(self) -> Stop | None:
        return next((stop for stop in self.stops if stop.status in Stop.OPEN), None)

    @property
    def ends_at(self) -> dt.datetime:
        """When the last open stop should be over, or the end of the block."""
        last = [stop.eta_at + stop.service for stop in self.stops if stop.status in Stop.OPEN]
        return max(last, default=self.block.ends_at)

    @property
    def no_show_at(self) -> dt.datetime:
        """When the block is taken from a driver who has not come."""
        return self.block.starts_at + limits.NO_SHOW_AFTER

    def is_late(self, at: dt.datetime) -> bool:
        """The driver should be at work and is not, or will not be done by the end of the block."""
        waiting = (
            self.block.status == Block.Status.CLAIMED and at > self.block.starts_at + limits.CHECK_IN_LATE
        )
        return waiting or self.ends_at > self.block.ends_at


def numbers(market: Market | None, *, at: dt.datetime) -> dict[str, int]:
    """Counts of the moment, in two queries."""
    orders = _of(Order.objects.open(), "store__mall__market", market).aggregate(  # type: ignore[attr-defined]
        waiting=Count("pk", filter=Q(status=Order.Status.PLACED, latitude__isnull=False)),
        no_place=Count("pk", filter=Q(status=Order.Status.PLACED, latitude=None)),
        on_the_way=Count("pk", filter=Q(status__in=["picked_up", "en_route", "at_dropoff"])),
        returning=Count("pk", filter=Q(status=Order.Status.RETURNING)),
        late=Count("pk", filter=Q(window__endswith__lte=at)),
    )
    blocks = _of(Block.objects.live(), "mall__market", market).aggregate(  # type: ignore[attr-defined]
        offered=Count("pk", filter=Q(status=Block.Status.OFFERED)),
        claimed=Count("pk", filter=Q(status=Block.Status.CLAIMED)),
        at_work=Count("pk", filter=Q(status__in=[Block.Status.CHECKED_IN, Block.Status.WORKING])),
    )
    return {**orders, **blocks}


def _of(rows: Any, path: str, market: Market | None) -> Any:
    return rows if market is None else rows.filter(**{path: market})


def _declines() -> QuerySet[Decline, Any]:
    """How many drivers said no to the block of an offer; who lost it and is not asked again said nothing."""
    lost = Claim.objects.filter(driver=OuterRef("driver"), ended_at=OuterRef("at"))
    rows = Decline.objects.filter(~Exists(lost), block=OuterRef("block")).order_by()
    return rows.values("block").annotate(count=Count("pk")).values("count")


def unclaimed(market: Market | None, *, at: dt.datetime) -> list[Offer]:
    """Open offers, soonest start first, with how often they were declined and entered. A draw that is decided stays
    until who was asked has confirmed."""
    rows = Offer.objects.filter(status=Offer.Status.OPEN, opens_at__lte=at)
    rows = rows.select_related("block__mall__market", "block__policy")
    rows = _of(rows, "block__mall__market", market).annotate(
        declines=Coalesce(Subquery(_declines()), 0),
        entered=Count("draw__entries", filter=Q(draw__entries__withdrawn_at=None)),
    )
    return list(rows.order_by("block__window__startswith", "pk")[: limits.BOARD_ROWS])


def capped(offers: Sequence[Offer], *, at: dt.datetime) -> list[Offer]:
    """Those at the cap which nobody took: only a person can do more. What began there, as on short notice, is left
    to the drivers until its start is near."""
    near = at + limits.CHECK_IN_BEFORE
    return [
        offer
        for offer in offers
        if offer.mode == Offer.Mode.FIRST_COME
        and (offer.step > 0 or offer.block.starts_at <= near)
        and offer.hourly_cents >= offer.block.policy.cap_cents
    ]


def stand_bys(market: Market | None, *, at: dt.datetime) -> list[StandBy]:
    """Who stands by now or later, soonest first."""
    rows = (
        StandBy.objects.live().filter(window__endswith__gt=at).select_related("driver__user", "mall__market")
    )  # type: ignore[attr-defined]
    return list(_of(rows, "mall__market", market).order_by("window", "pk")[: limits.BOARD_ROWS])


def hand_overs(market: Market | None, *, at: dt.datetime) -> list[HandOver]:
    """Proposals that wait for an answer, those that lapse soonest first."""
    rows = HandOver.objects.open_at(at).select_related(  # type: ignore[attr-defined]
        "claim__block__mall__market", "claim__driver__user", "receiver__user"
    )
    return list(
        _of(rows, "claim__block__mall__market", market).order_by("expires_at", "pk")[: limits.BOARD_ROWS]
    )


def at_work(market: Market | None) -> list[Work]:
    """Claimed blocks with their drivers, stops and last positions, in four queries however many."""
    blocks = Block.objects.filter(status__in=AT_WORK).select_related("mall__market", "manifest__driver__user")
    blocks = _of(blocks, "mall__market", market).order_by("window__startswith", "pk")
    blocks = blocks.prefetch_related(
        Prefetch("claims", queryset=Claim.objects.live().select_related("driver__user", "vehicle")),  # type: ignore[attr-defined]
    )
    rows = list(blocks[: limits.BOARD_ROWS])
    stops: dict[int, list[Stop]] = {}
    for stop in (
        Stop.objects.filter(manifest__in=[b.manifest_id for b in rows]).select_related("store").in_order()
    ):  # type: ignore[attr-defined]
        stops.setdefault(stop.manifest_id, []).append(stop)
    drivers = [claim.driver_id for block in rows for claim in block.claims.all()]
    newest = Position.objects.filter(driver=OuterRef("driver")).order_by("-device_at").values("pk")[:1]
    seen = {p.driver_id: p for p in Position.objects.filter(driver__in=drivers, pk=Subquery(newest))}
    return [_work(block, stops, seen) for block in rows]


def _work(block: Block, stops: dict[int, list[Stop]], seen: dict[int, Position]) -> Work:
    claim = next(iter(block.claims.all()), None)
    return Work(
        block=block,
        claim=claim,
        stops=tuple(stops.get(block.manifest_id or 0, [])),
        seen=seen.get(claim.driver_id) if claim else None,
    )


def at_risk(market: Market | None, *, at: dt.datetime) -> list[Order]:
    """Orders whose promise is broken or will be: expected after the end of their window, or close to it with
    nobody carrying them. Those nearest to the end first."""
    after = Consignment.objects.filter(
        order=OuterRef("pk"), ended_at=None, dropoff__eta_at__gt=OuterRef("window__endswith")
    )
    rows = Order.objects.open().exclude(status=Order.Status.RETURNING)  # type: ignore[attr-defined]
    rows = _of(rows, "store__mall__market", market).select_related("store__mall__market")
    near = Q(status__in=["placed", "planned", "assigned"], window__endswith__lte=at + limits.RISK_BEFORE)
    rows = rows.filter(Q(window__endswith__lte=at) | near | Exists(after))
    return list(rows.order_by("window__endswith", "pk")[: limits.BOARD_ROWS])


def relief_requests(market: Market | None) -> list[ReliefRequest]:
    """Drivers on the way who ask that another takes stops over, the longest waiting first."""
    rows = ReliefRequest.objects.open().select_related("claim__block__mall__market", "claim__driver__user")  # type: ignore[attr-defined]
    rows = _of(rows, "claim__block__mall__market", market).annotate(stops_asked=Count("stops"))
    return list(rows.order_by("asked_at", "pk")[: limits.BOARD_ROWS])


def breaking_off_often(market: Market | None, *, at: dt.datetime) -> list[Driver]:
    """Drivers with more blocks broken off lately than anybody has bad luck, the most first, as `broken_off` and the
    newest as `last_block`. It counts against nobody by itself: a person looks at it."""
    ended = Claim.objects.filter(
        driver=OuterRef("pk"), block__ended_at__gt=at - limits.BREAK_OFFS_WITHIN
    ).filter(Q(ending=Claim.Ending.ABORTED) | Q(ended_at=None, block__status=Block.Status.ABORTED))
    counted = ended.order_by().values("driver").annotate(n=Count("pk")).values("n")
    rows = Driver.objects.select_related("user").annotate(
        broken_off=Coalesce(Subquery(counted), 0),
        last_block=Subquery(ended.order_by("-block__ended_at", "-pk").values("block__code")[:1]),
    )
    if market is not None:
        rows = rows.filter(market_code=market.code)
    rows = rows.filter(broken_off__gt=limits.BREAK_OFFS_USUAL)
    return list(rows.order_by("-broken_off", "pk")[: limits.BOARD_ROWS])


def needing_a_person(
    market: Market | None, offers: Sequence[Offer], counts: Mapping[str, int], *, at: dt.datetime
) -> dict[str, list[Any]]:
    """What no rule can settle: drivers who ask for relief or break off often, doors without a place, open incidents."""
    lost = Order.objects.needing_location().select_related("store__mall__market")  # type: ignore[attr-defined]
    open_incidents = Incident.objects.filter(resolved_at=None).select_related(
        "order__store__mall", "manifest__mall__market", "driver__user"
    )
    return {
        "reliefs": relief_requests(market),
        "capped": capped(offers, at=at),
        "breaking": breaking_off_often(market, at=at),
        "places": list(_of(lost, "store__mall__market", market).order_by("placed_at")[: limits.BOARD_ROWS])
        if counts["no_place"]
        else [],
        "incidents": list(
            _of(open_incidents, "manifest__mall__market", market).order_by("-at")[: limits.BOARD_ROWS]
        ),
    }


def blocks(market: Market | None) -> QuerySet[Block]:
    """Every block, newest window first, with what its list shows."""
    live = Claim.objects.live().select_related("driver__user")  # type: ignore[attr-defined]
    rows = Block.objects.select_related("mall__market").prefetch_related(Prefetch("claims", queryset=live))
    found: QuerySet[Block] = _of(rows, "mall__market", market)
    return found.order_by(F("window__startswith").desc(), "-pk")


def busiest_market() -> str:
    """Code of the market with the most live blocks; "" when there are none."""
    rows = Block.objects.live().values("mall__market__code").annotate(blocks=Count("pk"))  # type: ignore[attr-defined]
    first = rows.order_by("-blocks", "mall__market__code").first()
    return first["mall__market__code"] if first else ""


def malls(market: Market | None) -> list[Mall]:
    return list(_of(Mall.objects.filter(active=True), "market", market).order_by("name"))


def malls_of(orders: Sequence[Order]) -> list[tuple[Mall, int]]:
    """The malls at which these orders wait, and how many at each, the fullest first."""
    counted = Counter(order.store.mall for order in orders)
    return sorted(counted.items(), key=lambda pair: (-pair[1], pair[0].name))


def waiting(market: Market | None) -> list[Order]:
    """Orders that wait to be planned and have a place on the map."""
    rows = Order.objects.waiting().select_related("store__mall__market")  # type: ignore[attr-defined]
    return list(
        _of(rows, "store__mall__market", market).order_by("window__endswith", "pk")[: limits.BOARD_ROWS]
    )


def parcels_out(manifest: Manifest) -> int:
    """How many parcels the driver of this manifest holds now."""
    return Parcel.objects.filter(
        order__consignments__manifest=manifest,
        order__consignments__ended_at=None,
        custodian=Parcel.Custodian.DRIVER,
    ).count()
