"""An order moved to another block by a person: what it would cost, what the judge says, and doing it."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from deliveries import locks as delivery_locks
from deliveries import redrawing
from deliveries.models import Consignment, Order
from drivers.models import Vehicle
from offers import facts, freezing, freshness, limits, locks, withdrawing
from offers.models import Block, Claim
from offers.planning import editing, inputs, routes
from offers.planning import rules as planrules
from offers.planning.afternoon import Afternoon, BlockLength
from offers.planning.editing import Side
from offers.planning.inputs import SECOND, Candidate, OpenBlock, Snapshot
from offers.planning.travel import sources
from retaildelivery.accounts.models import User
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox import recording
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import Actor
from stores import hours
from stores.models import Mall

DAY_S = 86_400
# What a person can cause by moving an order, as the judge names it. Anything else is a fault of ours.
RULES: dict[str, str | Promise] = {
    "too_long": _("The driver would be back after the end of the block."),
    "too_late": _("A promise would be broken by more than is ever planned."),
    "too_big": _("It takes more litres than the car of the block holds."),
    "too_heavy": _("It weighs more than the car of the block carries."),
    "too_many_orders": _("The pay policy allows no more orders in one block."),
    "too_far": _("The way would be longer than a block may be."),
    "not_ready": _("It is packed too late for this block."),
    "back_after_close": _("The driver would be back after the mall closes."),
    "may_not_share_a_car": _("It may not share a car with what is in the block."),
    "store_shut": _("A store shuts before the car is loaded."),
}


class MoveRefused(Refused):
    """Base of what can be said against moving an order."""

    code = "move_refused"


class OrderFixed(MoveRefused):
    code = "order_fixed"
    sentence = _("Order %(order)s is %(status)s, and its block is frozen, has begun or is not at this mall.")


class BlockClosed(MoveRefused):
    code = "block_closed"
    sentence = _("Block %(block)s takes no orders: it is frozen, has begun, or its driver has checked in.")


class LastOrder(MoveRefused):
    code = "last_order"
    sentence = _(
        "It is the last order of block %(block)s. Withdraw that block instead; the order then waits again."
    )


class DoesNotFit(MoveRefused):
    code = "does_not_fit"
    sentence = _("The judge rejects it: %(rules)s")


class PlanMovedOn(MoveRefused):
    code = "plan_moved_on"
    sentence = _("The plan has changed since you looked. Look at the price again.")
    retryable = True


@dataclass(frozen=True, slots=True)
class Option:
    """One block that could take the order: how it is, how it would be, and what both blocks together would cost
    more (less, below zero)."""

    open: OpenBlock
    before: Side
    after: Side
    added_cents: int
    seen: str

    @property
    def code(self) -> str:
        return self.open.room.code

    @property
    def problems(self) -> list[str]:
        """What the judge has against it, as sentences; empty when it may be saved."""
        rules = dict.fromkeys(violation.rule for violation in self.after.violations)
        return [
            str(RULES[rule]) if rule in RULES else _now("Rule %(rule)s.") % {"rule": rule} for rule in rules
        ]


@dataclass(frozen=True, slots=True)
class Outlook:
    """An order, the block it is in (None while it waits), and every block it could be moved to, the cheapest of those
    the judge allows first."""

    mall: Mall
    order_code: str
    snapshot: Snapshot
    source: OpenBlock | None
    before: Side | None
    after: Side | None
    options: tuple[Option, ...]

    def option(self, block_code: str) -> Option:
        """Raises BlockClosed."""
        for each in self.options:
            if each.code == block_code:
                return each
        raise BlockClosed(block=block_code)

    def is_in(self, block_code: str) -> bool:
        """Whether the order is in this block already."""
        return self.source is not None and self.source.room.code == block_code

    @property
    def is_last(self) -> bool:
        """Whether its block would be left without an order."""
        return self.after is not None and not self.after.orders


def look(*, mall: Mall, order: Order, at: dt.datetime) -> Outlook:
    """What moving this order of the mall would cost, block by block. Asks for travel times, so no transaction may be
    open.

    Raises OrderFixed.
    """
    blocks = inputs.open_blocks(mall, at=at)
    source = next((each for each in blocks if order.code in each.room.orders), None)
    waits = order.status == Order.Status.PLACED and order.point is not None
    if source is None and not waits:
        raise OrderFixed(reason=order.status, order=order.code, status=order.get_status_display())
    planned = [each for block in blocks for each in block.on_it]
    snapshot = _snapshot(mall, planned if source else [*planned, inputs.candidate(order)], at=at)
    afternoon = snapshot.afternoon
    before = editing.as_it_is(afternoon, source.room) if source else None
    after = editing.without(afternoon, source.room, order.code) if source else None
    freed = after.cents - before.cents if before and after else 0
    options = []
    for each in blocks:
        if each is not source:
            here, then = (
                editing.as_it_is(afternoon, each.room),
                editing.with_one_more(afternoon, each.room, order.code),
            )
            options.append(Option(each, here, then, then.cents - here.cents + freed, seen_of(source, each)))
    options.sort(key=lambda option: (len(option.after.violations), option.added_cents, option.code))
    return Outlook(mall, order.code, snapshot, source, before, after, tuple(options))


def _snapshot(mall: Mall, orders: Sequence[Candidate], *, at: dt.datetime) -> Snapshot:
    """All these orders in one afternoon. What a block pays and how long it is stays as it was sold, so nothing is
    read of pay policies."""
    epoch = inputs.epoch_of(mall, at)
    rows = tuple(inputs.as_waiting(order, epoch) for order in orders)
    times = sources.of_market(mall.market, at=at)
    matrix = times.matrix([mall.point, *(row.point for row in rows)], hour=at.astimezone(mall.zone).hour)
    litres, grams = Vehicle.CAPACITY[Vehicle.Kind.VAN]
    rules = planrules.on(mall.market, at.astimezone(mall.zone).date())
    shuts = [
        (code, (window.end - epoch) // SECOND) for code, window in hours.next_openings(mall, at=at).items()
    ]
    afternoon = Afternoon(
        mall=mall.point,
        now=(at - epoch) // SECOND,
        close=max(row.due for row in rows) + DAY_S,
        orders=rows,
        lengths=(BlockLength(DAY_S, 0),),
        seconds=matrix.seconds,
        metres=matrix.metres,
        litres=litres,
        grams=grams,
        dwell=inputs.DWELL,
        km_cents=rules.km_cents,
        late_cents_min=rules.late_cents,
        late_max_s=limits.PLAN_LATE_MAX // SECOND,
        max_metres=rules.max_metres,
        notes=matrix.notes,
        apart=rules.apart,
        shuts=tuple(sorted(shuts)),
    )
    return Snapshot(epoch, afternoon, at)


def seen_of(source: OpenBlock | None, target: OpenBlock) -> str:
    """Stands for both blocks as they were when the price was shown."""
    return hashlib.sha256(repr((source, target)).encode()).hexdigest()[:20]


@transaction.atomic(durable=True)
def move(*, outlook: Outlook, to_code: str, seen: str, by: User, at: dt.datetime) -> Block:
    """Move the order as the outlook says, if both blocks still are as they were when its price was `seen`.

    Pay and windows stay as sold; the drivers of claimed blocks are told. A repeat changes nothing.

    Raises BlockClosed, BlockFrozen, LastOrder, DoesNotFit, PlanMovedOn, and what redrawing refuses.
    """
    if outlook.is_in(to_code):
        return Block.objects.get(code=to_code)
    option = outlook.option(to_code)
    if outlook.is_last:
        assert outlook.source is not None
        raise LastOrder(block=outlook.source.room.code)
    if option.after.violations:
        raise DoesNotFit(rules=" ".join(option.problems))
    codes = [to_code, *([outlook.source.room.code] if outlook.source else [])]
    held = _held(codes)
    _refuse_unless_unchanged(outlook, option, seen=seen, at=at)
    orders = _orders(outlook, option)
    if outlook.source is not None and outlook.after is not None:
        _redraw(held[outlook.source.room.code], outlook.after, orders, outlook, by=by, at=at)
    _redraw(held[to_code], option.after, orders, outlook, by=by, at=at)
    return held[to_code]


def _held(codes: Sequence[str]) -> dict[str, Block]:
    """The blocks, then their manifests, locked by ascending key."""
    ascending = Block.objects.filter(code__in=codes).order_by("pk").values_list("code", flat=True)
    blocks = {code: locks.block(code) for code in ascending}
    for manifest_id in sorted(block.manifest_id for block in blocks.values() if block.manifest_id):
        delivery_locks.manifest(manifest_id)
    for block in blocks.values():
        freezing.refuse_if_frozen(block)
    return blocks


def _refuse_unless_unchanged(outlook: Outlook, option: Option, *, seen: str, at: dt.datetime) -> None:
    """Both blocks, read again under their locks, against what was priced: equal values, or nothing is written."""
    now = {each.room.code: each for each in inputs.open_blocks(outlook.mall, at=at)}
    wanted = [option.open, *([outlook.source] if outlook.source else [])]
    for each in wanted:
        if each.room.code not in now:
            raise BlockClosed(block=each.room.code)
    if seen != option.seen or any(now[each.room.code] != each for each in wanted):
        raise PlanMovedOn


def _orders(outlook: Outlook, option: Option) -> dict[str, Order]:
    """Every order of both blocks, locked. Raises PlanMovedOn when the moved one is no longer where it was."""
    codes = {*option.after.orders, *(outlook.after.orders if outlook.after else ())}
    pks = Order.objects.filter(code__in=codes).values_list("pk", flat=True)
    found = {order.code: order for order in delivery_locks.orders(pks)}
    waits = found[outlook.order_code].status == Order.Status.PLACED
    if waits != (outlook.source is None):
        raise PlanMovedOn
    return found


def _redraw(
    block: Block, side: Side, orders: dict[str, Order], outlook: Outlook, *, by: User, at: dt.datetime
) -> None:
    assert block.manifest is not None
    assert side.block is not None
    before = set(
        Consignment.objects.live().filter(manifest=block.manifest).values_list("order__code", flat=True)  # type: ignore[attr-defined]
    )
    actor = Actor(kind=Fact.Actor.OPERATIONS, name=str(by), source="ops page")
    stops = routes.stops_of(
        outlook.mall, side.block, {code: orders[code] for code in side.orders}, outlook.snapshot
    )
    redrawing.redraw(manifest=block.manifest, stops=stops, at=at, actor=actor)
    # Pay may depend on the miles: a shorter way leaves what the driver was promised.
    block.distance_m = max(block.distance_m, side.block.metres)
    block.save(update_fields=["distance_m"])
    withdrawing.measure(block)
    claim = Claim.objects.live().filter(block=block).select_related("driver__user").first()  # type: ignore[attr-defined]
    driver = claim.driver if claim else None
    recording.record(
        facts.block_rearranged(
            block,
            at=at,
            actor=actor,
            driver=driver,
            added=sorted(set(side.orders) - before),
            removed=sorted(before - set(side.orders)),
        )
    )
    freshness.touch(block.mall.market.code)
    if driver is not None:
        freshness.touch_driver(driver.pk)
