"""Work done becomes money: the only place that turns rules into postings. Every line has a key, so that the
second attempt at paying the same thing is a no-op by constraint."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Q, Sum
from django.utils import translation
from django.utils.translation import gettext as _

from deliveries.models import Consignment, Manifest, Order, Stop
from drivers import ledger
from drivers.models import DriverPosting, StandingEvent
from offers import conduct, facts, freshness, limits, locks, moves, pricing, terms
from offers.models import Block, Claim
from retaildelivery.lib import money
from retaildelivery.outbox import recording
from retaildelivery.outbox.models import Fact
from stores import billing
from stores.models import Store

ZERO = dt.timedelta(0)
MONEY_PARAMS = frozenset({"rate", "floor", "credited"})


def settle(*, fact: Fact, at: dt.datetime) -> None:
    """Reaction to a completed manifest: its block is completed, paid line by line, and settled.

    The stores that kept the driver are charged for it. Done before, it does nothing.
    """
    codes = [s.removeprefix("manifest:") for s in fact.subjects if s.startswith("manifest:")]
    found = Block.objects.filter(manifest__code__in=codes).values_list("code", flat=True).first()
    if found is None:
        return
    block = locks.block(found)
    if block.status not in {Block.Status.CHECKED_IN, Block.Status.WORKING, Block.Status.COMPLETED}:
        return
    claim = Claim.objects.select_related("driver__user", "offer").get(block=block, ended_at=None)
    claim.block = block
    if block.status != Block.Status.COMPLETED:
        moves.move_block(block, Block.Status.COMPLETED, at=at, completed_at=fact.at)
    moves.end_claim(claim, Claim.Ending.COMPLETED, at=fact.at)
    recording.record(facts.block_completed(block, at=fact.at, driver=claim.driver))
    conduct.note(claim, StandingEvent.Kind.COMPLETED, at=fact.at)
    work = work_of(block, at=fact.at)
    pay = pricing.price(terms.of_block(block, hourly_cents=claim.hourly_cents), work)
    with translation.override(claim.driver.user.locale):
        lines = _post(claim, pay, work, at=at)
    moves.move_block(block, Block.Status.SETTLED, at=at, settled_at=at)
    recording.record(
        facts.pay_settled(block, at=at, driver=claim.driver, lines=lines, total_cents=pay.total_cents)
    )
    freshness.touch_driver(claim.driver_id)


def settle_aborted(*, fact: Fact, at: dt.datetime) -> None:
    """Reaction to a block that was broken off, and to the last parcel leaving its driver's hands: with the second of
    them the time so far and the handover are paid. Done before, it does nothing."""
    named = {
        kind: [s.removeprefix(kind) for s in fact.subjects if s.startswith(kind)]
        for kind in ("block:", "manifest:")
    }
    found = Block.objects.filter(Q(code__in=named["block:"]) | Q(manifest__code__in=named["manifest:"]))
    code = found.filter(status=Block.Status.ABORTED).values_list("code", flat=True).first()
    if code is None:
        return
    block = locks.block(code)
    manifest = block.manifest
    over = manifest is None or manifest.status == Manifest.Status.ABORTED
    if block.status != Block.Status.ABORTED or not over:
        return
    claim = Claim.objects.select_related("driver__user", "offer").get(block=block, ended_at=None)
    claim.block = block
    moves.end_claim(claim, Claim.Ending.ABORTED, at=at, reason=block.ended_reason)
    work = work_until_aborted(block, over_at=manifest.aborted_at if manifest else None)
    pay = pricing.price(terms.of_block(block, hourly_cents=claim.hourly_cents), work)
    with translation.override(claim.driver.user.locale):
        lines = _post(claim, pay, work, at=at)
    moves.move_block(block, Block.Status.SETTLED, at=at, settled_at=at)
    recording.record(
        facts.pay_settled(block, at=at, driver=claim.driver, lines=lines, total_cents=pay.total_cents)
    )
    freshness.touch_driver(claim.driver_id)


def pay_stood_down(claim: Claim, *, at: dt.datetime) -> tuple[list[dict[str, Any]], int]:
    """Pay the whole block to a driver for whom there was nothing to do: the lines, and their sum. Inner verb; the
    block is locked."""
    work = pricing.Work(claim.block.length, outcome=pricing.Outcome.STOOD_DOWN)
    pay = pricing.price(terms.of_block(claim.block, hourly_cents=claim.hourly_cents), work)
    with translation.override(claim.driver.user.locale):
        lines = _post(claim, pay, work, at=at)
    return lines, pay.total_cents


def work_until_aborted(block: Block, *, over_at: dt.datetime | None) -> pricing.Work:
    """The time so far of a block that was broken off, plus the wait for who took the parcels over, within
    `limits.HANDOVER_PAID`; never more than the window as scheduled time, the rest as overtime."""
    assert block.checked_in_at is not None, "Only a block at work is broken off."
    assert block.ended_at is not None, "A block that was broken off has its time."
    stops = list(Stop.objects.filter(manifest=block.manifest_id).select_related("store", "handover"))
    until = min(max(block.ended_at, over_at or block.ended_at), block.ended_at + limits.HANDOVER_PAID)
    begun = max(block.starts_at, block.checked_in_at)
    return pricing.Work(
        scheduled=max(ZERO, min(until, block.ends_at) - begun),
        overtime=max(ZERO, until - max(block.ends_at, begun)),
        waits=tuple(waits(block, stops)),
        returns=sum(stop.kind == Stop.Kind.RETURN and stop.status == Stop.Status.DONE for stop in stops),
        tips=tuple(tips(block)),
        engaged=(pricing.Engaged(max(ZERO, until - block.checked_in_at), block.distance_m),),
    )


def work_of(block: Block, *, at: dt.datetime) -> pricing.Work:
    """What happened in a block whose manifest was completed at `at`, read from its stops and handovers."""
    assert block.checked_in_at is not None, "A completed block was checked in."
    stops = list(Stop.objects.filter(manifest=block.manifest_id).select_related("store", "handover"))
    until = worked_until(stops, at=at)
    late = max(ZERO, block.checked_in_at - block.starts_at)
    return pricing.Work(
        scheduled=block.length,
        # Who began late does not earn the same minutes at the end as overtime.
        overtime=max(ZERO, until - block.ends_at - late),
        waits=tuple(waits(block, stops)),
        returns=sum(stop.kind == Stop.Kind.RETURN and stop.status == Stop.Status.DONE for stop in stops),
        tips=tuple(tips(block)),
        engaged=(pricing.Engaged(max(ZERO, until - block.checked_in_at), block.distance_m),),
    )


def worked_until(stops: list[Stop], *, at: dt.datetime) -> dt.datetime:
    """The moment the last stop ended. A return counts only when it followed the stop before it within
    `limits.RETURN_WAY`: what is brought back the next morning is paid as a return, not as a night of
    overtime."""
    ends = sorted(
        (stop.completed_at, stop.kind == Stop.Kind.RETURN)
        for stop in stops
        if stop.completed_at is not None and stop.arrived_at is not None
    )
    if not ends:
        return at
    until = ends[0][0]
    for moment, is_return in ends[1:]:
        if is_return and moment - until > limits.RETURN_WAY:
            break
        until = moment
    return until


def waits(block: Block, stops: list[Stop]) -> list[pricing.Wait]:
    """How long each store kept the driver: from arrival, or the block's start where that is later, to the
    staff's handover, or to the end of the stop where there was none."""
    kept: dict[str, dt.timedelta] = {}
    for stop in stops:
        if stop.kind != Stop.Kind.PICKUP or stop.store is None or stop.arrived_at is None:
            continue
        handover = getattr(stop, "handover", None)
        until = handover.at if handover is not None else stop.completed_at
        if until is not None:
            waited = max(ZERO, until - max(stop.arrived_at, block.starts_at))
            kept[stop.store.code] = kept.get(stop.store.code, ZERO) + waited
    return [pricing.Wait(store=code, waited=waited) for code, waited in kept.items()]


def tips(block: Block) -> list[pricing.Tip]:
    """The tips of the orders delivered, all of each."""
    delivered = Consignment.objects.filter(
        manifest=block.manifest_id, ending=Consignment.Ending.DELIVERED, order__tip_cents__gt=0
    )
    rows = delivered.order_by("order__code").values_list("order__code", "order__tip_cents")
    return [pricing.Tip(order=code, cents=cents) for code, cents in rows]


def key_of(block: Block, line: pricing.PayLine) -> str:
    """What the line pays for, such as ``block:BX7K2M:base`` or ``block:BX7K2M:wait:T3K9QP``."""
    named = dict(line.params)
    about = named.get("store") or named.get("order") or named.get("name")
    return ":".join(filter(None, ("block", block.code, str(line.kind), about)))


def _post(claim: Claim, pay: pricing.Pay, work: pricing.Work, *, at: dt.datetime) -> list[dict[str, Any]]:
    """The lines to the driver's account in one statement, and what stores bear to theirs: those by ascending key,
    since each account is a lock."""
    subject = f"block:{claim.block.code}"
    lines = [
        ledger.Line(
            key=key_of(claim.block, line),
            kind=str(line.kind),
            cents=line.cents,
            text=sentence(line),
            rule=line.rule,
            subject=subject,
            params=exact_params(line, work, locked_cents=claim.pay_cents),
        )
        for line in pay.lines
    ]
    ledger.post_all(driver=claim.driver, lines=lines, at=at)
    charged = {line.charged_to: line for line in pay.lines if line.charged_to is not None}
    if charged:
        stores = Store.objects.select_related("seller").filter(code__in=charged).order_by("seller_id", "pk")
        for store in stores:
            _charge(claim, charged[store.code], store=store, at=at)
    return [
        {
            "key": line.key,
            "kind": line.kind,
            "cents": line.cents,
            "rule": line.rule,
            "params": dict(line.params),
        }
        for line in lines
    ]


def exact_params(line: pricing.PayLine, work: pricing.Work, *, locked_cents: int) -> dict[str, str]:
    """What the line says, and beside hours rounded for people the seconds that were paid: whoever computes the
    line again must come to the same cent."""
    params = dict(line.params)
    if line.kind in {pricing.LineKind.BASE, pricing.LineKind.STEP}:
        params["seconds"] = f"{work.scheduled.total_seconds():g}"
    if line.kind == pricing.LineKind.STOOD_DOWN:
        params["pay"] = str(locked_cents)
    if line.kind == pricing.LineKind.FLOOR:
        time = sum((each.time for each in work.engaged), ZERO)
        params["seconds"] = f"{time.total_seconds():f}".rstrip("0").rstrip(".")
        params["metres"] = str(sum(each.metres for each in work.engaged))
    return params


def _charge(claim: Claim, line: pricing.PayLine, *, store: Store, at: dt.datetime) -> None:
    """The store at fault bears the wait. Its account is kept in English, whatever the driver reads."""
    with translation.override("en"):
        text = sentence(line)
    billing.post(
        key=key_of(claim.block, line),
        seller=store.seller,
        store=store,
        kind=str(line.kind),
        cents=line.cents,
        text=text,
        rule=line.rule,
        subject=f"block:{claim.block.code}",
        at=at,
        params=dict(line.params),
    )


def sentence(line: pricing.PayLine) -> str:
    """The line in words, in the language in force, with its amounts written as money."""
    params: dict[str, str] = dict(line.params)
    for name in MONEY_PARAMS & params.keys():
        params[name] = money.format_cents(int(params[name]))
    return str(_(line.template) % params)


def follow_tip(*, fact: Fact, at: dt.datetime) -> None:
    """Reaction to a tip raised after the block was settled: what was not yet paid of it goes to the
    driver."""
    codes = [s.removeprefix("order:") for s in fact.subjects if s.startswith("order:")]
    for place in Consignment.objects.filter(
        order__code__in=codes, ending=Consignment.Ending.DELIVERED
    ).select_related("order"):
        code = (
            Block.objects.filter(manifest=place.manifest_id, status=Block.Status.SETTLED)
            .values_list("code", flat=True)
            .first()
        )
        if code is not None:
            _pay_rest_of_tip(locks.block(code), place.order, sequence=fact.sequence, at=at)


def _pay_rest_of_tip(block: Block, order: Order, *, sequence: int | None, at: dt.datetime) -> None:
    claim = (
        Claim.objects.filter(block=block, ending__in=[Claim.Ending.COMPLETED, Claim.Ending.ABORTED])
        .select_related("driver__user")
        .get()
    )
    first = f"block:{block.code}:tip:{order.code}"
    paid = DriverPosting.objects.filter(key__startswith=first).aggregate(cents=Sum("cents"))["cents"] or 0
    if order.tip_cents <= paid:
        return
    with translation.override(claim.driver.user.locale):
        text = _(pricing.LINE_SENTENCES[pricing.LineKind.TIP]) % {"order": order.code}
    ledger.post(
        key=f"{first}:{sequence}",
        driver=claim.driver,
        kind=str(pricing.LineKind.TIP),
        cents=order.tip_cents - paid,
        text=text,
        rule=block.policy.code,
        subject=f"block:{block.code}",
        at=at,
        params={"order": order.code},
    )
