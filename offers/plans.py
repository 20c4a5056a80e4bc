"""The plan of a mall as operations read it: each block with its stops, load and slack, what it cost against what it
could have cost, and what was left and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, OuterRef, Prefetch, Subquery
from django.db.models.functions import Coalesce
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from deliveries import eta, roads
from deliveries.models import Consignment, Order, Stop
from drivers.models import Vehicle
from offers import limits, terms
from offers.models import Block, Claim, Freeze, PlanRun
from offers.planning.afternoon import LEFT_SENTENCES, LeftReason
from offers.planning.editing import Side
from offers.planning.inputs import SECOND
from offers.rearranging import Option, Outlook
from retaildelivery.lib import money
from retaildelivery.lib.roads import Curve
from stores.models import Mall, Market

# Blocks into which operations may move an order: nobody has come for them yet.
CHANGEABLE = (Block.Status.OFFERED, Block.Status.CLAIMED)
# As many colours as a map tells apart; the letter on each mark says which block it is all the same.
COLOURS = 8
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

WAITS = _(
    "Taking it now would cost %(more)s more, and its promise has time: the next plan, at %(time)s, may find it company."
)

LATER = _("It was posted after the last plan.")

NOTES: dict[str, str | Promise] = {
    "engine_timed_out": _(
        "The first proposal was stopped when its time was up; the search went on without it."
    ),
    "engine_failed": _("The first proposal failed; the search went on without it."),
    "travel_server_slow": _("The road server took too long."),
    "travel_server_down": _("The road server could not be reached."),
    "travel_server_private": _("The road server has a private address and TRAVEL_ALLOW_PRIVATE is off."),
    "travel_server_nonsense": _("The road server's answer could not be read."),
    "travel_server_resting": _("The road server failed a moment ago and was not asked again."),
    "travel_partly_estimated": _(
        "Some ways are estimated: the road server does not know them, or did not say."
    ),
}


@dataclass(frozen=True, slots=True)
class Door:
    """A drop-off of a block: its orders, and how much time is left to the earliest end of their promises."""

    stop: Stop
    orders: tuple[Order, ...]
    number: int

    @property
    def due_at(self) -> dt.datetime | None:
        return min((order.window.upper for order in self.orders), default=None)

    @property
    def slack(self) -> dt.timedelta | None:
        """Below zero: so late will it be."""
        return None if self.due_at is None else self.due_at - self.stop.eta_at

    @property
    def is_late(self) -> bool:
        return self.slack is not None and self.slack < dt.timedelta(0)

    @property
    def late_by(self) -> dt.timedelta:
        return -self.slack if self.slack is not None and self.is_late else dt.timedelta(0)


@dataclass(frozen=True, slots=True)
class Trip:
    """What a block takes between two loadings; `number` counts from 1."""

    number: int
    pickups: tuple[Stop, ...]
    doors: tuple[Door, ...]

    @property
    def back_at(self) -> dt.datetime | None:
        """When the driver is expected back at the mall to load it."""
        return min((stop.eta_at for stop in self.pickups), default=None)


@dataclass(frozen=True, slots=True)
class Laid:
    """A block as the plan page shows it; `letter` names it on the map, `back_at` is when its driver is back, `joined`
    how many orders the newest plan put into it that was there already."""

    letter: str
    tone: str
    block: Block
    claim: Claim | None
    freeze: Freeze | None
    pickups: tuple[Stop, ...]
    doors: tuple[Door, ...]
    back_at: dt.datetime
    has_begun: bool
    joined: int
    is_another_day: bool = False

    @property
    def trips(self) -> tuple[Trip, ...]:
        """Its stops by the trip they are on."""
        numbers = sorted({stop.trip for stop in (*self.pickups, *(door.stop for door in self.doors))})
        return tuple(
            Trip(
                number,
                tuple(stop for stop in self.pickups if stop.trip == number),
                tuple(door for door in self.doors if door.stop.trip == number),
            )
            for number in numbers
        )

    @property
    def is_empty(self) -> bool:
        """Published ahead of its orders: a wave fills it."""
        return not self.doors and not self.block.orders_count and self.block.status in CHANGEABLE

    @property
    def pay_cents(self) -> int:
        """What the scheduled window pays: locked at the claim, as offered before that."""
        return (
            self.claim.pay_cents
            if self.claim
            else terms.pay_cents(self.block, hourly_cents=self.block.hourly_cents)
        )

    @property
    def slack(self) -> dt.timedelta:
        """Paid time left when the driver is back; below zero it is overtime."""
        return self.block.ends_at - self.back_at

    @property
    def is_over(self) -> bool:
        return self.slack < dt.timedelta(0)

    @property
    def overtime(self) -> dt.timedelta:
        return max(-self.slack, dt.timedelta(0))

    @property
    def room(self) -> tuple[int, int]:
        """Litres and grams its car takes."""
        if self.claim:
            return self.claim.vehicle.litres, self.claim.vehicle.grams
        return Vehicle.CAPACITY[Vehicle.Kind(self.block.vehicle_kind)]

    @property
    def litres_room(self) -> int:
        return self.room[0]

    @property
    def late_doors(self) -> int:
        return sum(door.is_late for door in self.doors)

    @property
    def per_order_cents(self) -> int | None:
        return round(self.pay_cents / self.block.orders_count) if self.block.orders_count else None

    @property
    def is_changeable(self) -> bool:
        """Whether an order may be moved into it or out of it."""
        return self.is_freezable and not self.has_begun and self.block.manifest_id is not None

    @property
    def is_freezable(self) -> bool:
        return self.block.status in CHANGEABLE and self.freeze is None


@dataclass(frozen=True, slots=True)
class Compared:
    """The newest wave that planned something against each order alone and against the wave before it."""

    run: PlanRun
    before: PlanRun | None

    @property
    def saved_cents(self) -> int | None:
        return None if self.run.alone_cents is None else self.run.alone_cents - self.run.cost_cents

    @property
    def saved_percent(self) -> int | None:
        if self.saved_cents is None or not self.run.alone_cents:
            return None
        rounded = round(100 * self.saved_cents / self.run.alone_cents)
        # A plan that costs something never saves all.
        return min(rounded, 99) if self.run.cost_cents > 0 else rounded

    @property
    def per_order_cents(self) -> int | None:
        return per_order(self.run)

    @property
    def change_cents(self) -> int | None:
        """An order's cost against the wave before; waves see different numbers of orders."""
        now, then = per_order(self.run), per_order(self.before) if self.before else None
        return None if now is None or then is None else now - then


def per_order(run: PlanRun) -> int | None:
    """The whole cost by the orders it saw, those left among them at what waiting is reckoned to cost."""
    return round(run.cost_cents / run.orders_seen) if run.orders_seen else None


def of_mall(mall: Mall, newest: PlanRun | None, *, at: dt.datetime) -> list[Laid]:
    """The live blocks of a mall with their stops, soonest first, in five queries however many."""
    joined = {each["block"]: len(each["added"]) for each in newest.filled} if newest else {}
    live = Claim.objects.live().select_related("driver__user", "vehicle")  # type: ignore[attr-defined]
    kept = Freeze.objects.live().select_related("frozen_by")  # type: ignore[attr-defined]
    rows = list(
        Block.objects.live()  # type: ignore[attr-defined]
        .filter(mall=mall)
        .select_related("policy", "mall__market")
        .prefetch_related(Prefetch("claims", queryset=live), Prefetch("freezes", queryset=kept))
        .order_by("window__startswith", "pk")[: limits.BOARD_ROWS]
    )
    manifests = [block.manifest_id for block in rows]
    orders: dict[int, list[Order]] = {}
    for place in Consignment.objects.live().filter(manifest__in=manifests).select_related("order__store"):  # type: ignore[attr-defined]
        orders.setdefault(place.dropoff_id, []).append(place.order)
    stops: dict[int, list[Stop]] = {}
    for stop in Stop.objects.filter(manifest__in=manifests).select_related("store").in_order():  # type: ignore[attr-defined]
        stops.setdefault(stop.manifest_id, []).append(stop)
    curve = roads.curve_of(mall.market, at=at)
    return [
        _laid(
            mall,
            block,
            number,
            stops.get(block.manifest_id or 0, []),
            orders,
            curve,
            joined.get(block.code, 0),
            at,
        )
        for number, block in enumerate(rows)
    ]


def letter_of(number: int) -> str:
    """A to Z, then AA, AB and so on."""
    first, last = divmod(number, len(LETTERS))
    return (LETTERS[first - 1] if first else "") + LETTERS[last]


def _laid(
    mall: Mall,
    block: Block,
    number: int,
    stops: Sequence[Stop],
    orders: dict[int, list[Order]],
    curve: Curve,
    joined: int,
    at: dt.datetime,
) -> Laid:
    live = [stop for stop in stops if stop.status != Stop.Status.SKIPPED]
    doors = [stop for stop in live if stop.kind == Stop.Kind.DROPOFF]
    back_at = block.starts_at
    if live:
        last = live[-1]
        free_at = last.completed_at or last.eta_at + last.service
        hour = free_at.astimezone(mall.zone).hour
        back_at = free_at + eta.drive(last.point, mall.point, curve=curve, hour=hour)
    return Laid(
        letter=letter_of(number),
        tone=f"c{number % COLOURS}",
        block=block,
        claim=next(iter(block.claims.all()), None),
        freeze=next(iter(block.freezes.all()), None),
        pickups=tuple(stop for stop in live if stop.kind == Stop.Kind.PICKUP),
        doors=tuple(
            Door(stop, tuple(orders.get(stop.pk, ())), place) for place, stop in enumerate(doors, start=1)
        ),
        back_at=back_at,
        has_begun=at >= block.starts_at,
        joined=joined,
        is_another_day=block.starts_at.astimezone(mall.zone).date() != at.astimezone(mall.zone).date(),
    )


def busiest_mall(market: Market | None) -> Mall | None:
    """The active mall with the most live blocks; None when there is no mall."""
    rows = Mall.objects.filter(active=True, **({"market": market} if market else {}))
    live = Block.objects.live().filter(mall=OuterRef("pk")).order_by().values("mall").annotate(n=Count("pk"))  # type: ignore[attr-defined]
    return rows.annotate(blocks=Coalesce(Subquery(live.values("n")), 0)).order_by("-blocks", "code").first()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the plan is that somebody asked for: on its way, done as `run`, or given up on."""

    is_waited_for: bool
    run: PlanRun | None

    @property
    def is_lost(self) -> bool:
        return not self.is_waited_for and self.run is None


def asked_at(mall: Mall, *, at: dt.datetime) -> dt.datetime:
    """Since when to look for the wave that is asked for now: one at work is not interrupted, so it is that one."""
    at_work = PlanRun.objects.filter(mall=mall, ended_at=None).order_by("pk").first()
    return min(at, at_work.started_at) if at_work else at


def progress(mall: Mall, *, asked_at: dt.datetime, at: dt.datetime) -> Progress:
    """Of a wave asked for then: waited for until one that began later has ended, `limits.PLAN_LOCK` at most."""
    run = (
        PlanRun.objects.filter(mall=mall, started_at__gte=asked_at, ended_at__isnull=False)
        .order_by("started_at", "pk")
        .first()
    )
    return Progress(run is None and at - asked_at < limits.PLAN_LOCK, run)


def runs_of(mall: Mall) -> list[PlanRun]:
    """The latest waves of a mall that have ended, the newest first."""
    return list(
        PlanRun.objects.filter(mall=mall, ended_at__isnull=False).order_by("-started_at", "-pk")[
            : limits.PLAN_RUNS
        ]
    )


def compared(runs: Sequence[PlanRun]) -> Compared | None:
    """The newest wave that made or filled a block, with the one before it that did."""
    made = [run for run in runs if run.blocks_made or run.filled]
    return Compared(made[0], made[1] if len(made) > 1 else None) if made else None


def left_of(run: PlanRun | None, waiting: Sequence[Order], mall: Mall) -> list[tuple[Order, str]]:
    """What waits now, with the reason of the newest wave in the reader's language."""
    said = {each["order"]: sentence(each, mall) for each in run.left} if run else {}
    return [(order, said.get(order.code, str(LATER))) for order in waiting]


def sentence(left: dict[str, object], mall: Mall) -> str:
    """Why an order was left, in the reader's language; in English where the reason is one of an older version."""
    reason, params, until = str(left.get("reason")), left.get("params"), left.get("until")
    if reason not in set(LeftReason) or not isinstance(params, dict):
        return str(left.get("text", ""))
    try:
        if reason == LeftReason.CHEAPER_TO_WAIT and isinstance(until, str):
            return str(WAITS) % {
                "more": money.format_cents(params["cents"], mall.market.currency),
                "time": date_format(dt.datetime.fromisoformat(until).astimezone(mall.zone), "g:i A"),
            }
        return _now(LEFT_SENTENCES[LeftReason(reason)]) % params
    except (KeyError, TypeError, ValueError):
        return str(left.get("text", ""))


def noted(run: PlanRun) -> list[str]:
    """What a reader should know of how a plan came about, as sentences."""
    return [str(NOTES.get(note, note)) for note in run.notes]


def waiting_at(mall: Mall) -> list[Order]:
    """Orders of the mall that wait to be planned, soonest due first."""
    rows = Order.objects.waiting().at_mall(mall.pk)  # type: ignore[attr-defined]
    return list(rows.select_related("store").order_by("window__endswith", "pk")[: limits.BOARD_ROWS])


@dataclass(frozen=True, slots=True)
class Change:
    """One of the two blocks that a move touches: before and after, as moments and money."""

    code: str
    before: Side
    after: Side
    back_before: dt.datetime | None
    back_after: dt.datetime | None

    @property
    def slack_before(self) -> dt.timedelta:
        return self.before.slack_s * SECOND

    @property
    def slack_after(self) -> dt.timedelta:
        return self.after.slack_s * SECOND

    @property
    def late_before(self) -> dt.timedelta:
        return self.before.late_s * SECOND

    @property
    def late_after(self) -> dt.timedelta:
        return self.after.late_s * SECOND


@dataclass(frozen=True, slots=True)
class Choice:
    """A block that could take the order, as the page offers it; `changes` are of this block and of the order's own."""

    option: Option
    block: Block
    claim: Claim | None
    is_chosen: bool
    changes: tuple[Change, ...]

    @property
    def slack(self) -> dt.timedelta:
        return self.option.after.slack_s * SECOND


def choices(outlook: Outlook, chosen: str) -> list[Choice]:
    """The options with their blocks, in the outlook's order."""
    live = Claim.objects.live().select_related("driver__user")  # type: ignore[attr-defined]
    codes = [option.code for option in outlook.options]
    rows = Block.objects.filter(code__in=codes).prefetch_related(Prefetch("claims", queryset=live))
    blocks = {block.code: block for block in rows}
    source = () if outlook.source is None else (_source_change(outlook),)
    return [
        Choice(
            option=option,
            block=blocks[option.code],
            claim=next(iter(blocks[option.code].claims.all()), None),
            is_chosen=option.code == chosen,
            changes=(_change(outlook, option.code, option.before, option.after), *source),
        )
        for option in outlook.options
    ]


def _source_change(outlook: Outlook) -> Change:
    assert outlook.source is not None
    assert outlook.before is not None
    assert outlook.after is not None
    return _change(outlook, outlook.source.room.code, outlook.before, outlook.after)


def _change(outlook: Outlook, code: str, before: Side, after: Side) -> Change:
    moments = [outlook.snapshot.moment(side.block.finish) if side.block else None for side in (before, after)]
    return Change(code, before, after, *moments)
