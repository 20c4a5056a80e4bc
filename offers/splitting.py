"""A block in two before it is loaded: its tail goes to another driver, its own driver keeps the pay."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Collection, Sequence

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from deliveries import eta, redrawing, roads
from deliveries import locks as delivery_locks
from deliveries.manifests import DraftStop
from deliveries.models import Order, Stop
from drivers.models import Driver
from offers import drafting, facts, freezing, freshness, limits, locks, offering, rescuing, withdrawing
from offers.models import Block, Claim
from offers.planning import inputs
from retaildelivery.lib.geo import road_m
from retaildelivery.lib.refusals import Refused
from retaildelivery.lib.windows import Window
from retaildelivery.outbox import recording
from retaildelivery.outbox.recording import Actor

SPLITTABLE = (Block.Status.OFFERED, Block.Status.CLAIMED, Block.Status.CHECKED_IN)


class SplitRefused(Refused):
    """Base of what can be said against splitting a block."""

    code = "split_refused"


class NotSplittable(SplitRefused):
    code = "not_splittable"
    sentence = _("Block %(code)s is %(status)s; what its driver carries is handed over on the way instead.")


class SplitsNothing(SplitRefused):
    code = "splits_nothing"
    sentence = _("Choose some of the doors, not none and not all.")


@transaction.atomic(durable=True)
def split(*, block_code: str, stop_codes: Collection[str], actor: Actor, at: dt.datetime) -> Block:
    """Make a block of its own of these doors, offered at once; the first block keeps its window and its pay.

    Raises Block.DoesNotExist, NotSplittable, BlockFrozen, SplitsNothing, and CustodyBegun when a parcel for one of
    the doors has been loaded.
    """
    block = locks.block(block_code)
    if block.status not in SPLITTABLE or block.manifest is None:
        raise NotSplittable(reason=block.status, code=block.code, status=block.get_status_display())
    freezing.refuse_if_frozen(block)
    delivery_locks.manifest(block.manifest.pk)
    chosen = set(
        Stop.objects.filter(
            manifest=block.manifest, code__in=stop_codes, kind=Stop.Kind.DROPOFF, status__in=Stop.OPEN
        ).values_list("dropoffs__order", flat=True)
    )
    stops = rescuing.moved(block, shift=dt.timedelta(0))
    tail, rest = _only(stops, chosen, inside=True), _only(stops, chosen, inside=False)
    if not tail or not rest:
        raise SplitsNothing(field="stops")
    redrawn = redrawing.redraw(manifest=block.manifest, stops=rest, at=at, actor=actor)
    withdrawing.measure(block)
    made = _offer(block, tail, at=at)
    driver = _driver_of(block)
    removed = [order.code for order in redrawn.removed]
    recording.record(facts.block_split(block, made, at=at, actor=actor, driver=driver, removed=removed))
    freshness.touch(block.mall.market.code)
    if driver is not None:
        freshness.touch_driver(driver.pk)
    return made


def _driver_of(block: Block) -> Driver | None:
    claim = Claim.objects.live().filter(block=block).select_related("driver__user").first()  # type: ignore[attr-defined]
    return claim.driver if claim else None


def _only(stops: Sequence[DraftStop], chosen: Collection[int], *, inside: bool) -> list[DraftStop]:
    """The stops with those of their orders that are chosen, or with the others."""
    kept = []
    for stop in stops:
        orders = tuple(order for order in stop.orders if (order.pk in chosen) == inside)
        if orders:
            kept.append(dataclasses.replace(stop, orders=orders))
    return kept


def _offer(block: Block, tail: Sequence[DraftStop], *, at: dt.datetime) -> Block:
    """The doors as a block that starts as soon as a driver can come, or with the first block if that is later."""
    start = max(inputs.round_start(at + limits.LEAD_SHORT), block.starts_at)
    stops, over_at, metres = _timed(block, tail, start, at=at)
    made = drafting.draft(
        mall=block.mall,
        window=Window(start, start + drafting.length_for(over_at - start)),
        stops=stops,
        distance_m=metres,
        at_least_cents=block.hourly_cents,
        at=at,
    )
    offering.publish(block=made, at=at)
    return made


def _timed(
    block: Block, tail: Sequence[DraftStop], start: dt.datetime, *, at: dt.datetime
) -> tuple[list[DraftStop], dt.datetime, int]:
    """The stops with their moments from `start` on, when the driver is back at the mall, and the metres."""
    mall, fresh = block.mall, _fresh(tail)
    curve, moment, here, metres, stops = roads.curve_of(mall.market, at=at), start, mall.point, 0, []
    for stop in tail:
        hour = moment.astimezone(mall.zone).hour
        moment += eta.drive(here, stop.point, curve=curve, hour=hour)
        metres += road_m(here, stop.point)
        orders = tuple(fresh[order.pk] for order in stop.orders)
        if stop.kind == Stop.Kind.PICKUP and stop is not tail[0]:
            moment = max(moment, *(order.ready_at for order in orders))
        if stop.kind == Stop.Kind.DROPOFF:
            moment = max(moment, min(order.window.lower for order in orders))
        stops.append(dataclasses.replace(stop, planned_at=moment, orders=orders))
        moment, here = moment + stop.service, stop.point
    back = eta.drive(here, mall.point, curve=curve, hour=moment.astimezone(mall.zone).hour)
    return stops, moment + back, metres + road_m(here, mall.point)


def _fresh(stops: Sequence[DraftStop]) -> dict[int, Order]:
    """The orders as they are now that they wait again."""
    pks = {order.pk for stop in stops for order in stop.orders}
    return {order.pk: order for order in Order.objects.filter(pk__in=pks).prefetch_related("parcels")}
